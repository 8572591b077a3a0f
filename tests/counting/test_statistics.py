"""Counting statistics against bayspec, XSPEC's formulae, brute force with 50 digits, and differences."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from histjax import counting
from histjax.counting.deviance import FLOOR, poisson_term
from tests.counting import exact

COUNTS, OFF = np.array([12.0, 0, 7, 30, 3]), np.array([40.0, 5, 0, 90, 20])
RATE, T, T_OFF = np.array([0.8, 0.05, 0.6, 1.9, 0.01]), 10.0, 50.0
SIGMA, OFF_SIGMA = np.sqrt(np.maximum(COUNTS, 1)), np.sqrt(np.maximum(OFF, 1))
ARGUMENTS = {
    counting.gstat: (COUNTS, OFF, RATE, T, T_OFF, SIGMA, OFF_SIGMA),
    counting.pstat: (COUNTS, RATE, T),
    counting.ppstat: (COUNTS, OFF, RATE, T, T_OFF),
    counting.pgstat: (COUNTS, OFF, RATE, T, T_OFF, OFF_SIGMA),
}

ZEROS = list(itertools.product([0.0, 1.0, 7.0], [0.0, 2.0, 20.0], [0.0, 0.02, 0.6], [0.0, 10.0], [0.0, 50.0]))
PP = [(n, off, m, t, t_off) for n, off, m, t, t_off in ZEROS if (t or not n) and (t_off or not off) and t + t_off]
"""Counts, background, rate and exposures with every zero; a region without exposure has no counts."""

PG = [(n, off, m, t, 50.0, s) for n, off, m, t, _ in PP for s in (0.5, 4.0)] + [(2.0, -5.0, 0.3, 10.0, 50.0, 3.0)]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        (counting.gstat, 4.970270428745661),
        (counting.pstat, 22.90196055189339),
        (counting.ppstat, 5.563467135381316),
        (counting.pgstat, 5.532712221442865),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_totals(statistic, expected):
    """Numbers of bayspec 0.3.13."""
    found = statistic(*ARGUMENTS[statistic])
    np.testing.assert_allclose(jnp.sum(found.statistic), expected, rtol=1e-13)
    np.testing.assert_allclose(found.residual**2, found.statistic, rtol=1e-13)


def test_residuals():
    """Numbers of bayspec 0.3.13."""
    pp = [-1.0026474190196113, -1.6802427110211031, 0.3976298751120398, -1.1401576121701784, -0.5261946620822586]
    pg = [-1.0013536627427178, -1.6733200530681511, 0.3962410573122119, -1.1390510482173624, -0.5249369463179717]
    np.testing.assert_allclose(counting.ppstat(*ARGUMENTS[counting.ppstat]).residual, pp, rtol=1e-13)
    np.testing.assert_allclose(counting.pgstat(*ARGUMENTS[counting.pgstat]).residual, pg, rtol=1e-13)


BAYSPEC = [
    # bayspec 0.3.13: name, (S, B, m, ts, tb, sigma_S, sigma_B), statistic, residual
    ("gstat", (0, 0, 0, 10, 50, 0, 0), 0.0, 0.0),
    ("gstat", (0, 5, 0.3, 10, 50, 2, 0), 4.0, -2.0),
    ("gstat", (0, -5, 0.3, 10, 50, 2, 3), 0.9174311926605503, -0.95782629),
    ("pstat", (0, 0, 0, 10, 50, 0, 0), 0.0, 0.0),
    ("pstat", (0, 5, 0.3, 10, 50, 2, 0), 6.0, -2.44948974),
    ("ppstat", (0, 0, 0, 10, 50, 0, 0), 0.0, 0.0),
    ("ppstat", (5, 0, 0, 10, 50, 2, 0), 17.91759469228055, 4.23291799),
    ("ppstat", (0, 5, 0.3, 10, 50, 2, 0), 7.823215567939545, -2.79700117),
    ("pgstat", (0, 0, 0, 10, 50, 0, 0), 0.0, 0.0),
    ("pgstat", (5, 3, 0.3, 10, 0, 2, 1), 9.0, -3.0),
    ("pgstat", (0, 5, 0.3, 10, 50, 2, 0), 8.0, -2.82842712),
    ("pgstat", (0, -5, 0.3, 10, 50, 2, 3), 3.64, -1.9078784),
    ("pgstat", (2, -5, 0.3, 10, 50, 2, 3), 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "numbers", "statistic", "residual"), BAYSPEC)
def test_at_zeros(name, numbers, statistic, residual):
    """bayspec at zero counts, backgrounds, rates, widths and exposures, where what it gives is a number."""
    s, b, m, ts, tb, sigma_s, sigma_b = map(float, numbers)
    arguments = {
        "gstat": (s, b, m, ts, tb, sigma_s, sigma_b),
        "pstat": (s, m, ts),
        "ppstat": (s, b, m, ts, tb),
        "pgstat": (s, b, m, ts, tb, sigma_b),
    }[name]
    found = getattr(counting, name)(*arguments)
    assert float(found.statistic) == pytest.approx(statistic, rel=1e-12, abs=1e-14)
    assert float(found.residual) == pytest.approx(residual, rel=1e-8, abs=1e-7)


def test_where_bayspec_is_not_followed():
    """No exposure, no background: bayspec subtracts it unscaled (0.2 here). What divides by zero there is a number."""
    assert float(counting.gstat(5.0, 3.0, 0.3, 10.0, 0.0, 2.0, 1.0).statistic) == 1.0  # (5 - 3)² / 2²
    nothing = counting.pgstat_upper_limit(jnp.zeros(2), jnp.zeros(2), 10.0, 50.0, jnp.zeros(2))
    assert float(nothing.statistic) == 9.0  # bayspec: NaN
    impossible = [counting.pstat(5.0, 0.0, 10.0), counting.ppstat(5.0, 3.0, 0.3, 10.0, 0.0)]  # bayspec: infinite
    assert all(100 < float(each.statistic) < np.inf for each in impossible)
    assert float(impossible[0].residual) > 0 > float(impossible[1].residual)


def xspec_w(s, b, m, ts, tb):
    """W of the XSPEC manual, appendix B, with its special cases."""
    if s == 0:
        return 2 * (ts * m - b * np.log(tb / (ts + tb)))
    if b == 0:
        small = m < s / (ts + tb)
        return 2 * (-tb * m - s * np.log(ts / (ts + tb)) if small else ts * m + s * (np.log(s) - np.log(ts * m) - 1))
    d = np.sqrt(((ts + tb) * m - s - b) ** 2 + 4 * (ts + tb) * b * m)
    f = (s + b - (ts + tb) * m + d) / (2 * (ts + tb))
    logs = -s * np.log(ts * m + ts * f) - b * np.log(tb * f) - s * (1 - np.log(s)) - b * (1 - np.log(b))
    return 2 * (ts * m + (ts + tb) * f + logs)


@pytest.mark.parametrize("s", [0, 1, 25])
@pytest.mark.parametrize("b", [0, 4, 60])
@pytest.mark.parametrize("m", [0.01, 0.4, 3.0])
def test_xspec_w(s, b, m):
    """The published formula."""
    assert float(counting.ppstat(s, b, m, 8.0, 21.0).statistic) == pytest.approx(xspec_w(s, b, m, 8.0, 21.0), rel=1e-9)


def columns(cases) -> list[np.ndarray]:
    """The arguments of many cases."""
    return [np.array(each, float) for each in zip(*cases, strict=True)]


@pytest.mark.parametrize(
    ("function", "background", "cases"),
    [
        (counting.ppstat, counting.profiled_background_poisson, PP),
        (counting.pgstat, counting.profiled_background_gaussian, PG),
    ],
    ids=["ppstat", "pgstat"],
)
def test_brute_force(function, background, cases):
    """Value and background where the likelihood itself is maximised, with every zero."""
    brute = {"ppstat": exact.ppstat, "pgstat": exact.pgstat}[function.__name__]
    brute_background = {"ppstat": exact.poisson_background, "pgstat": exact.gaussian_background}[function.__name__]
    found, rate = function(*columns(cases)).statistic, background(*columns(cases))
    np.testing.assert_allclose(found, [float(brute(*case)) for case in cases], rtol=1e-12, atol=1e-14)
    determined = [bool(case[4] or case[3]) for case in cases]
    expected = np.array([float(brute_background(*case)) for case in cases])
    np.testing.assert_allclose(np.asarray(rate)[determined], expected[determined], rtol=1e-12, atol=1e-14)


def both_derivatives(function, place, arguments):
    """First and second derivative of the sum with respect to the argument at `place`, bin by bin."""

    def total(x):
        return jnp.sum(function(*arguments[:place], x, *arguments[place + 1 :]).statistic)

    first = jax.grad(total)
    return first(arguments[place]), jax.grad(lambda x: jnp.sum(first(x)))(arguments[place])


@pytest.mark.parametrize(
    ("function", "cases", "place"),
    [
        (counting.pstat, [(n, m, t) for n, _, m, t, t_off in PP if t_off and (n == 0 or m * t > 0)], 1),
        (counting.ppstat, PP, 2),
        (counting.pgstat, PG, 2),
    ],
    ids=["pstat", "ppstat", "pgstat"],
)
def test_derivatives(function, cases, place):
    """Both derivatives with respect to the rate, with every zero, against differences with 50 digits."""
    first, second = both_derivatives(function, place, [jnp.asarray(each) for each in columns(cases)])
    brute = getattr(exact, function.__name__)
    differences = [
        exact.right_derivatives(lambda x, case=case: brute(*case[:place], x, *case[place + 1 :]), case[place])
        for case in cases
    ]
    expected_first, expected_second = np.array(differences).T
    np.testing.assert_allclose(first, expected_first, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(second, expected_second, rtol=1e-7, atol=1e-7)


def test_derivatives_of_the_background():
    """With respect to every argument, by differences of the closed form at a point without zeros."""
    point = jnp.array([7.0, 20.0, 0.7, 10.0, 50.0, 4.0])
    for function, size in ((counting.profiled_background_poisson, 5), (counting.profiled_background_gaussian, 6)):
        brute = exact.poisson_background if size == 5 else exact.gaussian_background
        found = jax.grad(lambda x, function=function: function(*x))(point[:size])
        for i in range(size):
            arguments = [float(each) for each in point[:size]]

            def at(x, i=i, arguments=arguments, brute=brute):
                return brute(*arguments[:i], x, *arguments[i + 1 :])

            assert float(found[i]) == pytest.approx(exact.right_derivatives(at, arguments[i])[0], rel=1e-9)


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32], ids=["double", "single"])
@pytest.mark.parametrize("function", list(ARGUMENTS), ids=lambda each: each.__name__)
def test_everything_is_finite(function, dtype):
    """Value, residual and all first and second derivatives, with every zero and below: a minimiser strays there."""
    numbers = columns(ZEROS + [(n, off, -m, t, t_off) for n, off, m, t, t_off in ZEROS])
    n, off, m, t, t_off = numbers
    every = {
        "gstat": (n, off, m, t, t_off, 1 + n, 1 + off),
        "pstat": (n, m, t),
        "ppstat": (n, off, m, t, t_off),
        "pgstat": (n, off, m, t, t_off, off),
    }[function.__name__]
    stacked = jnp.stack([jnp.asarray(each, dtype) for each in every], axis=1)

    def both(x):
        found = function(*x)
        return jnp.stack([found.statistic, found.residual])

    def everything(x):
        return both(x), jax.jacrev(both)(x), jax.jacfwd(jax.jacrev(both))(x)

    value, first, second = jax.jit(jax.vmap(everything))(stacked)
    for each in (value, first, second):
        assert np.all(np.isfinite(each)), np.argwhere(~np.isfinite(np.asarray(each)))[:5]


def test_the_residual_is_smooth_through_a_perfect_fit():
    """Where a square root would have no derivative; -t / sqrt(n) for Poisson counts, closed form."""

    def residual(m):
        return counting.pstat(16.0, m, 10.0).residual

    assert float(residual(1.6)) == 0.0
    assert float(jax.grad(residual)(1.6)) == pytest.approx(-10 / 4, rel=1e-14)
    # n_b t / t_b = 8 expected background counts: the width of n - n_b t/t_b is (16 + 40/25)^(1/2)
    on_off = jax.grad(lambda m: counting.ppstat(16.0, 40.0, m, 10.0, 50.0).residual)(0.8)
    assert float(on_off) == pytest.approx(-10 / (16 + 40 / 25) ** 0.5, rel=1e-12)
    gaussian = jax.grad(lambda m: counting.pgstat(16.0, 40.0, m, 10.0, 50.0, 3.0).residual)(0.8)
    assert float(gaussian) == pytest.approx(-10 / (16 + (3 / 5) ** 2) ** 0.5, rel=1e-12)


def test_close_to_a_perfect_fit():
    """The deviance keeps its digits: 12 of them where it is 1e-20, against 50 digits."""
    counts = np.array([1.0, 7.0, 1e4, 1e8])
    for distance in (1e-10, 1e-5, 1e-2, 0.19, 0.21, 3.0, -0.19, -0.21, -0.9):
        gap = counts * distance
        expected = [
            2 * (exact.mp.mpf(g) - n * exact.mp.log1p(exact.mp.mpf(g) / n)) for n, g in zip(counts, gap, strict=True)
        ]
        found = poisson_term(jnp.asarray(counts), jnp.asarray(counts + gap), jnp.asarray(gap)).deviance
        np.testing.assert_allclose(found, np.array(expected, float), rtol=1e-12 if abs(distance) < 0.2 else 1e-7)


def test_below_the_floor():
    """A model that strays is finite and is pushed back, and the continuation is smooth."""
    slope = jax.grad(lambda nu: poisson_term(jnp.array(4.0), nu, nu - 4.0).deviance)
    assert float(slope(jnp.array(-1.0))) < float(slope(jnp.array(0.0))) < 0
    left, right = (float(slope(jnp.array(FLOOR * (1 + d)))) for d in (-1e-6, 1e-6))
    assert left == pytest.approx(right, rel=1e-5)


def test_factorials():
    """-2 ln L of the pmf itself with `exact_factorial`, by mpmath; the residual does not change."""
    counts, rate = np.array([0.0, 3.0, 15.9, 16.0, 250.0, 1e6]), np.array([0.3, 0.2, 2.0, 1.1, 20.0, 9e4])
    found = counting.pstat(counts, rate, 10.0, factorial=counting.exact_factorial)
    mp = exact.mp
    pmf = [
        n * mp.log(10 * m) - 10 * m - mp.loggamma(n + 1)
        for n, m in zip(*map(lambda x: [mp.mpf(y) for y in x], (counts, rate)), strict=True)
    ]
    np.testing.assert_allclose(found.statistic, np.array([-2 * each for each in pmf], float), rtol=1e-13)
    np.testing.assert_array_equal(found.residual, counting.pstat(counts, rate, 10.0).residual)


@pytest.mark.parametrize("function", list(ARGUMENTS), ids=lambda each: each.__name__)
def test_single_precision(function):
    """float32 agrees with float64 to 1e-5 of the statistic, or to what the rounding of its arguments does to it."""
    rng = np.random.default_rng(3)
    n, off = rng.poisson(np.geomspace(0.5, 3000, 400)), rng.poisson(np.geomspace(0.5, 9000, 400))
    t, t_off = rng.uniform(5, 20, 400), rng.uniform(20, 60, 400)
    m = np.maximum(n / t - off / t_off, 0.0) + rng.normal(0, 1, 400) * np.sqrt(n + 1) / t
    m = np.abs(m)
    named = {
        "gstat": (n, off, m, t, t_off, np.sqrt(n + 1), np.sqrt(off + 1)),
        "pstat": (n, m, t),
        "ppstat": (n, off, m, t, t_off),
        "pgstat": (n, off, m, t, t_off, np.sqrt(off + 1)),
    }[function.__name__]
    single = [jnp.asarray(each, jnp.float32) for each in named]
    found, expected = function(*single), function(*(each.astype(jnp.float64) for each in single))
    assert found.statistic.dtype == jnp.float32
    # a relative rounding of 6e-8 of the expectation moves the statistic by 6e-8 * 2 root(statistic * expectation)
    moved = 6e-8 * 2 * np.sqrt(np.asarray(expected.statistic) * (n + 1))
    difference = np.abs(np.asarray(found.statistic, float) - np.asarray(expected.statistic))
    assert np.all(difference <= 1e-5 * np.asarray(expected.statistic) + 4 * moved)


def test_a_shapesys_is_an_on_off_problem():
    """The W statistic is the profile likelihood ratio of a HistFactory channel whose `shapesys` has tau = n_b; pyhf
    0.7.6 with a tight minimiser gives 5.4053576178000355 for these four bins.
    """
    filled = OFF > 0
    total = jnp.sum(counting.ppstat(COUNTS[filled], OFF[filled], RATE[filled], T, T_OFF).statistic)
    assert float(total) == pytest.approx(5.4053576178000355, rel=1e-12)


def test_under_transformations():
    """jit and vmap equal the plain call; integers are counts."""
    plain = counting.ppstat(*ARGUMENTS[counting.ppstat])
    compiled = jax.jit(counting.ppstat)(*ARGUMENTS[counting.ppstat])
    mapped = jax.vmap(counting.ppstat, (0, 0, 0, None, None))(*map(jnp.asarray, ARGUMENTS[counting.ppstat]))
    for other in (compiled, mapped):
        np.testing.assert_allclose(other.statistic, plain.statistic, rtol=1e-14)
    assert float(counting.pstat(12, 1, 10).statistic) == float(counting.pstat(12.0, 1.0, 10.0).statistic)
