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

from histjax.fitting.arrow import scaled
from histjax.fitting.boxes import box_step
from histjax.fitting.conjugate import NewtonCG
from histjax.fitting.kinks import Evaluation, evaluated, one_side
from histjax.fitting.problem import Minimiser, Minimum, Problem, active
from histjax.model.curvature import Curvature, all_finite, no_walls
from histjax.model.likelihood import Likelihood

LONGEST_EXCURSION = 3
"""Steps taken from a rejected point before the minimiser returns."""


class Newton(Minimiser):
    """The default minimiser.

    **Fields:**

    - `tolerance`: stop where the estimated distance to the minimum (EDM, in units of the negative log likelihood: the
      decrease that the quadratic model still promises) is below it.
    - `max_iterations`: steps taken or tried before giving up, per descent.
    - `patience`, `restarts`: a descent of more than `patience` iterations has met a likelihood far from convex, which
      may have several minima; it is repeated from `restarts` displaced starting points and the lowest minimum kept.
      So is every descent where a user's function of parameters (`histjax.Factor`) acts. From a trusted start there
      is one restart, at the initial values of the likelihood, and only where the descent was long: then the start was
      far away after all.
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

        several = any(likelihood.parameters.in_functions) & ~problem.trusted

        def wanted(attempts: Attempts) -> Bool[Array, ""]:
            doubtful = several | (attempts.longest > self.patience)
            again = doubtful & (attempts.made <= jnp.where(problem.trusted, min(self.restarts, 1), self.restarts))
            return (attempts.made == 0) | again

        def attempt(attempts: Attempts) -> Attempts:
            start, lowest = another_start(likelihood, problem, attempts.made), attempts.lowest
            end = descend(likelihood, data, problem, start, self)
            first = attempts.made == 0
            found = end.base_here.minimum(end.base, lowest.iterations + end.iteration)
            # a restart must win by more than rounding, so that the first descent is kept where all agree
            better = first | (found.value < lowest.value - 1e-9 * (1 + jnp.abs(lowest.value)))
            kept = jax.tree.map(lambda new, old: jnp.where(better, new, old), found, lowest)
            kept = kept._replace(iterations=found.iterations)
            return Attempts(kept, attempts.made + 1, jnp.where(first, end.iteration, attempts.longest))

        zero = jnp.zeros((), jnp.int32)
        nowhere = unknown(likelihood, problem.start).minimum(problem.start, zero)
        return jax.lax.while_loop(wanted, attempt, Attempts(nowhere, zero, zero)).lowest


class State(NamedTuple):
    """Where the minimiser stands.

    On an *excursion* `x` is a point that was rejected, for its value, but is gone on from: `base` is the point to
    return to, with `base_here` and the `base_damping` to go on with there; `away` counts the steps from it. `refused`
    tells that the step before was rejected, `wary` that one was rejected at a wall: from then on steps stop there.
    """

    x: Float[Array, "parameters"]
    here: Evaluation
    damping: Float[Array, ""]
    edm: Float[Array, ""]
    iteration: Int[Array, ""]
    done: Bool[Array, ""]
    base: Float[Array, "parameters"]
    base_here: Evaluation
    base_damping: Float[Array, ""]
    away: Int[Array, ""]
    refused: Bool[Array, ""]
    wary: Bool[Array, ""]

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


def unknown(likelihood: Likelihood, x: Float[Array, "parameters"]) -> Evaluation:
    """What is known where the likelihood has not been evaluated yet: value infinite, no slope, unit curvature."""
    structure = likelihood.structure
    n_dense, n_narrow = structure.dense.size, structure.narrow.size
    unit = Curvature(
        jnp.eye(n_dense, dtype=x.dtype), jnp.zeros((n_narrow, n_dense), x.dtype), jnp.ones(n_narrow, x.dtype)
    )
    flat = jnp.zeros_like(x)
    walls = no_walls(structure, likelihood.n_walls, x.dtype)
    return Evaluation(jnp.full((), jnp.inf, x.dtype), flat, unit, flat.astype(bool), walls)


def another_start(likelihood: Likelihood, problem: Problem, attempt: Int[Array, ""]) -> Float[Array, "parameters"]:
    """The starting point of an attempt: displaced ones, or the initial values where the given one was trusted."""
    inside = jnp.clip(jnp.asarray(likelihood.parameters.init, problem.start.dtype), problem.lower, problem.upper)
    initial = jnp.where(problem.fixed, problem.start, inside)
    return jnp.where(problem.trusted & (attempt > 0), initial, displaced(problem, attempt))


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
    zero, none = jnp.zeros((), start.dtype), jnp.zeros((), jnp.int32)
    nothing = unknown(likelihood, start)
    unstarted = zero, zero + jnp.inf, none - 1, jnp.zeros((), bool)
    state = State(start, nothing, *unstarted, start, nothing, zero, none, *jnp.zeros((2,), bool))

    def unfinished(state: State) -> Bool[Array, ""]:
        return ~state.done & (state.iteration < minimiser.max_iterations)

    return jax.lax.while_loop(unfinished, lambda state: step(likelihood, data, problem, minimiser, state), state)


def step(likelihood: Likelihood, data, problem: Problem, minimiser: Newton, state: State) -> State:
    """Try one damped, projected Newton step; keep it where the value went down as predicted.

    A rejected step is not always a bad one: where it crosses a steep wall (an empty bin whose expectation becomes
    negative), the model *there* knows of the wall and the model here does not. So the minimiser goes on from there for
    `LONGEST_EXCURSION` steps, and returns unless that leads below where it came from (the watchdog technique: R. M.
    Chamberlain et al., Math. Programming Study 16 (1982) 1).
    """
    held, at_base = active(problem, state), state.away == 0
    walled = one_side(likelihood, problem, state.x, state.gradient)
    system = scaled(likelihood.structure, state.here.curvature, held)
    box = box_step(system, walled, state, held)
    trial = jnp.where(held, state.x, jnp.clip(state.x + box.move / system.scale, walled.lower, walled.upper))
    move = trial - state.x
    units = jnp.where(held, 0.0, move * system.scale)
    predicted = -(state.gradient @ move + 0.5 * units @ system.times(units))
    there, before = evaluated(likelihood, data, trial), state.base_here.value
    is_finite = finite(there)
    first = state.iteration < 0  # nothing is known yet: the step is zero and is the evaluation of the start
    decrease = jnp.where(first, 0.0, before - there.value)
    noise = 64 * jnp.finfo(before.dtype).eps * (1 + jnp.where(first, 0.0, jnp.abs(before)))
    ratio = jnp.where(predicted > 0, decrease / jnp.where(predicted > 0, predicted, 1.0), -1.0)
    edm = jnp.abs(predicted)
    resolved = edm > noise  # below the noise of the value the quadratic model is the better judge
    accept_here = first | (is_finite & jnp.where(resolved, ratio > 1e-4, decrease >= -noise))
    accept = jnp.where(at_base, accept_here, is_finite & (decrease > noise))
    damping = next_damping(box.damping, jnp.where(resolved, ratio, 1.0), accept, state.refused)
    damping = jnp.where(at_base, damping, jnp.where(accept, box.damping, state.base_damping))

    small = (edm <= minimiser.tolerance) | (~resolved & (edm <= 1e-9))
    stuck = ~accept & (damping > 1e20)
    done = at_base & ((small & (accept | ~resolved) & (damping < 1)) | stuck)
    done = jnp.where(first, ~is_finite | jnp.all(problem.fixed), done)
    goes_on = ~accept & ~done & is_finite & resolved & (state.away < LONGEST_EXCURSION) & there.walls.only_empty_crossed
    return _moved(state, (trial, there), accept, goes_on, damping, box.damping)._replace(edm=edm, done=done)


def _moved(state: State, there: tuple, accept, goes_on, damping, used_damping) -> State:
    """The state at the trial point, where it is accepted or gone on from, else at the base."""

    def choose(mask, new, old):
        return jax.tree.map(lambda a, b: jnp.where(mask, a, b), new, old)

    base = choose(accept, there, (state.base, state.base_here))
    x, here = choose(accept | goes_on, there, base)
    base_damping = jnp.where(state.away == 0, damping, state.base_damping)
    away = jnp.where(goes_on, state.away + 1, 0)
    now = jnp.where(goes_on, used_damping, damping)
    wary = state.wary | (~accept & there[1].walls.only_empty_crossed)
    return State(x, here, now, state.edm, state.iteration + 1, state.done, *base, base_damping, away, ~accept, wary)


def finite(here: Evaluation) -> Bool[Array, ""]:
    """Whether an evaluation gave numbers."""
    return jnp.isfinite(here.value) & jnp.all(jnp.isfinite(here.gradient)) & all_finite(here.curvature)


def next_damping(damping: Array, ratio: Array, accept: Array, refused: Array) -> Array:
    """Lower the damping where the quadratic model predicts well, raise it where it does not; after a step that was
    refused lower it with care, or every other step is refused.
    """
    lowered = jnp.where(damping > 1e-6, damping / jnp.where(refused, 2.0, 10.0), 0.0)
    kept = jnp.where(ratio > 0.75, lowered, damping)
    raised = jnp.maximum(4 * damping, 1e-3)
    return jnp.where(accept & (ratio > 0.25), kept, jnp.where(accept, raised, jnp.maximum(8 * damping, 1e-2)))
