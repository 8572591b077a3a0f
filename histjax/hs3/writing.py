"""A document as JSON in one order, whatever the order it came in: equal documents give equal bytes."""

from collections.abc import Mapping
from typing import Any

from histjax.hs3.checking import COLLECTIONS

TOP = ("metadata", *COLLECTIONS, "misc")


def sorted_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its components in the order of the standard, each by name, and keys in alphabetical order.

    What has a meaning by its place keeps it: parameters of interest, pairs of distributions and data, axes, samples,
    and all numbers. Numbers are as they were.

    >>> sorted_document({"functions": [{"type": "sum", "name": "b"}, {"type": "sum", "name": "a"}], "metadata": {}})
    {'metadata': {}, 'functions': [{'name': 'a', 'type': 'sum'}, {'name': 'b', 'type': 'sum'}]}
    """
    others = sorted(key for key in document if key not in TOP)
    ordered = {key: document[key] for key in (*TOP, *others) if key in document}
    return {
        key: sorted(map(_sorted, each), key=lambda entry: entry["name"]) if key in COLLECTIONS else _sorted(each)
        for key, each in ordered.items()
    }


def _sorted(value: Any) -> Any:
    """Keys in alphabetical order, but names and types first."""
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    if not isinstance(value, dict):
        return value
    first = [key for key in ("name", "type") if key in value]
    return {key: _sorted(value[key]) for key in (*first, *sorted(value.keys() - set(first)))}
