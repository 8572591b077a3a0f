"""Small workspaces of our own, shipped with the package."""

from importlib.resources import files
from pathlib import Path

_PATCHSET = ".patchset.json"


def names() -> tuple[str, ...]:
    """Names of the examples."""
    documents = (each.name for each in files(__name__).iterdir() if each.name.endswith(".json"))
    return tuple(sorted(name.removesuffix(".json") for name in documents if not name.endswith(_PATCHSET)))


def path(name: str) -> Path:
    """Path of the example called `name`; raises `UnknownName`.

    >>> path("two_bins").name
    'two_bins.json'
    """
    from histjax.errors import UnknownName

    if name not in names():
        raise UnknownName("example", name, names())
    return Path(str(files(__name__) / f"{name}.json"))


def patchset_path(name: str) -> Path:
    """Path of the patch set for the example called `name`; raises `UnknownName`.

    >>> patchset_path("two_bins").name
    'two_bins.patchset.json'
    """
    from histjax.errors import UnknownName

    there = Path(str(files(__name__))).glob(f"*{_PATCHSET}")
    known = {each.name.removesuffix(_PATCHSET): each for each in there}
    if name not in known:
        raise UnknownName("patch set for an example", name, sorted(known))
    return known[name]
