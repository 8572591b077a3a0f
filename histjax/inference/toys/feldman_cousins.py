"""`feldman_cousins`: intervals that cover by construction, from toys at every tested value."""

import warnings

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import on_host
from histjax.errors import FailedFit, ImpreciseLimit, InvalidModel
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.inference.intervals import interval
from histjax.inference.poi import poi_name
from histjax.inference.rays import End
from histjax.inference.statistics import Statistic, tmu_tilde
from histjax.inference.toys.calculator import Toys, warn_of_failures
from histjax.inference.toys.ends import EndFound, find_ends
from histjax.inference.toys.search import Search, StopRule
from histjax.inference.toys.values import Scanner
from histjax.model.likelihood import Likelihood


class FeldmanCousinsPoints(eqx.Module):
    """The tested values, in ascending order, and what their toys say.

    **Fields:** `poi_values`; `statistic` of the data; `p_values`, `p_uncertainty`; `n_toys`, `n_failed`.
    """

    poi_values: Float[np.ndarray, "points"]
    statistic: Float[np.ndarray, "points"]
    p_values: Float[np.ndarray, "points"]
    p_uncertainty: Float[np.ndarray, "points"]
    n_toys: Int[np.ndarray, "points"]
    n_failed: Int[np.ndarray, "points"]


class FeldmanCousins(eqx.Module):
    """A Feldman-Cousins interval.

    **Fields:**

    - `lower`, `upper`, and `uncertainty` `(2,)`: the ends, and one standard deviation of each from the number of toys.
    - `best`: the best-fit value, at the bound where the fit wants to be beyond.
    - `status` `(2,)`: an `End` for each end: `FOUND`, or `AT_BOUND` where the bound belongs to the interval (its
      uncertainty is 0), `UNBOUNDED`, `FAILED`.
    - `precise` `(2,)`: whether the relative error of the stop rule was reached.
    - `points`: the values tested.
    """

    lower: Float[Array, ""]
    upper: Float[Array, ""]
    uncertainty: Float[Array, "2"]
    best: Float[Array, ""]
    confidence_level: Float[Array, ""]
    status: Int[Array, "2"]
    precise: Bool[Array, "2"]
    points: FeldmanCousinsPoints
    poi: str = eqx.field(static=True)
    statistic_name: str = eqx.field(static=True)
    stop_rule: StopRule = eqx.field(static=True)

    @property
    def n_toys(self) -> int:
        """All toys thrown."""
        return int(self.points.n_toys.sum())

    @property
    def message(self) -> str:
        """Whether the relative error was reached, in words."""
        n_failed = int(self.points.n_failed.sum())
        failed = f" ({n_failed} failed)" if n_failed else ""
        thrown = f"{self.n_toys} toys{failed} at {self.points.poi_values.size} values"
        asked = f"{100 * self.stop_rule.relative_error:.3g} % of the length"
        ends = zip(("lower end", "upper end"), self.uncertainty, self.precise, strict=True)
        lost = ", ".join(f"{name} (+- {float(error):.2g})" for name, error, good in ends if not good)
        if lost:
            return f"{thrown} were not enough for an uncertainty of {asked}: {lost}"
        return f"{thrown}, all uncertainties at most {asked}"

    def __str__(self) -> str:
        from histjax.inference.printing import feldman_cousins_table

        return feldman_cousins_table(self)

    __repr__ = __str__


def feldman_cousins(
    likelihood: Likelihood,
    data=None,
    *,
    toys: Toys,
    confidence_level: float = 0.95,
    poi: str | None = None,
    statistic: Statistic = tmu_tilde,
    stop_rule: StopRule = StopRule(),
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> FeldmanCousins:
    r"""The values that toys do not exclude, ordered by the likelihood ratio (G. J. Feldman, R. D. Cousins, Phys. Rev. D
    57 (1998) 3873, section IV; with nuisance parameters the profile construction of its section V.B).

    The interval holds the values \(\mu\) with \(p(\mu) = P(t_\mu \ge t_\mu^{\rm obs} \mid \mu, \hat{\hat\theta}(\mu)) >
    1 - {\rm CL}\), toys thrown at the conditional best fit to the data.

    **Arguments:**

    - `toys`: `Toys(key, n_toys)`: so many are thrown at a time, at values independent of each other.
    - `statistic`: `tmu_tilde`, for which a parameter below 0 has no meaning: the lower end is at least 0; or `tmu`, for
      which it is at least the parameter's lower bound. Upwards the search is not limited.
    - `stop_rule`: the uncertainty of both ends is to be below `relative_error` times the length of the interval.
    - others: as for `hypotest`.

    Where counts are few p(mu) has steps, and may cross the level more than once: an end is then the outermost crossing
    that was seen, with half the distance of the values on its two sides in its uncertainty. Not checked: whether
    values in between are excluded.

    **Raises:** `MissingPOI`, `FailedFit`, `InvalidModel`. **Warns:** `ImpreciseLimit`, `FailedToys`.

    >>> import jax
    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> toys, rule = histjax.Toys(jax.random.key(1), 2000), histjax.StopRule(0.1)
    >>> result = histjax.feldman_cousins(model, toys=toys, confidence_level=0.9, stop_rule=rule)
    >>> result.status.tolist() == [histjax.End.AT_BOUND, histjax.End.FOUND], bool(abs(result.upper - 0.76) < 0.15)
    (True, True)
    """
    if statistic.one_sided or statistic.discovery:
        raise InvalidModel(f"an interval needs a two-sided statistic, tmu_tilde or tmu; found {statistic.name}")
    if not 0 < float(confidence_level) < 1:
        raise InvalidModel(f"a confidence level is between 0 and 1, found {confidence_level}")
    poi = poi_name(likelihood, poi)
    toys.check(likelihood, data)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    likelihood = likelihood.conditioned_on(data)
    lowest = float(on_host(likelihood.parameters.lower)[likelihood.parameters.place(poi)])
    lowest = max(lowest, 0.0) if statistic.bounded else lowest
    settings = dict(bounds={poi: (lowest, np.inf)}, minimiser=minimiser, throw=False)
    guess = interval(likelihood, data, parameters=poi, confidence_level=confidence_level, **settings)
    if throw and not bool(guess.fit.converged):
        raise FailedFit(guess.fit.message, guess.fit)
    scanner = Scanner(likelihood, data, poi, statistic, minimiser, toys, throw, with_other=False)
    search = Search(scanner, stop_rule.most_toys, lowest)
    best = max(float(guess.best[0]), lowest)
    ends = find_ends(search, 1 - float(confidence_level), best, _first_distances(guess, best), stop_rule)
    result = _result(search, ends, best, confidence_level, poi, stop_rule)
    if throw and any(end.status == End.FAILED for end in ends):
        raise FailedFit(result.message, result)
    return result


def _first_distances(guess, best: float) -> tuple[float, float]:
    """How far from the best value the ends of the asymptotic interval are, as far as it has them."""
    below, above = best - float(guess.lower[0]), float(guess.upper[0]) - best
    found = [each for each in (below, above) if np.isfinite(each) and each > 0]
    fallback = max(found, default=max(abs(best), 1.0))
    return tuple(each if np.isfinite(each) and each > 0 else fallback for each in (below, above))


def _result(search: Search, ends: tuple[EndFound, EndFound], best, confidence_level, poi, stop_rule) -> FeldmanCousins:
    values = search.values
    tallies = [value.tallies[0] for value in values]
    points = FeldmanCousinsPoints(
        np.array([value.poi_value for value in values]),
        np.array([value.statistic for value in values]),
        *(np.array([getattr(tally, name) for tally in tallies]) for name in ("p_value", "p_uncertainty")),
        *(np.array([getattr(tally, name) for tally in tallies]) for name in ("n_toys", "n_failed")),
    )
    lower, upper, uncertainty, status, precise = (
        jnp.asarray(each)
        for each in (ends[0].value, ends[1].value, *map(list, zip(*(end[1:] for end in ends), strict=True)))
    )
    numbers = jnp.asarray(best), jnp.asarray(confidence_level), status.astype(jnp.int32), precise
    names = poi, search.scanner.statistic.name, stop_rule
    result = FeldmanCousins(lower, upper, uncertainty, *numbers, points, *names)
    warn_of_failures(*tallies)
    if not bool(jnp.all(precise)):
        warnings.warn(result.message, ImpreciseLimit, stacklevel=3)
    return result
