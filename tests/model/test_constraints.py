"""Constraint terms that replace the implied ones, against scipy.stats."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import histjax
from histjax.constraints import Gamma, LogNormal, MultivariateNormal, Normal, Poisson, Uniform
from histjax.errors import InvalidModel, UnknownName
from tests.workspaces import mu, normsys, sample, staterror, workspace

COVARIANCE = np.array([[1.0, 0.6], [0.6, 2.0]])
DOCUMENT = workspace(
    {
        "SR": [
            sample("s", [5.0, 8.0], mu(), normsys("a", 0.9, 1.1)),
            sample("b", [50.0, 40.0], normsys("b", 0.8, 1.3), staterror("stat", [5.0, 6.0])),
        ]
    },
    {"SR": [60.0, 45.0]},
)
POINT = {"mu": jnp.array(1.3), "a": jnp.array(0.4), "b": jnp.array(-0.7), "stat": jnp.array([1.1, 0.95])}


def compiled(constraints) -> histjax.Model:
    """The model with other constraint terms."""
    return histjax.compile(histjax.read(DOCUMENT), constraints=constraints)


@pytest.fixture(scope="module")
def implied() -> histjax.Model:
    """The model as HistFactory has it."""
    return histjax.compile(histjax.read(DOCUMENT))


STAT = np.array([5 / 50, 6 / 40])  # relative uncertainties that the staterror implies
CASES = {
    "normal": ({"mu": Normal(0.3, centre=0.9)}, "mu", scipy.stats.norm(1.3, 0.3).logpdf(0.9)),
    "normal-implied": ({"stat": Normal()}, "stat", scipy.stats.norm(POINT["stat"], STAT).logpdf(1.0).sum()),
    "lognormal": ({"mu": LogNormal(1.2)}, "mu", scipy.stats.lognorm(s=np.log(1.2), scale=1.3).logpdf(1.0)),
    "poisson": ({"mu": Poisson(25.0)}, "mu", scipy.stats.poisson(25 * 1.3).logpmf(25)),
    "poisson-implied": (
        {"stat": Poisson()},
        "stat",
        # tau = 100 and 44.44...: a count that is not whole, n! = Gamma(n + 1)
        scipy.stats.gamma(STAT**-2 + 1, scale=STAT**2).logpdf(POINT["stat"]).sum() - np.log(STAT**-2).sum(),
    ),
    "gamma": ({"mu": Gamma(0.2)}, "mu", scipy.stats.gamma(26, scale=1 / 25).logpdf(1.3)),
    "correlated": (
        {("a", "b"): MultivariateNormal(COVARIANCE)},
        "a b",
        scipy.stats.multivariate_normal([0.4, -0.7], COVARIANCE).logpdf([0, 0]),
    ),
    "uniform": ({"b": Uniform(-2.0, 3.0)}, "b", 0.0),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A model, the names it constrains anew, and the log density of their terms."""
    constraints, names, expected = CASES[request.param]
    return compiled(constraints), names.split(), expected


def test_log_density(case, implied):
    """The requested terms have the density of scipy.stats; all others are what they were."""
    model, names, expected = case
    terms = model.logpdf_terms(POINT, model.data).constraints
    assert sum(float(terms.pop(name, 0.0)) for name in names) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    before = implied.logpdf_terms(POINT, implied.data).constraints
    assert {name: float(value) for name, value in terms.items()} == {
        name: float(value) for name, value in before.items() if name not in names
    }


def test_derivatives(case):
    """The structured gradient and Hessian are those of automatic differentiation."""
    model, _, _ = case
    vector, data = model.ravel(POINT), model.ravel_data(model.data)
    value, gradient, hessian = model.nll_derivatives(vector, data)
    expected = model.saturated_logpdf(data) - model.logpdf(POINT, model.data)
    assert float(value) == pytest.approx(float(expected), abs=1e-11)
    np.testing.assert_allclose(gradient, jax.grad(model.nll)(vector, data), rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(hessian, jax.hessian(model.nll)(vector, data), rtol=1e-12, atol=1e-10)


def test_asimov_data_are_described_perfectly(case):
    """Fitting what is expected at a point gives the point and deviance 0, whatever the constraint terms."""
    model, _, _ = case
    result = histjax.fit(model, model.expected_data(POINT))
    assert float(result.deviance) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(result.vector, model.ravel(POINT), atol=1e-7)


def test_auxiliary_data_are_drawn_from_their_densities(case):
    """Mean (median of the log-normal) and covariance over 40000 toys, within five standard errors."""
    model, names, _ = case
    names = [name for name in names if name in model.data.aux]
    keys = jax.random.split(jax.random.key(5), 40_000)
    vector = model.ravel(POINT)
    toys = model.unravel_data(jax.vmap(lambda key: model.draw_flat(key, vector))(keys)).aux
    expected = model.expected_data(POINT).aux
    for name in names:
        centre = np.median if model.parameters[name].constraint == "lognormal" else np.mean
        spread = np.std(toys[name], axis=0) / np.sqrt(len(keys))
        assert np.all(np.abs(centre(toys[name], axis=0) - expected[name]) < 6.5 * spread)
    if len(names) == 2:
        drawn = np.cov(np.concatenate([toys[name] for name in names], axis=1).T)
        np.testing.assert_allclose(drawn, COVARIANCE, atol=5 * 2 * np.sqrt(2 / len(keys)))


def test_prefit_widths():
    """What impacts and starting steps use: one standard deviation of the constraint term."""
    model = compiled({"mu": Gamma(0.2), "a": Uniform(-2.0, 3.0), "stat": Poisson()})
    widths = {name: model.parameters[name].width for name in ("mu", "a", "stat")}
    assert float(widths["mu"]) == pytest.approx(0.2)
    assert float(widths["a"]) == pytest.approx(5 / np.sqrt(12))
    np.testing.assert_allclose(widths["stat"], STAT, rtol=1e-14)
    assert [float(each) for each in model.parameters["a"].bounds] == [-2.0, 3.0]


def test_a_gaussian_with_its_covariance_in_closed_form():
    """Two parameters that no yield depends on are fitted to their auxiliary data with the covariance asked for."""
    free = {"x": histjax.NewParameter(), "y": histjax.NewParameter()}
    constraint = {("x", "y"): MultivariateNormal(COVARIANCE, centre=np.array([0.5, -1.0]))}
    model = histjax.compile(histjax.read(DOCUMENT), parameters=free, constraints=constraint)
    result = histjax.fit(model)
    assert float(result.params["x"]) == pytest.approx(0.5, abs=1e-12)
    assert float(result.params["y"]) == pytest.approx(-1.0, abs=1e-12)
    np.testing.assert_allclose(result.covariance[-2:, -2:], COVARIANCE, rtol=1e-12)


def test_traced_templates_reach_the_new_terms(implied):
    """A staterror that is made Poisson keeps its width when the yields change under a derivative."""
    model = compiled({"stat": Poisson()})

    def deviance(yields):
        other = model.with_yields({("SR", "b"): yields})
        return other.nll(model.ravel(POINT), model.ravel_data(model.data))

    start, step = jnp.array([50.0, 40.0]), 1e-4
    slope = jax.grad(deviance)(start)
    central = [(deviance(start + step * e) - deviance(start - step * e)) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(slope, central, rtol=1e-7)


@pytest.mark.parametrize(
    ("constraints", "error", "words"),
    [
        ({"nope": Normal(1.0)}, UnknownName, "no parameter named 'nope'"),
        ({"a": Normal(-1.0)}, InvalidModel, "widths must be positive"),
        ({"a": LogNormal(0.8)}, InvalidModel, "kappa must be above 1"),
        ({"a": Uniform(2.0, 1.0)}, InvalidModel, "not below upper"),
        ({"stat": Normal([1.0, 2.0, 3.0])}, InvalidModel, "2 components"),
        ({("a", "b"): Normal(1.0)}, InvalidModel, "constrains one parameter"),
        ({("a", "b"): MultivariateNormal([[1.0, 2.0], [2.0, 1.0]])}, InvalidModel, "not positive definite"),
        ({("a", "b"): MultivariateNormal([[1.0]])}, InvalidModel, "shape (2, 2)"),
        ({"a": Normal(1.0), ("a", "b"): MultivariateNormal(COVARIANCE)}, InvalidModel, "two constraint terms"),
        ({"a": 1.0}, InvalidModel, "expected a value of histjax.constraints"),
    ],
)
def test_bad_requests(constraints, error, words):
    """One clear message."""
    with pytest.raises(error) as caught:
        compiled(constraints)
    assert words in str(caught.value)
