"""Expressions as fields of a document's entries, and where they are not smooth."""

from jaxtyping import Array

from histjax.errors import InvalidExpression
from histjax.hs3.expressions import Expression, evaluate, names, parse
from histjax.hs3.expressions.syntax import Binary, Call, Comparison, Name, Unary
from histjax.hs3.nodes import Point, Unreadable


def as_expression(found) -> Expression:
    """The tree of a text in the language of `histjax.hs3.expressions`."""
    if not isinstance(found, str):
        raise Unreadable("the text of an expression")
    try:
        return parse(found)
    except InvalidExpression as error:
        raise Unreadable("an " + str(error).splitlines()[0]) from error


def value_of(expression: Expression, at: Point) -> Array:
    """The value at a point."""
    return evaluate(expression, {name: at(name) for name in names(expression)})


def kinks(expression: Expression, at: Point, observable: str) -> tuple[Array, ...]:
    """Where the observable passes what it is compared with, in comparisons, `abs`, `min` and `max`.

    Found where both sides are the observable, with either sign, plus what does not depend on it: `x < a + 1`,
    `abs(x - a)`. Others, such as `x^2 < a`, are left to more panels.
    """
    found, todo = [], [expression]
    while todo:
        node = todo.pop()
        todo += node.children
        for left, right in _pairs(node):
            slopes = _slope(left, observable), 0.0 if right is None else _slope(right, observable)
            if None in slopes or slopes[0] == slopes[1]:
                continue
            ends = [0.0 if side is None else _at_zero(side, at, observable) for side in (left, right)]
            found.append((ends[1] - ends[0]) / (slopes[0] - slopes[1]))
    return tuple(found)


def _pairs(node: Expression) -> list[tuple[Expression, Expression | None]]:
    """What a node compares; `None` is 0."""
    if isinstance(node, Comparison):
        return [(node.left, node.right)]
    if isinstance(node, Call) and node.function == "abs":
        return [(node.arguments[0], None)]
    if isinstance(node, Call) and node.function in ("min", "max"):
        first, *others = node.arguments
        return [(first, other) for other in others]
    return []


def _slope(node: Expression, observable: str) -> float | None:
    """d/dx of an expression that is the observable plus something; 0 without it, `None` for other forms."""
    if isinstance(node, Name):
        return float(node.name == observable)
    if observable not in names(node):
        return 0.0
    if isinstance(node, Unary) and node.operator == "-":
        inner = _slope(node.operand, observable)
        return None if inner is None else -inner
    if isinstance(node, Binary) and all(operator in "+-" for operator, _ in node.rest):
        slopes = [_slope(node.first, observable), *(_slope(each, observable) for _, each in node.rest)]
        signs = [1.0, *(1.0 if operator == "+" else -1.0 for operator, _ in node.rest)]
        return None if None in slopes else sum(sign * slope for sign, slope in zip(signs, slopes, strict=True))
    return None


def _at_zero(expression: Expression, at: Point, observable: str) -> Array:
    return evaluate(expression, {name: 0.0 if name == observable else at(name) for name in names(expression)})
