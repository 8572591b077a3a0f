"""Minima that other minimisers miss, and what a fit says of itself."""

import jax
import numpy as np
import pytest
import scipy.optimize

import histjax
from histjax import Newton, Status
from tests.traps.models import model_of
from tests.traps.published import one_lepton
from tests.workspaces import log_gauss, log_poisson


def test_T03_the_trivial_minimum():
    """mu = alpha = 0 describes the data exactly."""
    result = histjax.fit(model_of("T03"))
    assert float(result.params["mu"]) == pytest.approx(0.0, abs=1e-8)
    assert float(result.params["bkguncrt"]) == pytest.approx(0.0, abs=1e-8)
    assert bool(result.at_bound["mu"])


def test_T22_fixed_outside_the_bounds():
    """50 + 10 mu against 65, in closed form, for values inside and outside [0, 5]."""
    model = model_of("T22")
    for value in (4.0, 6.0, 7.0):
        result = histjax.fit(model, fixed={"mu": value})
        assert float(result.params["mu"]) == value
        expected = -2 * log_poisson(65, 50 + 10 * value)
        assert float(result.twice_nll) == pytest.approx(expected, rel=1e-12)
        statistic = expected + 2 * log_poisson(65, 65)
        assert float(histjax.qmu_tilde(model, poi_value=value)) == pytest.approx(statistic, rel=1e-9)


def test_T25_an_iteration_limit_is_a_status():
    """A fit that is stopped after two steps ends there and says so."""
    result = histjax.fit(model_of("T22"), minimiser=Newton(max_iterations=2, restarts=0), throw=False)
    assert int(result.status) == Status.MAX_ITERATIONS and int(result.n_iterations) == 2
    assert not bool(result.converged)


# the profile of ATLAS-SUSY-2019-08 (700, 250), followed from mu = 0 in steps of 0.05 with pyhf 0.7.6 (JAX gradient and
# Hessian, damped Newton, EDM below 1e-20); at the nominal point some rates are negative there
PROFILE = {-1.0: 238.20020315105123, -1.08: 239.83914995625074, -1.09: 240.04130477584152}


def test_T26_profile_at_negative_mu():
    """From the nominal point, where pyhf's density is NaN, and from the neighbour."""
    model = one_lepton()
    warm = histjax.fit(model, fixed={"mu_SIG": -1.0})
    for value, expected in PROFILE.items():
        cold, warm = histjax.fit(model, fixed={"mu_SIG": value}), histjax.fit(model, fixed={"mu_SIG": value}, init=warm)
        for result in (cold, warm):
            assert float(result.edm) <= 1e-8
            assert float(result.twice_nll) == pytest.approx(expected, abs=1e-8)
        assert int(warm.n_iterations) <= 10


def test_T37_nothing_floats():
    """-2 ln Pois(6 | 5), and nothing to be uncertain of."""
    result = histjax.fit(model_of("T37"))
    assert bool(result.converged)
    assert float(result.twice_nll) == pytest.approx(-2 * log_poisson(6, 5), rel=1e-13)
    np.testing.assert_array_equal(result.covariance, [[0.0]])


def two_valleys() -> list[tuple[float, float]]:
    """The minima `(alpha, -2 ln L)` of T48 by SciPy on the closed form, lowest first.

    One bin, n = 60 against 50 with 60 at alpha = -1 and 55 at +1 (code4p): S = -5/2 and A = 15/16.
    """

    def twice_nll(alpha):
        inner = alpha * (-5 / 2 + alpha * 15 / 16 * (15 - 10 * alpha**2 + 3 * alpha**4))
        outer = 5 * alpha if alpha > 0 else -10 * alpha
        return -2 * (log_poisson(60, 50 + (inner if abs(alpha) < 1 else outer)) + log_gauss(0, alpha, 1))

    sides, options = ((-2.0, 0.0), (0.0, 2.0)), {"xatol": 1e-10}
    valleys = [scipy.optimize.minimize_scalar(twice_nll, bounds=side, options=options) for side in sides]
    return sorted(((each.x, each.fun) for each in valleys), key=lambda each: each[1])


def test_T48_all_minima_are_reported():
    """Both valleys, with their values, the lowest first."""
    expected = two_valleys()
    assert 0.5 < expected[1][1] - expected[0][1] < 1.0
    found = histjax.find_minima(model_of("T48"), key=jax.random.key(1), n_starts=16)
    assert len(found.fits) == 2 and min(found.n_found) >= 1 and found.n_failed == 0
    assert float(found.delta[1]) == pytest.approx(expected[1][1] - expected[0][1], abs=1e-10)
    for result, (alpha, value) in zip(found.fits, expected, strict=True):
        assert float(result.params["shape"]) == pytest.approx(alpha, abs=1e-6)
        assert float(result.twice_nll) == pytest.approx(value, abs=1e-10)
        assert bool(result.converged)
