"""What one node does to the values of its children, on floats and NumPy arrays or on JAX arrays."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from histjax.hs3.expressions.functions import CONSTANTS, FUNCTIONS, power
from histjax.hs3.expressions.syntax import Binary, Call, Comparison, Constant, Expression, Logical, Number, Unary

CLOSE = 4.0
"""How many units of the last place `==` forgives."""


def combined(node: Expression, operands: list):
    """The value of a node that is no name and no conditional.

    Constants stay Python floats, computed by NumPy in double precision: they take the type of the arrays that they
    meet, and `9^9^9^9` is infinite at once.
    """
    if any(isinstance(each, jax.Array) for each in operands):
        return _combined(node, operands, jnp)
    with np.errstate(all="ignore"):
        value = _combined(node, operands, np)
    return value if np.ndim(value) else float(value)


def truth(value):
    """Whether a value counts as true, element by element: where it is not 0."""
    return value != 0.0


def _combined(node: Expression, operands: list, xp):
    match node:
        case Number(value):
            return value
        case Constant(name):
            return CONSTANTS[name]
        case Unary("-"):
            return xp.negative(operands[0])
        case Unary("!"):
            return _as_number(~_boolean(operands[0], xp), xp)
        case Binary():
            return _chain(node, operands, xp)
        case Comparison(operator):
            return _as_number(_compared(operator, *operands, xp), xp)
        case Logical(operator):
            both = xp.logical_and if operator == "&&" else xp.logical_or
            return _as_number(functools.reduce(both, [_boolean(each, xp) for each in operands]), xp)
        case Call(function):
            chosen = FUNCTIONS[function]
            return (chosen.jax if xp is jnp else chosen.numpy)(*operands)


def _boolean(value, xp):
    return xp.asarray(truth(value))


def _as_number(truths, xp):
    return xp.where(truths, 1.0, 0.0)


def _chain(node: Binary, operands: list, xp):
    value = operands[0]
    for (operator, _), operand in zip(node.rest, operands[1:], strict=True):
        match operator:
            case "+":
                value = xp.add(value, operand)
            case "-":
                value = xp.subtract(value, operand)
            case "*":
                value = xp.multiply(value, operand)
            case "/":
                value = xp.divide(value, operand)
            case "^":
                value = power(value, operand, xp)
    return value


def _compared(operator: str, left, right, xp):
    match operator:
        case "<":
            return xp.less(left, right)
        case "<=":
            return xp.less_equal(left, right)
        case ">":
            return xp.greater(left, right)
        case ">=":
            return xp.greater_equal(left, right)
        case "===":
            return xp.equal(left, right)
        case "!==":
            return xp.not_equal(left, right)
        case "==":
            return _close(left, right, xp)
        case "!=":
            return ~_close(left, right, xp)


def _close(left, right, xp):
    """Equal up to rounding; infinities are close to themselves only, and nothing is close to 0 but 0."""
    tolerance = CLOSE * xp.finfo(xp.result_type(left, right)).eps * xp.minimum(xp.abs(left), xp.abs(right))
    difference = xp.abs(xp.subtract(left, right))
    return xp.equal(left, right) | ((difference <= tolerance) & (difference < float("inf")))
