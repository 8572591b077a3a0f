"""The words of the language: constants, functions with their arities, and ROOT's spellings of them."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import jax.scipy.special
import numpy as np

CONSTANTS = {"PI": math.pi, "EULER": math.e, "TRUE": 1.0, "FALSE": 0.0}


class Function(NamedTuple):
    """A function on arrays of NumPy and of JAX, and how many arguments it takes (`most` is `None` for any number)."""

    numpy: Callable
    jax: Callable
    fewest: int = 1
    most: int | None = 1


def _smallest(minimum: Callable, *values):
    return functools.reduce(minimum, values)


def _each(function: Callable, value):
    return np.vectorize(function, otypes=[float])(value)


def _absolute(value):
    """|x|, with the derivative 0 at 0, where that of `jnp.abs` is 1."""
    return value * jnp.sign(value)


def power(base, exponent, xp):
    """`base^exponent`; small integers are products, whose derivatives at 0 are right. 0^0 is 1."""
    if xp is jnp and isinstance(exponent, float) and exponent.is_integer() and abs(exponent) <= 64:
        return jax.lax.integer_pow(base, int(exponent))
    if xp is jnp:  # JAX's slope of 0^0 in its base is 0 times infinity; that of 1^0 is 0, which is right
        base = jnp.where((base == 0) & (exponent == 0), 1.0, base)
    return xp.power(base, exponent)


STANDARD = {
    "exp": Function(np.exp, jnp.exp),
    "log": Function(np.log, jnp.log),
    "sqrt": Function(np.sqrt, jnp.sqrt),
    "abs": Function(np.abs, _absolute),
    "pow": Function(functools.partial(power, xp=np), functools.partial(power, xp=jnp), 2, 2),
    "min": Function(functools.partial(_smallest, np.minimum), functools.partial(_smallest, jnp.minimum), 1, None),
    "max": Function(functools.partial(_smallest, np.maximum), functools.partial(_smallest, jnp.maximum), 1, None),
    "sin": Function(np.sin, jnp.sin),
    "cos": Function(np.cos, jnp.cos),
    "tan": Function(np.tan, jnp.tan),
    "asin": Function(np.arcsin, jnp.arcsin),
    "acos": Function(np.arccos, jnp.arccos),
    "atan": Function(np.arctan, jnp.arctan),
}
"""What the standard asks for."""

OURS = {
    "sinh": Function(np.sinh, jnp.sinh),
    "cosh": Function(np.cosh, jnp.cosh),
    "tanh": Function(np.tanh, jnp.tanh),
    "log10": Function(np.log10, jnp.log10),
    "log2": Function(np.log2, jnp.log2),
    "erf": Function(functools.partial(_each, math.erf), jax.scipy.special.erf),
    "erfc": Function(functools.partial(_each, math.erfc), jax.scipy.special.erfc),
    "floor": Function(np.floor, jnp.floor),
    "ceil": Function(np.ceil, jnp.ceil),
    "sign": Function(np.sign, jnp.sign),
    "atan2": Function(np.arctan2, jnp.arctan2, 2, 2),
}
"""What is accepted besides: documents that use them are not portable."""

FUNCTIONS = {**STANDARD, **OURS}

SPELLINGS = {
    "fabs": "abs",
    "ln": "log",
    "TMath::Exp": "exp",
    "TMath::Log": "log",
    "TMath::Power": "pow",
    "TMath::Sqrt": "sqrt",
    "TMath::Abs": "abs",
    "TMath::Max": "max",
    "TMath::Min": "min",
    "TMath::Sin": "sin",
    "TMath::Cos": "cos",
    "TMath::Tan": "tan",
    "TMath::ASin": "asin",
    "TMath::ACos": "acos",
    "TMath::ATan": "atan",
    "TMath::ATan2": "atan2",
    "TMath::SinH": "sinh",
    "TMath::CosH": "cosh",
    "TMath::TanH": "tanh",
    "TMath::Log10": "log10",
    "TMath::Log2": "log2",
    "TMath::Erf": "erf",
    "TMath::Erfc": "erfc",
    "TMath::Floor": "floor",
    "TMath::Ceil": "ceil",
}
"""Other spellings of functions."""

CALLED_CONSTANTS = {"TMath::Pi": "PI", "TMath::E": "EULER"}
"""Constants that are written with empty parentheses."""


def function_name(word: str) -> str | None:
    """The function that a word means, `None` if there is none.

    >>> function_name("TMath::Power"), function_name("std::exp"), function_name("mu")
    ('pow', 'exp', None)
    """
    word = word.removeprefix("std::")
    word = SPELLINGS.get(word, word)
    return word if word in FUNCTIONS or word == "ifelse" else None
