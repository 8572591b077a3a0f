"""What a minimiser is given, what it gives back, and which parameters may move."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int

from histjax.model.curvature import Curvature
from histjax.model.likelihood import Likelihood


class Problem(NamedTuple):
    """Where to look for the minimum: all traced. Vectors are flat, `(parameters,)`; `spread` is the size of a
    displacement.
    """

    start: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]
    fixed: Bool[Array, "parameters"]
    spread: Float[Array, "parameters"]
    trusted: Bool[Array, ""]


class Minimum(NamedTuple):
    """The lowest point found, what the likelihood is there, which parameters a kink pins there, and how many
    iterations it took.
    """

    x: Float[Array, "parameters"]
    value: Float[Array, ""]
    gradient: Float[Array, "parameters"]
    curvature: Curvature
    pinned: Bool[Array, "parameters"]
    iterations: Int[Array, ""]


class Minimiser(eqx.Module):
    """A way to minimise `likelihood.nll`; never raises inside a trace, since the certificate judges what it returns."""

    max_iterations: eqx.AbstractVar[int]

    @abstractmethod
    def minimise(self, likelihood: Likelihood, data, problem: Problem) -> Minimum:
        """The lowest point found for flat `data`."""


def active(problem: Problem, at) -> Bool[Array, "parameters"]:
    """Which parameters may not move at a point with `x`, `gradient` and `pinned`: fixed ones, those on a bound with
    the gradient pushing outwards, and those that a kink pins.
    """
    at_lower = (at.x <= problem.lower) & (at.gradient >= 0)
    at_upper = (at.x >= problem.upper) & (at.gradient <= 0)
    return problem.fixed | at_lower | at_upper | at.pinned
