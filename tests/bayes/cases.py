"""Posteriors whose every moment is known."""

import jax.numpy as jnp
import numpy as np
from scipy import stats

import histjax
from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters
from tests.cli.running import workspace

SIGNAL, OBSERVED = 10.0, 7
"""Expected count of a signal of strength 1, and observed count, of `counting`."""

ON, OFF, TAU = 9, 12, 3.0
"""Counts in the region of interest and in a control region TAU times as large, of `on_off`."""


def counting(background: float = 0.0) -> "histjax.Model":
    """One count over a known background: with a flat prior and none the posterior of mu is Gamma(n + 1, SIGNAL)."""
    modifiers = [{"name": "mu", "type": "normfactor", "data": None}]
    samples = [{"name": "signal", "data": [SIGNAL], "modifiers": modifiers}]
    samples += [{"name": "background", "data": [background], "modifiers": []}] if background else []
    return histjax.compile(histjax.read(workspace(samples, [float(OBSERVED)])))


def on_off() -> "histjax.Model":
    """A signal of unit yield over a background of OFF / TAU, whose shapesys term has OFF counts: the on/off problem."""
    background = OFF / TAU
    samples = [
        {"name": "signal", "data": [1.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {
            "name": "background",
            "data": [background],
            "modifiers": [{"name": "gamma", "type": "shapesys", "data": [background / np.sqrt(OFF)]}],
        },
    ]
    return histjax.compile(histjax.read(workspace(samples, [float(ON)])))


class OnOff:
    """The posterior of the signal s of `on_off` with flat priors: a mixture of Gamma(k + 1, 1), k = 0 ... ON, in which
    k is how many of the counts are signal; the others are negative binomial, Gamma(OFF + 1, TAU) being the posterior of
    the background (Loredo 1992, "The promise of Bayesian inference for astrophysics", section 5.4).
    """

    counts = np.arange(ON + 1)
    weights = stats.nbinom.pmf(ON - counts, OFF + 1, TAU / (1 + TAU))
    weights = weights / weights.sum()
    mean = float(weights @ (counts + 1))
    deviation = float(np.sqrt(weights @ ((counts + 1) * (counts + 2)) - mean**2))

    @classmethod
    def cdf(cls, s):
        """Cumulative distribution."""
        return stats.gamma.cdf(np.asarray(s)[..., None], cls.counts + 1) @ cls.weights


class Nothing(Likelihood):
    """A likelihood that says nothing, of as many parameters as there are names: the posterior is the prior."""

    parameter_names: tuple[str, ...]

    @property
    def data(self):
        """Nothing."""
        return jnp.zeros(0)

    @property
    def poi(self):
        """None."""
        return None

    @property
    def parameters(self) -> Parameters:
        """Free parameters between -1 and 1; priors bring their own support."""
        sets = tuple(ParameterSet(name, i, 1, True, "none", ()) for i, name in enumerate(self.parameter_names))
        n = len(sets)
        return Parameters(sets, jnp.zeros(n), -jnp.ones(n), jnp.ones(n), jnp.zeros(n, bool), jnp.full(n, jnp.nan))

    def logpdf(self, params, data):
        """Always 0."""
        del data
        return 0.0 * sum(params.values())

    def expected_data(self, params):
        """There is none."""
        raise NotImplementedError

    def draw(self, key, params):
        """There is none."""
        raise NotImplementedError
