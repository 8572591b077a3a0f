"""From text to tree: operator precedence, with a bound on length, depth and size so that no text can exhaust the stack.

Operators of one precedence are gathered in a loop, so that long sums and long `a ? b : c ? d : ...` are wide, not deep.
"""

import difflib
from collections.abc import Collection, Sequence
from typing import NoReturn

from histjax.errors import InvalidExpression
from histjax.hs3.expressions.functions import CALLED_CONSTANTS, CONSTANTS, FUNCTIONS, function_name
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
from histjax.hs3.expressions.tokens import Token, tokenise

MOST_DEPTH = 100
"""Of the tree. Its text, with parentheses around each node, nests at most twice as deep, and reading that takes at most
three Python frames a step, below the usual limit of 1000 in all."""
MOST_NESTED = 2 * MOST_DEPTH + 1
MOST_NODES = 10_000

CONDITIONAL, OR, AND, EQUALITY, ORDER, SUM, PRODUCT, SIGN, POWER = range(1, 10)
LEVELS = {
    **dict.fromkeys(["?"], CONDITIONAL),
    **dict.fromkeys(["||"], OR),
    **dict.fromkeys(["&&"], AND),
    **dict.fromkeys(["==", "!=", "===", "!=="], EQUALITY),
    **dict.fromkeys(["<", "<=", ">", ">="], ORDER),
    **dict.fromkeys(["+", "-"], SUM),
    **dict.fromkeys(["*", "/"], PRODUCT),
    **dict.fromkeys(["^", "**"], POWER),
}
"""How strongly an operator between two values binds."""


def parse(text: str, *, arguments: Sequence[str] = (), known: Collection[str] | None = None) -> Expression:
    """Read an expression.

    **Arguments:**

    - `text`: the expression.
    - `arguments`: names that `x[0]`, `x[1]`, ... or `@0`, `@1`, ... stand for; none by default.
    - `known`: all names of the document. Where they are given, another name is refused, and so is a constant or a
      function of the language that the document also uses as a name.

    **Returns:** the tree; equal ones are equal and hash alike.

    **Raises:** `InvalidExpression` with the place, what was found and what was expected.

    >>> parse("a - 2*x[0]", arguments=["mass"])
    Binary(first=Name(name='a'), rest=(('-', Binary(first=Number(value=2.0), rest=(('*', Name(name='mass')),))),))
    """
    return _Parser(text, tuple(arguments), known).whole()


class _Parser:
    """A place in the tokens of one text, and how deep and how large the tree is so far."""

    def __init__(self, text: str, arguments: tuple[str, ...], known: Collection[str] | None):
        self.text, self.arguments, self.known = text, arguments, known
        self.tokens = tokenise(text)
        self.place = self.depth = self.nodes = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def is_now(self, *operators: str) -> bool:
        return self.now.kind == "operator" and self.now.text in operators

    def take(self) -> Token:
        token = self.now
        self.place += 1
        return token

    def refuse(self, token: Token, message: str, advice: str) -> NoReturn:
        raise InvalidExpression(self.text, token.column, message, advice)

    def made(self, node: Expression) -> Expression:
        """`node`, counted."""
        self.nodes += 1
        self.bound(node.height, MOST_DEPTH)
        if self.nodes > MOST_NODES:
            message = f"found more than {MOST_NODES} numbers, names and operations"
            self.refuse(self.now, message, "split the expression into several functions")
        return node

    def bound(self, depth: int, most: int) -> None:
        if depth > most:
            message = f"found operations or parentheses inside each other more than {most} deep"
            self.refuse(self.now, message, "drop needless parentheses, or split the expression into several functions")

    def whole(self) -> Expression:
        """The whole text."""
        tree = self.expression(CONDITIONAL)
        if self.is_now(")"):
            self.refuse(self.now, "found ')' without '(' before it", "remove it, or open the parenthesis")
        if self.is_now(","):
            self.refuse(self.now, "found ',' outside of a function's arguments", "write decimal points as '.'")
        if self.is_now(":"):
            self.refuse(self.now, "found ':' without '?' before it", "write condition ? value : other value")
        if self.now.kind != "end":
            self.refuse(self.now, f"expected an operator, found {self.now}", "write * for a product")
        return tree

    def expression(self, level: int) -> Expression:
        """What follows, up to an operator that binds less than `level`."""
        self.depth += 1
        self.bound(self.depth, MOST_NESTED)
        left = self.value()
        while self.now.kind == "operator" and LEVELS.get(self.now.text, 0) >= level:
            left = self.continued(left, LEVELS[self.now.text])
        self.depth -= 1
        return left

    def continued(self, left: Expression, level: int) -> Expression:
        """`left` and the operators of one level after it, with their operands."""
        if level == CONDITIONAL:
            return self.conditional(left)
        if level in (OR, AND):
            return self.logical(left, level)
        if level in (EQUALITY, ORDER):
            return self.comparison(left, level)
        if level == POWER:  # to the right, and a sign may follow
            self.take()
            return self.made(Binary(left, (("^", self.expression(SIGN)),)))
        rest = []
        while self.now.kind == "operator" and LEVELS.get(self.now.text) == level:
            operator = self.take().text
            rest.append((operator, self.expression(level + 1)))
        return self.made(Binary(left, tuple(rest)))

    def conditional(self, condition: Expression) -> Expression:
        cases = []
        while self.is_now("?"):
            question = self.take()
            value = self.expression(CONDITIONAL)
            self.closed(question, ":", "write condition ? value : other value")
            cases.append((condition, value))
            condition = self.expression(OR)
        return self.made(Conditional(tuple(cases), condition))

    def logical(self, left: Expression, level: int) -> Expression:
        operator, operands = self.now.text, [left]
        while self.is_now(operator):
            self.take()
            operands.append(self.expression(level + 1))
        return self.made(Logical(operator, tuple(operands)))

    def comparison(self, left: Expression, level: int) -> Expression:
        operator = self.take().text
        node = self.made(Comparison(operator, left, self.expression(level + 1)))
        if self.now.kind == "operator" and LEVELS.get(self.now.text) == level:
            advice = f"write a {operator} b && b {self.now.text} c, or parentheses around one comparison"
            self.refuse(self.now, f"found {self.now} after another comparison, which has no one meaning", advice)
        return node

    def value(self) -> Expression:
        """A number, a name, a call, a sign with its operand, or parentheses."""
        token = self.take()
        match token.kind, token.text:
            case "number", _:
                return self.number(token)
            case "position", _:
                return self.positional(token)
            case "name", _:
                return self.call(token) if self.is_now("(") else self.word(token)
            case "operator", "-" | "!":
                return self.made(Unary(token.text, self.expression(SIGN)))
            case "operator", "+":
                return self.expression(SIGN)
            case "operator", "(":
                inside = self.expression(CONDITIONAL)
                self.closed(token, ")", "close it, or write an operator before what was found")
                return inside
        self.place -= 1
        self.refuse(token, f"expected a value, found {token}", "write a number, a name or parentheses here")

    def closed(self, opened: Token, closing: str, advice: str) -> None:
        """Take `closing`, which belongs to `opened`."""
        if not self.is_now(closing):
            message = f"expected {closing!r} for the {opened} at column {opened.column}, found {self.now}"
            self.refuse(self.now, message, advice)
        self.take()

    def number(self, token: Token) -> Expression:
        value = float(token.text)
        if value == float("inf"):
            self.refuse(token, f"found a number beyond the largest one, {token}", "write a number below 1.8e308")
        return self.made(Number(value))

    def positional(self, token: Token) -> Expression:
        digits = token.text.strip("x[]@ ").lstrip("0") or "0"
        if len(digits) > 6 or int(digits) >= len(self.arguments):
            count = len(self.arguments)
            listed = f"{count} argument{'s are' if count != 1 else ' is'} listed"
            self.refuse(token, f"{token} counts arguments from 0 and {listed}", "write the parameter's name")
        return self.made(Name(self.arguments[int(digits)]))

    def word(self, token: Token) -> Expression:
        """A constant or a name."""
        if token.text in CONSTANTS:
            self.check_clash(token, "constant")
            return self.made(Constant(token.text))
        if function_name(token.text) or token.text in CALLED_CONSTANTS:
            self.check_clash(token, "function")
            message = f"expected '(' after the function {token}, found {self.now}"
            self.refuse(self.now, message, f"write {token.text}(...)")
        self.check_known(token)
        return self.made(Name(token.text))

    def call(self, token: Token) -> Expression:
        """A function with its arguments in parentheses."""
        function = CALLED_CONSTANTS.get(token.text) or function_name(token.text)
        if function is None:
            self.refuse(token, f"there is no function named {token}", self.other_function(token.text))
        self.check_clash(token, "function")
        opened, arguments = self.take(), []
        while not (self.is_now(")") and not arguments):
            arguments.append(self.expression(CONDITIONAL))
            if not self.is_now(","):
                break
            self.take()
        self.closed(opened, ")", "close it, or write ',' between arguments")
        self.check_arity(token, function, len(arguments))
        if function in CONSTANTS:
            return self.made(Constant(function))
        if function == "ifelse":
            return self.made(Conditional((tuple(arguments[:2]),), arguments[2]))
        return self.made(Call(function, tuple(arguments)))

    def check_arity(self, token: Token, function: str, found: int) -> None:
        if function in CONSTANTS or function == "ifelse":
            fewest = most = 3 if function == "ifelse" else 0
        else:
            fewest, most = FUNCTIONS[function][2:]
        if found < fewest or (most is not None and found > most):
            count = f"{fewest} or more" if most is None else f"{fewest}"
            arity = f"{count} argument" + ("s" if count != "1" else "")
            self.refuse(token, f"{token.text} takes {arity}, found {found}", "count the commas")

    def check_clash(self, token: Token, kind: str) -> None:
        if token.text in self.arguments or token.text in (self.known or ()):
            message = f"{token} is a {kind} of the language, and the document gives this name to something else"
            self.refuse(token, message, "rename that in the document")

    def check_known(self, token: Token) -> None:
        if self.known is None or token.text in self.known or token.text in self.arguments:
            return
        if token.text.upper() in CONSTANTS or token.text == "e":
            near = ["EULER" if token.text == "e" else token.text.upper()]
        else:
            near = difflib.get_close_matches(token.text[:60], [*self.known, *self.arguments], n=1)
        advice = f"did you mean {near[0]}?" if near else "add a parameter or a function of that name to the document"
        self.refuse(token, f"the document has nothing named {token}", advice)

    def other_function(self, word: str) -> str:
        if word in CONSTANTS:
            return "a constant is written without parentheses"
        if word in (self.known or ()) or word in self.arguments:
            return "write * before the parenthesis for a product"
        near = difflib.get_close_matches(word[:60], [*FUNCTIONS, "ifelse"], n=1)
        return f"did you mean {near[0]}?" if near else f"use one of {', '.join(FUNCTIONS)}, ifelse"
