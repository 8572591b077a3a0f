"""Pulls: centres that the auxiliary data imply, and closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from tests.inference.linear import BEST, COVARIANCE, LINEAR
from tests.workspaces import counting, mu, normsys, sample, workspace


def test_linear_gaussian_model():
    """Centre 0 and width 1: the pull is the value, the ratio the uncertainty."""
    result = histjax.pulls(LINEAR, histjax.fit(LINEAR))
    assert result.names == ("alpha", "beta")
    np.testing.assert_allclose(result.pull, BEST[1:], atol=1e-10)
    np.testing.assert_allclose(result.width_ratio, np.sqrt(np.diagonal(COVARIANCE)[1:]), atol=1e-12)
    assert "width ratio" in str(result)


def test_centre_follows_the_auxiliary_data():
    """One bin that mu describes exactly leaves alpha at its auxiliary datum: pull 0, not datum - initial value."""
    signal, background = sample("signal", [7.0], mu()), sample("background", [50.0], normsys("xsec", 0.9, 1.1))
    model = histjax.compile(histjax.read(workspace({"SR": [signal, background]}, {"SR": [66.0]})))
    data = histjax.Data(model.data.main, {"xsec": jnp.array([0.7])})
    result = histjax.pulls(model, histjax.fit(model, data), data)
    np.testing.assert_allclose([result.best[0], result.centre[0], result.pull[0]], [0.7, 0.7, 0.0], atol=1e-8)
    np.testing.assert_allclose(result.width_ratio, [1.0], atol=1e-8)


def test_shapesys_in_counts():
    """tau = (b / u)^2 = 100: 121 auxiliary counts put the centre at 1.21, with the nominal width 0.1."""
    model = histjax.compile(histjax.read(counting([5.0], [50.0], [5.0], [62.0])))
    data = histjax.Data(model.data.main, {"uncorr_bkguncrt": jnp.array([121.0])})
    result = histjax.pulls(model, histjax.fit(model, data, fixed={"mu": 0.0}), data)
    # gamma solves (62 - 50 gamma) + (121 - 100 gamma) = 0
    np.testing.assert_allclose([result.centre[0], result.width[0]], [1.21, 0.1], atol=1e-12)
    np.testing.assert_allclose(result.pull[0], (183 / 150 - 1.21) / 0.1, atol=1e-8)
    np.testing.assert_allclose(result.uncertainty[0], np.sqrt((183 / 150) ** 2 / 183), atol=1e-8)


@pytest.mark.parametrize("slug", ["everything"])
def test_perfect_data_pull_nothing(compile_case, slug):
    """Fitted to what it expects, every parameter stays at its centre; held ones have ratio 0."""
    model = compile_case(slug)
    result = histjax.pulls(model, histjax.fit(model, model.expected_data(model.init)), model.expected_data(model.init))
    known = np.asarray(result.width) > 0
    np.testing.assert_allclose(np.asarray(result.pull)[known], 0.0, atol=1e-5)
    assert np.all(np.isnan(np.asarray(result.pull)[~known]))
    data = model.expected_data(model.init)
    name = result.names[0]
    fixed = histjax.pulls(model, histjax.fit(model, data, fixed={name: result.best[0]}), data)
    assert bool(fixed.held[0]) and float(fixed.width_ratio[0]) == 0.0
