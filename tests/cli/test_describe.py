"""inspect, validate, digest: what a document is."""

import hashlib
import json

import pytest

import histjax
from tests.cli.running import run
from tests.readers import good
from tests.readers.broken import BROKEN, BrokenDocument

TWO_BINS = histjax.examples.path("two_bins")


def test_inspect_everything():
    found = run("inspect", good.everything()).json
    assert list(found) == [
        "channels",
        "samples",
        "parameters",
        "systematics",
        "modifiers",
        "measurement",
        "poi",
        "measurements",
        "version",
    ]
    assert found["channels"][0] == {"name": "SR", "bins": 2, "samples": ["signal", "ttbar", "fakes"]}
    assert found["poi"] == "mu"
    assert found["measurement"] == "nominal"
    assert [each["name"] for each in found["measurements"]] == ["nominal", "other"]
    assert sum(found["modifiers"].values()) == sum(
        len(sample["modifiers"]) for channel in good.everything()["channels"] for sample in channel["samples"]
    )
    parameters = {each["name"]: each for each in found["parameters"]}
    assert parameters["mu"]["bounds"] == [[-5, 20]]
    assert parameters["mu"]["constraint"] == "none"
    assert parameters["jes"]["modifiers"] == ["histosys", "normsys"]
    assert parameters["fake_rate"]["components"] == 2
    assert set(found["systematics"]) == {name for name, each in parameters.items() if each["constraint"] != "none"}


def test_inspect_agrees_with_the_model():
    found = run("inspect", TWO_BINS).json["parameters"]
    model = histjax.compile(histjax.read(TWO_BINS))
    assert [each["name"] for each in found] == list(model.parameters.names)
    for each in found:
        parameter = model.parameters[each["name"]]
        assert each["init"] == parameter.init.reshape(-1).tolist()
        assert [lower for lower, _ in each["bounds"]] == parameter.lower.reshape(-1).tolist()
        assert [upper for _, upper in each["bounds"]] == parameter.upper.reshape(-1).tolist()
        assert each["constraint"] == parameter.constraint


def test_inspect_of_another_measurement():
    found = run("inspect", good.everything(), "--measurement", "other").json
    assert (found["measurement"], found["poi"]) == ("other", None)


@pytest.mark.parametrize("command", ["inspect", "validate", "fit", "cls"])
def test_measurement_that_is_not_there(command):
    message = run(command, good.everything(), "--measurement", "nominale").error
    assert message == "no measurement named 'nominale'; there are: nominal, other\n"


def test_inspect_text():
    outcome = run("inspect", TWO_BINS, "--text")
    assert outcome.status == 0
    words = ("singlechannel", "signal, background", "uncorr_bkguncrt", "poisson", "parameter of interest", "(used)")
    assert all(word in outcome.stdout for word in words)


@pytest.mark.parametrize("make", [good.everything, good.minimal, good.unicode_names])
@pytest.mark.parametrize("command", ["inspect", "validate", "digest"])
def test_good_documents(command, make):
    outcome = run(command, make())
    assert outcome.json
    assert outcome.stdout.isascii()


def test_validate():
    outcome = run("validate", TWO_BINS)
    assert outcome.json == {"valid": True, "warnings": []}
    assert outcome.stderr == ""
    assert run("validate", TWO_BINS, "--text").stdout == "valid\n"


def test_validate_a_background_only_workspace():
    """Background-only workspaces name a parameter of interest that only a signal patch brings."""
    document = json.loads(TWO_BINS.read_text())
    del document["channels"][0]["samples"][0]
    outcome = run("validate", document)
    (warning,) = outcome.json["warnings"]
    assert warning["path"] == "/measurements/0/config/poi"
    assert "'mu' is not in the model" in warning["message"]
    assert outcome.stderr == f"histjax: warning: <stdin>: {warning['path']}: {warning['message']}\n"
    assert run("validate", document, "--text").stdout == "valid, with 1 warning\n"


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.slug)
def test_validate_refuses(broken: BrokenDocument, tmp_path):
    """All that is wrong is said, in one block."""
    path = broken.write(tmp_path / "workspace.json")
    message = run("validate", path).error
    count = f"{len(broken.problems)} problem{'s' if len(broken.problems) > 1 else ''}"
    assert message.startswith(f"{path}: {count}\n")
    for pointer, words in broken.problems:
        assert f"  {pointer or '/'}: " in message
        assert all(word in message for word in words)


@pytest.mark.parametrize("command", ["inspect", "digest", "fit", "cls", "limit", "significance"])
def test_every_command_refuses(command):
    assert "'version' is missing" in run(command, {"measurements": []}).error


def test_digest():
    """The digest is that of pyhf: `json.dumps` with sorted keys."""
    text = json.dumps(json.loads(TWO_BINS.read_text()), sort_keys=True, ensure_ascii=False)
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert run("digest", TWO_BINS).json == {"sha256": expected}
    assert run("digest", "-p", TWO_BINS).stdout == f"sha256:{expected}\n"
    both = run("digest", "-a", "md5", "-a", "sha256", TWO_BINS)
    assert list(both.json) == ["md5", "sha256"]
    assert both.json["md5"] == hashlib.md5(text.encode()).hexdigest()


def test_digest_of_a_patched_document(tmp_path):
    patch = tmp_path / "patch.json"
    patch.write_text('[{"op": "replace", "path": "/observations/0/data/0", "value": 50}]')
    document = json.loads(TWO_BINS.read_text())
    document["observations"][0]["data"][0] = 50
    assert run("digest", TWO_BINS, "--patch", patch).json == run("digest", document).json


def test_digest_of_an_unknown_kind():
    assert "'crc'" in run("digest", "-a", "crc", TWO_BINS).error
