"""Densities given by a function of the document."""

from dataclasses import dataclass

from jaxtyping import Array

from histjax.hs3.intervals import log_of
from histjax.hs3.nodes import Argument, Distribution, Point, argument


@dataclass(frozen=True, kw_only=True)
class DensityFunction(Distribution):
    """f is a function (HS3 "Density Function distribution"; RooWrapperPdf). Key `function`.

    No closed integral: the general quadrature. A negative function gives "not a number".
    """

    types = ("density_function_dist",)
    function: Argument = argument("function")

    def log_density(self, at: Point) -> Array:
        """ln of the function."""
        return log_of(at(self.function))


@dataclass(frozen=True, kw_only=True)
class LogDensityFunction(Distribution):
    """ln f is a function (HS3 "Density Function distribution"). Key `function`. No closed integral."""

    types = ("log_density_function_dist",)
    function: Argument = argument("function")

    def log_density(self, at: Point) -> Array:
        """The function."""
        return at(self.function)
