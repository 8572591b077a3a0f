"""iminuit on our likelihoods, against our fits and closed forms."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import histjax
from histjax.interop.minuit import minuit
from tests.workspaces import mu, sample, workspace

WIDE = {"mu": (-5.0, 10.0)}


def model_of(name: str) -> histjax.Model:
    """An example workspace."""
    return histjax.compile(histjax.read(histjax.examples.path(name)))


@pytest.mark.parametrize("hessian", [False, True], ids=["gradient", "hessian"])
@pytest.mark.parametrize("name", histjax.examples.names())
def test_migrad_and_hesse(name, hessian):
    """Best fit to 1e-4 of its uncertainty, covariance to 1e-4 relative, the deviance to its EDM."""
    model = model_of(name)
    ours, theirs = histjax.fit(model, bounds=WIDE), minuit(model, bounds=WIDE, hessian=hessian).migrad()
    theirs.hesse()
    assert theirs.valid and theirs.accurate
    assert theirs.parameters == model.parameters.component_names
    covariance = np.asarray(ours.covariance)
    sigma = np.sqrt(np.diagonal(covariance))
    moved = sigma > 0  # a held component, such as lumi of a measurement that fixes it
    np.testing.assert_array_equal(np.array(theirs.fixed), np.asarray(ours.fixed))
    assert np.max(np.abs(np.array(theirs.values) - np.asarray(ours.vector))[moved] / sigma[moved]) < 1e-4
    difference = (np.array(theirs.covariance) - covariance)[np.ix_(moved, moved)]
    assert np.max(np.abs(difference) / np.outer(sigma[moved], sigma[moved])) < 1e-4
    assert theirs.fval == pytest.approx(float(ours.deviance), abs=2e-8)


def test_minimum_on_a_limit():
    """Fewer events than background: mu ends on 0 to 1e-4 of what it would be uncertain by, and the rest agrees."""
    model = model_of("two_bins")
    ours, theirs = histjax.fit(model), minuit(model).migrad()
    assert theirs.valid
    assert theirs.values["mu"] == pytest.approx(0.0, abs=1e-5)
    gammas = [name for name in theirs.parameters if name != "mu"]
    for i, name in enumerate(gammas):
        sigma = float(ours.uncertainty["uncorr_bkguncrt"][i])
        assert abs(theirs.values[name] - float(ours.params["uncorr_bkguncrt"][i])) < 1e-4 * sigma


@pytest.mark.parametrize("hessian", [False, True], ids=["gradient", "hessian"])
def test_minos_in_closed_form(hessian):
    """n = 70 on 10 mu + 50: 2 (nu - n - n ln(nu/n)) = 1 at both ends; errordef is that of the deviance."""
    document = workspace({"SR": [sample("s", [10.0], mu()), sample("b", [50.0])]}, {"SR": [70.0]})
    found = minuit(histjax.compile(histjax.read(document)), hessian=hessian).migrad().minos()

    def excess(nu):
        return 2 * (nu - 70 - 70 * np.log(nu / 70)) - 1

    low, high = (scipy.optimize.brentq(excess, *bracket, xtol=1e-13) for bracket in ((40, 70), (70, 110)))
    assert found.values["mu"] == pytest.approx(2.0, abs=1e-4 * np.sqrt(70) / 10)
    assert found.merrors["mu"].lower == pytest.approx((low - 70) / 10, abs=1e-4 * np.sqrt(70) / 10)
    assert found.merrors["mu"].upper == pytest.approx((high - 70) / 10, abs=1e-4 * np.sqrt(70) / 10)


def test_minos_is_our_profile():
    """At the ends of MINOS's interval the conditional fit is 1 above the minimum."""
    model = model_of("search")
    best, found = histjax.fit(model, bounds=WIDE), minuit(model, bounds=WIDE).migrad().minos("mu")
    for end in (found.merrors["mu"].lower, found.merrors["mu"].upper):
        held = histjax.fit(model, fixed={"mu": found.values["mu"] + end})
        # an error of 1e-4 sigma in the end is one of 2e-4 in the deviance
        assert float(held.deviance - best.deviance) == pytest.approx(1.0, abs=2e-4)


def test_fixed_outside_its_limits():
    """A fixed value is used as given; limits and start are those of the fit."""
    model = model_of("two_bins")
    found = minuit(
        model, fixed={"mu": 12.0}, init={"uncorr_bkguncrt": jnp.array([1.1, 0.9])}, bounds={"mu": (0.0, 5.0)}
    )
    assert list(found.values) == [12.0, 1.1, 0.9]
    assert list(found.fixed) == [True, False, False]
    assert found.limits["uncorr_bkguncrt[0]"] == tuple(
        float(each[0]) for each in model.parameters["uncorr_bkguncrt"].bounds
    )
    np.testing.assert_allclose(list(found.errors)[1:], [0.06, 7 / 52], rtol=1e-12)
    expected = histjax.fit(model, fixed={"mu": 12.0})
    assert found.migrad().fval == pytest.approx(float(expected.deviance), abs=2e-8)


def test_from_our_result():
    """Started at our minimum it has nothing to do."""
    model = model_of("search")
    best = histjax.fit(model, bounds=WIDE)
    found = minuit(model, init=best, bounds=WIDE).migrad()
    assert found.valid and found.fmin.edm < 1e-8
    np.testing.assert_allclose(np.array(found.values), best.vector, atol=1e-6)


def test_not_in_a_trace():
    """Minuit is no JAX function."""
    model = model_of("two_bins")
    with pytest.raises(ValueError, match="outside a trace"):
        jax.jit(lambda data: minuit(model, data).fval)(model.data)


def test_without_iminuit(monkeypatch):
    """How to get it."""
    monkeypatch.setitem(sys.modules, "iminuit", None)
    with pytest.raises(ImportError, match=r"pip install 'histjax\[minuit\]'"):
        minuit(model_of("two_bins"))


def test_published_model_with_the_hessian(corpus):
    """126 parameters: iminuit 2.33 raised a TypeError where Minuit2 asked for the diagonal of the Hessian alone."""
    model = histjax.compile(histjax.read(corpus / "models" / "atlas_susy_2019_08_1Lbb_C1N2_700_250.json"))
    found = minuit(model, hessian=True).migrad()
    assert found.valid
    assert found.fval == pytest.approx(float(histjax.fit(model).deviance), abs=2e-8)
