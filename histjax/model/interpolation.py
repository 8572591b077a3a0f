r"""The interpolation codes of HistFactory, as small functions of one parameter.

Each code returns the interpolated yield \(I(\alpha)\) between `lo` = \(I(-1)\), `nominal` = \(I(0)\) and `hi` =
\(I(+1)\) (CERN-OPEN-2012-016, section 4.1; ROOT `RooFit/Detail/MathFuncs.h`, whose numbering for code4 is 5 and for
code4p is 4). The HS3 words are lin = code0, log = code1, parabolic = code2, poly6 = code4p.

Additive codes (0, 2, 4p) are all of the form nominal + odd·alpha + even·g(alpha), with half the sum and half the
difference of the two variations, odd = (hi - lo)/2 and even = (hi + lo)/2 - nominal, and one even function g per code
(`even_function`). That is what the compiled model uses: two matrix-vector products for all templates at once.
Multiplicative codes (1, 4) are factors of the ratios lo/nominal and hi/nominal.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Scalar = Float[Array, "..."]

# Coefficients of the sixth-degree polynomial from its value, slope and curvature at alpha = +1 and -1; rows are the
# powers 1 ... 6, columns (r+ - 1, r- - 1, r+ ln r+, -r- ln r-, r+ ln^2 r+, r- ln^2 r-). Inverse of the matching
# conditions at alpha0 = 1.
_POLYNOMIAL = (
    np.array(
        [
            [15, -15, -7, -7, 1, -1],
            [24, 24, -9, 9, 1, 1],
            [-10, 10, 10, 10, -2, 2],
            [-24, -24, 14, -14, -2, -2],
            [3, -3, -3, -3, 1, -1],
            [8, 8, -5, 5, 1, 1],
        ]
    )
    / 16.0
)


def code0(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Piecewise linear. The slope jumps at 0; its derivative there is taken as the mean of both sides."""
    return _additive(code0, alpha, lo, nominal, hi)


def code1(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Piecewise exponential, nominal (hi/nominal)^alpha above 0 and nominal (lo/nominal)^-alpha below.

    The slope jumps at 0; its derivative there is taken as the mean of both sides. A side whose ratio is not positive
    is linear.
    """
    return _multiplicative(code1, alpha, lo, nominal, hi)


def code2(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Quadratic inside, linear outside, continuous with its slope at alpha = +-1: ROOT's form."""
    return _additive(code2, alpha, lo, nominal, hi)


def code2_pyhf(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Code2 as pyhf documents it, which drops a constant and jumps at alpha = +-1. For comparisons only."""
    return _additive(code2_pyhf, alpha, lo, nominal, hi)


def code4(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Sixth-degree polynomial inside, exponential outside; two continuous derivatives. The default for normsys.

    A ratio that is not positive has no logarithm: its logarithms are set to 0 as in ROOT, and beyond alpha = +-1 that
    side stays constant, so that the result is exactly nominal at 0 and finite, with two continuous derivatives,
    everywhere.
    """
    return _multiplicative(code4, alpha, lo, nominal, hi)


def code4p(alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    """Sixth-degree polynomial inside, linear outside; two continuous derivatives. The default for histosys."""
    return _additive(code4p, alpha, lo, nominal, hi)


ADDITIVE = (code0, code2, code2_pyhf, code4p)
MULTIPLICATIVE = (code1, code4)
PIECEWISE = (code0, code1)
"""The codes whose slope jumps at alpha = 0."""


def _additive(code: Callable, alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    odd, even = odd_even(lo, nominal, hi)
    return nominal + odd * odd_function(code, alpha) + even * even_function(code, alpha)


def _multiplicative(code: Callable, alpha: Scalar, lo: Scalar, nominal: Scalar, hi: Scalar) -> Scalar:
    return nominal * factor(code, alpha, factor_coefficients(code, lo / nominal, hi / nominal))


def _distance(alpha: Scalar) -> Scalar:
    """|alpha|, whose derivative at 0 is taken as 0 (JAX would take +1): the mean of both sides."""
    at_zero = alpha == 0
    return jnp.where(at_zero, 0.0, jnp.abs(jnp.where(at_zero, 1.0, alpha)))


def odd_even(lo: Scalar, nominal: Scalar, hi: Scalar) -> tuple[Scalar, Scalar]:
    """Half the difference of the variations, and half their sum less nominal."""
    return 0.5 * (hi - lo), 0.5 * ((hi - nominal) + (lo - nominal))


def odd_function(code: Callable, alpha: Scalar) -> Scalar:
    """What multiplies (hi - lo)/2: alpha itself, except in pyhf's broken code2."""
    if code is code2_pyhf:
        return jnp.where(_distance(alpha) > 1, alpha - jnp.sign(alpha), alpha)
    return alpha


def even_function(code: Callable, alpha: Scalar) -> Scalar:
    """What multiplies (hi + lo)/2 - nominal: 0 at alpha = 0 and, in the continuous codes, 1 at alpha = +-1."""
    distance, square = _distance(alpha), alpha * alpha
    if code is code0:
        return distance
    if code is code2:
        return jnp.where(distance > 1, 2 * distance - 1, square)
    if code is code2_pyhf:
        return jnp.where(distance > 1, 2 * distance - 2, square)
    if code is code4p:
        return jnp.where(distance > 1, distance, square * (15 + square * (3 * square - 10)) / 8)
    raise ValueError(f"{code.__name__} is no additive code; expected one of {', '.join(c.__name__ for c in ADDITIVE)}")


def factor_coefficients(code: Callable, lo: Scalar, hi: Scalar) -> tuple[Array, ...]:
    """What a factor needs of its two ratios `lo` and `hi`, computed once; each of their shape."""
    if code in ADDITIVE:
        return odd_even(lo, jnp.ones_like(lo), hi)
    if code is code1:
        log_lo, log_hi = _guarded_log(lo), _guarded_log(hi)
        bend_lo, bend_hi = jnp.where(lo > 0, 0.0, lo - 1), jnp.where(hi > 0, 0.0, hi - 1)
        return 0.5 * (log_hi - log_lo), 0.5 * (log_hi + log_lo), 0.5 * (bend_hi - bend_lo), 0.5 * (bend_hi + bend_lo)
    if code is code4:
        log_lo, log_hi = _guarded_log(lo), _guarded_log(hi)
        matching = jnp.stack([hi - 1, lo - 1, hi * log_hi, -lo * log_lo, hi * log_hi**2, lo * log_lo**2])
        powers = jnp.asarray(_POLYNOMIAL, lo.dtype) @ matching
        return *powers, log_lo, log_hi, jnp.where(lo > 0, 1.0, lo), jnp.where(hi > 0, 1.0, hi)
    raise ValueError(f"unknown interpolation code {code!r}; the codes are the functions of histjax.interpolation")


def _guarded_log(ratio: Array) -> Array:
    return jnp.log(jnp.where(ratio > 0, ratio, 1.0))  # double where: no NaN gradient from the branch not taken


def factor(code: Callable, alpha: Scalar, coefficients: tuple[Array, ...]) -> Scalar:
    """The factor of each entry at its alpha: 1 at alpha = 0, `hi` at +1, `lo` at -1."""
    if code in ADDITIVE:
        odd, even = coefficients
        return 1.0 + odd * odd_function(code, alpha) + even * even_function(code, alpha)
    if code is code1:
        odd, even, linear_odd, linear_even = coefficients
        distance = _distance(alpha)
        return jnp.exp(odd * alpha + even * distance) + linear_odd * alpha + linear_even * distance
    *powers, log_lo, log_hi, scale_lo, scale_hi = coefficients
    polynomial = jnp.zeros_like(alpha)
    for power in reversed(powers):
        polynomial = alpha * (power + polynomial)
    above = alpha > 0
    outside = jnp.where(above, scale_hi, scale_lo) * jnp.exp(jnp.where(above, log_hi, -log_lo) * alpha)
    return jnp.where(_distance(alpha) < 1, 1.0 + polynomial, outside)
