"""Patches and patch sets: applied without touching what was given, refused with a reason."""

import copy
import json
from pathlib import Path

import pytest

from histjax.errors import InvalidDocument, InvalidPatch, UnknownName
from histjax.readers import apply_patch, digest, load_json, read_patch, read_patchset, read_workspace
from tests.readers import good
from tests.readers.broken_patches import PATCHES, PATCHSETS, BrokenPatch, BrokenPatchSet

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
slug = "{0.slug}".format


@pytest.fixture
def patchset():
    return read_patchset(good.patchset_for(digest(good.minimal())))


@pytest.mark.parametrize("broken", PATCHES, ids=slug)
def test_broken_patch(broken: BrokenPatch):
    document, patch = good.everything(), copy.deepcopy(broken.patch)
    with pytest.raises(InvalidPatch, match=r"^file\.json: ") as refusal:
        apply_patch(document, patch, "file.json")
    assert all(word in str(refusal.value) for word in broken.words), str(refusal.value)
    assert (document, patch) == (good.everything(), broken.patch)


@pytest.mark.parametrize("broken", PATCHSETS, ids=slug)
def test_broken_patchset(broken: BrokenPatchSet):
    with pytest.raises(InvalidPatch) as refusal:
        read_patchset(broken.document())
    assert all(word in str(refusal.value) for word in broken.words), str(refusal.value)


def test_operations_in_order_and_nothing_shared():
    sample = {"name": "new", "data": [1, 2], "modifiers": []}
    patch = [
        {"op": "add", "path": "/channels/0/samples/-", "value": sample},
        {"op": "replace", "path": "/channels/0/samples/3/data/0", "value": 7},
        {"op": "copy", "from": "/channels/0/samples/3", "path": "/channels/0/samples/0"},
        {"op": "move", "from": "/channels/1", "path": "/channels/0"},
        {"op": "remove", "path": "/measurements/1"},
        {"op": "test", "path": "/channels/1/samples/0/data", "value": [7, 2]},
    ]
    document = good.everything()
    patched = apply_patch(document, patch)
    assert [channel["name"] for channel in patched["channels"]] == ["CR", "SR"]
    assert [each["name"] for each in patched["channels"][1]["samples"]] == ["new", "signal", "ttbar", "fakes", "new"]
    assert len(patched["measurements"]) == 1
    assert document == good.everything()
    assert sample["data"] == [1, 2]


def test_empty_patch_copies():
    document = good.minimal()
    patched = apply_patch(document, [])
    assert patched == document
    assert patched["channels"] is not document["channels"]


def test_nested_too_deeply():
    deep = json.loads("[" * 900 + "]" * 900)
    for document, value in (({"a": 1}, deep), ({"a": deep}, 1)):
        with pytest.raises(InvalidPatch, match="nested too deeply"):
            apply_patch(document, [{"op": "add", "path": "/b", "value": value}])


def test_read_patch(tmp_path):
    path = tmp_path / "patch.json"
    path.write_text('[{"op": "remove", "path": "/channels/1"}]')
    patch, name = read_patch(path)
    assert (patch, name) == ([{"op": "remove", "path": "/channels/1"}], str(path))
    path.write_text("[{")
    with pytest.raises(InvalidDocument, match="cut off"):
        read_patch(path)
    path.write_text("{}")
    with pytest.raises(InvalidPatch, match="expected a JSON Patch"):
        read_patch(path)


def test_patched_workspace_is_checked_again():
    """A patch may be sound and make an invalid workspace of a good one."""
    patched = apply_patch(good.everything(), [{"op": "remove", "path": "/observations/0"}])
    with pytest.raises(InvalidDocument, match="channel 'SR' has no observation"):
        read_workspace(patched)


def test_patchset_lookup(patchset):
    assert len(patchset) == 2
    assert patchset.labels == ("mass", "width")
    assert patchset.names == ("M100", "M200")
    assert [patch.name for patch in patchset] == ["M100", "M200"]
    assert patchset["M200"] is patchset[(200, 1.5)] is patchset[[200.0, 1.5]]


@pytest.mark.parametrize("key", ["M300", (1, 2), [100], 0, None])
def test_unknown_patch(patchset, key):
    with pytest.raises(UnknownName, match=r"M100|100, 1\.5"):
        patchset[key]


def test_patchset_apply(patchset):
    document = good.minimal()
    patched = patchset.apply(document, "M100")
    assert patched["channels"][0]["samples"][0]["data"] == [2]
    assert document == good.minimal()


def test_patchset_for_another_document(patchset):
    with pytest.raises(InvalidPatch, match="sha256") as refusal:
        patchset.apply(good.everything(), "M100")
    assert digest(good.everything()) in str(refusal.value)
    assert digest(good.minimal()) in str(refusal.value)


def test_every_digest_counts():
    document = good.patchset_for(digest(good.minimal()).upper())
    read_patchset(document).verify(good.minimal())
    document["metadata"]["digests"]["md5"] = "0" * 32
    with pytest.raises(InvalidPatch, match="md5"):
        read_patchset(document).verify(good.minimal())


def test_digest_is_the_published_one():
    """The sha256 of `{"a": 1}` written by `json.dumps`; found with `printf '{"a": 1}' | sha256sum`."""
    assert digest({"a": 1}) == "f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310"


def test_digest_agrees_with_pyhf():
    utils = pytest.importorskip("pyhf.utils")
    for document in (good.everything(), good.unicode_names()):
        for algorithm in ("sha256", "md5"):
            assert digest(document, algorithm) == utils.digest(document, algorithm=algorithm)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of published models is not part of the repository")
def test_published_patchset():
    background, _ = load_json(CORPUS / "models" / "atlas_susy_2018_06_3L_eRJR.json")
    patchset = read_patchset(CORPUS / "patches" / "atlas_susy_2018_06_3L_eRJR.patchset.json")
    assert len(patchset) == 64
    _, warnings = read_workspace(patchset.apply(background, "ERJR_300p0_100p0"))
    assert not any("mu_SIG" in problem.message for problem in warnings)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of published models is not part of the repository")
def test_published_patches_without_lumi_settings():
    """These signals bring a lumi modifier to a workspace that does not configure it; pyhf raises a bare TypeError."""
    background, _ = load_json(CORPUS / "models" / "simplified_sbottom_A.json")
    patchset = read_patchset(CORPUS / "patches" / "simplified_sbottom_A.patchset.json")
    with pytest.raises(InvalidDocument, match="lumi modifier has no auxdata and no sigmas"):
        read_workspace(apply_patch(background, list(patchset.patches[0].operations)))
