"""Read all the workspaces that a patch set makes of one document, at the price of the differences.

Every patched workspace is held to the schema and to the rules as any other. But a sample that no patch touches is the
same object in all of them: the schema judges a sample by itself, so once is enough, and so it is for the rules of
`histjax.spec.variants`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from histjax.errors import HistjaxError, InvalidDocument, Problem
from histjax.readers.foreign import recognise
from histjax.readers.patchsets import Patch, PatchSet
from histjax.readers.pyhf import workspace_of
from histjax.readers.validation import validate
from histjax.spec import Sample, Workspace
from histjax.spec.check import check
from histjax.spec.variants import CheckedWorkspace

_STUB = {"name": "sound", "data": [0], "modifiers": []}
"""A sample that satisfies the schema."""


@dataclass(frozen=True)
class Variant:
    """One patch and the workspace that it makes, or the `error` for which there is none.

    `doubts` are the warnings that the document itself did not give rise to.
    """

    patch: Patch
    workspace: Workspace | None
    doubts: tuple[Problem, ...] = ()
    error: HistjaxError | None = None


@dataclass(frozen=True)
class _Background:
    """The document without patches: its samples by the identity of their entries, and its workspace if it is sound.

    A document that is sound only with its patches is no help in reading them, but no hindrance either.
    """

    document: Any
    samples: Mapping[int, Sample]
    checked: CheckedWorkspace | None

    @classmethod
    def of(cls, document: Any) -> "_Background":
        if recognise(document) or validate(document, "workspace"):
            return cls(document, {}, None)
        workspace = workspace_of(document)
        entries = (entry for channel in document["channels"] for entry in channel["samples"])
        samples = (sample for channel in workspace.channels for sample in channel.samples)
        known = {id(entry): sample for entry, sample in zip(entries, samples, strict=True)}
        problems = check(workspace)
        if not all(problem.is_warning for problem in problems):
            return cls(document, known, None)
        return cls(document, known, CheckedWorkspace.of(workspace, problems))

    def read(self, document: Any, source: str) -> tuple[Workspace, list[Problem]]:
        """The workspace of a document that may share samples with this one; raises `InvalidDocument`."""
        foreign = recognise(document)
        problems = [Problem("", foreign)] if foreign else validate(self._thinned(document), "workspace")
        if problems:
            raise InvalidDocument(source, problems)
        workspace = workspace_of(document, self.samples)
        problems = check(workspace) if self.checked is None else self.checked.check(workspace)
        errors = [problem for problem in problems if not problem.is_warning]
        if errors:
            raise InvalidDocument(source, errors)
        return workspace, problems

    def _thinned(self, document: Any) -> Any:
        """The document with a stub for every sample that satisfies the schema, as it is known."""
        if not isinstance(document, dict) or not isinstance(document.get("channels"), list):
            return document
        return document | {"channels": [self._thinned_channel(each) for each in document["channels"]]}

    def _thinned_channel(self, channel: Any) -> Any:
        if not isinstance(channel, dict) or not isinstance(channel.get("samples"), list):
            return channel
        return channel | {"samples": [_STUB if id(each) in self.samples else each for each in channel["samples"]]}


def read_variants(
    document: Any, patchset: PatchSet, patches: Sequence[Patch], source: str = "workspace"
) -> tuple[list[Problem], tuple[Variant, ...]]:
    """The workspaces of some patches of a set, in their order; one that is wrong does not stop the others.

    **Arguments:**

    - `document`: the parsed workspace that the patches are for; it must not be modified afterwards.
    - `patchset`, `patches`: the set, and which of its patches; digests are not verified here.
    - `source`: what to call the document in messages.

    **Returns:** the warnings about the document itself that some patch does not put right, and one `Variant` for each
    patch.

    >>> from histjax.readers import digest, load_json, read_patchset
    >>> from histjax import examples
    >>> document, _ = load_json(examples.path("two_bins"))
    >>> patchset = read_patchset(examples.patchset_path("two_bins"))
    >>> _, variants = read_variants(document, patchset, patchset.patches)
    >>> [variant.workspace.channels[0].samples[0].nominal_yields for variant in variants]
    [(14.0, 9.0), (10.0, 11.5), (5.0, 8.0)]
    """
    background = _Background.of(document)
    variants = [_variant(background, patchset, patch, source) for patch in patches]
    known = () if background.checked is None else background.checked.problems
    found = {doubt.message for each in variants for doubt in each.doubts}
    lasting = [doubt for doubt in known if doubt.message in found or "/modifiers/" in doubt.path]
    messages = {doubt.message for doubt in known}
    fresh = (tuple(doubt for doubt in each.doubts if doubt.message not in messages) for each in variants)
    return lasting, tuple(replace(each, doubts=doubts) for each, doubts in zip(variants, fresh, strict=True))


def _variant(background: _Background, patchset: PatchSet, patch: Patch, source: str) -> Variant:
    try:
        document = patchset.applied(background.document, patch)
        workspace, doubts = background.read(document, f"{source}, patch {patch.name!r}")
    except HistjaxError as error:
        return Variant(patch, None, error=error)
    return Variant(patch, workspace, tuple(doubts))
