"""A likelihood whose fit fails where the test wants it: what no HistFactory model does on purpose."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters


class Brittle(Likelihood):
    """One Gaussian datum d of width 1 around x; no number for d above `ceiling`, nor for x above `edge`."""

    ceiling: Array
    edge: Array

    @property
    def data(self) -> Array:
        """A datum below the ceiling."""
        return jnp.array(0.5)

    @property
    def poi(self) -> str:
        """The mean."""
        return "x"

    @property
    def parameters(self) -> Parameters:
        """One parameter without a constraint."""
        sets = (ParameterSet("x", 0, 1, True, "none", ()),)
        ten = jnp.array([10.0])
        return Parameters(sets, jnp.zeros(1), -ten, ten, jnp.array([False]), jnp.array([jnp.nan]))

    def logpdf(self, params, data):
        """See the class."""
        lost = (data > self.ceiling) | (params["x"] > self.edge)
        return jnp.where(lost, jnp.nan, -0.5 * (data - params["x"]) ** 2)

    def expected_data(self, params):
        """The mean."""
        return params["x"]

    def draw(self, key, params):
        """A Gaussian number."""
        return params["x"] + jax.random.normal(key)
