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
    '93a23971a914e5eacbf0a8d25154cda309c3c1c72fbb9914d47c60f3cb681588'
    """
    if algorithm not in ALGORITHMS:
        raise UnknownName("algorithm of a digest", algorithm, ALGORITHMS)
    try:
        return readers.digest(plain(obj), algorithm)
    except TypeError as error:
        raise InvalidModel(f"expected a document that JSON can hold: {error}") from None
