"""Sums, products and polynomials of numbers and names."""

import functools
import operator
from dataclasses import dataclass

from jaxtyping import Array

from histjax.hs3.nodes import Argument, Arguments, Function, Point, argument, arguments


@dataclass(frozen=True, kw_only=True)
class Sum(Function):
    """Sum of names and numbers (HS3 "Sum"; RooAddition). Key `summands`; PyHS3 takes names only."""

    types = ("sum",)
    summands: Arguments = arguments("summands")

    def value(self, at: Point) -> Array:
        """The sum."""
        return functools.reduce(operator.add, map(at, self.summands), 0.0)


@dataclass(frozen=True, kw_only=True)
class Product(Function):
    """Product of names and numbers (HS3 "Product"; RooProduct). Key `factors`."""

    types = ("product",)
    factors: Arguments = arguments("factors")

    def value(self, at: Point) -> Array:
        """The product."""
        return functools.reduce(operator.mul, map(at, self.factors), 1.0)


@dataclass(frozen=True, kw_only=True)
class PolynomialFunction(Function):
    """Polynomial sum_i a_i x^i, not normalised (HS3 "Polynomial Function"; RooPolyVar). Keys `x`, `coefficients`."""

    types = ("polynomial",)
    x: Argument = argument("x")
    coefficients: Arguments = arguments("coefficients")

    def value(self, at: Point) -> Array:
        """The value, by Horner's scheme."""
        x = at(self.x)
        return functools.reduce(lambda total, each: total * x + at(each), reversed(self.coefficients), 0.0 * x)


@dataclass(frozen=True, kw_only=True)
class WeightedSum(Function):
    """sum_i c_i f_i of functions (RooRealSumFunc). Keys `samples` and `coefficients`, as many of each."""

    types = ("weighted_sum",)
    samples: Arguments = arguments("samples", "summands", "functions")
    coefficients: Arguments = arguments("coefficients")

    @staticmethod
    def check(found: dict) -> list[str]:
        """As many coefficients as functions."""
        counts = len(found["samples"]), len(found["coefficients"])
        return [] if counts[0] == counts[1] else [f"{counts[0]} functions and {counts[1]} coefficients"]

    def value(self, at: Point) -> Array:
        """The sum."""
        return sum(at(c) * at(f) for c, f in zip(self.coefficients, self.samples, strict=True))
