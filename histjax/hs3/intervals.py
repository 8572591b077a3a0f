r"""Logarithms of integrals over an interval, which densities share: accurate in the far tails and differentiable.

Each is written such that value, gradient and second derivatives are finite: no difference of two nearly equal numbers
where the interval lies in one tail, no overflow, infinite ends allowed. Elementwise: arguments broadcast.
"""

import functools
import itertools
import math

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
    mean = jnp.zeros_like(a)
    for node, weight in zip(*gauss_legendre(12), strict=True):
        step = half * float(node)
        mean = mean + float(weight) * jnp.exp(-step * (middle + 0.5 * step))
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


def log_sum(*terms: Array) -> Array:
    """ln of a sum of exponentials, with derivatives where some or all of them are `-inf`."""
    terms = jnp.broadcast_arrays(*terms)
    largest = jax.lax.stop_gradient(functools.reduce(jnp.maximum, terms))
    finite = jnp.isfinite(largest)
    shift = jnp.where(finite, largest, 0.0)
    total = sum(jnp.exp(jnp.where(finite, each, 0.0) - shift) for each in terms)
    return jnp.where(finite, jnp.log(total) + shift, largest)


def log_sinhc(h: Array) -> Array:
    """ln(sinh(h)/h), even and smooth at 0."""
    small = jnp.abs(h) < 0.25
    square = jnp.where(small, h * h, 0.0)
    series = jnp.zeros_like(h)
    for coefficient in (-691 / 3831077250, 1 / 467775, -1 / 37800, 1 / 2835, -1 / 180, 1 / 6):
        series = square * (coefficient + series)
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


def log_panels(log_density, edges: list[Array], peak: Array, order: int = 16) -> Array:
    """ln of an integral by Gauss-Legendre between neighbouring edges; `peak` is about the largest `log_density`.

    Edges may coincide; derivatives in the first and last edge and in all that `log_density` depends on are right.
    """
    peak = jax.lax.stop_gradient(peak)
    total = 0.0
    nodes, weights = gauss_legendre(order)
    for left, right in itertools.pairwise(edges):
        half, middle = 0.5 * (right - left), 0.5 * (left + right)
        points = middle[..., None] + half[..., None] * jnp.asarray(nodes, middle.dtype)
        heights = jnp.exp(log_density(points) - peak[..., None])
        total = total + half * (heights @ jnp.asarray(weights, middle.dtype))
    return log_of(total) + peak


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
    edges, peak = jax.lax.stop_gradient(_edges_by_drop(power, rate, left, right))
    edges = list(jnp.clip(jnp.sort(edges, axis=0), left, right))

    def log_density(v):
        return power[..., None] * v - rate[..., None] * jnp.exp(v)

    return jnp.where(diverges, jnp.inf, log_panels(log_density, edges, peak))


def _edges_by_drop(power, rate, left, right):
    """Points left and right of the peak of power v - rate e^v at which it has dropped by `DROPS`, points about
    |rate| e^v = 1, where it changes on its own scale, and its height; `(edges, ...)` and `(...)`."""
    falls = rate > 0
    mode = jnp.where(falls, jnp.log(power / jnp.where(falls, rate, 1.0)), right)
    top = jnp.clip(mode, left, right)
    bend = rate * jnp.exp(top)
    slope = power - bend  # of the logarithm at the top: 0 inside, upwards at the right end, downwards at the left one
    size, below, above = jnp.maximum(bend, 0.0), [], []
    for drop in DROPS:
        # to the left: slope d + bend (d - 1 + e^-d) = drop, convex for bend > 0 and concave otherwise
        d = jnp.where(falls, (drop + size) / power, drop / (power - bend))
        for _ in range(6):
            excess = power * d + bend * jnp.expm1(-d) - drop
            d = d - excess / jnp.maximum(power - bend * jnp.exp(-d), jnp.finfo(d.dtype).tiny)
        below.append(top - jnp.maximum(d, 0.0))
        # to the right, where it falls: -slope d + bend (e^d - 1 - d) = drop
        down = jnp.maximum(-slope, 0.0)
        curved = jnp.where(falls, size, 1.0)
        d = 2 * drop / (down + jnp.sqrt(down * down + 2 * curved * drop))
        d = jnp.minimum(d, jnp.log1p(drop / curved + d))
        for _ in range(4):
            d = d - (down * d + curved * (jnp.expm1(d) - d) - drop) / (down + curved * jnp.expm1(d))
        above.append(top + d)
    unit = -jnp.log(jnp.where(rate == 0, 1.0, jnp.abs(rate)))
    around = [jnp.minimum(unit + shift, top) for shift in (-35.0, -20.0, -12.0, -7.0, -4.0, -2.0, -0.5, 0.7, 1.6)]
    return jnp.stack([*below, top, *above, *around]), power * top - bend
