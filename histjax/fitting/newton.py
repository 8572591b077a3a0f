r"""Bounded, damped Newton minimisation with the exact Hessian.

Variables are scaled by the square root of the Hessian's diagonal, as in Marquardt's rule; the damping is raised until the
Cholesky factorisation of the free block succeeds and lowered when the quadratic model predicts well. Bounds are an active
set: a parameter on its bound with the gradient pushing outwards is held, as is a fixed one, by an identity row (its *step* is
zero, not only its gradient). Values on the bound are legal. Fixed parameters and bounds are traced.

More, Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553 (damping and ratio test); Bertsekas, SIAM J. Control Optim. 20 (1982) 221
(projected Newton).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from histjax.model.likelihood import Likelihood


class Newton(eqx.Module):
    """The default minimiser.

    **Fields:**

    - `tolerance`: stop where the estimated distance to the minimum (EDM, in units of the negative log likelihood: the decrease that
      the quadratic model still promises) is below it.
    - `max_iterations`: steps taken or tried before giving up.

    """

    tolerance: float = 1e-12
    max_iterations: int = 200


class Problem(NamedTuple):
    """What is minimised: all traced. Vectors are flat, `(parameters,)`."""

    start: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]
    fixed: Bool[Array, "parameters"]


class State(NamedTuple):
    """Where the minimiser stands."""

    x: Float[Array, "parameters"]
    value: Float[Array, ""]
    gradient: Float[Array, "parameters"]
    hessian: Float[Array, "parameters parameters"]
    damping: Float[Array, ""]
    edm: Float[Array, ""]
    iteration: Int[Array, ""]
    done: Bool[Array, ""]


def active(problem: Problem, x: Float[Array, "parameters"], gradient: Float[Array, "parameters"]) -> Bool[Array, "parameters"]:
    """Which parameters may not move: fixed ones, and those on a bound with the gradient pushing outwards."""
    at_lower = (x <= problem.lower) & (gradient >= 0)
    at_upper = (x >= problem.upper) & (gradient <= 0)
    return problem.fixed | at_lower | at_upper


def minimise(likelihood: Likelihood, data, problem: Problem, minimiser: Newton) -> tuple[Float[Array, "parameters"], Int[Array, ""]]:
    """Minimise `likelihood.nll`; returns the point and the number of iterations. Never raises inside a trace."""
    dtype = problem.start.dtype
    epsilon = jnp.finfo(dtype).eps
    # a fixed parameter keeps its value even outside its bounds
    start = jnp.where(problem.fixed, problem.start, jnp.clip(problem.start, problem.lower, problem.upper))

    def evaluate(x):
        return likelihood.nll_derivatives(x, data)

    def step(state: State) -> State:
        held = active(problem, state.x, state.gradient)
        damping, move, edm = damped_step(state, held)
        trial = jnp.where(held, state.x, jnp.clip(state.x + move, problem.lower, problem.upper))
        move = trial - state.x
        predicted = -(state.gradient @ move + 0.5 * move @ (state.hessian @ move))
        value, gradient, hessian = evaluate(trial)
        noise = 64 * epsilon * (1 + jnp.abs(state.value))
        decrease = state.value - value
        finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(gradient)) & jnp.all(jnp.isfinite(hessian))
        ratio = jnp.where(predicted > 0, decrease / jnp.where(predicted > 0, predicted, 1.0), -1.0)
        # below the noise of the value the quadratic model is the better judge
        resolved = jnp.abs(predicted) > noise
        accept = finite & jnp.where(resolved, ratio > 1e-4, decrease >= -noise)
        damping = next_damping(damping, jnp.where(resolved, ratio, 1.0), accept)

        def keep(new, old):
            return jnp.where(accept, new, old)

        small = (edm <= minimiser.tolerance) | (~resolved & (edm <= 1e-9))
        stuck = ~accept & (damping > 1e20)
        return State(
            keep(trial, state.x),
            keep(value, state.value),
            keep(gradient, state.gradient),
            keep(hessian, state.hessian),
            damping,
            edm,
            state.iteration + 1,
            (small & (accept | ~resolved) & (damping < 1)) | stuck,
        )

    def unfinished(state: State) -> Bool[Array, ""]:
        return ~state.done & (state.iteration < minimiser.max_iterations)

    value, gradient, hessian = evaluate(start)
    broken = ~(jnp.isfinite(value) & jnp.all(jnp.isfinite(gradient)) & jnp.all(jnp.isfinite(hessian)))
    zero = jnp.zeros((), dtype)
    state = State(start, value, gradient, hessian, zero, zero + jnp.inf, jnp.zeros((), jnp.int32), broken)
    state = jax.lax.while_loop(unfinished, step, state)
    return state.x, state.iteration


def next_damping(damping: Array, ratio: Array, accept: Array) -> Array:
    """Lower the damping where the quadratic model predicts well, raise it where it does not."""
    lowered = jnp.where(damping > 1e-6, damping / 10, 0.0)
    kept = jnp.where(ratio > 0.75, lowered, damping)
    raised = jnp.maximum(4 * damping, 1e-3)
    return jnp.where(accept & (ratio > 0.25), kept, jnp.where(accept, raised, jnp.maximum(8 * damping, 1e-2)))


def damped_step(state: State, held: Bool[Array, "parameters"]) -> tuple[Array, Array, Array]:
    """The damped Newton step on the free parameters, the damping that made it possible, and the estimated distance."""
    matrix, scale = free_block(state.hessian, held)
    gradient = jnp.where(held, 0.0, state.gradient) / scale

    def factorise(damping):
        return jnp.linalg.cholesky(matrix + damping * jnp.eye(matrix.shape[0], dtype=matrix.dtype))

    def not_positive(carry):
        damping, factor = carry
        return jnp.any(jnp.isnan(factor)) & (damping < 1e12)

    def raise_damping(carry):
        damping = jnp.maximum(4 * carry[0], 1e-3)
        return damping, factorise(damping)

    first = state.damping
    damping, factor = jax.lax.while_loop(not_positive, raise_damping, (first, factorise(first)))
    solution = jax.scipy.linalg.cho_solve((factor, True), gradient)
    return damping, -solution / scale, 0.5 * gradient @ solution


def free_block(hessian: Float[Array, "parameters parameters"], held: Bool[Array, "parameters"]) -> tuple[Array, Array]:
    """The Hessian scaled to unit diagonal, with identity rows and columns for held parameters, and the scale."""
    diagonal = jnp.abs(jnp.diagonal(hessian))
    scale = jnp.sqrt(jnp.where(held | (diagonal < 1e-12), 1.0, diagonal))
    scaled = hessian / (scale[:, None] * scale)
    matrix = jnp.where(held[:, None] | held, 0.0, scaled)
    return matrix + jnp.diag(jnp.where(held, 1.0, 0.0).astype(hessian.dtype)), scale
