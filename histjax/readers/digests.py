"""The fingerprint by which a patch set names the document that it is for."""

import hashlib
import json
from typing import Any


def digest(document: Any, algorithm: str = "sha256") -> str:
    """The hash of a document, the same for equal documents in whatever order their keys are.

    It hashes `json.dumps(document, sort_keys=True, ensure_ascii=False)` in UTF-8, as pyhf does, so digests of published
    patch sets can be compared. An integer and the equal float (`1` and `1.0`) are written differently and differ.

    **Arguments:**

    - `document`: parsed JSON.
    - `algorithm`: `"sha256"` or `"md5"`, or any other name that `hashlib` knows.

    **Returns:** the hexadecimal digest.

    **Raises:** `ValueError` for an unknown algorithm, `TypeError` for a document that JSON cannot write.

    >>> digest({"b": [1, 2], "a": None}, "md5") == digest({"a": None, "b": [1, 2]}, "md5")
    True
    """
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.new(algorithm, text.encode("utf-8"), usedforsecurity=False).hexdigest()
