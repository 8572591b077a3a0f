"""Our results in cabinetry's records: against its own fits with Minuit, and through its plots."""

import jax
import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel
from histjax.interop import cabinetry as bridge
from tests.workspaces import mu, normsys, sample, shapesys, staterror, workspace

cabinetry = pytest.importorskip("cabinetry")
import matplotlib  # noqa: E402
import pyhf  # noqa: E402

matplotlib.use("Agg")
SIGNAL = [sample("signal", [4.0, 9.0], mu(), normsys("efficiency", 0.95, 1.08), staterror("stat", [0.4, 0.6]))]
OTHERS = [
    sample("top", [50.0, 40.0], normsys("top", 0.9, 1.15), mu("top_norm"), staterror("stat", [2.0, 2.0])),
    sample("fakes", [10.0, 0.0], shapesys("fakes", [2.0, 0.0])),
]
CONTROL = [sample("top", [200.0, 150.0], normsys("top", 0.92, 1.09), mu("top_norm"))]
DOCUMENT = workspace({"SR": SIGNAL + OTHERS, "CR": CONTROL}, {"SR": [66, 57], "CR": [205, 148]})
TOLERANCE = 1e-3
"""Minuit stops at an EDM of 0.002 of this; by default it is 0.1, and impacts are off by up to 0.01."""
VALUES = np.linspace(0.2, 3.0, 8)


@pytest.fixture(scope="module")
def ours():
    """The compiled model."""
    return histjax.compile(histjax.read(DOCUMENT))


@pytest.fixture(scope="module")
def theirs():
    """pyhf's model and data."""
    found = pyhf.Workspace(DOCUMENT)
    return found.model(), found.data(found.model())


@pytest.fixture(scope="module")
def fitted(ours):
    """Our fit in cabinetry's record, with goodness of fit and intervals."""
    goodness, intervals = histjax.goodness_of_fit(ours), histjax.interval(ours, parameters=["mu", "top"])
    return bridge.fit_results(histjax.fit(ours), goodness=goodness, intervals=intervals)


def test_fit(ours, theirs, fitted):
    """Values to 2e-3 of an uncertainty (Minuit stops at an EDM), uncertainties to 1 % (it transforms limits)."""
    found = cabinetry.fit.fit(*theirs, goodness_of_fit=True, minos=["mu", "top"], tolerance=TOLERANCE)
    assert fitted._fields == found._fields and fitted.labels == found.labels
    sigma = np.where(found.uncertainty > 0, found.uncertainty, 1.0)
    np.testing.assert_allclose(fitted.bestfit / sigma, found.bestfit / sigma, atol=2e-3)
    np.testing.assert_allclose(fitted.uncertainty, found.uncertainty, rtol=1e-2)
    np.testing.assert_array_equal(fitted.uncertainty == 0, found.uncertainty == 0)
    np.testing.assert_allclose(fitted.corr_mat, found.corr_mat, atol=1e-2)
    np.testing.assert_allclose(fitted.best_twice_nll, found.best_twice_nll, atol=1e-4)
    np.testing.assert_allclose(fitted.goodness_of_fit, found.goodness_of_fit, rtol=1e-4)
    assert list(fitted.minos_uncertainty) == list(found.minos_uncertainty)
    for name, ends in found.minos_uncertainty.items():
        np.testing.assert_allclose(fitted.minos_uncertainty[name], ends, rtol=1e-2)
    assert bridge.fit_results(histjax.fit(ours)).goodness_of_fit == -1


def test_ranking(ours, theirs):
    """Impacts to 3e-3 (the uncertainty of mu is 0.9); what is held has none."""
    found = cabinetry.fit.ranking(*theirs, tolerance=TOLERANCE)
    result = bridge.ranking_results(histjax.ranking(ours))
    assert result._fields == found._fields and result.labels == found.labels
    for name in ("prefit_up", "prefit_down", "postfit_up", "postfit_down"):
        np.testing.assert_allclose(getattr(result, name), getattr(found, name), atol=3e-3, err_msg=name)
    assert result.prefit_up[result.labels.index("top_norm")] == 0 != result.postfit_up[result.labels.index("top_norm")]
    assert result.postfit_up[result.labels.index("fakes[1]")] == 0
    figure = cabinetry.visualize.ranking(result, save_figure=False)
    assert len(figure.axes[0].get_yticklabels()) == len(result.labels)
    matplotlib.pyplot.close(figure)


def test_scan(ours, theirs):
    """-2 Delta ln L at the same values."""
    found = cabinetry.fit.scan(*theirs, "mu", par_range=(0.5, 2.0), n_steps=4)
    result = bridge.scan_results(histjax.scan(ours, values={"mu": np.linspace(0.5, 2.0, 4)}))
    assert result._fields == found._fields and result.name == "mu"
    np.testing.assert_allclose(result.parameter_values, found.parameter_values)
    np.testing.assert_allclose(result.delta_nlls, found.delta_nlls, atol=1e-3)
    np.testing.assert_allclose([result.bestfit, result.uncertainty], [found.bestfit, found.uncertainty], rtol=1e-2)
    matplotlib.pyplot.close(cabinetry.visualize.scan(result, save_figure=False))
    with pytest.raises(InvalidModel, match="one parameter"):
        bridge.scan_results(histjax.scan(ours, values={"mu": [1.0], "top": [0.0]}))


def test_limit(ours, theirs):
    """Limits to cabinetry's own tolerance, CLs where it was asked for."""
    found = cabinetry.fit.limit(*theirs, poi_tolerance=1e-4)
    tests = [histjax.hypotest(ours, poi_value=value) for value in VALUES[::-1]]
    result = bridge.limit_results(histjax.upper_limit(ours), tests)
    assert result._fields == found._fields and result.confidence_level == found.confidence_level
    np.testing.assert_allclose(result.observed_limit, found.observed_limit, rtol=1e-3)
    np.testing.assert_allclose(result.expected_limit, found.expected_limit, rtol=1e-3)
    np.testing.assert_array_equal(result.poi_values, VALUES)
    assert result.expected_CLs.shape == (8, 5) and np.shape(found.expected_CLs)[1] == 5
    theirs_at = pyhf.infer.hypotest(VALUES[3], theirs[1], theirs[0], return_expected_set=True)
    np.testing.assert_allclose(
        [result.observed_CLs[3], *result.expected_CLs[3]], [theirs_at[0], *theirs_at[1]], rtol=1e-3
    )
    matplotlib.pyplot.close(cabinetry.visualize.limit(result, save_figure=False))
    with pytest.raises(InvalidModel, match="qmu_tilde"):
        bridge.limit_results(histjax.upper_limit(ours), [histjax.hypotest(ours, poi_value=1.0, statistic=histjax.qmu)])


def test_significance(ours, theirs):
    """p0 and Z, observed and expected."""
    found = cabinetry.fit.significance(*theirs)
    result = bridge.significance_results(histjax.significance(ours))
    assert result._fields == found._fields
    np.testing.assert_allclose(result, found, rtol=1e-3)


def test_plots_of_a_fit(fitted):
    """Pulls and correlations draw. cabinetry leaves out what is excluded, and the one component that is held."""
    figure = cabinetry.visualize.pulls(fitted, save_figure=False, exclude=["mu", "top_norm"])
    assert len(figure.axes[0].get_yticklabels()) == len(fitted.labels) - 2 - 1
    matplotlib.pyplot.close(figure)
    matplotlib.pyplot.close(cabinetry.visualize.correlation_matrix(fitted, save_figure=False, pruning_threshold=0.1))


def test_batches_are_refused(ours):
    """One record holds one result."""
    batch = jax.vmap(lambda value: histjax.fit(ours, fixed={"mu": value}))(np.array([0.5, 1.0]))
    with pytest.raises(InvalidModel, match="lane"):
        bridge.fit_results(batch)
