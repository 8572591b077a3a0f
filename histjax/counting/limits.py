r"""Significances of an excess over a background, and the upper-limit variants of the statistics made of them.

A significance Z is the signed root of the statistic of one pair of numbers without a source: for `ppstat` that is Li
and Ma's formula. An upper-limit variant is (Z - target)² for the counts that a model predicts on top of the background
of a whole spectrum: fitting a normalisation with it finds the source that would be seen with `target` standard
deviations.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.counting.deviance import floats
from histjax.counting.statistics import BinStatistic, gstat, pgstat, ppstat, pstat


def gaussian_significance(
    on: Float[Array, "..."], background: Float[Array, "..."], sigma: Float[Array, "..."]
) -> Float[Array, "..."]:
    """(n - b) / sigma for `on` = n counts and an expected `background` b; `sigma` is the width of the difference.

    >>> print(gaussian_significance(25.0, 8.0, 4.0))
    4.25
    """
    return gstat(on, background, 0.0, 1.0, 1.0, sigma, 0.0).residual


def poisson_significance(on: Float[Array, "..."], background: Float[Array, "..."]) -> Float[Array, "..."]:
    """sgn(n - b) [2 (n ln(n/b) - n + b)]^(1/2) for `on` = n counts over a `background` b that is known exactly.

    >>> print(f"{poisson_significance(25.0, 8.0):.6f}")
    4.792882
    """
    return pstat(on, background, 1.0).residual


def ppstat_significance(
    on: Float[Array, "..."], off: Float[Array, "..."], ratio: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Significance of `on` counts where `off` counts were measured in a region `1 / ratio` times as exposed.

    Li and Ma, ApJ 272 (1983) 317, equation 17, negative for a deficit.

    >>> print(f"{ppstat_significance(25.0, 40.0, 0.2):.6f}")
    4.190167
    """
    return ppstat(on, off, 0.0, ratio, 1.0).residual


def pgstat_significance(
    on: Float[Array, "..."], background: Float[Array, "..."], sigma: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Significance of `on` counts over a `background` with standard deviation `sigma`, negative for a deficit.

    >>> print(f"{pgstat_significance(25.0, 8.0, 1.5):.6f}")
    4.128365
    """
    return pgstat(on, background, 0.0, 1.0, 1.0, sigma).residual


def gstat_upper_limit(
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, ""],
    background_exposure: Float[Array, ""],
    sigma: Float[Array, "bins"],
    background_sigma: Float[Array, "bins"],
    *,
    target: float = 3.0,
) -> BinStatistic:
    """(Z - target)² for the predicted excess over its width, all bins together: `gaussian_significance`.

    **Arguments:** see `histjax.counting.statistics`; exposures are those of the whole spectrum, `()`. **Returns:** one
    number for the spectrum, and Z - target as its residual.

    >>> print(f"{gstat_upper_limit(jnp.array([40.0, 5.0]), jnp.array([0.8, 0.3]), 10.0, 50.0, 3.0, 6.0).residual:.6f}")
    -0.592715
    """
    expected, known, a = _totals(background, rate, exposure, background_exposure)
    width, off_width, _ = floats(sigma, background_sigma, background)
    variance = jnp.sum(width**2) + a**2 * jnp.sum(off_width**2)
    return _missed(gaussian_significance(expected, known, jnp.sqrt(variance)), target)


def pstat_upper_limit(
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, ""],
    background_exposure: Float[Array, ""],
    *,
    target: float = 3.0,
) -> BinStatistic:
    """The same with a background that is known exactly: `poisson_significance`.

    >>> print(f"{pstat_upper_limit(jnp.array([40.0, 5.0]), jnp.array([0.8, 0.3]), 10.0, 50.0).residual:.6f}")
    0.152825
    """
    expected, known, _ = _totals(background, rate, exposure, background_exposure)
    return _missed(poisson_significance(expected, known), target)


def ppstat_upper_limit(
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, ""],
    background_exposure: Float[Array, ""],
    *,
    target: float = 3.0,
) -> BinStatistic:
    """The same with a background that was counted: `ppstat_significance`.

    >>> print(f"{ppstat_upper_limit(jnp.array([40.0, 5.0]), jnp.array([0.8, 0.3]), 10.0, 50.0).residual:.6f}")
    -0.200377
    """
    expected, _, a = _totals(background, rate, exposure, background_exposure)
    return _missed(ppstat_significance(expected, jnp.sum(floats(background)[0]), a), target)


def pgstat_upper_limit(
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, ""],
    background_exposure: Float[Array, ""],
    background_sigma: Float[Array, "bins"],
    *,
    target: float = 3.0,
) -> BinStatistic:
    """The same with a background of a Gaussian width: `pgstat_significance`.

    >>> sigma = jnp.array([40.0, 5.0])**0.5
    >>> print(f"{pgstat_upper_limit(jnp.array([40.0, 5.0]), jnp.array([0.8, 0.3]), 10.0, 50.0, sigma).residual:.6f}")
    -0.168508
    """
    expected, known, a = _totals(background, rate, exposure, background_exposure)
    sigma, _ = floats(background_sigma, background)
    return _missed(pgstat_significance(expected, known, a * jnp.sqrt(jnp.sum(sigma**2))), target)


def _totals(background: Array, rate: Array, exposure: Array, background_exposure: Array) -> tuple[Array, Array, Array]:
    """Predicted counts with background, background counts in the source region, and the ratio of the exposures."""
    off, m = floats(background, rate)
    t, t_off = floats(exposure, background_exposure)
    a = (t / t_off).astype(off.dtype)
    known = a * jnp.sum(off)
    return jnp.sum(m * t.astype(off.dtype)) + known, known, a


def _missed(significance: Array, target: float) -> BinStatistic:
    residual = significance - target
    return BinStatistic(residual**2, residual)
