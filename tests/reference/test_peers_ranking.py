"""Rankings, yields and goodness of fit of published models against cabinetry's definitions on pyhf's likelihood.

Where the numbers come from and what they mean is in `peers.json`, under `conventions`.
"""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.stats import chi2

import histjax
from tests.reference.corpus import NAMES, published

PEERS = json.loads((Path(__file__).parent / "peers.json").read_text())["models"]
BOTH = [name for name in PEERS if name in NAMES] or ["absent"]


@pytest.mark.parametrize("name", BOTH)
def test_impacts(name, corpus):
    """Impacts to 1e-4 standard deviations of the parameter of interest; unconstrained ones have no prefit impact."""
    del corpus
    model, peer = published(name).model, PEERS[name]
    sigma = peer["uncertainties"][peer["poi"]] or 1.0
    result = histjax.ranking(model, poi=peer["poi"], parameters=list(peer["impacts"]))
    assert float(result.fit.twice_nll) == pytest.approx(peer["twice_nll"], abs=1e-6)
    # the free cross-check: correlation times uncertainty
    row = dict(zip(peer["parameters"], peer["correlation"][peer["poi"]], strict=True))
    linear = [sigma * row[each] if peer["uncertainties"][each] else 0.0 for each in result.names]
    np.testing.assert_allclose(result.linear, linear, rtol=0, atol=1e-5 * sigma)
    free = np.isnan(np.asarray(result.pull)) & np.isnan(np.asarray(result.prefit_up))
    for kind in ("prefit", "postfit"):
        expected = np.array([peer["impacts"][each][kind] for each in result.names], float)
        if kind == "prefit":
            expected[free] = np.nan
        found = np.stack([getattr(result, f"{kind}_down"), getattr(result, f"{kind}_up")], axis=-1)
        clipped = np.asarray(result.clipped)[[1, 0] if kind == "prefit" else [3, 2]].T
        assert not np.any(np.isnan(expected) & ~clipped & ~free[:, None])  # left out by the peer: beyond a bound
        known = ~np.isnan(expected)
        np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=1e-4 * sigma)


@pytest.mark.parametrize("name", BOTH)
def test_yields(name, corpus):
    """Expected counts to 1e-6 standard deviations and postfit uncertainties (exact Jacobian) to 1e-5."""
    del corpus
    model, peer = published(name).model, PEERS[name]["yields"]
    prefit, postfit = histjax.predicted_yields(model), histjax.predicted_yields(model, histjax.fit(model))
    for channel, sigma in peer["postfit_linear_stdev"].items():
        expected = peer["postfit"][channel]
        np.testing.assert_allclose(postfit.expected.bins[channel], expected["total"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(postfit.uncertainty.bins[channel], sigma, rtol=1e-5, atol=1e-8)
        total = peer["postfit_linear_channel_stdev"][channel]
        np.testing.assert_allclose(postfit.uncertainty.channels[channel], total, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(prefit.expected.bins[channel], peer["prefit"][channel]["total"], rtol=1e-8)
    for channel, variance in displaced_variances(model).items():
        np.testing.assert_allclose(np.sqrt(variance), peer["prefit"][channel]["stdev"], rtol=1e-5, atol=1e-6)


def displaced_variances(model: histjax.Model) -> dict[str, np.ndarray]:
    """Prefit variances by cabinetry's definition, to check the prefit point and widths: half the difference of the
    yields one standard deviation up and down, where `predicted_yields` has the derivative.
    """
    parameters = model.parameters
    centre, fixed = np.asarray(model.constraint_centres(model.data)), np.asarray(parameters.fixed)
    point = np.where(np.isnan(centre) | fixed, parameters.init, centre)
    widths = np.diag(np.where(fixed, 0.0, np.nan_to_num(parameters.widths)))
    yields = jax.vmap(lambda x: model.expected_yields(model.unravel(x)))(
        np.concatenate([point + widths, point - widths])
    )
    n = point.size
    return {name: np.sum(((np.asarray(x)[:n] - x[n:]) / 2) ** 2, axis=0) for name, x in yields.items()}


@pytest.mark.parametrize("name", BOTH)
def test_goodness_of_fit(name, corpus):
    """Statistic, degrees of freedom and p-value."""
    del corpus
    model, peer = published(name).model, PEERS[name]["gof"]
    result = histjax.goodness_of_fit(model)
    assert float(result.n_degrees) == peer["ndof"]
    np.testing.assert_allclose(result.statistic, peer["statistic"], rtol=0, atol=2e-6)
    np.testing.assert_allclose(result.p_value, chi2.sf(peer["statistic"], peer["ndof"]), rtol=1e-5)
