r"""Derivatives where they exist, one-sided slopes where they do not: piecewise interpolation has a kink at alpha = 0.

At a kink the negative log likelihood has a slope to the left and one to the right. Where it falls to neither side, the
point is a minimum along that parameter although no gradient vanishes, and the parameter is *pinned*: held like one on
a bound that the gradient pushes against. Where it falls to one side, the slope of that side is the gradient (the
subgradient of smallest norm; Clarke, Optimization and Nonsmooth Analysis, 1983).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.fitting.problem import Minimum, Problem
from histjax.model.curvature import Curvature, Walls
from histjax.model.likelihood import Likelihood

SMALLEST_JUMP = 1e-10
"""A difference of the two slopes below it (per unit of the parameter) is no kink."""


class Evaluation(NamedTuple):
    """The negative log likelihood at a point, with its derivatives, the parameters that a kink pins and the expected
    counts to beware of.
    """

    value: Float[Array, ""]
    gradient: Float[Array, "parameters"]
    curvature: Curvature
    pinned: Bool[Array, "parameters"]
    walls: Walls

    def minimum(self, x: Float[Array, "parameters"], iterations) -> Minimum:
        """The evaluation as the minimum at `x`."""
        return Minimum(x, self.value, self.gradient, self.curvature, self.pinned, iterations)


def evaluated(likelihood: Likelihood, data, x: Float[Array, "parameters"]) -> Evaluation:
    """Evaluate at `x`; where the likelihood has no kinks this is `nll_curvature` and nothing else."""
    value, gradient, curvature, walls = likelihood.nll_curvature(x, data)
    if not likelihood.kinks:
        return Evaluation(value, gradient, curvature, jnp.zeros(x.shape, bool), walls)
    on_kink = kinked(likelihood, x) & (x == 0)
    # the gradient at a kink is the mean of both sides
    right = jax.grad(likelihood.nll)(jnp.where(on_kink, 1e-30, x), data)
    left = 2 * gradient - right
    jumps = on_kink & (jnp.abs(right - left) > SMALLEST_JUMP)
    downhill = jnp.where(right < 0, right, jnp.where(left > 0, left, 0.0))
    pinned = jumps & (left <= 0) & (right >= 0)
    return Evaluation(value, jnp.where(jumps, downhill, gradient), curvature, pinned, walls)


def kinked(likelihood: Likelihood, x: Float[Array, "parameters"]) -> Bool[Array, "parameters"]:
    """Which parameters have a kink at 0."""
    return jnp.zeros(x.shape, bool).at[jnp.array(likelihood.kinks, jnp.int32)].set(True)


def one_side(likelihood: Likelihood, problem: Problem, x: Array, gradient: Array) -> Problem:
    """The problem with bounds that keep a step from crossing a kink: it stops there and looks again."""
    if not likelihood.kinks:
        return problem
    mask = kinked(likelihood, x)
    stays_right = mask & ((x > 0) | ((x == 0) & (gradient < 0)))
    stays_left = mask & ((x < 0) | ((x == 0) & (gradient > 0)))
    lower = jnp.where(stays_right, jnp.maximum(problem.lower, 0.0), problem.lower)
    upper = jnp.where(stays_left, jnp.minimum(problem.upper, 0.0), problem.upper)
    return problem._replace(lower=lower, upper=upper)
