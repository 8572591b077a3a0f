"""The ends of an interval of values that toys do not exclude.

Along the way from the best value to either side p falls from 1: smoothly where counts are large, by steps where they
are few. An end lies in its *zone*: between the last value that is certainly inside and the next one that is certainly
outside. The zone is narrowed by more toys at the values in it that are neither, and by values between; its standard
deviation (width / sqrt(12)) is the uncertainty of the end, which for a smooth curve is about that of its crossing.
"""

from typing import NamedTuple

import numpy as np

from histjax.inference.rays import End
from histjax.inference.toys.regression import Curve, falling_crossing, quantile
from histjax.inference.toys.search import GROWTH, Search, StopRule, merged

FIRST = (0.6, 0.85, 1.0, 1.15, 1.4)
"""First values, as fractions of the distance of the asymptotic end."""
SMOOTH = 2.0
"""Points that scatter more about a smooth curve (chi2 by degree of freedom) are on steps."""
CERTAIN = 2.0
"""A p-value that is so many standard deviations from the level is on its side of it."""
FARTHEST = 1e6
"""The interval has no end if none is found within so many distances of the asymptotic one."""


class EndFound(NamedTuple):
    """An end, its uncertainty, its `End`, and whether it is as precise as was asked for."""

    value: float
    uncertainty: float
    status: int
    precise: bool


class Zone(NamedTuple):
    """Distances from the best value: the last one certainly inside, those in doubt, the first certainly outside.

    `outside` is `None` where nothing is; the bound, where even that is in doubt, stands for it and is doubtful, too.
    """

    inside: float
    doubtful: tuple[float, ...]
    outside: float | None

    @property
    def width(self) -> float:
        """How much is in doubt."""
        return (max(self.doubtful, default=self.inside) if self.outside is None else self.outside) - self.inside


def find_ends(
    search: Search, alpha: float, best: float, distances: tuple[float, float], stop_rule: StopRule
) -> tuple[EndFound, EndFound]:
    """The lower and the upper end of the values with p > `alpha`, from the distances of first guesses."""
    sides = [Side(search, alpha, best, sign, each) for sign, each in zip((-1, 1), distances, strict=True)]

    def target() -> float:
        return stop_rule.relative_error * sum(side.estimate() for side in sides)

    first = sorted({value for side in sides for value in side.first()})
    search.run(first, lambda _: merged([side.wish(target()) for side in sides]))
    lower, upper = (side.found(target()) for side in sides)
    return lower, upper


class Side:
    """One direction from the best value; distances from it are positive."""

    def __init__(self, search: Search, alpha: float, best: float, sign: int, distance: float):
        self.search, self.alpha, self.best, self.sign = search, alpha, best, sign
        self.distance, self.unit = distance, search.scanner.toys.n_toys
        self.bound = best - search.lowest if sign < 0 else np.inf

    def first(self) -> list[float]:
        """Values to begin with: around the asymptotic end, and the bound, which may belong to the interval."""
        inner = [self.best + self.sign * each * self.distance for each in FIRST if each * self.distance < self.bound]
        return inner + ([self.search.lowest] if 0 < self.bound < np.inf else [])

    def curve(self) -> Curve:
        """p against the distance from the best value, at values on this side."""
        rows = [(0.0, 1.0, 1.0, self.unit, 0.0)]  # p of the best value itself is 1
        for value in self.search.values:
            tally, distance = value.tallies[0], self.sign * (value.poi_value - self.best)
            if distance > 0 and tally.n_good:
                rows.append((distance, tally.p_value, 1.0, tally.n_good, 0.0))
        return Curve(*np.array(sorted(rows), float).T)

    def zone(self) -> Zone:
        """Where the end is."""
        curve = self.curve()
        margin = CERTAIN * np.sqrt(curve.variance(curve.floored()))
        last = int(np.flatnonzero(curve.ratio - margin > self.alpha)[-1])
        beyond = np.flatnonzero(curve.ratio + margin < self.alpha)
        beyond = beyond[beyond > last]
        stop = int(beyond[0]) if beyond.size else curve.ratio.size
        doubtful = tuple(curve.poi_values[last + 1 : stop].tolist())
        outside = float(curve.poi_values[stop]) if beyond.size else None
        if outside is None and doubtful and self._is_bound(doubtful[-1]):
            outside = doubtful[-1]
        return Zone(float(curve.poi_values[last]), doubtful, outside)

    def _is_bound(self, distance: float) -> bool:
        return bool(distance >= self.bound * (1 - 1e-12))

    def estimate(self) -> float:
        """The distance of the end as far as it is known: where a smooth curve crosses, if one does and it lies in the
        zone; else the middle of the zone.
        """
        zone = self.zone()
        if zone.outside is None:
            return min(float(self.curve().poi_values[-1]), self.bound)
        smooth = falling_crossing(self.curve(), self.alpha)
        is_in_zone = smooth.found and zone.inside <= smooth.value <= zone.outside
        return smooth.value if is_in_zone and smooth.scatter <= SMOOTH else (zone.inside + zone.outside) / 2

    def wish(self, target: float) -> dict[float, int]:
        """What the end still lacks: values, and toys at them."""
        zone, farthest = self.zone(), float(self.curve().poi_values[-1])
        if zone.outside is None:
            is_over = self._is_bound(farthest) or farthest > FARTHEST * self.distance
            return {} if is_over else {self._at(max(farthest * GROWTH, self.distance)): self.unit}
        if zone.width <= target * np.sqrt(12):
            return {}
        ends = np.unique([zone.inside, *zone.doubtful, zone.outside])
        gap = int(np.argmax(np.diff(ends)))
        wanted = self._more(zone.doubtful, self._enough(target))
        if ends[gap + 1] - ends[gap] > target or not wanted:
            wanted[self._at(float(ends[gap : gap + 2].mean()))] = max([self.unit, *wanted.values()])
        return wanted

    def _more(self, distances: tuple[float, ...], enough: float) -> dict[float, int]:
        """As many toys again at some values, where there are not enough yet."""
        known = dict(zip(self.curve().poi_values.tolist(), self.curve().n_toys.tolist(), strict=True))
        return {self._at(each): max(int(known[each]), self.unit) for each in distances if known[each] < enough}

    def _enough(self, target: float) -> float:
        """Toys with which a p-value of `alpha` is known as well as the slope of the curve asks for."""
        crossing = falling_crossing(self.curve(), self.alpha)
        z = float(quantile(self.alpha))
        slope = abs(crossing.slope) if np.isfinite(crossing.slope) else 1 / max(self.distance, self.estimate())
        steepness = slope * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return self.alpha * (1 - self.alpha) / (0.5 * steepness * target) ** 2

    def _at(self, distance: float) -> float:
        """The value at a distance, as it is known if it is."""
        value = self.best + self.sign * min(distance, self.bound)
        return self.search.near(value, 1e-9 * (abs(value) + self.distance))

    def found(self, target: float) -> EndFound:
        """The end, when the search is over."""
        zone, curve = self.zone(), self.curve()
        farthest, uncertainty = float(curve.poi_values[-1]), zone.width / np.sqrt(12)
        if self._is_bound(farthest) and curve.ratio[-1] > self.alpha:
            return EndFound(self.search.lowest, uncertainty, End.AT_BOUND, bool(uncertainty <= target))
        if zone.outside is not None:
            value = self.best + self.sign * self.estimate()
            return EndFound(value, uncertainty, End.FOUND, bool(uncertainty <= target))
        if farthest > FARTHEST * self.distance:
            return EndFound(self.sign * np.inf, 0.0, End.UNBOUNDED, True)
        return EndFound(self.best + self.sign * farthest, np.inf, End.FAILED, False)
