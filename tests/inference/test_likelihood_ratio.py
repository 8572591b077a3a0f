"""Likelihood ratio tests of several parameters, against closed forms and scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import histjax
from histjax.errors import InvalidModel, UnknownName
from histjax.inference.likelihood_ratio import chi_squared_p_value
from tests.workspaces import mu, normsys, sample, workspace

COUNTS, YIELDS = np.array([30.0, 50.0]), np.array([20.0, 60.0])
DOCUMENT = workspace(
    {"A": [sample("a", [YIELDS[0]], mu("mu_a"))], "B": [sample("b", [YIELDS[1]], mu("mu_b"), normsys("n", 0.9, 1.1))]},
    {"A": [COUNTS[0]], "B": [COUNTS[1]]},
    poi="mu_a",
)


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two counts with a strength each; in the second a systematic that the strength absorbs."""
    return histjax.compile(histjax.read(DOCUMENT))


def half_deviance(n, nu):
    """n ln(n / nu) - n + nu."""
    return n * np.log(n / nu) - n + nu


def test_two_strengths(model):
    """With the systematic held the two counts are independent: tmu is the sum of their deviances."""
    tested = np.array([1.2, 1.0])
    result = histjax.profile_likelihood_ratio(
        model, values=dict(zip(("mu_a", "mu_b"), tested, strict=True)), fixed={"n": 0.0}
    )
    expected = 2 * np.sum(half_deviance(COUNTS, tested * YIELDS))
    assert float(result.tmu) == pytest.approx(expected, rel=1e-10)
    assert result.degrees_of_freedom == 2
    assert float(result.p_value) == pytest.approx(scipy.stats.chi2.sf(expected, 2), rel=1e-10)
    np.testing.assert_allclose(result.best, COUNTS / YIELDS, rtol=1e-9)
    assert result.names == ("mu_a", "mu_b")


def test_one_parameter_is_tmu(model):
    """For the parameter of interest alone it is `tmu`, and the p-value that of one degree of freedom."""
    result = histjax.profile_likelihood_ratio(model, values={"mu_a": 1.1})
    assert float(result.tmu) == pytest.approx(float(histjax.tmu(model, poi_value=1.1)), abs=1e-10)
    assert float(result.p_value) == pytest.approx(scipy.stats.chi2.sf(float(result.tmu), 1), rel=1e-10)


def test_any_parameter_may_be_tested(model):
    """A nuisance parameter: the strength absorbs its effect, so that the constraint term alone is left."""
    result = histjax.profile_likelihood_ratio(model, values={"n": 1.5})
    assert float(result.tmu) == pytest.approx(1.5**2, rel=1e-9)


def test_traced(model):
    """Under jit, vmap and grad; the slope by the envelope theorem is 2 (s - n / mu)."""

    def tmu(value):
        return histjax.profile_likelihood_ratio(model, values={"mu_a": value}, fixed={"n": 0.0}).tmu

    values = jnp.array([1.1, 1.7])
    found, slopes = jax.jit(jax.vmap(jax.value_and_grad(tmu)))(values)
    np.testing.assert_allclose(found, 2 * half_deviance(COUNTS[0], values * YIELDS[0]), rtol=1e-10)
    np.testing.assert_allclose(slopes, 2 * (YIELDS[0] - COUNTS[0] / values), rtol=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 5])
def test_p_values(degrees):
    """scipy's, and 1 at 0."""
    x = np.array([0.0, 1e-3, 1.0, 7.0, 80.0])
    np.testing.assert_allclose(
        chi_squared_p_value(jnp.asarray(x), degrees), scipy.stats.chi2.sf(x, degrees), rtol=1e-10
    )


def test_bad_requests(model):
    """One clear message each."""
    with pytest.raises(InvalidModel, match="no parameter is tested"):
        histjax.profile_likelihood_ratio(model, values={})
    with pytest.raises(UnknownName, match="no parameter named 'nope'"):
        histjax.profile_likelihood_ratio(model, values={"nope": 1.0})
    with pytest.raises(InvalidModel, match="1 components"):
        histjax.profile_likelihood_ratio(model, values={"mu_a": [1.0, 2.0]})
