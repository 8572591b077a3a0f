"""Significances and upper-limit variants against bayspec 0.3.13 and Li and Ma's formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from histjax import counting
from tests.counting.test_statistics import OFF, OFF_SIGMA, RATE, SIGMA, T_OFF, T


@pytest.mark.parametrize(
    ("function", "numbers", "expected"),
    [
        (counting.ppstat_significance, (25.0, 40.0, 0.2), 4.190167119699551),
        (counting.ppstat_significance, (3.0, 40.0, 0.2), -1.890793873049596),
        (counting.pgstat_significance, (25.0, 8.0, 1.5), 4.128364806908309),
        (counting.pgstat_significance, (3.0, 8.0, 1.5), -1.8245172367359186),
    ],
)
def test_significances(function, numbers, expected):
    """Numbers of bayspec 0.3.13; a deficit is negative."""
    assert float(function(*numbers)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("on", [1.0, 12.0, 200.0])
@pytest.mark.parametrize("off", [1.0, 35.0])
def test_li_ma(on, off):
    """ApJ 272 (1983) 317, equation 17."""
    a = 0.37
    terms = on * np.log((1 + a) / a * on / (on + off)) + off * np.log((1 + a) * off / (on + off))
    expected = np.sign(on - a * off) * np.sqrt(2 * terms)
    assert float(counting.ppstat_significance(on, off, a)) == pytest.approx(expected, rel=1e-10)


def test_no_excess_has_no_significance():
    """Exactly 0, with a finite derivative: n - a off counts in units of their width, (n + a² off)^(1/2)."""
    value, slope = jax.value_and_grad(counting.ppstat_significance)(8.0, 40.0, 0.2)
    assert float(value) == pytest.approx(0.0, abs=1e-15)
    assert float(slope) == pytest.approx(1 / np.sqrt(8 + 0.04 * 40), rel=1e-12)
    assert float(counting.ppstat_significance(0.0, 0.0, 0.2)) == 0.0


def test_upper_limits():
    """(Z - 3)² of bayspec 0.3.13, and the closed form of the other two."""
    pp = counting.ppstat_upper_limit(OFF, RATE, T, T_OFF)
    pg = counting.pgstat_upper_limit(OFF, RATE, T, T_OFF, OFF_SIGMA)
    assert float(pp.statistic) == pytest.approx(2.8316477475230974, rel=1e-12)
    assert float(pp.residual) == pytest.approx(1.682750054976406, rel=1e-12)
    assert float(pg.statistic) == pytest.approx(2.9841051663352824, rel=1e-12)
    assert float(pg.residual) == pytest.approx(1.727456270455285, rel=1e-12)
    source, known = RATE.sum() * T, OFF.sum() * T / T_OFF
    on = source + known
    p = counting.pstat_upper_limit(OFF, RATE, T, T_OFF, target=2.0)
    assert float(p.residual) == pytest.approx(np.sqrt(2 * (on * np.log(on / known) - source)) - 2, rel=1e-12)
    g = counting.gstat_upper_limit(OFF, RATE, T, T_OFF, SIGMA, OFF_SIGMA)
    width = np.sqrt(np.sum(SIGMA**2) + (T / T_OFF) ** 2 * np.sum(OFF_SIGMA**2))
    assert float(g.residual) == pytest.approx(source / width - 3, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "more", "expected"),
    [
        # source counts seen with 3 standard deviations, by bayspec 0.3.13
        (counting.ppstat_upper_limit, (), 20.373731581751624),
        (counting.pgstat_upper_limit, (OFF_SIGMA,), 20.249694155671676),
    ],
)
def test_the_source_that_would_be_seen(function, more, expected):
    """Newton's method on the residual, with its derivative, finds the normalisation."""

    def residual(scale):
        return function(OFF, scale * RATE, T, T_OFF, *more).residual

    step = jax.jit(lambda scale: scale - residual(scale) / jax.grad(residual)(scale))
    scale = jnp.array(1.0)
    for _ in range(12):
        scale = step(scale)
    assert float(scale) * RATE.sum() * T == pytest.approx(expected, rel=1e-10)
