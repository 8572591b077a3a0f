r"""The Poisson term of a counting statistic: the deviance 2 [nu - n + n ln(n/nu)], to full relative precision.

It is ratio² times a smooth function where nu is close to n, so that neither single precision nor counts of 1e12 lose
it, and its signed root is smooth there. An expectation at or below `FLOOR` is no model of a count: there the deviance
continues as its second-order Taylor polynomial, finite, huge, and with a slope that pushes back. An empty bin
contributes exactly 2 nu down to 0, and a steep parabola below.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import float_dtype

FLOOR = 1e-10
"""Smallest expected count at which the deviance of a bin with counts is exact."""

EMPTY_WIDTH = 1e-3
NEAR = 0.2
"""Relative distance of expectation and count below which the series is used; its last term is 1e-17 there."""

_SERIES = tuple(1 / (2 * k + 3) for k in range(9))
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


class Term(NamedTuple):
    """The deviance of each bin, and the same divided by `gap`² where there are counts (0 elsewhere)."""

    deviance: Float[Array, "..."]
    weight: Float[Array, "..."]


def poisson_term(counts: Array, expected: Array, gap: Array) -> Term:
    """2 [nu - n + n ln(n/nu)] for n = `counts`, nu = `expected` and `gap` = nu - n.

    With e = gap / n and r = e / (2 + e): ln(1 + e) = 2 (r + r³/3 + r⁵/5 + ...), hence
    e - ln(1 + e) = e² [1 - 2 r/(2 + e) (1/3 + r²/5 + ...)] / (2 + e).
    """
    empty, valid = counts <= 0, expected > FLOOR
    n = jnp.where(empty, 1.0, counts)
    near = valid & ~empty & (jnp.abs(gap) < NEAR * n)
    excess = jnp.where(near, gap / n, 0.0)
    r = excess / (2 + excess)
    near_weight = 2 * (1 - 2 * r / (2 + excess) * _polynomial(r * r)) / ((2 + excess) * n)
    far, distance = _far(n, expected, valid), jnp.where(near | (gap == 0), 1.0, gap)
    filled = jnp.where(near, gap * gap * near_weight, far)
    below = jnp.where(expected < 0, expected, 0.0)
    deviance = jnp.where(empty, 2 * expected + (below / EMPTY_WIDTH) ** 2, filled)
    weight = jnp.where(near, near_weight, far / distance**2)
    return Term(deviance, jnp.where(empty, 0.0, weight))


def _polynomial(square: Array) -> Array:
    total = jnp.zeros_like(square)
    for coefficient in reversed(_SERIES):
        total = total * square + coefficient
    return total


def _far(n: Array, expected: Array, valid: Array) -> Array:
    """The deviance by the logarithm of the ratio; below the floor its Taylor polynomial around the floor."""
    nu, beyond = jnp.where(valid, expected, FLOOR), jnp.where(valid, 0.0, expected - FLOOR)
    tail = beyond * (1 - n / FLOOR) + 0.5 * n * (beyond / FLOOR) ** 2
    return 2 * (nu - n - n * jnp.log(nu / n) + tail)


def stirling_factorial(counts: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln n! is taken as n ln n - n, so that nothing remains: a statistic is then -2 ln [L / L(saturated)], 0 at best.

    This is what XSPEC, and bayspec with its Stirling form of ln n!, call the statistic.

    >>> print(stirling_factorial(jnp.array([0.0, 3.0])))
    [0. 0.]
    """
    return jnp.zeros_like(counts)


def exact_factorial(counts: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln n! - (n ln n - n) to full precision, n! being Gamma(n + 1): a statistic is then -2 ln L of its Poisson terms.

    **Arguments:** `counts`, of any shape, at least 0 and not necessarily whole. **Returns:** the same shape.

    >>> print(exact_factorial(jnp.array([0.0, 3.0])).round(6))  # ln 6 - 3 ln 3 + 3
    [0.       1.495923]
    """
    small = counts < 16
    few = jnp.where(small, counts, 1.0)
    direct = jax.lax.lgamma(few + 1) - few * jnp.log(jnp.where(few > 0, few, 1.0)) + few
    many = jnp.where(small, 16.0, counts)
    series = sum(c * many ** -(2 * k + 1) for k, c in enumerate(_STIRLING))
    return jnp.where(small, direct, 0.5 * jnp.log(2 * np.pi * many) + series)


def safe_sqrt(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Square root whose derivative at 0, and below, is 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def divided(a: Float[Array, "..."], b: Float[Array, "..."]) -> Float[Array, "..."]:
    """a / b, and 0 with all its derivatives where b is 0."""
    return jnp.where(b == 0, 0.0, a / jnp.where(b == 0, 1.0, b))


def floats(*values) -> tuple[Array, ...]:
    """The values as arrays of one floating-point type and one shape."""
    arrays = [jnp.asarray(value) for value in values]
    dtype = jnp.result_type(*arrays)
    dtype = dtype if jnp.issubdtype(dtype, jnp.floating) else float_dtype()
    return tuple(jnp.broadcast_arrays(*(each.astype(dtype) for each in arrays)))
