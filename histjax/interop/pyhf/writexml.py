"""`writexml`: the document of a workspace as HistFactory XML with its histograms in a ROOT file."""

import os
import secrets
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from histjax.errors import DocumentWarning
from histjax.interop.pyhf.documents import plain
from histjax.readers import read_workspace
from histjax.readers.xml.folders import CannotWriteFolder
from histjax.readers.xml.schema import NAME as SCHEMA
from histjax.readers.xml.schema import schema
from histjax.readers.xml.writing import Layout, xml_files


def writexml(spec: Mapping, specdir: str | Path, data_rootdir: str | Path, resultprefix: str) -> bytes:
    """Write the channel files, the histograms and the document type, and return the Combination, which is not written.

    The files are `specdir/RESULTPREFIX_CHANNEL.xml`, `data_rootdir/data.root` and, in the folder above `specdir`, the
    document type; the Combination belongs there, too. Files of these names are replaced. Paths in the files are those
    that are given here: relative ones start from the working directory. What is in the files is what
    `histjax.write_xml` writes, which is another way to do the same.

    **Raises:** `InvalidDocument` with all that is wrong with `spec` or that XML cannot say; `CannotWriteFolder` where
    the folders are not there; `MissingExtra` without uproot. What is written otherwise than it was given is a
    `DocumentWarning`.
    """
    specdir, data = Path(specdir), Path(data_rootdir) / "data.root"
    workspace, _ = read_workspace(plain(spec), "the workspace")
    layout = Layout(specdir.as_posix(), data.as_posix(), SCHEMA, f"../{SCHEMA}")
    files = xml_files(workspace, resultprefix, layout)
    _replace(specdir.parent / SCHEMA, lambda path: path.write_text(schema(), encoding="utf-8"))
    for name, text in files.channels.items():
        _replace(specdir / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    _replace(data, files.histograms.write)
    for doubt in files.doubts:
        warnings.warn(f"{specdir}: {doubt}", DocumentWarning, stacklevel=2)
    return files.combination.encode()


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and rename it."""
    temporary = path.parent / f".histjax-{secrets.token_hex(8)}.tmp"
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise CannotWriteFolder(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
