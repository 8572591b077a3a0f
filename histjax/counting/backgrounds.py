r"""The background of a counting experiment, profiled bin by bin in closed form.

With counts n in an exposure t, a predicted source rate m and an unknown background rate b, the likelihood is
Pois(n | t (m + b)) times what the background measurement says of b. Its maximum solves a quadratic equation, of which
the larger root is the maximum; derivatives are those of the equation.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.counting.deviance import divided, floats


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def larger_root(c: Float[Array, "..."], p: Float[Array, "..."], falling: bool = False) -> Float[Array, "..."]:
    """The larger root x of x² + c x = p, without cancellation for p >= 0.

    dx = (dp - x dc) / (2 x + c). Where both roots meet it has a kink, and its derivative is that of growing c, 0, or of
    `falling` c, -1.
    """
    del falling
    root = jnp.sqrt(jnp.maximum(c * c + 4 * p, 0.0))
    return jnp.where(c > 0, divided(2 * p, c + root), 0.5 * (root - c))


@larger_root.defjvp
def _larger_root_jvp(falling, primals, tangents):
    (c, p), (c_dot, p_dot) = primals, tangents
    x = larger_root(c, p, falling)
    slope = 2 * x + c
    x_dot = divided(p_dot - x * c_dot, slope)
    return x, jnp.where(slope == 0, -c_dot, x_dot) if falling else x_dot


def profiled_background_poisson(
    counts: Float[Array, "bins"],
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    background_exposure: Float[Array, "bins"],
) -> Float[Array, "bins"]:
    r"""The background rate b >= 0 that maximises Pois(n | t (m + b)) Pois(n_b | t_b b).

    (t + t_b) b² + [(t + t_b) m - n - n_b] b = n_b m: Cash, ApJ 228 (1979) 939, extended as in the XSPEC manual,
    appendix B, "Poisson data with Poisson background".

    **Arguments:** counts n in the source region and n_b in the background region, predicted source rate m, exposures t
    and t_b, the latter with every factor of area and efficiency. All broadcast. **Returns:** rates.

    The maximum is right where counts, rate or an exposure is 0. As a function of m it has a kink where n_b = 0 and
    (t + t_b) m = n.

    >>> print(f"{profiled_background_poisson(12.0, 40.0, 0.8, 10.0, 50.0):.6f}")
    0.764390
    """
    n, off, m, t, t_off = floats(counts, background, rate, exposure, background_exposure)
    # a region that was not exposed says nothing
    n, off = jnp.where(t > 0, n, 0.0), jnp.where(t_off > 0, off, 0.0)
    total = t + t_off
    return larger_root(m - divided(n + off, total), divided(off * m, total))


def profiled_background_gaussian(
    counts: Float[Array, "bins"],
    background: Float[Array, "bins"],
    rate: Float[Array, "bins"],
    exposure: Float[Array, "bins"],
    background_exposure: Float[Array, "bins"],
    background_sigma: Float[Array, "bins"],
) -> Float[Array, "bins"]:
    r"""The background rate b that maximises Pois(n | t (m + b)) Gauss(n_b | t_b b, sigma).

    With s = sigma / t_b, the total rate u = m + b >= 0 solves u² + (t s² - n_b/t_b - m) u = n s²: the XSPEC manual,
    appendix B, "Poisson data with Gaussian background". A background that was itself subtracted from may be negative,
    so b may be, but not the total.

    **Arguments:** as for `profiled_background_poisson`, and the standard deviation sigma of n_b, which is then any real
    number; sigma = 0 is an exact background. All broadcast. **Returns:** rates.

    >>> print(f"{profiled_background_gaussian(12.0, 40.0, 0.8, 10.0, 50.0, 40.0**0.5):.6f}")
    0.762852
    """
    n, off, m, t, t_off, sigma = floats(counts, background, rate, exposure, background_exposure, background_sigma)
    n, variance = jnp.where(t > 0, n, 0.0), divided(sigma, t_off) ** 2
    total = larger_root(t * variance - divided(off, t_off) - m, n * variance, True)
    # where it was not measured, the counts alone say how much there is
    return jnp.where(t_off > 0, total, divided(n, t)) - m
