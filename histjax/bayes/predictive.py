"""What draws of the parameters predict: expected counts, and counts that would be observed."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from histjax.bayes.samples import Samples
from histjax.bayes.sampling import key_words
from histjax.errors import InvalidModel
from histjax.model.density import draw_poisson
from histjax.model.histfactory import Model


@dataclass(frozen=True)
class Predictive:
    """Predictions for every bin, one for each draw.

    **Fields:** `expected`, `counts` `{channel: (draws, bins)}`: expected counts, and counts thrown around them;
    `observed` `{channel: (bins,)}`.
    """

    expected: dict[str, Float[np.ndarray, "draws bins"]]
    counts: dict[str, Float[np.ndarray, "draws bins"]]
    observed: dict[str, Float[np.ndarray, "bins"]]

    @property
    def mean(self) -> dict[str, Float[np.ndarray, "bins"]]:
        """Mean of the expected counts."""
        return {name: np.mean(each, axis=0) for name, each in self.expected.items()}

    @property
    def uncertainty(self) -> dict[str, Float[np.ndarray, "bins"]]:
        """Standard deviation of the expected counts."""
        return {name: np.std(each, axis=0) for name, each in self.expected.items()}

    def interval(self, probability: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Central intervals `{channel: (lower, upper)}` of the counts that would be observed."""
        ends = 0.5 - probability / 2, 0.5 + probability / 2
        return {name: tuple(np.quantile(each, ends, axis=0)) for name, each in self.counts.items()}

    @property
    def p_values(self) -> dict[str, Float[np.ndarray, "bins"]]:
        """Probability of at least the observed count in each bin, half of it counted where it is equal."""

        def one(counts, observed):
            return np.mean(counts > observed, axis=0) + 0.5 * np.mean(counts == observed, axis=0)

        return {name: one(each, self.observed[name]) for name, each in self.counts.items()}


def predictive_yields(model: Model, samples: Samples, data=None, *, key, n_draws: int | None = None) -> Predictive:
    """Posterior (or bootstrap) predictive counts of every bin.

    **Arguments:** `samples`: draws of the parameters of `model`; `data`: what was observed, by default the model's;
    `key`: a JAX random key for the counts; `n_draws`: at most so many draws of each chain, evenly spaced.

    **Raises:** `InvalidModel` where the draws are of other parameters.
    """
    key_words(key)
    if samples.names != model.parameters.component_names:
        raise InvalidModel("these draws are of another model: its parameters have other names")
    chosen = samples if n_draws is None else samples.thinned(n_draws)
    expected, counts = _predicted(model, jnp.asarray(chosen.flat), key)
    observed = model.unravel_data(model.ravel_data(model.data if data is None else data)).main
    cut = {each.name: slice(each.start, each.stop) for each in model.layout.channels}
    by_channel = [{name: np.asarray(each)[:, place] for name, place in cut.items()} for each in (expected, counts)]
    return Predictive(*by_channel, {name: np.asarray(each) for name, each in observed.items()})


@eqx.filter_jit
def _predicted(model: Model, vectors, key):
    n_bins = model.layout.n_bins
    expected = jax.lax.map(lambda vector: model.expected_flat(vector)[:n_bins], vectors)
    return expected, draw_poisson(key, expected)
