"""One toy: drawn at a hypothesis, fitted as the data were, reduced to a few numbers.

Everything is traced but the kind of the statistic: another tested value, hypothesis, key or generating point is the
same program. Toy i depends on the key, the number of the hypothesis and i alone.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt32

from histjax.fitting.fit import solve
from histjax.fitting.problem import Minimiser, Problem
from histjax.fitting.result import FitResult, Status
from histjax.inference.statistics import Deviances, Statistic
from histjax.model.likelihood import Likelihood

BELOW = 1e-7
"""A conditional fit that ends further below the free one proves that the free one is not the global minimum."""
N_ATTEMPTS = 3
"""Starting points that a toy may be tried from: see `Experiment.start`."""


class Toy(NamedTuple):
    """What is kept of a toy; with a leading axis `toys`, the columns of a table.

    **Fields:** `statistic`; `best`, the best-fit value of the parameter of interest (NaN where there is none);
    `status`, the worst `Status` of the fits that were needed; `iterations`, their sum; `edm`, their largest; `attempt`,
    the starting point; `finished`, whether all fits are certified and none was cut short.
    """

    statistic: Float[Array, "toys"]
    best: Float[Array, "toys"]
    status: Int[Array, "toys"]
    iterations: Int[Array, "toys"]
    edm: Float[Array, "toys"]
    attempt: Int[Array, "toys"]
    finished: Bool[Array, "toys"]

    @property
    def failed(self) -> Bool[Array, "toys"]:
        """Which have no certified statistic."""
        return self.status > Status.FLAT


class Experiment(eqx.Module):
    """How toys of one hypothesis are drawn and fitted: a pytree.

    **Fields:** `vector`, the parameter point at which main and auxiliary data are drawn; `problem`, bounds and fixed
    parameters of the free fit; `key`, data of a threefry key; `hypothesis`, its number.
    """

    likelihood: eqx.AbstractVar[Likelihood]
    vector: eqx.AbstractVar[Float[Array, "parameters"]]
    problem: eqx.AbstractVar[Problem]
    key: eqx.AbstractVar[UInt32[Array, "two"]]
    hypothesis: eqx.AbstractVar[Int[Array, ""]]
    minimiser: eqx.AbstractVar[Minimiser]

    def drawn(self, number: Int[Array, ""]):
        """The flat data of toy `number`."""
        key = jax.random.wrap_key_data(self.key, impl="threefry2x32")
        key = jax.random.fold_in(jax.random.fold_in(key, self.hypothesis), number)
        return self.likelihood.draw_flat(key, jnp.asarray(self.vector))

    def start(self, data, attempt: Int[Array, ""]) -> Problem:
        """The problem of the free fit for a number of the attempt.

        0: from the generating point, which lies in the right valley. 1: from the model's initial values. 2: from the
        centres of the constraint terms, and from displaced points around.
        """
        init = self.likelihood.parameters.init
        centres = self.likelihood.constraint_centres(data)
        away = jnp.where(attempt == 1, init, jnp.where(jnp.isnan(centres), init, centres))
        start = jnp.where(attempt == 0, self.vector, away).astype(self.problem.start.dtype)
        start = jnp.clip(start, self.problem.lower, self.problem.upper)
        start = jnp.where(self.problem.fixed, self.problem.start, start)
        return self.problem._replace(start=start, trusted=attempt < 2)

    def toy(self, number: Int[Array, ""], attempt: Int[Array, ""], minimiser: Minimiser) -> Toy:
        """Draw and fit toy `number`."""
        data = self.drawn(number)
        return self.fitted(data, self.start(data, attempt), minimiser)._replace(attempt=attempt)

    @abstractmethod
    def fitted(self, data, problem: Problem, minimiser: Minimiser) -> Toy:
        """The statistic of flat `data`."""


class SaturatedExperiment(Experiment):
    """Toys of the goodness of fit: the statistic is the deviance of the free fit, against the saturated model."""

    likelihood: Likelihood
    vector: Float[Array, "parameters"]
    problem: Problem
    key: UInt32[Array, "two"]
    hypothesis: Int[Array, ""]
    minimiser: Minimiser

    def fitted(self, data, problem: Problem, minimiser: Minimiser) -> Toy:
        """See `Experiment`."""
        found = solve(self.likelihood, data, problem, minimiser, False)
        finished = found.converged & (found.n_iterations < minimiser.max_iterations)
        nothing = jnp.full((), jnp.nan, found.deviance.dtype)
        zero = jnp.zeros((), jnp.int32)
        statistic = jnp.where(found.deviance > 0, found.deviance, 0.0)
        return Toy(statistic, nothing, found.status, found.n_iterations, found.edm, zero, finished)


class ProfileExperiment(Experiment):
    """Toys of a profile likelihood ratio.

    **Fields:** as `Experiment`, and `poi_value`, the tested value of component `place`; `statistic`; `with_zero`,
    whether a best fit below 0, which asks for a fit at 0, lies within the bounds.
    """

    likelihood: Likelihood
    vector: Float[Array, "parameters"]
    problem: Problem
    key: UInt32[Array, "two"]
    hypothesis: Int[Array, ""]
    minimiser: Minimiser
    poi_value: Float[Array, ""]
    place: int = eqx.field(static=True)
    statistic: Statistic = eqx.field(static=True)
    with_zero: bool = eqx.field(static=True)

    def fitted(self, data, problem: Problem, minimiser: Minimiser) -> Toy:
        """See `Experiment`."""
        # a loop over the fits and not their sequence: the minimiser is compiled once
        order = jnp.array((FREE, AT_POI, AGAIN, *([AT_ZERO] if self.with_zero else [])))
        size, dtype = problem.start.size, problem.start.dtype

        def one(fits: Fits, which):
            return self._step(data, problem, minimiser, fits, which), None

        fits, _ = jax.lax.scan(one, Fits.none(size, dtype), order)
        return self._judged(fits)

    def _step(self, data, problem: Problem, minimiser: Minimiser, fits: "Fits", which) -> "Fits":
        needed = self._needed(fits, which)
        held = jnp.arange(problem.start.size) == self.place
        held = held & ((which == AT_POI) | (which == AT_ZERO))
        value = jnp.where(which == AT_POI, self.poi_value, 0.0).astype(problem.start.dtype)
        start = jnp.where(which == FREE, problem.start, jnp.where(which == AGAIN, fits.conditional, fits.free))
        trusted = problem.trusted | (which != FREE)
        # mapped over toys both branches are taken: then a fit that nobody needs has nothing free and stops at once
        fixed = problem.fixed | held | ~needed
        asked = problem._replace(start=jnp.where(held, value, start), fixed=fixed, trusted=trusted)

        def fit() -> Fits:
            return fits.having(which, solve(self.likelihood, data, asked, minimiser, False), minimiser.max_iterations)

        return jax.lax.cond(needed, fit, lambda: fits)

    def _needed(self, fits: "Fits", which) -> Bool[Array, ""]:
        """Whether the statistic depends on a fit, after those before it."""
        best, statistic = fits.free[self.place], self.statistic
        at_poi = jnp.ones((), bool)
        if statistic.one_sided:
            at_poi = best <= self.poi_value
        if statistic.discovery:
            at_poi = best > 0
        again = fits.deviances[AT_POI] < fits.deviances[FREE] - BELOW
        at_zero = jnp.full((), statistic.bounded) & (best < 0)
        return jnp.stack([jnp.ones((), bool), at_poi, at_zero, again])[which]

    def _judged(self, fits: "Fits") -> Toy:
        best = fits.free[self.place]
        # of a fit that was not needed nothing is asked: neither its infinite deviance nor the difference with it
        deviances = Deviances(*jnp.where(fits.made, fits.deviances, fits.deviances[FREE]))
        statistic = self.statistic.of_fits(self.poi_value, best, deviances)
        crossed = jnp.any(fits.made & (fits.deviances < fits.deviances[FREE] - BELOW))
        status = jnp.max(fits.status)
        status = jnp.where(crossed & (status <= Status.FLAT), Status.STALLED, status).astype(jnp.int32)
        finished = (status <= Status.FLAT) & ~fits.cut
        return Toy(statistic, best, status, fits.iterations, fits.edm, jnp.zeros((), jnp.int32), finished)


FREE, AT_POI, AT_ZERO, AGAIN = range(4)
"""The fits of a statistic: free, at the tested value, at 0; and free again, from the one at the tested value."""


class Fits(NamedTuple):
    """The fits of one statistic made so far: free, at the tested value, and at 0."""

    free: Float[Array, "parameters"]
    conditional: Float[Array, "parameters"]
    deviances: Float[Array, "three"]
    status: Int[Array, "three"]
    made: Bool[Array, "three"]
    iterations: Int[Array, ""]
    edm: Float[Array, ""]
    cut: Bool[Array, ""]

    @classmethod
    def none(cls, size: int, dtype) -> "Fits":
        """Before the first."""
        vector, nothing = jnp.zeros(size, dtype), jnp.full(3, jnp.inf, dtype)
        zero = jnp.zeros((), jnp.int32)
        converged, unmade = jnp.zeros(3, jnp.int32), jnp.zeros(3, bool)
        return cls(vector, vector, nothing, converged, unmade, zero, jnp.zeros((), dtype), jnp.zeros((), bool))

    def having(self, which: Int[Array, ""], found: FitResult, most: int) -> "Fits":
        """With one more; a fit is cut short where it took as many as `most` iterations."""
        here = jnp.arange(3) == jnp.where(which == AGAIN, FREE, which)
        is_free = here[FREE]
        return Fits(
            free=jnp.where(is_free, found.vector, self.free),
            conditional=jnp.where(which == AT_POI, found.vector, self.conditional),
            deviances=jnp.where(here, found.deviance, self.deviances),
            status=jnp.where(here, found.status, self.status),
            made=self.made | here,
            iterations=self.iterations + found.n_iterations,
            edm=jnp.maximum(self.edm, found.edm),
            cut=self.cut | (found.n_iterations >= most),
        )
