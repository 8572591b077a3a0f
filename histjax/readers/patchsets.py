"""Patch sets: the many signals that an analysis published for one background model, in one document."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from histjax.errors import InvalidDocument, InvalidPatch, Problem, UnknownName
from histjax.readers.digests import digest
from histjax.readers.documents import load_json
from histjax.readers.patches import apply_patch, patched
from histjax.readers.validation import validate


@dataclass(frozen=True, slots=True)
class Patch:
    """One signal: its name, its values (such as masses, one for each label of the set) and its operations."""

    name: str
    values: tuple[float | str, ...]
    operations: tuple[dict, ...]


@dataclass(frozen=True, slots=True)
class PatchSet:
    """Patches for one document, which `digests` (hash by algorithm) identify.

    `metadata` is as in the document; `labels` say what the values of each patch are.

    >>> ones = {"name": "M1", "values": [1.0]}, [{"op": "replace", "path": "/mass", "value": 1}]
    >>> patches = read_patchset({
    ...     "patches": [{"metadata": ones[0], "patch": ones[1]}],
    ...     "metadata": {
    ...         "description": "a signal",
    ...         "digests": {"sha256": digest({"mass": 0})},
    ...         "labels": ["mass"],
    ...         "references": {"hepdata": "ins1234567"},
    ...     },
    ...     "version": "1.0.0",
    ... })
    >>> patches.apply({"mass": 0}, "M1")
    {'mass': 1}
    >>> patches[(1.0,)].name
    'M1'
    >>> patches.extract("M1")
    [{'op': 'replace', 'path': '/mass', 'value': 1}]
    """

    source: str
    metadata: dict
    patches: tuple[Patch, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the values of a patch are."""
        return tuple(self.metadata["labels"])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches, in order."""
        return tuple(patch.name for patch in self.patches)

    def __len__(self) -> int:
        return len(self.patches)

    def __iter__(self) -> Iterator[Patch]:
        return iter(self.patches)

    def __getitem__(self, key: str | tuple | list) -> Patch:
        """The patch with this name, or with these values; raises `UnknownName` with what there is."""
        for patch in self.patches:
            if key == patch.name or (isinstance(key, tuple | list) and tuple(key) == patch.values):
                return patch
        known = self.names if isinstance(key, str) else [patch.values for patch in self.patches]
        raise UnknownName("patch", key, known)

    def verify(self, document: Any) -> None:
        """Raises `InvalidPatch` unless `document` is the one that the patches are for, by every digest of the set."""
        for algorithm, expected in self.metadata["digests"].items():
            found = digest(document, algorithm)
            if found != expected.lower():
                raise InvalidPatch(
                    f"{self.source}: these patches are for another document: its {algorithm} digest is {found},"
                    f" expected {expected}; give the workspace that was published with the patch set, unchanged, or"
                    " apply them all the same (verify=False, or --no-verify of 'histjax patchset')"
                )

    def extract(self, key: str | tuple | list) -> list[dict]:
        """The operations of one patch, as a JSON Patch of its own; raises `UnknownName`."""
        return list(self[key].operations)

    def apply(self, document: Any, key: str | tuple | list, *, verify: bool = True) -> Any:
        """A new document with one patch applied.

        **Arguments:**

        - `document`: the parsed workspace that the patches are for; it is not modified.
        - `key`: name or values of the patch.
        - `verify`: whether to `verify` first.

        **Returns:** the patched document, unchecked.

        **Raises:** `UnknownName` where there is no such patch, `InvalidPatch` where the document is not the right one.
        """
        patch = self[key]
        if verify:
            self.verify(document)
        return apply_patch(document, self.extract(key), self.place(patch))

    def applied(self, document: Any, patch: Patch) -> Any:
        """The same without `verify`, sharing with `document` all that the patch leaves as it is (see `patched`)."""
        return patched(document, patch.operations, self.place(patch))

    def place(self, patch: Patch) -> str:
        """What to call a patch in messages."""
        return f"{self.source}, patch {patch.name!r}"


def read_patchset(source: Any) -> PatchSet:
    """Reads a patch set.

    **Arguments:**

    - `source`: a path, `"-"`, an open file or a parsed document, as for `load_json`.

    **Returns:** the patch set.

    **Raises:** `InvalidDocument` where it is not JSON, and `InvalidPatch` with everything that is wrong where it is not
    a patch set: differences from the schema, names or values that occur twice, values that do not match the labels.

    >>> import histjax
    >>> patches = histjax.read_patchset(histjax.examples.patchset_path("two_bins"))
    >>> patches.labels, patches.names
    (('mass', 'width'), ('Z_300_10', 'Z_400_10', 'Z_500_25'))
    """
    document, name = load_json(source)
    problems = validate(document, "patchset")
    patches = () if problems else tuple(_patch(entry) for entry in document["patches"])
    problems = problems or list(_inconsistencies(patches, document["metadata"]["labels"]))
    if problems:
        raise InvalidPatch(str(InvalidDocument(name, problems)))
    return PatchSet(name, document["metadata"], patches)


def _patch(entry: dict) -> Patch:
    return Patch(entry["metadata"]["name"], tuple(entry["metadata"]["values"]), tuple(entry["patch"]))


def _inconsistencies(patches: tuple[Patch, ...], labels: list[str]) -> Iterator[Problem]:
    names: dict[str, int] = {}
    values: dict[tuple, int] = {}
    for index, patch in enumerate(patches):
        path = f"/patches/{index}/metadata"
        if patch.name in names:
            yield Problem(f"{path}/name", f"patch {patch.name!r}: the name is that of patch {names[patch.name]}, too")
        if patch.values in values:
            first = values[patch.values]
            yield Problem(f"{path}/values", f"patch {patch.name!r}: the values are those of patch {first}, too")
        if len(patch.values) != len(labels):
            counts = f"found {len(patch.values)} values, expected {len(labels)}, one for each of {', '.join(labels)}"
            yield Problem(f"{path}/values", f"patch {patch.name!r}: {counts}")
        names.setdefault(patch.name, index)
        values.setdefault(patch.values, index)
