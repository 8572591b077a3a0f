"""Documents whose numbers come out of array packages."""

from collections.abc import Mapping
from typing import Any

_PLAIN = {bool, int, float, str, type(None)}


def plain(document: Any) -> Any:
    """A copy of a document in which arrays are lists and their scalars Python's numbers; arrays have a `tolist`.

    >>> import numpy as np
    >>> plain({"data": np.array([1, 2]), "modifiers": [{"lo": np.float32(0.5)}]})
    {'data': [1, 2], 'modifiers': [{'lo': 0.5}]}
    """
    if type(document) in _PLAIN:
        return document
    if isinstance(document, Mapping):
        return {key: plain(value) for key, value in document.items()}
    if isinstance(document, list):
        return list(document) if set(map(type, document)) <= _PLAIN else [plain(each) for each in document]
    return document.tolist() if hasattr(document, "tolist") else document
