"""`Toys`: the calculator that throws pseudo-experiments, and what it does for a test."""

import hashlib
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import is_traced, on_host
from histjax.errors import FailedToys, InvalidModel
from histjax.fitting.fit import fit_problem
from histjax.fitting.problem import Minimiser, Problem
from histjax.inference.statistics import Statistic
from histjax.inference.toys.loops import Loop, choose_loop
from histjax.inference.toys.p_values import FAILURES_TO_WARN, ToyOutcome, count_p_values
from histjax.inference.toys.running import Running, throw_toys
from histjax.inference.toys.slices import Job, SliceResult, Store
from histjax.inference.toys.tally import Tally
from histjax.inference.toys.throwing import ProfileExperiment, SaturatedExperiment
from histjax.model.likelihood import Likelihood

OTHER, TESTED = 0, 1
"""Numbers of the hypotheses: toy i of hypothesis h has the key `fold_in(fold_in(key, h), i)`."""


@dataclass(frozen=True)
class Toys:
    """Calculator: p-values by counting toys, thrown at the conditional best fit to the observed data of each
    hypothesis.

    **Fields:**

    - `key`: a JAX random key (threefry, the default of `jax.random.key`). Toy i depends on the key, the hypothesis and
      i alone: more toys are the same ones and others, whatever runs them.
    - `n_toys`: toys of the tested hypothesis; `n_background`: of the other one, as many by default.
    - `loop`: `Sequential()`, `Batched()`, `Sharded()`; by default what is fastest here (`choose_loop`).
    - `executor`: any `concurrent.futures.Executor`, e.g. a `ProcessPoolExecutor` (with the start method "spawn": JAX
      does not survive a fork) or `distributed.Client(...).get_executor()`; threads of this process by default.
    - `slice_size`: toys an executor is given at a time; `progress`: called with the toys done and to do.
    - `store`: keeps finished slices (`Store`); `keep`: whether the result holds the columns of all toys.

    Main and auxiliary data are drawn, every toy is fitted as the data were. Toys run on the host's initiative and
    cannot be part of a trace.
    """

    key: jax.Array
    n_toys: int
    n_background: int | None = None
    loop: Loop | None = None
    executor: Executor | None = None
    slice_size: int | None = None
    progress: Callable[[int, int], object] | None = None
    store: Store | None = None
    keep: bool = False

    def running(self, likelihood: Likelihood) -> Running:
        """How they are run."""
        loop = choose_loop(likelihood) if self.loop is None else self.loop
        return Running(loop, self.executor, self.slice_size, self.progress, self.store, self.keep)

    def check(self, *values) -> None:
        """Raise `InvalidModel` inside a trace, for a count that is none, and for a key that will not do."""
        if is_traced(self.key, values):
            raise InvalidModel(
                "toys run on the host and cannot be part of a jit, vmap or grad; call the test outside, or use "
                "calculator=Asymptotic() inside"
            )
        for name in ("n_toys", "n_background"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise InvalidModel(f"{name} must be at least 1, found {count}")
        self.key_data()

    def key_data(self) -> np.ndarray:
        """The two words of the key; raises `InvalidModel` for another generator than threefry."""
        key = self.key
        typed = hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        if typed and str(jax.random.key_impl(key)) != "threefry2x32":
            raise InvalidModel(
                f"toys need a threefry key, found {jax.random.key_impl(key)}: with others a toy would depend on what "
                "runs beside it; try jax.random.key(seed, impl='threefry2x32')"
            )
        words = np.asarray(jax.random.key_data(key) if typed else key)
        if words.shape != (2,) or words.dtype != np.uint32:
            raise InvalidModel(f"expected a key such as jax.random.key(0), found {key!r}")
        return words


def profile_experiment(
    likelihood: Likelihood,
    vector,
    poi: str,
    poi_value,
    statistic: Statistic,
    minimiser: Minimiser,
    key,
    hypothesis: int,
) -> ProfileExperiment:
    """Toys drawn at the flat `vector`, fitted for `statistic` of `poi` at `poi_value`."""
    bounds = statistic.free_bounds(likelihood, poi)
    problem = fit_problem(likelihood.parameters, {}, {}, bounds)
    place = likelihood.parameters.place(poi)
    with_zero = statistic.bounded and bool(problem.lower[place] < 0)
    dtype = np.asarray(problem.start).dtype
    fields = likelihood, on_host(vector), problem, key, np.int32(hypothesis), minimiser
    return ProfileExperiment(*fields, np.asarray(poi_value, dtype), place, statistic, with_zero)


def throw_for_test(
    likelihood: Likelihood,
    data,
    poi: str,
    poi_value,
    statistic: Statistic,
    observed: float,
    vectors: tuple,
    minimiser: Minimiser,
    toys: Toys,
) -> ToyOutcome:
    """Throw at the two flat `vectors`, of the tested and of the other hypothesis, and count against `observed`."""
    label = fingerprint(likelihood, data, poi, statistic.name, poi_value, toys.key_data())
    counts = toys.n_toys, toys.n_toys if toys.n_background is None else toys.n_background
    jobs = []
    for vector, hypothesis, count in zip(vectors, (TESTED, OTHER), counts, strict=True):
        arguments = likelihood, vector, poi, poi_value, statistic, minimiser, toys.key_data(), hypothesis
        jobs.append(Job(profile_experiment(*arguments), label, float(observed), 0, count))
    tested, other = throw_toys(jobs, toys.running(likelihood))
    warn_of_failures(tested.tally, other.tally)
    ratios = count_p_values(tested.tally, other.tally, statistic.discovery)
    return ToyOutcome(*ratios, tested.tally, other.tally, tested.toys, other.toys)


def throw_for_goodness(
    likelihood: Likelihood, data, vector, problem: Problem, observed: float, minimiser: Minimiser, toys: Toys
) -> SliceResult:
    """Throw at the best fit `vector` and count deviances of at least the `observed` one."""
    label = fingerprint(likelihood, data, "saturated", np.asarray(problem.fixed), toys.key_data())
    fields = likelihood, on_host(vector), problem, toys.key_data(), np.int32(TESTED), minimiser
    job = Job(SaturatedExperiment(*fields), label, float(observed), 0, toys.n_toys)
    (found,) = throw_toys([job], toys.running(likelihood))
    warn_of_failures(found.tally)
    return found


def warn_of_failures(*tallies: Tally) -> None:
    """Warn where more than one toy in a thousand has no certified fit."""
    for tally in tallies:
        if tally.n_failed > FAILURES_TO_WARN * tally.n_toys:
            warnings.warn(
                f"{tally.n_failed} of {tally.n_toys} toys have no certified fit and are not counted; p-values are "
                "fractions of the others",
                FailedToys,
                stacklevel=4,
            )


def fingerprint(likelihood: Likelihood, data, *others) -> str:
    """A name for a test: of the numbers of likelihood and data and of what is asked, to single precision, so that it
    is the same on every machine.
    """
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(eqx.filter((likelihood, data), eqx.is_array)):
        digest.update(np.asarray(leaf).astype(np.float32).tobytes())
    for name in likelihood.parameters.component_names:
        digest.update(name.encode() + b"\0")
    for other in others:
        value = other.encode() if isinstance(other, str) else np.asarray(other)
        digest.update(value if isinstance(value, bytes) else value.astype(np.float64).tobytes())
    return digest.hexdigest()[:32]
