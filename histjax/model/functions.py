"""Factors that are JAX functions of named parameters, and what they add to the derivatives.

With G the product of such factors on a cell and c the cell without them, the expected count is c·G: first derivatives
are G ∂c + c ∂G, second ones G ∂∂c + ∂c ∂G + ∂G ∂c + c ∂∂G. The parameters of the functions are few, so their own
derivatives are left to JAX.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from histjax.errors import InvalidModel


class FactorFunction(eqx.Module):
    """One factor: `function` of the arguments at `(start, size, shape)` in the flat vector, on the cells of `rows`.

    A function that is an `equinox.Module` keeps its arrays as leaves; any other one is static.
    """

    function: Callable | None
    static_function: Callable | None = eqx.field(static=True)
    arguments: tuple[tuple[int, int, tuple[int, ...]], ...] = eqx.field(static=True)
    rows: tuple[tuple[int, int], ...] = eqx.field(static=True)

    @classmethod
    def of(cls, function: Callable, arguments, rows) -> "FactorFunction":
        """Decide what is a leaf."""
        has_leaves = isinstance(function, eqx.Module)
        return cls(function if has_leaves else None, None if has_leaves else function, arguments, rows)

    @property
    def indices(self) -> tuple[int, ...]:
        """Flat indices of the arguments."""
        return tuple(i for start, size, _ in self.arguments for i in range(start, start + size))

    def values(self, vector: Float[Array, "parameters"]) -> list[Float[Array, "bins"]]:
        """The factor for every row, `(bins,)` each."""
        call = self.function if self.static_function is None else self.static_function
        arguments = (vector[start : start + size].reshape(shape) for start, size, shape in self.arguments)
        value = jnp.asarray(call(*arguments), vector.dtype)
        for start, stop in self.rows:
            if value.shape not in ((), (stop - start,)):
                raise InvalidModel(
                    f"a Factor returned shape {value.shape} for a channel of {stop - start} bins: expected () or "
                    f"({stop - start},)"
                )
        return [jnp.broadcast_to(value, (stop - start,)) for start, stop in self.rows]


Functions = tuple[FactorFunction, ...]


def function_factors(functions: Functions, vector: Float[Array, "parameters"], n_cells: int) -> Float[Array, "cells"]:
    """The product of all functions that act on each cell."""
    factors = jnp.ones(n_cells, vector.dtype)
    for each in functions:
        for (start, stop), value in zip(each.rows, each.values(vector), strict=True):
            factors = factors.at[start:stop].multiply(value, unique_indices=True)
    return factors


def function_indices(functions: Functions) -> Int[np.ndarray, "arguments"]:
    """Flat indices of all parameters that the functions depend on, sorted."""
    return np.unique(np.array([i for each in functions for i in each.indices], np.int32))


def function_jacobian(
    functions: Functions, vector: Float[Array, "parameters"], n_cells: int
) -> Float[Array, "cells arguments"]:
    """Derivatives of `function_factors` with respect to the parameters at `function_indices`."""
    index = function_indices(functions)
    return jax.jacfwd(lambda values: function_factors(functions, vector.at[index].set(values), n_cells))(vector[index])


def function_curvature(
    functions: Functions, vector: Float[Array, "parameters"], weight: Float[Array, "cells"]
) -> Float[Array, "arguments arguments"]:
    """Second derivatives of `function_factors`, summed over cells with `weight`."""
    index = function_indices(functions)

    def total(values):
        return weight @ function_factors(functions, vector.at[index].set(values), weight.size)

    return jax.hessian(total)(vector[index])
