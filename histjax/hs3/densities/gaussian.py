"""The normal distribution."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.intervals import log_normal_integral, positive, standardised
from histjax.hs3.nodes import Argument, Distribution, Point, argument


@dataclass(frozen=True, kw_only=True)
class Gaussian(Distribution):
    r"""Normal: \(f = \exp(-(x - \mu)^2 / 2\sigma^2)\) (HS3 "Gaussian/normal distribution"; RooGaussian).

    Keys `x`, `mean`, `sigma` > 0. Closed integral by the error function, over x or over the mean (which has the same
    form), with relative precision in the tails. PyHS3 does not know the name `normal_dist`; ROOT and PyHS3 take
    sigma < 0 for its absolute value, here it is not a number.
    """

    types = ("gaussian_dist", "normal_dist")
    x: Argument = argument("x")
    mean: Argument = argument("mean")
    sigma: Argument = argument("sigma")

    def log_density(self, at: Point) -> Array:
        """-z^2/2 with z = (x - mean)/sigma."""
        return -0.5 * jnp.square((at(self.x) - at(self.mean)) / positive(at(self.sigma)))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of sigma times the integral of exp(-z^2/2)."""
        if self.x == self.mean or over not in ((self.x,), (self.mean,)):
            return None
        other = self.mean if over == (self.x,) else self.x
        sigma = positive(at(self.sigma))
        lo, hi = (standardised(each, at(other), sigma) for each in at.limits(over[0]))
        return jnp.log(sigma) + log_normal_integral(lo, hi)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The mean, and points around it that are a few sigma apart."""
        if observable != self.x:
            return ()
        return tuple(at(self.mean) + shift * at(self.sigma) for shift in (-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0))
