"""The table of all toys of a test, from a store to a file: Parquet or NPZ, slice by slice, in constant memory."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from histjax.errors import InvalidStore
from histjax.inference.toys.slices import Slice
from histjax.inference.toys.store import ToyStore, without_overlaps, written_whole

COLUMNS = {
    "hypothesis": np.dtype(np.int32),
    "number": np.dtype(np.int64),
    "statistic": np.dtype(np.float64),
    "best": np.dtype(np.float64),
    "status": np.dtype(np.int32),
    "iterations": np.dtype(np.int32),
    "edm": np.dtype(np.float64),
    "attempt": np.dtype(np.int32),
    "finished": np.dtype(np.bool_),
}
"""Columns of the table: which hypothesis (1 tested, 0 the other) and which toy of it; then those of `Toy`."""


def check_table(path: str | Path) -> None:
    """Raise `InvalidStore` before the work, where the table could not be written after it."""
    path = Path(path)
    if path.suffix not in (".parquet", ".npz"):
        raise InvalidStore(
            f"{path}: a table of toys is a .parquet or a .npz file, found {path.suffix or 'no ending'!r}"
        )
    if not path.absolute().parent.is_dir():
        raise InvalidStore(f"{path}: there is no directory {str(path.parent)!r}")
    if path.suffix == ".parquet":
        _pyarrow()


def write_table(store: ToyStore, path: str | Path, label: str | None = None) -> int:
    """Write the table of all toys of a test to a `.parquet` or `.npz` file; returns the number of rows.

    `label` names the test where the store has several. Rows are in the order of hypothesis and number.

    **Raises:** `InvalidStore` where the columns of a slice were not kept or are damaged, for another ending of the
    file, and where pyarrow is missing.
    """
    check_table(path)
    pieces = _pieces(store, label)
    write = _write_parquet if Path(path).suffix == ".parquet" else _write_npz
    try:
        written_whole(Path(path), lambda file: write(file, store, pieces))
    except OSError as error:
        raise InvalidStore(f"{path}: cannot be written: {error.strerror or error}") from None
    return sum(piece.n_toys for piece in pieces)


def _pieces(store: ToyStore, label: str | None) -> list[Slice]:
    """The slices of the test, each toy once: a store may have been filled with slices of two sizes."""
    labels = sorted({piece.label for piece in store.slices()})
    if label is None and len(labels) != 1:
        raise InvalidStore(f"{store.directory}: toys of {len(labels)} tests are kept here; name one of them: {labels}")
    wanted = [piece for piece in store.slices() if piece.label == (labels[0] if label is None else label)]
    return without_overlaps(wanted)


def _rows(store: ToyStore, piece: Slice) -> dict[str, np.ndarray]:
    result = store.load(piece)
    if result is None or result.toys is None:
        raise InvalidStore(
            f"{store.directory}: the columns of toys {piece.start} to {piece.stop} are not there; throw them again "
            "with keep=True (--table on the command line)"
        )
    numbers = np.arange(piece.start, piece.stop)
    columns = {"hypothesis": np.full(piece.n_toys, piece.hypothesis), "number": numbers, **result.toys._asdict()}
    return {name: np.asarray(columns[name]).astype(kind) for name, kind in COLUMNS.items()}


def _write_npz(file, store: ToyStore, pieces: list[Slice]) -> None:
    """Column by column: an NPY header with the full length, then the slices."""
    n_rows = sum(piece.n_toys for piece in pieces)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, kind in COLUMNS.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": kind.str, "fortran_order": False, "shape": (n_rows,)}
                np.lib.format.write_array_header_2_0(member, header)
                for piece in pieces:
                    member.write(_rows(store, piece)[name].tobytes())


def _write_parquet(file, store: ToyStore, pieces: list[Slice]) -> None:
    """Slice by slice, each a row group."""
    pyarrow = _pyarrow()
    from pyarrow import parquet

    kinds = [(name, pyarrow.from_numpy_dtype(kind)) for name, kind in COLUMNS.items()]
    schema = pyarrow.schema(kinds)
    with parquet.ParquetWriter(file, schema) as writer:
        for table in _tables(pyarrow, schema, store, pieces):
            writer.write_table(table)


def _tables(pyarrow, schema, store: ToyStore, pieces: list[Slice]) -> Iterator:
    for piece in pieces:
        yield pyarrow.table(_rows(store, piece), schema=schema)


def _pyarrow():
    try:
        import pyarrow
    except ImportError:
        raise InvalidStore(
            "a Parquet table needs pyarrow, which is not installed: pip install 'histjax[tables]', or write a .npz file"
        ) from None
    return pyarrow
