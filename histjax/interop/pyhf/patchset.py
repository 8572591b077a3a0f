"""`PatchSet`: the patches of an analysis, with pyhf's interface."""

from collections.abc import Iterator, Mapping
from typing import Any

from histjax.interop.pyhf.documents import plain
from histjax.interop.pyhf.workspace import Workspace
from histjax.readers import apply_patch
from histjax.readers import patchsets as sets


class Patch:
    """One patch, `{"metadata": {"name": ..., "values": [...]}, "patch": [...]}`: iterate for its operations, or apply
    it to a document.
    """

    def __init__(self, spec: Mapping):
        self.metadata, self.patch = dict(spec["metadata"]), list(spec["patch"])

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata["name"]

    @property
    def values(self) -> tuple[float | str, ...]:
        """One for each label of the set."""
        return tuple(self.metadata["values"])

    def apply(self, document: Any) -> Any:
        """A new document; raises `InvalidPatch`."""
        return apply_patch(document, self.patch, f"patch {self.name!r}")

    def __iter__(self) -> Iterator[dict]:
        return iter(self.patch)

    def __eq__(self, other) -> bool:
        return isinstance(other, Patch) and (self.metadata, self.patch) == (other.metadata, other.patch)

    def __hash__(self) -> int:
        return hash((self.name, self.values))

    def __repr__(self) -> str:
        return f"<Patch {self.name!r} {self.values}>"


class PatchSet:
    """A patch set from its parsed document: iterable, and a mapping from name or values to `Patch`.

    **Raises:** `InvalidPatch` with everything that is wrong.

    >>> import json, histjax
    >>> patches = PatchSet(json.loads(histjax.examples.patchset_path("two_bins").read_text()))
    >>> len(patches), patches.labels, patches["Z_300_10"].values, patches[300, 10].name
    (3, ['mass', 'width'], (300.0, 10.0), 'Z_300_10')
    """

    def __init__(self, spec: Mapping):
        spec = plain(spec)
        self._set = sets.read_patchset(spec)
        self.patches = [Patch(entry) for entry in spec["patches"]]
        self.version = spec["version"]

    @property
    def metadata(self) -> dict:
        """As in the document."""
        return self._set.metadata

    @property
    def description(self) -> str:
        """What the patches are."""
        return self.metadata["description"]

    @property
    def references(self) -> dict:
        """Where they were published."""
        return self.metadata["references"]

    @property
    def digests(self) -> dict:
        """Digests of the document that they are for, by algorithm."""
        return self.metadata["digests"]

    @property
    def labels(self) -> list[str]:
        """What the values of a patch are."""
        return list(self._set.labels)

    def verify(self, spec: Any) -> None:
        """Raises `InvalidPatch` unless every digest is that of the document `spec`."""
        self._set.verify(spec)

    def apply(self, spec: Any, key) -> Workspace:
        """The workspace `spec`, verified, with one patch applied; raises `InvalidPatch`, `UnknownName` and what
        `Workspace` raises.
        """
        self.verify(spec)
        return Workspace(self[key].apply(dict(spec)))

    def __getitem__(self, key) -> Patch:
        return self.patches[self._set.patches.index(self._set[key])]

    def __iter__(self) -> Iterator[Patch]:
        return iter(self.patches)

    def __len__(self) -> int:
        return len(self.patches)

    def __repr__(self) -> str:
        return f"<PatchSet of {len(self)}>"
