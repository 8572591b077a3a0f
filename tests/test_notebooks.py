"""Every notebook runs from top to bottom without a warning, and is kept without outputs, under a title."""

import re
from pathlib import Path

import jax
import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@pytest.fixture
def read(path) -> nbformat.NotebookNode:
    """The notebook as it is kept."""
    return nbformat.read(path, as_version=4)


def messages(cell) -> list[str]:
    """What a cell has written to standard error, warnings among it."""
    return [each.text for each in cell.get("outputs", ()) if each.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, read, monkeypatch):
    """In its own folder no cell raises or warns, and the last one shows something; programs are those that the tests
    have compiled.
    """
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", jax.config.jax_compilation_cache_dir)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(read, timeout=300, kernel_name="python3", resources=where).execute()
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert code[-1].outputs
    assert not [text for cell in code for text in messages(cell)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_has_no_outputs(path, read):
    """Outputs are made by running it, not kept, and nothing of the machine that it was written on."""
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in read.cells)
    assert read.metadata.kernelspec == KERNEL


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_has_a_title(path, read):
    """It begins with one, and there is no other."""
    titles = [cell for cell in read.cells if cell.cell_type == "markdown" and re.search(r"(?m)^# \S", cell.source)]
    assert titles == read.cells[:1]
    assert read.cells[0].source.startswith("# ")
