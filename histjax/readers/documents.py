"""From a file, a stream or a dictionary to a JSON document, with one clear sentence for whatever is wrong with it.

Only the text is judged here: what the document must contain is the business of the schemas.
"""

import json
import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from histjax.errors import InvalidDocument, Problem

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def load_json(source: Any) -> tuple[Any, str]:
    """Reads a JSON document and tells where it came from.

    **Arguments:**

    - `source`: a path (`str` or `os.PathLike`), `"-"` for the standard input, an open text or binary file, or a
        document that is parsed already (a `dict` or a `list`), which is returned as it is.

    **Returns:** the document, and the name of its source for messages.

    **Raises:** `InvalidDocument` where the file cannot be read, is not UTF-8, or is not strict JSON: a syntax error, a
    key twice in one object, `NaN` or `Infinity`, a number beyond the range of a double, nesting too deep to parse.

    >>> load_json({"version": "1.0.0"})
    ({'version': '1.0.0'}, '<dict>')
    >>> import io
    >>> load_json(io.StringIO('{"channels": ['))
    Traceback (most recent call last):
    ...
    histjax.errors.InvalidDocument: <stream>: 1 problem
      /: not valid JSON: Expecting value at line 1, column 15, where the text ends: it seems to be cut off
    """
    if isinstance(source, dict | list):
        return source, f"<{type(source).__name__}>"
    name = _name(source)
    return _parse(_decode(_content(source, name), name), name), name


def pointer(parts: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indices.

    >>> pointer(["channels", 0, "a/b"])
    '/channels/0/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _name(source: Any) -> str:
    """What to call the source in messages."""
    if isinstance(source, str | os.PathLike):
        return "<stdin>" if source == "-" else os.fsdecode(source) or "''"
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise InvalidDocument(f"<{kind}>", [Problem("", f"expected a path, an open file or a dict, found {kind}")])
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


def _content(source: Any, name: str) -> str | bytes:
    """Everything that the source holds."""
    try:
        if source == "-":
            return getattr(sys.stdin, "buffer", sys.stdin).read()
        if hasattr(source, "read"):
            return source.read()
        with open(source, "rb") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise _unreadable(name, f"the document is not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise _unreadable(name, f"the document cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null character, a closed file
        raise _unreadable(name, f"the document cannot be read: {error}") from None


def _decode(content: str | bytes, name: str) -> str:
    """The content as text."""
    if isinstance(content, bytes) and content[:2] == b"\x1f\x8b":
        raise _unreadable(name, "the document is compressed with gzip; decompress it first")
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as error:
        raise _unreadable(name, f"the document is not UTF-8 text ({error.reason} at byte {error.start})") from None
    start = text[:1000].lstrip()
    if not start and not text.strip():
        raise _unreadable(name, "the document is empty, expected JSON")
    if start.startswith("<"):
        raise _unreadable(name, "the document is XML, expected JSON; 'histjax xml2json' reads HistFactory XML")
    return text


def _parse(text: str, name: str) -> Any:
    """The document in `text`, or every reason why it is not strict JSON."""
    try:
        document, repeated, infinite = _loads(text)
    except json.JSONDecodeError as error:
        raise _unreadable(name, _syntax(error)) from None
    except RecursionError:
        raise _unreadable(name, "the document is nested too deeply; a workspace has about ten levels") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise _unreadable(name, f"the document has a number with too many digits: {str(error).split(';')[0]}") from None
    problems = [*_locate_repeated(document, repeated), *(_locate_infinite(document) if infinite else ())]
    if not problems and _SURROGATE_ESCAPE.search(text):
        problems = list(_locate_surrogates(document))
    if problems:
        raise InvalidDocument(name, problems)
    return document


def _loads(text: str) -> tuple[Any, list[tuple[dict, str]], list[str]]:
    """The document, the objects that have a key twice (with the key), and the literals of numbers that are not finite.

    The parser's hooks do not know where they are, so they only take note; the document is searched if they did.
    """
    repeated: list[tuple[dict, str]] = []
    infinite: list[str] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict:
        made = dict(pairs)
        if len(made) != len(pairs):
            repeated.append((made, _first_repeated(pairs)))
        return made

    def read_number(literal: str) -> float:
        number = float(literal)
        if not math.isfinite(number):
            infinite.append(literal)
        return number

    document = json.loads(text, object_pairs_hook=read_object, parse_float=read_number, parse_constant=read_number)
    return document, repeated, infinite


def _syntax(error: json.JSONDecodeError) -> str:
    """One sentence for a syntax error, which tells a truncated file from a wrong one."""
    message = f"not valid JSON: {error.msg.removesuffix(' starting at')} at line {error.lineno}, column {error.colno}"
    cut_off = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
    return f"{message}, where the text ends: it seems to be cut off" if cut_off else message


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    """The first key that occurs a second time."""
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))


def _walk(document: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value of the document with its path, in the order of the text; no recursion, so any depth will do."""
    stack = [((), document)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict):
            stack.extend(((*path, key), each) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*path, index), value[index]) for index in reversed(range(len(value))))


def _locate_repeated(document: Any, repeated: list[tuple[dict, str]]) -> Iterator[Problem]:
    keys = {id(made): key for made, key in repeated}
    if keys:
        for path, value in _walk(document):
            if id(value) in keys:
                key = keys[id(value)]
                yield Problem(pointer((*path, key)), f"the key {key!r} occurs twice in one object")


def _locate_infinite(document: Any) -> Iterator[Problem]:
    for path, value in _walk(document):
        if isinstance(value, float) and not math.isfinite(value):
            literal = "NaN" if math.isnan(value) else "a number beyond the range of a double (or Infinity)"
            yield Problem(pointer(path), f"found {literal}, expected a finite number")


def _locate_surrogates(document: Any) -> Iterator[Problem]:
    for path, value in _walk(document):
        texts = list(value) if isinstance(value, dict) else [value]
        for text in texts:
            if isinstance(text, str) and any("\ud800" <= each <= "\udfff" for each in text):
                yield Problem(ascii(pointer(path))[1:-1], f"half of a surrogate pair in the text {text!a}")


def _unreadable(name: str, message: str) -> InvalidDocument:
    return InvalidDocument(name, [Problem("", message)])
