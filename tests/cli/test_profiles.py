"""interval, scan, contour: the numbers of the library, and what is wrong said before the work."""

import numpy as np
import pytest

import histjax
from tests.cli.running import REQUIRED, only_signal, run, strict_json, uncorrelated_background
from tests.readers import good

TWO_BINS = histjax.examples.path("two_bins")
EXCESS = uncorrelated_background([12, 11], [50, 52], [3, 7], [60, 65])
SUMMARY = {"twice_nll", "deviance", "edm", "kkt", "converged", "status", "message", "n_iterations"}


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """The model of the two bins."""
    return histjax.compile(histjax.read(TWO_BINS))


def test_interval_is_that_of_the_library(model):
    found = run("interval", TWO_BINS, "--parameter", "uncorr*", "--confidence-level", "0.9").json
    result = histjax.interval(model, parameters="uncorr_bkguncrt", confidence_level=0.9)
    assert list(found["intervals"]) == list(result.names)
    for name in result.names:
        each = found["intervals"][name]
        assert [each["lower"], each["upper"]] == [float(result[name].lower), float(result[name].upper)]
        assert each["plus"] == each["upper"] - each["best"]
        assert each["minus"] == each["best"] - each["lower"]
        assert each["status"] == ["found", "found"]
    assert (found["kind"], found["confidence_level"], found["converged"]) == ("two-sided", 0.9, True)
    assert found["delta"] == pytest.approx(1.6448536269514722**2)
    assert set(found["fit"]) == SUMMARY


def test_interval_of_the_poi():
    """At the ends -2 ln L is 1 above its minimum, by the command fit; the other end of an upper interval is open."""
    found = run("interval", EXCESS).json["intervals"]["mu"]
    lowest = run("fit", EXCESS).json["twice_nll"]
    for end, status in zip(("lower", "upper"), found["status"], strict=True):
        if status == "found":
            above = run("fit", EXCESS, "--fixed", f"mu={found[end]!r}").json["twice_nll"] - lowest
            assert above == pytest.approx(1, abs=1e-6)
    assert found["status"][1] == "found"
    upper = run("interval", EXCESS, "--kind", "upper", "--confidence-level", "0.95").json
    assert upper["intervals"]["mu"]["status"] == ["not_asked", "found"]
    assert upper["delta"] == pytest.approx(1.6448536269514722**2)


def test_scan_is_that_of_the_library(model):
    found = run("scan", TWO_BINS, "--scan", "mu=0:2:5").json
    result = histjax.scan(model, values={"mu": np.linspace(0, 2, 5)})
    assert found["parameters"] == ["mu"]
    assert found["values"] == {"mu": [0, 0.5, 1, 1.5, 2]}
    assert found["delta"] == result.delta.tolist()
    assert found["twice_nll"] == result.twice_nll.tolist()
    assert found["status"] == ["converged"] * 5
    assert found["best"] == {"mu": 0.0}
    assert found["converged"] is True
    assert set(found["fit"]) == SUMMARY


def test_scan_of_a_grid(model):
    """A point of the grid is the conditional fit; axes are in the order of the options."""
    axes = "--scan", "uncorr_bkguncrt[1]=0.9:1.1:2", "--scan", "mu=0:2:3"
    found = run("scan", TWO_BINS, *axes, "--fix", ".*\\[0\\]=0.95").json
    assert found["parameters"] == ["uncorr_bkguncrt[1]", "mu"]
    assert np.shape(found["delta"]) == np.shape(found["edm"]) == np.shape(found["status"]) == (2, 3)
    held = {"uncorr_bkguncrt[0]": 0.95, "uncorr_bkguncrt[1]": 1.1, "mu": 1.0}
    assert found["twice_nll"][1][1] == pytest.approx(float(histjax.fit(model, fixed=held).twice_nll), abs=1e-9)


def test_contour_is_that_of_the_library(model):
    names = "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"
    words = "contour", TWO_BINS, "--parameters", *names, "--points", "6", "--fixed", "mu=0"
    found = run(*words, "--level", "0.5", "--confidence-level", "0.68").json
    result = histjax.contour(model, parameters=names, confidence_levels=[0.5, 0.68], n_points=6, fixed={"mu": 0.0})
    assert found["parameters"] == list(names)
    assert [each["confidence_level"] for each in found["contours"]] == [0.5, 0.68]
    assert [each["delta"] for each in found["contours"]] == result.levels.tolist()
    assert [each["points"] for each in found["contours"]] == result.points.tolist()
    assert found["contours"][0]["status"] == ["found"] * 6
    assert found["best"] == result.best.tolist()
    assert (found["degrees_of_freedom"], found["converged"]) == (2, True)
    assert set(found["fit"]) == SUMMARY
    (one, two) = run(*words, "--degrees-of-freedom", "1").json["contours"]
    assert [one["delta"], two["delta"]] == pytest.approx([1, 4])


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("scan", (), "Missing option '--scan'"),
        ("scan", ("--scan", "mu"), "'mu' is not of the form NAME=LO:HI:N, such as mu=0:2:21"),
        ("scan", ("--scan", "mu=0:1"), "'mu=0:1' is not of the form NAME=LO:HI:N"),
        ("scan", ("--scan", "mu=0:one:3"), "'one' is not a number"),
        ("scan", ("--scan", "mu=0:inf:3"), "inf is not finite"),
        ("scan", ("--scan", "mu=2:0:3"), "'mu=2:0:3' does not go upwards: 2 is not below 0"),
        ("scan", ("--scan", "mu=0:2:1"), "1 is not in the range x>=2"),
        ("scan", ("--scan", "mu=0:2:2.5"), "'2.5' is not a valid integer"),
        ("scan", ("--scan", "mu=0:2:3", "--scan", "mu=0:1:2"), "'mu' is given twice"),
        ("scan", ("--scan", "nu=0:2:3"), "no parameter named 'nu'; there are: mu, uncorr_bkguncrt"),
        ("scan", ("--scan", "uncorr_bkguncrt=0:2:3"), "has 2 components; name one of them"),
        ("contour", (), "Missing option '--parameters'"),
        ("contour", ("--parameters", "mu", "mu"), "a contour is of two different parameters"),
        ("contour", ("--parameters", "mu", "nu"), "no parameter named 'nu'"),
        ("contour", (*REQUIRED["contour"], "--level", "68"), "68 is not between 0 and 1"),
        ("contour", (*REQUIRED["contour"], "--points", "2"), "2 is not in the range x>=3"),
        ("interval", ("--parameter", "nu*"), "named 'nu*'; there are: mu, uncorr_bkguncrt"),
        ("interval", ("--parameter", "re:["), "'[' is not a regular expression"),
        ("interval", ("--confidence-level", "1"), "1 is not between 0 and 1"),
        ("interval", ("--kind", "both"), "'both' is not one of 'two-sided', 'upper', 'lower'"),
        ("interval", ("--kind", "upper", "--confidence-level", "0.4"), "is between 0.5 and 1"),
        ("scan", (*REQUIRED["scan"], "--fix", ".*=1"), "'mu' cannot be held by --fixed or --fix"),
        ("contour", (*REQUIRED["contour"], "--fixed", "uncorr_bkguncrt=1"), "'uncorr_bkguncrt[0]' cannot be held"),
        ("scan", (*REQUIRED["scan"], "--mask", "SR"), "no channel named 'SR'; there is: singlechannel"),
        ("scan", (*REQUIRED["scan"], "--fix", "nu=1"), "named 'nu'; there are: mu, uncorr_bkguncrt"),
    ],
    ids=str,
)
def test_options_that_are_wrong(command, options, words):
    assert words in run(command, TWO_BINS, *options).error


def test_interval_without_poi():
    message = run("interval", good.minimal()).error
    assert message == "the model has no parameter of interest: name what the interval is of with --parameter\n"


def test_points_that_do_not_converge():
    """Without the signal the observed count is impossible: that point says so, the others are there."""
    outcome = run("scan", only_signal(), "--scan", "mu=0:1:2")
    assert outcome.status == 1
    assert outcome.stderr == "histjax: error: conditional fits did not converge at mu = 0\n"
    found = strict_json(outcome.stdout)
    assert found["converged"] is False
    assert found["status"] == ["impossible", "converged"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("interval", TWO_BINS, "--parameter", "all"), ("two-sided, 68.27 %", "uncorr_bkguncrt[1]")),
        (("scan", TWO_BINS, *REQUIRED["scan"]), ("2 Delta NLL", "3.93824")),
        (("contour", TWO_BINS, *REQUIRED["contour"]), ("plane", "95.45 %")),
    ],
    ids=lambda words: words[0],
)
def test_text(words, shown):
    outcome = run(*words, "--text")
    assert outcome.status == 0
    assert all(each in outcome.stdout for each in shown)
    assert "{" not in outcome.stdout
