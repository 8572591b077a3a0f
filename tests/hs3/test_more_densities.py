"""Counts, several variables, functions and expressions as densities, and what entries are refused for."""

import itertools

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, special, stats

from histjax.hs3.kinds import DISTRIBUTIONS
from histjax.hs3.nodes import read_node
from histjax.hs3.quadrature import log_integral_of, panels_for
from tests.hs3.density_table import CASES
from tests.hs3.points import Point, distribution

inf = float("inf")

# --- counts --------------------------------------------------------------------------------------------------------

POISSON = distribution(type="poisson_dist", x="x", mean="mean")


@pytest.mark.parametrize(
    "mean, lo, hi",
    [
        (4.2, 0, 20),
        (4.2, 0, inf),
        (4.2, 3, 3),
        (0.01, 5, 9),
        (300.0, 10, 20),
        (300.0, 500, 510),
        (4.2, -3.5, 2.7),
        (1e6, 0, inf),
    ],
)
def test_poisson_sum_against_arbitrary_precision(mean, lo, hi):
    """The sum over the whole numbers of the range, in either tail and for one number alone."""
    first, last = max(0, int(np.ceil(lo))), int(np.floor(hi)) if hi < inf else int(mean + 40 * np.sqrt(mean) + 40)
    with mp.workdps(40):
        m = mp.mpf(mean)
        terms = (mp.exp(k * mp.log(m) - m - mp.loggamma(k + 1)) for k in range(first, last + 1)) if mean < 1e5 else [1]
        expected = float(mp.log(mp.fsum(terms)))
    found = POISSON.log_integral(Point({"mean": mean}, {"x": (lo, hi)}), ("x",))
    assert float(found) == pytest.approx(expected, abs=1e-10)


def test_poisson_derivatives():
    """d/dmean of ln sum = (pmf(first - 1) - pmf(last)) / sum, and its derivative by differences."""
    total = lambda mean: POISSON.log_integral(Point({"mean": mean}, {"x": (2.0, 7.0)}), ("x",))  # noqa: E731
    mean = 3.3
    pmf, cdf = stats.poisson(mean).pmf, stats.poisson(mean).cdf
    slope = jax.jit(jax.grad(total))
    assert float(slope(mean)) == pytest.approx((pmf(1) - pmf(7)) / (cdf(7) - cdf(1)), rel=1e-11)
    bend = jax.jit(jax.grad(jax.grad(total)))(mean)
    assert float(bend) == pytest.approx(float(slope(mean + 1e-4) - slope(mean - 1e-4)) / 2e-4, rel=1e-6)


def test_poisson_at_its_ends():
    """A mean of 0 allows 0 only; counts below 0 do not occur; no derivative is NaN."""
    log_density = lambda mean, x: POISSON.log_density(Point({"mean": mean, "x": x}))  # noqa: E731
    assert float(log_density(0.0, 0.0)) == 0.0
    assert float(log_density(0.0, 2.0)) == -inf and float(log_density(3.0, -1.0)) == -inf
    assert np.isnan(log_density(-1.0, 2.0))
    for mean, x in ((0.0, 0.0), (0.0, 2.0), (3.0, -1.0)):
        slope, bend = jax.grad(log_density)(mean, x), jax.grad(jax.grad(log_density))(mean, x)
        assert np.isfinite(slope) and np.isfinite(bend)
    assert float(jax.grad(log_density)(0.0, 0.0)) == -1.0


def test_barlow_beeston_lite():
    """Products of Poisson probabilities of x tau, as pyhf 0.7.6's constraint of a shapesys has them."""
    node = distribution(type="barlow_beeston_lite_poisson_constraint_dist", x=["g1", "g2"], expected=[100.0, "tau"])
    at = Point({"g1": 1.1, "g2": 0.8, "tau": 25.0}, {"g1": (0.0, 10.0), "g2": (0.0, 10.0)})
    expected = stats.poisson(100).logpmf(110) + stats.poisson(25).logpmf(20)
    assert float(node.log_density(at)) == pytest.approx(expected, abs=1e-11)
    assert float(node.log_integral(at, ("g1", "g2"))) == pytest.approx(0.0, abs=1e-12)
    assert node.counts and node.variable is None


# --- several variables ---------------------------------------------------------------------------------------------

NORMAL = {"type": "multivariate_normal_dist", "x": ["x", "y"], "mean": [1.0, "m"]}


def test_multivariate_normal_like_root():
    """RooMultiVarGaussian 6.40 on [-20, 20]^2, means 1 and 0.8, covariance ((1, 0.3), (0.3, 2)): its integral is
    numerical and 8e-9 away from scipy's density, whose tails beyond are 1e-40."""
    node = distribution(**NORMAL, covariances=[[1, 0.3], [0.3, "v"]])
    at = Point(
        {"m": 0.8, "v": 2.0, "x": np.array([0.5, -1.0]), "y": np.array([1.0, 3.0])},
        {"x": (-20.0, 20.0), "y": (-20.0, 20.0)},
    )
    found = jnp.exp(node.log_density(at) - node.log_integral(at, ("x", "y")))
    np.testing.assert_allclose(found, [0.09842142561141089, 0.0020016474414125025], rtol=1e-8)
    expected = stats.multivariate_normal([1.0, 0.8], [[1.0, 0.3], [0.3, 2.0]])
    np.testing.assert_allclose(found, [expected.pdf([0.5, 1.0]), expected.pdf([-1.0, 3.0])], rtol=1e-12)


def test_multivariate_normal_without_ends():
    """scipy's normal distribution of three variables."""
    covariance = [[1.0, 0.3, 0.1], [0.3, 2.0, -0.4], [0.1, -0.4, 0.5]]
    node = distribution(type="multivariate_normal_dist", x=["x", "y", "z"], mean=[0, 1, 2], covariances=covariance)
    at = Point({"x": 0.3, "y": 0.2, "z": 2.2}, {each: (-inf, inf) for each in "xyz"})
    expected = stats.multivariate_normal([0, 1, 2], covariance).logpdf([0.3, 0.2, 2.2])
    found = node.log_density(at) - node.log_integral(at, ("x", "y", "z"))
    assert float(found) == pytest.approx(expected, abs=1e-12)
    parts = distribution(
        type="multivariate_normal_dist",
        x=["x", "y", "z"],
        mean=[0, 1, 2],
        standard_deviations=np.sqrt(np.diag(covariance)).tolist(),
        correlations=(np.array(covariance) / np.sqrt(np.outer(*[np.diag(covariance)] * 2))).tolist(),
    )
    assert float(parts.log_density(at)) == pytest.approx(float(node.log_density(at)), abs=1e-12)


@pytest.mark.parametrize(
    "rho, ends",
    [
        (0.5, ((-1.0, 2.0), (0.0, 3.0))),
        (0.999, ((-1.0, 2.0), (0.0, 0.5))),
        (-0.9, ((0.0, inf), (0.0, inf))),
        (0.0, ((-inf, 1.0), (2.0, 2.1))),
        (0.7, ((6.0, 9.0), (-inf, inf))),
        (0.3, ((-2.0, 2.0), (9.0, 10.0))),
    ],
)
def test_normal_rectangles(rho, ends):
    """One integral over the first variable in double precision by scipy, the other in closed form."""
    node = distribution(type="multivariate_normal_dist", x=["x", "y"], mean=[0, 0], covariances=[[1, rho], [rho, 1]])
    found = node.log_integral(Point({}, dict(zip("xy", ends, strict=True))), ("x", "y"))
    spread = np.sqrt(1 - rho**2)

    def conditional(x):
        a, b = ((end - rho * x) / spread for end in ends[1])
        a, b = (-b, -a) if a > 0 else (a, b)
        return np.exp(-0.5 * x * x) * (special.ndtr(b) - special.ndtr(a))

    lo, hi = np.clip(ends[0], -12, 12)
    cuts = sorted({lo, hi, *(each for each in np.arange(-12, 12.1, 0.25) if lo < each < hi)})
    parts = [integrate.quad(conditional, a, b, epsabs=0, epsrel=1e-13)[0] for a, b in itertools.pairwise(cuts)]
    assert float(found) == pytest.approx(np.log(np.sum(parts) * spread * np.sqrt(2 * np.pi)), abs=1e-9)


def test_normal_rectangle_derivatives():
    """Gradient and Hessian in the limits, the mean and the covariance against differences."""
    node = distribution(**NORMAL, covariances=[["v", "c"], ["c", 1.5]])

    def total(p):
        return node.log_integral(
            Point({"m": p[0], "v": p[1], "c": p[2]}, {"x": (p[3], p[4]), "y": (p[5], 3.0)}), ("x", "y")
        )

    value, slope, bend = map(jax.jit, (total, jax.grad(total), jax.hessian(total)))
    p, step = jnp.array([0.5, 1.2, 0.4, -1.0, 2.0, -0.5]), 1e-5
    for i in range(len(p)):
        after, before = p.at[i].add(step), p.at[i].add(-step)
        assert float(slope(p)[i]) == pytest.approx(float(value(after) - value(before)) / (2 * step), rel=1e-6, abs=1e-8)
        np.testing.assert_allclose(bend(p)[i], (slope(after) - slope(before)) / (2 * step), rtol=1e-5, atol=1e-7)


def test_uniform_of_several_variables():
    """1 / area, and over one of the variables alone."""
    node = distribution(type="uniform_dist", x=["x", "y"])
    at = Point({"x": np.array([1.0, 2.0]), "y": np.array([1.0, 1.0])}, {"x": (0.0, 4.0), "y": (1.0, 3.0)})
    assert float(jnp.exp(node.log_integral(at, ("x", "y")))) == pytest.approx(8.0)
    assert float(jnp.exp(node.log_integral(at, ("y",)))) == pytest.approx(2.0)
    np.testing.assert_array_equal(node.log_density(at), [0.0, 0.0])


def test_histogram_of_two_axes():
    """Contents are counts: heights are contents by area, the integral is their sum, also of a part of the axes."""
    axes = [{"name": "x", "edges": [0, 1, 3]}, {"name": "y", "min": 0, "max": 2, "nbins": 2}]
    node = distribution(type="histogram_dist", data={"axes": axes, "contents": [1, 2, 3, 4]})
    at = Point({"x": np.array([0.5, 2.0]), "y": np.array([1.5, 0.2])}, {"x": (0.0, 3.0), "y": (0.0, 2.0)})
    np.testing.assert_allclose(jnp.exp(node.log_density(at)), [2.0, 1.5])
    assert float(jnp.exp(node.log_integral(at, ("x", "y")))) == pytest.approx(10.0)
    half = Point({}, {"x": (0.0, 2.0), "y": (0.0, 2.0)})
    assert float(jnp.exp(node.log_integral(half, ("y", "x")))) == pytest.approx(3.0 + 3.5)
    assert node.depends == ("x", "y") and node.variable is None


# --- functions and expressions -------------------------------------------------------------------------------------


def test_density_functions():
    """f or ln f is what the function gives."""
    at = Point({"f": np.array([0.0, 2.0])})
    np.testing.assert_allclose(
        distribution(type="density_function_dist", function="f").log_density(at), [-inf, np.log(2)]
    )
    np.testing.assert_array_equal(
        distribution(type="log_density_function_dist", function="f").log_density(at), [0.0, 2.0]
    )


# expression, parameters, range, its integral in closed form
EXPRESSIONS = [
    ("exp(-x/tau)*(1+q*x)", {"tau": 2.0, "q": 0.3}, (0, 5), 2 * (1 - np.exp(-2.5)) + 0.3 * (4 - 14 * np.exp(-2.5))),
    ("x < a ? 1.0 : c", {"a": 2.0, "c": 0.5}, (0, 5), 3.5),
    ("x < a ? 1.0 : c", {"a": 7.0, "c": 0.5}, (0, 5), 5.0),
    ("1 + c*sin(PI*x)", {"c": 0.5}, (0, 5), 5 + 1 / np.pi),
    ("abs(x - a) + 1", {"a": 1.3}, (0, 4), 4 + (1.3**2 + 2.7**2) / 2),
    ("max(a - x, b)", {"a": 2.0, "b": 0.5}, (0, 4), 1.5 * 1.25 + 2.5 * 0.5),
    ("(1 + a - x > b + 1) ? 2 : 1", {"a": 3.0, "b": 1.0}, (0, 5), 7.0),
]


@pytest.mark.parametrize("expression, parameters, ends, expected", EXPRESSIONS)
def test_expressions_with_their_breaks(expression, parameters, ends, expected):
    """Exact with one panel or two, since kinks and jumps are breaks."""
    node = distribution(type="generic_dist", expression=expression)
    at = Point(parameters, {"x": ends})
    log_density = lambda values: node.log_density(Point({**parameters, **values}))  # noqa: E731
    limits, breaks = {"x": at.limits("x")}, {"x": node.breaks(at, "x")}
    panels = panels_for(log_density, limits, breaks, tolerance=1e-12)
    assert panels <= 2
    assert float(log_integral_of(log_density, limits, breaks, panels)) == pytest.approx(np.log(expected), abs=1e-12)


def test_derivative_in_the_place_of_a_jump():
    """The integral of `x < a ? 1 : c` over [0, 5] is 5c + a(1 - c)."""
    node = distribution(type="generic_dist", expression="x < a ? 1.0 : c")

    def total(a, c):
        at = Point({"a": a, "c": c}, {"x": (0, 5)})
        log_density = lambda values: node.log_density(Point({**at.values, **values}))  # noqa: E731
        return jnp.exp(log_integral_of(log_density, {"x": at.limits("x")}, {"x": node.breaks(at, "x")}, 1))

    np.testing.assert_allclose(jax.grad(total, (0, 1))(2.0, 0.5), [0.5, 3.0], rtol=1e-12)


def test_no_break_without_a_comparison_of_the_observable():
    """Comparisons of parameters, and of what is not the observable plus something."""
    node = distribution(type="generic_dist", expression="(a > b ? 1 : 2) * (x^2 < a ? 1 : 2)")
    assert node.breaks(Point({"a": 1.0, "b": 2.0}), "x") == ()


# --- entries -------------------------------------------------------------------------------------------------------


def test_every_type_is_tested():
    """A new type needs a case."""
    here = {
        *("poisson_dist", "multivariate_normal_dist", "barlow_beeston_lite_poisson_constraint_dist"),
        *("density_function_dist", "log_density_function_dist", "generic_dist"),
    }
    tested = {DISTRIBUTIONS[name] for name in here | {case.entry["type"] for case in CASES}}
    assert tested == set(DISTRIBUTIONS.values())


def test_crystal_ball_sides():
    """Keys of both sides stand for each, and one of two tails may be left out."""
    keys = {"type": "crystalball_dist", "m": "x", "m0": 0.0}
    at = Point({"x": np.array([-4.0, -1.0, 0.5, 3.0])}, {"x": (-6.0, 6.0)})
    both = distribution(**keys, sigma=1.0, alpha_L=1.0, alpha_R=1.0, n=2.0)
    general = distribution(**{**keys, "type": "crystalball_doublesided_dist"}, sigma=1.0, alpha=1.0, n=2.0)
    left, alone = (
        distribution(**keys, sigma=1.0, alpha_L=1.0, n_L=2.0),
        distribution(**keys, sigma=1.0, alpha=1.0, n=2.0),
    )
    for one, other in ((both, general), (left, alone)):
        np.testing.assert_array_equal(one.log_density(at), other.log_density(at))
        assert float(one.log_integral(at, ("x",))) == float(other.log_integral(at, ("x",)))


@pytest.mark.parametrize(
    "entry, said",
    [
        (
            {"type": "crystalball_dist", "m": "x", "m0": 0, "sigma": 1, "alpha": 1, "alpha_L": 1, "n": 1},
            "exclude each other",
        ),
        ({"type": "crystalball_dist", "m": "x", "m0": 0, "sigma": 1, "n": 1}, "lacks 'alpha'"),
        ({"type": "crystalball_dist", "m": "x", "m0": 0, "sigma_L": 1, "alpha": 1, "n": 1}, "lacks 'sigma_R'"),
        ({**NORMAL, "covariances": [[1, 2], [2, 1]]}, "not positive definite"),
        ({**NORMAL, "covariances": [[1, 0.2], [0.1, 1]]}, "not symmetric"),
        ({**NORMAL, "covariances": [[1, 2]]}, "as many rows as columns"),
        ({**NORMAL}, "either 'covariances'"),
        ({**NORMAL, "covariances": [[1]]}, "'covariances' has 1 entries, 'x' 2"),
        ({"type": "histogram_dist", "data": {"axes": [{"name": "x", "edges": [0, 1]}], "contents": [-1]}}, "below 0"),
        (
            {"type": "histogram_dist", "data": {"axes": [{"name": "x", "edges": [0, 1]}], "contents": [0]}},
            "all contents are 0",
        ),
        ({"type": "power_sum_dist", "x": "x", "coefficients": [1], "exponents": []}, "'exponents' 0"),
        ({"type": "bernstein_poly_dist", "x": "x", "coefficients": []}, "at least one"),
        (
            {"type": "relativistic_breit_wigner_dist", "x": "x", "mass": 1, "channels": [{"Gamma": 1, "l": 9}]},
            "'l' of 0 to 4",
        ),
        ({"type": "generic_dist", "expression": "__import__('os')"}, "column"),
    ],
)
def test_wrong_entries(entry, said):
    """Each is a problem with what was found."""
    node, problems = read_node({"name": "node", **entry}, DISTRIBUTIONS, "/distributions/0")
    assert node is None
    assert any(said in each.message for each in problems), problems
