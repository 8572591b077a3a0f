"""Tested values: points of a scan at which toys are thrown, and more of them when they are needed."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from histjax.errors import FailedFit
from histjax.fitting.fit import fit
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult, Status
from histjax.inference.statistics import ObservedFits, Statistic, observed_fits
from histjax.inference.toys.calculator import Toys, fingerprint, profile_experiment
from histjax.inference.toys.running import throw_toys
from histjax.inference.toys.slices import Job
from histjax.inference.toys.tally import Tally
from histjax.inference.toys.throwing import ProfileExperiment
from histjax.model.likelihood import Likelihood


@dataclass(frozen=True)
class TestedValue:
    """One value of the parameter of interest, with the toys thrown so far.

    **Fields:** `poi_value`; `statistic`: of the data; `best`: best-fit value of the data; `experiments`: how toys are
    thrown at the tested hypothesis and, where it is asked for, at the background-only one; `label`: the fingerprint of
    the test; `tallies`: what was counted, one for each experiment.
    """

    __test__ = False  # no test of pytest's

    poi_value: float
    statistic: float
    best: float
    experiments: tuple[ProfileExperiment, ...]
    label: str
    tallies: tuple[Tally, ...]

    @property
    def n_toys(self) -> int:
        """Toys of the tested hypothesis."""
        return self.tallies[0].n_toys

    def jobs(self, counts: Sequence[int]) -> list[Job]:
        """The next toys, so many of each experiment."""
        starts = [tally.n_toys for tally in self.tallies]
        spans = zip(self.experiments, starts, counts, strict=True)
        return [Job(each, self.label, self.statistic, start, start + count) for each, start, count in spans]

    def having(self, tallies: Sequence[Tally]) -> "TestedValue":
        """With more toys."""
        added = tuple(old + new for old, new in zip(self.tallies, tallies, strict=True))
        return dataclasses.replace(self, tallies=added)


@dataclass(frozen=True)
class Scanner:
    """What is tested at every value, and how; with `with_other` toys of the other hypothesis are thrown, too.

    Values are independent of each other: number k throws hypotheses 2k (the other one) and 2k + 1 of the key. Number 0
    throws the toys of `hypotest`.
    """

    likelihood: Likelihood
    data: object
    poi: str
    statistic: Statistic
    minimiser: Minimiser
    toys: Toys
    throw: bool
    with_other: bool

    def prepared(self, poi_value: float, number: int) -> TestedValue:
        """Fit the data for a value; no toys yet. Raises `FailedFit`."""
        fits = self._fits(poi_value)
        best = float(fits.free.vector[self.likelihood.parameters.place(self.poi)])
        observed = float(self.statistic.of_fits(poi_value, best, fits.deviances))
        vectors = [fits.at_poi.vector] + ([self._other(fits).vector] if self.with_other else [])
        key, common = self.toys.key_data(), (self.poi, poi_value, self.statistic, self.minimiser)
        experiments = tuple(
            profile_experiment(self.likelihood, vector, *common, key, 2 * number + hypothesis)
            for vector, hypothesis in zip(vectors, (1, 0), strict=False)
        )
        label = fingerprint(self.likelihood, self.data, self.poi, self.statistic.name, poi_value, key)
        tallies = tuple(Tally.empty(observed) for _ in experiments)
        return TestedValue(poi_value, observed, best, experiments, label, tallies)

    def _fits(self, poi_value: float) -> ObservedFits:
        """The fits of the data. Without another hypothesis the data may be impossible at the tested value (as an event
        is without signal where there is no background): it is then excluded, as every toy says.
        """
        asked = self.likelihood, self.data, self.poi, poi_value, self.statistic, self.minimiser
        if self.with_other:
            return observed_fits(*asked, self.throw)
        fits = observed_fits(*asked, throw=False, with_zero=False)
        if self.statistic.bounded and fits.free.vector[self.likelihood.parameters.place(self.poi)] < 0:
            fits = observed_fits(*asked, throw=False)  # only then the statistic asks for the fit at 0
        lost = [each for each in fits if not bool(each.converged)]
        lost = [each for each in lost if each is fits.free or each.status != Status.IMPOSSIBLE]
        if lost and self.throw:
            raise FailedFit(f"{self.poi} = {poi_value:g}: {lost[0].message}", lost[0])
        return fits

    def _other(self, fits: ObservedFits) -> FitResult:
        """The conditional fit at the other hypothesis."""
        if not self.statistic.discovery:
            return fits.at_zero
        settings = dict(minimiser=self.minimiser, throw=self.throw, differentiable_hessian=False)
        return fit(self.likelihood, self.data, fixed={self.poi: self.statistic.asimov_poi}, init=fits.free, **settings)

    def counts(self, n_toys: int) -> tuple[int, ...]:
        """Toys of each hypothesis where the tested one gets `n_toys`: in the proportion that `Toys` asks for."""
        if not self.with_other:
            return (n_toys,)
        background = self.toys.n_toys if self.toys.n_background is None else self.toys.n_background
        return n_toys, max(round(n_toys * background / self.toys.n_toys), 1)

    def thrown(self, values: Sequence[TestedValue], n_toys: Sequence[int], before: int = 0) -> list[TestedValue]:
        """The values with so many more toys each, all thrown at once; `before` toys count as done in the progress."""
        jobs = [each.jobs(self.counts(n)) for each, n in zip(values, n_toys, strict=True)]
        running = self.toys.running(self.likelihood)
        if running.progress is not None:
            report = running.progress
            running = dataclasses.replace(running, progress=lambda done, total: report(before + done, before + total))
        running = dataclasses.replace(running, keep=False)  # columns of a search would grow without a limit
        results = iter(throw_toys([job for group in jobs for job in group], running))
        return [each.having([next(results).tally for _ in group]) for each, group in zip(values, jobs, strict=True)]
