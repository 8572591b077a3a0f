"""Derivatives through a minimum, by the implicit function theorem.

At the minimum the gradient on the free parameters vanishes, g(x, theta) = 0, hence dx = -H^-1 dg on the free, inactive block;
fixed parameters move with their given value, active ones with their bound. The iterations are not differentiated.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from histjax.fitting.newton import Newton, Problem, active, free_block, minimise
from histjax.model.likelihood import Likelihood


@eqx.filter_custom_jvp
def minimum(likelihood: Likelihood, data, problem: Problem, minimiser: Newton) -> tuple[Float[Array, "parameters"], Int[Array, ""]]:
    """`minimise`, differentiable any number of times with respect to likelihood, data, fixed values and bounds."""
    return minimise(likelihood, data, problem, minimiser)


@minimum.def_jvp
def _minimum_jvp(primals, tangents):
    likelihood, data, problem, minimiser = primals
    likelihood_dot, data_dot, problem_dot, _ = tangents
    x, iterations = minimum(likelihood, data, problem, minimiser)
    _, gradient, hessian = likelihood.nll_derivatives(x, data)
    held = active(problem, x, gradient)

    def slope(likelihood, data):
        return jax.grad(likelihood.nll)(x, data)

    _, gradient_dot = eqx.filter_jvp(slope, (likelihood, data), (likelihood_dot, data_dot))
    gradient_dot = jnp.zeros_like(x) if gradient_dot is None else gradient_dot
    held_dot = jnp.where(held, _held_tangent(problem, problem_dot, x), 0.0)
    matrix, scale = free_block(hessian, held)
    right = jnp.where(held, 0.0, gradient_dot + hessian @ held_dot) / scale
    solution = jax.scipy.linalg.solve(matrix, right, assume_a="pos") / scale
    return (x, iterations), (held_dot - jnp.where(held, 0.0, solution), None)


def _held_tangent(problem: Problem, problem_dot: Problem, x: Array) -> Array:
    """How a held parameter moves: with its fixed value, or with the bound it lies on."""

    def tangent(value):
        return jnp.zeros_like(x) if value is None else value

    on_bound = jnp.where(x <= problem.lower, tangent(problem_dot.lower), tangent(problem_dot.upper))
    return jnp.where(problem.fixed, tangent(problem_dot.start), on_bound)
