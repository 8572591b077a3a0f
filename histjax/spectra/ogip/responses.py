"""Responses: the redistribution matrix (RMF) with the energies of the channels, and the effective area (ARF).

CAL/GEN/92-002. A matrix is stored by rows, the energies; of each row only groups of neighbouring channels: N_GRP of
them, from channel F_CHAN on N_CHAN each, their elements after each other in MATRIX.
"""

import os
import warnings

import numpy as np

from histjax.errors import DocumentWarning, InvalidSpectrum
from histjax.spectra.ogip.extensions import Extension, named
from histjax.spectra.response import Response

ENERGY = {"keV": 1.0, "eV": 1e-3, "MeV": 1e3, "GeV": 1e6}
AREA = {"cm**2": 1.0, "cm2": 1.0, "cm^2": 1.0, "m**2": 1e4, "m2": 1e4, "m^2": 1e4}

SAME = 1e-3
"""Difference between the energy bins of an ARF and an RMF, in widths of a bin, that is rounding."""


def response_of(rmf: str | os.PathLike, arf: str | os.PathLike | None) -> Response:
    """The response of a matrix file and an area file."""
    matrix = named(rmf, "response matrix", ("MATRIX", "SPECRESP MATRIX"), ("HDUCLAS2", "RSP_MATRIX"))
    bounds = named(rmf, "table of channel energies", ("EBOUNDS",), ("HDUCLAS2", "EBOUNDS"))
    numbers = bounds.integers("CHANNEL")
    if np.any(np.diff(numbers) != 1):
        raise InvalidSpectrum(str(bounds), ["column CHANNEL must count up by one"])
    energies = _bins(matrix, "ENERG_LO", "ENERG_HI")
    area = None if arf is None else _area(arf, energies, matrix)
    channels = _bins(bounds, "E_MIN", "E_MAX")
    return Response(energies, _dense(matrix, numbers.size), area, channels, int(numbers[0]))


def _bins(table: Extension, low: str, high: str) -> np.ndarray:
    ends = [table.scaled(name, ENERGY) for name in (low, high)]
    if not ends[0].size:
        raise InvalidSpectrum(str(table), ["there are no rows"])
    return np.stack([np.minimum(*ends), np.maximum(*ends)], axis=1)


def _dense(table: Extension, n_channels: int) -> np.ndarray:
    """The matrix with all its zeros, `(energies, channels)`."""
    first_number = table.minima.get("F_CHAN", 1)
    groups = table.integers("N_GRP")
    dense = np.zeros((table.n_rows, n_channels))
    for row in range(table.n_rows):
        first, count, element = (table.row(name, row) for name in ("F_CHAN", "N_CHAN", "MATRIX"))
        n, place = groups[row], 0
        if n > min(first.size, count.size):
            message = f"row {row + 1} has N_GRP = {n}, and F_CHAN and N_CHAN of {min(first.size, count.size)} groups"
            raise InvalidSpectrum(str(table), [message])
        for start, size in zip(first[:n].astype(int) - first_number, count[:n].astype(int), strict=True):
            if size < 0 or (size and not 0 <= start <= start + size <= n_channels) or place + size > element.size:
                message = (
                    f"row {row + 1} has {size} elements from channel {start + first_number} on, which are not in the "
                    f"{n_channels} channels or not in MATRIX; the first channel is {first_number} (TLMIN of F_CHAN, by "
                    "default 1)"
                )
                raise InvalidSpectrum(str(table), [message])
            dense[row, start : start + size] += element[place : place + size]
            place += size
    return dense


def _area(arf: str | os.PathLike, energies: np.ndarray, matrix: Extension) -> np.ndarray:
    """The effective area on the energy bins of the matrix."""
    table = named(arf, "effective area", ("SPECRESP",), ("HDUCLAS2", "SPECRESP"))
    own = _bins(table, "ENERG_LO", "ENERG_HI")
    if own.shape != energies.shape:
        message = f"expected the {len(energies)} energy bins of {matrix.path}, found {len(own)}"
        raise InvalidSpectrum(str(table), [message])
    apart = np.abs(own - energies) > SAME * np.diff(energies, axis=1)
    if np.any(apart):
        row = int(np.flatnonzero(apart.any(axis=1))[0])
        low, high = energies[row]
        message = f"row {row + 1} is of {own[row, 0]:g} to {own[row, 1]:g} keV, in {matrix.path} of {low:g} to {high:g}"
        raise InvalidSpectrum(str(table), [message])
    if matrix.text("HDUCLAS3").upper() == "FULL":
        doubt = f"{matrix}: it says that it contains the effective area (HDUCLAS3 = FULL), and {arf} is multiplied on"
        warnings.warn(doubt, DocumentWarning, stacklevel=5)
    return table.scaled("SPECRESP", AREA)
