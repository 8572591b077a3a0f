"""Likelihoods whose profile is known in closed form: correlated Gaussian estimates, and a single counting bin."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.optimize import brentq

import histjax
from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters
from tests.workspaces import mu, sample, workspace


class Estimates(Likelihood):
    """Correlated Gaussian estimates `data` of `a` and of `b[0]`, `b[1]`: 2 NLL = (x - data)^T C^-1 (x - data)."""

    data: Array
    inverse: Array

    @property
    def poi(self) -> str:
        """The first parameter."""
        return "a"

    @property
    def parameters(self) -> Parameters:
        """Without bounds."""
        sets = ParameterSet("a", 0, 1, True, "none", ()), ParameterSet("b", 1, 2, False, "none", ())
        infinite = jnp.full(3, jnp.inf)
        return Parameters(sets, jnp.zeros(3), -infinite, infinite, jnp.zeros(3, bool), jnp.full(3, jnp.nan))

    def logpdf(self, params, data):
        """See the class."""
        pull = jnp.concatenate([params["a"][None], params["b"]]) - data
        return -0.5 * pull @ self.inverse @ pull

    def expected_data(self, params):
        """The parameters."""
        return jnp.concatenate([params["a"][None], params["b"]])

    def draw(self, key, params):
        """There is none."""
        raise NotImplementedError


COVARIANCE = np.array([[4.0, 0.3, -0.5], [0.3, 0.09, 0.05], [-0.5, 0.05, 0.25]])
CENTRE = np.array([1.5, 0.2, -3.0])


def estimates() -> Estimates:
    """Around `CENTRE` with `COVARIANCE`."""
    return Estimates(jnp.array(CENTRE), jnp.array(np.linalg.inv(COVARIANCE)))


def single_bin(s: float, b: float, n: float) -> histjax.Model:
    """One bin that expects mu s + b, b known, and observes n."""
    samples = [sample("signal", [s], mu()), sample("background", [b])]
    return histjax.compile(histjax.read(workspace({"SR": samples}, {"SR": [n]})))


def single_bin_end(s: float, b: float, n: float, z: float, sign: int) -> float:
    """Where 2 (nu - n + n ln(n / nu)) = z^2, beyond or below nu = n, as a value of mu."""

    def excess(nu):
        return 2 * (nu - n + (n * np.log(n / nu) if n else 0.0)) - z**2

    far = n + (z + 10) ** 2 + 10 * z * np.sqrt(n) if sign > 0 else 1e-300
    return (brentq(excess, n, far, xtol=1e-13, rtol=1e-15) - b) / s
