r"""Bounded, damped Newton minimisation with the exact Hessian.

Variables are scaled by the square root of the Hessian's diagonal, as in Marquardt's rule; the damping is raised until
the Cholesky factorisation of the free block succeeds and lowered when the quadratic model predicts well. Bounds are
an active set: a parameter on its bound with the gradient pushing outwards is held, as is a fixed one, by an identity
row (its *step* is zero, not only its gradient). Values on the bound are legal. Fixed parameters and bounds are traced.

More, Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553 (damping and ratio test); Bertsekas, SIAM J. Control Optim. 20
(1982) 221 (projected Newton).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from histjax.fitting.arrow import System, factorised, scaled, without
from histjax.fitting.conjugate import NewtonCG
from histjax.fitting.kinks import Evaluation, evaluated, one_side
from histjax.fitting.problem import Minimiser, Minimum, Problem, active
from histjax.model.curvature import Curvature, Structure, all_finite
from histjax.model.likelihood import Likelihood


class Newton(Minimiser):
    """The default minimiser.

    **Fields:**

    - `tolerance`: stop where the estimated distance to the minimum (EDM, in units of the negative log likelihood: the
      decrease that the quadratic model still promises) is below it.
    - `max_iterations`: steps taken or tried before giving up, per descent.
    - `patience`, `restarts`: a descent of more than `patience` iterations has met a likelihood far from convex, which
      may have several minima; it is repeated from `restarts` displaced starting points and the lowest minimum kept.
      So is every descent where a user's function of parameters (`histjax.Factor`) acts.
    - `most_work`: where one factorisation of the Hessian, (narrow + dense) x dense^2 operations, costs more, `NewtonCG`
      takes over, with Hessian-vector products and one descent.
    """

    tolerance: float = 1e-12
    max_iterations: int = 200
    patience: int = 20
    restarts: int = 4
    most_work: float = 2e9

    def minimise(self, likelihood: Likelihood, data, problem: Problem) -> Minimum:
        """Descend, more than once where the first descent was long; keep the lowest minimum."""
        dense, narrow = (each.size for each in likelihood.structure)
        if (dense + narrow) * dense**2 > self.most_work:
            return NewtonCG(self.tolerance, self.max_iterations).minimise(likelihood, data, problem)

        several = any(likelihood.parameters.in_functions)

        def wanted(attempts: Attempts) -> Bool[Array, ""]:
            doubtful = several | (attempts.longest > self.patience)
            again = ~problem.trusted & doubtful & (attempts.made <= self.restarts)
            return (attempts.made == 0) | again

        def attempt(attempts: Attempts) -> Attempts:
            end, lowest = descend(likelihood, data, problem, displaced(problem, attempts.made), self), attempts.lowest
            first = attempts.made == 0
            found = Minimum(end.x, *end.here, lowest.iterations + end.iteration)
            # a restart must win by more than rounding, so that the first descent is kept where all agree
            better = first | (found.value < lowest.value - 1e-9 * (1 + jnp.abs(lowest.value)))
            kept = jax.tree.map(lambda new, old: jnp.where(better, new, old), found, lowest)
            kept = kept._replace(iterations=found.iterations)
            return Attempts(kept, attempts.made + 1, jnp.where(first, end.iteration, attempts.longest))

        zero = jnp.zeros((), jnp.int32)
        nowhere = Minimum(problem.start, *unknown(likelihood.structure, problem.start), zero)
        return jax.lax.while_loop(wanted, attempt, Attempts(nowhere, zero, zero)).lowest


class State(NamedTuple):
    """Where the minimiser stands."""

    x: Float[Array, "parameters"]
    here: Evaluation
    damping: Float[Array, ""]
    edm: Float[Array, ""]
    iteration: Int[Array, ""]
    done: Bool[Array, ""]

    @property
    def gradient(self) -> Float[Array, "parameters"]:
        """Gradient at `x`."""
        return self.here.gradient

    @property
    def pinned(self) -> Bool[Array, "parameters"]:
        """Parameters that a kink pins at `x`."""
        return self.here.pinned


class Attempts(NamedTuple):
    """The lowest minimum so far, the number of descents made and the length of the first one."""

    lowest: Minimum
    made: Int[Array, ""]
    longest: Int[Array, ""]


def unknown(structure: Structure, x: Float[Array, "parameters"]) -> Evaluation:
    """What is known where the likelihood has not been evaluated yet: value infinite, no slope, unit curvature."""
    n_dense, n_narrow = structure.dense.size, structure.narrow.size
    unit = Curvature(
        jnp.eye(n_dense, dtype=x.dtype), jnp.zeros((n_narrow, n_dense), x.dtype), jnp.ones(n_narrow, x.dtype)
    )
    flat = jnp.zeros_like(x)
    return Evaluation(jnp.full((), jnp.inf, x.dtype), flat, unit, flat.astype(bool))


def displaced(problem: Problem, attempt: Int[Array, ""]) -> Float[Array, "parameters"]:
    """The starting point of an attempt: the given one at first, then points of a Weyl sequence within one spread of it.

    A fixed parameter keeps its value, even one outside its bounds.
    """
    dtype = problem.start.dtype
    golden, silver = 0.6180339887498949, 0.41421356237309515
    uniform = (jnp.arange(1, problem.start.size + 1, dtype=dtype) * golden + attempt.astype(dtype) * silver) % 1.0
    shift = jnp.where(attempt > 0, (2 * uniform - 1) * problem.spread, 0.0)
    inside = jnp.clip(problem.start + shift, problem.lower, problem.upper)
    return jnp.where(problem.fixed, problem.start, inside)


def descend(
    likelihood: Likelihood, data, problem: Problem, start: Float[Array, "parameters"], minimiser: Newton
) -> State:
    """One descent from `start`. The first step stays at the start."""
    zero = jnp.zeros((), start.dtype)
    state = State(
        start,
        unknown(likelihood.structure, start),
        zero,
        zero + jnp.inf,
        jnp.zeros((), jnp.int32) - 1,
        jnp.zeros((), bool),
    )

    def unfinished(state: State) -> Bool[Array, ""]:
        return ~state.done & (state.iteration < minimiser.max_iterations)

    return jax.lax.while_loop(unfinished, lambda state: step(likelihood, data, problem, minimiser, state), state)


def step(likelihood: Likelihood, data, problem: Problem, minimiser: Newton, state: State) -> State:
    """Try one damped, projected Newton step; keep it where the value went down as predicted."""
    held, before = active(problem, state), state.here.value
    walled = one_side(likelihood, problem, state.x, state.gradient)
    system = scaled(likelihood.structure, state.here.curvature, held)
    box = box_step(system, walled, state, held)
    trial = jnp.where(held, state.x, jnp.clip(state.x + box.move / system.scale, walled.lower, walled.upper))
    move, damping = trial - state.x, box.damping
    units = jnp.where(held, 0.0, move * system.scale)
    predicted = -(state.gradient @ move + 0.5 * units @ system.times(units))
    edm = jnp.abs(predicted)
    there = evaluated(likelihood, data, trial)
    is_finite = finite(there)
    first = state.iteration < 0  # nothing is known yet: the step is zero and is the evaluation of the start
    decrease = jnp.where(first, 0.0, before - there.value)
    noise = 64 * jnp.finfo(before.dtype).eps * (1 + jnp.where(first, 0.0, jnp.abs(before)))
    ratio = jnp.where(predicted > 0, decrease / jnp.where(predicted > 0, predicted, 1.0), -1.0)
    resolved = edm > noise  # below the noise of the value the quadratic model is the better judge
    accept = first | (is_finite & jnp.where(resolved, ratio > 1e-4, decrease >= -noise))
    damping = next_damping(damping, jnp.where(resolved, ratio, 1.0), accept)

    def keep(new, old):
        return jnp.where(accept, new, old)

    small = (edm <= minimiser.tolerance) | (~resolved & (edm <= 1e-9))
    stuck = ~accept & (damping > 1e20)
    done = (small & (accept | ~resolved) & (damping < 1)) | stuck
    done = jnp.where(first, ~is_finite | jnp.all(problem.fixed), done)
    x, here = jax.tree.map(keep, (trial, there), (state.x, state.here))
    return State(x, here, damping, edm, state.iteration + 1, done)


def finite(here: Evaluation) -> Bool[Array, ""]:
    """Whether an evaluation gave numbers."""
    return jnp.isfinite(here.value) & jnp.all(jnp.isfinite(here.gradient)) & all_finite(here.curvature)


def next_damping(damping: Array, ratio: Array, accept: Array) -> Array:
    """Lower the damping where the quadratic model predicts well, raise it where it does not."""
    lowered = jnp.where(damping > 1e-6, damping / 10, 0.0)
    kept = jnp.where(ratio > 0.75, lowered, damping)
    raised = jnp.maximum(4 * damping, 1e-3)
    return jnp.where(accept & (ratio > 0.25), kept, jnp.where(accept, raised, jnp.maximum(8 * damping, 1e-2)))


class BoxStep(NamedTuple):
    """A step of the damped quadratic model inside the box of the bounds, in scaled units, while it is being found."""

    move: Float[Array, "parameters"]
    clamped: Bool[Array, "parameters"]
    damping: Float[Array, ""]
    done: Bool[Array, ""]


def box_step(system: System, problem: Problem, state: State, held: Bool[Array, "parameters"]) -> BoxStep:
    """Minimise the damped quadratic model over the free parameters inside their bounds.

    Where the step would leave the box, those parameters are clamped to their bounds and the others solved for again,
    so that correlated parameters know of it; a step that was merely clipped would not. The damping is raised until
    the factorisation exists.
    """
    gradient = jnp.where(held, 0.0, state.gradient) / system.scale
    low, high = (problem.lower - state.x) * system.scale, (problem.upper - state.x) * system.scale

    def again(step: BoxStep) -> BoxStep:
        off = held | step.clamped
        factor = factorised(without(system, step.clamped), step.damping)
        pushed = jnp.where(step.clamped, step.move, 0.0)
        right = jnp.where(off, 0.0, -gradient - system.times(pushed))
        move = jnp.where(step.clamped, pushed, factor.solve(right))
        good = factor.exists & jnp.all(jnp.isfinite(move))
        beyond = ~off & ((move < low) | (move > high)) & good
        damping = jnp.where(good | (step.damping > 1e12), step.damping, jnp.maximum(4 * step.damping, 1e-3))
        move = jnp.where(good, jnp.where(held, 0.0, jnp.clip(move, low, high)), 0.0)
        return BoxStep(move, step.clamped | beyond, damping, (good & ~jnp.any(beyond)) | (step.damping > 1e12))

    start = BoxStep(jnp.zeros_like(gradient), jnp.zeros_like(held), state.damping, jnp.zeros((), bool))
    return jax.lax.while_loop(lambda step: ~step.done, again, start)
