"""Distributions made of others: mixtures, products, and those that count events or fill bins."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.nodes import (
    Argument,
    Arguments,
    Distribution,
    Point,
    Unreadable,
    argument,
    arguments,
    as_text,
    flag,
    kinds_of,
    text,
    value,
)
from histjax.hs3.reading_data import axis_problems, read_axis
from histjax.hs3.records import Axis


def as_names(found: Any) -> tuple[str, ...]:
    """A tuple of names."""
    if not isinstance(found, list) or not found:
        raise Unreadable("a list of names of distributions")
    return tuple(map(as_text, found))


def as_axes(found: Any) -> tuple[Axis, ...]:
    """Axes with bins."""
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) and "name" in each for each in found):
        raise Unreadable("a list of axes with names")
    problems = [problem for each in found for problem in axis_problems(each, "", binned=True)]
    if problems:
        raise Unreadable(f"axes with bins ({problems[0].message})")
    return tuple(map(read_axis, found))


class Composite(Distribution):
    """A distribution made of others."""

    inherits_norm: ClassVar[bool] = True
    """Whether it is normalised where the distributions in it are."""
    multiplies: ClassVar[bool] = False
    """Whether that holds only where no two of them depend on the same observable."""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the distributions in it."""
        raise NotImplementedError

    def rate(self, at: Point) -> Array | None:
        """The expected number of events `()`; `None` where the distribution says nothing of it."""
        del at
        return None


@dataclass(frozen=True, kw_only=True)
class Mixture(Composite):
    r"""`mixture_dist`: \(\sum_i c_i f_i / \sum_i c_i\).

    With as many coefficients as summands these are yields; if `extended`, their sum is the expected number of events.
    With one coefficient less they are fractions, and the last one is 1 minus their sum. HS3 standard, section
    "Composite distributions"; ROOT's RooAddPdf. Negative coefficients are allowed as long as the sum of the densities
    is positive where there are data.

    With as many coefficients and `extended` false, only the shape counts, as in the text of the standard; ROOT goes by
    the number of coefficients alone and adds the term of the number of events, PyHS3 refuses.
    """

    types = ("mixture_dist",)
    summands: tuple[str, ...] = value("summands", read=as_names, refers=True)
    coefficients: Arguments = arguments("coefficients")
    extended: bool = flag("extended", default=False)
    ref_coef_norm: str | None = text("ref_coef_norm", default=None)

    @staticmethod
    def check(found: dict) -> list[str]:
        """What is wrong with the fields together."""
        summands, coefficients = len(found["summands"]), len(found["coefficients"])
        if found["extended"] and coefficients != summands:
            return [f"an extended mixture of {summands} summands needs {summands} coefficients, found {coefficients}"]
        if coefficients not in (summands, summands - 1):
            expected = f"{summands} or {summands - 1} coefficients"
            return [f"a mixture of {summands} summands needs {expected}, found {coefficients}"]
        return []

    @property
    def components(self) -> tuple[str, ...]:
        """The summands."""
        return self.summands

    def weights(self, at: Point) -> list[Array]:
        """The coefficients, all of them."""
        found = [jnp.asarray(at(each)) for each in self.coefficients]
        return found if len(found) == len(self.summands) else [*found, 1.0 - sum(found)]

    def log_density(self, at: Point) -> Array:
        """ln of the mixture of normalised densities."""
        weights = self.weights(at)
        logs = [at.log_pdf(each) for each in self.summands]
        return log_sum(weights, logs) - log_or_less(sum(weights))

    def rate(self, at: Point) -> Array | None:
        """The sum of the yields."""
        return sum(self.weights(at)) if self.extended else None


@dataclass(frozen=True, kw_only=True)
class Product(Composite):
    r"""`product_dist`: \(\prod_i f_i\), of distributions of different observables, or of the same ones, when the
    product is normalised numerically. ROOT's RooProdPdf.

    Of a product that describes data, factors that depend on no observable are constraint terms: they count once, as in
    ROOT and PyHS3, and not for each event, as the text of the standard would have it.
    """

    types = ("product_dist",)
    multiplies = True
    factors: tuple[str, ...] = value("factors", read=as_names, refers=True)

    @property
    def components(self) -> tuple[str, ...]:
        """The factors."""
        return self.factors

    def log_density(self, at: Point) -> Array:
        """The sum of the logarithms."""
        return sum(at.log_pdf(each) for each in dict.fromkeys(self.factors))

    def rate(self, at: Point) -> Array | None:
        """The product of the rates of those factors that have one."""
        found = [each for each in map(at.rate, self.factors) if each is not None]
        return jnp.prod(jnp.stack(found)) if found else None


@dataclass(frozen=True, kw_only=True)
class RateExtended(Composite):
    """`rate_extended_dist`: a Poisson number of events of mean `rate`, each from `distribution`. ROOT: RooExtendPdf,
    whose keys are `pdf` and `norm`.
    """

    types = ("rate_extended_dist", "extend_pdf")
    distribution: str = value("distribution", "dist", "pdf", read=as_text, refers=True)
    expected: Argument = argument("rate", "norm", "extended")

    @property
    def components(self) -> tuple[str, ...]:
        """The distribution of one event."""
        return (self.distribution,)

    def log_density(self, at: Point) -> Array:
        """That of one event."""
        return at.log_pdf(self.distribution)

    def rate(self, at: Point) -> Array:
        """The rate."""
        return jnp.asarray(at(self.expected))


@dataclass(frozen=True, kw_only=True)
class RateDensity(Composite):
    """`rate_density_dist`: a Poisson process whose intensity is `function`; the rate is its integral over the range."""

    types = ("rate_density_dist",)
    inherits_norm = False
    function: str = value("function", read=as_text, refers=True)

    @property
    def components(self) -> tuple[str, ...]:
        """None: the function is no distribution."""
        return ()

    def log_density(self, at: Point) -> Array:
        """ln of the intensity."""
        return log_or_less(jnp.asarray(at(self.function)))

    def rate(self, at: Point) -> Array:
        """The integral of the intensity."""
        return jnp.exp(at.log_total(self.name))


@dataclass(frozen=True, kw_only=True)
class Bincounts(Composite):
    """`bincounts_extended_dist`: Poisson counts in the bins of `axes`, expected ones `rate` times the probability of
    the bin under `distribution`.
    """

    types = ("bincounts_extended_dist",)
    distribution: str = value("distribution", "dist", read=as_text, refers=True)
    expected: Argument = argument("rate")
    axes: tuple[Axis, ...] = value("axes", read=as_axes)

    @property
    def components(self) -> tuple[str, ...]:
        """The distribution of one event."""
        return (self.distribution,)

    def log_density(self, at: Point) -> Array:
        """That of one event."""
        return at.log_pdf(self.distribution)

    def rate(self, at: Point) -> Array:
        """The rate."""
        return jnp.asarray(at(self.expected))


@dataclass(frozen=True, kw_only=True)
class BincountsDensity(RateDensity):
    """`bincounts_density_dist`: Poisson counts in the bins of `axes`, expected ones the integrals of `function`."""

    types = ("bincounts_density_dist",)
    axes: tuple[Axis, ...] = value("axes", read=as_axes)


def log_sum(weights: list[Array], logs: list[Array]) -> Array:
    """ln of the weighted sum of exponentials; a sum that is not positive continues as in `log_or_less`."""
    highest = jax.lax.stop_gradient(jnp.stack(jnp.broadcast_arrays(*logs)).max(axis=0))
    highest = jnp.where(jnp.isfinite(highest), highest, 0.0)
    total = sum(weight * jnp.exp(log - highest) for weight, log in zip(weights, logs, strict=True))
    return log_or_less(total) + highest


def log_or_less(total: Array) -> Array:
    """ln of a number; below 1e-300 (1e-30 in single precision) it goes on as a straight line that pushes back, so that
    a minimiser comes back from where a density would be negative.
    """
    floor = 1e-300 if jnp.result_type(total) == jnp.float64 else 1e-30
    above = total > floor
    inside = jnp.log(jnp.where(above, total, 1.0))
    return jnp.where(above, inside, jnp.log(floor) + jnp.where(above, 0.0, total - floor))


COMPOSITES = kinds_of(Mixture, Product, RateExtended, RateDensity, Bincounts, BincountsDensity)
