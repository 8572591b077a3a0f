r"""Bounded Newton minimisation by conjugate gradients, for likelihoods whose Hessian is too large to build at every
step.

The damped Newton equation is solved with Hessian-vector products, each for the price of a few gradients, to a
tolerance that tightens as the gradient vanishes (Nocedal and Wright, Numerical Optimization, algorithm 7.1). The exact
Hessian is built and factorised twice: at the start, where it becomes the preconditioner of every later step, and at
the end, so that the certificate is the same as `Newton`'s. Bounds are an active set, as there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from histjax.fitting.arrow import Factor, System, factorised, scaled
from histjax.fitting.kinks import evaluated
from histjax.fitting.problem import Minimiser, Minimum, Problem
from histjax.model.likelihood import Likelihood


class NewtonCG(Minimiser):
    """Newton's method with conjugate gradients; `Newton` hands over to it where a dense Hessian costs too much.

    A minimum on a kink of a piecewise interpolation is approached, not recognised.

    **Fields:**

    - `tolerance`: stop where the decrease that the quadratic model still promises (in units of -ln L) is below it.
    - `max_iterations`: Newton steps taken or tried.
    - `max_products`: Hessian-vector products for one step.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.fit(model, minimiser=histjax.NewtonCG(), fixed={"mu": 1.0})
    >>> print(f"{result.twice_nll:.6f}", bool(result.converged))
    28.922180 True
    """

    tolerance: float = 1e-12
    max_iterations: int = 200
    max_products: int = 400

    def minimise(self, likelihood: Likelihood, data, problem: Problem) -> Minimum:
        """Descend from the given start."""
        start = jnp.where(problem.fixed, problem.start, jnp.clip(problem.start, problem.lower, problem.upper))
        first = evaluated(likelihood, data, start)
        system = scaled(likelihood.structure, first.curvature, problem.fixed)
        model, zero = Preconditioner(system.scale, _positive_factor(system)), jnp.zeros((), start.dtype)
        unknown = zero, zero + jnp.inf, jnp.zeros((), jnp.int32), ~jnp.isfinite(first.value)
        state = Walk(start, first.value, first.gradient, *unknown)

        def unfinished(walk: Walk) -> Bool[Array, ""]:
            return ~walk.done & (walk.iteration < self.max_iterations)

        end = jax.lax.while_loop(unfinished, lambda walk: _step(likelihood, data, problem, model, self, walk), state)
        return evaluated(likelihood, data, end.x).minimum(end.x, end.iteration)


class Walk(NamedTuple):
    """Where the minimiser stands; `promised` is the decrease that the last step's quadratic model predicted."""

    x: Float[Array, "parameters"]
    value: Float[Array, ""]
    gradient: Float[Array, "parameters"]
    damping: Float[Array, ""]
    promised: Float[Array, ""]
    iteration: Int[Array, ""]
    done: Bool[Array, ""]


class Preconditioner(NamedTuple):
    """The scale of the variables, and the factorised Hessian at the start in these units."""

    scale: Float[Array, "parameters"]
    factor: Factor


def _positive_factor(system: System) -> Factor:
    """The factorised matrix with the smallest ridge, of those that are tried, that makes it positive definite."""

    def raised(attempt):
        ridge = jnp.maximum(4 * attempt[0], 1e-3)
        return ridge, factorised(system, ridge)

    zero = jnp.zeros((), system.scale.dtype)
    attempt = zero, factorised(system, zero)
    return jax.lax.while_loop(lambda each: ~each[1].exists & (each[0] < 1e12), raised, attempt)[1]


def _step(
    likelihood: Likelihood, data, problem: Problem, model: Preconditioner, minimiser: NewtonCG, walk: Walk
) -> Walk:
    """Try one damped, projected step; keep it where the value went down."""
    gradient, along = jax.linearize(lambda x: jax.grad(likelihood.nll)(x, data), walk.x)
    at_lower = (walk.x <= problem.lower) & (gradient >= 0)
    held = problem.fixed | at_lower | ((walk.x >= problem.upper) & (gradient <= 0))
    free = jnp.where(held, 0.0, 1 / model.scale)

    def times(z):
        return free * along(free * z) + walk.damping * z

    def nearly_inverse(z):
        return jnp.where(held, 0.0, model.factor.solve(z))

    solution = _conjugate_gradients(times, nearly_inverse, -free * gradient, minimiser.max_products)
    trial = jnp.where(held, walk.x, jnp.clip(walk.x + free * solution.z, problem.lower, problem.upper))
    move = trial - walk.x
    promised = -(gradient @ move + 0.5 * move @ along(move))
    value, slope = jax.value_and_grad(likelihood.nll)(trial, data)
    noise = 64 * jnp.finfo(value.dtype).eps * (1 + jnp.abs(walk.value))
    decrease, resolved = walk.value - value, jnp.abs(promised) > noise
    good = jnp.isfinite(value) & jnp.all(jnp.isfinite(slope)) & ~solution.indefinite
    accept = good & jnp.where(resolved, decrease > 1e-4 * promised, decrease >= -noise) & (promised > -noise)
    damping = jnp.where(accept, jnp.where(walk.damping > 1e-6, walk.damping / 10, 0.0), 8 * walk.damping + 1e-2)
    small = (jnp.abs(promised) <= minimiser.tolerance) | (~resolved & (jnp.abs(promised) <= 1e-9))
    done = (small & (accept | ~resolved) & (walk.damping < 1)) | (~accept & (damping > 1e20)) | jnp.all(problem.fixed)
    kept = jax.tree.map(
        lambda new, old: jnp.where(accept, new, old), (trial, value, slope), (walk.x, walk.value, walk.gradient)
    )
    return Walk(*kept, damping, promised, walk.iteration + 1, done)


class Solution(NamedTuple):
    """A linear system being solved: `z`, residual, direction, squared length of the residual in the metric of the
    preconditioner (twice an EDM); `indefinite` where a direction of negative curvature was met.
    """

    z: Float[Array, "parameters"]
    residual: Float[Array, "parameters"]
    direction: Float[Array, "parameters"]
    square: Float[Array, ""]
    products: Int[Array, ""]
    indefinite: Bool[Array, ""]


def _conjugate_gradients(times, nearly_inverse, right: Float[Array, "parameters"], max_products: int) -> Solution:
    """Solve `times(z) = right` to a relative residual that shrinks with the right-hand side."""
    first = nearly_inverse(right)
    square = right @ first
    wanted = square * jnp.minimum(0.01, square)  # |r| <= min(0.1, |g|) |g|: quadratic convergence

    def unfinished(s: Solution) -> Bool[Array, ""]:
        return (s.square > wanted) & (s.products < max_products) & ~s.indefinite

    def again(s: Solution) -> Solution:
        image = times(s.direction)
        curvature = s.direction @ image
        indefinite = ~(curvature > 0)
        length = jnp.where(indefinite, 0.0, s.square / jnp.where(indefinite, 1.0, curvature))
        residual = s.residual - length * image
        steepest = nearly_inverse(residual)
        square = residual @ steepest
        direction = steepest + square / jnp.where(s.square > 0, s.square, 1.0) * s.direction
        return Solution(s.z + length * s.direction, residual, direction, square, s.products + 1, indefinite)

    zero = jnp.zeros_like(right)
    start = Solution(zero, right, first, square, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    return jax.lax.while_loop(unfinished, again, start)
