"""The general integral against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from histjax.errors import InvalidModel
from histjax.hs3.quadrature import error_of, log_integral_of, panels_for

inf = float("inf")


def bounded(lo, hi):
    """A range on the host."""
    return np.float64(lo), np.float64(hi)


def test_one_dimension():
    """e^-x on [0, 3]."""
    found = log_integral_of(lambda at: -at["x"], {"x": bounded(0, 3)}, panels=1)
    assert float(found) == pytest.approx(np.log1p(-np.exp(-3)), abs=1e-15)


@pytest.mark.parametrize(
    "lo, hi, expected", [(0, inf, 0.5), (-inf, inf, 1.0), (-inf, 0, 0.5), (2, inf, 0.02275013194817921)]
)
def test_infinite_ranges(lo, hi, expected):
    """The normal distribution, its values from tables."""
    log_density = lambda at: -0.5 * at["x"] ** 2 - 0.5 * jnp.log(2 * jnp.pi)  # noqa: E731
    found = log_integral_of(log_density, {"x": bounded(lo, hi)}, {"x": (-3.0, jnp.array([0.0, 3.0]))}, panels=8)
    assert float(jnp.exp(found)) == pytest.approx(expected, rel=1e-12)


def test_two_and_three_dimensions():
    """xy e^-(x+y) and x + y + z on boxes."""
    limits = {"x": bounded(0, 1), "y": bounded(0, 2)}
    found = log_integral_of(lambda at: jnp.log(at["x"] * at["y"]) - at["x"] - at["y"], limits, panels=1)
    assert float(jnp.exp(found)) == pytest.approx((1 - 2 / np.e) * (1 - 3 * np.exp(-2)), rel=1e-13)
    found = log_integral_of(lambda at: jnp.log(at["x"] + at["y"] + at["z"]), {**limits, "z": bounded(0, 1)}, panels=1)
    assert float(jnp.exp(found)) == pytest.approx(4.0, rel=1e-13)


def test_no_overflow():
    """Heights of e^5000 and e^-5000."""
    for height in (5000.0, -5000.0):
        found = log_integral_of(lambda at, h=height: h + 0 * at["x"], {"x": bounded(0, 2)})
        assert float(found) == pytest.approx(height + np.log(2), abs=1e-12)


def test_zero_density():
    """ln 0 with zero derivatives, and a part of the range where the density is 0."""
    step = lambda a: log_integral_of(lambda at: jnp.where(at["x"] < a, 0.0, -inf), {"x": bounded(0, 2)}, {"x": (a,)})  # noqa: E731
    assert float(step(0.5)) == pytest.approx(np.log(0.5), abs=1e-14)
    assert float(step(-1.0)) == -inf and float(jax.grad(step)(-1.0)) == 0.0


def test_derivatives_through_a_jump_and_the_limits():
    """The integral of 1 + [x > a] over [0, b] is 2b - a: derivatives in a break and in a limit."""

    def total(a, b):
        log_density = lambda at: jnp.where(at["x"] > a, jnp.log(2.0), 0.0)  # noqa: E731
        return jnp.exp(log_integral_of(log_density, {"x": (jnp.asarray(0.0), b)}, {"x": (a,)}, panels=2))

    assert float(total(0.7, 2.0)) == pytest.approx(3.3, abs=1e-13)
    np.testing.assert_allclose(jax.grad(total, (0, 1))(0.7, 2.0), [-1.0, 2.0], atol=1e-12)


def test_derivatives_in_a_parameter():
    """d/dc and d2/dc2 of ln of the integral of e^-cx on [0, 1]."""
    found = lambda c: log_integral_of(lambda at: -c * at["x"], {"x": bounded(0, 1)})  # noqa: E731
    c = 0.7
    slope = 1 / np.expm1(c) - 1 / c
    bend = 1 / c**2 - np.exp(c) / np.expm1(c) ** 2
    assert float(jax.grad(found)(c)) == pytest.approx(slope, abs=1e-13)
    assert float(jax.grad(jax.grad(found))(c)) == pytest.approx(bend, abs=1e-12)


def test_panels_for_a_peak():
    """A peak of a hundredth of the range: the panels are as many as it takes, and with its breaks one is enough."""
    peak = lambda at: -0.5 * ((at["x"] - 0.3) / 0.01) ** 2  # noqa: E731
    limits, exact = {"x": bounded(0, 1)}, np.log(0.01 * np.sqrt(2 * np.pi))
    panels = panels_for(peak, limits, tolerance=1e-10)
    assert panels > 1
    assert float(log_integral_of(peak, limits, panels=panels)) == pytest.approx(exact, abs=1e-10)
    breaks = {"x": tuple(0.3 + 0.01 * shift for shift in (-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0))}
    assert panels_for(peak, limits, breaks, tolerance=1e-10) == 1
    assert error_of(peak, limits, breaks, 1) < 1e-10


def test_panels_give_up():
    """A density that no panels resolve."""
    with pytest.raises(InvalidModel, match="the integral over x is not known to 1e-10 with 8 panels"):
        panels_for(lambda at: jnp.log(1.01 + jnp.sin(3000 * at["x"])), {"x": bounded(0, 1)}, most=8)
