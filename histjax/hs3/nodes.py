"""What a distribution or function of a document is: its fields, how they are read, and what it depends on.

A node is static: names and numbers as the document has them. Its methods are pure JAX functions of a `Point`, which
gives the values of what the fields name. One class per entry of the standard, with its fields declared once:

    @dataclass(frozen=True, kw_only=True)
    class Gaussian(Distribution):
        types = ("gaussian_dist", "normal_dist")
        x: Argument = argument("x")
        mean: Argument = argument("mean")
        sigma: Argument = argument("sigma")
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

from jaxtyping import Array, PRNGKeyArray

from histjax.errors import Problem

Argument = str | float
"""The name of a parameter, an observable, a function or a distribution, or a number."""

Arguments = tuple[Argument, ...]


class Point(Protocol):
    """Values of everything that has a name: parameters `()`, observables `()` or `(events,)`, functions of them."""

    def __call__(self, argument: Argument) -> Array:
        """The value of a number, parameter, observable or function."""

    def log_pdf(self, name: str) -> Array:
        """Logarithm of another distribution, normalised over the ranges of its observables."""

    def limits(self, observable: str) -> tuple[Array, Array]:
        """Where the integral over an observable begins and ends: its range, or a part of it; infinite where nothing
        bounds it.
        """

    def domain(self, observable: str) -> tuple[Array, Array]:
        """The whole range of an observable, which some densities map their variable to."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A function or a distribution, by name."""

    types: ClassVar[tuple[str, ...]] = ()
    name: str

    @property
    def depends(self) -> tuple[str, ...]:
        """Names of what the fields refer to, each once, in the order of the fields."""
        return tuple(dict.fromkeys(each for each in self.arguments if isinstance(each, str)))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What the fields refer to, numbers included, in order."""
        return tuple(_arguments(self))


class Function(Node):
    """A number that depends on others."""

    def value(self, at: Point) -> Array:
        """The value; fields of arrays broadcast."""
        raise NotImplementedError


class Distribution(Node):
    """A density, not normalised."""

    counts: ClassVar[bool] = False
    """Whether the variable takes whole numbers only, and the normalisation is a sum."""

    @property
    def variable(self) -> Argument | None:
        """What is distributed, where one field says so (the standard's `x`): the observable of point data."""
        return getattr(self, "x", None)

    def log_density(self, at: Point) -> Array:
        """ln f before normalisation; observables that are arrays `(events,)` give an array."""
        raise NotImplementedError

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the integral of f over `at.limits` of the observables `over`, in closed form; `None` where there is
        none, and the integral is done numerically.

        Limits are `()`, or `(bins,)` for one integral per bin.
        """
        del at, over
        return None

    def draw(self, key: PRNGKeyArray, at: Point, n: int) -> dict[str, Array] | None:
        """`n` independent values of several observables; `None` where they cannot be drawn."""
        del key, at, n
        return None

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """Values of the observable between which f is smooth, `()` or `(n,)`, for the numerical integral."""
        del at, observable
        return ()


# --- fields --------------------------------------------------------------------------------------------------------

MISSING = object()
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")


class Unreadable(Exception):
    """A value that a field does not take: what was expected."""


def argument(*keys: str, default: Any = MISSING) -> Any:
    """A field that is a name or a number; further keys are other spellings."""
    return _field(keys, as_argument, default, refers=True)


def arguments(*keys: str, default: Any = MISSING) -> Any:
    """A field that is a list of names and numbers; one alone counts as a list of one."""
    return _field(keys, as_arguments, default, refers=True)


def text(*keys: str, default: Any = MISSING) -> Any:
    """A field that is a text without meaning as a reference."""
    return _field(keys, as_text, default, refers=False)


def flag(*keys: str, default: Any = MISSING) -> Any:
    """A field that is `true` or `false`."""
    return _field(keys, as_flag, default, refers=False)


def numbers(*keys: str, default: Any = MISSING) -> Any:
    """A field that is a list of numbers."""
    return _field(keys, as_numbers, default, refers=False)


def value(*keys: str, read: Callable[[Any], Any], default: Any = MISSING, refers: bool = False) -> Any:
    """A field with a reading of its own: `read` takes the JSON value and raises `Unreadable`.

    With `refers` the names and numbers in what it returns (a tuple, perhaps of tuples) are arguments.
    """
    return _field(keys, read, default, refers)


def _field(keys, read, default, refers) -> Any:
    return field(metadata={"keys": keys, "read": read, "default": default, "refers": refers})


def as_argument(found: Any) -> Argument:
    """A name or a finite number; a text that is a number counts as one (ROOT writes `"1.0"`)."""
    if isinstance(found, str) and found:
        return float(found) if _NUMBER.fullmatch(found) else found
    if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= 1e308:
        return float(found)
    raise Unreadable("the name of something or a number")


def as_arguments(found: Any) -> Arguments:
    """A tuple of names and numbers."""
    return tuple(map(as_argument, found if isinstance(found, list | tuple) else [found]))


def as_text(found: Any) -> str:
    """A text."""
    if isinstance(found, str):
        return found
    raise Unreadable("a text")


def as_flag(found: Any) -> bool:
    """A truth value."""
    if isinstance(found, bool):
        return found
    raise Unreadable("true or false")


def as_numbers(found: Any) -> tuple[float, ...]:
    """A tuple of numbers."""
    found = as_arguments(found) if isinstance(found, list | tuple) else ("",)
    if any(isinstance(each, str) for each in found):
        raise Unreadable("a list of numbers")
    return found


# --- reading -------------------------------------------------------------------------------------------------------


def read_node(
    entry: Mapping[str, Any], kinds: Mapping[str, type[Node]], path: str
) -> tuple[Node | None, list[Problem]]:
    """The node of a document's entry, and what is wrong or doubtful with it.

    **Arguments:**

    - `entry`: the JSON object; its `name` and `type` are texts.
    - `kinds`: the class for each `type`.
    - `path`: JSON pointer to the entry.

    **Returns:** the node, or `None` where a problem is not a warning.
    """
    kind = kinds.get(entry["type"])
    if kind is None:
        known = ", ".join(sorted(kinds))
        return None, [Problem(f"{path}/type", f"type {entry['type']!r} is not known; known are {known}")]
    found, problems, used = {}, [], {"name", "type"}
    for each in fields(kind):
        if each.name == "name":
            continue
        keys = each.metadata["keys"]
        key = next((key for key in keys if key in entry), None)
        if key is not None:
            used.add(key)
            try:
                found[each.name] = each.metadata["read"](entry[key])
            except Unreadable as expected:
                problems.append(Problem(f"{path}/{key}", f"expected {expected}, found {_shown(entry[key])}"))
        elif each.metadata["default"] is MISSING:
            problems.append(Problem(path, f"{entry['type']} {entry['name']!r} lacks '{keys[0]}'"))
        else:
            found[each.name] = each.metadata["default"]
    if not problems:
        problems = [Problem(path, each) for each in kind.check(found)] if hasattr(kind, "check") else []
    extra = [
        Problem(f"{path}/{key}", f"{entry['type']} has no {key!r}; it is ignored", True)
        for key in entry
        if key not in used
    ]
    return (None if problems else kind(name=entry["name"], **found)), problems + extra


def kinds_of(*classes: type[Node]) -> dict[str, type[Node]]:
    """The table that `read_node` takes."""
    return {name: each for each in classes for name in each.types}


def _arguments(node: Node) -> Iterator[Argument]:
    for each in fields(node):
        if each.metadata.get("refers"):
            yield from _flat(getattr(node, each.name))


def _flat(found: Any) -> Iterator[Argument]:
    if isinstance(found, tuple):
        for each in found:
            yield from _flat(each)
    elif found is not None:
        yield found


def _shown(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."
