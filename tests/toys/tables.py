"""Reads a table of toys by the library that its format belongs to."""

from pathlib import Path

import numpy as np
import pytest


def read_table(path: Path) -> dict[str, np.ndarray]:
    """The columns by name."""
    if path.suffix == ".npz":
        with open(path, "rb") as file, np.load(file) as table:
            return dict(table)
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}
