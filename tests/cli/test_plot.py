"""plot and --plot: files of pictures, and what is said where there is none."""

import os
import sys

import pytest

import histjax
from histjax.cli import fitting
from tests.cli.running import REQUIRED, run, strict_json

TWO_BINS, SIGNALS = histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins")
DRAWING = ("fit", "interval", "scan", "contour", "ranking", "gof", "cls", "limit", "significance")
STARTS = {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG"}


@pytest.fixture(autouse=True)
def packages():
    pytest.importorskip("mplhep")


@pytest.mark.parametrize("command", DRAWING)
def test_picture(command, tmp_path):
    """The picture is all that is left besides the JSON, which is the same as without, but for what `limit` draws."""
    words = command, TWO_BINS, *REQUIRED.get(command, ())
    found = run(*words, "--plot", tmp_path / "a.svg").json
    assert os.listdir(tmp_path) == ["a.svg"]
    assert (tmp_path / "a.svg").read_bytes().startswith(STARTS["svg"])
    tests = found.pop("tests", [])
    assert found == run(*words).json
    assert len(tests) == (31 if command == "limit" else 0)
    assert "--plot FILE" in run(command, "--help").stdout


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_kinds_of_files(kind, tmp_path):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(b"old")
    assert run("fit", TWO_BINS, "--plot", path).status == 0
    assert path.read_bytes().startswith(STARTS[kind])


@pytest.mark.parametrize("command", ["cls", "limit"])
def test_patch_sets(command, tmp_path):
    words = "patchset", command, TWO_BINS, SIGNALS, "--no-cache"
    assert run(*words, "--plot", tmp_path / "a.pdf").json == run(*words).json
    one = run(*words, "--name", "Z_300_10", "--plot", tmp_path / "b.pdf").error
    assert "these differ in 0 of mass, width" in one
    assert os.listdir(tmp_path) == ["a.pdf"]


def test_intervals(tmp_path):
    """A page for each in a PDF; another kind of file has one."""
    words = "interval", TWO_BINS, "--parameter", "uncorr_bkguncrt"
    assert run(*words, "--plot", tmp_path / "a.pdf").json == run(*words).json
    assert b"/Count 2" in (tmp_path / "a.pdf").read_bytes()
    assert "shows one parameter, found 2" in run_error(*words, "--plot", tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.pdf"]


def run_error(*words) -> str:
    """The message of a failure that comes after the JSON."""
    outcome = run(*words)
    assert outcome.status == 2
    return outcome.stderr


def test_thrown_toys(tmp_path):
    """The same JSON as without; not of a slice."""
    words = "toys", TWO_BINS, "--n-toys", 50, "--seed", 1
    assert run(*words, "--plot", tmp_path / "a.svg").json == run(*words).json
    assert "give it without --slice" in run(*words, "--slice", "1/2", "--plot", tmp_path / "b.svg").error
    assert os.listdir(tmp_path) == ["a.svg"]


def test_toys(tmp_path):
    words = "--toys", 50, "--seed", 1
    assert run("cls", TWO_BINS, *words, "--plot", tmp_path / "a.png").status == 0
    assert run("gof", TWO_BINS, *words, "--plot", tmp_path / "b.png").status == 0


def test_refused_before_the_work(tmp_path, monkeypatch):
    """Endings, folders and missing packages: nothing is read, and nothing written."""
    monkeypatch.setattr(fitting, "compiled_model", None)
    words = "fit", TWO_BINS, "--plot"
    assert run(*words, tmp_path / "a.gif").error.endswith("a picture is a .pdf, .svg or .png file, found '.gif'\n")
    assert run(*words, "-").error == "-: a picture is a .pdf, .svg or .png file, found 'no ending'\n"
    assert "there is no directory" in run(*words, tmp_path / "b" / "a.pdf").error
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert "pip install 'histjax[plot]'" in run(*words, tmp_path / "a.pdf").error
    assert os.listdir(tmp_path) == []


def test_scan_of_three(tmp_path):
    axes = [word for name in ("mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]") for word in ("--scan", f"{name}=0:1:2")]
    assert "one or two parameters, found 3" in run("scan", TWO_BINS, *axes, "--plot", tmp_path / "a.pdf").error


def test_plot(tmp_path):
    """From a file, from standard input, and with the kind that the user wants."""
    result, picture = tmp_path / "limit.json", tmp_path / "limit.png"
    run("limit", TWO_BINS, "--output-file", result, "--plot", picture)
    drawn = tmp_path / "again.png"
    assert run("plot", result, "-o", drawn).status == 0
    assert drawn.read_bytes() == picture.read_bytes()
    assert run("plot", "-o", drawn, strict_json(result.read_text())).status == 0
    assert drawn.read_bytes() == picture.read_bytes()
    assert run("plot", result, "--kind", "limits", "-o", drawn).status == 0
    assert drawn.read_bytes() != picture.read_bytes()
    assert run("plot", result, result, "--kind", "limits", "-o", drawn).status == 0


def test_plot_that_cannot_be(tmp_path):
    words = "plot", "-o", tmp_path / "a.pdf"
    assert "its keys: parameters" in run(*words, {"parameters": {}}).error
    assert "no key 'pulls'" in run(*words, {"a": 1}, "--kind", "pulls").error
    assert "not JSON" in run(*words, stdin="nothing").error
    assert "expected an object as the commands of histjax write it, found a list" in run(*words, stdin="[]").error
    assert "cannot be read: No such file" in run(*words, tmp_path / "none.json").error
    assert "Missing option '-o'" in run("plot", "none.json").error
    assert os.listdir(tmp_path) == []


def test_two_files_of_one_kind(tmp_path):
    path = tmp_path / "a.json"
    run("fit", TWO_BINS, "--pulls", "--output-file", path)
    assert "the plot 'pulls' is of one file, found 2" in run("plot", path, path, "-o", tmp_path / "a.pdf").error
