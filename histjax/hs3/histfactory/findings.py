"""What is found while a document is read: numbers, and all that is wrong or doubtful with them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from histjax.errors import InvalidDocument, Problem

LARGEST = sys.float_info.max


@dataclass
class Findings:
    """Grows while one document is read, so that all problems are reported at once.

    **Fields:** `problems` that make the document unusable, and `doubts`, sentences about what is usable.
    """

    problems: list[Problem] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def problem(self, path: str, message: str) -> None:
        """Note what is wrong, once."""
        problem = Problem(path, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def doubt(self, message: str) -> None:
        """Note what is doubtful, once."""
        if message not in self.doubts:
            self.doubts.append(message)

    def check(self, source: str) -> None:
        """Raise `InvalidDocument` if there are problems."""
        if self.problems:
            raise InvalidDocument(source, self.problems)

    def number(self, value: Any, path: str, what: str) -> float | None:
        """A finite number as it is written, or `None` with a problem."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(path, f"{what}: expected a number, found {shown(value)}")
        elif not -LARGEST <= value <= LARGEST:
            found = repr(value) if isinstance(value, float) else "an integer beyond the range of a double"
            self.problem(path, f"{what}: expected a finite number, found {found}")
        else:
            return value
        return None

    def numbers(self, value: Any, path: str, what: str, size: int | None = None) -> tuple[float, ...] | None:
        """A list of finite numbers as they are written, `(size,)`, or `None` with a problem."""
        if not isinstance(value, list):
            self.problem(path, f"{what}: expected a list of numbers, found {shown(value)}")
            return None
        if size is not None and len(value) != size:
            self.problem(path, f"{what} has {len(value)} entries, expected {size}")
            return None
        numbers = [self.number(each, f"{path}/{index}", what) for index, each in enumerate(value)]
        return None if any(each is None for each in numbers) else tuple(numbers)

    def names(self, value: Any, path: str, what: str, size: int) -> tuple[str, ...] | None:
        """A list of names, `(size,)`, or `None` with a problem; a single name stands for a list of one."""
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            self.problem(path, f"{what}: expected a list of names, found {shown(value)}")
        elif len(listed) != size:
            self.problem(path, f"{what}: found {len(listed)} names, there are {size} bins")
        else:
            return tuple(listed)
        return None

    def choice(self, value: Any, known: Sequence[str], path: str, what: str) -> str | None:
        """One of some words, or `None` with a problem."""
        if isinstance(value, str) and value in known:
            return value
        self.problem(path, f"{what}: found {shown(value)}, expected one of {', '.join(known)}")
        return None


def shown(value: Any) -> str:
    """A value of a document in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
