"""Small workspaces of our own, shipped with the package."""

from importlib.resources import files
from pathlib import Path


def names() -> tuple[str, ...]:
    """Names of the examples."""
    return tuple(
        sorted(each.name.removesuffix(".json") for each in files(__name__).iterdir() if each.name.endswith(".json"))
    )


def path(name: str) -> Path:
    """Path of the example called `name`; raises `UnknownName`.

    >>> path("two_bins").name
    'two_bins.json'
    """
    from histjax.errors import UnknownName

    if name not in names():
        raise UnknownName("example", name, names())
    return Path(str(files(__name__) / f"{name}.json"))
