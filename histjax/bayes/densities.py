"""`Density`: a prior that is a function of the user's, normalised and inverted by its tabulated integral."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from histjax.bayes.priors import Prior, all_finite, check, increasing
from histjax.errors import InvalidModel

DERIVED = ("log_norm", "ends", "below", "inside")
"""Fields of a `Density` that follow from the others."""
PANELS, ORDER = 512, 8
"""A `Density` is integrated by Gauss and Legendre's rule of this order on as many panels."""


class Density(Prior):
    """A density in your own words: `exp(function(x))` between `lower` and `upper`, normalised by its integral.

    `function` is a JAX function of one number. The integral is exact for what is smooth on 1/512 of the range. Without
    finite bounds nothing is normalised, and there is no evidence.

    >>> triangle = Density(jnp.log, 0.0, 1.0)
    >>> print(round(float(triangle.quantile(0.25)), 6), round(float(triangle.log_density(1.0)), 6))
    0.5 0.693147
    """

    function: Callable = eqx.field(static=True)
    lower: ArrayLike
    upper: ArrayLike
    log_norm: float = eqx.field(repr=False)
    ends: np.ndarray | None = eqx.field(repr=False)
    below: np.ndarray | None = eqx.field(repr=False)
    inside: np.ndarray | None = eqx.field(repr=False)

    def __init__(self, function: Callable, lower: float = -np.inf, upper: float = np.inf):
        self.function, self.lower, self.upper = function, float(lower), float(upper)
        self.log_norm, self.ends, self.below, self.inside = 0.0, None, None, None
        check(self, "lower < upper", increasing(self))
        if all_finite(lower, upper):
            self.log_norm, self.ends, self.below, self.inside = self._integrated()

    def _integrated(self) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """ln of the integral; the ends of the panels, the probability below each, and that of a panel below a fraction
        t of it as a polynomial in t: the integral of the one through the values at the nodes.
        """
        nodes = 0.5 * (np.polynomial.legendre.leggauss(ORDER)[0] + 1)
        ends = np.linspace(self.lower, self.upper, PANELS + 1)
        points = ends[:-1, None] + np.diff(ends)[:, None] * nodes
        logs = np.asarray(jax.vmap(self.function)(jnp.asarray(points.ravel()))).reshape(points.shape)
        top = np.max(logs)
        check(self, "a function whose exponential has a finite integral", bool(np.isfinite(top)))
        powers = np.linalg.solve(np.vander(nodes, ORDER, increasing=True), np.exp(logs - top).T).T
        inside = np.diff(ends)[:, None] * np.pad(powers / np.arange(1, ORDER + 1), ((0, 0), (1, 0)))
        below = np.concatenate([[0.0], np.cumsum(np.maximum(np.sum(inside, axis=1), 0.0))])
        return float(top + np.log(below[-1])), ends, below / below[-1], inside / below[-1]

    @property
    def is_proper(self) -> bool:
        """See `Prior`."""
        return self.ends is not None

    def log_shape(self, x):
        """See `Prior`."""
        return jnp.vectorize(self.function)(x)

    def log_integral(self):
        """See `Prior`."""
        return jnp.asarray(self.log_norm)

    def quantile(self, u):
        """See `Prior`; by bisection, where the integral is exact so is this."""
        if not self.is_proper:
            raise InvalidModel("a density without finite bounds has no quantiles; give it lower and upper")
        u = np.asarray(u, float)
        panel = np.clip(np.searchsorted(self.below, u, side="right") - 1, 0, PANELS - 1)
        rest, powers = u - self.below[panel], np.moveaxis(self.inside[panel], -1, 0)
        low, high = np.zeros_like(u), np.ones_like(u)
        for _ in range(50):
            middle = 0.5 * (low + high)
            above = np.polynomial.polynomial.polyval(middle, powers, tensor=False) > rest
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return self.ends[panel] + 0.5 * (low + high) * (self.ends[1] - self.ends[0])
