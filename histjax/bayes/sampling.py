"""What samplers share: draws in chunks that are kept as they come, and their way into `Samples`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import is_traced
from histjax.bayes.archive import SampleStore
from histjax.bayes.posterior import Posterior
from histjax.bayes.samples import Samples
from histjax.bayes.starting import Start
from histjax.errors import InvalidModel
from histjax.inference.toys.calculator import Toys, fingerprint

State = dict[str, np.ndarray]
"""What a chain needs to go on, and nothing else."""
Draws = dict[str, np.ndarray]
"""Arrays of draws with axes (chains, draws, ...)."""


@dataclass(frozen=True)
class Keeping:
    """Where draws are kept, and who is told how many there are; none of it changes them.

    **Fields:** `store`: the file at the end (`None`: memory only); `progress`: called with the draws of each chain done
    and to do.
    """

    store: str | Path | None = None
    progress: Callable[[int, int], object] | None = None

    def opened(self, about: Mapping[str, Any]) -> SampleStore | None:
        """The store, if there is one; raises `InvalidStore`."""
        return None if self.store is None else SampleStore(self.store, about)

    def report(self, done: int, total: int) -> None:
        """Tell who asked."""
        if self.progress is not None:
            self.progress(min(done, total), total)


def key_words(key) -> list[int]:
    """The two words of a random key; raises `InvalidModel` for one that will not do."""
    if is_traced(key):
        raise InvalidModel("samplers run on the host and cannot be part of a jit, vmap or grad; call them outside")
    return [int(word) for word in Toys(key, 1).key_data()]


def generator_of(key) -> np.random.Generator:
    """NumPy's generator with a seed from a JAX key, for samplers that draw on the host."""
    return np.random.Generator(np.random.PCG64(key_words(key)))


def described(posterior: Posterior, sampler: str, key, **settings) -> dict[str, Any]:
    """What is sampled and how: the same words for the same draws. A posterior is known by its likelihood, its data and
    its density at two points.
    """
    space = posterior.unconstrained
    probes = (jnp.full(space.size, shift) for shift in (0.0, 0.5))
    densities = [float(_density(space, probe)) for probe in probes]
    about = {"sampler": sampler, "model": fingerprint(posterior.likelihood, posterior.data, *posterior.free_names)}
    about |= {f"log_density_{number}": value for number, value in enumerate(densities) if np.isfinite(value)}
    return about | {"seed": key_words(key), **settings}


@eqx.filter_jit
def _density(space, z):
    return space.log_density(z)


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise `InvalidModel` for a number of draws that is none."""
    if value < least:
        raise InvalidModel(f"{name} must be at least {least}, found {value}")


def draw_in_chunks(
    keeping: Keeping,
    about: Mapping[str, Any],
    n_draws: int,
    begin: Callable[[], State],
    advance: Callable[[State, int], tuple[State, Draws]],
    finish: Callable[[Draws], Samples],
) -> Samples:
    """Draw until there are `n_draws` of each chain, going on from what is kept.

    `begin` gives the state after the warm-up, `advance` the next one and a chunk of draws. Chunks are whole: what they
    have more than was asked for is kept for the next time, and left out of the result.
    """
    store = keeping.opened(about)
    known = store and store.finished()
    parts = [] if known is None else [known[1]]
    number = int(parts[0]["n_chunks"]) if parts else 0
    more = [] if store is None else store.chunks(number)
    parts, number = parts + more, number + len(more)
    if not parts:
        parts, number = [_marked(begin())], 1
        if store is not None:
            store.save(0, parts[0])
    state, done, fresh = _state_of(parts[-1]), sum(map(_length, parts)), bool(more) or known is None
    while done < n_draws:
        keeping.report(done, n_draws)
        state, draws = advance(state, number)
        parts.append(draws | _marked(state))
        if store is not None:
            store.save(number, parts[-1])
        number, done, fresh = number + 1, done + _length(parts[-1]), True
    keeping.report(done, n_draws)
    names = [name for name in parts[-1] if _is_draws(name)]
    joined = {name: np.concatenate([part[name] for part in parts if _length(part)], axis=1) for name in names}
    samples = replace(finish(joined), about=dict(about))
    if store is not None:
        if fresh or n_draws > known[0]["n_draws"]:
            samples.save(store.path, n_draws=n_draws, n_chunks=np.int64(number), **_marked(state))
        store.clear()
    return samples.first(n_draws)


def as_samples(posterior: Posterior, sampler: str, start: Start, draws: Draws, **more) -> Samples:
    """Draws with their names."""
    statistics = {name.removeprefix("statistic_"): value for name, value in draws.items() if name.startswith("stat")}
    arrays = [draws[name] for name in ("vectors", "log_density", "logpdf")]
    likelihood = posterior.likelihood
    fields = likelihood.parameters.sets, likelihood.poi, posterior.free, *arrays, statistics
    largest = max(-0.5 * float(start.fit.twice_nll), float(np.max(draws["logpdf"])))
    return Samples(sampler, *fields, largest, float(likelihood.n_observations), **more)


@eqx.filter_jit
def densities(posterior: Posterior, vectors):
    """`log_density` and `logpdf` of flat points `(points, parameters)`."""

    def both(vector):
        nll = posterior.likelihood.nll(vector, posterior.data)
        return posterior.log_density(vector), posterior.likelihood.saturated_logpdf(posterior.data) - nll

    return jax.lax.map(both, vectors)


def with_densities(posterior: Posterior, vectors: np.ndarray) -> Draws:
    """The draws of `vectors` `(chains, draws, parameters)` with their densities."""
    both = densities(posterior, jnp.asarray(vectors.reshape(-1, vectors.shape[-1])))
    names = ("log_density", "logpdf")
    return {"vectors": vectors} | {
        name: np.asarray(value).reshape(vectors.shape[:2]) for name, value in zip(names, both, strict=True)
    }


def _marked(state: State) -> State:
    return {f"state_{name}": np.asarray(value) for name, value in state.items()}


def _state_of(part: dict[str, np.ndarray]) -> State:
    return {name.removeprefix("state_"): value for name, value in part.items() if name.startswith("state_")}


def _is_draws(name: str) -> bool:
    return name in ("vectors", "log_density", "logpdf") or name.startswith("statistic_")


def _length(part: dict[str, np.ndarray]) -> int:
    return part["log_density"].shape[1] if "log_density" in part else 0
