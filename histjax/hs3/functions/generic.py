"""Functions given by an expression."""

from dataclasses import dataclass

from jaxtyping import Array

from histjax.hs3.expressions import Expression, names
from histjax.hs3.formulae import as_expression, value_of
from histjax.hs3.nodes import Argument, Function, Point, value


@dataclass(frozen=True, kw_only=True)
class GenericFunction(Function):
    """An expression of names (HS3 "Generic Function"; RooFormulaVar). Key `expression`, in the language of
    `histjax.hs3.expressions`.
    """

    types = ("generic_function",)
    expression: Expression = value("expression", read=as_expression)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The names in the expression."""
        return names(self.expression)

    def value(self, at: Point) -> Array:
        """The value."""
        return value_of(self.expression, at)
