r"""Logarithms of integrals over an interval, which densities share: accurate in the far tails and differentiable.

Each is written such that value, gradient and second derivatives are finite: no difference of two nearly equal numbers
where the interval lies in one tail, no overflow, infinite ends allowed. Elementwise: arguments broadcast.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

ROOT_TWO_PI = math.sqrt(2 * math.pi)
DROPS = np.array([1.5, 6.0, 14.0, 26.0, 42.0])
"""Where panels end: by how much the logarithm of a peak has dropped."""


@functools.cache
def gauss_legendre(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes on (-1, 1) and their weights, `(order,)` each."""
    return np.polynomial.legendre.leggauss(order)


def positive(parameter: Array) -> Array:
    """A parameter that has to be above zero: not a number where it is not, and so is all that follows from it."""
    return jnp.where(parameter > 0, parameter, jnp.nan)


def log_of(density: Array) -> Array:
    """Logarithm of a density: `-inf` with zero derivatives at 0, not a number below."""
    above = density > 0
    return jnp.where(above, jnp.log(jnp.where(above, density, 1.0)), jnp.where(density == 0, -jnp.inf, jnp.nan))


def inside(support: Array, log_density: Array) -> Array:
    """`log_density` on the support and `-inf` off it; what is not a number for other reasons stays that."""
    return jnp.where(support | jnp.isnan(log_density), log_density, -jnp.inf)


def standardised(limit: Array, location: Array, scale: Array) -> Array:
    """(limit - location) / scale; an infinite limit stays far away, finite so that derivatives are zero there."""
    infinite = jnp.isinf(limit)
    near = (jnp.where(infinite, 0.0, limit) - location) / scale
    far = float(jnp.finfo(near.dtype).max) ** 0.45
    return jnp.where(infinite, jnp.where(limit > 0, far, -far), near)


def log_ndtr(z: Array) -> Array:
    """Logarithm of the standard normal distribution function, to a few units of the last place in both tails.

    (`jax.scipy.special.log_ndtr` ends its asymptotic series at three terms, which is 4e-9 at z = -20.)
    """
    switch = -20.0 if z.dtype == jnp.float64 else -9.0
    far = z < switch
    near = jnp.log(0.5 * jax.scipy.special.erfc(-jnp.where(far, 0.0, z) / math.sqrt(2)))
    outer = jnp.where(far, z, switch)
    inverse, series = 1 / jnp.square(outer), jnp.zeros_like(z)
    for k in range(10, 0, -1):
        series = -(2 * k - 1) * inverse * (1 + series)
    return jnp.where(far, -0.5 * outer * outer - jnp.log(-outer * ROOT_TWO_PI) + jnp.log1p(series), near)


@jax.custom_jvp
def log_normal_integral(a: Array, b: Array) -> Array:
    """ln of the integral of exp(-z^2/2) from a to b, for a < b: relative precision kept however far in a tail."""
    a, b = jnp.broadcast_arrays(a, b)
    mirrored = a + b > 0
    a, b = jnp.where(mirrored, -b, a), jnp.where(mirrored, -a, b)
    upper, width = log_ndtr(b), b - a
    tails = upper + jnp.log(-jnp.expm1(log_ndtr(a) - upper)) + math.log(ROOT_TWO_PI)
    narrow = width * jnp.maximum(1.0, -a) < 1
    half, middle = jnp.where(narrow, 0.5 * width, 0.5), jnp.where(narrow, 0.5 * (a + b), 0.0)
    nodes, weights = (_leading(each, a) for each in gauss_legendre(12))
    steps = half * nodes
    mean = jnp.sum(weights * jnp.exp(-steps * (middle + 0.5 * steps)), axis=0)
    return jnp.where(narrow, jnp.log(half * mean) - 0.5 * middle * middle, tails)


@log_normal_integral.defjvp
def _log_normal_integral_jvp(primals, tangents):
    (a, b), (a_dot, b_dot) = primals, tangents
    value = log_normal_integral(a, b)
    return value, jnp.exp(-0.5 * b * b - value) * b_dot - jnp.exp(-0.5 * a * a - value) * a_dot


def log_normal_part(lo: Array, hi: Array, mean: Array, sigma: Array) -> Array:
    """ln of the integral of exp(-(x - mean)^2 / 2 sigma^2) from lo to hi, `-inf` where lo >= hi."""
    empty = lo >= hi
    lo, hi = jnp.where(empty, mean, lo), jnp.where(empty, mean + sigma, hi)
    part = jnp.log(sigma) + log_normal_integral(standardised(lo, mean, sigma), standardised(hi, mean, sigma))
    return inside(~empty, part)


def log_sum(terms: Array) -> Array:
    """ln of a sum of exponentials over the first axis, with derivatives where some or all of them are `-inf`."""
    largest = jax.lax.stop_gradient(jnp.max(terms, axis=0))
    finite = jnp.isfinite(largest)
    shift = jnp.where(finite, largest, 0.0)
    total = jnp.sum(jnp.exp(jnp.where(finite, terms, 0.0) - shift), axis=0)
    return jnp.where(finite, jnp.log(total) + shift, largest)


def log_sinhc(h: Array) -> Array:
    """ln(sinh(h)/h), even and smooth at 0."""
    small = jnp.abs(h) < 0.03
    square = jnp.where(small, h * h, 0.0)
    series = square * (1 / 6 + square * (-1 / 180 + square / 2835))
    size = jnp.where(small, 1.0, jnp.abs(h))
    return jnp.where(small, series, size + jnp.log(-0.5 * jnp.expm1(-2 * size)) - jnp.log(size))


def log_exponential_integral(rate: Array, lo: Array, hi: Array) -> Array:
    """ln of the integral of exp(-rate x) from lo to hi; `+inf` where it diverges. Smooth through rate = 0."""
    has_lo, has_hi = jnp.isfinite(lo), jnp.isfinite(hi)
    both = has_lo & has_hi
    left, right = jnp.where(both, lo, 0.0), jnp.where(both, hi, 1.0)
    width = right - left
    closed = jnp.log(width) + log_sinhc(0.5 * rate * width) - rate * (0.5 * (left + right))
    start = jnp.where(has_lo, lo, jnp.where(has_hi, hi, 0.0))
    falls = jnp.where(has_lo, rate, -rate)
    converges = (falls > 0) & (has_lo | has_hi)
    open_end = -rate * start - jnp.log(jnp.where(converges, falls, 1.0))
    open_end = jnp.where(converges | jnp.isnan(rate), open_end, jnp.inf)
    return jnp.where(both, closed, open_end)


def log_panels(log_density: Callable[[Array], Array], edges: Array, peak: Array, order: int = 16) -> Array:
    """ln of an integral by Gauss-Legendre between neighbouring edges, which ascend along the first axis.

    **Arguments:**

    - `log_density`: of points `(panels, order, ...)`; `edges`: `(panels + 1, ...)`, some of them may coincide.
    - `peak`: about the largest `log_density`, `(...)`.

    **Returns:** `(...)`. Derivatives in the first and last edge and in all that `log_density` depends on are right.
    """
    peak = jax.lax.stop_gradient(peak)
    nodes, weights = (_leading(each, edges[0]) for each in gauss_legendre(order))
    half, middle = (0.5 * each[:, None] for each in (edges[1:] - edges[:-1], edges[1:] + edges[:-1]))
    heights = jnp.exp(log_density(middle + half * nodes) - peak)
    return log_of(jnp.sum(half * weights * heights, axis=(0, 1))) + peak


def log_gamma_integral(power: Array, rate: Array, lo: Array, hi: Array) -> Array:
    r"""ln of \(\int_{lo}^{hi} t^{power - 1} e^{-rate\,t} dt\), 0 <= lo < hi <= inf, power > 0, any rate.

    In v = ln t the integrand exp(power v - rate e^v) has one peak and no singularity. It is integrated by
    Gauss-Legendre between points at which it has dropped by `DROPS`: about 1e-14 for any power, with derivatives of
    every order in all four arguments (JAX's regularised gamma function has no second derivative in its power).
    `+inf` where it diverges: hi infinite and rate <= 0.
    """
    power, rate, lo, hi = jnp.broadcast_arrays(*(jnp.asarray(each) for each in (power, rate, lo, hi)))
    diverges = jnp.isinf(hi) & (rate <= 0)
    rate = jnp.where(diverges, 1.0, rate)
    far = jnp.asarray(1e30, power.dtype)
    left = jnp.where(lo > 0, jnp.log(jnp.where(lo > 0, lo, 1.0)), -far)
    right = jnp.where(jnp.isinf(hi), far, jnp.log(jnp.where(jnp.isinf(hi), 1.0, hi)))
    edges, peak = _edges_by_drop(*map(jax.lax.stop_gradient, (power, rate, left, right)))
    integral = log_panels(lambda v: power * v - rate * jnp.exp(v), jnp.clip(edges, left, right), peak)
    return jnp.where(diverges, jnp.inf, integral)


def _edges_by_drop(power: Array, rate: Array, left: Array, right: Array) -> tuple[Array, Array]:
    """Points left and right of the peak of power v - rate e^v at which it has dropped by `DROPS`, points about
    |rate| e^v = 1, where it changes on its own scale, and its height; `(edges, ...)` and `(...)`."""
    falls = rate > 0
    mode = jnp.where(falls, jnp.log(power / jnp.where(falls, rate, 1.0)), right)
    top = jnp.clip(mode, left, right)
    bend = rate * jnp.exp(top)
    down, size = jnp.maximum(bend - power, 0.0), jnp.maximum(bend, 0.0)
    drops = _leading(DROPS, top)
    # to the left: power d - bend (1 - e^-d) = drop, convex for bend > 0 and concave otherwise
    before = jnp.where(falls, (drops + size) / power, drops / (power - bend))
    for _ in range(6):
        excess = power * before + bend * jnp.expm1(-before) - drops
        before = before - excess / jnp.maximum(power - bend * jnp.exp(-before), jnp.finfo(top.dtype).tiny)
    # to the right, where it falls: down d + bend (e^d - 1 - d) = drop
    curved = jnp.where(falls, size, 1.0)
    after = 2 * drops / (down + jnp.sqrt(down * down + 2 * curved * drops))
    after = jnp.minimum(after, jnp.log1p(drops / curved + after))
    for _ in range(4):
        excess = down * after + curved * (jnp.expm1(after) - after) - drops
        after = after - excess / (down + curved * jnp.expm1(after))
    unit = -jnp.log(jnp.where(rate == 0, 1.0, jnp.abs(rate)))
    around = unit + _leading(np.array([-35.0, -20.0, -12.0, -7.0, -4.0, -2.0, -0.5, 0.7, 1.6]), top)
    edges = [top - jnp.maximum(before, 0.0), top[None], top + after, jnp.minimum(around, top)]
    return jnp.sort(jnp.concatenate(edges), axis=0), power * top - bend


def _leading(values: np.ndarray, like: Array) -> Array:
    """Constants along a new first axis of an array."""
    return jnp.asarray(values, like.dtype).reshape(-1, *[1] * jnp.ndim(like))
