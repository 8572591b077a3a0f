"""Hessians, covariances and what follows from them."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

import histjax
from histjax import Status
from tests.inference.closed_form import Counting, gammas
from tests.traps.models import model_of, with_counts
from tests.traps.table import EXCESS, TRAPS


def best_of(case: Counting) -> tuple[float, np.ndarray]:
    """mu-hat (inside its bounds) and the gammas of a counting model, in closed form."""
    s, b, tau, n = case.arrays

    def slope(mu):
        return np.sum(s - n * s / (mu * s + gammas(mu, s, b, tau, n, tau) * b))

    hat = brentq(slope, 0.0, 10.0, xtol=1e-15, rtol=1e-14)
    return hat, gammas(hat, s, b, tau, n, tau)


def information(case: Counting) -> np.ndarray:
    """Second derivatives of -ln L in (mu, gamma...) at the best fit of a counting model, in closed form."""
    s, b, tau, n = case.arrays
    mu, gamma = best_of(case)
    weight = n / (mu * s + gamma * b) ** 2
    corner = np.array([[np.sum(s**2 * weight)]])
    mixed = (s * b * weight)[None, :]
    return np.block([[corner, mixed], [mixed.T, np.diag(b**2 * weight + tau / gamma**2)]])


def test_T32_hessian_has_no_memory():
    """The same bits before and after other points were evaluated and other fits made."""
    model = model_of("T32")
    data = model.ravel_data(model.data)
    first = histjax.fit(model)
    before = model.nll_derivatives(first.vector, data)
    for value in (0.0, 5.0):
        histjax.fit(model, fixed={"mu": value})
        model.nll_derivatives(first.vector + 0.1 * value, data)
    after, second = model.nll_derivatives(first.vector, data), histjax.fit(model)
    for one, other in zip((*before, first.hessian), (*after, second.hessian), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", TRAPS["T33"].documents)
def test_T33_constraint_has_its_width(name):
    """With a free signal strength nothing measures the normalisation: sigma = 1."""
    result = histjax.fit(model_of("T33", name))
    assert float(result.uncertainty["norm"]) == pytest.approx(1.0, rel=1e-10)


def test_T34_covariance_of_what_is_free():
    """45 against 50 - 10 alpha + 7 mu: mu is held at 0, alpha solves -10 (1 - 45/nu) + alpha = 0.

    Its variance is 1 / (100 * 45 / nu^2 + 1).
    """
    result = histjax.fit(model_of("T34"))
    alpha = brentq(lambda a: -10 * (1 - 45 / (50 - 10 * a)) + a, 0.0, 1.0, xtol=1e-15, rtol=1e-14)
    assert float(result.params["mu"]) == 0.0
    assert float(result.params["bkguncrt"]) == pytest.approx(alpha, abs=1e-9)
    assert bool(result.at_bound["mu"]) and not bool(result.at_bound["bkguncrt"])
    expected = (4500 / (50 - 10 * alpha) ** 2 + 1) ** -0.5
    assert float(result.uncertainty["bkguncrt"]) == pytest.approx(expected, rel=1e-9)
    assert float(result.uncertainty["mu"]) == 0.0


def test_T35_parameter_without_effect():
    """sigma(mu) = sqrt(26)/20 as if the other were not there; the other is infinitely uncertain, and named."""
    model = model_of("T35")
    result = histjax.fit(model)
    assert int(result.status) == Status.FLAT and "flat" in result.message
    assert float(result.uncertainty["mu"]) == pytest.approx(np.sqrt(26) / 20, rel=1e-8)
    assert np.isinf(float(result.uncertainty["unused"]))
    assert histjax.diagnose(model, model.data, result).without_effect == ["unused"]


def test_T36_frozen_parameters():
    """With both gammas at 1: mu from its own slope and sigma^-2 = sum s^2 n / nu^2, in a few steps."""
    model = model_of("T36")
    result = histjax.fit(model, with_counts(model, singlechannel=[62.0, 66.0]), fixed={"uncorr_bkguncrt": 1.0})
    s, b, _, n = EXCESS.arrays
    hat = brentq(lambda mu: np.sum(s - n * s / (mu * s + b)), 0.0, 10.0, xtol=1e-15, rtol=1e-14)
    assert float(result.params["mu"]) == pytest.approx(hat, rel=1e-9)
    covariance = np.zeros((3, 3))
    covariance[0, 0] = 1 / np.sum(s**2 * n / (hat * s + b) ** 2)
    np.testing.assert_allclose(result.covariance, covariance, rtol=1e-9)
    assert float(result.edm) < 1e-8 and int(result.n_iterations) <= 6


def test_T45_ranking_stays_physical():
    """A shapesys of 150 %: gamma = 1 - 1.5 would be negative, so the step down ends at 0 and says so.

    With 7 events and 5 mu + gamma expected, mu-hat = (7 - gamma)/5: impacts of -0.3 and +0.2, not +0.3.
    """
    result = histjax.ranking(model_of("T45"))
    assert result.names == ("uncorr_bkguncrt[0]",)
    for up, down in ((result.prefit_up, result.prefit_down), (result.postfit_up, result.postfit_down)):
        np.testing.assert_allclose([up[0], down[0]], [-0.3, 0.2], atol=1e-8)
    np.testing.assert_array_equal(result.clipped[:, 0], [False, True, False, True])


def test_T46_sum_of_bins():
    """The sum of two bins whose expectations are (10 mu + 50 gamma_1, 8 mu + 60 gamma_2), data described exactly.

    Information in (mu, gamma): rates^T rates / n, plus 1/width^2; the variance is that of J with all parameters.
    """
    rates = np.array([[10.0, 50.0, 0.0], [8.0, 0.0, 60.0]])
    n, widths = np.array([60.0, 68.0]), np.array([0.1, 0.2])
    covariance = np.linalg.inv(rates.T @ np.diag(1 / n) @ rates + np.diag([0.0, *widths**-2]))
    total = rates.sum(axis=0)
    expected = np.sqrt(total @ covariance @ total)
    alone = np.sqrt(np.sum(total**2 * np.diag(covariance)))
    assert abs(alone - expected) > 1.0  # correlations matter
    model = model_of("T46")
    found = histjax.predicted_yields(model, histjax.fit(model)).uncertainty.channels["SR"]
    assert float(found) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("centre", [0.0, 0.7])
def test_T47_goodness_of_fit(centre):
    """The deviance of two counts and one auxiliary measurement, minimised by SciPy, with one degree of freedom."""
    s, b, n = np.array([[10.0, 8.0], [50.0, 60.0], [70.0, 58.0]])

    def statistic(x):
        rates = x[0] * s + b * (1 + 0.1 * x[1])
        return 2 * np.sum(n * np.log(n / rates) - n + rates) + (centre - x[1]) ** 2

    expected = minimize(statistic, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).fun
    model = model_of("T47")
    data = histjax.Data(model.data.main, {"norm": jnp.array([centre])})
    result = histjax.goodness_of_fit(model, data)
    assert float(result.statistic) == pytest.approx(expected, rel=1e-9)
    assert float(result.n_degrees) == 1
    assert float(result.p_value) == pytest.approx(chi2.sf(expected, 1), rel=1e-8)


def test_T47_goodness_of_fit_without_auxiliary_data():
    """Two counts and one free parameter."""
    s, b, n = np.array([[10.0, 8.0], [50.0, 60.0], [70.0, 58.0]])
    hat = brentq(lambda mu: np.sum(s - n * s / (mu * s + b)), 0.0, 10.0, xtol=1e-15, rtol=1e-14)
    rates = hat * s + b
    expected = 2 * np.sum(n * np.log(n / rates) - n + rates)
    result = histjax.goodness_of_fit(model_of("T47", "without auxiliary data"))
    assert float(result.statistic) == pytest.approx(expected, rel=1e-9)
    assert float(result.p_value) == pytest.approx(chi2.sf(expected, 1), rel=1e-8)


def test_T49_profiled_parameters_count():
    """sigma(mu) from the curvature of the profile, and from the whole Hessian, are one number in closed form.

    With the gammas frozen it would be 30 % smaller: that is what the lost term did.
    """
    model, hessian = model_of("T49"), information(EXCESS)
    result = histjax.fit(model)
    schur = hessian[0, 0] - hessian[0, 1:] @ np.linalg.solve(hessian[1:, 1:], hessian[1:, 0])
    assert schur < 0.8 * hessian[0, 0]
    assert float(result.uncertainty["mu"]) == pytest.approx(schur**-0.5, rel=1e-9)
    np.testing.assert_allclose(result.covariance, np.linalg.inv(hessian), rtol=1e-8, atol=1e-14)
