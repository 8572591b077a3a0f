"""Reading many patched workspaces at the price of the differences finds all that reading each of them finds."""

import json

import jsonpatch
import pytest

import histjax
from histjax.errors import InvalidDocument, InvalidPatch
from histjax.readers import apply_patch, digest, read_patchset, read_variants, read_workspace
from histjax.readers.acceptance import acceptance
from histjax.readers.patches import patched
from tests.readers import good
from tests.readers.broken import CHECKS, SCHEMA, BrokenDocument
from tests.readers.broken_patches import PATCHES, BrokenPatch

CORPUS = "atlas_susy_2018_06_3L_eRJR"


def set_of(document: dict, *patches: list[dict]):
    """A patch set for a document."""
    entries = [
        {"metadata": {"name": f"P{index}", "values": [index]}, "patch": operations}
        for index, operations in enumerate(patches)
    ]
    made = good.patchset_for(digest(document)) | {"patches": entries}
    made["metadata"]["labels"] = ["index"]
    return read_patchset(made)


def variants_of(document: dict, *patches: list[dict]):
    """What is read of some patches for a document."""
    patchset = set_of(document, *patches)
    return read_variants(document, patchset, patchset.patches)[1]


def edits(broken: BrokenDocument) -> tuple[dict, list[dict]]:
    """A broken document, and the patch that makes it of the good one."""
    document = json.loads(broken.content())
    return document, jsonpatch.make_patch(good.everything(), document).patch


@pytest.mark.parametrize("broken", (*SCHEMA, *CHECKS), ids=lambda broken: broken.slug)
def test_patch_that_breaks_the_document(broken: BrokenDocument):
    """The problems are those of the broken document as a whole, in the words of the whole."""
    document, operations = edits(broken)
    with pytest.raises(InvalidDocument) as expected:
        read_workspace(document)
    good_one, bad_one = variants_of(good.everything(), [], operations)
    assert good_one.workspace == read_workspace(good.everything())[0]
    assert bad_one.workspace is None
    assert bad_one.error.problems == expected.value.problems


@pytest.mark.parametrize("broken", (*SCHEMA, *CHECKS), ids=lambda broken: broken.slug)
def test_patch_that_repairs_the_document(broken: BrokenDocument):
    """The document by itself need not be sound."""
    document, _ = edits(broken)
    operations = jsonpatch.make_patch(document, good.everything()).patch
    repaired, as_it_is = variants_of(document, operations, [])
    assert repaired.workspace == read_workspace(good.everything())[0]
    assert as_it_is.error.problems


@pytest.mark.parametrize("broken", PATCHES, ids=lambda broken: broken.slug)
def test_patch_that_cannot_be_applied(broken: BrokenPatch):
    """As by itself; where the set cannot even have it, the set says so."""
    document = good.everything()
    with pytest.raises(InvalidPatch) as expected:
        apply_patch(document, broken.patch)
    try:
        patchset = set_of(document, broken.patch, [])
    except InvalidPatch:
        return
    bad_one, good_one = read_variants(document, patchset, patchset.patches)[1]
    assert str(bad_one.error).partition(": ")[2] == str(expected.value).partition(": ")[2]
    assert good_one.workspace is not None
    assert document == good.everything()


def test_nothing_is_modified_and_the_rest_is_shared():
    document = good.everything()
    value = {"name": "new", "data": [1, 2], "modifiers": []}
    patch = [
        {"op": "add", "path": "/channels/0/samples/-", "value": value},
        {"op": "replace", "path": "/channels/0/samples/3/data/0", "value": 7},
        {"op": "copy", "from": "/channels/0/samples/3", "path": "/channels/0/samples/0"},
        {"op": "move", "from": "/channels/0/samples/1", "path": "/channels/1/samples/0"},
        {"op": "replace", "path": "/channels/1/samples/0/data/0", "value": 8},
        {"op": "remove", "path": "/measurements/1"},
    ]
    made = patched(document, patch)
    assert made == apply_patch(document, patch)
    assert (document, value) == (good.everything(), {"name": "new", "data": [1, 2], "modifiers": []})
    assert made["channels"][1]["samples"][1] is document["channels"][1]["samples"][0]
    assert made["observations"] is document["observations"]


def test_known_sample_in_another_place():
    """A sample that was sound in its channel may not be in another one."""
    move = {"op": "move", "from": "/channels/0/samples/1", "path": "/channels/1/samples/-"}
    (variant,) = variants_of(good.everything(), [move])
    with pytest.raises(InvalidDocument) as expected:
        read_workspace(apply_patch(good.everything(), [move]))
    assert variant.error.problems == expected.value.problems


def test_sharing_with_a_modifier_that_a_patch_removes():
    """Of the modifiers that share a parameter, the first stands for all, unless it is gone."""
    remove = {"op": "remove", "path": "/channels/0/samples/1"}
    for name, kind in (("jes", "normfactor"), ("lumi", "normfactor")):
        extra = {"name": name, "type": kind, "data": None}
        add = {"op": "add", "path": "/channels/0/samples/0/modifiers/-", "value": extra}
        for operations in ([add], [remove, add], [add, remove]):
            (variant,) = variants_of(good.everything(), operations)
            with pytest.raises(InvalidDocument) as expected:
                read_workspace(apply_patch(good.everything(), operations))
            assert variant.error.problems == expected.value.problems


def test_doubts():
    """What is doubtful in the document and stays so is said of the document; what a patch brings, of the patch."""
    document = good.everything()
    document["observations"].append({"name": "VR", "data": [1]})
    document["measurements"][0]["config"]["poi"] = "signal_strength"
    zero = {"name": "xs", "type": "normsys", "data": {"lo": 0, "hi": 1.1}}
    add = {"op": "add", "path": "/channels/0/samples/0/modifiers/-", "value": zero}
    repair = {"op": "replace", "path": "/measurements/0/config/poi", "value": "mu"}
    patchset = set_of(document, [repair], [repair, add])
    doubts, (first, second) = read_variants(document, patchset, patchset.patches)
    assert [doubt.path for doubt in doubts] == ["/observations/2"]
    assert first.doubts == ()
    assert [doubt.path for doubt in second.doubts] == ["/channels/0/samples/0/modifiers/2/data"]
    doubts, _ = read_variants(document, patchset, [])
    assert [doubt.path for doubt in doubts] == []


def test_schema_that_is_not_understood_accepts_nothing():
    for schema in ({"pattern": "a"}, {"additionalProperties": {"type": "string"}}, {"type": ["string", "null"]}):
        assert not acceptance(schema)("a")
        assert not acceptance(schema)({"a": "a"})


def test_published_patches(corpus):
    """All of a set, as one by one."""
    document = json.loads((corpus / "models" / f"{CORPUS}.json").read_text())
    patchset = histjax.read_patchset(corpus / "patches" / f"{CORPUS}.patchset.json")
    doubts, variants = read_variants(document, patchset, patchset.patches)
    assert [doubt.path for doubt in doubts] == ["/measurements/0/config/parameters/1"]
    for variant in variants[::9]:
        workspace, found = read_workspace(patchset.apply(document, variant.patch.name))
        assert variant.workspace == workspace
        assert len(found) == len(doubts) + len(variant.doubts)
