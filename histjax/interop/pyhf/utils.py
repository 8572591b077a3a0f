"""`digest`, of pyhf's utilities: what a patch set knows its workspace by."""

from typing import Any

from histjax import readers
from histjax.errors import InvalidModel, UnknownName
from histjax.interop.pyhf.documents import plain

ALGORITHMS = ("md5", "sha1", "sha256", "sha512")


def digest(obj: Any, algorithm: str = "sha256") -> str:
    """The hash of a document, whatever the order of its keys, as published patch sets have it.

    **Raises:** `UnknownName` for another algorithm, `InvalidModel` for what is no document.

    >>> digest({"hello": "world"})
    '5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1'
    """
    if algorithm not in ALGORITHMS:
        raise UnknownName("algorithm of a digest", algorithm, ALGORITHMS)
    try:
        return readers.digest(plain(obj), algorithm)
    except TypeError as error:
        raise InvalidModel(f"expected a document that JSON can hold: {error}") from None
