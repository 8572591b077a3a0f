"""Poisson and Gaussian log densities against mpmath, documented values and automatic differentiation."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from histjax.model import density

mp = mpmath.mp.clone()
mp.dps = 50

COUNTS = [0.0, 0.3, 1.0, 2.5, 7.0, 15.9, 16.0, 16.1, 100.0, 277.7777777777778, 1e4, 123456.7, 1e8, 2e11, 1e12]
RATIOS = [
    1e-10,
    1e-6,
    1e-3,
    0.1,
    0.5,
    0.9,
    1 - 1e-3,
    1 - 1e-6,
    1 - 1e-9,
    1.0,
    1 + 1e-9,
    1 + 1e-6,
    1.001,
    1.1,
    2.0,
    10.0,
    1e3,
]


def exact(n: float, nu: float) -> float:
    """ln Pois(n | nu) with 50 digits."""
    n, nu = mp.mpf(n), mp.mpf(nu)
    return float((n * mp.log(nu) if n else 0) - nu - mp.loggamma(n + 1))


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Counts and expectations, where the density is not continued artificially."""
    pairs = [(n, (n or 1.0) * ratio) for n in COUNTS for ratio in RATIOS if (n or 1.0) * ratio >= density.FLOOR]
    return tuple(np.array(pairs).T)


def test_log_poisson_to_twelve_digits():
    """From nothing to 1e12 counts, whole or not, at any distance; absolute where ln Pois is near zero."""
    n, nu = grid()
    expected = np.array([exact(*pair) for pair in zip(n, nu, strict=True)])
    found = np.asarray(jax.jit(density.log_poisson)(n, nu))
    # an expectation is rounded to 2e-16 of itself, which moves the value by 2e-16 |n - nu|: no error of the density
    allowed = 1e-12 * np.abs(expected) + 1e-15 + 4e-16 * np.abs(n - nu)
    assert np.all(np.abs(found - expected) <= allowed), (n, nu, found - expected)


def test_an_empty_bin():
    """Pois(0 | nu) = exp(-nu), down to nu = 0 exactly."""
    nu = jnp.array([0.0, 1e-12, 1.0, 50.0])
    np.testing.assert_array_equal(density.log_poisson(jnp.zeros(4), nu), -nu)


@pytest.mark.parametrize(
    ("n", "nu", "expected"),
    [
        ([8.0, 9.0], [10.0, 10.0], -4.26248380),  # pyhf documentation, Independent
        ([11.0, 11.0], [10.0, 10.0], 2 * exact(11, 10)),
        ([5.0], [6.0], -1.82869439),  # pyhf documentation, tensor backends
        ([9.0], [8.0], -2.0868536),
        ([4.0], [5.0], -1.74030218),
    ],
)
def test_documented_poisson_values(n, nu, expected):
    """Numbers printed in pyhf's documentation (0.6.4), checked with pyhf 0.7.6; printed to 8 digits."""
    assert float(jnp.sum(density.log_poisson(jnp.array(n), jnp.array(nu)))) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("x", "mean", "sigma", "expected"),
    [
        (0.5, 0.0, 1.0, -1.04393853),
        (2.0, 2.3, 0.8, -0.7661074819),  # the documentation prints -0.76610747, cut off; this is the closed form
        (4.0, 5.0, 1.0, -1.41893853),
        (9.0, 8.0, 0.5, -2.22579135),
    ],
)
def test_documented_gaussian_values(x, mean, sigma, expected):
    """Numbers printed in pyhf's documentation (0.6.4), to 8 digits."""
    assert float(density.log_normal(*map(jnp.array, (x, mean, sigma)))) == pytest.approx(expected, abs=1e-8)


def test_saturated_is_the_maximum():
    """ln Pois(n | n), and the deviance is zero there and positive elsewhere."""
    n = jnp.array(COUNTS)
    expected = [exact(each, each) if each else 0.0 for each in COUNTS]
    np.testing.assert_allclose(density.log_poisson_saturated(n), expected, rtol=1e-13, atol=2e-15)
    np.testing.assert_array_equal(density.poisson_deviance(n, n), 0.0)
    n, nu = map(jnp.asarray, grid())
    assert np.all(np.asarray(density.poisson_deviance(n, nu)) >= 0)


@pytest.mark.parametrize("n", [0.0, 0.5, 3.0, 1e6])
@pytest.mark.parametrize("nu", [-5.0, -1e-11, 0.0, 1e-12, 1e-10, 2e-10, 1.0, 1e5])
def test_derivatives_are_finite_and_those_of_autodiff(n, nu):
    """At and below zero too: a minimiser that strays there gets a number and a way back."""
    n, nu = jnp.array(n), jnp.array(nu)
    value = density.poisson_deviance(n, nu)
    first, second = (
        jax.grad(density.poisson_deviance, 1)(n, nu),
        jax.grad(jax.grad(density.poisson_deviance, 1), 1)(n, nu),
    )
    assert np.all(np.isfinite([value, first, second]))
    slope, curvature = density.poisson_derivatives(n, nu)
    assert float(slope) == pytest.approx(float(first), rel=1e-12, abs=1e-12)
    assert float(curvature) == pytest.approx(float(second), rel=1e-12, abs=1e-12)
    if float(nu) < -1e-9:
        assert float(first) < 0  # down the slope is up in nu


def test_continuation_below_zero_is_smooth():
    """Value, slope and curvature at the floor agree from both sides, relative to their size."""
    for n in (0.0, 4.0):
        edge = density.FLOOR if n else 0.0
        step = 1e-6 * density.FLOOR
        for function in (density.poisson_deviance, lambda n, nu: density.poisson_derivatives(n, nu)[0]):
            left, right = (float(function(jnp.array(n), jnp.array(edge + d))) for d in (-step, step))
            assert left == pytest.approx(right, rel=1e-5, abs=1e-5)


def test_slopes_of_a_deviance_where_it_is_small():
    """d/dn = ln(n/nu) and d/dnu = 1 - n/nu with all digits where n and nu differ by 1e-11, by Python's log1p."""
    x = 2.0**-36
    at = jnp.array(1.0), jnp.array(1.0 + x)
    slopes = jax.grad(density.poisson_deviance, (0, 1))(*at)
    np.testing.assert_allclose(slopes, (-math.log1p(x), x / (1 + x)), rtol=1e-13)
    curvature = jax.grad(jax.grad(density.poisson_deviance, 1), 1)(*at)
    assert float(curvature) == pytest.approx((1 + x) ** -2, rel=1e-13)


@pytest.mark.parametrize("n", [1e-30, 1e-200, 1e-300, 2.3e-308, 1e-310, 5e-324])
@pytest.mark.parametrize("nu", [1e-300, 1e-12, 1e-3, 2.0])
def test_counts_that_are_almost_nothing(n, nu):
    """As an empty bin, nu; slopes are numbers, and that in nu is 1."""
    value, slopes = jax.value_and_grad(density.poisson_deviance, (0, 1))(jnp.array(n), jnp.array(nu))
    assert float(value) == pytest.approx(nu, abs=1e-25)
    assert np.isfinite(slopes[0]) and float(slopes[1]) == pytest.approx(1.0, rel=1e-12)
