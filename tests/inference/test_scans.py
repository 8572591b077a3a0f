"""Scans of the profile likelihood: closed forms, the walk, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import FailedFit, InvalidModel, UnknownName
from tests.fitting.likelihoods import double_well, wells
from tests.fitting.test_derivatives import difference
from tests.inference.closed_form import deviance, gammas
from tests.inference.profiles import CENTRE, COVARIANCE, estimates
from tests.inference.test_cls import HELLO, model_of

VALUES = np.array([0.0, 0.3, 0.9, 2.5])


def test_closed_form():
    """2 Delta NLL and the profiled background factors of two bins."""
    s, b, tau, n = HELLO.arrays
    result = histjax.scan(model_of("hello"), values={"mu": VALUES})
    exact = np.array([deviance(x, s, b, tau, n, tau) for x in VALUES])
    np.testing.assert_allclose(result.delta, exact - exact[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.twice_nll, float(result.fit.twice_nll) + exact - exact[0], rtol=1e-12)
    profiled = [gammas(x, s, b, tau, n, tau) for x in VALUES]
    np.testing.assert_allclose(result.params["uncorr_bkguncrt"], profiled, rtol=1e-7)
    np.testing.assert_array_equal(result.params["mu"], VALUES)
    assert np.all(result.converged) and np.all(result.edm < 1e-8)


def test_grid():
    """The grid of all three Gaussian estimates is the quadratic form; in any order of the values."""
    axes = {"b[1]": [-2.0, -4.0, -3.1], "a": [0.0, 1.0], "b[0]": [0.3, 0.1, 0.2, 0.9]}
    result = histjax.scan(estimates(), values=axes)
    assert result.delta.shape == (3, 2, 4) and result.vector.shape == (3, 2, 4, 3)
    third, first, second = np.meshgrid(*axes.values(), indexing="ij")
    pull = np.stack([first, second, third], axis=-1) - CENTRE
    expected = np.einsum("...i,ij,...j", pull, np.linalg.inv(COVARIANCE), pull)
    np.testing.assert_allclose(result.delta, expected, rtol=1e-9, atol=1e-12)


def test_profile_of_a_gaussian():
    """Of one parameter it is the square of its pull, the others profiled away."""
    result = histjax.scan(estimates(), values={"b[0]": np.linspace(-1, 1, 7)})
    np.testing.assert_allclose(result.delta, (np.linspace(-1, 1, 7) - 0.2) ** 2 / 0.09, rtol=1e-9, atol=1e-12)


def test_beyond_bounds():
    """A scanned value may lie outside the bounds, where the likelihood may be higher: delta is negative there."""
    s, b, tau, n = HELLO.arrays
    result = histjax.scan(model_of("hello"), values={"mu": [-0.05, 0.0, 0.3]})
    expected = [deviance(x, s, b, tau, n, tau) - deviance(0.0, s, b, tau, n, tau) for x in (-0.05, 0.0, 0.3)]
    np.testing.assert_allclose(result.delta, expected, rtol=1e-9, atol=1e-12)
    assert result.delta[0] < 0


def test_a_lower_minimum_on_the_way():
    """The free fit fell into the wrong well: the scan finds out, and the best fit it reports is the better one."""
    lowest, _ = wells(0.2)
    values = np.linspace(-1.5, 1.5, 31)
    result = histjax.scan(double_well(0.2), values={"x": values})
    assert float(result.fit.vector[0]) == pytest.approx(lowest[0], rel=1e-7)
    expected = 2 * ((values**2 - 1) ** 2 + 0.2 * values) - lowest[1]
    np.testing.assert_allclose(result.delta, expected, rtol=1e-9, atol=1e-12)
    assert np.all(result.delta >= 0)


def test_errors():
    """Wrong requests are refused; a failed point is named and keeps its numbers."""
    model = model_of("hello")
    with pytest.raises(InvalidModel, match="2 components"):
        histjax.scan(model, values={"uncorr_bkguncrt": [1.0]})
    with pytest.raises(InvalidModel, match="one array of numbers"):
        histjax.scan(model, values={"mu": 1.0})
    with pytest.raises(InvalidModel, match="at least one parameter"):
        histjax.scan(model, values={})
    with pytest.raises(UnknownName):
        histjax.scan(model, values={"nu": [1.0]})
    settings = dict(init=histjax.fit(model), minimiser=histjax.Newton(max_iterations=2, restarts=0))
    with pytest.raises(FailedFit, match="at mu = 300") as caught:
        histjax.scan(model, values={"mu": [0.0, 300.0]}, **settings)
    assert caught.value.result.converged.tolist() == [True, False] and caught.value.result.delta[1] > 100


def test_printed():
    """A table for one parameter, a summary for a grid."""
    lines = str(histjax.scan(model_of("hello"), values={"mu": VALUES})).splitlines()
    assert lines[0].split() == ["status", "converged"] and lines[-1].split()[0] == "2.5"
    assert "values" in str(histjax.scan(estimates(), values={"a": [1.0, 2.0], "b[0]": [0.0]}))


def test_derivatives():
    """2 Delta NLL and profiled parameters with respect to counts and scanned values, mapped over datasets."""
    model = model_of("hello")
    datasets = np.array([[51.0, 48.0], [60.0, 62.0]])  # mu-hat on its bound, and inside

    def profile(counts, values):
        data = histjax.Data({"singlechannel": jnp.asarray(counts)}, model.data.aux)
        result = histjax.scan(model, data, values={"mu": values})
        return jnp.concatenate([result.delta, result.vector[:, 1:].ravel()])

    def value_and_slopes(counts):
        values = jnp.asarray(VALUES)
        return profile(counts, values), jax.jacfwd(profile, argnums=(0, 1))(counts, values)

    found, (by_counts, by_values) = jax.jit(jax.vmap(value_and_slopes))(jnp.asarray(datasets))
    for counts, value, *slopes in zip(datasets, found, by_counts, by_values, strict=True):
        np.testing.assert_allclose(value, profile(counts, VALUES), rtol=1e-8, atol=1e-10)
        expected = difference(lambda x: profile(x, VALUES), counts, 1e-2)
        np.testing.assert_allclose(slopes[0], expected, rtol=1e-5, atol=1e-7)
        expected = difference(lambda x, counts=counts: profile(counts, np.asarray(x)), VALUES, 1e-3)
        np.testing.assert_allclose(slopes[1], expected, rtol=1e-5, atol=1e-7)
