"""FITS files as plain values: what astropy reads, and what is said where it cannot."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histjax.errors import InvalidSpectrum, MissingExtra

UNREADABLE = OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError
"""What astropy raises for a file that is cut off or is none."""


@dataclass(frozen=True, eq=False)
class Extension:
    """A binary table of a file: upper-case names to keywords, columns, units and smallest legal values (TLMIN).

    A column of arrays of variable length is an array of arrays.
    """

    path: Path
    name: str
    keywords: Mapping[str, object]
    columns: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    minima: Mapping[str, int]
    n_rows: int

    def __str__(self) -> str:
        return f"{self.path}, extension {self.name!r}"

    def column(self, name: str) -> np.ndarray:
        """A column; raises `InvalidSpectrum` where it is missing."""
        if name not in self.columns:
            raise InvalidSpectrum(str(self), [f"column {name} is missing; there are: {', '.join(self.columns)}"])
        return self.columns[name]

    def numbers(self, name: str) -> np.ndarray:
        """A column of one number in each row, as float64."""
        column = self.column(name)
        if column.ndim != 1 or column.dtype.kind not in "iufb":
            raise InvalidSpectrum(
                str(self),
                [f"column {name} must have one number in each row, found {column.dtype} of shape {column.shape[1:]}"],
            )
        return column.astype(float)

    def integers(self, name: str) -> np.ndarray:
        """A column of one whole number in each row."""
        column = self.numbers(name)
        if not np.all(column == np.round(column)) or not np.all(np.isfinite(column)):
            raise InvalidSpectrum(str(self), [f"column {name} must have whole numbers"])
        return column.astype(int)

    def row(self, name: str, row: int) -> np.ndarray:
        """The numbers in one row of a column, as many as there are."""
        cell = np.atleast_1d(self.column(name)[row]).ravel()
        if cell.size and (cell.dtype.kind not in "iuf" or not np.all(np.isfinite(cell))):
            raise InvalidSpectrum(str(self), [f"column {name} must have finite numbers, row {row + 1} has others"])
        return cell

    def number(self, name: str, default: float | None = None) -> float:
        """A keyword that is a number; raises `InvalidSpectrum` where it is none, or missing without a default."""
        value = self.keywords.get(name, default)
        if value is None:
            raise InvalidSpectrum(str(self), [f"keyword {name} is missing"])
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidSpectrum(str(self), [f"keyword {name} must be a number, found {value!r}"])
        return float(value)

    def text(self, name: str) -> str:
        """A keyword as text, empty where it is missing."""
        return str(self.keywords.get(name, "")).strip()

    def scaled(self, name: str, factors: Mapping[str, float]) -> np.ndarray:
        """A column in the first of the units; without a unit it is taken to have that one."""
        unit = self.units.get(name, "").strip()
        known = {each.lower(): factor for each, factor in factors.items()}
        if unit and unit.lower() not in known:
            raise InvalidSpectrum(str(self), [f"column {name} has unit {unit!r}, expected one of {', '.join(factors)}"])
        return self.numbers(name) * known.get(unit.lower(), 1.0)


def extensions(path: str | os.PathLike) -> list[Extension]:
    """The binary tables of a FITS file.

    **Raises:** `InvalidSpectrum` for a file that cannot be read, `MissingExtra` without astropy.
    """
    fits, path = _fits(), Path(path)
    if not path.is_file():
        raise InvalidSpectrum(str(path), ["there is no such file"])
    try:
        # a file that is damaged is told below, and that a keyword is no good is no concern where it is not used
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(path, memmap=False) as file:
                return [_extension(path, each) for each in file if isinstance(each, fits.BinTableHDU)]
    except (*UNREADABLE, fits.VerifyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"no FITS file, or a damaged one: {reason}"
        raise InvalidSpectrum(str(path), [message]) from None


def _extension(path: Path, table) -> Extension:
    header, data = table.header, table.data
    names = [each.upper() for each in table.columns.names]
    return Extension(
        path,
        table.name,
        {str(key).upper(): value for key, value in header.items() if key},
        {name: _native(data.field(i)) for i, name in enumerate(names)},
        {name: each.unit or "" for name, each in zip(names, table.columns, strict=True)},
        {name: int(header[f"TLMIN{i}"]) for i, name in enumerate(names, 1) if f"TLMIN{i}" in header},
        len(data),
    )


def _native(column) -> np.ndarray:
    """The column as a NumPy array of this machine's byte order."""
    array = np.asarray(column)
    if array.dtype.kind == "O":
        rows = np.empty(len(array), object)
        for i, each in enumerate(array):
            rows[i] = np.asarray(each)
        return rows
    return array.astype(array.dtype.newbyteorder("=")) if array.dtype.kind in "iuf" else array


def named(path: str | os.PathLike, kind: str, names: tuple[str, ...], hduclass: tuple[str, str]) -> Extension:
    """The one extension of a file that has one of the `names`, or else says what it is by `hduclass`, a keyword and its
    value.
    """
    tables = extensions(path)
    found = [each for each in tables if each.name.upper() in names]
    found = found or [each for each in tables if each.text(hduclass[0]).upper() == hduclass[1]]
    if len(found) == 1:
        return found[0]
    there = ", ".join(repr(each.name) for each in tables) or "none"
    if not found:
        raise InvalidSpectrum(str(path), [f"no {kind}: expected an extension {names[0]!r}, found {there}"])
    raise InvalidSpectrum(str(path), [f"expected one {kind}, found {len(found)}: keep one of them in the file"])


def _fits():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from astropy.io import fits
    except ImportError:
        message = "reading OGIP files needs astropy, which is not installed: pip install 'histjax[spectra]'"
        raise MissingExtra(message) from None
    return fits
