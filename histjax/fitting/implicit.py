"""Derivatives through a minimum, by the implicit function theorem.

At the minimum the gradient on the free parameters vanishes, g(x, theta) = 0, hence dx = -H^-1 dg on the free, inactive block;
fixed parameters move with their given value, active ones with their bound. The iterations are not differentiated.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.fitting.newton import Minimum, Newton, Problem, active, free_block, minimise
from histjax.model.likelihood import Likelihood


@eqx.filter_custom_jvp
def minimum(likelihood: Likelihood, data, problem: Problem, minimiser: Newton) -> Minimum:
    """`minimise`, differentiable any number of times with respect to likelihood, data, fixed values and bounds."""
    return minimise(likelihood, data, problem, minimiser)


@minimum.def_jvp
def _minimum_jvp(primals, tangents):
    likelihood, data, problem, minimiser = primals
    likelihood_dot, data_dot, problem_dot, _ = tangents
    found = minimum(likelihood, data, problem, minimiser)
    held = active(problem, found.x, found.gradient)

    def slope(likelihood, data):
        return jax.grad(likelihood.nll)(found.x, data)

    _, gradient_dot = eqx.filter_jvp(slope, (likelihood, data), (likelihood_dot, data_dot))
    gradient_dot = jnp.zeros_like(found.x) if gradient_dot is None else gradient_dot
    held_dot = jnp.where(held, _held_tangent(problem, problem_dot, found.x), 0.0)
    matrix, scale = free_block(found.hessian, held)
    right = jnp.where(held, 0.0, gradient_dot + found.hessian @ held_dot) / scale
    x_dot = held_dot - jnp.where(held, 0.0, jax.scipy.linalg.solve(matrix, right, assume_a="pos") / scale)

    def evaluate(likelihood, data, x):
        return likelihood.nll_derivatives(x, data)

    _, dots = eqx.filter_jvp(evaluate, (likelihood, data, found.x), (likelihood_dot, data_dot, x_dot))
    return found, Minimum(x_dot, *dots, None)


def _held_tangent(problem: Problem, problem_dot: Problem, x: Array) -> Array:
    """How a held parameter moves: with its fixed value, or with the bound it lies on."""

    def tangent(value):
        return jnp.zeros_like(x) if value is None else value

    on_bound = jnp.where(x <= problem.lower, tangent(problem_dot.lower), tangent(problem_dot.upper))
    return jnp.where(problem.fixed, tangent(problem_dot.start), on_bound)
