"""What came of asking every patch of a grid: in order, with the status of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from histjax.errors import UnknownName
from histjax.grids.running import Answer
from histjax.grids.tasks import Task


class PointStatus(Enum):
    """What came of one patch."""

    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    NO_MODEL = "no model"
    NO_POI = "no parameter of interest"


@dataclass(frozen=True)
class PointResult:
    """The answer for one patch.

    **Fields:** `name` and `values` of the patch; `observed` and `expected` `(5,)`, a CLs or an upper limit, NaN where
    there is none; `best`, the best-fit value of the parameter of interest; `status`, and `message` which says it in
    words; `attempts`, how often it was tried; `result`, the whole `HypotestResult` or `UpperLimit`, or `None`.
    """

    name: str
    values: tuple[float | str, ...]
    observed: float
    expected: Float[np.ndarray, "n_sigma"]
    best: float
    status: PointStatus
    message: str
    attempts: int
    result: Any = field(repr=False)

    @classmethod
    def of(cls, name: str, values: tuple, task: Task, answer: Answer) -> "PointResult":
        """From the answer to a task."""
        numbers = task.numbers(answer.result)
        status = PointStatus.NOT_CONVERGED if answer.message else PointStatus.CONVERGED
        observed, best = float(numbers["observed"]), float(numbers["best"])
        expected, message = np.asarray(numbers["expected"]), answer.message or "converged"
        return cls(name, values, observed, expected, best, status, message, answer.attempts, answer.result)

    @classmethod
    def failed(cls, name: str, values: tuple, status: PointStatus, message: str) -> "PointResult":
        """Where there was nothing to ask."""
        return cls(name, values, np.nan, np.full(5, np.nan), np.nan, status, message, 0, None)

    @property
    def converged(self) -> bool:
        """Whether to believe it."""
        return self.status is PointStatus.CONVERGED


@dataclass(frozen=True, repr=False)
class GridResult:
    """The answers for all patches of a grid, in order.

    **Fields:** `quantity` is `"CLs"` or `"upper limit"`; `labels` say what the values of a patch are; `poi` is the
    parameter of interest; `points` has one record for each patch, whatever came of it.
    """

    quantity: str
    labels: tuple[str, ...]
    poi: str
    points: tuple[PointResult, ...]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[PointResult]:
        return iter(self.points)

    def __getitem__(self, key: str | tuple | list) -> PointResult:
        """The record of the patch with this name, or with these values; raises `UnknownName`."""
        for point in self.points:
            if key == point.name or (isinstance(key, tuple | list) and tuple(key) == point.values):
                return point
        raise UnknownName("patch", key, [point.name if isinstance(key, str) else point.values for point in self.points])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches."""
        return tuple(point.name for point in self.points)

    @property
    def values(self) -> tuple[tuple, ...]:
        """The values of the patches."""
        return tuple(point.values for point in self.points)

    @property
    def observed(self) -> Float[np.ndarray, "patches"]:
        """The observed CLs or upper limits."""
        return np.array([point.observed for point in self.points])

    @property
    def expected(self) -> Float[np.ndarray, "patches n_sigma"]:
        """The expected ones at -2, -1, 0, +1, +2 sigma of the background-only hypothesis."""
        return np.array([point.expected for point in self.points])

    @property
    def best(self) -> Float[np.ndarray, "patches"]:
        """The best-fit values of the parameter of interest."""
        return np.array([point.best for point in self.points])

    @property
    def converged(self) -> Bool[np.ndarray, "patches"]:
        """Which of them to believe."""
        return np.array([point.converged for point in self.points], bool)

    @property
    def message(self) -> str:
        """What happened, in words."""
        lost = [point for point in self.points if not point.converged]
        if not lost:
            return "converged"
        return f"{len(lost)} of {len(self)} patches: " + "; ".join(f"{each.name}: {each.message}" for each in lost[:5])

    def rows(self) -> list[dict]:
        """One plain dictionary for each patch, ready to be written as JSON: name, values, the numbers, the status."""
        return [
            {
                "name": point.name,
                "values": list(point.values),
                "observed": point.observed,
                "expected": point.expected.tolist(),
                "best": point.best,
                "converged": point.converged,
                "status": point.status.value,
                "message": point.message,
                "attempts": point.attempts,
            }
            for point in self.points
        ]

    def __str__(self) -> str:
        from histjax.grids.printing import grid_table

        return grid_table(self)

    __repr__ = __str__
