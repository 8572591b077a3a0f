"""Interpolation between variations: ROOT's FlexibleInterpVar and PiecewiseInterpolation."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.nodes import Argument, Arguments, Function, Point, Unreadable, argument, arguments, flag, value
from histjax.model.interpolation import code0, code1, code2, code4, code4p

Code = tuple[Callable, bool]
"""An interpolation code, and whether its parameters multiply (as factors of the nominal value) or add."""

NUMBERS: dict[int, Code] = {
    0: (code0, False),
    1: (code1, True),
    2: (code2, False),
    4: (code4p, False),
    5: (code4, True),
    6: (code4p, True),
}
"""PiecewiseInterpolation's numbers."""

FLEXIBLE = {**{number: NUMBERS[number] for number in (0, 1, 2, 5)}, 4: (code4, True)}
"""FlexibleInterpVar's numbers: 4 and 5 are the same."""


def as_codes(found) -> tuple[int, ...]:
    """A list of interpolation codes, or one for all."""
    found = found if isinstance(found, list) else [found]
    if any(isinstance(each, bool) or each not in NUMBERS for each in found):
        raise Unreadable(f"interpolation codes out of {', '.join(map(str, NUMBERS))}")
    return tuple(map(int, found))


def interpolated(at: Point, node, codes: dict[int, Code]) -> Array:
    """The nominal value, changed by one parameter after the other as ROOT does, by addition or by a factor."""
    nominal = at(node.nom)
    total = nominal
    numbers = node.codes * len(node.vars) if len(node.codes) == 1 else node.codes
    for number, alpha, low, high in zip(numbers, node.vars, node.low, node.high, strict=True):
        code, multiplies = codes[number]
        low, high, alpha, middle = jnp.broadcast_arrays(at(low), at(high), at(alpha), nominal)
        if not multiplies:
            total = total + (code(alpha, low, middle, high) - middle)
            continue
        something = middle != 0
        scale, one = jnp.where(something, middle, 1.0), jnp.ones_like(middle)
        low, high = (jnp.where(something, each / scale, 1.0) for each in (low, high))
        total = total * code(alpha, low, one, high)
    return total


def _sizes(found: dict, codes: dict[int, Code]) -> list[str]:
    size = len(found["vars"])
    lists = {key: len(found[key]) for key in ("low", "high")}
    problems = [f"{key!r} has {length} entries, 'vars' {size}" for key, length in lists.items() if length != size]
    if len(found["codes"]) not in (1, size):
        problems.append(f"'interpolationCodes' has {len(found['codes'])} entries, 'vars' {size}")
    unknown = sorted(set(found["codes"]) - set(codes))
    return problems + [f"interpolation code {each} is not one of {sorted(codes)}" for each in unknown]


@dataclass(frozen=True, kw_only=True)
class FlexibleInterpolation(Function):
    """A number between variations (RooStats::HistFactory::FlexibleInterpVar; not in the text of the standard).

    Keys `vars`, `nom`, `low`, `high` and `interpolationCodes` (one for each parameter, or one for all; 0 where they are
    absent, as ROOT has it): 0 piecewise linear, 1 piecewise exponential, 2 parabola with linear ends, 4 and 5
    polynomial with exponential ends. Codes 0 and 2 add, the others multiply, in the order of the parameters. ROOT never
    goes below the smallest positive number; here neither, with zero derivatives.
    """

    types = ("interpolation0d",)
    vars: Arguments = arguments("vars")
    nom: Argument = argument("nom")
    low: Arguments = arguments("low")
    high: Arguments = arguments("high")
    codes: tuple[int, ...] = value("interpolationCodes", read=as_codes, default=(0,))

    @staticmethod
    def check(found: dict) -> list[str]:
        """Lists of one length, codes that ROOT knows."""
        return _sizes(found, FLEXIBLE)

    def value(self, at: Point) -> Array:
        """The interpolated value."""
        total = interpolated(at, self, FLEXIBLE)
        return jnp.where(total > 0, total, jnp.finfo(total.dtype).tiny)


@dataclass(frozen=True, kw_only=True)
class PiecewiseInterpolation(Function):
    """A function between variations, functions themselves (PiecewiseInterpolation; not in the text of the standard).

    Keys `vars`, `nom`, `low`, `high`, `interpolationCodes` (one for each parameter, or one for all; 0 where they are
    absent) and `positiveDefinite` (below 0 the value is 0): 0 piecewise linear, 1 piecewise exponential, 2 parabola
    with linear ends, 4 polynomial with linear ends, 5 polynomial with exponential ends, 6 the same as 4 in factors.
    Codes 1, 5 and 6 multiply, the others add.
    """

    types = ("interpolation",)
    vars: Arguments = arguments("vars")
    nom: Argument = argument("nom")
    low: Arguments = arguments("low")
    high: Arguments = arguments("high")
    codes: tuple[int, ...] = value("interpolationCodes", read=as_codes, default=(0,))
    positive_definite: bool = flag("positiveDefinite", default=False)

    @staticmethod
    def check(found: dict) -> list[str]:
        """Lists of one length."""
        return _sizes(found, NUMBERS)

    def value(self, at: Point) -> Array:
        """The interpolated value."""
        total = interpolated(at, self, NUMBERS)
        return jnp.where(total > 0, total, 0.0) if self.positive_definite else total
