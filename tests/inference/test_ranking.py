"""Impacts against closed forms: of linear models, and of a counting experiment whose background absorbs the data."""

import jax
import numpy as np
import pytest

import histjax
from histjax.inference.groups import standard_groups
from tests.fitting.test_compilations import nothing_compiled
from tests.inference.linear import BEST, COVARIANCE, LINEAR
from tests.workspaces import counting, mu, normsys, sample, shapefactor, workspace

IMPACTS = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")


def two_channels(*, uncertainty: float = 5.0) -> histjax.Model:
    """Signal and control region that share a background normalisation, one normsys and a shapesys."""
    background = sample("background", [50.0, 40.0], mu("norm"), normsys("tilt", 0.8, 1.15))
    other = sample(
        "other",
        [4.0, 8.0],
        {"name": "gamma", "type": "shapesys", "data": [uncertainty, 2.0]},
        normsys("xsec", 0.9, 1.1),
    )
    control = sample("background", [200.0], mu("norm"), normsys("tilt", 1.1, 0.95))
    channels = {"SR": [sample("signal", [10.0, 5.0], mu()), background, other], "CR": [control]}
    return histjax.compile(histjax.read(workspace(channels, {"SR": [62.0, 50.0], "CR": [205.0]})))


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two channels."""
    return two_channels()


@pytest.fixture(scope="module")
def ranked(model) -> histjax.Ranking:
    """Its ranking."""
    return histjax.ranking(model)


def test_linear_gaussian_model():
    """Held at best + d, the others move by C[:, i] / C[i, i] d: impacts are exact in linear algebra."""
    result = histjax.ranking(LINEAR)
    sigma = np.sqrt(np.diagonal(COVARIANCE))[1:]
    slope = COVARIANCE[0, 1:] / np.diagonal(COVARIANCE)[1:]
    assert result.names == ("alpha", "beta")
    for name, expected in zip(IMPACTS, (slope, -slope, slope * sigma, -slope * sigma), strict=True):
        np.testing.assert_allclose(getattr(result, name), expected, atol=1e-10)
    np.testing.assert_allclose(result.linear, slope * sigma, atol=1e-12)
    np.testing.assert_allclose(result.pull, BEST[1:], atol=1e-10)
    np.testing.assert_allclose(result.width_ratio, sigma, atol=1e-12)
    assert not np.any(result.clipped) and bool(result.converged)


@pytest.mark.parametrize(("lo", "hi"), [(0.9, 1.1), (0.85, 1.3)])
def test_one_bin_with_one_systematic(lo, hi):
    """mu absorbs everything: mu-hat(alpha) = (n - b f(alpha)) / s with f(1) = hi, f(-1) = lo and sigma(alpha) = 1."""
    signal, background = sample("signal", [7.0], mu()), sample("background", [50.0], normsys("xsec", lo, hi))
    document = workspace({"SR": [signal, background]}, {"SR": [66.0]})
    result = histjax.ranking(histjax.compile(histjax.read(document)))
    up, down = -50 * (hi - 1) / 7, -50 * (lo - 1) / 7
    for name, expected in zip(IMPACTS, (up, down, up, down), strict=True):
        np.testing.assert_allclose(getattr(result, name), [expected], atol=1e-8)
    np.testing.assert_allclose([result.pull[0], result.width_ratio[0]], [0.0, 1.0], atol=1e-8)


def test_a_displacement_below_zero_is_clipped():
    """A shapesys of relative uncertainty 1.25: gamma - 1.25 ends at the bound and says so."""
    result = histjax.ranking(two_channels(uncertainty=5.0), parameters=["gamma"])
    assert result.names == ("gamma[0]", "gamma[1]")
    np.testing.assert_array_equal(
        np.asarray(result.clipped)[:, 0], [False, True, False, np.asarray(result.clipped)[3, 0]]
    )
    assert not np.any(np.asarray(result.clipped)[:, 1])
    assert np.isfinite(result.prefit_down[0]) and abs(result.prefit_down[0]) < abs(result.prefit_up[0]) * 1.1


def test_impacts_are_conditional_fits(model, ranked):
    """Each number is that of a plain fit with the parameter fixed."""
    best, sigma = ranked.fit.params, ranked.fit.uncertainty
    for i, name in enumerate(ranked.names):
        place = model.parameters.index(name)
        value, width = ranked.fit.vector[place][0], np.sqrt(ranked.fit.covariance[place, place])[0, 0]
        again = histjax.fit(model, fixed={name: value + width})
        np.testing.assert_allclose(ranked.postfit_up[i], again.params["mu"] - best["mu"], atol=1e-6 * sigma["mu"])


def test_what_has_no_prefit_width(model, ranked):
    """Free parameters have no prefit impact, pull or ratio, and the largest postfit impact is first."""
    i = ranked.names.index("norm")
    assert all(np.isnan(getattr(ranked, name)[i]) for name in ("prefit_up", "prefit_down", "pull", "width_ratio"))
    assert np.isfinite(ranked.postfit_up[i])
    assert np.all(np.diff(np.asarray(ranked.size)[np.asarray(ranked.order)]) <= 0)
    assert "mu" not in ranked.names and set(standard_groups(model.parameters)["normalisation factors"]) == {
        "mu",
        "norm",
    }
    assert "norm" in str(ranked) and "all fits converged" in str(ranked)


def test_held_components_have_no_impact():
    """A fixed parameter is left out by default and has impact 0 where it is asked for."""
    model = two_channels()
    assert "xsec" not in histjax.ranking(model, fixed={"xsec": 0.5}, parameters=["tilt"]).names
    result = histjax.ranking(model, fixed={"xsec": 0.5}, parameters=["xsec"])
    assert all(getattr(result, name)[0] == 0 for name in (*IMPACTS, "linear"))


def test_flat_directions_are_undefined():
    """Where a parameter is not determined there is no postfit width, and no number is invented."""
    channels = {"SR": [sample("signal", [5.0], mu()), sample("background", [50.0], shapefactor("shape"))]}
    result = histjax.ranking(histjax.compile(histjax.read(workspace(channels, {"SR": [55.0]}))))
    assert np.all(np.isnan([result.postfit_up, result.postfit_down, result.linear]))


def test_nothing_is_compiled_again(model, ranked):
    """Impacts, a masked channel and a conditional fit are the program of the free fit."""
    del ranked
    histjax.ranking(model.with_weights({"CR": 1.0}), parameters=["tilt"])
    with nothing_compiled():
        histjax.ranking(model.with_weights({"CR": 0.5}))
        histjax.ranking(model, parameters=["gamma", "tilt"])
        histjax.fit(model, fixed={"tilt": 1.0})


def traced(model, names):
    """Impacts and statistic as a function of the counts in SR."""

    def impacts(counts):
        data = histjax.Data({**model.data.main, "SR": counts}, model.data.aux)
        result = histjax.ranking(model, data, parameters=names)
        return result.postfit_up, result.prefit_down, result.linear

    return impacts


def test_derivatives_and_batches(model, ranked):
    """In a trace the same numbers come out; their derivatives with respect to counts match central differences."""
    impacts, counts = traced(model, ["tilt"]), np.array([62.0, 50.0])
    i = ranked.names.index("tilt")
    both = jax.jit(jax.vmap(lambda x: (impacts(x), jax.jacfwd(impacts)(x))))
    batch, jacobians = both(np.stack([counts, counts + 3]))
    values = np.array([each[0] for each in batch])
    np.testing.assert_allclose(
        np.ravel(values), [ranked.postfit_up[i], ranked.prefit_down[i], ranked.linear[i]], atol=1e-8
    )
    step = 1e-3 * np.eye(2)
    for k in range(2):
        up, down = (np.ravel(impacts(jax.device_put(counts + sign * step[k]))) for sign in (1, -1))
        slopes = np.array([each[0, 0, k] for each in jacobians])
        np.testing.assert_allclose(slopes, (up - down) / 2e-3, rtol=1e-5, atol=1e-8)
    other = np.ravel(impacts(jax.device_put(counts + 3)))
    np.testing.assert_allclose(np.ravel([each[1] for each in batch]), other, atol=1e-8)


def test_unknown_names(model):
    """A pattern that matches nothing is an error."""
    with pytest.raises(histjax.errors.UnknownName, match="matches the pattern or is named"):
        histjax.ranking(model, parameters=["jes_*"])
    with pytest.raises(histjax.errors.MissingPOI):
        histjax.ranking(model, poi="nonsense")


def test_counting_example():
    """The larger impact of two uncorrelated bins belongs to the bin with the larger uncertainty on its background."""
    model = histjax.compile(histjax.read(counting([5.0, 5.0], [50.0, 50.0], [2.0, 10.0], [55.0, 55.0])))
    result = histjax.ranking(model)
    assert result.names[int(result.order[0])] == "uncorr_bkguncrt[1]"
