"""Spectra in PHA files of type I: OGIP/92-007."""

import os
from dataclasses import dataclass

import numpy as np

from histjax.errors import InvalidSpectrum
from histjax.spectra.ogip.extensions import Extension, named


@dataclass(frozen=True, eq=False)
class Measured:
    """What a PHA file has, arrays `(channels,)`; `errors` are the statistical ones, `None` where counts are Poisson
    numbers, and `systematic` the relative systematic ones. `table` is the extension it comes from.
    """

    table: Extension
    first_channel: int
    counts: np.ndarray
    errors: np.ndarray | None
    systematic: np.ndarray
    exposure: float
    area_scale: np.ndarray
    back_scale: np.ndarray
    quality: np.ndarray
    grouping: np.ndarray

    def file(self, keyword: str) -> str | None:
        """The file that a keyword names, looked for beside this one; `None` where it names none."""
        name = self.table.text(keyword)
        return None if name.upper() in ("", "NONE") else os.path.join(self.table.path.parent, name)


def measured(path: str | os.PathLike) -> Measured:
    """The spectrum of a file; raises `InvalidSpectrum`."""
    table = named(path, "spectrum", ("SPECTRUM",), ("HDUCLAS1", "SPECTRUM"))
    if table.text("HDUCLAS4").upper() == "TYPE:II" or any(c.ndim > 1 for c in table.columns.values()):
        raise InvalidSpectrum(str(table), ["a file of type II, with several spectra: write each to a file of its own"])
    if not table.n_rows:
        raise InvalidSpectrum(str(table), ["there are no channels"])
    numbers = table.integers("CHANNEL")
    if np.any(np.diff(numbers) != 1):
        raise InvalidSpectrum(str(table), ["column CHANNEL must count up by one"])
    exposure = table.number("EXPOSURE")
    if not 0 < exposure < np.inf:
        raise InvalidSpectrum(str(table), [f"keyword EXPOSURE must be positive, found {exposure:g}"])
    if "COUNTS" not in table.columns and "RATE" not in table.columns:
        found = ", ".join(table.columns)
        raise InvalidSpectrum(str(table), [f"neither column COUNTS nor column RATE; there are: {found}"])
    seconds = 1.0 if "COUNTS" in table.columns else exposure
    counts = seconds * table.numbers("COUNTS" if "COUNTS" in table.columns else "RATE")
    is_poisson = table.keywords.get("POISSERR", "STAT_ERR" not in table.columns)
    if not isinstance(is_poisson, bool):
        raise InvalidSpectrum(str(table), [f"keyword POISSERR must be T or F, found {is_poisson!r}"])
    return Measured(
        table,
        int(numbers[0]),
        counts,
        None if is_poisson else seconds * table.numbers("STAT_ERR"),
        _each(table, "SYS_ERR", 0.0),
        exposure,
        _each(table, "AREASCAL", 1.0),
        _each(table, "BACKSCAL", 1.0),
        _each(table, "QUALITY", 0.0),
        _each(table, "GROUPING", 0.0),
    )


def _each(table: Extension, name: str, default: float) -> np.ndarray:
    """A number for each channel, from a column or, for all channels, from a keyword."""
    return table.numbers(name) if name in table.columns else np.full(table.n_rows, table.number(name, default))


def groups_of(spectrum: Measured) -> np.ndarray:
    """Numbers of the bins: a channel with GROUPING -1 belongs to the one before it."""
    bad = np.flatnonzero(~np.isin(spectrum.grouping, (-1, 0, 1)))
    if bad.size:
        found = f"{spectrum.grouping[bad[0]]:g} in row {bad[0] + 1}"
        raise InvalidSpectrum(str(spectrum.table), [f"GROUPING must be 1, 0 or -1, found {found}"])
    starts = spectrum.grouping != -1
    starts[0] = True
    return np.maximum.accumulate(np.where(starts, np.arange(starts.size), 0))
