r"""Prior densities of one parameter: normalised on their support, with the exact way from the unit interval to it.

| prior | density on [lower, upper] | quantile of u |
|---|---|---|
| `Uniform(lower, upper)` | 1 / (upper - lower) | lower + u (upper - lower) |
| `LogUniform(lower, upper)` | 1 / (x ln(upper / lower)) | lower (upper / lower)^u |
| `Normal(mean, width)` | Gauss(x \| mean, width) / mass | mean + width Phi^-1(u') |
| `LogNormal(median, kappa)` | Gauss(ln x \| ln median, ln kappa) / (x mass) | median kappa^(Phi^-1(u')) |
| `Gamma(shape, rate)` | rate^shape x^(shape - 1) e^(-rate x) / (Gamma(shape) mass) | P^-1(shape, u') / rate |
| `Density(function, lower, upper)` | exp(function(x)) / integral | by the tabulated integral |
| `Flat(lower, upper)` | 1, which has no finite integral | none |

A `mass` is the probability between the bounds, and u' is u moved into that range.
"""

from abc import abstractmethod
from dataclasses import fields

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from scipy import special

from histjax.errors import InvalidModel

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


class Prior(eqx.Module):
    """A density of one parameter, or of every component of a set; fields are numbers or arrays of its shape."""

    lower: eqx.AbstractVar[ArrayLike]
    upper: eqx.AbstractVar[ArrayLike]

    @property
    def is_proper(self) -> bool:
        """Whether it has an integral of 1, so that evidences mean something."""
        return True

    def log_density(self, x):
        """ln of the density, element by element; minus infinity outside the bounds."""
        inside = (x >= self.lower) & (x <= self.upper)
        return jnp.where(inside, self.log_shape(jnp.clip(x, self.lower, self.upper)) - self.log_integral(), -jnp.inf)

    @abstractmethod
    def log_shape(self, x):
        """ln of the density between the bounds but for a constant: what a sampler has to compute again and again."""

    @abstractmethod
    def log_integral(self):
        """That constant: ln of the integral of the shape between the bounds."""

    @abstractmethod
    def quantile(self, u):
        """Where the cumulative distribution is `u`, on the host: uniform numbers become draws of the prior."""


class Uniform(Prior):
    """The same density everywhere between two bounds.

    >>> print(Uniform(0.0, 5.0).log_density(1.0), Uniform(0.0, 5.0).quantile(0.3))
    -1.6094379124341003 1.5
    """

    lower: ArrayLike
    upper: ArrayLike

    def __check_init__(self):
        check(self, "lower < upper, both finite", all_finite(self.lower, self.upper) and increasing(self))

    def log_shape(self, x):
        """See `Prior`."""
        return jnp.zeros_like(x)

    def log_integral(self):
        """See `Prior`."""
        return jnp.log(jnp.subtract(self.upper, self.lower))

    def quantile(self, u):
        """See `Prior`."""
        return self.lower + (np.asarray(self.upper) - self.lower) * u


class LogUniform(Prior):
    """The same density of ln x everywhere between two positive bounds.

    >>> print(round(float(LogUniform(1e-2, 1e2).quantile(0.5)), 12))
    1.0
    """

    lower: ArrayLike
    upper: ArrayLike

    def __check_init__(self):
        good = all_finite(self.lower, self.upper) and increasing(self) and np.all(np.asarray(self.lower) > 0)
        check(self, "0 < lower < upper, both finite", good)

    def log_shape(self, x):
        """See `Prior`."""
        return -jnp.log(x)

    def log_integral(self):
        """See `Prior`."""
        return jnp.log(jnp.log(jnp.divide(self.upper, self.lower)))

    def quantile(self, u):
        """See `Prior`."""
        return self.lower * (np.asarray(self.upper) / self.lower) ** u


class Normal(Prior):
    """A Gaussian density, cut at bounds where they are given.

    >>> print(round(float(Normal(1.0, 0.5, lower=0.0).quantile(0.0)), 12))
    0.0
    """

    mean: ArrayLike
    width: ArrayLike
    lower: ArrayLike = -np.inf
    upper: ArrayLike = np.inf

    def __check_init__(self):
        good = all_finite(self.mean, self.width) and np.all(np.asarray(self.width) > 0) and increasing(self)
        check(self, "width > 0 and lower < upper", good)

    def log_shape(self, x):
        """See `Prior`."""
        return -0.5 * ((x - self.mean) / self.width) ** 2

    def log_integral(self):
        """See `Prior`."""
        mass = _log_normal_mass(*((bound - self.mean) / self.width for bound in (self.lower, self.upper)))
        return mass + jnp.log(self.width) + HALF_LOG_2PI

    def quantile(self, u):
        """See `Prior`."""
        ends = [(np.asarray(bound) - self.mean) / self.width for bound in (self.lower, self.upper)]
        return np.clip(self.mean + np.asarray(self.width) * _normal_quantile(u, *ends), self.lower, self.upper)


class LogNormal(Prior):
    """A Gaussian density of ln x around ln `median`, of width ln `kappa`, cut at bounds where they are given.

    >>> print(round(float(LogNormal(2.0, 1.5).quantile(special.ndtr(1.0))), 12))
    3.0
    """

    median: ArrayLike
    kappa: ArrayLike
    lower: ArrayLike = 0.0
    upper: ArrayLike = np.inf

    def __check_init__(self):
        good = all_finite(self.median, self.kappa) and np.all(np.asarray(self.median) > 0) and increasing(self)
        good = good and np.all(np.asarray(self.kappa) > 1) and np.all(np.asarray(self.lower) >= 0)
        check(self, "median > 0, kappa > 1 and 0 <= lower < upper", good)

    def _scaled(self, x):
        tiny = jnp.maximum(x, jnp.finfo(jnp.result_type(float)).tiny)
        return jnp.log(tiny / self.median) / jnp.log(self.kappa)

    def log_shape(self, x):
        """See `Prior`."""
        return -0.5 * self._scaled(x) ** 2 - jnp.log(jnp.maximum(x, jnp.finfo(jnp.result_type(float)).tiny))

    def log_integral(self):
        """See `Prior`."""
        mass = _log_normal_mass(*(self._scaled(jnp.asarray(bound)) for bound in (self.lower, self.upper)))
        return mass + jnp.log(jnp.log(self.kappa)) + HALF_LOG_2PI

    def quantile(self, u):
        """See `Prior`."""
        with np.errstate(divide="ignore"):
            ends = [np.log(np.divide(bound, self.median)) / np.log(self.kappa) for bound in (self.lower, self.upper)]
        value = self.median * np.exp(np.log(self.kappa) * _normal_quantile(u, *ends))
        return np.clip(value, self.lower, self.upper)


class Gamma(Prior):
    """A gamma density, cut at bounds where they are given: what n counts say of their rate is Gamma(n + 1, 1).

    >>> print(round(float(Gamma(1.0, 2.0).quantile(0.5)), 12) == round(np.log(2) / 2, 12))
    True
    """

    shape: ArrayLike
    rate: ArrayLike
    lower: ArrayLike = 0.0
    upper: ArrayLike = np.inf

    def __check_init__(self):
        positive = all(np.all(np.asarray(each) > 0) for each in (self.shape, self.rate))
        good = all_finite(self.shape, self.rate) and positive and np.all(np.asarray(self.lower) >= 0)
        check(self, "shape > 0, rate > 0 and 0 <= lower < upper", good and increasing(self))

    def log_shape(self, x):
        """See `Prior`."""
        return jax.scipy.special.xlogy(self.shape - 1.0, x) - self.rate * x

    def log_integral(self):
        """See `Prior`."""
        low, high = (jax.scipy.special.gammainc(self.shape, self.rate * bound) for bound in (self.lower, self.upper))
        return jnp.log(high - low) + jax.scipy.special.gammaln(self.shape) - self.shape * jnp.log(self.rate)

    def quantile(self, u):
        """See `Prior`."""
        low, high = (special.gammainc(self.shape, np.asarray(self.rate) * bound) for bound in (self.lower, self.upper))
        value = special.gammaincinv(self.shape, low + u * (high - low)) / self.rate
        return np.clip(value, self.lower, self.upper)


class Flat(Prior):
    """Density 1 between bounds of which one is infinite: improper, fit for Markov chains but not for evidences."""

    lower: ArrayLike = -np.inf
    upper: ArrayLike = np.inf

    @property
    def is_proper(self) -> bool:
        """Never."""
        return False

    def log_shape(self, x):
        """See `Prior`."""
        return jnp.zeros_like(x)

    def log_integral(self):
        """0: nothing is normalised."""
        return jnp.zeros(())

    def quantile(self, u):
        """Raises `InvalidModel`."""
        raise InvalidModel("a flat prior without finite bounds has no quantiles; give it bounds, or another prior")


def all_finite(*values) -> bool:
    """Whether all numbers are."""
    return all(bool(np.all(np.isfinite(np.asarray(each)))) for each in values)


def increasing(prior: Prior) -> bool:
    """Whether lower bounds are below upper ones."""
    return bool(np.all(np.asarray(prior.lower) < np.asarray(prior.upper)))


def check(prior: Prior, expected: str, good: bool) -> None:
    """Raise `InvalidModel` for a prior that is none."""
    if not good:
        shown = {field.name: getattr(prior, field.name, None) for field in fields(prior) if field.repr}
        found = ", ".join(f"{name}={value}" for name, value in shown.items())
        raise InvalidModel(f"{type(prior).__name__} needs {expected}; found {found}")


def _log_normal_mass(low, high):
    """ln [Phi(high) - Phi(low)], taken on the side where the digits are."""
    flip = low > 0
    low, high = jnp.where(flip, -high, low), jnp.where(flip, -low, high)
    below, above = jax.scipy.special.log_ndtr(low), jax.scipy.special.log_ndtr(high)
    return above + jnp.log1p(-jnp.exp(below - above))


def _normal_quantile(u, low, high):
    """The standard normal quantile of `u` between two bounds, taken on the side where the digits are."""
    flip = low > 0
    low, high, u = np.where(flip, -high, low), np.where(flip, -low, high), np.where(flip, 1 - u, u)
    below, above = special.ndtr(low), special.ndtr(high)
    value = special.ndtri(below + u * (above - below))
    return np.where(flip, -value, value)
