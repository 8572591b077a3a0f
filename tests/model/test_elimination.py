"""The best bin-wise factors in closed form against bisection of the slope, written out here with 40 digits."""

import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from histjax.model.density import EMPTY_WIDTH, FLOOR
from histjax.model.elimination import best_normal_factor, best_poisson_factor

mp = mpmath.mp.clone()
mp.dps = 40

BINS = list(itertools.product([3.0, 60.0, -2.0, 0.0], [0.0, 5.0, -1.0], [0.0, 1.0, 70.0], [1.0, 0.0]))
"""Yield that the factor scales, the rest, counts, weight; not where counts are observed and nothing can be expected."""

BINS = [(own, rest, n, w) for own, rest, n, w in BINS if n == 0 or own > 0 or rest > 0]
POISSON = [(*each, a, tau) for each in BINS for a, tau in ((16.0, 20.0), (0.4, 0.3), (1e10, 1.1e10))]
NORMAL = [(*each, 1.1, sigma) for each in BINS for sigma in (0.02, 0.5)]


def main_slope(nu, n):
    """d/dnu of nu - n ln nu, continued linearly below the floor and, in an empty bin, below 0."""
    if n == 0:
        return 1 + min(nu, 0) / mp.mpf(EMPTY_WIDTH) ** 2
    safe = max(nu, mp.mpf(FLOOR))
    return 1 - n / safe + n / safe**2 * (nu - safe)


def root(slope, low, high):
    """Where a growing slope vanishes."""
    for _ in range(140):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return float(low)


def poisson_root(own, rest, n, weight, a, tau):
    """The best factor with a Poisson constraint, by bisection."""
    own, rest, n, weight, a, tau = map(mp.mpf, (own, rest, n, weight, a, tau))
    return root(lambda g: weight * own * main_slope(rest + own * g, n) + tau - a / g, mp.mpf(10) ** -30, mp.mpf(10**4))


def normal_root(own, rest, n, weight, a, sigma):
    """The best factor with a Gaussian constraint, by bisection."""
    own, rest, n, weight, a, sigma = map(mp.mpf, (own, rest, n, weight, a, sigma))

    def slope(g):
        return weight * own * main_slope(rest + own * g, n) + (g - a) / sigma**2

    return root(slope, mp.mpf(-(10**4)), mp.mpf(10**4))


@pytest.mark.parametrize(
    ("best", "brute", "cases"),
    [(best_poisson_factor, poisson_root, POISSON), (best_normal_factor, normal_root, NORMAL)],
    ids=["poisson", "normal"],
)
def test_best_values(best, brute, cases):
    """Empty bins, nothing but the factor, negative yields and the wall below 0, masked bins, precise constraints."""
    found = best(*map(jnp.asarray, np.array(cases).T))
    np.testing.assert_allclose(found, [brute(*case) for case in cases], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("best", "brute", "last"),
    [(best_poisson_factor, poisson_root, (16.0, 20.0)), (best_normal_factor, normal_root, (1.1, 0.5))],
    ids=["poisson", "normal"],
)
@pytest.mark.parametrize("bin_", [(60.0, 5.0, 70.0, 1.0), (3.0, 0.0, 0.0, 1.0), (3.0, 0.0, 2.0, 0.5)])
def test_derivatives(best, brute, last, bin_):
    """First and second derivatives with respect to all arguments, by differences of the bisection."""
    point = np.array([*bin_, *last])
    gradient = jax.grad(lambda x: best(*x))
    first, second = gradient(jnp.asarray(point)), jnp.diagonal(jax.jacfwd(gradient)(jnp.asarray(point)))
    for i in range(6):
        if point[i] == 0:
            continue
        h = 1e-4 * point[i]
        at = [brute(*np.where(np.arange(6) == i, point[i] + k * h, point)) for k in (-1, 0, 1)]
        assert float(first[i]) == pytest.approx((at[2] - at[0]) / (2 * h), rel=1e-6, abs=1e-9)
        assert float(second[i]) == pytest.approx((at[2] - 2 * at[1] + at[0]) / h**2, rel=1e-4, abs=1e-5)
