"""Where documents come from: files, standard input, patches, patch sets."""

import json

import pytest

import histjax
from histjax.readers import digest
from tests.cli.running import run
from tests.readers import good
from tests.readers.broken_patches import PATCHES, PATCHSETS, BrokenPatch, BrokenPatchSet

TWO_BINS = histjax.examples.path("two_bins")


@pytest.fixture
def patchset(tmp_path):
    """A patch set for `good.minimal`, in a file."""
    path = tmp_path / "patchset.json"
    path.write_text(json.dumps(good.patchset_for(digest(good.minimal()))))
    return path


def _patch(tmp_path, name, *operations):
    path = tmp_path / name
    path.write_text(json.dumps(operations))
    return path


@pytest.mark.parametrize("command", ["inspect", "validate", "digest", "cls"])
def test_standard_input(command):
    """A file, '-' and nothing are the same."""
    text = TWO_BINS.read_bytes()
    assert run(command, TWO_BINS).json == run(command, stdin=text).json == run(command, "-", stdin=text).json


def test_file_that_is_not_there():
    assert run("validate", "nowhere.json").error == (
        "nowhere.json: 1 problem\n  /: the document cannot be read: No such file or directory\n"
    )


def test_patches_in_order(tmp_path):
    """Both patches count, the second sees what the first did."""
    first = _patch(tmp_path, "1.json", {"op": "add", "path": "/channels/0/samples/0/data", "value": [5, 10]})
    second = _patch(
        tmp_path,
        "2.json",
        {"op": "test", "path": "/channels/0/samples/0/data", "value": [5, 10]},
        {"op": "replace", "path": "/channels/0/samples/1/data", "value": [50, 60]},
        {"op": "replace", "path": "/channels/0/samples/1/modifiers/0/data", "value": [5, 12]},
        {"op": "replace", "path": "/observations/0/data", "value": [50, 60]},
    )
    found = run("cls", TWO_BINS, "-p", first, "--patch", second).json
    assert found["CLs_obs"] == pytest.approx(0.359984122897, rel=1e-8)  # closed form, see test_hypotheses
    assert "operation 0 (test" in run("cls", TWO_BINS, "-p", second, "-p", first).error


def test_patch_from_standard_input():
    text = json.dumps([{"op": "replace", "path": "/observations/0/data", "value": [50, 60]}])
    assert run("validate", TWO_BINS, "-p", "-", stdin=text).json["valid"]


@pytest.mark.parametrize("broken", PATCHES, ids=lambda broken: broken.slug)
def test_patch_that_does_not_apply(broken: BrokenPatch, tmp_path):
    path = tmp_path / "patch.json"
    path.write_text(json.dumps(broken.patch))
    message = run("validate", good.everything(), "-p", path).error
    assert message.startswith(f"{path}: ")
    assert all(word in message for word in broken.words)


def test_patch_that_breaks_the_document(tmp_path):
    path = _patch(tmp_path, "patch.json", {"op": "replace", "path": "/observations/0/name", "value": "SR"})
    assert "channel 'singlechannel' has no observation" in run("validate", TWO_BINS, "-p", path).error


@pytest.mark.parametrize(("name", "count"), [("M100", 2), ("M200", 3)])
def test_patchset(patchset, name, count):
    patched = good.minimal()
    patched["channels"][0]["samples"][0]["data"][0] = count
    found = run("digest", good.minimal(), "--patchset", patchset, "--patch-name", name).json
    assert found == {"sha256": digest(patched)}


def test_patches_after_the_patchset(patchset, tmp_path):
    """The digest of the set is that of the document as published, so its patch comes first."""
    extra = _patch(tmp_path, "extra.json", {"op": "test", "path": "/channels/0/samples/0/data/0", "value": 2})
    assert run("validate", good.minimal(), "--patchset", patchset, "--patch-name", "M100", "-p", extra).json["valid"]


def test_patch_name_that_is_not_there(patchset):
    message = run("validate", good.minimal(), "--patchset", patchset, "--patch-name", "M300").error
    assert message == "no patch named 'M300'; there are: M100, M200\n"


def test_patchset_of_another_document(patchset):
    message = run("fit", TWO_BINS, "--patchset", patchset, "--patch-name", "M100").error
    assert "these patches are for another document" in message


@pytest.mark.parametrize("broken", PATCHSETS, ids=lambda broken: broken.slug)
def test_patchset_that_is_broken(broken: BrokenPatchSet, tmp_path):
    path = tmp_path / "patchset.json"
    path.write_text(json.dumps(broken.document()))
    message = run("validate", good.minimal(), "--patchset", path, "--patch-name", "M100").error
    assert all(word in message for word in broken.words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--patchset", "set.json"), "--patchset and --patch-name go together"),
        (("--patch-name", "M100"), "--patchset and --patch-name go together"),
        (("--patchset", "set.json", "--patch-name", "M100"), "set.json: 1 problem\n  /: the document cannot be read"),
        (("-p", "patch.json"), "patch.json: 1 problem\n  /: the document cannot be read"),
        (("-p", "-", "-p", "-"), "standard input ('-') can be read only once"),
        (("-p",), "requires an argument"),
    ],
    ids=str,
)
def test_options_that_are_wrong(options, words):
    assert words in run("validate", TWO_BINS, *options).error


def test_workspace_and_patch_from_standard_input():
    assert "can be read only once" in run("validate", "-p", "-").error
