"""Densities given by a function of the document, or by an expression."""

from dataclasses import dataclass

from jaxtyping import Array

from histjax.hs3.expressions import Expression, names
from histjax.hs3.formulae import as_expression, kinks, value_of
from histjax.hs3.intervals import log_of
from histjax.hs3.nodes import Argument, Distribution, Point, argument, value


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


@dataclass(frozen=True, kw_only=True)
class GenericDensity(Distribution):
    """f is an expression of observables, parameters and functions (HS3 "Generic distribution"; RooGenericPdf).

    Key `expression`, in the language of `histjax.hs3.expressions`. No closed integral: the general quadrature, with
    breaks where the observable is compared with something (ROOT's adaptive one is 1e-8 to 5e-10 away, 1e-4 at a jump;
    PyHS3's fixed 64 points know no breaks). A negative value gives "not a number".
    """

    types = ("generic_dist",)
    expression: Expression = value("expression", read=as_expression)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The names in the expression."""
        return names(self.expression)

    def log_density(self, at: Point) -> Array:
        """ln of the expression."""
        return log_of(value_of(self.expression, at))

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """Where the expression has kinks or jumps."""
        return kinks(self.expression, at, observable)
