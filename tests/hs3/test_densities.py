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
        integral = log_integral_of(
            lambda each: node.log_density(Point({**at.values, **each}, at.ranges)),
            at_limits(at),
            breaks_of(node, at, x),
            4,
        )
    return node.log_density(at) - integral


def at_limits(at):
    """The ranges as the quadrature takes them."""
    return {x: at.limits(x) for x in at.ranges}


def breaks_of(node, at, x):
    """The breaks of one observable."""
    return {x: node.breaks(at, x)}


@functools.cache
def compiled(slug, open_lo=False, open_hi=False):
    """`(parameters, x, lo, hi) -> ln p(x)`, the open ends known while tracing; with its gradient and Hessian at one x.

    Derivatives are in the parameters and in the ends that are finite.
    """
    case = BY_SLUG[slug]

    def logpdf(parameters, x, ends):
        lo, hi = -inf if open_lo else ends[0], inf if open_hi else ends[1]
        return log_normalised(node_of(slug), Point({**parameters, case.x: x}, {case.x: (lo, hi)}), case.x)

    def derivatives(parameters, x, ends):
        def of_one(x):
            at = parameters, x, ends
            return jax.grad(logpdf, (0, 2))(*at), jax.hessian(logpdf, (0, 2))(*at)

        return jax.vmap(of_one)(x)

    return jax.jit(logpdf), jax.jit(derivatives)


def evaluate(slug, parameters, x, ends):
    """Values at all x."""
    value, _ = compiled(slug, ends[0] == -inf, ends[1] == inf)
    return np.array(value(as_floats(parameters), jnp.asarray(x), as_ends(ends)))


def as_floats(parameters):
    """Arrays, so that nothing is compiled twice."""
    return {name: jnp.asarray(float(value)) for name, value in parameters.items()}


def as_ends(ends):
    """Arrays; an infinite end is not looked at."""
    return tuple(jnp.asarray(float(end) if np.isfinite(end) else 0.0) for end in ends)


def exact(case, parameters, x, ends):
    """ln p(x) with 25 digits."""
    with mp.workdps(25):
        lo, hi = (mp.mpf(end) for end in ends)
        node, at = node_of(case.slug), Point(as_floats(parameters), {case.x: ends})
        inner = {mp.mpf(float(each)) for each in node.breaks(at, case.x)}
        inner |= {mp.mpf(k) for k in (0, 1, 2, 3)} if case.slug in ("exponential", "power_sum", "exp_poly") else set()
        points = [lo, *sorted(each for each in inner if lo < each < hi), hi]
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


@pytest.mark.parametrize("slug", [case.slug for case in CASES if case.hard])
def test_hard_parameters_against_arbitrary_precision(slug):
    """Far tails, infinite ranges, singular and empty ends: 1e-10 from mpmath."""
    case = BY_SLUG[slug]
    for parameters, ends in case.hard:
        x = interior(ends)
        found, expected = evaluate(slug, parameters, x, ends), np.array(exact_or_nothing(case, parameters, x, ends))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10, err_msg=f"{parameters} {ends}")


def exact_or_nothing(case, parameters, x, ends):
    """As `exact`, `-inf` where the density is 0."""
    p = {name: mp.mpf(value) for name, value in parameters.items()}
    inside = [case.formula(mp.mpf(float(each)), p, ends) > 0 for each in x]
    values = iter(exact(case, parameters, x[np.array(inside)], ends))
    return [next(values) if each else -inf for each in inside]


@pytest.mark.parametrize("slug", SLUGS)
def test_integrates_to_one(slug, rng):
    """The general quadrature over the range, between the breaks of the density, of random and of hard parameters."""
    case, node = BY_SLUG[slug], node_of(slug)
    points = [({name: float(rng.uniform(*box)) for name, box in case.box.items()}, case.range) for _ in range(3)]
    for parameters, ends in [*points, *case.hard]:
        at = Point(as_floats(parameters), {case.x: ends})

        def log_density(values, at=at):
            return node.log_density(Point({**at.values, **values}, at.ranges))

        integral = node.log_integral(at, (case.x,))
        panels = panels_for(log_density, at_limits(at), breaks_of(node, at, case.x), tolerance=1e-9)
        general = log_integral_of(log_density, at_limits(at), breaks_of(node, at, case.x), 2 * panels)
        assert integral is None or abs(float(general - integral)) < 1e-8, (parameters, ends, float(general), integral)


@pytest.mark.parametrize("slug", SLUGS)
def test_derivatives_against_differences(slug):
    """Gradient and Hessian in parameters and limits against central differences."""
    case = BY_SLUG[slug]
    value, derivatives = compiled(slug)
    x, step = jnp.asarray(interior(case.range, 2)), 2e-5
    point = (as_floats(case.middle), as_ends(case.range))
    flat, unravel = jax.flatten_util.ravel_pytree(point)

    def moved(i, by):
        parameters, ends = unravel(flat.at[i].add(by))
        return parameters, x, ends

    def as_matrix(tree, batch):
        return np.stack([np.asarray(leaf).reshape(batch, -1) for leaf in jax.tree.leaves(tree)], axis=-1)

    gradient, hessian = derivatives(point[0], x, point[1])
    gradient = as_matrix(gradient, len(x))[:, 0, :]
    rows = as_matrix(hessian, len(x))[:, 0, :].reshape(len(x), len(flat), len(flat))
    for i in range(len(flat)):
        slope = (value(*moved(i, step)) - value(*moved(i, -step))) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=2e-6, atol=2e-7, err_msg=f"{slug} {i}")
        after, before = (as_matrix(derivatives(*moved(i, by))[0], len(x))[:, 0, :] for by in (step, -step))
        np.testing.assert_allclose(
            rows[:, i], (after - before) / (2 * step), rtol=1e-5, atol=1e-6, err_msg=f"{slug} {i}"
        )


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_is_not_a_number_at_the_edges(slug):
    """Value, gradient and Hessian at both ends of the range, at the breaks and off the support, and on hard ranges."""
    case = BY_SLUG[slug]
    for parameters, ends in [(case.middle, case.range), *case.hard]:
        value, derivatives = compiled(slug, ends[0] == -inf, ends[1] == inf)
        finite = [end for end in ends if np.isfinite(end)]
        breaks = node_of(slug).breaks(Point(as_floats(parameters), {case.x: ends}), case.x)
        x = [*finite, *case.outside, *(each for each in map(float, breaks) if ends[0] <= each <= ends[1])][:8]
        x = jnp.asarray([*x, *[interior(ends)[0]] * (8 - len(x))])
        found = value(as_floats(parameters), x, as_ends(ends))
        assert not np.isnan(found).any(), (parameters, ends, found)
        for leaf in jax.tree.leaves(derivatives(as_floats(parameters), x, as_ends(ends))):
            assert np.isfinite(leaf).all(), (parameters, ends, leaf)


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
        at = Point({**as_floats(case.middle), case.x: jnp.asarray(x, jnp.float32)}, {case.x: case.range})
        found = log_normalised(node_of(slug), at, case.x)
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
    at = Point(as_floats({"m": 1.0, "s": 0.8}), {"x": (-inf, inf)})
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


# The truth of "landau" in that file lost all digits; ROOT's numerical integral of "ARGUS" is 4.6e-5 away.
TRUE = ["gauss", "lognorm", "expo", "argus", "cb", "dscb", "poly", "cheb", "bern", "bifur", "gamma", "gennormal"]
ROOT = {
    **dict.fromkeys(["gauss", "normal", "lognorm", "expo", "poly", "cheb", "bern", "bern01", "bifur", "gamma"], 1e-14),
    **dict.fromkeys(["uniform", "uniform1", "histogram"], 1e-14),
    **{"cb": 1e-10, "dscb": 1e-10, "ARGUS": 1e-4, "landau": 1e-6},
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
    """RooLegacyExpPoly 6.40, 0.6 x - 0.9 x^2 on [0.5, 4]."""
    node = distribution(type="legacy_exp_poly_dist", x="x", coefficients=["1.0", "a", "c"])
    at = Point({"a": 0.6, "c": -0.9, "x": np.array([0.7, 2.0, 3.5])}, {"x": (0.5, 4.0)})
    expected = [1.1523751947806722, 0.10675969611960587, 0.00015654378655266]
    np.testing.assert_allclose(np.exp(log_normalised(node, at)), expected, rtol=1e-8)


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
