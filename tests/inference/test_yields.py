"""Uncertainties of yields against the dense formula J C J^T, with Jacobian and covariance from elsewhere."""

import jax
import numpy as np
import pytest

import histjax
from tests.fitting.test_compilations import nothing_compiled
from tests.workspaces import mu, normsys, sample, shapefactor, staterror, workspace


def dense(model: histjax.Model, vector, covariance) -> dict[str, np.ndarray]:
    """sqrt(diag(J C J^T)) of all bins, channels, cells and rows, from `jax.jacrev` of public functions and NumPy."""

    def everything(x):
        params = model.unravel(x)
        bins, cells = model.expected_yields(params), model.expected_yields_by_sample(params)
        rows = [jax.numpy.atleast_1d(values.sum()) for each in cells.values() for values in each.values()]
        channels = [jax.numpy.atleast_1d(values.sum()) for values in bins.values()]
        return {"bins": [*bins.values()], "channels": channels, "rows": rows}

    jacobian = jax.jacrev(everything)(vector)
    return {
        name: np.concatenate(
            [np.sqrt(np.diagonal(np.asarray(each) @ covariance @ np.asarray(each).T)) for each in parts]
        )
        for name, parts in jacobian.items()
    }


def flat(table) -> dict[str, np.ndarray]:
    """The same numbers of a `YieldTable`."""
    rows = [each for channel in table.samples.values() for each in channel.values()]
    parts = {"bins": [*table.bins.values()], "channels": [*table.channels.values()], "rows": rows}
    return {name: np.concatenate([np.atleast_1d(each) for each in values]) for name, values in parts.items()}


@pytest.mark.parametrize("slug", ["everything", "coupled-histosys"])
def test_dense_formula(compile_case, slug):
    """Postfit with the full covariance, prefit with the widths on the diagonal."""
    model = compile_case(slug)
    result = histjax.fit(model)
    postfit, prefit = histjax.predicted_yields(model, result), histjax.predicted_yields(model)
    widths = np.where(np.asarray(model.parameters.fixed), 0.0, np.nan_to_num(model.parameters.widths))
    expected = dense(model, result.vector, np.asarray(result.covariance))
    for name, values in flat(postfit.uncertainty).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-8, atol=1e-9)
    centre = np.asarray(model.constraint_centres(model.data))
    point = np.where(np.isnan(centre) | np.asarray(model.parameters.fixed), model.parameters.init, centre)
    expected = dense(model, jax.device_put(point), np.diag(widths**2))
    for name, values in flat(prefit.uncertainty).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-8, atol=1e-9)
    for channel, values in model.expected_yields(result.params).items():
        np.testing.assert_allclose(postfit.expected.bins[channel], values, rtol=1e-12)


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two channels: a free normalisation of the background, a staterror in SR."""
    background = sample(
        "background", [40.0, 20.0], mu("norm"), staterror("stat", [4.0, 3.0]), normsys("tilt", 0.9, 1.1)
    )
    channels = {
        "SR": [sample("signal", [5.0, 10.0], mu()), background],
        "CR": [sample("background", [400.0], mu("norm")), sample("extra", [7.0])],
    }
    return histjax.compile(histjax.read(workspace(channels, {"SR": [47.0, 28.0], "CR": [400.0]})))


def test_prefit_by_hand(model):
    """staterror in the band (T46), nothing for free normalisations; tilt moves both bins together."""
    prefit = histjax.predicted_yields(model)
    slope = (1.1**2 - 0.9**2) / 4  # near enough to the code4 polynomial's slope for the tolerance below
    np.testing.assert_allclose(prefit.expected.bins["SR"], [45.0, 30.0])
    np.testing.assert_allclose(
        prefit.uncertainty.bins["SR"] ** 2, [16 + (40 * slope) ** 2, 9 + (20 * slope) ** 2], rtol=5e-3
    )
    np.testing.assert_allclose(prefit.uncertainty.channels["SR"] ** 2, 25 + (60 * slope) ** 2, rtol=5e-3)
    np.testing.assert_array_equal(prefit.uncertainty.bins["CR"], [0.0])
    np.testing.assert_array_equal(prefit.uncertainty.samples["SR"]["signal"], 0.0)
    np.testing.assert_array_equal(prefit.observed["SR"], [47.0, 28.0])
    assert "prefit yields" in str(prefit)


def test_a_masked_channel_is_predicted(model):
    """Without CR the background is known from SR alone, and the prediction of CR has its uncertainty; without SR, mu is
    not determined: infinite where it acts, finite elsewhere.
    """
    free, masked = (histjax.fit(each) for each in (model, model.with_weights({"CR": 0.0})))
    known = histjax.predicted_yields(model, free).uncertainty.bins["CR"][0]
    with nothing_compiled():
        predicted = histjax.predicted_yields(model, masked).uncertainty.bins["CR"][0]
    assert known == pytest.approx(20.0, rel=0.02) and predicted > 2 * known
    lost = histjax.predicted_yields(model, histjax.fit(model.with_weights({"SR": 0.0}))).uncertainty
    assert np.all(np.isinf(lost.bins["SR"])) and np.isinf(lost.samples["SR"]["signal"])
    np.testing.assert_allclose(lost.bins["CR"], [20.0], rtol=1e-6)


def test_a_flat_direction_that_changes_no_yield():
    """Two factors of which only the sum is known: the parameters are undetermined, the sum is not."""
    samples = [sample("signal", [5.0], mu()), sample("background", [50.0], shapefactor("shape"))]
    model = histjax.compile(histjax.read(workspace({"SR": samples}, {"SR": [55.0]})))
    uncertainty = histjax.predicted_yields(model, histjax.fit(model)).uncertainty
    np.testing.assert_allclose(uncertainty.bins["SR"], [np.sqrt(55.0)], rtol=1e-4)
    assert np.all(np.isinf([uncertainty.samples["SR"][name] for name in ("signal", "background")]))


def test_fixed_parameters_do_not_contribute(model):
    """All fixed: no uncertainty."""
    params = {name: model.init[name] for name in model.parameters}
    result = histjax.fit(model, fixed=params, throw=False)
    assert all(np.all(each == 0) for each in histjax.predicted_yields(model, result).uncertainty.bins.values())


def test_traced(model):
    """A batch of fits, and the derivative of a band with respect to the counts, against central differences."""

    def band(counts):
        data = histjax.Data({**model.data.main, "SR": counts}, model.data.aux)
        return histjax.predicted_yields(model, histjax.fit(model, data), data).uncertainty.channels["SR"]

    counts, step = np.array([47.0, 28.0]), 1e-3
    values, slopes = jax.jit(jax.vmap(lambda x: (band(x), jax.jacfwd(band)(x))))(np.stack([counts, counts + 4]))
    np.testing.assert_allclose(values[1], band(jax.device_put(counts + 4)), rtol=1e-8)
    for k in range(2):
        up, down = (band(jax.device_put(counts + sign * step * np.eye(2)[k])) for sign in (1, -1))
        np.testing.assert_allclose(slopes[0, k], (up - down) / (2 * step), rtol=1e-5)
