"""Goodness of fit: chi-squared tails from SciPy, closed forms, identities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

import histjax
from histjax.inference.goodness import log_chi2_survival
from tests.fitting.test_compilations import nothing_compiled
from tests.inference.linear import LINEAR
from tests.workspaces import counting, mu, normsys, sample, workspace


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two channels with three bins, two free parameters and one alpha."""
    channels = {
        "SR": [sample("signal", [5.0, 10.0], mu()), sample("background", [40.0, 20.0], normsys("tilt", 0.9, 1.1))],
        "CR": [sample("background", [400.0], mu("norm"), normsys("tilt", 1.1, 0.95))],
    }
    return histjax.compile(histjax.read(workspace(channels, {"SR": [57.0, 18.0], "CR": [404.0]})))


@pytest.mark.parametrize("n_degrees", [1.0, 2.0, 3.0, 50.0, 400.0])
@pytest.mark.parametrize("value", [0.0, 0.3, 2.0, 49.0, 390.0, 480.0, 900.0, 1300.0])
def test_tail(value, n_degrees):
    """ln of chi2.sf, where that does not underflow."""
    expected = chi2.logsf(value, n_degrees)
    if np.isfinite(expected):
        np.testing.assert_allclose(log_chi2_survival(value, n_degrees), expected, rtol=1e-9, atol=1e-12)


def test_far_tail():
    """Two degrees of freedom: exp(-x / 2) exactly; four: (1 + x / 2) exp(-x / 2); none: NaN."""
    for value in (1500.0, 3e3, 1e5):
        np.testing.assert_allclose(log_chi2_survival(value, 2.0), -value / 2, rtol=1e-13)
        np.testing.assert_allclose(log_chi2_survival(value, 4.0), np.log1p(value / 2) - value / 2, rtol=1e-13)
    assert np.isnan(log_chi2_survival(3.0, 0.0)) and np.isnan(log_chi2_survival(3.0, -1.0))


def test_two_bins_by_hand():
    """One signal strength for two bins without background: mu-hat = sum n / sum s, Baker-Cousins chi-squared."""
    model = histjax.compile(
        histjax.read(workspace({"SR": [sample("signal", [10.0, 30.0], mu())]}, {"SR": [15.0, 27.0]}))
    )
    result = histjax.goodness_of_fit(model)
    n, nu = np.array([15.0, 27.0]), np.array([10.0, 30.0]) * 42 / 40
    statistic = 2 * np.sum(nu - n + n * np.log(n / nu))
    np.testing.assert_allclose(result.statistic, statistic, rtol=1e-9)
    np.testing.assert_allclose([result.n_degrees, result.p_value], [1.0, chi2.sf(statistic, 1)], rtol=1e-9)
    assert "degrees of freedom" in str(result) and result.message == "converged"


def test_contributions_add_up(model):
    """Channels and constraint terms together are the deviance of the fit."""
    result = histjax.goodness_of_fit(model)
    total = sum([*result.channels.values(), *result.constraints.values()])
    np.testing.assert_allclose(total, result.statistic, rtol=1e-12)
    np.testing.assert_allclose(result.statistic, result.fit.deviance)
    np.testing.assert_allclose(result.constraints["tilt"], result.fit.params["tilt"] ** 2, rtol=1e-10)
    assert float(result.n_degrees) == 1.0


def test_perfect_data(model):
    """Data that the model expects, at other parameters and with their auxiliary data: nothing is left over (T47)."""
    params = {**model.init, "mu": jnp.array(1.7), "norm": jnp.array(0.9), "tilt": jnp.array(0.6)}
    data = model.expected_data(params)
    result = histjax.goodness_of_fit(model, data)
    np.testing.assert_allclose([result.statistic, result.p_value], [0.0, 1.0], atol=1e-6)


def test_custom_auxiliary_data():
    """The saturated constraint term is at its datum, not at its nominal one: 144 counts where tau = 100."""
    model = histjax.compile(histjax.read(counting([5.0], [50.0], [5.0], [72.0])))
    data = histjax.Data(model.data.main, {"uncorr_bkguncrt": jnp.array([144.0])})
    result = histjax.goodness_of_fit(model, data, fixed={"mu": 0.0})
    np.testing.assert_allclose([result.statistic, result.n_degrees], [0.0, 1.0], atol=1e-10)


def test_masked_channel(model):
    """Two bins fewer in the sum and in the degrees of freedom, and no program more."""
    histjax.goodness_of_fit(model)
    with nothing_compiled():
        result = histjax.goodness_of_fit(model.with_weights({"CR": 0.0}), fixed={"norm": 1.0})
        other = histjax.goodness_of_fit(model.with_weights({"SR": 0.0}), fixed={"mu": 1.0})
    assert (float(result.n_degrees), float(other.n_degrees)) == (1.0, 0.0)
    assert float(result.channels["CR"]) == 0.0 and float(other.statistic) < 1e-9
    assert np.isnan(other.p_value) and "0 degrees of freedom" in other.message


def test_a_likelihood_without_bins():
    """It gives the statistic, and no p-value that it cannot know of."""
    result = histjax.goodness_of_fit(LINEAR)
    assert np.isnan(result.p_value) and "how many observations" in result.message and result.channels == {}


def test_derivatives_and_batches(model):
    """Through the fit, against central differences; a batch is a loop."""

    def log_p(counts):
        data = histjax.Data({**model.data.main, "SR": counts}, model.data.aux)
        result = histjax.goodness_of_fit(model, data)
        return result.statistic, result.log_p_value

    counts, step = np.array([57.0, 18.0]), 1e-3
    values, slopes = jax.jit(jax.vmap(lambda x: (log_p(x), jax.jacrev(log_p)(x))))(np.stack([counts, counts + 4]))
    np.testing.assert_allclose([each[1] for each in values], log_p(jax.device_put(counts + 4)), rtol=1e-8)
    for k in range(2):
        up, down = (np.array(log_p(jax.device_put(counts + sign * step * np.eye(2)[k]))) for sign in (1, -1))
        np.testing.assert_allclose([each[0, k] for each in slopes], (up - down) / (2 * step), rtol=1e-5)
