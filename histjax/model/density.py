r"""Poisson and Gaussian log densities, written so that neither value nor derivative is lost where counts are large or
zero.

For counts of 1e11 (a `shapesys` of a precisely known background) the textbook n ln(nu) - nu - ln Gamma(n + 1) cancels
away every digit. Here the Poisson term is split into the part that depends on the expectation, the *deviance*
relative to the saturated model nu = n, and the saturated part, a function of n alone for which Stirling's series is
used:

    ln Pois(n | nu) = -[n ln(n/nu) - n + nu] + [n ln n - n - ln Gamma(n + 1)]

An expectation at or below `FLOOR` is no model of a count: there -ln nu continues as its second-order Taylor
polynomial, so that the value stays finite, huge, and its gradient pushes back. An empty bin (n = 0) contributes
exactly -nu down to 0, and a steep parabola below.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

FLOOR = 1e-10
"""Smallest expected count (per bin, per unit of tau for a constraint) at which the Poisson density is exact."""

EMPTY_WIDTH = 1e-3  # scale of the parabola below zero in an empty bin; it moves the minimum by -1e-6 counts
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


def log_poisson(n: Float[Array, "..."], nu: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln Pois(n | nu) for real n >= 0, all constants included (n! is Gamma(n + 1)).

    >>> print(f"{log_poisson(jnp.array(5.0), jnp.array(6.0)):.6f}")
    -1.828694
    """
    return log_poisson_saturated(n) - poisson_deviance(n, nu)


def log_poisson_saturated(n: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln Pois(n | n), the largest value that a Poisson term can take; 0 at n = 0."""
    small = n < 16
    few = jnp.where(small, n, 1.0)
    log_few = jnp.log(jnp.where(few > 0, few, 1.0))
    direct = few * log_few - few - jax.lax.lgamma(few + 1)
    many = jnp.where(small, 16.0, n)
    series = sum(c * many ** -(2 * k + 1) for k, c in enumerate(_STIRLING))
    return jnp.where(small, direct, -0.5 * jnp.log(2 * np.pi * many) - series)


def poisson_deviance(n: Float[Array, "..."], nu: Float[Array, "..."]) -> Float[Array, "..."]:
    """Half the Poisson deviance, n ln(n/nu) - n + nu: 0 at nu = n, positive elsewhere, convex in nu."""
    empty, valid = _is_empty(n), nu > FLOOR
    safe_n, safe_nu = jnp.where(empty, 1.0, n), jnp.where(valid, nu, FLOOR)
    # log1p keeps the digits near nu = n; no count, however small, may end up below a fraction's line elsewhere
    near = jnp.abs(safe_nu - safe_n) < 0.5 * safe_n
    excess = jnp.where(near, safe_nu - safe_n, 0.0) / jnp.where(near, safe_n, 1.0)
    far = safe_nu - safe_n - safe_n * (jnp.log(safe_nu) - jnp.log(safe_n))
    # past the floor: the Taylor polynomial of n ln(n/nu) - n + nu around nu = FLOOR
    beyond = jnp.where(valid, 0.0, nu - FLOOR)
    tail = beyond * (1 - safe_n / FLOOR) + 0.5 * safe_n * (beyond / FLOOR) ** 2
    filled = jnp.where(near, safe_n * _minus_log1p(excess), far) + tail
    below = jnp.where(nu < 0, nu, 0.0)
    return jnp.where(empty, nu + 0.5 * (below / EMPTY_WIDTH) ** 2, filled)


def _is_empty(n: Float[Array, "..."]) -> Bool[Array, "..."]:
    """No count, or less than a normal number: what the tail of a kernel leaves in a bin may be that small."""
    return n < jnp.finfo(n.dtype).tiny


@jax.custom_jvp
def _minus_log1p(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """x - ln(1 + x). Its slope as 1 - 1/(1 + x) would lose the digits of a small x, which a tau of 1e11 amplifies."""
    return x - jnp.log1p(x)


@_minus_log1p.defjvp
def _minus_log1p_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return _minus_log1p(x), x / (1 + x) * x_dot


def poisson_derivatives(n: Float[Array, "..."], nu: Float[Array, "..."]) -> tuple[Array, Array]:
    """First and second derivative of `poisson_deviance` with respect to nu."""
    empty, valid = _is_empty(n), nu > FLOOR
    safe_nu = jnp.where(valid, nu, FLOOR)
    curvature = n / safe_nu**2
    beyond = jnp.where(valid, 0.0, nu - FLOOR)
    slope = 1 - n / safe_nu + curvature * beyond
    below = nu < 0
    empty_slope = 1 + jnp.where(below, nu, 0.0) / EMPTY_WIDTH**2
    return jnp.where(empty, empty_slope, slope), jnp.where(empty, jnp.where(below, EMPTY_WIDTH**-2, 0.0), curvature)


def log_normal(x: Float[Array, "..."], mean: Float[Array, "..."], sigma: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln Gauss(x | mean, sigma), all constants included."""
    return -0.5 * ((x - mean) / sigma) ** 2 + log_normal_saturated(sigma)


def log_normal_saturated(sigma: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln Gauss(x | x, sigma), the largest value that a Gaussian term can take."""
    return -jnp.log(sigma) - 0.5 * np.log(2 * np.pi)


def draw_poisson(key: PRNGKeyArray, mean: Float[Array, "..."]) -> Float[Array, "..."]:
    """Poisson counts as real numbers; an expectation that is not positive draws 0.

    Above 1e4 `jax.random.poisson` has the wrong variance (2 % at 1e6, 60 % at 1e9; JAX 0.10.2): there a Gaussian
    deviate z gives mean + sqrt(mean) z + (z^2 - 1)/6, rounded, whose first three cumulants are right (Cornish and
    Fisher 1938).
    """
    counting, gaussian = jax.random.split(key)
    many = mean > 1e4
    few = jax.random.poisson(counting, jnp.where(many | (mean <= 0), 0.0, mean)).astype(mean.dtype)
    z, large = jax.random.normal(gaussian, mean.shape, mean.dtype), jnp.where(many, mean, 1.0)
    return jnp.where(many, jnp.round(large + jnp.sqrt(large) * z + (z**2 - 1) / 6), few)
