"""Recognises the documents that are often given where a workspace is expected."""

from typing import Any


def recognise(document: Any) -> str | None:
    """What a document is, if it is not a workspace but something else that is known.

    **Arguments:**

    - `document`: parsed JSON.

    **Returns:** one sentence that says what it is and what to do, or `None` where it is to be read as a workspace.

    >>> recognise({"patches": [], "metadata": {}})
    'this is a patch set, not a workspace; apply one of its patches to the workspace that it is for'
    >>> recognise({"channels": [], "observations": [], "measurements": []}) is None
    True
    """
    if isinstance(document, list):
        is_patch = bool(document) and all(isinstance(each, dict) and "op" in each for each in document)
        return "this is a JSON Patch, not a workspace; apply it to the workspace that it is for" if is_patch else None
    if not isinstance(document, dict):
        return None
    if is_hs3(document):
        return (
            "this is an HS3 document, not a workspace of pyhf's format; 'histjax convert FILE --to pyhf' makes one of"
            " it if it consists of HistFactory channels"
        )
    if "patches" in document:
        return "this is a patch set, not a workspace; apply one of its patches to the workspace that it is for"
    if "toplvl" in document or ("channels" in document and "data" in document):
        return (
            "this is a workspace of an old format (with 'toplvl' or 'data'), from before schema version 1.0.0;"
            " write its 'data' as 'observations' and its 'measurements' at the top"
        )
    if "channels" in document and not {"measurements", "observations"} & document.keys():
        return "this is a model without data: 'measurements' and 'observations' are missing, which a workspace has"
    return None


def is_hs3(document: Any) -> bool:
    """Whether a document is one of HS3."""
    return isinstance(document, dict) and ("distributions" in document or _has(document.get("metadata"), "hs3_version"))


def _has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and key in value
