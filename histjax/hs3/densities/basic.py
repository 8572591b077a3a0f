"""The exponential, the uniform and the Poisson distribution."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array

from histjax._typing import is_traced
from histjax.hs3.intervals import inside, log_exponential_integral, log_gamma_integral, log_sum, positive
from histjax.hs3.nodes import Argument, Arguments, Distribution, Point, argument, arguments, flag


@dataclass(frozen=True, kw_only=True)
class Exponential(Distribution):
    r"""Exponential: \(f = e^{-c x}\), c of either sign (HS3 "Exponential distribution"; RooExponential with its
    coefficient negated, whose default is \(e^{+c x}\)).

    Keys `x`, `c`. Closed integral, smooth through c = 0; an infinite end where it diverges gives `+inf`.
    """

    types = ("exponential_dist",)
    x: Argument = argument("x")
    c: Argument = argument("c")

    def log_density(self, at: Point) -> Array:
        """-c x."""
        return -at(self.c) * at(self.x)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln (e^(-c lo) - e^(-c hi)) / c."""
        return log_exponential_integral(at(self.c), *at.limits(self.x)) if over == (self.x,) else None


@dataclass(frozen=True, kw_only=True)
class Uniform(Distribution):
    """Uniform: f = 1 (HS3 "Uniform distribution"; RooUniform).

    Key `x`: one variable as in the standard, or a list of them, which is all that PyHS3 takes. Closed integral.
    """

    types = ("uniform_dist",)
    x: Arguments = arguments("x")

    @property
    def variable(self) -> Argument | None:
        """The one variable; `None` where there are several."""
        return self.x[0] if len(self.x) == 1 else None

    def log_density(self, at: Point) -> Array:
        """0, of the shape of the variables."""
        return sum(0.0 * jnp.where(jnp.isfinite(at(each)), at(each), 0.0) for each in self.x)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """Sum of the logarithms of the widths."""
        if not over or not set(over) <= set(self.x):
            return None
        return sum(jnp.log(jnp.subtract(*at.limits(each)[::-1])) for each in over)


@dataclass(frozen=True, kw_only=True)
class Poisson(Distribution):
    r"""Counts: \(f = \lambda^x e^{-\lambda} / \Gamma(x + 1)\), x >= 0 (HS3 "Poisson distribution" and "Continued
    Poisson distribution", which share the type; RooPoisson).

    Keys `x`, `mean` >= 0, and ROOT's `integer` (required there): `true` takes the whole number below x. Otherwise the
    gamma function continues the density to every x >= 0, as Asimov data need (RooPoisson's `noRounding`).

    The normalisation is the sum over the whole numbers of the range, with either spelling (ROOT; PyHS3 divides by an
    integral, 0.5 % away for a mean of 4.2), in closed form by the regularised gamma function. A mean of 0 allows no
    count: f = 1 at x = 0, else 0.
    """

    types = ("poisson_dist",)
    counts = True
    x: Argument = argument("x")
    mean: Argument = argument("mean")
    integer: bool = flag("integer", default=False)

    def log_density(self, at: Point) -> Array:
        """x ln mean - mean - ln Gamma(x + 1)."""
        count = at(self.x)
        return log_poisson(jnp.floor(count) if self.integer else count, at(self.mean))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the sum over the whole numbers of the range."""
        return log_poisson_sum(at(self.mean), *at.limits(self.x)) if over == (self.x,) else None


def log_poisson(count: Array, mean: Array) -> Array:
    """ln of mean^count e^-mean / Gamma(count + 1): `-inf` for counts below 0, not a number for means below 0."""
    mean = jnp.where(mean < 0, jnp.nan, mean)
    impossible = (count < 0) | ((mean == 0) & (count > 0))
    count = jnp.where(impossible, 0.0, count)
    powers = jnp.where(count == 0, 0.0, count * jnp.log(jnp.where((count == 0) | (mean == 0), 1.0, mean)))
    return inside(~impossible, powers - mean - gammaln(count + 1))


def log_poisson_sum(mean: Array, lo: Array, hi: Array) -> Array:
    """ln of the probability that lo <= N <= hi for N ~ Poisson(mean): 0 where the range is all whole numbers.

    The gamma integrals of the two tails, so that it is precise where the range lies far in one of them; smooth in the
    mean, constant in the limits between whole numbers.
    """
    mean = positive(jnp.asarray(mean))
    if not is_traced(lo, hi) and lo <= 0 and np.isinf(hi):
        return 0.0 * mean
    first, last = jnp.maximum(jnp.ceil(lo), 0.0), jnp.floor(hi)
    first, last = (jnp.asarray(each, mean.dtype) for each in (first, last))
    open_end, started = jnp.isinf(last), first > 0
    counts = jnp.stack([jnp.where(started, first, 1.0), jnp.where(open_end, 0.0, last) + 1])
    counts, means = jnp.broadcast_arrays(counts, mean)
    (low, above), (in_range, high) = _log_tails(counts, means)
    low, above = jnp.where(started, low, -jnp.inf), jnp.where(started, above, 0.0)
    in_range, high = jnp.where(open_end, 0.0, in_range), jnp.where(open_end, -jnp.inf, high)
    in_upper_tail, in_lower_tail = first > mean, last < mean
    whole = jnp.where(in_upper_tail, above, jnp.where(in_lower_tail, in_range, 0.0))
    cut = jnp.where(in_upper_tail, high, jnp.where(in_lower_tail, low, log_sum(jnp.stack([low, high]))))
    nothing = jnp.isneginf(cut)
    return whole + jnp.where(nothing, 0.0, jnp.log(-jnp.expm1(jnp.where(nothing, -1.0, cut - whole))))


def _log_tails(counts: Array, means: Array) -> Array:
    """ln P(N < count) and ln P(N >= count) for counts >= 1, `(counts, 2, ...)`."""
    nothing, endless = jnp.zeros_like(means), jnp.full_like(means, jnp.inf)
    starts, ends = jnp.stack([means, nothing], axis=1), jnp.stack([endless, means], axis=1)
    return log_gamma_integral(counts[:, None], jnp.ones_like(starts), starts, ends) - gammaln(counts)[:, None]
