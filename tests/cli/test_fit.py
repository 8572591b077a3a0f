"""fit: the best fit as JSON."""

import json
import math

import numpy as np
import pytest

import histjax
from tests.cli.running import only_signal, run, strict_json, uncorrelated_background

TWO_BINS = histjax.examples.path("two_bins")


def test_best_fit():
    """Best fit of the pyhf documentation's example (converged with pyhf 0.7.6; at mu = 0 in closed form)."""
    found = run("fit", TWO_BINS).json
    assert found["parameters"]["mu"] == [0.0]
    counts, backgrounds, taus = np.array([51, 48]), np.array([50, 52]), np.array([50 / 3, 52 / 7]) ** 2
    gammas = (counts + taus) / (backgrounds + taus)
    np.testing.assert_allclose(found["parameters"]["uncorr_bkguncrt"], gammas, rtol=1e-12)
    assert found["twice_nll"] == pytest.approx(24.98393520, abs=5e-9)
    assert (found["converged"], found["status"], found["at_bound"], found["fixed"]) == (True, "converged", ["mu"], [])
    assert found["edm"] < 1e-8
    # the second derivative of the two Poisson terms is (n + tau) / gamma^2
    np.testing.assert_allclose(found["uncertainties"]["uncorr_bkguncrt"], gammas / np.sqrt(counts + taus), rtol=1e-9)
    assert found["uncertainties"]["mu"] == [0.0]


def test_exact_minimum():
    """pyhf's two-bin example has its minimum at [0, 1, 1]; pyhf's command line prints 1.7e-4, 1.0000016, .9999666."""
    found = run("fit", uncorrelated_background([5, 10], [50, 60], [5, 12], [50, 60])).json
    np.testing.assert_allclose(found["parameters"]["uncorr_bkguncrt"], [1, 1], atol=1e-9)
    assert found["parameters"]["mu"][0] == pytest.approx(0, abs=1e-9)
    assert found["twice_nll"] == pytest.approx(23.196365857, abs=5e-9)


def test_fixed():
    """Conditional fit at mu = 1 (converged with pyhf 0.7.6)."""
    found = run("fit", TWO_BINS, "--fixed", "mu=1").json
    assert found["fixed"] == ["mu"]
    assert found["parameters"]["mu"] == [1.0]
    np.testing.assert_allclose(found["parameters"]["uncorr_bkguncrt"], [0.972246576, 0.875535836], atol=1e-9)
    assert found["twice_nll"] == pytest.approx(28.92218013, abs=5e-9)


def test_fixed_component():
    found = run("fit", TWO_BINS, "--fixed", "uncorr_bkguncrt[1]=0.9", "--fixed", "mu=1", "--init", "mu=3").json
    assert found["fixed"] == ["mu", "uncorr_bkguncrt[1]"]
    assert found["parameters"]["uncorr_bkguncrt"][1] == 0.9
    assert found["parameters"]["uncorr_bkguncrt"][0] == pytest.approx(0.972246576, abs=1e-9)


def test_start_does_not_matter():
    first, second = run("fit", TWO_BINS).json, run("fit", TWO_BINS, "--init", "mu=5").json
    assert second["twice_nll"] == pytest.approx(first["twice_nll"], abs=1e-9)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("mu", "'mu' is not of the form NAME=VALUE"),
        ("=1", "'=1' is not of the form NAME=VALUE"),
        ("mu=", "'' is not a number"),
        ("mu=one", "'one' is not a number"),
        ("mu=nan", "nan is not finite"),
        ("mu=-inf", "-inf is not finite"),
        ("nu=1", "no parameter named 'nu'; there are: mu, uncorr_bkguncrt"),
        ("a=b=1", "no parameter named 'a=b'"),
        ("uncorr_bkguncrt[2]=1", "no parameter named 'uncorr_bkguncrt[2]'"),
        ("mu[0]=1", "no parameter named 'mu[0]'"),
    ],
)
@pytest.mark.parametrize("name", ["--fixed", "--init"])
def test_assignments_that_are_wrong(name, option, words):
    assert words in run("fit", TWO_BINS, name, option).error


def test_assignment_given_twice():
    assert "'mu' is given twice" in run("fit", TWO_BINS, "--fixed", "mu=1", "--fixed", "mu=2").error


def test_correlation():
    found = run("fit", uncorrelated_background([12, 11], [50, 52], [3, 7], [60, 65]), "--correlation").json
    matrix = np.array(found["correlation"])
    assert found["components"] == ["mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"]
    np.testing.assert_allclose(matrix, matrix.T)
    np.testing.assert_allclose(np.diagonal(matrix), 1)
    assert np.all(matrix[0, 1:] < 0)


def test_text():
    outcome = run("fit", TWO_BINS, "--text")
    assert outcome.status == 0
    assert "converged" in outcome.stdout
    assert "uncorr_bkguncrt[1]" in outcome.stdout


def test_impossible_data():
    """Where the fit does not converge the JSON is written and says so, the exit status is 1 and the message why."""
    outcome = run("fit", only_signal(), "--fixed", "mu=0")
    assert outcome.status == 1
    assert outcome.stderr.startswith("histjax: error: the model expects nothing in a bin that has an observed count")
    found = strict_json(outcome.stdout)
    assert (found["converged"], found["status"]) == (False, "impossible")


def test_flat_direction():
    """A parameter without finite uncertainty has null for it: JSON has no infinity."""
    found = run("fit", only_signal(("mu", "nu"))).json
    assert found["status"] == "flat"
    assert found["uncertainties"] == {"mu": [None], "nu": [None]}
    assert found["parameters"]["mu"][0] * found["parameters"]["nu"][0] == pytest.approx(6 / 5)


def test_background_only():
    """A workspace whose signal is still to come can be fitted: a warning, no error."""
    document = json.loads(TWO_BINS.read_text())
    del document["channels"][0]["samples"][0]
    outcome = run("fit", document)
    assert list(outcome.json["parameters"]) == ["uncorr_bkguncrt"]
    assert "'mu' is not in the model" in outcome.stderr


def test_interpolation():
    """A normsys pulled to alpha: at code1 the factor is hi^alpha, at code0 it is linear (closed forms)."""
    modifier = {"name": "alpha", "type": "normsys", "data": {"lo": 0.8, "hi": 1.3}}
    document = {
        "channels": [{"name": "SR", "samples": [{"name": "b", "data": [100.0], "modifiers": [modifier]}]}],
        "observations": [{"name": "SR", "data": [110.0]}],
        "measurements": [{"name": "M", "config": {"poi": "", "parameters": []}}],
        "version": "1.0.0",
    }

    def slope(alpha: float, factor: float, derivative: float) -> float:
        return alpha + (100 - 110 / factor) * derivative

    (alpha,) = run("fit", document, "--normsys", "code1").json["parameters"]["alpha"]
    assert slope(alpha, 1.3**alpha, 1.3**alpha * math.log(1.3)) == pytest.approx(0, abs=1e-6)
    (alpha,) = run("fit", document, "--normsys", "code0").json["parameters"]["alpha"]
    assert slope(alpha, 1 + 0.3 * alpha, 0.3) == pytest.approx(0, abs=1e-6)
    assert "'code1'" in run("fit", document, "--histosys", "code1").error
