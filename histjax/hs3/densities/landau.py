"""The Landau distribution."""

import functools
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.hs3.densities.landau_table import COEFFICIENTS, ENDS
from histjax.hs3.intervals import DROPS, log_panels, positive, standardised
from histjax.hs3.nodes import Argument, Distribution, Point, argument

MODE = -0.22278298
TAIL = 3 / 2 - 0.5772156649015329  # digamma(3)
_PIECES = tuple(zip(COEFFICIENTS, ENDS, strict=True))


@dataclass(frozen=True, kw_only=True)
class Landau(Distribution):
    r"""Landau: \(f = \phi((x - \mu)/\sigma)\) with
    \(\phi(\lambda) = \frac{1}{\pi} \int_0^\infty e^{-t \ln t - \lambda t} \sin(\pi t)\,dt\) (L. Landau, J. Phys. USSR 8
    (1944) 201; RooLandau; not in the text of the standard).

    Keys `x`, `mean` (the shift mu: the mode is at mu - 0.22278 sigma, a mean does not exist), `sigma` > 0. The density
    is a table of polynomials, good to 1e-14; the integral is Gauss-Legendre between fixed points, as good. ROOT has
    CERNLIB's rational approximations (G110; 1e-9 away where compared), PyHS3 0.4.2 another function.
    """

    types = ("landau_dist",)
    x: Argument = argument("x")
    mean: Argument = argument("mean")
    sigma: Argument = argument("sigma")

    def log_density(self, at: Point) -> Array:
        """ln phi."""
        return log_landau((at(self.x) - at(self.mean)) / positive(at(self.sigma)))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of sigma times the integral of phi."""
        if over != (self.x,):
            return None
        sigma = positive(at(self.sigma))
        lo, hi = (standardised(each, at(self.mean), sigma) for each in at.limits(self.x))
        return jnp.log(sigma) + log_landau_integral(lo, hi)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The mode, and points around it."""
        if observable != self.x:
            return ()
        shifts = (-4.7, -4.0, -3.0, -1.5, MODE, 1.0, 3.0, 9.0, 27.0, 81.0, 243.0, 729.0)
        return tuple(at(self.mean) + shift * at(self.sigma) for shift in shifts)


def log_landau(z: Array) -> Array:
    """ln of the Landau density, elementwise; on the far left it stays at -e^699 (-e^79 in single precision)."""
    far_left = -700.0 if z.dtype == jnp.float64 else -80.0
    z = jnp.maximum(z, far_left)
    left, right = z < -1, z > 12
    scale = jnp.exp(-jnp.where(left, z, -1.0) - 1)
    log_z = jnp.log(jnp.where(right, z, 12.0))
    variable = jnp.where(left, 1 / scale, jnp.where(right, log_z, z))
    starts = jnp.asarray([-jnp.inf, math.log(0.35) - 1, *(begin for begin, _ in ENDS[2:6])], z.dtype)
    place = jnp.sum(z[..., None] >= starts, axis=-1) - 1
    starts = jnp.asarray([begin for begin, _ in ENDS[6:]], z.dtype)
    place = jnp.where(right, 5 + jnp.sum(log_z[..., None] >= starts, axis=-1), place)
    smooth = _piecewise(variable, place)
    beyond = log_z > ENDS[-1][1]
    inverse = jnp.exp(-log_z)
    smooth = jnp.where(beyond, jnp.log1p(2 * (log_z - TAIL) * inverse), smooth)
    limiting = jnp.where(left, -scale + 0.5 * jnp.log(scale / (2 * math.pi)), jnp.where(right, -2 * log_z, 0.0))
    return limiting + smooth


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _piecewise(variable: Array, place: Array, order: int = 0) -> Array:
    """The polynomial of each element's piece, or its derivative of that order, by Clenshaw's recurrence."""
    dtype = variable.dtype
    begin, end = (jnp.asarray(each, dtype)[place] for each in np.array(ENDS).T)
    t = (2 * variable - begin - end) / (end - begin)
    table = jnp.asarray(_coefficients(order), dtype)

    def step(k, state):
        now, before = state
        return 2 * t * now - before + table[-1 - k][place], now

    now, before = jax.lax.fori_loop(0, len(table) - 1, step, (jnp.zeros_like(t), jnp.zeros_like(t)))
    return t * now - before + table[0][place]


@_piecewise.defjvp
def _piecewise_jvp(order, primals, tangents):
    return _piecewise(*primals, order), _piecewise(*primals, order + 1) * tangents[0]


@functools.cache
def _coefficients(order: int) -> np.ndarray:
    """Coefficients of the derivative of an order, ascending along the first axis, one column for each piece."""
    rows = [np.polynomial.chebyshev.chebder(row, order, 2 / (end - begin)) for row, (begin, end) in _PIECES]
    longest = max(map(len, rows))
    return np.array([[*row, *[0.0] * (longest - len(row))] for row in rows]).T


def log_landau_integral(lo: Array, hi: Array) -> Array:
    """ln of the integral of the Landau density from lo to hi."""
    lo, hi = jnp.broadcast_arrays(lo, hi)
    first, last = jax.lax.stop_gradient((lo, hi))
    top = jnp.clip(MODE, first, last)
    steep = jnp.exp(-jnp.clip(top, -600.0 if lo.dtype == jnp.float64 else -70.0, 0.0) - 1)
    below = [-1 - jnp.log(steep + drop) for drop in (*DROPS, 0.5)]
    middle = [jnp.full_like(top, each) for each in (MODE, 0.5, 1.25, 2.0, 3.0, 4.5, 7.0, 12.0)]
    tail = [jnp.maximum(first, 12.0) * 3.0**k for k in range(1, 34)]
    edges = jnp.sort(jnp.stack([*below, *middle, *tail]), axis=0)
    return log_panels(log_landau, jnp.clip(edges, lo, hi), jax.lax.stop_gradient(log_landau(top)))
