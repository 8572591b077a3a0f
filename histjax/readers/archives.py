"""Published likelihoods as HEPData keeps them: a workspace without signal, the signals as patches, and a README."""

import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from histjax.errors import HistjaxError, InvalidArchive, UnknownName
from histjax.readers.documents import load_json
from histjax.readers.members import read_members
from histjax.readers.patches import apply_patch
from histjax.readers.patchsets import PatchSet, read_patchset
from histjax.readers.pyhf import read_workspace
from histjax.spec import Workspace


@dataclass(frozen=True, slots=True)
class PublishedLikelihood:
    """One background workspace with its signals.

    **Fields:** `name`: the folder that it is in, or the file where a folder has several; `path`: of the workspace in
    the archive; `background`: its document; `patchset`: its patch set or `None`; `patches`: JSON Patches that are
    files of their own, by name; `doubts`: what does not fit together.
    """

    name: str
    path: str
    background: dict = field(repr=False)
    patchset: PatchSet | None = field(repr=False)
    patches: Mapping[str, list[dict]] = field(repr=False)
    doubts: tuple[str, ...] = ()

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of all patches."""
        return (*(self.patchset.names if self.patchset else ()), *self.patches)

    def document(self, signal: str | None = None) -> Any:
        """The document with a signal, or without any; raises `UnknownName`, `InvalidPatch`."""
        if signal is None:
            return self.background
        if self.patchset is not None and signal in self.patchset.names:
            return self.patchset.apply(self.background, signal)
        if signal not in self.patches:
            raise UnknownName("signal", signal, self.signals)
        return apply_patch(self.background, self.patches[signal], f"{self.path}, patch {signal!r}")

    def workspace(self, signal: str | None = None) -> Workspace:
        """The checked workspace with a signal, or without any."""
        name = self.path if signal is None else f"{self.path}, patch {signal!r}"
        return read_workspace(self.document(signal), name)[0]


@dataclass(frozen=True, slots=True)
class Archive:
    """What is in a published archive. `likelihoods` by name; `files` are all paths, `readme` the text of the README.

    >>> import histjax
    >>> archive = read_archive(histjax.examples.path("two_bins").parent)
    >>> archive["two_bins"].signals
    ('Z_300_10', 'Z_400_10', 'Z_500_25')
    """

    source: str
    likelihoods: tuple[PublishedLikelihood, ...]
    files: tuple[str, ...]
    readme: str | None = field(repr=False)
    contents: Mapping[str, bytes] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the likelihoods."""
        return tuple(each.name for each in self.likelihoods)

    def __iter__(self) -> Iterator[PublishedLikelihood]:
        return iter(self.likelihoods)

    def __len__(self) -> int:
        return len(self.likelihoods)

    def __getitem__(self, name: str) -> PublishedLikelihood:
        for each in self.likelihoods:
            if each.name == name:
                return each
        raise UnknownName("likelihood", name, self.names)


def read_archive(source: str | os.PathLike) -> Archive:
    """Open a published likelihood: what HEPData lets one download, as it is.

    Every JSON file is taken for what it holds: a workspace, a patch set, or a JSON Patch. Patches belong to the
    workspace of their folder; where a folder has several, a patch set belongs to the one with its digest.

    **Arguments:**

    - `source`: a tar archive (also compressed), a zip archive, with archives in it or not, or a folder.

    **Returns:** an `Archive`; nothing is written anywhere.

    **Raises:** `InvalidArchive` where it cannot be read, where a path in it leads outside, and where there is no
    workspace in it.

    A limit on every signal of a downloaded archive:

        likelihood = histjax.read_archive("1Lbb-likelihoods-hepdata.tar.gz")["1Lbb-likelihoods-hepdata"]
        grid = histjax.compile_grid(likelihood.background, likelihood.patchset)
        limits = grid.upper_limit()
    """
    name = os.fsdecode(source)
    contents = read_members(source)
    found = _Found()
    for path, content in contents.items():
        if path.lower().endswith(".json"):
            found.add(path, content)
    if not found.workspaces:
        listed = ", ".join(list(contents)[:8]) or "nothing"
        unread = [f"{path}: {reason}" for path, reason in found.unreadable.items()]
        raise InvalidArchive(name, [f"it holds no workspace in pyhf's JSON format; it holds {listed}", *unread])
    readme = next((path for path in contents if PurePosixPath(path).name.lower().startswith("readme")), None)
    text = None if readme is None else contents[readme].decode("utf-8", errors="replace")
    return Archive(name, tuple(found.likelihoods(_stem(name))), tuple(contents), text, contents)


class _Found:
    """The JSON files of an archive by what they hold."""

    def __init__(self):
        self.workspaces: dict[str, dict] = {}
        self.patchsets: dict[str, PatchSet] = {}
        self.patches: dict[str, list[dict]] = {}
        self.unreadable: dict[str, str] = {}

    def add(self, path: str, content: bytes) -> None:
        """One file; what cannot be read is noted."""
        try:
            document, _ = load_json(_Named(path, content))
            match document:
                case {"patches": _}:
                    self.patchsets[path] = read_patchset(_Named(path, content))
                case {"channels": _}:
                    self.workspaces[path] = document
                case [{"op": _}, *_]:
                    self.patches[path] = document
        except HistjaxError as error:
            self.unreadable[path] = str(error)

    def likelihoods(self, top: str) -> Iterator[PublishedLikelihood]:
        """One for each workspace, with the patches of its folder."""
        folders: dict[str, list[str]] = {}
        for path in self.workspaces:
            folders.setdefault(_folder_of(path), []).append(path)
        for folder, paths in folders.items():
            own = {path: each for path, each in self.patchsets.items() if _folder_of(path) == folder}
            loose = {_stem(path): each for path, each in self.patches.items() if _folder_of(path) == folder}
            bad = [f"{path}: {text}" for path, text in self.unreadable.items() if _folder_of(path) == folder]
            for path in paths:
                name = (folder or top) if len(paths) == 1 else f"{folder}/{_stem(path)}".lstrip("/")
                patchset, doubts = _patchset_of(self.workspaces[path], own, alone=len(paths) == 1)
                alone = loose if len(paths) == 1 else {}
                yield PublishedLikelihood(name, path, self.workspaces[path], patchset, alone, (*doubts, *bad))


def _patchset_of(document: dict, own: dict[str, PatchSet], alone: bool) -> tuple[PatchSet | None, list[str]]:
    """The patch set that is for a document; where nothing else can be meant, also one with another digest."""
    for patchset in own.values():
        if _is_for(patchset, document):
            return patchset, []
    if alone and len(own) == 1:
        (path, patchset), *_ = own.items()
        return patchset, [f"{path}: the digest in the patch set is not that of the workspace beside it"]
    return None, []


def _is_for(patchset: PatchSet, document: dict) -> bool:
    try:
        patchset.verify(document)
    except HistjaxError:
        return False
    return True


class _Named(io.BytesIO):
    """Bytes with a name for messages."""

    def __init__(self, name: str, content: bytes):
        super().__init__(content)
        self.name = name


def _folder_of(path: str) -> str:
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def _stem(path: str) -> str:
    """The name of a file without folder and suffixes, for those of archives and of patch sets."""
    name = PurePosixPath(path.replace(os.sep, "/")).name
    for suffix in (".json", ".zip", ".tgz", ".xz", ".bz2", ".gz", ".tar"):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    return name
