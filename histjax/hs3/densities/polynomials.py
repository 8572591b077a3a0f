"""Polynomials in three bases: powers, Chebychev and Bernstein; sums of powers; exponentials of polynomials.

A polynomial of degree d is integrated exactly, up to rounding, by Gauss-Legendre with d/2 + 1 nodes: positive weights,
no differences of high powers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.intervals import gauss_legendre, inside, log_exponential_integral, log_of
from histjax.hs3.nodes import (
    Argument,
    Arguments,
    Distribution,
    Point,
    Unreadable,
    argument,
    arguments,
    as_arguments,
    value,
)


def some(found) -> Arguments:
    """A list of names and numbers that is not empty."""
    found = as_arguments(found)
    if not found:
        raise Unreadable("at least one name or number")
    return found


@dataclass(frozen=True, kw_only=True)
class Polynomial(Distribution):
    r"""Polynomial: \(f = \sum_i a_i x^i\) from i = 0 (HS3 "Polynomial distribution"; RooPolynomial, whose constant
    term is 1 by default and here is always written).

    Keys `x`, `coefficients` (names and numbers; PyHS3 takes names only). Closed integral over a finite range.
    """

    types = ("polynomial_dist",)
    x: Argument = argument("x")
    coefficients: Arguments = value("coefficients", read=some, refers=True)

    def log_density(self, at: Point) -> Array:
        """ln of the polynomial."""
        return log_of(powers(at(self.x), [at(each) for each in self.coefficients]))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of its integral."""
        if over != (self.x,):
            return None
        terms = [at(each) for each in self.coefficients]
        return log_polynomial_integral(lambda x: powers(x, terms), len(terms) - 1, *at.limits(self.x))


@dataclass(frozen=True, kw_only=True)
class Chebychev(Distribution):
    r"""Chebychev polynomials: \(f = 1 + \sum_{i \ge 1} a_i T_i(z)\), z the range mapped to [-1, 1] (RooChebychev).

    Keys `x`, `coefficients` from i = 1. z is of the whole range `at.domain(x)`, which has to be finite. Closed
    integral.
    """

    types = ("chebychev_dist",)
    x: Argument = argument("x")
    coefficients: Arguments = arguments("coefficients")

    def log_density(self, at: Point) -> Array:
        """ln of the sum."""
        return log_of(self._sum(at, at(self.x)))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of its integral."""
        if over != (self.x,):
            return None
        return log_polynomial_integral(lambda x: self._sum(at, x), len(self.coefficients), *at.limits(self.x))

    def _sum(self, at: Point, x: Array) -> Array:
        lo, hi = at.domain(self.x)
        z = (x - lo - (hi - x)) / (hi - lo)
        before, now, total = jnp.ones_like(z), z, 1.0
        for each in self.coefficients:
            total = total + at(each) * now
            before, now = now, 2 * z * now - before
        return total + 0.0 * z


@dataclass(frozen=True, kw_only=True)
class Bernstein(Distribution):
    r"""Bernstein polynomials: \(f = \sum_i c_i \binom{n}{i} z^i (1 - z)^{n - i}\), z the range mapped to [0, 1]
    (RooBernstein; PyHS3 leaves x unmapped, which is wrong on every range but [0, 1]).

    Keys `x`, `coefficients`, as many as the degree plus one. z is of the whole range `at.domain(x)`, which has to be
    finite; its upper end belongs to it (there RooBernstein is not a number). Closed integral.
    """

    types = ("bernstein_poly_dist",)
    x: Argument = argument("x")
    coefficients: Arguments = value("coefficients", read=some, refers=True)

    def log_density(self, at: Point) -> Array:
        """ln of the sum."""
        return log_of(self._sum(at, at(self.x)))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of its integral."""
        if over != (self.x,):
            return None
        degree = len(self.coefficients) - 1
        return log_polynomial_integral(lambda x: self._sum(at, x), degree, *at.limits(self.x))

    def _sum(self, at: Point, x: Array) -> Array:
        lo, hi = at.domain(self.x)
        up, down, degree = (x - lo) / (hi - lo), (hi - x) / (hi - lo), len(self.coefficients) - 1
        ways = [math.comb(degree, i) for i in range(degree + 1)]
        return sum(at(c) * (ways[i] * up**i * down ** (degree - i)) for i, c in enumerate(self.coefficients))


@dataclass(frozen=True, kw_only=True)
class PowerSum(Distribution):
    r"""Sum of powers: \(f = \sum_i c_i x^{e_i}\), x > 0 (RooPowerSum).

    Keys `x`, `coefficients`, `exponents` (real). Closed integral, smooth through an exponent of -1. Below 0 it is not
    defined and taken as 0, also for whole exponents: `polynomial_dist` is the one for them.
    """

    types = ("power_sum_dist",)
    x: Argument = argument("x")
    coefficients: Arguments = value("coefficients", read=some, refers=True)
    exponents: Arguments = arguments("exponents")

    @staticmethod
    def check(found: dict) -> list[str]:
        """As many exponents as coefficients."""
        counts = len(found["coefficients"]), len(found["exponents"])
        return [] if counts[0] == counts[1] else [f"'coefficients' has {counts[0]} entries, 'exponents' {counts[1]}"]

    def log_density(self, at: Point) -> Array:
        """ln of the sum."""
        x = at(self.x)
        log_x = jnp.log(jnp.where(x > 0, x, 1.0))
        return inside(x > 0, self._log_sum(at, lambda exponent: exponent * log_x))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of its integral over the part of the range above 0."""
        if over != (self.x,):
            return None
        lo, hi = (_log_end(each) for each in at.limits(self.x))
        return self._log_sum(at, lambda exponent: log_exponential_integral(-(exponent + 1), lo, hi))

    def _log_sum(self, at: Point, log_term: Callable[[Array], Array]) -> Array:
        return log_signed_sum(
            [(at(c), log_term(at(e))) for c, e in zip(self.coefficients, self.exponents, strict=True)]
        )


@dataclass(frozen=True, kw_only=True)
class ExponentialOfPolynomial(Distribution):
    r"""Exponential of a polynomial: \(f = \exp \sum_i a_i x^i\) from i = 0 (RooLegacyExpPoly, RooExpPoly).

    Keys `x`, `coefficients`. The constant term cancels in the normalisation (ROOT writes 1.0 for one
    that it does not have). Closed integral up to the first degree; above, the general quadrature, to 1e-10 (ROOT's
    numerical one is 1e-8 away).
    """

    types = ("legacy_exp_poly_dist", "exp_poly_dist")
    x: Argument = argument("x")
    coefficients: Arguments = value("coefficients", read=some, refers=True)

    def log_density(self, at: Point) -> Array:
        """The polynomial."""
        return powers(at(self.x), [at(each) for each in self.coefficients])

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """Closed for a straight line."""
        if over != (self.x,) or len(self.coefficients) > 2:
            return None
        constant, slope, *_ = *(at(each) for each in self.coefficients), 0.0
        return constant + log_exponential_integral(-slope, *at.limits(self.x))


def powers(x: Array, coefficients: list[Array]) -> Array:
    """sum_i coefficients[i] x^i, of the shape of x."""
    total = jnp.zeros_like(x)
    for each in reversed(coefficients):
        total = total * x + each
    return total


def log_polynomial_integral(polynomial: Callable[[Array], Array], degree: int, lo: Array, hi: Array) -> Array:
    """ln of the integral of a polynomial: exact up to rounding. `+inf` over an infinite range."""
    finite = jnp.isfinite(lo) & jnp.isfinite(hi)
    lo, hi = jnp.where(finite, lo, 0.0), jnp.where(finite, hi, 1.0)
    half, middle = 0.5 * (hi - lo), 0.5 * (lo + hi)
    nodes, weights = gauss_legendre(degree // 2 + 1)
    mean = sum(float(w) * polynomial(middle + half * float(z)) for z, w in zip(nodes, weights, strict=True))
    return jnp.where(finite, log_of(half * mean), jnp.inf)


def log_signed_sum(terms: list[tuple[Array, Array]]) -> Array:
    """ln of sum_i c_i exp(l_i) of pairs (c_i, l_i), c_i of either sign."""
    largest = terms[0][1]
    for _, each in terms[1:]:
        largest = jnp.maximum(largest, each)
    finite = jnp.isfinite(largest)
    shift = jnp.where(finite, largest, 0.0)
    total = log_of(sum(c * jnp.exp(jnp.where(finite, each, 0.0) - shift) for c, each in terms))
    return jnp.where(finite, total + shift, largest)


def _log_end(limit: Array) -> Array:
    return jnp.where(limit > 0, jnp.log(jnp.where(limit > 0, limit, 1.0)), -jnp.inf)
