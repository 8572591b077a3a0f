"""toys, toys merge, and --toys elsewhere: the same numbers as the library's, sliced or not, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import histjax
from histjax.cli import main
from tests.cli.running import run, strict_json
from tests.toys.poisson import cls_limit
from tests.toys.tables import read_table

TWO_BINS = histjax.examples.path("two_bins")
N_TOYS = 9000  # three programs' worth of toys for each hypothesis
SEED = ("--seed", 7, "--no-cache")
ASKED = ("toys", TWO_BINS, "--n-toys", N_TOYS, "--n-background", 5000, *SEED)


@pytest.fixture(scope="module")
def whole() -> str:
    """What one run without slices writes."""
    outcome = run(*ASKED)
    assert (outcome.status, outcome.stderr) == (0, "")
    return outcome.stdout


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> list[Path]:
    """The files of three slices."""
    folder = tmp_path_factory.mktemp("slices")
    paths = [folder / f"{number}.json" for number in (1, 2, 3)]
    for number, path in enumerate(paths, start=1):
        assert run(*ASKED, "--slice", f"{number}/3", "--output-file", path).status == 0
    return paths


def test_numbers_are_those_of_the_library(whole):
    """And near the asymptotic CLs, 0.0525."""
    found = strict_json(whole)
    model = histjax.compile(histjax.read(TWO_BINS))
    toys = histjax.Toys(jax.random.key(7), N_TOYS, n_background=5000)
    result = histjax.hypotest(model, poi_value=1.0, calculator=toys)
    assert found["CLs_obs"] == float(result.CLs)
    assert found["CLs_obs_uncertainty"] == result.toys.CLs_uncertainty
    assert found["CLs_exp"] == result.CLs_expected.tolist()
    assert found["CLs_exp_uncertainty"] == result.toys.CLs_expected_uncertainty.tolist()
    assert (found["CLsb"], found["CLb"]) == (float(result.CLsb), float(result.CLb))
    assert found["CLs_obs"] == pytest.approx(0.05, abs=0.012)
    assert (found["n_toys"], found["n_background"], found["n_failed"]) == (N_TOYS, 5000, [0, 0])
    assert (found["poi"], found["poi_value"], found["seed"], found["converged"]) == ("mu", 1.0, 7, True)


def test_discovery_is_that_of_the_library():
    found = run("toys", "throw", TWO_BINS, "--test-stat", "q0", "--n-toys", 500, *SEED).json
    model = histjax.compile(histjax.read(TWO_BINS))
    toys = histjax.Toys(jax.random.key(7), 500)
    result = histjax.hypotest(model, poi_value=0.0, statistic=histjax.q0, calculator=toys)
    assert (found["CLs_obs"], found["CLb"]) == (float(result.CLs), float(result.CLb))
    assert found["CLs_exp"] == result.CLs_expected.tolist()


def test_slices_make_the_whole(whole, slices):
    """Byte by byte, in whatever order they are given."""
    assert run("toys", "merge", *slices).stdout == whole
    assert run("toys", "merge", *reversed(slices)).stdout == whole


def test_what_cannot_be_merged(slices, tmp_path):
    first, second, third = slices
    assert "missing slice 2/3: toys 3000 to 6000 of the tested hypothesis" in run("toys", "merge", first, third).error
    assert "missing slices 1/3, 2/3: " in run("toys", "merge", third).error
    shared = run("toys", "merge", first, first, second, third).error
    assert shared.startswith("toys 0 to 3000 of the tested hypothesis are in both ")
    another = json.loads(second.read_text()) | {"seed": 8, "poi_value": 2.0}
    (tmp_path / "other.json").write_text(json.dumps(another))
    assert "poi_value is 1.0 and 2.0; seed is 7 and 8" in run("toys", "merge", first, tmp_path / "other.json").error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a slice of toys as histjax toys --slice writes it"),
        ('{"tallies": {"tested": {"start": 0}}}', "(KeyError: 'stop')"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_files_that_are_no_slices(tmp_path, text, words):
    path = tmp_path / "file.json"
    if text is not None:
        path.write_text(text)
    message = run("toys", "merge", path).error
    assert message.startswith(f"{path}: ") and words in message


def test_tampered_tally(slices, tmp_path):
    """Counts that do not add up are noticed."""
    document = json.loads(slices[0].read_text())
    document["tallies"]["other"]["counts"][0] += 1
    (tmp_path / "1.json").write_text(json.dumps(document))
    assert "its counts do not add up" in run("toys", "merge", tmp_path / "1.json", *slices[1:]).error


def test_store(whole, tmp_path):
    """Slices that share a directory, or have one each, are merged from there; a run with it throws nothing again."""
    shared = tmp_path / "shared"
    for number in (1, 2):
        assert run(*ASKED, "--slice", f"{number}/2", "--store", shared).status == 0
    before = {path: path.stat().st_mtime_ns for path in shared.iterdir()}
    assert run("toys", "merge", shared).stdout == whole
    assert run(*ASKED, "--store", shared, "--slice", "2/2").status == 0
    assert {path: path.stat().st_mtime_ns for path in shared.iterdir()} == before
    refused = run("toys", TWO_BINS, "--n-toys", 10, "--seed", 8, "--no-cache", "--store", shared).error
    assert "seed is 7 there and 8 here; give another directory" in refused
    next(shared.glob("*-1-*.npz")).unlink()
    assert "of the tested hypothesis are missing" in run("toys", "merge", shared).error


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_table(tmp_path, ending):
    """One row for each toy; without --store nothing else is left."""
    path = tmp_path / f"toys.{ending}"
    found = run("toys", TWO_BINS, "--n-toys", 300, *SEED, "--table", path).json
    table = read_table(path)
    tested = table["hypothesis"] == 1
    above = table["statistic"][tested] >= found["statistic"] - 1e-6
    assert (tested.sum(), tested.size) == (300, 600)
    assert found["CLsb"] == above.mean()
    assert list(tmp_path.iterdir()) == [path]


def test_table_of_many_rounds(tmp_path, monkeypatch):
    """Columns are held for a few slices at a time; the numbers do not notice."""
    monkeypatch.setattr("histjax.cli.toys.ROUND", 1)
    path = tmp_path / "toys.npz"
    arguments = ("toys", TWO_BINS, "--n-toys", 5000, "--n-background", 3000, *SEED)
    assert run(*arguments, "--table", path, "--slice", "2/2").json["tallies"]["tested"]["start"] == 2500
    table = read_table(path)
    np.testing.assert_array_equal(table["number"][table["hypothesis"] == 1], np.arange(2500, 5000))
    np.testing.assert_array_equal(table["number"][table["hypothesis"] == 0], np.arange(1500, 3000))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("toys", TWO_BINS), "Missing option '--seed'"),
        (("toys", "merge"), "Missing argument"),
        (("toys", TWO_BINS, *SEED, "--slice", "4/3"), "'4/3' is not of the form K/M"),
        (("toys", TWO_BINS, *SEED, "--slice", "0/3"), "'0/3' is not of the form K/M"),
        (("toys", TWO_BINS, *SEED, "--n-toys", "0"), "0 is not in the range"),
        (("toys", TWO_BINS, "--seed", "-1"), "-1 is not in the range"),
        (("toys", TWO_BINS, *SEED, "--table", "toys.csv"), "a .parquet or a .npz file, found '.csv'"),
        (("toys", TWO_BINS, *SEED, "--store", TWO_BINS), "cannot keep toys here"),
        (("toys", TWO_BINS, *SEED, "--test-stat", "q0", "--test-poi", "1"), "must be 0"),
        (("cls", TWO_BINS, "--toys", "10"), "--seed is missing; there is no default seed"),
        (("gof", TWO_BINS, "--seed", "1"), "--toys is missing; only toys need a seed"),
        (("limit", TWO_BINS, "--relative-error", "0"), "0 is not between 0 and 1"),
    ],
    ids=lambda value: " ".join(map(str, value[2:] or value)) if isinstance(value, tuple) else None,
)
def test_options_that_are_wrong(arguments, words):
    assert words in run(*arguments).error


def test_help_and_default():
    """A command that is not named is `throw`, also for help."""
    text = run("toys", "--help").stdout
    assert text == run("toys", "throw", "--help").stdout and "--slice K/M" in text
    assert list(main.commands["toys"].commands) == ["throw", "merge"]


def test_text(slices):
    table = run("toys", "merge", *slices, "--text").stdout
    assert "CLs" in table and "+-" in table and "{" not in table


def test_cls_by_toys(whole):
    """`cls --toys` has the keys of `cls`, and the numbers of `toys`."""
    found = run("cls", TWO_BINS, "--toys", 5000, "--seed", 7).json
    same = run("toys", TWO_BINS, "--n-toys", 5000, *SEED).json
    for key in ("CLs_obs", "CLs_exp", "CLsb", "CLb", "statistic", "best"):
        assert found[key] == same[key]
    assert found["toys"]["uncertainties"]["CLs_obs"] == same["CLs_obs_uncertainty"]
    assert (found["toys"]["n_toys"], found["toys"]["n_failed"]) == ([5000, 5000], [0, 0])
    assert "toys" not in run("cls", TWO_BINS).json


def one_bin(n: float, b: float) -> dict:
    """A count with a known background."""
    document = json.loads(TWO_BINS.read_text())
    samples = document["channels"][0]["samples"]
    samples[0]["data"], samples[1]["data"], samples[1]["modifiers"] = [1.0], [b], []
    document["observations"][0]["data"] = [n]
    return document


def test_limit_by_toys():
    """Against the sum of Poisson probabilities; every point is written."""
    found = run("limit", one_bin(2.0, 3.0), "--toys", 2000, "--seed", 1, "--relative-error", "0.1").json
    assert found["observed"] == pytest.approx(cls_limit(2, 3.0), abs=4 * found["uncertainty"])
    assert all(
        each / limit <= 0.1 for each, limit in zip(found["expected_uncertainty"], found["expected"], strict=True)
    )
    assert found["toys"]["precise"] == [True] * 6
    assert sum(map(sum, (point["n_toys"] for point in found["toys"]["points"]))) == found["toys"]["n_toys"]
    assert len(found["toys"]["points"][0]["CLs_exp"]) == 5


@pytest.mark.filterwarnings("always::histjax.errors.ImpreciseLimit")
def test_limit_that_is_not_precise():
    """It is written with its uncertainty; a warning says what was not reached."""
    asked = ("limit", one_bin(2.0, 3.0), "--toys", 2000, "--seed", 1, "--relative-error", "0.001", "--most-toys", 60000)
    outcome = run(*asked)
    assert outcome.json["toys"]["precise"] == [False] * 6
    assert "not enough for a relative error of 0.1 %" in outcome.stderr


def test_significance_and_goodness_by_toys():
    found = run("significance", TWO_BINS, "--toys", 500, "--seed", 1).json
    assert found["p0"] == 1.0 and found["toys"]["n_toys"] == [500, 500]  # a deficit: q0 = 0, which all toys reach
    found = run("gof", TWO_BINS, "--toys", 2000, "--seed", 1).json
    # 1 degree of freedom and 100 events: the asymptotic 0.67, but for mu >= 0, which half of the toys feel
    assert 0.5 < found["p_value"] < 0.95
    assert found["toys"]["p_value_uncertainty"] == pytest.approx(0.01, abs=0.005)


def test_failed_toys(monkeypatch):
    """More than one in a thousand: written, and the exit status is 1 with one message."""
    monkeypatch.setattr("histjax.cli.counting.MOST_FAILED", -1.0)
    outcome = run("toys", TWO_BINS, "--n-toys", 10, *SEED)
    assert outcome.status == 1
    assert strict_json(outcome.stdout)["converged"] is False
    assert outcome.stderr.startswith("histjax: error: 0 of 20 toys have no certified fit")


def test_interrupted(tmp_path):
    """Ctrl-C ends with status 130 and one line; what is finished is kept and serves the next run."""
    store = tmp_path / "store"
    command = ["toys", str(TWO_BINS), "--seed", "7", "--no-cache", "--store", str(store)]
    paths = os.pathsep.join(filter(None, [str(Path(histjax.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    words = [sys.executable, "-m", "histjax", *command, "--n-toys", "3000000"]
    process = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True)
    try:
        while len(list(store.glob("*-1-*.npz"))) < 2:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, message.lstrip()) == (130, "histjax: error: interrupted\n")
    kept = {path for path in store.glob("*-1-*.npz")}
    assert not list(store.glob(".unfinished*"))
    found = run(*command, "--n-toys", 8192, "--n-background", 100)
    assert found.json == run("toys", TWO_BINS, *SEED, "--n-toys", 8192, "--n-background", 100).json
    assert {path for path in store.glob("*-1-*.npz")} == kept
