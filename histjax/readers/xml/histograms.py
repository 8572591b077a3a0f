"""The histograms of ROOT files, through uproot: contents and errors of the bins, without under- and overflow."""

import contextlib
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from histjax.errors import HistjaxError, MissingExtra

_HISTOGRAMS = ("TH1", "TH2", "TH3")
_SHOWN = 12
_LARGEST_HISTOGRAM = 500_000_000
"""Bytes when unpacked; 60 million bins."""
_LARGE_FILES = 1_000_000
"""From this version number on, the header of a ROOT file has places of eight bytes."""
# what uproot lets through where a file is cut off, damaged or made to do harm, besides its own DeserializationError
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,
    ImportError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


class UnreadableHistogram(HistjaxError):
    """A ROOT file or a histogram in it that cannot be read."""


@dataclass(frozen=True)
class Histogram:
    """Contents of the bins and their errors, sqrt(sum of squared weights); several dimensions are put in one row.

    The first axis runs fastest, as in ROOT's numbering of bins.
    """

    contents: tuple[float, ...]
    errors: tuple[float, ...]


def uproot() -> Any:
    """The package, imported where it is first needed.

    **Raises:** `MissingExtra` where it is not installed.
    """
    try:
        import uproot as package
        import uproot.writing.identify as _writing  # not imported by the package itself
    except ImportError:
        raise MissingExtra(
            "HistFactory XML comes with ROOT files, for which uproot is needed: pip install 'histjax[xml]'"
        ) from None
    del _writing
    return package


@dataclass
class HistogramFiles:
    """ROOT files that are open, by path; each is opened once and each histogram is read once."""

    stack: contextlib.ExitStack
    files: dict[Path, tuple[Any, dict[str, str]]] = field(default_factory=dict)
    histograms: dict[tuple[Path, str], Histogram] = field(default_factory=dict)

    def histogram(self, path: Path, folder: str, name: str) -> Histogram:
        """The histogram called `name` in a folder of a file.

        **Raises:** `UnreadableHistogram`, with what the file has if it has not this one.
        """
        key = "/".join(part for part in f"{folder}/{name}".split("/") if part)
        if (path, key) not in self.histograms:
            self.histograms[path, key] = self._read(path, key)
        return self.histograms[path, key]

    def _read(self, path: Path, key: str) -> Histogram:
        directory, kinds = self._open(path)
        if key not in kinds:
            known = [each for each, kind in kinds.items() if kind.startswith(_HISTOGRAMS)]
            more = f", ... ({len(known)} in all)" if len(known) > _SHOWN else ""
            raise UnreadableHistogram(
                f"{path} has no histogram {key!r}; there are: {', '.join(known[:_SHOWN]) or 'none'}{more}"
            )
        if not kinds[key].startswith(_HISTOGRAMS):
            raise UnreadableHistogram(f"{path}: {key!r} is a {kinds[key]}, expected a histogram (TH1, TH2 or TH3)")
        with _clearly(f"{path}: the histogram {key!r} cannot be read"):
            if directory.key(key).fObjlen > _LARGEST_HISTOGRAM:
                raise ValueError(f"it would unpack to more than {_LARGEST_HISTOGRAM // 10**6} MB")
            return _histogram(directory[key])

    def _open(self, path: Path) -> tuple[Any, dict[str, str]]:
        """A file and the classes of what is in it, by name without cycle; of several cycles the last one counts."""
        if path not in self.files:
            package = uproot()
            if not path.is_file():
                raise UnreadableHistogram(f"there is no file {path}")
            with _clearly(f"{path} cannot be read as a ROOT file"):
                stream = self.stack.enter_context(open(path, "rb"))  # a file: uproot would take a path for an address
                _check_size(stream.read(20), path.stat().st_size)
                stream.seek(0)
                opened = self.stack.enter_context(package.open(stream))
                kinds = opened.classnames(recursive=True, cycle=False)
            self.files[path] = opened, dict(kinds)
        return self.files[path]


def _check_size(header: bytes, size: int) -> None:
    """Raise where a file is cut off: what is left might be read, as if nothing were missing."""
    if header[:4] != b"root":
        raise ValueError(f"it begins with {header[:4]!r}, expected b'root'")
    (version,) = struct.unpack_from(">i", header, 4)
    (end,) = struct.unpack_from(">q" if version >= _LARGE_FILES else ">i", header, 12)
    if end > size:
        raise ValueError(f"it is cut off: {size} bytes are there, {end} expected")


def _histogram(read: Any) -> Histogram:
    values = np.asarray(read.values(flow=False), float)
    weighted = len(read.member("fSumw2")) > 0
    variances = np.asarray(read.variances(flow=False), float) if weighted else np.abs(values)
    if np.any(variances < 0):
        raise ValueError("a sum of squared weights is negative")
    return Histogram(_row(values), _row(np.sqrt(variances)))


def _row(values: np.ndarray) -> tuple[float, ...]:
    return tuple(values.ravel(order="F").tolist())


@contextlib.contextmanager
def _clearly(message: str) -> Iterator[None]:
    """Within it, whatever uproot does with a bad file becomes one error."""
    from uproot.deserialization import DeserializationError

    try:
        yield
    except (*_UNREADABLE, DeserializationError) as error:
        lines = str(error).strip().splitlines()
        raise UnreadableHistogram(f"{message}: {lines[0] if lines else type(error).__name__}") from None
