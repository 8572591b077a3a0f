"""`Samples`: draws of parameter points by name, and what is said of them: values, intervals, criteria, evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from histjax._typing import Params
from histjax.bayes.archive import read_arrays, write_arrays
from histjax.bayes.convergence import Convergence, convergence_of
from histjax.bayes.extras import package
from histjax.bayes.intervals import central_interval, highest_density_interval
from histjax.errors import InvalidModel, UnknownName
from histjax.inference.intervals import ONE_SIGMA
from histjax.lower.layout import ParameterSet


class Criteria(NamedTuple):
    """Information criteria, with L the largest likelihood, constraint terms included, k free parameters and n bins.

    `aic` = -2 ln L + 2k; `aicc` = AIC + 2k(k + 1)/(n - k - 1), infinite where n <= k + 1; `bic` = -2 ln L + k ln n.
    `log_evidence` is ln Z with its uncertainty; NaN from samplers that do not give it.
    """

    twice_nll: float
    n_free: int
    n_observations: float
    aic: float
    aicc: float
    bic: float
    log_evidence: float
    log_evidence_uncertainty: float


@dataclass(frozen=True)
class Samples:
    """Draws of the parameters, from a posterior or a bootstrap.

    **Fields:**

    - `sampler`: what made them; `chains` of a Markov chain are compared, others (`"nested"`, `"bootstrap"`,
      `"covariance"`) are independent draws in one chain.
    - `sets`: the parameter sets; `poi`: the parameter of interest; `free`: flat indices of what was sampled.
    - `vectors`: flat parameter points, `(chains, draws, parameters)`; `params` has them by name.
    - `log_density`: ln of likelihood times prior, `logpdf`: of the likelihood with its constraint terms, all constants
      included, `(chains, draws)`.
    - `statistics`: more of each draw, `{name: (chains, draws)}`.
    - `max_logpdf`: the largest `logpdf`, of a fit; `n_observations`: bins that were fitted.
    - `log_evidence`, `log_evidence_uncertainty`: ln Z, NaN where there is none.
    - `about`: what was sampled, and how.
    """

    sampler: str
    sets: tuple[ParameterSet, ...]
    poi: str | None
    free: tuple[int, ...]
    vectors: np.ndarray
    log_density: np.ndarray
    logpdf: np.ndarray
    statistics: dict[str, np.ndarray] = field(default_factory=dict)
    max_logpdf: float = np.nan
    n_observations: float = np.nan
    log_evidence: float = np.nan
    log_evidence_uncertainty: float = np.nan
    about: Mapping = field(default_factory=dict)

    # --- draws -----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all components of the flat vector."""
        return tuple(name for each in self.sets for name in each.component_names)

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of the components that were sampled."""
        return tuple(self.names[place] for place in self.free)

    @property
    def n_draws(self) -> int:
        """Draws of all chains."""
        return self.log_density.size

    @property
    def params(self) -> Params:
        """The draws by name, `{name: (chains, draws, ...)}`."""
        return self._by_name(self.vectors)

    @property
    def flat(self) -> np.ndarray:
        """All draws, `(draws, parameters)`."""
        return self.vectors.reshape(-1, self.vectors.shape[-1])

    def of(self, name: str) -> np.ndarray:
        """All draws of one component, `(draws,)`; raises `UnknownName`."""
        if name not in self.names:
            raise UnknownName("component", name, self.names)
        return self.flat[:, self.names.index(name)]

    # --- values ----------------------------------------------------------------------------------------------------

    @property
    def best(self) -> Params:
        """The draw of the largest density."""
        return self._by_name(self.flat[int(np.argmax(self.log_density))])

    @property
    def mean(self) -> Params:
        """Mean of each parameter."""
        return self._by_name(np.mean(self.flat, axis=0))

    @property
    def median(self) -> Params:
        """Median of each parameter."""
        return self._by_name(np.median(self.flat, axis=0))

    @property
    def uncertainty(self) -> Params:
        """Standard deviation of each parameter."""
        return self._by_name(np.std(self.flat, axis=0))

    @property
    def covariance(self) -> np.ndarray:
        """Covariance matrix in the flat order; 0 for fixed components."""
        return np.atleast_2d(np.cov(self.flat, rowvar=False, ddof=0))

    def quantile(self, q) -> Params:
        """Quantiles of each parameter: `{name: (..., *shape)}` for `q` of shape `(...)`."""
        return self._by_name(np.quantile(self.flat, q, axis=0))

    def central(self, probability: float = ONE_SIGMA) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Credible intervals `{name: (lower, upper)}` with the same probability on either side."""
        return self._ends(central_interval(self.flat, probability))

    def highest_density(self, probability: float = ONE_SIGMA) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The shortest credible intervals `{name: (lower, upper)}`: of highest density where there is one peak."""
        return self._ends(highest_density_interval(self.flat, probability))

    def asymmetric(self, probability: float = ONE_SIGMA, about: Params | None = None) -> dict[str, tuple]:
        """Distances `{name: (minus, plus)}` of the ends of the central interval from `about`, by default the median."""
        about = self.median if about is None else about
        return {
            name: (about[name] - low, high - about[name]) for name, (low, high) in self.central(probability).items()
        }

    def best_within(self, probability: float = ONE_SIGMA) -> Params:
        """The draw of the largest density among those that lie in the central interval of every free parameter.

        **Raises:** `InvalidModel` where there is none, as happens with many parameters.
        """
        free = list(self.free)
        low, high = (each[free] for each in central_interval(self.flat, probability))
        inside = np.all((self.flat[:, free] >= low) & (self.flat[:, free] <= high), axis=1)
        if not np.any(inside):
            raise InvalidModel(
                f"none of {self.n_draws} draws lies in the {100 * probability:g} % interval of every parameter; "
                "use best, or a larger probability"
            )
        return self._by_name(self.flat[np.argmax(np.where(inside, self.log_density.ravel(), -np.inf))])

    def upper_limit(self, name: str | None = None, confidence_level: float = 0.95) -> float:
        """The value below which a parameter lies with this probability; by default that of interest."""
        name = self.poi if name is None else name
        return float(np.quantile(self.of(name), confidence_level))

    # --- judgements ------------------------------------------------------------------------------------------------

    @property
    def convergence(self) -> Convergence:
        """R-hat, effective sample sizes and divergences, of the free components."""
        return convergence_of(self)

    @property
    def criteria(self) -> Criteria:
        """AIC, AICc, BIC and ln Z."""
        twice_nll, k, n = -2 * self.max_logpdf, len(self.free), self.n_observations
        aic, enough = twice_nll + 2 * k, n > k + 1
        correction = 2 * k * (k + 1) / (n - k - 1) if enough else (np.nan if np.isnan(n) else np.inf)
        bic = twice_nll + k * np.log(n)
        evidence = self.log_evidence, self.log_evidence_uncertainty
        return Criteria(*map(float, (twice_nll, k, n, aic, aic + correction, bic, *evidence)))._replace(n_free=k)

    def to_arviz(self):
        """An `arviz.InferenceData` with the draws, what is known of each, and the densities."""
        rename = {"is_divergent": "diverging"}
        statistics = {rename.get(name, name): value for name, value in self.statistics.items()}
        return package("arviz").from_dict(
            posterior={name: np.asarray(value) for name, value in self.params.items()},
            sample_stats={"lp": self.log_density, "logpdf": self.logpdf, **statistics},
        )

    def first(self, n_draws: int) -> "Samples":
        """The first draws of each chain."""
        return self._with_draws(slice(0, n_draws))

    def thinned(self, n_draws: int) -> "Samples":
        """At most so many draws of each chain, evenly spaced."""
        have = self.log_density.shape[1]
        chosen = np.unique(np.linspace(0, have - 1, min(n_draws, have)).round().astype(int))
        return self._with_draws(chosen)

    def _with_draws(self, chosen) -> "Samples":
        arrays = {name: getattr(self, name)[:, chosen] for name in ("vectors", "log_density", "logpdf")}
        return replace(self, **arrays, statistics={name: value[:, chosen] for name, value in self.statistics.items()})

    # --- files -----------------------------------------------------------------------------------------------------

    def save(self, path: str | Path, n_draws: int | None = None, **more) -> None:
        """Write everything to one file, whole or not at all; raises `InvalidStore`.

        `n_draws`: how many draws of each chain are read again, by default all; `more`: arrays to keep with them.
        """
        header, arrays = _packed(self)
        write_arrays(Path(path), header | ({} if n_draws is None else {"n_draws": n_draws}), arrays, **more)

    @classmethod
    def load(cls, path: str | Path) -> "Samples":
        """Read what `save` or a sampler has written; raises `InvalidStore`."""
        return _unpacked(*read_arrays(Path(path)))

    def _by_name(self, vector: np.ndarray) -> Params:
        return {each.name: vector[..., each.slice].reshape((*vector.shape[:-1], *each.shape)) for each in self.sets}

    def _ends(self, ends: tuple[np.ndarray, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        low, high = map(self._by_name, ends)
        return {name: (low[name], high[name]) for name in low}

    def __str__(self) -> str:
        from histjax.bayes.printing import samples_table

        return samples_table(self)

    __repr__ = __str__


NUMBERS = ("max_logpdf", "n_observations", "log_evidence", "log_evidence_uncertainty")


def _packed(samples: Samples) -> tuple[dict, dict[str, np.ndarray]]:
    """What is said of the draws, as JSON has it, and the arrays."""
    sets = [[s.name, s.start, s.size, s.is_scalar, s.constraint, list(s.modifiers)] for s in samples.sets]
    header = {"sampler": samples.sampler, "poi": samples.poi, "sets": sets, "free": list(samples.free)}
    header |= {"about": dict(samples.about), "n_draws": samples.log_density.shape[1]}
    arrays = {name: np.asarray(getattr(samples, name)) for name in ("vectors", "log_density", "logpdf")}
    arrays |= {name: np.float64(getattr(samples, name)) for name in NUMBERS}
    return header, arrays | {f"statistic_{name}": value for name, value in samples.statistics.items()}


def _unpacked(header: dict, arrays: dict[str, np.ndarray]) -> Samples:
    sets = tuple(ParameterSet(*rest, tuple(modifiers)) for *rest, modifiers in header["sets"])
    kept = slice(0, header["n_draws"])
    statistics = {k.removeprefix("statistic_"): v[:, kept] for k, v in arrays.items() if k.startswith("statistic_")}
    return Samples(
        header["sampler"],
        sets,
        header["poi"],
        tuple(header["free"]),
        *(arrays[name][:, kept] for name in ("vectors", "log_density", "logpdf")),
        statistics,
        *(float(arrays[name]) for name in NUMBERS),
        header["about"],
    )
