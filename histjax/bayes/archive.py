"""Files of draws: what was sampled, and chunks that are written while a sampler runs, so that it can go on."""

import json
import shutil
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histjax.errors import DamagedStore, InvalidStore
from histjax.inference.toys.store import differences, written_whole

FORMAT = 1
HEADER = "header"


def write_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **more) -> None:
    """Write arrays and what is said of them to one file, whole or not at all; raises `InvalidStore`."""
    text = np.array(json.dumps({"format": FORMAT, **header}))
    try:
        written_whole(path, lambda file: np.savez(file, **{HEADER: text}, **arrays, **more))
    except OSError as error:
        raise InvalidStore(f"{path}: cannot keep draws here: {error.strerror or error}") from None


def read_arrays(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Inverse of `write_arrays`; raises `InvalidStore` for what is no such file."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(str(arrays.pop(HEADER)))
        valid = header["format"] == FORMAT
    except FileNotFoundError:
        raise InvalidStore(f"{path}: there is no such file") from None
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InvalidStore(f"{path}: not a file of draws, or damaged ({error}); draw them again") from None
    if not valid:
        raise InvalidStore(f"{path}: expected format {FORMAT}, found {header['format']!r}")
    return header, arrays


class SampleStore:
    """Chunks of draws next to the file that they will become, each written whole or not at all.

    **Arguments:** `path`: the file at the end; until then chunks are in the directory `path` + `.partial`. `about`:
    what is sampled, as JSON has it; draws of something else are refused.

    **Raises:** `InvalidStore`.
    """

    def __init__(self, path: str | Path, about: Mapping[str, Any]):
        self.path, self.about = Path(path), dict(about)
        self.partial = self.path.with_name(self.path.name + ".partial")
        if not self.path.absolute().parent.is_dir():
            raise InvalidStore(f"{self.path}: there is no directory {str(self.path.parent)!r}")
        if self.path.is_dir():
            raise InvalidStore(f"{self.path}: this is a directory; give the name of a file")

    def finished(self) -> tuple[dict, dict[str, np.ndarray]] | None:
        """What the file says, if it is there; raises `InvalidStore` where it is about something else."""
        if not self.path.exists():
            return None
        header, arrays = read_arrays(self.path)
        self._same_or_refuse(self.path, header)
        return header, arrays

    def chunks(self, first: int = 0) -> list[dict[str, np.ndarray]]:
        """Chunks from number `first` on, up to the first that is missing or damaged: from there on it is done again."""
        found = []
        while (path := self._place(first + len(found))).exists():
            try:
                header, arrays = read_arrays(path)
            except InvalidStore as error:
                warnings.warn(f"{error}; they are", DamagedStore, stacklevel=2)
                break
            self._same_or_refuse(path, header)
            found.append(arrays)
        return found

    def save(self, number: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a chunk."""
        try:
            self.partial.mkdir(exist_ok=True)
        except OSError as error:
            raise InvalidStore(f"{self.partial}: cannot keep draws here: {error.strerror or error}") from None
        write_arrays(self._place(number), {"about": self.about}, arrays)

    def clear(self) -> None:
        """Drop the chunks, after the file was written."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.partial / f"chunk-{number:06d}.npz"

    def _same_or_refuse(self, path: Path, header: dict) -> None:
        different = differences(header.get("about", {}), self.about)
        if different:
            known = header.get("about", {})
            listed = "; ".join(
                f"{name} is {known.get(name)!r} there, {self.about.get(name)!r} here" for name in different
            )
            raise InvalidStore(f"{path}: draws of something else are kept here: {listed}; give another file")
