"""Each density against its formula in arbitrary precision; derivatives; edges; float32; ROOT."""

import functools
import json
import sys

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from histjax.hs3.quadrature import log_integral_of, panels_for
from tests.hs3.density_table import BY_SLUG, CASES
from tests.hs3.points import Point, distribution

inf = float("inf")
SLUGS = [case.slug for case in CASES]


@functools.cache
def node_of(slug):
    """The node of a case."""
    return distribution(**BY_SLUG[slug].entry)


def log_normalised(node, at, x="x"):
    """ln f less the logarithm of its integral, closed or general."""
    integral = node.log_integral(at, (x,))
    if integral is None:
        integral = log_integral_of(*general(node, at, x), 4)
    return node.log_density(at) - integral


def general(node, at, x):
    """What the quadrature takes: the density of one observable, its range and its breaks."""

    def log_density(values):
        return node.log_density(Point({**at.values, **values}, at.ranges))

    return log_density, {x: at.limits(x)}, {x: node.breaks(at, x)}


@functools.cache
def compiled(slug, open_lo=False, open_hi=False):
    """`(flat, x) -> ln p(x)`, and the gradients and Hessians in `flat` at each x: parameters in the order of the box,
    then both ends of the range. Open ends are known while tracing.
    """
    case = BY_SLUG[slug]

    def logpdf(flat, x):
        lo, hi = -inf if open_lo else flat[-2], inf if open_hi else flat[-1]
        parameters = {name: flat[i] for i, name in enumerate(case.box)}
        return log_normalised(node_of(slug), Point({**parameters, case.x: x}, {case.x: (lo, hi)}), case.x)

    def derivatives(flat, x):
        return jax.vmap(lambda x: (jax.grad(logpdf)(flat, x), jax.hessian(logpdf)(flat, x)))(x)

    return jax.jit(logpdf), jax.jit(derivatives)


def flat_of(case, parameters, ends):
    """Parameters and ends, of which an infinite one is not looked at."""
    return jnp.array(
        [*(parameters[name] for name in case.box), *(end if np.isfinite(end) else 0.0 for end in ends)], float
    )


def evaluate(slug, parameters, x, ends):
    """Values at all x."""
    value, _ = compiled(slug, ends[0] == -inf, ends[1] == inf)
    return np.array(value(flat_of(BY_SLUG[slug], parameters, ends), jnp.asarray(x)))


def exact(case, parameters, x, ends):
    """ln p(x) with 25 digits, `-inf` where the density is 0."""
    with mp.workdps(25):
        lo, hi = (mp.mpf(end) for end in ends)
        breaks = node_of(case.slug).breaks(Point(parameters, {case.x: ends}), case.x)
        inner = {mp.mpf(float(each)) for each in np.concatenate([[], *map(np.ravel, breaks)])}
        width = hi - lo if mp.isfinite(hi - lo) else mp.mpf(16)
        inner |= {end + sign * width / 2**k for end in (lo, hi) for sign in (-1, 1) for k in range(1, 15)}
        points = [lo, *sorted(each for each in inner if lo < each < hi and mp.isfinite(each)), hi]
        p = {name: mp.mpf(value) for name, value in parameters.items()}
        total = mp.quad(lambda each: case.formula(each, p, ends), points, maxdegree=8)
        return [float(mp.log(case.formula(mp.mpf(float(each)), p, ends) / total)) for each in x]


def interior(ends, count=3):
    """Points inside of a range that may be open."""
    lo, hi = ends
    lo, hi = (lo if lo > -inf else min(hi, 0.0) - 3.0), (hi if hi < inf else max(lo, 0.0) + 3.0)
    return lo + (hi - lo) * np.linspace(0.07, 0.93, count)


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug not in ("landau", "histogram")])
def test_random_parameters_against_arbitrary_precision(slug, rng):
    """The normalised density, 1e-10 from mpmath."""
    case = BY_SLUG[slug]
    for _ in range(3):
        parameters = {name: float(rng.uniform(*box)) for name, box in case.box.items()}
        x = interior(case.range)
        np.testing.assert_allclose(
            evaluate(slug, parameters, x, case.range), exact(case, parameters, x, case.range), rtol=1e-12, atol=1e-10
        )


@pytest.mark.parametrize("slug", [case.slug for case in CASES if case.hard and case.slug != "histogram"])
def test_hard_parameters_against_arbitrary_precision(slug):
    """Far tails, infinite ranges, singular and empty ends: 1e-10 from mpmath."""
    case = BY_SLUG[slug]
    for parameters, ends in case.hard:
        x = interior(ends)
        found, expected = evaluate(slug, parameters, x, ends), exact(case, parameters, x, ends)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10, err_msg=f"{parameters} {ends}")


@pytest.mark.parametrize("slug", SLUGS)
def test_integrates_to_one(slug, rng):
    """The general quadrature over the range, between the breaks of the density, of random and of hard parameters."""
    case, node = BY_SLUG[slug], node_of(slug)
    points = [({name: float(rng.uniform(*box)) for name, box in case.box.items()}, case.range) for _ in range(3)]
    for parameters, ends in [*points, *case.hard]:
        at = Point(parameters, {case.x: ends})
        integral, how = node.log_integral(at, (case.x,)), general(node, at, case.x)
        panels = panels_for(*how, tolerance=1e-9)
        found = log_integral_of(*how, 2 * panels)
        assert integral is None or abs(float(found - integral)) < 1e-8, (parameters, ends, float(found), integral)


@pytest.mark.parametrize("slug", SLUGS)
def test_derivatives_against_differences(slug):
    """Gradient and Hessian in parameters and limits against central differences."""
    case = BY_SLUG[slug]
    value, derivatives = compiled(slug)
    x, step = jnp.asarray(interior(case.range, 2)), 2e-5
    flat = flat_of(case, case.middle, case.range)
    gradient, hessian = derivatives(flat, x)
    for i in range(len(flat)):
        after, before = (flat.at[i].add(by) for by in (step, -step))
        slope = (value(after, x) - value(before, x)) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=2e-6, atol=2e-7, err_msg=f"{i}")
        bend = (derivatives(after, x)[0] - derivatives(before, x)[0]) / (2 * step)
        np.testing.assert_allclose(hessian[:, i], bend, rtol=1e-5, atol=1e-6, err_msg=f"{i}")


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_is_not_a_number_at_the_edges(slug):
    """Value, gradient and Hessian at both ends of the range, at the breaks and off the support, and on hard ranges."""
    case = BY_SLUG[slug]
    for parameters, ends in [(case.middle, case.range), *case.hard]:
        value, derivatives = compiled(slug, ends[0] == -inf, ends[1] == inf)
        breaks = node_of(slug).breaks(Point(parameters, {case.x: ends}), case.x)
        inner = [float(each) for each in np.concatenate([[], *map(np.ravel, breaks)]) if ends[0] <= each <= ends[1]]
        x = [*(end for end in ends if np.isfinite(end)), *case.outside, *inner, *[interior(ends)[0]] * 12][:12]
        flat = flat_of(case, parameters, ends)
        assert not np.isnan(value(flat, jnp.array(x))).any(), (parameters, ends)
        for each in derivatives(flat, jnp.array(x)):
            assert np.isfinite(each).all(), (parameters, ends, x, each)


@pytest.mark.parametrize("slug", [case.slug for case in CASES if case.outside])
def test_zero_off_the_support(slug):
    """`-inf` where the density is 0."""
    case = BY_SLUG[slug]
    assert (evaluate(slug, case.middle, list(case.outside), case.range) == -inf).all()


@pytest.mark.parametrize("slug", SLUGS)
def test_float32(slug):
    """Single precision gives the same to 1e-3 in ln p."""
    case = BY_SLUG[slug]
    x = interior(case.range)
    expected = evaluate(slug, case.middle, x, case.range)
    with jax.enable_x64(False):
        point = lambda x: Point({**case.middle, case.x: x}, {case.x: case.range})  # noqa: E731
        found = jax.jit(lambda x: log_normalised(node_of(slug), point(x), case.x))(jnp.asarray(x, jnp.float32))
        assert found.dtype == jnp.float32
    np.testing.assert_allclose(np.array(found), expected, rtol=2e-4, atol=2e-3)


BROKEN = {
    "gaussian": {"s": -1.0},
    "generalized_normal": {"a": 0.0},
    "lognormal": {"k": -1.0},
    "gamma": {"g": -1.0},
    "argus": {"p": -1.5},
    "crystal_ball": {"n": -1.0},
    "double_crystal_ball": {"al": -1.0},
    "bifurcated": {"sl": 0.0},
    "landau": {"s": -1.0},
    "polynomial": {"a0": -99.0},
    "breit_wigner": {"g1": -1.0},
}


@pytest.mark.parametrize("slug", BROKEN)
def test_impossible_parameters_are_not_a_number(slug):
    """Not a density: the mistake stays visible."""
    case = BY_SLUG[slug]
    assert np.isnan(evaluate(slug, {**case.middle, **BROKEN[slug]}, interior(case.range), case.range)).all()


def test_landau_integrates_to_one_on_all_numbers():
    """Its heavy tail included, and where the mean of it is far away."""
    node = node_of("landau")
    at = Point({"m": 1.0, "s": 0.8}, {"x": (-inf, inf)})
    assert float(node.log_integral(at, ("x",))) == pytest.approx(np.log(0.8), abs=1e-13)


def test_landau_values():
    """phi at points of every piece of the table, from its integral with 25 digits (independent of the table's)."""
    x = np.array([-7.0, -3.0, -2.0, -0.5, 1.0, 4.0, 9.0, 25.0, 130.0, 900.0, 5e4, 3e6])
    node = node_of("landau")
    found = node.log_density(Point({"m": 0.0, "s": 1.0, "x": x}))
    with mp.workdps(25):
        expected = [float(mp.log(BY_SLUG["landau"].formula(mp.mpf(each), {"m": 0, "s": 1}, None))) for each in x]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-11)


# --- what others have ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(corpus):
    """Entries, truth (mpmath, 30 digits) and ROOT 6.40's values at 13, 50 and 87 % of the range."""
    folder = corpus / "hs3_samples"
    sys.path.insert(0, str(folder))
    try:
        import dists_spec
    finally:
        sys.path.remove(str(folder))
    truth, root = (json.loads((folder / f"dists_{each}.json").read_text()) for each in ("truth", "root"))
    return dists_spec, truth, {name: each["vals"] for name, each in root.items() if "vals" in each}


def sample(samples, name):
    """The normalised density of an entry of the samples at its three points."""
    entry, ends, parameters = samples[0].D[name]
    at = Point({**parameters, "x": np.array(samples[0].xs(name), float)}, {"x": tuple(map(float, ends))})
    return np.exp(log_normalised(distribution(**entry), at))


# The truth of "landau" in that file lost all digits. ROOT's numerical integrals are away by 4.6e-5 ("ARGUS"), 4.3e-5
# ("genericternary") and 1e-8 (the other expressions).
TRUE = ["gauss", "lognorm", "expo", "argus", "cb", "dscb", "poly", "cheb", "bern", "bifur", "gamma", "gennormal"]
TRUE += ["generic", "genericpow", "genericPI"]
ROOT = {
    **dict.fromkeys(["gauss", "normal", "lognorm", "expo", "poly", "cheb", "bern", "bern01", "bifur", "gamma"], 1e-14),
    **dict.fromkeys(["uniform", "uniform1", "histogram"], 1e-14),
    **dict.fromkeys(["generic", "genericpow", "generichat"], 2e-8),
    "genericternary": 1e-4,
    **{"cb": 1e-10, "dscb": 1e-10, "ARGUS": 1e-4, "landau": 1e-8},
}


@pytest.mark.parametrize("name", TRUE)
def test_samples_truth(samples, name):
    """1e-10 from 30-digit integrals."""
    np.testing.assert_allclose(sample(samples, name), samples[1][name], rtol=1e-10)


@pytest.mark.parametrize("name", ROOT)
def test_samples_root(samples, name):
    """As near to ROOT 6.40 as ROOT is to the truth."""
    np.testing.assert_allclose(sample(samples, name), samples[2][name], rtol=ROOT[name])


def test_root_power_sum():
    """RooPowerSum 6.40 with exponents -1 and 1.5 on [0.5, 4]."""
    node = distribution(type="power_sum_dist", x="x", coefficients=[0.6, 1.4], exponents=[-1.0, 1.5])
    found = log_normalised(node, Point({"x": np.array([0.7, 2.0, 3.5])}, {"x": (0.5, 4.0)}))
    np.testing.assert_allclose(
        np.exp(found), [0.08794895948634755, 0.22339250614154577, 0.48972944526040163], rtol=1e-9
    )


def test_root_exponential_of_polynomial():
    """RooLegacyExpPoly 6.40, 0.6 x - 0.9 x^2 on [0.5, 4], whose numerical integral is 3.5e-8 away."""
    node = distribution(type="legacy_exp_poly_dist", x="x", coefficients=["1.0", "a", "c"])
    at = Point({"a": 0.6, "c": -0.9, "x": np.array([0.7, 2.0, 3.5])}, {"x": (0.5, 4.0)})
    expected = [1.1523751947806722, 0.10675969611960587, 0.00015654378655266]
    np.testing.assert_allclose(np.exp(log_normalised(node, at)), expected, rtol=5e-8)


def test_root_crystal_ball_with_the_tail_on_the_right():
    """RooCBShape 6.40 with alpha = -1.2 on [-4, 6]."""
    node = distribution(type="crystalball_dist", m="x", m0=1.0, sigma=0.8, alpha=-1.2, n=2.5)
    found = log_normalised(node, Point({"x": np.array([-1.0, 1.0, 1.9, 4.0])}, {"x": (-4.0, 6.0)}))
    expected = [0.019702423157061326, 0.44842508414298743, 0.23815676446802803, 0.02959108667403686]
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-10)


@pytest.mark.parametrize("integer, expected", [(True, 0.1851653834003846), (False, 0.19459863940507405)])
def test_root_poisson_between_whole_numbers(integer, expected):
    """RooPoisson 6.40, mean 4.2 on [0, 20] at x = 3.4: rounded down, or continued."""
    node = distribution(type="poisson_dist", x="x", mean=4.2, integer=integer)
    found = log_normalised(node, Point({"x": 3.4}, {"x": (0.0, 20.0)}))
    assert float(jnp.exp(found)) == pytest.approx(expected, rel=1e-9)
