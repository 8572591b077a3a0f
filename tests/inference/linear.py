"""A linear Gaussian likelihood: everything about it is linear algebra, done here with NumPy."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters

DESIGN = np.array([[1.0, 0.5, 0.2], [2.0, -0.3, 0.4], [0.5, 1.0, 0.0], [1.5, 0.2, -0.6]])
"""Response of four measurements of unit uncertainty to (mu, alpha, beta)."""

DATA = np.array([1.2, 0.7, -0.4, 2.0])
INFORMATION = DESIGN.T @ DESIGN + np.diag([0.0, 1.0, 1.0])
COVARIANCE = np.linalg.inv(INFORMATION)
BEST = COVARIANCE @ DESIGN.T @ DATA


class Linear(Likelihood):
    """-2 ln L = |data - DESIGN x|^2 + alpha^2 + beta^2."""

    observed: Array

    @property
    def data(self) -> Array:
        """The measurements."""
        return self.observed

    @property
    def poi(self) -> str:
        """The first parameter."""
        return "mu"

    @property
    def parameters(self) -> Parameters:
        """mu is free, alpha and beta have unit Gaussian constraints."""
        sets = (
            ParameterSet("mu", 0, 1, True, "none", ()),
            ParameterSet("alpha", 1, 1, True, "normal", ()),
            ParameterSet("beta", 2, 1, True, "normal", ()),
        )
        zero, ten = jnp.zeros(3), jnp.full(3, 10.0)
        return Parameters(sets, zero, -ten, ten, jnp.zeros(3, bool), jnp.array([jnp.nan, 1.0, 1.0]))

    def logpdf(self, params, data):
        """See the class."""
        x = jnp.stack([params["mu"], params["alpha"], params["beta"]])
        return -0.5 * (jnp.sum((data - DESIGN @ x) ** 2) + x[1] ** 2 + x[2] ** 2)

    def expected_data(self, params):
        """There is none."""
        raise NotImplementedError

    def draw(self, key, params):
        """There is none."""
        raise NotImplementedError


LINEAR = Linear(jnp.array(DATA))


def held(*places: int) -> np.ndarray:
    """Covariance with some components held; their rows and columns are 0."""
    free = [i for i in range(3) if i not in places]
    covariance = np.zeros((3, 3))
    covariance[np.ix_(free, free)] = np.linalg.inv(INFORMATION[np.ix_(free, free)])
    return covariance
