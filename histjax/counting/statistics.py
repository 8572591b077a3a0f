r"""Statistics of binned counts with a background measurement: -2 ln L of each bin and its signed root.

| name | source counts | background |
|---|---|---|
| `gstat` | Gaussian | Gaussian, subtracted |
| `pstat` | Poisson | none |
| `ppstat` | Poisson | Poisson, profiled (cstat with a background, the W statistic) |
| `pgstat` | Poisson | Gaussian, profiled |

Counts are n in the source region and n_b in the background region, t and t_b are exposures (t_b with every factor of
area and efficiency), m is the predicted source *rate*. All arguments broadcast, and every function works bin by bin
under `jax.jit`, `jax.vmap` and `jax.grad`, in single and in double precision; sums are the caller's.

Values and derivatives with respect to m are finite everywhere, at counts, backgrounds, exposures and rates of 0 too.
Where a kink of the profile makes the second derivative jump, it is that of growing m. An expectation of 0 with an
observed count has no likelihood; below 1e-10 counts the statistic continues as a parabola. Derivatives with respect to
counts at 0 counts do not exist and are given as 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.counting.backgrounds import profiled_background_gaussian, profiled_background_poisson
from histjax.counting.deviance import Term, divided, floats, poisson_term, safe_sqrt, stirling_factorial


class BinStatistic(NamedTuple):
    """The statistic of each bin, and its signed root: positive where more was observed than is predicted.

    With `stirling_factorial` the statistic is the square of the residual; the residual never contains the factorials.
    """

    statistic: Float[Array, "bins"]
    residual: Float[Array, "bins"]


def gstat(
    counts: Float[Array, "bins"],
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    background_exposure: Float[Array, "bins"],
    sigma: Float[Array, "bins"],
    background_sigma: Float[Array, "bins"],
) -> BinStatistic:
    r"""(n - n_b t/t_b - m t)² / [sigma² + (sigma_b t/t_b)²]: both measurements Gaussian.

    **Arguments:** see the module; `sigma`, `background_sigma` are the standard deviations of n and n_b. With t_b = 0
    there is no background to subtract. With both widths 0 the statistic is 0 for a perfect prediction and infinite,
    with derivative 0, for another.

    >>> print(f"{gstat(12.0, 40.0, 0.8, 10.0, 50.0, 12.0**0.5, 40.0**0.5).statistic:.6f}")
    1.176471
    """
    n, off, m, t, t_off, width, off_width = floats(
        counts, background, rate, exposure, background_exposure, sigma, background_sigma
    )
    scale = divided(t, t_off)
    variance, gap = width**2 + (off_width * scale) ** 2, n - off * scale - m * t
    exact = variance <= 0
    residual = gap / jnp.sqrt(jnp.where(exact, 1.0, variance))
    residual = jnp.where(exact, jnp.where(gap == 0, 0.0, jnp.sign(gap) * jnp.inf), residual)
    return BinStatistic(residual**2, residual)


def pstat(
    counts: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    *,
    factorial: Callable = stirling_factorial,
) -> BinStatistic:
    r"""2 [m t - n + n ln(n / (m t))]: Poisson counts without background (Cash, ApJ 228 (1979) 939).

    **Arguments:** see the module; `factorial`: `stirling_factorial` or `exact_factorial`, what is done about ln n!.

    >>> print(f"{pstat(12.0, 0.8, 10.0).statistic:.6f}")
    1.731163
    """
    n, m, t = floats(counts, rate, exposure)
    expected = m * t
    term = poisson_term(n, expected, expected - n)
    residual = _signed_root(n, expected - n, term, jnp.zeros_like(n), term.deviance, -jnp.ones_like(n))
    return BinStatistic(term.deviance + 2 * factorial(n), residual)


def ppstat(
    counts: Float[Array, "bins"],
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    background_exposure: Float[Array, "bins"],
    *,
    factorial: Callable = stirling_factorial,
) -> BinStatistic:
    r"""-2 ln [Pois(n | t (m + b)) Pois(n_b | t_b b)] with b profiled: cstat with a background, the W statistic.

    XSPEC manual, appendix B, "Poisson data with Poisson background", its special cases at zero counts included; b is
    `profiled_background_poisson`. For n_b > 0 this is a HistFactory bin with a `shapesys` of tau = n_b, profiled.

    **Arguments:** see the module; `factorial`: as for `pstat`, applied to both counts.

    >>> bins = ppstat(jnp.array([12.0, 0.0]), jnp.array([40.0, 5.0]), jnp.array([0.8, 0.05]), 10.0, 50.0)
    >>> print(bins.residual.round(6))
    [-1.002647 -1.680243]
    """
    n, off, m, t, t_off = floats(counts, background, rate, exposure, background_exposure)
    b = profiled_background_poisson(n, off, m, t, t_off)
    gap, off_gap = t * (b + m) - n, t_off * b - off
    on_term, off_term = poisson_term(n, t * (b + m), gap), poisson_term(off, t_off * b, off_gap)
    statistic = on_term.deviance + off_term.deviance
    # at the maximum gap / (b + m) = -off_gap / b, which stays true where both vanish
    rest = divided(b, b + m) ** 2 * off_term.weight
    # without background counts, gap is -n t_b / (t + t_b) as long as there is a background
    bare = divided(off_term.deviance, jnp.where((off == 0) & (b > 0) & (t_off > 0), gap, 0.0) ** 2)
    rest = jnp.where((off > 0) & (t_off > 0), rest, bare)
    residual = _signed_root(n, gap, on_term, rest, statistic, _side(n, off, m, t, t_off), (t_off > 0) | (off == 0))
    return BinStatistic(statistic + 2 * (factorial(n) + factorial(off)), residual)


def pgstat(
    counts: Float[Array, "bins"],
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    background_exposure: Float[Array, "bins"],
    background_sigma: Float[Array, "bins"],
    *,
    factorial: Callable = stirling_factorial,
) -> BinStatistic:
    r"""-2 ln Pois(n | t (m + b)) + ((n_b - t_b b) / sigma_b)² with b profiled: Poisson counts, Gaussian background.

    XSPEC manual, appendix B, "Poisson data with Gaussian background", with m + b >= 0
    (`profiled_background_gaussian`); this is Barlow-Beeston-lite with a Gaussian width.

    **Arguments:** see the module; `background_sigma` is the standard deviation of n_b, 0 for a background that is known
    exactly (the Gaussian term is then 0); `factorial`: as for `pstat`.

    >>> print(f"{pgstat(12.0, 40.0, 0.8, 10.0, 50.0, 40.0**0.5).statistic:.6f}")
    1.002709
    """
    n, off, m, t, t_off, sigma = floats(counts, background, rate, exposure, background_exposure, background_sigma)
    b = profiled_background_gaussian(n, off, m, t, t_off, sigma)
    gap, pull = t * (b + m) - n, divided(t_off * b - off, sigma)
    term = poisson_term(n, t * (b + m), gap)
    statistic = term.deviance + pull**2
    # at the maximum gap / (b + m) = -(t_b / sigma) pull
    rest = divided(sigma, t_off * (b + m)) ** 2
    residual = _signed_root(n, gap, term, rest, statistic, _side(n, off, m, t, t_off), (t_off > 0) | (off == 0))
    return BinStatistic(statistic + 2 * factorial(n), residual)


def _side(n: Array, off: Array, m: Array, t: Array, t_off: Array) -> Array:
    """Whether more (1) or less (-1) was observed than is predicted without profiling."""
    return jnp.where(t_off > 0, jnp.sign(n - t * m - divided(t * off, t_off)), -jnp.sign(off))


def _signed_root(counts, gap, term: Term, rest, statistic, side, seen=True) -> Array:
    """The root of the statistic gap² (weight + rest), smooth through gap = 0.

    An empty bin, where the root is singular, and background counts that no exposure can have `seen` have a side only.
    """
    smooth = -gap * safe_sqrt(term.weight + rest)
    return jnp.where((counts > 0) & seen, smooth, side * safe_sqrt(statistic))
