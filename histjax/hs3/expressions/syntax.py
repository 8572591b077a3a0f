"""The tree of an expression: frozen records, equal when they are written alike but for spaces and spellings."""

from dataclasses import dataclass
from functools import cached_property


class Node:
    """What all nodes have: `children` in the order of the text, and `height`, the longest way down counted in nodes."""

    @property
    def children(self) -> tuple["Expression", ...]:
        """The nodes directly below; none for a leaf."""
        return ()

    @cached_property
    def height(self) -> int:
        """Nodes on the longest way down, this one included."""
        return 1 + max((child.height for child in self.children), default=0)


@dataclass(frozen=True)
class Number(Node):
    """A literal, finite and not negative (a sign is a `Unary`); integers are read as floating-point numbers."""

    value: float


@dataclass(frozen=True)
class Constant(Node):
    """`PI`, `EULER`, `TRUE` or `FALSE`."""

    name: str


@dataclass(frozen=True)
class Name(Node):
    """A parameter, an observable or a function of the document."""

    name: str


@dataclass(frozen=True)
class Unary(Node):
    """`-` or `!` before a value."""

    operator: str
    operand: "Expression"

    @property
    def children(self) -> tuple["Expression", ...]:
        """The operand."""
        return (self.operand,)


@dataclass(frozen=True)
class Binary(Node):
    """Operators of one precedence applied from the left: `a - b + c` is `Binary(a, (("-", b), ("+", c)))`.

    The operators are of `+ -`, or of `* /`, or one `^`. A sum of a thousand terms is one node, not a thousand deep.
    """

    first: "Expression"
    rest: tuple[tuple[str, "Expression"], ...]

    @property
    def children(self) -> tuple["Expression", ...]:
        """All operands."""
        return (self.first, *(operand for _, operand in self.rest))


@dataclass(frozen=True)
class Comparison(Node):
    """`==`, `!=`, `===`, `!==`, `<`, `<=`, `>` or `>=`; its value is 0 or 1."""

    operator: str
    left: "Expression"
    right: "Expression"

    @property
    def children(self) -> tuple["Expression", ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Logical(Node):
    """`&&` or `||` between two or more operands, true where they are not 0; its value is 0 or 1."""

    operator: str
    operands: tuple["Expression", ...]

    @property
    def children(self) -> tuple["Expression", ...]:
        """The operands."""
        return self.operands


@dataclass(frozen=True)
class Conditional(Node):
    """The value of the first case whose condition is not 0: `c ? a : d ? b : e` has the cases `(c, a)` and `(d, b)`.

    Where `otherwise` is a conditional, its cases are taken over: a table of many cases is one node, in any spelling.
    """

    cases: tuple[tuple["Expression", "Expression"], ...]
    otherwise: "Expression"

    def __post_init__(self):
        if isinstance(self.otherwise, Conditional):
            object.__setattr__(self, "cases", self.cases + self.otherwise.cases)
            object.__setattr__(self, "otherwise", self.otherwise.otherwise)

    @property
    def children(self) -> tuple["Expression", ...]:
        """Conditions and values by turns, the last value at the end."""
        return (*(each for case in self.cases for each in case), self.otherwise)


@dataclass(frozen=True)
class Call(Node):
    """A function of `histjax.hs3.expressions.functions.FUNCTIONS`, by its name there."""

    function: str
    arguments: tuple["Expression", ...]

    @property
    def children(self) -> tuple["Expression", ...]:
        """The arguments."""
        return self.arguments


Expression = Number | Constant | Name | Unary | Binary | Comparison | Logical | Conditional | Call


def leaves(expression: Expression) -> list[Expression]:
    """Numbers, constants and names, from left to right."""
    found, todo = [], [expression]
    while todo:
        node = todo.pop()
        if not node.children:
            found.append(node)
        todo += reversed(node.children)
    return found


def names(expression: Expression) -> tuple[str, ...]:
    """Names in the order in which they first appear.

    >>> from histjax.hs3.expressions import parse
    >>> names(parse("b*exp(-a*x) + b"))
    ('b', 'a', 'x')
    """
    return tuple(dict.fromkeys(leaf.name for leaf in leaves(expression) if isinstance(leaf, Name)))
