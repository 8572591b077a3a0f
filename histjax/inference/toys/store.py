"""A directory in which finished slices are kept, so that toys that were interrupted go on where they ended."""

import json
import os
import tempfile
import warnings
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from histjax.errors import DamagedStore, InvalidStore
from histjax.inference.toys.slices import Slice, SliceResult
from histjax.inference.toys.tally import N_BINS, SUMMED, Tally
from histjax.inference.toys.throwing import Toy

FORMAT = 1
MANIFEST = "manifest.json"
CLOSE = 1e-6
"""Numbers that differ by less, relative to them, are what two machines make of the same fit."""


class ToyStore:
    """Slices of toys in a directory, one file for each, written whole or not at all.

    **Arguments:**

    - `directory`: made where it is not there. Several processes may share it.
    - `about`: what the toys are of, as JSON has it. A directory that is about something else is refused. Without it
      toys of any tests share the directory: each slice bears the fingerprint of its test, and nothing is mixed up.
    - `extent`: how many toys are wanted, `{name: number}`; the largest that was ever asked for is kept.
    - `with_toys`: whether the columns of all toys are wanted (with `Toys(..., keep=True)`).

    **Raises:** `InvalidStore` for a directory that is no store, is about something else, or cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = ToyStore(folder, about={"seed": 1})
    ...     store.save(Slice("of a test", 1, 0, 2), SliceResult(Tally.of(np.array([0.5, 2.0]), 1.0)))
    ...     print(store.slices(), store.load(Slice("of a test", 1, 0, 2)).tally.n_at_least)
    [Slice(label='of a test', hypothesis=1, start=0, stop=2)] 1
    """

    def __init__(
        self,
        directory: str | Path,
        about: Mapping[str, Any] | None = None,
        extent: Mapping[str, int] | None = None,
        with_toys: bool = False,
    ):
        self.directory, self.with_toys = Path(directory), with_toys
        asked = {"format": FORMAT, "about": dict(about or {}), "extent": dict(extent or {})}
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            known = read_manifest(self.directory) if any(self.directory.iterdir()) else asked
            _same_or_refuse(self.directory, known["about"], asked["about"])
            asked["about"] = known["about"]
            asked["extent"] |= {k: max(n, asked["extent"].get(k, 0)) for k, n in known["extent"].items()}
            if known != asked or not (self.directory / MANIFEST).exists():
                text = json.dumps(asked, indent=2).encode()
                written_whole(self.directory / MANIFEST, lambda file: file.write(text))
        except OSError as error:
            raise InvalidStore(f"{self.directory}: cannot keep toys here: {error.strerror or error}") from None
        self.about, self.extent = asked["about"], asked["extent"]

    @classmethod
    def found(cls, directory: str | Path) -> "ToyStore":
        """A store that is there already, whatever it is about; raises `InvalidStore` where there is none."""
        manifest = read_manifest(Path(directory))
        return cls(directory, manifest["about"])

    def load(self, piece: Slice) -> SliceResult | None:
        """See `Store`; a file that is damaged is as good as none, and a `DamagedStore` warning says so."""
        path = self.directory / _file_name(piece)
        if not path.exists():
            return None
        try:
            result = _read(path, piece)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            warnings.warn(f"{path} is damaged ({error}); its toys are thrown again", DamagedStore, stacklevel=3)
            return None
        return None if self.with_toys and result.toys is None else result

    def save(self, piece: Slice, result: SliceResult) -> None:
        """See `Store`; raises `InvalidStore` where it cannot be written."""
        path = self.directory / _file_name(piece)
        columns = {} if result.toys is None else {f"toys_{k}": v for k, v in result.toys._asdict().items()}
        filled = np.flatnonzero(result.tally.counts).astype(np.int32)
        fields = {name: np.int64(getattr(result.tally, name)) for name in SUMMED}
        fields |= {"observed": np.float64(result.tally.observed), "bins": filled}
        fields |= {"counts": result.tally.counts[filled], "slice": np.array(_file_name(piece))}
        try:
            written_whole(path, lambda file: np.savez_compressed(file, **fields, **columns))
        except OSError as error:
            raise InvalidStore(f"{path}: cannot keep toys: {error.strerror or error}") from None

    def slices(self) -> list[Slice]:
        """What is there, damaged or not, in order."""
        return sorted(filter(None, (_piece_of(path.name) for path in self.directory.iterdir())))


def without_overlaps(pieces: Sequence[Slice]) -> list[Slice]:
    """Those slices that share no toys and have the most of them together, in order (weighted interval scheduling).

    A store that was filled with slices of two sizes has some toys twice.

    >>> pieces = [Slice("", 1, *ends) for ends in ((0, 2), (0, 4), (2, 5), (4, 6))]
    >>> [(each.start, each.stop) for each in without_overlaps(pieces)]
    [(0, 4), (4, 6)]
    """
    pieces = sorted(pieces, key=lambda each: (each.label, each.hypothesis, each.stop))
    ends = [(each.label, each.hypothesis, each.stop) for each in pieces]
    most, before = [0], []
    for number, each in enumerate(pieces):
        before.append(bisect_right(ends, (each.label, each.hypothesis, each.start), hi=number))
        most.append(max(most[-1], most[before[-1]] + each.n_toys))
    kept, number = [], len(pieces)
    while number:
        if most[number] == most[number - 1]:
            number -= 1
        else:
            kept.append(pieces[number - 1])
            number = before[number - 1]
    return kept[::-1]


def read_manifest(directory: Path) -> dict:
    """What a store says of itself; raises `InvalidStore`."""
    path = directory / MANIFEST
    if not directory.is_dir():
        raise InvalidStore(f"{directory}: there is no such directory")
    try:
        manifest = json.loads(path.read_text())
        valid = manifest["format"] == FORMAT and {type(manifest[k]) for k in ("about", "extent")} == {dict}
    except FileNotFoundError:
        raise InvalidStore(
            f"{directory}: not a store of toys: it has files but no {MANIFEST}; give a directory that is empty or new"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidStore(f"{path}: cannot be read ({error}); give another directory") from None
    if not valid:
        raise InvalidStore(f"{path}: expected format {FORMAT}, found {manifest['format']!r}; give another directory")
    return manifest


def differences(known: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Names of the entries in which two descriptions differ; numbers may do so by what a fit leaves open.

    >>> differences({"seed": 1, "best": 0.3}, {"seed": 2, "best": 0.3000000001})
    ['seed']
    """
    missing = object()
    names = dict.fromkeys([*known, *asked])
    return [name for name in names if not _alike(known.get(name, missing), asked.get(name, missing))]


def _alike(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, int | float):
        return bool(np.isclose(a, b, rtol=CLOSE, atol=CLOSE))
    return a == b


def _same_or_refuse(directory: Path, known: dict, asked: dict) -> None:
    different = differences(known, asked)
    if asked and different:
        listed = "; ".join(f"{name} is {known.get(name)!r} there and {asked.get(name)!r} here" for name in different)
        raise InvalidStore(f"{directory}: toys of something else are kept here: {listed}; give another directory")


def written_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under another name, then rename it: nobody ever sees half of it. Raises `OSError`."""
    handle, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)  # it is there only if something failed


def _file_name(piece: Slice) -> str:
    return f"{piece.label}-{piece.hypothesis}-{piece.start}-{piece.stop}.npz"


def _piece_of(name: str) -> Slice | None:
    parts = name.removesuffix(".npz").rsplit("-", 3)
    is_slice = name.endswith(".npz") and len(parts) == 4 and all(part.isdecimal() for part in parts[1:])
    return Slice(parts[0], *map(int, parts[1:])) if is_slice else None


def _read(path: Path, piece: Slice) -> SliceResult:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        if str(stored["slice"]) != _file_name(piece):
            raise ValueError(f"it holds {stored['slice']}")
        counts = np.zeros(N_BINS, np.int64)
        counts[stored["bins"]] = stored["counts"]
        tally = Tally(float(stored["observed"]), counts, **{name: int(stored[name]) for name in SUMMED})
        if tally.n_toys != piece.n_toys or counts.sum() != tally.n_good:
            raise ValueError(f"it counts {tally.n_toys} toys, {piece.n_toys} expected")
        has_toys = f"toys_{Toy._fields[0]}" in stored
        toys = Toy(*(stored[f"toys_{name}"] for name in Toy._fields)) if has_toys else None
    return SliceResult(tally, toys)
