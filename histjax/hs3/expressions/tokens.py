"""The text of an expression cut into words, each with its column."""

import re
from typing import Literal, NamedTuple, NoReturn

from histjax.errors import InvalidExpression

MOST_CHARACTERS = 100_000

TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<position>@[0-9]+|x\[[ ]*[0-9]+[ ]*\])
    | (?P<name>[^\W\d]\w*(?:(?:\.|::)\w+)*)
    | (?P<operator>===|!==|==|!=|<=|>=|&&|\|\||\*\*|[-+*/^<>!?:(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)

INSTEAD = {
    "&": "write && for a logical 'and'",
    "|": "write || for a logical 'or'",
    "=": "write == to compare",
    "%": "there is no remainder: write x - y*floor(x/y)",
    "[": "positional arguments are written x[0] or @0, and only where a list of arguments is given",
    "@": "positional arguments are written x[0] or @0, and only where a list of arguments is given",
    "−": "write the hyphen - for minus",
    "–": "write the hyphen - for minus",
    "×": "write * for a product",
    "·": "write * for a product",
    "÷": "write / for a quotient",
    "²": "write ^2",
    "³": "write ^3",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    ".": "a number has digits on one side of its point at least, e.g. 0.5",
}
"""What to write in place of characters that are no part of the language."""


class Token(NamedTuple):
    """One word of an expression; `column` counts from 1."""

    kind: Literal["number", "position", "name", "operator", "end"]
    text: str
    column: int

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 40 else f"{self.text[:30]}..."
        return "the end" if self.kind == "end" else repr(shown)


def tokenise(text: str) -> list[Token]:
    """Cut a text into tokens, the last one of kind `"end"`.

    **Raises:** `InvalidExpression` for a text that is too long, and at the first character that begins no token.

    >>> [token.text for token in tokenise("a.b >= 1e-3*@0")]
    ['a.b', '>=', '1e-3', '*', '@0', '']
    """
    if len(text) > MOST_CHARACTERS:
        message = f"expected at most {MOST_CHARACTERS} characters, found {len(text)}"
        raise InvalidExpression(text, 1, message, "split the expression into several functions")
    tokens, place = [], 0
    while not tokens or tokens[-1].kind != "end":
        match = TOKEN.match(text, place)
        if match is None:
            _refuse(text, place + re.match(r"[ \t\r\n]*", text[place:]).end())
        token = Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
        if token.kind == "name" and not token.text.isascii():
            _check_letters(text, token)
        tokens.append(token)
        place = match.end()
    return tokens


def _check_letters(text: str, token: Token) -> None:
    """Letters and ASCII digits only: `\\w` also has superscripts and the digits of other scripts."""
    for offset, each in enumerate(token.text):
        if not (each.isalpha() or each.isascii()):
            _refuse(text, token.column - 1 + offset)


def _refuse(text: str, place: int) -> NoReturn:
    found = text[place]
    shown = repr(found) if found.isprintable() else f"the character U+{ord(found):04X}"
    advice = INSTEAD.get(found, "names consist of letters, digits and _, with . and :: inside")
    raise InvalidExpression(text, place + 1, f"expected a number, a name or an operator, found {shown}", advice)
