"""Holds a document to the JSON Schema of its format, and says where it differs by the names that its author gave."""

import json
from functools import cache, reduce
from importlib.resources import files
from itertools import pairwise
from operator import getitem
from typing import Any

from jsonschema import ValidationError

from histjax.errors import Problem
from histjax.readers.acceptance import Predicate, acceptance
from histjax.readers.documents import pointer
from histjax.readers.keywords import QuickValidator
from histjax.readers.words import describe_text

_SINGULAR = {
    "channels": "channel",
    "samples": "sample",
    "modifiers": "modifier",
    "observations": "observation",
    "measurements": "measurement",
    "parameters": "parameter",
    "patches": "patch",
}


def validate(document: Any, definition: str, version: str = "1.0.0") -> list[Problem]:
    """Everything in which a document differs from the definition of its format.

    **Arguments:**

    - `document`: parsed JSON. Only `dict` and `list` are objects and arrays: a NumPy array is refused, and the
        message says to call its `tolist`.
    - `definition`: which definition of the schema to hold it to: `"workspace"`, `"patchset"` or `"jsonpatch"`.
    - `version`: version of the format.

    **Returns:** one problem for each difference, with its JSON pointer and the names on the way to it.

    >>> for problem in validate({"channels": [], "measurements": {}, "version": "1.0.0"}, "workspace"):
    ...     print(problem)
    /: 'observations' is missing
    /channels: found 0 entries, expected at least 1
    /measurements: found an object, expected an array
    """
    schema, accepts = _schema(definition, version)
    if accepts(document):
        return []
    errors = sorted(QuickValidator(schema).iter_errors(document), key=_order)
    return [Problem(pointer(error.path), subject(document, error.path) + error.message) for error in errors]


def subject(document: Any, path) -> str:
    """The names on the way to a place, ending in a colon and a space; empty at the top of the document.

    >>> subject({"channels": [{"name": "SR", "samples": [{}]}]}, ["channels", 0, "samples", 0, "data"])
    "channel 'SR', sample 0: "
    """
    names = []
    for key, index in pairwise([*path, None]):
        document = document[key] if _holds(document, key) else None
        if key in _SINGULAR and isinstance(index, int):
            names.append(f"{_SINGULAR[key]} {_name(document[index], index)}")
    return ", ".join(names) + ": " if names else ""


@cache
def _schema(definition: str, version: str) -> tuple[dict, Predicate]:
    """A definition with all that it refers to put in place, since following references would be a third of the time,
    and the function that says yes to most documents.
    """
    text = files("histjax.readers").joinpath("schemas", version, "defs.json").read_text(encoding="utf-8")
    definitions = json.loads(text)
    schema = _inline(definitions["definitions"][definition], definitions)
    return schema, acceptance(schema)


def _inline(schema: Any, root: dict) -> Any:
    if isinstance(schema, list):
        return [_inline(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = reduce(getitem, schema["$ref"].removeprefix("#/").split("/"), root)
        return _inline(target, root)
    return {key: _inline(each, root) for key, each in schema.items()}


def _order(error: ValidationError) -> list[tuple[int, str]]:
    """Sorts problems by their place, entries of an array by number."""
    return [(part if isinstance(part, int) else -1, str(part)) for part in error.path]


def _holds(document: Any, key: Any) -> bool:
    if isinstance(document, list):
        return isinstance(key, int) and key < len(document)
    return isinstance(document, dict) and key in document


def _name(entry: Any, index: int) -> str:
    """How to call an entry of a list: by its name (and type, for a modifier), or else by its index."""
    if not isinstance(entry, dict):
        return str(index)
    holder = entry["metadata"] if isinstance(entry.get("metadata"), dict) else entry
    name, kind = holder.get("name"), entry.get("type")
    shown = describe_text(name) if isinstance(name, str) else str(index)
    return f"{shown} ({kind})" if isinstance(kind, str) and kind.isidentifier() else shown
