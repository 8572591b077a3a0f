"""Derivatives through a minimum, by the implicit function theorem.

At the minimum the gradient on the free parameters vanishes, g(x, theta) = 0, hence dx = -H^-1 dg on the free,
inactive block; fixed parameters move with their given value, active ones with their bound. The iterations are not
differentiated.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.fitting.arrow import NO_EFFECT, factorised, scaled
from histjax.fitting.problem import Minimiser, Minimum, Problem, active
from histjax.model.curvature import Curvature, diagonal_of, product
from histjax.model.likelihood import Likelihood


@eqx.filter_custom_jvp
def minimum(likelihood: Likelihood, data, problem: Problem, minimiser: Minimiser) -> Minimum:
    """`minimiser.minimise`, differentiable any number of times with respect to likelihood, data, fixed values and
    bounds.

    Point and value carry derivatives; `gradient` and `curvature` are numbers until `with_curvature` makes them
    functions too, which costs the program of a third derivative.
    """
    return minimiser.minimise(likelihood, data, problem)


@minimum.def_jvp
def _minimum_jvp(primals, tangents):
    likelihood, data, problem, minimiser = primals
    likelihood_dot, data_dot, problem_dot, _ = tangents
    # the Hessian below must be a function, or a second derivative would silently miss a term
    found = with_curvature(likelihood, data, minimum(likelihood, data, problem, minimiser))
    x_dot, value_dot = displacement(likelihood, data, problem, found, (likelihood_dot, data_dot, problem_dot))
    return found, Minimum(x_dot, value_dot, None, Curvature(None, None, None), None, None)


def displacement(likelihood: Likelihood, data, problem: Problem, found: Minimum, tangents) -> tuple[Array, Array]:
    """How point and value of a minimum move with `tangents` of likelihood, data and problem: plain arithmetic, whose
    own derivatives are right where `found` is a function of its arguments.
    """
    likelihood_dot, data_dot, problem_dot = tangents

    def evaluate(likelihood, data):
        return jax.value_and_grad(likelihood.nll)(found.x, data)

    _, (value_dot, slope_dot) = eqx.filter_jvp(evaluate, (likelihood, data), (likelihood_dot, data_dot))
    slope_dot = jnp.zeros_like(found.x) if slope_dot is None else slope_dot
    x_dot = followed(likelihood, problem, found, _held_tangent(problem, problem_dot, found.x), slope_dot)
    # the gradient vanishes on the free parameters but not on fixed and active ones: x moves the value as well
    return x_dot, found.gradient @ x_dot + (0.0 if value_dot is None else value_dot)


def followed(
    likelihood: Likelihood, problem: Problem, found: Minimum, held_dot: Array, slope_dot: Array
) -> Float[Array, "parameters"]:
    """How the point moves when held parameters move by `held_dot` and the gradient changes by `slope_dot`."""
    structure, curvature, held = likelihood.structure, found.curvature, active(problem, found)
    held_dot = jnp.where(held, held_dot, 0.0)
    # a parameter without any effect has no place to move to
    held = held | (jnp.abs(diagonal_of(structure, curvature)) < NO_EFFECT)
    system = scaled(structure, curvature, held)
    right = jnp.where(held, 0.0, slope_dot + product(structure, curvature, held_dot)) / system.scale
    return held_dot - jnp.where(held, 0.0, factorised(system, 0.0).solve(right) / system.scale)


@eqx.filter_custom_jvp
def with_curvature(likelihood: Likelihood, data, found: Minimum) -> Minimum:
    """The same minimum, with gradient and Hessian that carry derivatives."""
    del likelihood, data
    return found


@with_curvature.def_jvp
def _with_curvature_jvp(primals, tangents):
    likelihood, data, found = primals
    likelihood_dot, data_dot, found_dot = tangents

    def evaluate(likelihood, data, x):
        _, gradient, curvature, _ = likelihood.nll_curvature(x, data)
        return gradient, curvature

    arguments = (likelihood, data, found.x), (likelihood_dot, data_dot, found_dot.x)
    _, (gradient_dot, curvature_dot) = eqx.filter_jvp(evaluate, *arguments)
    again = with_curvature(likelihood, data, found)
    return again, found_dot._replace(gradient=gradient_dot, curvature=curvature_dot)


def _held_tangent(problem: Problem, problem_dot: Problem, x: Array) -> Array:
    """How a held parameter moves: with its fixed value, or with the bound it lies on; not at all on a kink."""

    def tangent(value):
        return jnp.zeros_like(x) if value is None else value

    at_upper = jnp.where(x >= problem.upper, tangent(problem_dot.upper), 0.0)
    on_bound = jnp.where(x <= problem.lower, tangent(problem_dot.lower), at_upper)
    return jnp.where(problem.fixed, tangent(problem_dot.start), on_bound)
