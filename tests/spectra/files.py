"""Files of a small instrument in the formats of OGIP/92-007 and CAL/GEN/92-002, written with astropy."""

from pathlib import Path

import numpy as np

ENERGIES = np.geomspace(10.0, 100.0, 7)
"""Edges of the energy bins in keV; numbers of single precision, as in files."""
CHANNELS = np.array([5.0, 12.0, 25.0, 50.0, 120.0])
COUNTS, OFF = np.array([14, 30, 22, 9]), np.array([40, 36, 20, 11])


def matrix(area: float = 1.0) -> np.ndarray:
    """A redistribution matrix with zeros at the ends, and in the middle of the fourth row, `(energies, channels)`."""
    dense = np.array(
        [
            [0.75, 0.125, 0.0, 0.0],
            [0.25, 0.625, 0.0, 0.0],
            [0.125, 0.5, 0.25, 0.0],
            [0.125, 0.0, 0.5, 0.25],
            [0.0, 0.125, 0.25, 0.5],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    return area * dense


def table(fits, name: str, columns, keywords=()):
    """A binary table with keywords."""
    columns = [fits.Column(*each[:2], array=each[2], unit=each[3] if len(each) > 3 else None) for each in columns]
    made = fits.BinTableHDU.from_columns(columns, name=name)
    for keyword, value in dict(keywords).items():
        made.header[keyword] = value
    return made


def write(fits, path: Path, *tables) -> Path:
    """A file of tables."""
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path, overwrite=True)
    return path


def groups(row: np.ndarray) -> list[tuple[int, int]]:
    """First channel, from 0, and number of channels of each run of nonzero elements."""
    filled = np.flatnonzero(row)
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)
    return [(int(run[0]), run.size) for run in runs if run.size]


def matrix_table(fits, dense: np.ndarray, first: int, *, variable: bool = True, minimum: bool = True, name="MATRIX"):
    """The matrix in its compressed form; with arrays of variable length, or of fixed length and filled up."""
    found = [groups(row) for row in dense]
    firsts = [np.array([start + first for start, _ in each], np.int16) for each in found]
    numbers = [np.array([size for _, size in each], np.int16) for each in found]
    elements = [np.array([x for start, size in each for x in row[start : start + size]], np.float32)
                for each, row in zip(found, dense, strict=True)]  # fmt: skip
    if variable:
        kinds = "PI()", "PI()", "PE()"
        arrays = [_ragged(each) for each in (firsts, numbers, elements)]
    else:
        kinds, arrays = [], []
        for each, letter in ((firsts, "I"), (numbers, "I"), (elements, "E")):
            n = max(row.size for row in each)
            kinds.append(f"{n}{letter}")
            arrays.append(np.array([np.pad(row, (0, n - row.size)) for row in each]))
    n_groups = np.array([len(each) for each in found], np.int16)
    columns = [
        ("ENERG_LO", "E", ENERGIES[:-1], "keV"),
        ("ENERG_HI", "E", ENERGIES[1:], "keV"),
        ("N_GRP", "I", n_groups),
        *zip(("F_CHAN", "N_CHAN", "MATRIX"), kinds, arrays, strict=True),
    ]
    keywords = {"TLMIN4": first} if minimum else {}
    return table(fits, name, columns, keywords | {"HDUCLAS1": "RESPONSE", "HDUCLAS2": "RSP_MATRIX"})


def _ragged(rows: list[np.ndarray]) -> np.ndarray:
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def bounds_table(fits, first: int):
    """Energies of the channels."""
    numbers = np.arange(first, first + CHANNELS.size - 1, dtype=np.int16)
    columns = [("CHANNEL", "I", numbers), ("E_MIN", "E", CHANNELS[:-1], "keV"), ("E_MAX", "E", CHANNELS[1:], "keV")]
    return table(fits, "EBOUNDS", columns)


def area_table(fits, area: np.ndarray, energies: np.ndarray = ENERGIES, unit: str = "cm**2"):
    """An effective area."""
    low, high = ("ENERG_LO", "E", energies[:-1], "keV"), ("ENERG_HI", "E", energies[1:], "keV")
    return table(fits, "SPECRESP", [low, high, ("SPECRESP", "E", area, unit)])


def spectrum_table(fits, counts, first: int = 1, columns=(), **keywords):
    """A spectrum of type I; keywords that are not given are the common ones."""
    numbers = np.arange(first, first + len(counts), dtype=np.int16)
    defaults = dict(EXPOSURE=10.0, BACKSCAL=1.0, AREASCAL=1.0, POISSERR=True, HDUCLAS1="SPECTRUM", HDUCLAS2="TOTAL")
    return table(fits, "SPECTRUM", [("CHANNEL", "I", numbers), ("COUNTS", "J", counts), *columns], defaults | keywords)


def write_all(fits, folder: Path, first: int = 1) -> dict[str, Path]:
    """An RMF, an ARF, a background and a spectrum that names them."""
    made = {name: folder / f"source.{name}" for name in ("rmf", "arf", "bak", "pha")}
    write(fits, made["rmf"], matrix_table(fits, matrix(), first), bounds_table(fits, first))
    write(fits, made["arf"], area_table(fits, np.linspace(50.0, 100.0, 6)))
    write(fits, made["bak"], spectrum_table(fits, OFF, first, BACKSCAL=4.0, EXPOSURE=20.0))
    names = dict(RESPFILE=made["rmf"].name, ANCRFILE=made["arf"].name, BACKFILE=made["bak"].name)
    quality = ("QUALITY", "I", np.array([0, 0, 0, 2]))
    grouping = ("GROUPING", "I", np.array([1, -1, 1, 1]))
    write(fits, made["pha"], spectrum_table(fits, COUNTS, first, [quality, grouping], **names))
    return made
