"""CLs upper limits from toys, with their uncertainties."""

import warnings

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from histjax.errors import ImpreciseLimit
from histjax.inference.asymptotic import N_SIGMA
from histjax.inference.toys.calculator import warn_of_failures
from histjax.inference.toys.p_values import Ratio, count_p_values
from histjax.inference.toys.regression import Crossing, Curve, falling_crossing
from histjax.inference.toys.search import Search, StopRule, is_precise, merged
from histjax.inference.toys.values import Scanner, TestedValue

LIMITS = (*(f"expected at {n:+.0f} sigma" for n in N_SIGMA), "observed")
OBSERVED = len(N_SIGMA)
TOGETHER = 0.07
"""First values that lie closer together, relative to them, are one."""
MARGIN = 1.25
"""The first values reach beyond the asymptotic limits by this factor."""


class ToyPoints(eqx.Module):
    """The tested values, in ascending order, and what their toys say.

    **Fields:** `poi_values`; `CLs`, `CLs_uncertainty` of the data; `CLs_expected`, `CLs_expected_uncertainty`
    `(points, 5)`; `n_toys`, `n_failed` `(points, 2)` of the tested and of the background-only hypothesis.
    """

    poi_values: Float[np.ndarray, "points"]
    CLs: Float[np.ndarray, "points"]
    CLs_uncertainty: Float[np.ndarray, "points"]
    CLs_expected: Float[np.ndarray, "points n_sigma"]
    CLs_expected_uncertainty: Float[np.ndarray, "points n_sigma"]
    n_toys: Int[np.ndarray, "points two"]
    n_failed: Int[np.ndarray, "points two"]


class ToyLimits(eqx.Module):
    """What toys say of the limits.

    **Fields:** `values`, `uncertainty`, `found`, `precise` `(6,)`: of the expected limits, then of the observed one;
    `found` says that there is a crossing, `precise` that the stop rule's relative error was reached; `points`: the
    values tested; `stop_rule`: what was asked for.
    """

    values: Float[np.ndarray, "six"]
    uncertainty: Float[np.ndarray, "six"]
    found: Bool[np.ndarray, "six"]
    precise: Bool[np.ndarray, "six"]
    points: ToyPoints
    stop_rule: StopRule = eqx.field(static=True)

    @property
    def n_toys(self) -> int:
        """All toys thrown."""
        return int(self.points.n_toys.sum())

    @property
    def n_failed(self) -> int:
        """Toys without a certified fit, which count in no p-value."""
        return int(self.points.n_failed.sum())

    @property
    def message(self) -> str:
        """Whether the relative error was reached, in words."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        thrown = f"{self.n_toys} toys{failed} at {self.points.poi_values.size} values"
        errors = self.uncertainty / self.values
        lost = [
            f"{LIMITS[i]} ({f'{100 * errors[i]:.2g} %' if self.found[i] else 'not found'})"
            for i in wanted_of(self.stop_rule)
            if not self.precise[i]
        ]
        asked = f"{100 * self.stop_rule.relative_error:.3g} %"
        if not lost:
            return f"{thrown}, all relative errors at most {asked}"
        return f"{thrown} were not enough for a relative error of {asked}: {', '.join(lost)}"


def toy_limits(scanner: Scanner, alpha: float, starts: Float[np.ndarray, "six"], stop_rule: StopRule) -> ToyLimits:
    """The six limits at which CLs is `alpha`, from first guesses, by the stop rule.

    ln CLs, observed and for each outcome of the band, is a smooth curve through the counts at the values tested near
    its crossing (see `regression`); the values and the number of toys follow from what the crossings still lack.

    **Warns:** `ImpreciseLimit` where the toys ended before the relative error was reached, `FailedToys`.
    """
    wanted = wanted_of(stop_rule)

    def plan(search: Search) -> dict[float, int]:
        found = crossings(search.values, alpha)
        return merged([_wish(search, found[i], stop_rule) for i in wanted])

    search = Search(scanner, stop_rule.most_toys)
    search.run(first_values(starts[wanted]), plan)
    return _result(search.values, crossings(search.values, alpha), stop_rule)


def wanted_of(stop_rule: StopRule) -> Int[np.ndarray, "limits"]:
    """Places of the limits that the stop rule is about."""
    return np.arange(6) if stop_rule.expected else np.array([OBSERVED])


def _wish(search: Search, crossing: Crossing, stop_rule: StopRule) -> dict[float, int]:
    """What a limit still lacks."""
    if np.isnan(crossing.value):
        return search.everywhere()
    if not crossing.bracketed:
        return search.beyond(crossing)
    target = stop_rule.relative_error * crossing.value
    return {} if is_precise(crossing, target) else search.around(crossing, target)


def first_values(starts: Float[np.ndarray, "limits"]) -> list[float]:
    """Where to begin: at the guesses, those close to each other as one, and beyond the first and the last.

    >>> [round(value, 3) for value in first_values(np.array([1.0, 2.0, 2.02]))]
    [0.8, 1.0, 2.01, 2.525]
    """
    groups: list[list[float]] = []
    for value in sorted(float(each) for each in starts):
        if groups and value < (1 + TOGETHER) * groups[-1][0]:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [groups[0][0] / MARGIN, *(float(np.mean(group)) for group in groups), groups[-1][-1] * MARGIN]


def crossings(values: list[TestedValue], alpha: float) -> list[Crossing]:
    """The crossings of the five expected curves and of the observed one."""
    ratios = [count_p_values(*value.tallies, False) for value in values]
    found = []
    for number in range(6):
        rows = [_row(value, ratio, number) for value, ratio in zip(values, ratios, strict=True)]
        curve = Curve(*np.array(rows, float).T)
        found.append(falling_crossing(curve.taken(np.isfinite(curve).all(axis=0)), alpha))
    return found


def _row(value: TestedValue, ratios: tuple[Ratio, Ratio], number: int) -> tuple[float, ...]:
    """One point of the curve of a limit: see `Curve`."""
    observed, expected = ratios
    ratio = observed if number == OBSERVED else expected
    CLs, total, CLb, CLsb_uncertainty = (
        float(each if number == OBSERVED else each[number])
        for each in (ratio.CLs, ratio.CLs_uncertainty, ratio.CLb, ratio.CLsb_uncertainty)
    )
    scale = CLb if CLb > 0 else np.nan  # no background-only toy is as extreme as the data: nothing is known of CLs
    return value.poi_value, CLs, scale, value.tallies[0].n_good, max(total**2 - (CLsb_uncertainty / scale) ** 2, 0.0)


def _result(values: list[TestedValue], found: list[Crossing], stop_rule: StopRule) -> ToyLimits:
    limits = np.array([each.value if each.found else np.nan for each in found])
    uncertainty = np.array([each.uncertainty if each.found else np.inf for each in found])
    precise = np.array([is_precise(each, stop_rule.relative_error * each.value) for each in found])
    is_found = np.array([each.found for each in found])
    result = ToyLimits(limits, uncertainty, is_found, precise, points_of(values), stop_rule)
    warn_of_failures(*(tally for value in values for tally in value.tallies))
    if not precise[wanted_of(stop_rule)].all():
        warnings.warn(result.message, ImpreciseLimit, stacklevel=4)
    return result


def points_of(values: list[TestedValue]) -> ToyPoints:
    """The table of the tested values."""
    ratios = [count_p_values(*value.tallies, False) for value in values]
    return ToyPoints(
        np.array([value.poi_value for value in values]),
        *(np.array([getattr(observed, name) for observed, _ in ratios]) for name in ("CLs", "CLs_uncertainty")),
        *(np.array([getattr(expected, name) for _, expected in ratios]) for name in ("CLs", "CLs_uncertainty")),
        *(
            np.array([[getattr(tally, name) for tally in value.tallies] for value in values])
            for name in ("n_toys", "n_failed")
        ),
    )
