"""From tree to text: canonical, with no needless parentheses."""

from histjax.errors import InvalidExpression
from histjax.hs3.expressions.functions import CALLED_CONSTANTS, CONSTANTS, function_name
from histjax.hs3.expressions.parsing import CONDITIONAL, LEVELS, OR, POWER, SIGN, SUM
from histjax.hs3.expressions.syntax import (
    Binary,
    Call,
    Comparison,
    Conditional,
    Constant,
    Expression,
    Logical,
    Name,
    Number,
    Unary,
)
from histjax.hs3.expressions.tokens import tokenise

LEAF = POWER + 1


def write(expression: Expression) -> str:
    """The text of an expression, which parses to an equal tree.

    Numbers are written with a point or an exponent, since ROOT divides `1/2` as integers; conditions as `c ? a : b`,
    which ROOT reads and `ifelse` it does not.

    **Raises:** `InvalidExpression` for a name that the language cannot spell (positional arguments may bear one).

    >>> from histjax.hs3.expressions import parse
    >>> write(parse("1/((2*(x))) -y**(-2)"))
    '1.0/(2.0*x) - y^-2.0'
    """
    return _written(expression)[0]


def _written(node: Expression) -> tuple[str, int]:
    """The text of a node and how strongly it binds."""
    match node:
        case Number(value):
            return repr(value), LEAF
        case Constant(name):
            return name, LEAF
        case Name(name):
            return _checked(name), LEAF
        case Call(function, arguments):
            return f"{function}({', '.join(map(write, arguments))})", LEAF
        case Unary(operator, operand):
            # two signs in a row are a decrement in C++, hence parentheses around a second one
            return operator + _inside(operand, POWER), SIGN
        case Binary(first, rest):
            return _binary(first, rest)
        case Comparison(operator, left, right):
            level = LEVELS[operator]
            return f"{_inside(left, level + 1)} {operator} {_inside(right, level + 1)}", level
        case Logical(operator, operands):
            level = LEVELS[operator]
            return f" {operator} ".join(_inside(each, level + 1) for each in operands), level
        case Conditional(cases, otherwise):
            parts = [f"{_inside(condition, OR)} ? {_inside(value, OR)} : " for condition, value in cases]
            return "".join(parts) + _inside(otherwise, OR), CONDITIONAL


def _binary(first: Expression, rest: tuple[tuple[str, Expression], ...]) -> tuple[str, int]:
    level = LEVELS[rest[0][0]]
    if level == POWER:
        return f"{_inside(first, LEAF)}^{_inside(rest[0][1], SIGN)}", level
    space = " " if level == SUM else ""
    parts = [f"{space}{operator}{space}{_inside(operand, level + 1)}" for operator, operand in rest]
    return _inside(first, level + 1) + "".join(parts), level


def _inside(node: Expression, level: int) -> str:
    """The text of a node, in parentheses where it binds less than `level`."""
    text, binds = _written(node)
    return text if binds >= level else f"({text})"


def _checked(name: str) -> str:
    """The name, if it is a word of its own and means nothing else."""
    tokens = tokenise(name)
    taken = function_name(name) or name in CONSTANTS or name in CALLED_CONSTANTS
    if len(tokens) != 2 or tokens[0].kind != "name" or tokens[0].text != name or taken:
        raise InvalidExpression(name, 1, f"the name {name!r} cannot be written in an expression", "rename it")
    return name
