"""Losses of other likelihoods than one channel: eliminated parameters, HS3, several channels, far tails, empty bins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

import histjax
from histjax import losses
from histjax.errors import InvalidModel
from tests.hs3.test_likelihood import UNBINNED, search
from tests.workspaces import counting, mu, sample, staterror, workspace

SIGNAL, BACKGROUND, UNCERTAINTY = np.array([5.0, 9.0]), np.array([50.0, 52.0]), np.array([4.0, 7.0])
TAU, OBSERVED = (BACKGROUND / UNCERTAINTY) ** 2, np.array([90.0, 20.0])
LEVEL = norm.isf(0.025)
"""sqrt(q_A) at the expected limit at 95 % CL (arXiv:1007.1727, equation 89)."""


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """Two counting bins; the data are far from what is expected, and must not count."""
    return histjax.compile(histjax.read(counting(list(SIGNAL), list(BACKGROUND), list(UNCERTAINTY), list(OBSERVED))))


def with_signal(model, signal) -> histjax.Model:
    """The same with another signal."""
    return model.with_yields({("singlechannel", "signal"): signal})


def on_off(s, g0=1.0) -> tuple[float, np.ndarray]:
    """-2 ln [L(1) / L(0)] of background-only Asimov data at factors g0, and its slope in s.

    With n = b g0, d/dg of b g - n ln(s + b g) + tau (g - g0 ln g) vanishes at the positive root of
    b (b + tau) g^2 + [s (b + tau) - n b - tau g0 b] g - tau g0 s.
    """
    b, tau, n = BACKGROUND, TAU, BACKGROUND * g0
    first, second, third = b * (b + tau), s * (b + tau) - n * b - tau * g0 * b, -tau * g0 * s
    g = (-second + np.sqrt(second**2 - 4 * first * third)) / (2 * first)
    nu = s + b * g
    constraint = tau * (g - g0 - g0 * np.log(g / g0))
    return 2 * np.sum(nu - n + n * np.log(n / nu) + constraint), 2 * (1 - n / nu)


def log_cls(q: float) -> float:
    """ln CLs of the median."""
    return norm.logsf(np.sqrt(q)) - np.log(0.5)


def slope_of_log_cls(q: float, slope: np.ndarray) -> np.ndarray:
    """Its slope from that of q."""
    root = np.sqrt(q)
    return -np.exp(norm.logpdf(root) - norm.logsf(root)) * slope / (2 * root)


@pytest.mark.parametrize("size", [1.0, 300.0])
def test_tail_with_systematics(model, size):
    """ln CLs and its slope, also where CLs is far below the smallest number."""
    q, slope = on_off(size * SIGNAL)
    loss = jax.jit(jax.value_and_grad(lambda signal: losses.expected_log_cls(with_signal(model, signal))))
    value, found = loss(size * SIGNAL)
    assert float(value) == pytest.approx(log_cls(q), rel=1e-9)
    np.testing.assert_allclose(found, slope_of_log_cls(q, slope), rtol=1e-7)
    assert (np.exp(log_cls(q)) == 0.0) == (size > 1)


def test_slope_of_cls(model):
    """CLs itself is the exponential."""
    q, slope = on_off(SIGNAL)
    cls, found = jax.jit(jax.value_and_grad(lambda each: losses.expected_cls(with_signal(model, each))))(SIGNAL)
    assert float(cls) == pytest.approx(np.exp(log_cls(q)), rel=1e-9)
    np.testing.assert_allclose(found, np.exp(log_cls(q)) * slope_of_log_cls(q, slope), rtol=1e-7)


def test_two_channels():
    """The statistics of independent channels add up: the closed form of each bin."""
    rows = zip(("a", "b"), SIGNAL, BACKGROUND, strict=True)
    channels = {name: [sample("signal", [s], mu()), sample("background", [b])] for name, s, b in rows}
    model = histjax.compile(histjax.read(workspace(channels, {"a": [3.0], "b": [70.0]})))
    q = 2 * np.sum(SIGNAL - BACKGROUND * np.log1p(SIGNAL / BACKGROUND))
    assert float(losses.expected_log_cls(model)) == pytest.approx(log_cls(q), rel=1e-10)

    def information(first, second):
        return losses.fisher_information(model.with_yields({("a", "signal"): first, ("b", "signal"): second}))

    value, slopes = jax.value_and_grad(information, (0, 1))(*map(jnp.asarray, SIGNAL[:, None]))
    nu = SIGNAL + BACKGROUND
    assert float(value) == pytest.approx(np.sum(SIGNAL**2 / nu), rel=1e-12)
    np.testing.assert_allclose(np.ravel(slopes), (2 * SIGNAL * nu - SIGNAL**2) / nu**2, rtol=1e-12)


def test_eliminated_parameters(model):
    """Values and slopes are those of the whole likelihood, and the data of the model do not count."""
    profile = histjax.profiled(model)
    assert profile.parameters.names == ("mu",)

    @jax.jit
    def answers(signal):
        likelihood = profile.with_model(with_signal(model, signal))
        return jnp.stack([losses.expected_log_cls(likelihood), losses.fisher_information(likelihood)])

    q, slope = on_off(SIGNAL)
    nu = SIGNAL + BACKGROUND
    information = np.sum(SIGNAL**2 / nu - (SIGNAL * BACKGROUND / nu) ** 2 / (BACKGROUND**2 / nu + TAU))
    np.testing.assert_allclose(answers(SIGNAL), (log_cls(q), information), rtol=1e-9)
    np.testing.assert_allclose(jax.jacfwd(answers)(SIGNAL)[0], slope_of_log_cls(q, slope), rtol=1e-7)
    limit = brentq(lambda mu: np.sqrt(on_off(mu * SIGNAL)[0]) - LEVEL, 0.1, 10, xtol=1e-12)
    assert float(losses.expected_limit(profile)) == pytest.approx(limit, rel=1e-8)


def test_eliminated_parameters_of_a_dataset(model):
    """`conditioned_on` a dataset: Asimov data with the factors that fit it, (n + tau) / (b + tau)."""
    profile = histjax.profiled(model)
    q, _ = on_off(SIGNAL, (OBSERVED + TAU) / (BACKGROUND + TAU))
    found = losses.expected_log_cls(profile.conditioned_on(model.data))
    assert float(found) == pytest.approx(log_cls(q), rel=1e-8)
    with pytest.raises(InvalidModel, match="cannot be held"):
        losses.expected_log_cls(profile, systematics=False)


def test_events_of_hs3():
    """Events with densities that are flat in two bins: mu s + b/2 and b/2, b known to 10 %."""
    events = histjax.compile(histjax.read(search(UNBINNED)))

    def deviance(mu: float, alpha: float) -> float:
        b = 20 * (1 + 0.1 * alpha)
        nu = np.array([8 * mu + b, b])
        return 2 * np.sum(nu - 20 + 20 * np.log(20 / nu)) + alpha**2

    def q(mu: float) -> float:
        return minimize_scalar(lambda alpha: deviance(mu, alpha), (-1.0, 0.0), tol=1e-12).fun

    assert float(losses.expected_log_cls(events)) == pytest.approx(log_cls(q(1.0)), rel=1e-8)
    limit = brentq(lambda mu: np.sqrt(q(mu)) - LEVEL, 0.1, 10, xtol=1e-10)
    assert float(losses.expected_limit(events)) == pytest.approx(limit, rel=1e-7)
    hessian = np.array([[64 / 28, 16 / 28], [16 / 28, 4 / 28 + 4 / 20 + 1]])
    assert float(losses.fisher_information(events)) == pytest.approx(1 / np.linalg.inv(hessian)[0, 0], rel=1e-9)
    slope = jax.grad(lambda s: losses.fisher_information(events, systematics=False, params={"s": s}))(8.0)
    assert float(slope) == pytest.approx((2 * 8 * 28 - 64) / 28**2, rel=1e-9)


def test_what_a_kernel_leaves_in_an_empty_bin():
    """Nothing, or almost: in signal, background and its staterror. The losses are those of the other bins, and no fit
    is called impossible.
    """
    stat = staterror("g", [1.0, 1.0, 1.0])
    channel = [sample("signal", [1.0] * 3, mu()), sample("background", [10.0] * 3, stat)]
    model = histjax.compile(histjax.read(workspace({"c": channel}, {"c": [10.0] * 3})))

    @jax.jit
    def answers(s, b, u):
        names = ("c", "signal"), ("c", "background"), ("c", "background", "g")
        filled = model.with_yields({names[0]: s, names[1]: b}).with_variations({names[2]: u})
        value, start = losses.expected_log_cls.warm(filled, init=losses.WarmStart.of(model))
        return value, start.converged

    both = jax.jit(jax.value_and_grad(answers, (0, 1, 2), has_aux=True))
    found = []
    for left in (0.0, 1e-300, 1e-13, 1e-9):
        (value, converged), slopes = both(*(np.array([*x, 0.0]) + left for x in (SIGNAL, BACKGROUND, UNCERTAINTY)))
        assert bool(converged) and all(np.all(np.isfinite(each)) for each in slopes)
        found.append(float(value))

    def excess(g):  # of Gaussian constraints with relative widths u/b
        nu, b = SIGNAL + BACKGROUND * g, BACKGROUND
        return 2 * (nu - b + b * np.log(b / nu)) + ((g - 1) * BACKGROUND / UNCERTAINTY) ** 2

    q = sum(minimize_scalar(lambda g, i=i: excess(g)[i], (0.9, 1.0), tol=1e-12).fun for i in range(2))
    np.testing.assert_allclose(found, log_cls(q), rtol=1e-7)
