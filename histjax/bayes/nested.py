"""`sample_nested`: the nested sampler of dynesty, for ln Z and for posteriors with several peaks."""

import equinox as eqx
import jax
import numpy as np

from histjax.bayes.archive import SampleStore
from histjax.bayes.extras import package
from histjax.bayes.posterior import Posterior
from histjax.bayes.samples import Samples
from histjax.bayes.sampling import Keeping, as_samples, check_count, described, generator_of, with_densities
from histjax.bayes.starting import Start, best_fit
from histjax.errors import InvalidModel

CHUNK = 5000
"""Calls of the likelihood that are kept at a time."""
IMPOSSIBLE = -1e300
"""ln L where the likelihood is not finite."""


def sample_nested(
    posterior: Posterior,
    *,
    key,
    n_live: int = 500,
    precision: float = 0.01,
    method: str = "auto",
    bound: str = "multi",
    store=None,
    progress=None,
) -> Samples:
    """Nested sampling (Skilling 2006) with dynesty (arXiv:1904.02180): draws and the evidence Z, the integral of the
    likelihood over the prior.

    The likelihood of the evidence is that of the main measurement, the prior that of `Posterior`: constraint terms are
    normalised priors.

    With a `store` every value of the likelihood is kept. A run that was interrupted starts again with the same random
    numbers and takes the values from there: it is the uninterrupted one bit for bit, at the sampler's own cost.

    **Arguments:**

    - `n_live`: live points; the uncertainty of ln Z falls with their root.
    - `precision`: the run ends when the live points can raise ln Z by less than this.
    - `method`, `bound`: dynesty's names of how a point is replaced (`"unif"`, `"rwalk"`, `"rslice"`, ...) and of what
      bounds the live points (`"multi"`, `"single"`, ...).
    - `key`, `store`: as for `sample_nuts`; `progress`: called with the calls of the likelihood, and 0.

    **Returns:** `Samples` of one chain with equal weights and `log_evidence`; `statistics["n_effective"]` is Kish's
    effective number of draws.

    **Raises:** `InvalidModel` where the prior is improper, naming the parameters; `InvalidStore`; `MissingExtra` where
    dynesty is not installed.
    """
    dynesty = package("dynesty")
    check_count("n_live", n_live, 2 * len(posterior.free) + 1)
    check_proper(posterior)
    settings = {"n_live": n_live, "precision": precision, "method": method, "bound": bound}
    about = described(posterior, "nested", key, **settings)
    keeping = Keeping(store, progress)
    kept = keeping.opened(about)
    if kept is not None and kept.finished() is not None:
        return Samples.load(kept.path)
    start = Start(best_fit(posterior), None)
    calls = Calls(posterior, kept, keeping)
    rng = generator_of(key)
    free, transform = list(posterior.free), posterior.unit_cube_transform()
    settings = {"nlive": n_live, "bound": bound, "sample": method, "rstate": rng}
    sampler = dynesty.NestedSampler(calls, lambda cube: transform(cube)[free], len(free), **settings)
    sampler.run_nested(dlogz=precision, print_progress=False)
    found = sampler.results
    vectors = np.tile(np.asarray(posterior.point), (len(found.samples), 1))
    vectors[:, free] = found.samples
    evidence = float(found.logz[-1]), float(found.logzerr[-1])
    samples = as_equal_weights(posterior, "nested", start, vectors, found.logwt, rng, about, *evidence)
    if kept is not None:
        samples.save(kept.path)
        kept.clear()
    return samples


class Calls:
    """The likelihood as dynesty calls it; values that are kept are not computed again."""

    def __init__(self, posterior: Posterior, store: SampleStore | None, keeping: Keeping):
        self.likelihood, self.store, self.keeping = _compiled(posterior), store, keeping
        known = [] if store is None else store.chunks()
        self.known = np.concatenate([np.zeros((0, 2)), *(chunk["calls"] for chunk in known)])
        self.n_chunks, self.n_calls, self.new = len(known), 0, []

    def __call__(self, values: np.ndarray) -> float:
        """ln L at values of the free components."""
        mark, number = float(np.sum(values)), self.n_calls
        self.n_calls += 1
        if number < len(self.known):
            if self.known[number, 0] == mark:
                return float(self.known[number, 1])
            self.known, self.n_chunks = self.known[:number], number // CHUNK  # other versions draw other numbers
            self.new = list(map(tuple, self.known[self.n_chunks * CHUNK :]))
        value = float(self.likelihood(values))
        self._keep(mark, value if np.isfinite(value) else IMPOSSIBLE)
        return value if np.isfinite(value) else IMPOSSIBLE

    def _keep(self, mark: float, value: float) -> None:
        if self.n_calls % CHUNK == 0 and self.keeping.progress is not None:
            self.keeping.progress(self.n_calls, 0)
        if self.store is None:
            return
        self.new.append((mark, value))
        if len(self.new) == CHUNK:
            self.store.save(self.n_chunks, {"calls": np.array(self.new)})
            self.n_chunks, self.new = self.n_chunks + 1, []


def _compiled(posterior: Posterior):
    """ln L of the free components as a function that is quick to call: one compiled program, its arrays at hand."""
    arrays, static = eqx.partition(posterior, eqx.is_array)

    @jax.jit
    def program(arrays, values):
        posterior = eqx.combine(arrays, static)
        return posterior.log_likelihood(posterior.point.at[np.array(posterior.free)].set(values))

    return lambda values: program(arrays, values)


def check_proper(posterior: Posterior) -> None:
    """Raise `InvalidModel` where there is no evidence."""
    if posterior.improper:
        raise InvalidModel(
            f"the prior of {', '.join(posterior.improper[:8])} is improper, so that there is no evidence: give "
            "finite bounds (bounds=...) or a prior (priors=...)"
        )


def as_equal_weights(
    posterior: Posterior,
    sampler: str,
    start: Start,
    vectors: np.ndarray,
    log_weights: np.ndarray,
    rng,
    about,
    *evidence,
) -> Samples:
    """Draws of equal weight from points `(points, parameters)` with weights, and ln Z with its uncertainty."""
    weights = np.exp(log_weights - np.max(log_weights))
    weights /= np.sum(weights)
    chosen = rng.permutation(_equal_weight(weights, rng))
    draws = with_densities(posterior, vectors[None, chosen])
    more = dict(zip(("log_evidence", "log_evidence_uncertainty"), evidence, strict=True))
    samples = as_samples(posterior, sampler, start, draws, about=about, **more)
    samples.statistics["n_effective"] = np.full((1, chosen.size), 1 / np.sum(weights**2))
    return samples


def _equal_weight(weights: np.ndarray, rng) -> np.ndarray:
    """Indices of as many draws of equal weight as there are weights (systematic resampling)."""
    places = (rng.random() + np.arange(weights.size)) / weights.size
    return np.minimum(np.searchsorted(np.cumsum(weights), places), weights.size - 1)
