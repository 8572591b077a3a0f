"""JSON Patches (RFC 6902): small edits of a workspace document, such as adding a signal to a background model."""

import copy
from collections.abc import Sequence
from typing import Any

import jsonpatch
import jsonpointer

from histjax.errors import InvalidDocument, InvalidPatch
from histjax.readers.documents import load_json
from histjax.readers.validation import validate
from histjax.readers.words import describe

_MAX_REASON = 160
# jsonpatch lets the plain ones through where a path leads into a number, or past the top of the document
_FAILURES = (
    jsonpatch.JsonPatchException,
    jsonpointer.JsonPointerException,
    TypeError,
    KeyError,
    IndexError,
    ValueError,
)


def read_patch(source: Any) -> tuple[list[dict], str]:
    """Reads a JSON Patch and tells where it came from.

    **Arguments:**

    - `source`: a path, `"-"`, an open file or a parsed list of operations, as for `load_json`.

    **Returns:** the operations, and the name of the source for messages.

    **Raises:** `InvalidDocument` where it is not JSON, `InvalidPatch` where it is not a JSON Patch.

    >>> read_patch([{"op": "remove", "path": "/channels/1"}])
    ([{'op': 'remove', 'path': '/channels/1'}], '<list>')
    """
    patch, name = load_json(source)
    _check_form(patch, name)
    return patch, name


def apply_patch(document: Any, patch: list[dict], source: str = "patch") -> Any:
    """The document with the operations of a JSON Patch applied in order; the document itself stays as it is.

    **Arguments:**

    - `document`: parsed JSON, usually a workspace.
    - `patch`: operations; their paths count from the top of the document.
    - `source`: what to call the patch in messages.

    **Returns:** a new document that shares nothing with the two that were given. It is not checked.

    **Raises:** `InvalidPatch` with the number of the operation that failed, and why.

    >>> apply_patch({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}])
    {'a': [1, 2]}
    >>> apply_patch({"a": [1]}, [{"op": "remove", "path": "/b"}])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    histjax.errors.InvalidPatch: patch: operation 0 (remove /b) failed: can't remove a non-existent object 'b'; ...
    """
    _check_form(patch, source)
    try:
        return _copy(patched(document, patch, source))
    except RecursionError:
        raise InvalidPatch(f"{source}: the patch or its document is nested too deeply") from None


def patched(document: Any, patch: Sequence[dict], source: str = "patch") -> Any:
    """The document with the operations of a sound JSON Patch applied; it shares with the two that were given all that
    is not changed, so that neither may be modified afterwards.

    What is shared is the same object: of many patched documents, only the differences need to be read.

    **Raises:** as `apply_patch`; but the form of the patch is not checked.

    >>> document = {"a": [1], "b": [2]}
    >>> patched(document, [{"op": "add", "path": "/a/-", "value": 2}])
    {'a': [1, 2], 'b': [2]}
    >>> document["a"], patched(document, [{"op": "remove", "path": "/a/0"}])["b"] is document["b"]
    ([1], True)
    """
    for index, operation in enumerate(patch):
        for path in (operation[key] for key in ("path", "from") if key in operation):
            document = _unshared(document, path)
        try:
            document = _applied(document, operation)
        except _FAILURES as error:
            raise InvalidPatch(f"{source}: {_failure(index, operation, error, document)}") from None
        except RecursionError:
            raise InvalidPatch(f"{source}: operation {index} is nested too deeply") from None
    return document


def _applied(document: Any, operation: dict) -> Any:
    """The document after one operation. `jsonpatch` would copy the value with `copy.deepcopy`, which takes longer than
    all the rest, so it is given something else to put into its place.
    """
    value = operation.get("value")
    if operation["op"] not in ("add", "replace") or not isinstance(value, dict | list):
        return jsonpatch.apply_patch(document, [operation], in_place=True)
    document = jsonpatch.apply_patch(document, [operation | {"value": ...}], in_place=True)
    if document is ...:
        return value
    holder, key = jsonpointer.JsonPointer(operation["path"]).to_last(document)
    holder[-1 if key == "-" and isinstance(holder, list) else key] = value
    return document


def _unshared(document: Any, path: str) -> Any:
    """The document with new objects and arrays on the way to a place, so that the place may be written to."""
    document = holder = copy.copy(document)
    for token in path.split("/")[1:-1]:
        key = _key(holder, token)
        if key is None or not isinstance(holder[key], dict | list):
            break  # the operation itself tells what is wrong
        holder[key] = copy.copy(holder[key])
        holder = holder[key]
    return document


def _check_form(patch: Any, source: str) -> None:
    if isinstance(patch, dict) and "patches" in patch:
        raise InvalidPatch(f"{source}: this is a patch set, not a single patch; name the one of its patches to apply")
    if not isinstance(patch, list):
        raise InvalidPatch(f"{source}: found {describe(patch)}, expected a JSON Patch: an array of operations")
    problems = validate(patch, "jsonpatch")
    if problems:
        raise InvalidPatch(str(InvalidDocument(source, problems)))


def _failure(index: int, operation: dict, error: Exception, document: Any) -> str:
    """What failed and why; the reason is cut where the library repeats the document in it."""
    reason = str(error)
    reason = reason if len(reason) <= _MAX_REASON else reason[:_MAX_REASON] + "..."
    origin = f" from {operation['from']}" if "from" in operation else ""
    reach = _reach(document, operation.get("from", operation["path"]))
    what = f"operation {index} ({operation['op']} {operation['path']}{origin}) failed: {reason}"
    return what if reach is None else f"{what}; the document has {reach or 'its top'} but nothing further on that path"


def _reach(document: Any, path: str) -> str | None:
    """The longest part of a path that is in the document; `None` where all of it is."""
    reached = ""
    for token in path.split("/")[1:]:
        key = _key(document, token)
        if key is None:
            return reached
        document = document[key]
        reached += "/" + token
    return None


def _key(document: Any, token: str) -> str | int | None:
    """The key or index that a token of a path stands for; `None` where the document has no such place."""
    key = token.replace("~1", "/").replace("~0", "~")
    if isinstance(document, list) and key.isdecimal() and len(key) < 10 and int(key) < len(document):
        return int(key)
    return key if isinstance(document, dict) and key in document else None


def _copy(value: Any) -> Any:
    """A deep copy of JSON data; `copy.deepcopy` is several times slower."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
