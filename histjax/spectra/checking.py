"""What the records of this package have in common: arrays that cannot be changed, and all problems at once."""

import numpy as np

from histjax.errors import InvalidSpectrum


class Problems:
    """Problems of one record, collected; `raise_any` says all of them in one message."""

    def __init__(self, what: str):
        self.what, self.found = what, []

    def add(self, bad, message: str) -> None:
        """Note `message` if something is bad."""
        if bad:
            self.found.append(message)

    def raise_any(self) -> None:
        """Raise `InvalidSpectrum` if there were any."""
        if self.found:
            raise InvalidSpectrum(self.what, self.found)

    def array(self, name: str, value, shape: tuple[int | None, ...], *, positive: str = "") -> np.ndarray | None:
        """`value` as a constant array of float64 of that shape (`None`: any length), or `None` with a problem noted.

        `positive` says that numbers must be `">= 0"` or `"> 0"`.
        """
        try:
            array = np.array(value, float)
        except (TypeError, ValueError):
            self.found.append(f"{name} must be numbers, found {value!r:.60}")
            return None
        if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
            sizes = ", ".join("n" if n is None else str(n) for n in shape)
            expected = f"({sizes},)" if len(shape) == 1 else f"({sizes})"
            self.found.append(f"{name} has shape {array.shape}, expected {expected}")
            return None
        bad = ~np.isfinite(array)
        if positive:
            bad |= array < 0 if positive == ">= 0" else array <= 0
        if np.any(bad):
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            wanted = f"finite numbers {positive}".rstrip()
            where = ", ".join(map(str, place))
            self.found.append(f"{name} must be {wanted}, found {array[place]:g} at [{where}]")
            return None
        return constant(array)

    def per_channel(self, name: str, value, n: int, *, positive: str = "") -> np.ndarray | None:
        """A number, or one for each channel, as one for each channel."""
        if np.ndim(value) == 0:
            value = self.array(name, value, (), positive=positive)
            return None if value is None else constant(np.full(n, float(value)))
        return self.array(name, value, (n,), positive=positive)


def constant(array: np.ndarray) -> np.ndarray:
    """The array, which nobody can write to any more."""
    array = np.array(array)
    array.setflags(write=False)
    return array


def ranges_of(problems: Problems, name: str, value) -> np.ndarray | None:
    """Bins as `(bins, 2)`, from edges `(bins + 1,)` or from their lower and upper ends `(bins, 2)`."""
    if np.ndim(value) == 1:
        edges = problems.array(name, value, (None,), positive=">= 0")
        if edges is not None and edges.size < 2:
            problems.add(True, f"{name} must have two edges or more, found {edges.size}")
            return None
        ranges = None if edges is None else np.stack([edges[:-1], edges[1:]], axis=1)
    else:
        ranges = problems.array(name, value, (None, 2), positive=">= 0")
    if ranges is None:
        return None
    wrong = np.flatnonzero(ranges[:, 0] >= ranges[:, 1])
    if wrong.size:
        low, high = ranges[wrong[0]]
        problems.add(True, f"{name} must have lower ends below upper ones, found {low:g} to {high:g} at [{wrong[0]}]")
        return None
    return constant(ranges)
