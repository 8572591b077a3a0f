"""The value of an expression as a function of its names, in JAX."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike

from histjax.errors import UnknownName
from histjax.hs3.expressions.guarding import safe_point
from histjax.hs3.expressions.operations import combined, truth
from histjax.hs3.expressions.syntax import Conditional, Expression, Name, names


def evaluate(expression: Expression, values: Mapping[str, ArrayLike]) -> Array:
    """The value of an expression.

    Comparisons and logical operators are 0 or 1, and have no derivatives. Of a conditional both branches are computed;
    the one that is not used is computed at another point, so that it adds 0 to all derivatives, not NaN.

    **Arguments:**

    - `expression`: a tree of `parse`.
    - `values`: an array for each name in it; others are ignored. Their shapes broadcast.

    **Returns:** an array of the common floating-point type of the values used, with the shape to which those broadcast
    that the result depends on: `()` for a constant.

    **Raises:** `UnknownName` for a name without a value.

    >>> import jax
    >>> from histjax.hs3.expressions import parse
    >>> positive_part = parse("x > 0 ? x*log(x) : 0")
    >>> print(evaluate(positive_part, {"x": jnp.array([-1.0, 0.0, 1.0])}))
    [0. 0. 0.]
    >>> print(jax.grad(lambda x: evaluate(positive_part, {"x": x}))(-1.0))
    0.0
    """
    used = names(expression)
    for name in used:
        if name not in values:
            raise UnknownName("parameter", name, list(values))
    arrays = {name: _floating(values[name]) for name in used}
    result = _value(expression, arrays)
    return jnp.asarray(result, jnp.result_type(*arrays.values())) if arrays else jnp.asarray(result)


def _floating(value: ArrayLike) -> Array:
    value = jnp.asarray(value)
    return value if jnp.issubdtype(value.dtype, jnp.floating) else value.astype(float)


def _value(node: Expression, arrays: dict[str, Array]) -> Array | float:
    if isinstance(node, Name):
        return arrays[node.name]
    if isinstance(node, Conditional):
        return _conditional(node, arrays)
    return combined(node, [_value(child, arrays) for child in node.children])


def _conditional(node: Conditional, arrays: dict[str, Array]) -> Array | float:
    """The first case whose condition holds; cases whose condition is a constant are decided here."""
    branches, remaining, last = [], True, node.otherwise
    for condition, result in node.cases:
        holds = truth(_value(condition, arrays))
        if holds is True:
            last = result
            break
        if holds is not False:
            branches.append((holds, _guarded(result, remaining & holds, arrays)))
            remaining = remaining & ~holds
    value = _guarded(last, remaining, arrays)
    for holds, branch in reversed(branches):
        value = jnp.where(holds, branch, value)
    return value


def _guarded(branch: Expression, is_used, arrays: dict[str, Array]) -> Array | float:
    """A branch, at a safe point where it is not used."""
    if is_used is True:
        return _value(branch, arrays)
    safe = {name: jnp.where(is_used, arrays[name], value) for name, value in safe_point(branch).items()}
    return _value(branch, safe)
