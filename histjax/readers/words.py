"""Words for what was found in a document."""

import json
import reprlib
from typing import Any


def describe_text(text: str) -> str:
    """A text in quotes, shortened in the middle where it is long."""
    return repr(text) if len(text) <= 80 else f"{text[:40]!r}...{text[-30:]!r}"


def describe(value: Any) -> str:
    """A value in a few words, however large it is.

    >>> describe(None), describe(True), describe([1, 2]), describe("jes"), describe(3)
    ('null', 'true', 'an array', "'jes'", '3')
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, str):
        return describe_text(value)
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, int):
        return reprlib.repr(value) if value.bit_length() < 10_000 else "a huge integer"
    hint = " (convert it with its `tolist` method)" if hasattr(value, "tolist") else ""
    return f"a Python {type(value).__name__}{hint}"
