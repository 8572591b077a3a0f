"""Likelihoods without structure, written by hand: what a user would bring."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters


class DoubleWell(Likelihood):
    """-ln L = (x^2 - 1)^2 + tilt x: wells near -1 and 1, a summit between them; the tilt is the datum."""

    tilt: Array
    start: Array

    @property
    def data(self) -> Array:
        """The tilt."""
        return self.tilt

    @property
    def poi(self) -> None:
        """None."""
        return None

    @property
    def parameters(self) -> Parameters:
        """One parameter without a constraint, between -10 and 10."""
        sets = (ParameterSet("x", 0, 1, True, "none", ()),)
        ten = jnp.array([10.0])
        return Parameters(sets, self.start[None], -ten, ten, jnp.array([False]), jnp.array([jnp.nan]))

    def logpdf(self, params, data):
        """See the class."""
        return -((params["x"] ** 2 - 1) ** 2) - data * params["x"]

    def expected_data(self, params):
        """There is none."""
        raise NotImplementedError

    def draw(self, key, params):
        """There is none."""
        raise NotImplementedError


def double_well(tilt: float, start: float = 1.0) -> DoubleWell:
    """The likelihood with a tilt and a starting point."""
    return DoubleWell(jnp.array(tilt), jnp.array(start))


def wells(tilt: float) -> list[tuple[float, float]]:
    """`(x, -2 ln L)` of both minima, the lowest first: the outer roots of the slope 4 x^3 - 4 x + tilt."""
    roots = sorted(np.roots([4.0, 0.0, -4.0, tilt]).real)
    return sorted(((x, 2 * ((x**2 - 1) ** 2 + tilt * x)) for x in (roots[0], roots[2])), key=lambda each: each[1])
