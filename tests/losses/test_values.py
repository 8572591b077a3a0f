"""What losses are, against pyhf and closed forms; empty bins, failures, other starting points, signal grids."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

import histjax
from histjax import losses
from histjax.errors import FailedFit, InvalidModel, MissingPOI, UnknownName
from tests.workspaces import counting

SIGNAL, BACKGROUND, UNCERTAINTY = np.array([5.0, 9.0]), np.array([50.0, 52.0]), np.array([4.0, 7.0])
LOSSES = {
    "log_cls": losses.expected_log_cls,
    "discovery": losses.discovery_significance,
    "limit": losses.expected_limit,
    "width": losses.interval_width,
    "information": losses.fisher_information,
}


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two counting bins; the data are far from what is expected, and must not count."""
    return histjax.compile(histjax.read(counting(list(SIGNAL), list(BACKGROUND), list(UNCERTAINTY), [90.0, 20.0])))


@pytest.fixture(scope="module")
def peer():
    """The same in pyhf 0.7.6, with its Asimov data at a value of mu."""
    peer = pyhf.simplemodels.uncorrelated_background(list(SIGNAL), list(BACKGROUND), list(UNCERTAINTY))

    def asimov(mu):
        point = np.array(peer.config.suggested_init())
        point[peer.config.poi_index] = mu
        return peer.expected_data(point)

    return peer, asimov


def test_cls(model, peer):
    """The band that pyhf gives for its own background-only Asimov data, to the precision of its fits."""
    peer, asimov = peer
    for value in (1.0, 2.5):
        _, band = pyhf.infer.hypotest(value, asimov(0.0), peer, return_expected_set=True)
        found = [losses.expected_cls(model, value, n_sigma=n) for n in (-2.0, -1.0, 0.0, 1.0, 2.0)]
        np.testing.assert_allclose(found, np.ravel(band), rtol=2e-5)
        assert float(losses.expected_log_cls(model, value)) == pytest.approx(np.log(found[2]), rel=1e-12)


def test_limit(model, peer):
    """The expected limits of pyhf's root finding on its Asimov data."""
    peer, asimov = peer
    _, band = pyhf.infer.intervals.upper_limits.toms748_scan(asimov(0.0), peer, 0.1, 9.0, rtol=1e-9)
    found = [losses.expected_limit(model, n_sigma=n) for n in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    np.testing.assert_allclose(found, np.ravel(band), rtol=2e-5)


def test_discovery(model, peer):
    """The square root of pyhf's q0 on Asimov data of a signal."""
    peer, asimov = peer
    settings = peer.config.suggested_init(), peer.config.suggested_bounds(), peer.config.suggested_fixed()
    for strength in (1.0, 2.0):
        q0 = pyhf.infer.test_statistics.q0(0.0, asimov(strength), peer, *settings)
        assert float(losses.discovery_significance(model, strength)) == pytest.approx(np.sqrt(q0), rel=2e-5)


def test_without_systematics(model):
    """Sums over bins: nothing is fitted but mu (arXiv:1007.1727, equations 96 and 97)."""
    s, b = SIGNAL, BACKGROUND
    q = 2 * np.sum(s - b * np.log1p(s / b))
    expected = norm.logcdf(-np.sqrt(q)) - np.log(0.5)
    assert float(losses.expected_log_cls(model, systematics=False)) == pytest.approx(expected, rel=1e-10)
    z = np.sqrt(2 * np.sum((s + b) * np.log1p(s / b) - s))
    assert float(losses.discovery_significance(model, systematics=False)) == pytest.approx(z, rel=1e-10)
    assert float(losses.fisher_information(model, systematics=False)) == pytest.approx(
        np.sum(s**2 / (s + b)), rel=1e-12
    )

    def excess(mu):
        n, nu = s + b, mu * s + b
        return 2 * np.sum(nu - n + n * np.log(n / nu)) - 1

    width = brentq(excess, 1, 5, xtol=1e-12) - brentq(excess, -3, 1, xtol=1e-12)
    assert float(losses.interval_width(model, systematics=False)) == pytest.approx(width, rel=1e-9)


def test_profiled_information(model):
    """Each bin: s^2/nu - (s b/nu)^2 / (b^2/nu + tau), by hand from the two-by-two Hessian; and as a matrix."""
    s, b, tau, nu = SIGNAL, BACKGROUND, (BACKGROUND / UNCERTAINTY) ** 2, SIGNAL + BACKGROUND
    own, mixed, other = s**2 / nu, s * b / nu, b**2 / nu + tau
    expected = np.sum(own - mixed**2 / other)
    assert float(losses.fisher_information(model)) == pytest.approx(expected, rel=1e-12)
    found = losses.fisher_matrix(model, ["mu", "uncorr_bkguncrt[1]"])
    whole = [[own[0] - mixed[0] ** 2 / other[0] + own[1], mixed[1]], [mixed[1], other[1]]]
    np.testing.assert_allclose(found, whole, rtol=1e-12)


def test_width_of_a_nuisance_parameter(model):
    """Almost Gaussian: twice the uncertainty that the Hessian of the same Asimov data gives."""
    fixed = losses.interval_width(model, "uncorr_bkguncrt[0]", signal_strength=4.0)
    best = histjax.fit(model, model.expected_data(model.init | {"mu": jnp.array(4.0)}))
    sigma = best.uncertainty["uncorr_bkguncrt"][0]
    assert float(fixed) == pytest.approx(2 * float(sigma), rel=0.02)


def test_far_tail(model):
    """ln CLs is that of scipy's where CLs itself is 0 in double precision."""
    strong = model.with_yields({("singlechannel", "signal"): jnp.asarray(200 * SIGNAL)})
    value, slope = jax.value_and_grad(lambda mu: losses.expected_log_cls(strong, mu, systematics=False))(1.0)
    s = 200 * SIGNAL
    q = 2 * np.sum(s - BACKGROUND * np.log1p(s / BACKGROUND))
    assert np.exp(-q / 2) == 0 and float(losses.expected_cls(strong, systematics=False)) == 0
    assert float(value) == pytest.approx(norm.logcdf(-np.sqrt(q)) - np.log(0.5), rel=1e-10)
    assert np.isfinite(slope) and slope < 0


@pytest.mark.parametrize("name, of_nothing", [*zip(LOSSES, (0.0, 0.0, np.inf, np.inf, 0.0), strict=True)])
def test_a_grid_with_empty_bins(model, name, of_nothing):
    """Signal points side by side in one program, with two bins that are empty, or have signal or background alone.

    Empty bins change nothing; without any signal nothing is excluded or discovered, and limits are infinite;
    derivatives are numbers everywhere, and those of differences.
    """
    loss, bins, step = LOSSES[name], np.array([5.0, 9.0, 0.0, 0.0]), np.array([1e-3, 0.0, 0.0, 0.0])
    document = counting(list(bins), [50.0, 52.0, 0.0, 0.0], [4.0, 7.0, 0.0, 0.0], [90.0, 20.0, 0.0, 0.0])
    wide = histjax.compile(histjax.read(document))
    signals = np.array([bins, 2 * bins, bins + step, bins - step, 0 * bins, [5.0, 0.0, 2.0, 0.0]])
    backgrounds = np.array([[50.0, 52.0, 0.0, 0.0]] * 5 + [[50.0, 52.0, 0.0, 5.0]])

    def at(signal, background):
        names = ("singlechannel", "signal"), ("singlechannel", "background")
        return loss(wide.with_yields({names[0]: signal, names[1]: background}))

    options = {"xla_backend_optimization_level": 0}  # compiles faster
    both = jax.jit(jax.vmap(jax.value_and_grad(at, (0, 1))), compiler_options=options)
    values, slopes = both(signals, backgrounds)
    doubled = model.with_yields({("singlechannel", "signal"): jnp.asarray(2 * SIGNAL)})
    np.testing.assert_allclose(values[:2], (loss(model), loss(doubled)), rtol=1e-8)
    assert float(values[4]) == of_nothing and np.all(np.isfinite(slopes))
    assert np.isfinite(values[5]) and float(values[5]) != float(values[0])
    np.testing.assert_allclose(slopes[0][0, 0], (values[2] - values[3]) / 2e-3, rtol=1e-5)


def test_no_signal_at_all(model):
    """Outside a trace a limit that does not exist raises."""
    with pytest.raises(FailedFit, match="does 'mu' change the expected yields"):
        losses.expected_limit(model.with_yields({("singlechannel", "signal"): jnp.zeros(2)}))


@pytest.mark.parametrize("name", ["log_cls", "discovery", "limit", "width"])
def test_warm_start(name, model):
    """A start nearby, a wrong one and one that is no number change nothing; the first is not used."""
    loss = LOSSES[name]
    cold = float(loss(model))
    value, start = loss.warm(model, init=losses.WarmStart.of(model))
    assert float(value) == pytest.approx(cold, rel=1e-9) and bool(start.converged)
    moved = model.with_yields({("singlechannel", "signal"): jnp.asarray(1.05 * SIGNAL)})
    near, _ = loss.warm(moved, init=start)
    assert float(near) == pytest.approx(float(loss(moved)), rel=1e-9) and float(near) != pytest.approx(cold, rel=1e-3)
    for vector in (start.vector + 0.3, start.vector * np.nan):
        other, _ = loss.warm(model, init=losses.WarmStart(vector, jnp.asarray(True)))
        assert float(other) == pytest.approx(cold, rel=1e-9)


def test_fewer_iterations_from_a_warm_start(model):
    """What it is for: from the point itself a fit takes one step, where a cold one takes several."""
    from histjax.losses.asimov import point, started
    from histjax.losses.testing import conditional

    at = point(model, None, 0.0, None, True)
    cold, _ = conditional(at, 3.0, None, histjax.Newton())
    warm, _ = conditional(at, 3.0, losses.WarmStart(cold.vector, jnp.asarray(True)), histjax.Newton())
    assert int(warm.n_iterations) <= 2 < int(cold.n_iterations)
    assert bool(started(at, 3.0, losses.WarmStart(cold.vector, jnp.asarray(True))).trusted)


def test_elsewhere(model):
    """Asimov data at given parameters: the same as of a model with that background and its constraint moved."""
    moved = losses.expected_log_cls(model, params={"uncorr_bkguncrt": np.array([1.2, 1.2])}, systematics=False)
    s, b = SIGNAL, 1.2 * BACKGROUND
    q = 2 * np.sum(s - b * np.log1p(s / b))
    assert float(moved) == pytest.approx(norm.logcdf(-np.sqrt(q)) - np.log(0.5), rel=1e-10)


def test_refused(model):
    """Names that are not there."""
    with pytest.raises(MissingPOI):
        losses.expected_log_cls(model, poi="nu")
    with pytest.raises(UnknownName):
        losses.expected_limit(model, params={"nu": 1.0})
    with pytest.raises(InvalidModel, match="components"):
        losses.interval_width(model, "uncorr_bkguncrt")
    with pytest.raises(InvalidModel, match="different parameters"):
        losses.fisher_matrix(model, ["mu", "mu"])
    with pytest.raises(FailedFit, match="Asimov"):
        losses.expected_log_cls(model, 30.0, minimiser=histjax.Newton(max_iterations=1))
