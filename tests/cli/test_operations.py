"""combine, prune, rename, sort, completions: the documents of the library, on standard output or in a file."""

import json
import shutil
import subprocess

import pytest

import histjax
from histjax.readers import digest, write_workspace
from tests.cli.running import run, strict_json

TWO_BINS, SEARCH = histjax.examples.path("two_bins"), histjax.examples.path("search")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The two bins as another channel of another measurement."""
    renamed = histjax.rename(
        histjax.read(TWO_BINS),
        channels={"singlechannel": "other"},
        measurements={"Measurement": "M2"},
        modifiers={"uncorr_bkguncrt": "stat"},
    )
    path = tmp_path_factory.mktemp("combine") / "other.json"
    path.write_text(json.dumps(write_workspace(renamed.workspace)))
    return path


def test_combine(other, tmp_path):
    """As the library; from standard input; to a file; n-way."""
    expected = write_workspace(histjax.combine(histjax.read(TWO_BINS), histjax.read(other)).workspace)
    assert run("combine", TWO_BINS, other).json == expected
    assert run("combine", "-", other, stdin=TWO_BINS.read_text()).json == expected
    assert run("combine", TWO_BINS, other, "--output-file", tmp_path / "c.json").stdout == ""
    assert strict_json((tmp_path / "c.json").read_text()) == expected
    assert run("combine", TWO_BINS, other, tmp_path / "c.json", "--join", "outer").json == expected


def test_combine_with_correlations(other, tmp_path):
    """Parameters of the result, and what they are called in each workspace."""
    path = tmp_path / "correlations.json"
    path.write_text(json.dumps({"s": ["mu", "mu"], "a": ["uncorr_bkguncrt", None], "b": [None, "stat"]}))
    found = run("inspect", run("combine", TWO_BINS, other, "--correlations", path).json).json
    assert sorted(each["name"] for each in found["parameters"]) == ["a", "b", "s"]
    path.write_text('{"a": "uncorr_bkguncrt"}')
    assert "expected {name: [its name in each" in run("combine", TWO_BINS, other, "--correlations", path).error


def test_combine_says_what_it_drops(other, tmp_path):
    """Conflicts are errors, all of them; what a join drops is a warning each."""
    message = run("combine", TWO_BINS, TWO_BINS).error
    assert message.count("is in workspace 2 and before") == 3
    changed = json.loads(TWO_BINS.read_text())
    changed["observations"][0]["data"] = [1.0, 1.0]
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))
    outcome = run("combine", TWO_BINS, path, "-j", "right outer")
    assert outcome.json["observations"] == changed["observations"]
    assert outcome.stderr == "histjax: warning: dropped observation 'singlechannel' of the workspaces before\n"
    assert "read only once" in run("combine", "-", "-").error
    assert "two or more" in run("combine", TWO_BINS).error


def test_prune():
    """By names, types and expressions."""
    expected = write_workspace(
        histjax.prune(histjax.read(SEARCH), modifiers=["jet_energy_scale"], modifier_types=["staterror"]).workspace
    )
    assert run("prune", SEARCH, "-m", "jet_energy_scale", "-t", "staterror").json == expected
    assert run("prune", SEARCH, "--regex", "-m", "jet_.*", "-m", "staterror_.*").json == expected
    left = run("prune", SEARCH, "-c", "multijet_control_region", "-s", "fakes", "--measurement", "search").json
    assert [each["name"] for each in left["channels"]] == ["signal_region", "ttbar_control_region"]
    assert "no channel named 'nothing'" in run("prune", SEARCH, "-c", "nothing").error
    assert "no regular expression" in run("prune", SEARCH, "--regex", "-c", "(").error


def test_rename():
    """Names in pairs, as for pyhf."""
    expected = write_workspace(
        histjax.rename(histjax.read(SEARCH), modifiers={"mu": "s"}, channels={"signal_region": "SR"}).workspace
    )
    assert run("rename", SEARCH, "-m", "mu", "s", "-c", "signal_region", "SR").json == expected
    assert "would both be called 'lumi'" in run("rename", SEARCH, "-m", "mu", "lumi").error
    assert "'mu' is given twice" in run("rename", SEARCH, "-m", "mu", "a", "-m", "mu", "b").error


def test_sort():
    """pyhf's digest of the sorted search.

    Origin: `pyhf sort search.json | pyhf digest -` (pyhf 0.7.6), taken live.
    """
    import pyhf

    expected = pyhf.utils.digest(pyhf.Workspace.sorted(pyhf.Workspace(json.loads(SEARCH.read_text()))))
    found = run("sort", SEARCH).json
    assert digest(found) == expected
    assert run("digest", found).json == {"sha256": expected}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell):
    """A script that names the variable by which click asks; a shell that is here can parse it."""
    script = run("completions", shell).stdout
    assert f"_HISTJAX_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
    assert "'tcsh' is not one of" in run("completions", "tcsh").error
