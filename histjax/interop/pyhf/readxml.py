"""`readxml`: HistFactory XML with its ROOT histograms as the document of a workspace."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

from histjax.readers import write_workspace
from histjax.readers.xml import read_xml


def parse(
    configfile: str | Path | IO,
    rootdir: str | Path,
    mounts: Iterable[tuple[str | Path, str | Path]] | None = None,
    track_progress: bool = False,
    validation_as_error: bool = True,
) -> dict:
    """The document of the workspace that the XML describes; see `histjax.read_xml`, which knows more than it can say.

    A sample without `NormalizeByTheory` has no luminosity, as in pyhf. Otherwise what ROOT reads is read: bins below
    the `RelErrorThreshold` have no statistical uncertainty, bins of a shapesys can be held, and settings of parameters
    that the model does not have (the luminosity, too) are left out. Constraint terms that the format cannot hold are
    announced by a `DocumentWarning`.

    **Arguments:**

    - `configfile`: the file with the Combination, or an open one.
    - `rootdir`: where relative paths start; files outside of it and of the mounts are refused.
    - `mounts`: pairs of a folder here and what the document calls it.
    - `track_progress`, `validation_as_error`: change nothing; what is read is always checked.

    **Raises:** `InvalidDocument` with *all* problems, each with file and line; `MissingExtra` without uproot.
    """
    del track_progress, validation_as_error
    read = read_xml(configfile, root_directory=rootdir, mounts=mounts or (), normalise_by_theory=False)
    return write_workspace(read.workspace)


def clear_filecache() -> None:
    """Do nothing: ROOT files are closed when `parse` ends."""
