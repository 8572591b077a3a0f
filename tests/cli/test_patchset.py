"""patchset: what is in a set, one patch after the other, and all of them at once."""

import io
import json

import pytest
from click.testing import CliRunner

import histjax
from histjax.cli import messages
from tests.cli.running import run, strict_json

TWO_BINS = histjax.examples.path("two_bins")
SIGNALS = histjax.examples.patchset_path("two_bins")
NAMES = ["Z_300_10", "Z_400_10", "Z_500_25"]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The patch set with one patch that cannot be applied, for another document."""
    document = json.loads(SIGNALS.read_text())
    document["patches"][1]["patch"][0]["path"] = "/channels/7/samples"
    document["metadata"]["digests"] = {"sha256": "0" * 64}
    path = tmp_path_factory.mktemp("signals") / "broken.json"
    path.write_text(json.dumps(document))
    return path


def test_inspect():
    found = run("patchset", "inspect", SIGNALS).json
    assert found["labels"] == ["mass", "width"]
    assert [each["name"] for each in found["patches"]] == NAMES
    assert found["patches"][0] == {"name": "Z_300_10", "values": [300.0, 10.0], "operations": 2}
    assert set(found) == {"description", "labels", "digests", "references", "patches"}
    assert run("patchset", "inspect", "-", stdin=SIGNALS.read_text()).json == found
    text = run("patchset", "inspect", SIGNALS, "--text").stdout
    assert all(word in text for word in (*NAMES, "mass", "sha256:"))


def test_verify(broken):
    found = run("patchset", "verify", TWO_BINS, SIGNALS).json
    assert (found["verified"], list(found["digests"])) == (True, ["sha256"])
    assert "agree" in run("patchset", "verify", TWO_BINS, SIGNALS, "--text").stdout
    assert "these patches are for another document" in run("patchset", "verify", TWO_BINS, broken).error


def test_apply(tmp_path, broken):
    """The document is that of the library, and what `validate` and `fit --patchset` have."""
    expected = histjax.read_patchset(SIGNALS).apply(json.loads(TWO_BINS.read_text()), "Z_400_10")
    assert run("patchset", "apply", TWO_BINS, SIGNALS, "--name", "Z_400_10").json == expected
    path = tmp_path / "patched.json"
    assert (
        run(
            "patchset", "apply", "-", SIGNALS, "--name", "Z_400_10", "--output-file", path, stdin=TWO_BINS.read_text()
        ).stdout
        == ""
    )
    assert strict_json(path.read_text()) == expected
    assert "another document" in run("patchset", "apply", TWO_BINS, broken, "--name", "Z_300_10").error
    assert run("patchset", "apply", TWO_BINS, broken, "--name", "Z_300_10", "--no-verify").json["channels"]
    message = run("patchset", "apply", TWO_BINS, broken, "--name", "Z_400_10", "--no-verify").error
    assert "patch 'Z_400_10': operation 0 (replace /channels/7/samples) failed" in message


def test_extract():
    operations = run("patchset", "extract", SIGNALS, "--name", "Z_500_25").json
    assert operations == [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [5.0, 8.0]}]
    whole = run("patchset", "extract", SIGNALS, "--name", "Z_500_25", "--with-metadata").json
    assert whole["patch"] == operations
    assert (whole["metadata"]["name"], whole["metadata"]["values"]) == ("Z_500_25", [500.0, 25.0])
    assert whole["metadata"]["labels"] == ["mass", "width"]


@pytest.mark.parametrize(
    "words",
    [
        ("extract", SIGNALS, "--name", "Z_500_25"),
        ("extract", SIGNALS, "--name", "Z_500_25", "--with-metadata"),
        ("apply", TWO_BINS, SIGNALS, "--name", "Z_300_10"),
    ],
    ids=lambda words: " ".join(map(str, words)).replace(str(SIGNALS.parent), ""),
)
def test_pyhf_writes_the_same(words):
    """Commands, arguments and JSON are those of pyhf."""
    cli = pytest.importorskip("pyhf.cli")
    theirs = CliRunner().invoke(cli.cli, ["patchset", *map(str, words)])
    assert theirs.exit_code == 0, theirs.output
    assert run("patchset", *words).json == json.loads(theirs.stdout)


def test_extracted_patch_is_one_for_fit(tmp_path):
    path = tmp_path / "patch.json"
    run("patchset", "extract", SIGNALS, "--name", "Z_300_10", "--output-file", path)
    one = run("cls", TWO_BINS, "--patch", path).json
    all_of_them = run("patchset", "cls", TWO_BINS, SIGNALS, "--no-cache").json
    point = all_of_them["points"][0]
    assert point["CLs_obs"] == pytest.approx(one["CLs_obs"], rel=1e-10)
    assert point["CLs_exp"] == pytest.approx(one["CLs_exp"], rel=1e-10)


def test_cls():
    """pyhf 0.7.6 has 0.0510001, 0.0744002, 0.2529134, where its fits stop."""
    found = run("patchset", "cls", TWO_BINS, SIGNALS, "--no-cache").json
    assert (found["labels"], found["poi"], found["poi_value"]) == (["mass", "width"], "mu", 1.0)
    assert found["converged"] is True
    assert [point["name"] for point in found["points"]] == NAMES
    assert [point["values"] for point in found["points"]] == [[300.0, 10.0], [400.0, 10.0], [500.0, 25.0]]
    assert [point["CLs_obs"] for point in found["points"]] == pytest.approx([0.0510001, 0.0744002, 0.2529134], rel=1e-4)
    assert all(len(point["CLs_exp"]) == 5 and point["message"] == "converged" for point in found["points"])


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (("--test-poi", "0.5"), {"poi_value": 0.5}),
        (("--test-stat", "q"), {"statistic": histjax.qmu}),
        (("--clipped-normal",), {"calculator": histjax.Asymptotic(clipped_normal=True)}),
        (("--threads", "1"), {}),
    ],
    ids=str,
)
def test_options_of_cls(words, settings):
    found = run("patchset", "cls", TWO_BINS, SIGNALS, "--no-cache", "--name", "Z_500_25", "--name", "Z_300_10", *words)
    grid = histjax.compile_grid(TWO_BINS, SIGNALS, names=["Z_500_25", "Z_300_10"])
    expected = grid.hypotest(**settings)
    assert [point["name"] for point in found.json["points"]] == ["Z_500_25", "Z_300_10"]
    for point, other in zip(found.json["points"], expected, strict=True):
        assert point["CLs_obs"] == other.observed
        assert point["CLs_exp"] == other.expected.tolist()


def test_limit():
    found = run("patchset", "limit", TWO_BINS, SIGNALS, "--no-cache", "--level", "0.1").json
    grid = histjax.compile_grid(TWO_BINS, SIGNALS)
    expected = grid.upper_limit(confidence_level=0.9)
    assert found["confidence_level"] == 0.9
    assert [point["observed"] for point in found["points"]] == pytest.approx(expected.observed.tolist(), rel=1e-12)
    assert found["points"][0]["expected"] == pytest.approx(expected.expected[0].tolist(), rel=1e-12)


@pytest.mark.parametrize("command", ["cls", "limit"])
def test_a_patch_that_fails(command, broken):
    """The others are there, and the exit status tells."""
    outcome = run("patchset", command, TWO_BINS, broken, "--no-verify", "--no-cache")
    assert outcome.status == 1
    found = strict_json(outcome.stdout)
    assert [point["converged"] for point in found["points"]] == [True, False, True]
    lost = found["points"][1]
    assert lost["status"] == "no model" and "operation 0 (replace /channels/7/samples) failed" in lost["message"]
    assert lost["CLs_obs" if command == "cls" else "observed"] is None
    assert outcome.stderr.startswith("histjax: error: 1 of 3 patches: Z_400_10: ")
    assert run("patchset", command, TWO_BINS, broken, "--no-cache").error.count("another document") == 1


def test_text():
    outcome = run("patchset", "cls", TWO_BINS, SIGNALS, "--no-cache", "--text")
    assert outcome.status == 0
    assert all(word in outcome.stdout for word in ("mass", "width", "0.051", "3 of 3 patches converged"))


def test_mask():
    """Without its only channel nothing tells the signals from the background."""
    found = run(
        "patchset", "cls", TWO_BINS, SIGNALS, "--no-cache", "--mask", "singlechannel", "--name", "Z_300_10"
    ).json
    assert found["points"][0]["CLs_obs"] == pytest.approx(1.0)
    assert "'XR'" in run("patchset", "cls", TWO_BINS, SIGNALS, "--no-cache", "--mask", "XR").error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cls", TWO_BINS, SIGNALS, "--name", "Z_1"), "no patch named 'Z_1'; there are: Z_300_10"),
        (("cls", "-", "-"), "can be read only once"),
        (("cls", TWO_BINS), "Missing argument 'PATCHSET'"),
        (("cls", SIGNALS, TWO_BINS), "is missing"),
        (("limit", TWO_BINS, SIGNALS, "--level", "2"), "is not between 0 and 1"),
        (("limit", TWO_BINS, SIGNALS, "--threads", "0"), "--threads"),
        (("cls", TWO_BINS, SIGNALS, "--measurement", "M"), "no measurement named 'M'"),
        (("cls", TWO_BINS, SIGNALS, "--poi", "nu"), "no parameter 'nu'"),
        (("apply", TWO_BINS, SIGNALS), "Missing option '--name'"),
        (("extract", TWO_BINS, "--name", "a"), "is missing"),
        (("inspect", "nowhere.json"), "the document cannot be read"),
        (("verify", "-", "-"), "can be read only once"),
        ((), "Missing command"),
    ],
    ids=str,
)
def test_what_is_wrong(words, message):
    extra = ("--no-cache",) if words[:1] in (("cls",), ("limit",)) else ()
    assert message in run("patchset", *words, *extra).error


def test_help():
    """Every key of the JSON is in the help of its command."""
    for command, words in (
        ("inspect", (SIGNALS,)),
        ("verify", (TWO_BINS, SIGNALS)),
        ("cls", (TWO_BINS, SIGNALS, "--no-cache")),
    ):
        text = run("patchset", command, "-h").stdout
        found = run("patchset", command, *words).json
        keys = [*found, *(key for each in found.get("points", [])[:1] for key in each)]
        assert all(key in text for key in keys)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_bar(monkeypatch):
    """On a terminal there is a bar with rate and remaining time; elsewhere nothing."""
    monkeypatch.setattr("sys.stderr", _Terminal())
    with messages.progress_bar("testing", 3) as advance:
        advance()
        advance(2)
    monkeypatch.undo()
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with messages.progress_bar("testing", 3) as advance:
        advance()
    import sys

    assert sys.stderr.getvalue() == ""
