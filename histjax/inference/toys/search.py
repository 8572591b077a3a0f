"""The search for crossings: which values are tested next, with how many toys, and when to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from histjax.errors import InvalidModel
from histjax.inference.toys.regression import Crossing
from histjax.inference.toys.values import Scanner, TestedValue

STEP = 0.25
"""Values tested around a crossing lie so far from it in z, and at it."""
CLOSE = 0.12
"""A value that is closer to the wanted one, in z, serves in its place."""
GROWTH = 1.6
"""The bracket grows by this factor where a crossing lies outside."""
MOST_GAIN = 8
"""Toys around a crossing are not multiplied by more at a time: what is known of the need is uncertain."""
FEWEST_COUNTED = 50
"""With fewer toys counted around a crossing its uncertainty is itself not known."""
ROUNDS = 60


@dataclass(frozen=True)
class StopRule:
    """When a search by toys ends.

    **Fields:** `relative_error`: the standard uncertainty of every limit, relative to its value (of an end of an
    interval, relative to the length of the interval), has to be at most this; `most_toys`: of both hypotheses and all
    values together, after which the search ends whatever is reached; `expected`: whether the expected limits count, too
    (they are found as well as they can be if not).

    >>> StopRule(relative_error=0.02)
    StopRule(relative_error=0.02, most_toys=2000000, expected=True)
    """

    relative_error: float = 0.05
    most_toys: int = 2_000_000
    expected: bool = True

    def __post_init__(self):
        if not 0 < self.relative_error < np.inf:
            raise InvalidModel(f"relative_error must be positive, such as 0.05; found {self.relative_error}")
        if self.most_toys < 1:
            raise InvalidModel(f"most_toys must be at least 1, found {self.most_toys}")


class Search:
    """Tested values in ascending order, none below `lowest`, and the toys that are left."""

    def __init__(self, scanner: Scanner, most_toys: int, lowest: float = 0.0):
        self.scanner, self.left, self.lowest = scanner, most_toys, lowest
        self.values: list[TestedValue] = []
        self.spent = self.n_prepared = 0

    def run(self, first: Sequence[float], plan: Callable[["Search"], dict[float, int]]) -> None:
        """Test the `first` values, then what `plan` asks for (`{value: toys to add}`), until it asks for nothing or no
        toys are left.
        """
        wanted = {value: self.scanner.toys.n_toys for value in first}
        for _ in range(ROUNDS):
            if not wanted or not self.throw(wanted):
                return
            wanted = plan(self)

    def throw(self, wanted: dict[float, int]) -> bool:
        """Throw as many of the wanted toys as are left; whether that were any."""
        each = [sum(self.scanner.counts(n)) for n in wanted.values()]
        share = min(1.0, self.left / sum(each))
        counts = {value: int(n * share) for value, n in wanted.items() if int(n * share) > 0}
        if not counts:
            return False
        values = [self._value(value) for value in counts]
        cost = sum(sum(self.scanner.counts(n)) for n in counts.values())
        thrown = self.scanner.thrown(values, list(counts.values()), self.spent)
        self.left, self.spent = self.left - cost, self.spent + cost
        kept = [each for each in self.values if each.poi_value not in counts]
        self.values = sorted([*kept, *thrown], key=lambda each: each.poi_value)
        return True

    def _value(self, poi_value: float) -> TestedValue:
        known = [each for each in self.values if each.poi_value == poi_value]
        if known:
            return known[0]
        self.n_prepared += 1
        return self.scanner.prepared(poi_value, self.n_prepared - 1)

    def around(self, crossing: Crossing, target: float) -> dict[float, int]:
        """What to add for a crossing that is not known to `target` (an uncertainty) yet: toys at it and at its sides.

        A value that lies close to a wanted one gets the toys in its place. Toys come in multiples of `n_toys`.
        """
        unit, length = self.scanner.toys.n_toys, 1 / abs(crossing.slope)
        gain = (crossing.uncertainty / target) ** 2 if np.isfinite(crossing.uncertainty) else 2.0
        gain = max(1.1 * gain, FEWEST_COUNTED / max(crossing.n_counted, 1.0))
        more = max(min(gain, MOST_GAIN) - 1, 0.0) * crossing.n_toys
        places = {self.near(crossing.value + shift * length, CLOSE * length) for shift in (-STEP, 0.0, STEP)}
        each = max(int(np.ceil(more / len(places) / unit)), 1) * unit
        return {place: each for place in places}

    def beyond(self, crossing: Crossing) -> dict[float, int]:
        """The next value where a crossing lies outside those that were tested."""
        is_last = crossing.value >= self.values[-1].poi_value
        step = GROWTH if is_last else 1 / GROWTH
        return {crossing.value * step: self.scanner.toys.n_toys}

    def everywhere(self) -> dict[float, int]:
        """As many toys again at all values."""
        return {each.poi_value: each.n_toys for each in self.values}

    def near(self, poi_value: float, distance: float) -> float:
        """A value that is tested already and close, or this one; below the lowest the closest there is."""
        known = [each.poi_value for each in self.values]
        closest = min(known, key=lambda each: abs(each - poi_value))
        return closest if abs(closest - poi_value) < distance or poi_value <= self.lowest else poi_value


def is_precise(crossing: Crossing, target: float) -> bool:
    """Whether a crossing is known to an uncertainty of `target`, and that uncertainty is to be believed."""
    return crossing.found and crossing.uncertainty <= target and crossing.n_counted >= FEWEST_COUNTED


def merged(plans: Sequence[dict[float, int]]) -> dict[float, int]:
    """Several wishes at once: the largest for each value."""
    result: dict[float, int] = {}
    for plan in plans:
        for value, n in plan.items():
            result[value] = max(n, result.get(value, 0))
    return dict(sorted(result.items()))
