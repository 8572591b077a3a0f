r"""A Hessian by structure: an arrow.

With the *dense* parameters first and the *narrow* ones (bin-wise factors of one bin each) after them,

    H = | A  B^T |      A (dense, dense),  B (narrow, dense),  D diagonal (narrow,)
        | B   D  |

so that 10^4 gammas cost a border and a diagonal instead of 10^8 elements. A likelihood that knows of no structure has
dense parameters only.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced


class Structure(NamedTuple):
    """Flat indices of the dense and of the narrow parameters; together they are all of them."""

    dense: Int[Array, "dense"]
    narrow: Int[Array, "narrow"]


class Curvature(NamedTuple):
    """The blocks of a symmetric matrix of the form above, in the order of a `Structure`."""

    block: Float[Array, "dense dense"]
    border: Float[Array, "narrow dense"]
    diagonal: Float[Array, "narrow"]


class Walls(NamedTuple):
    """Expected counts of bins, which a step should not drive below zero, and their derivatives.

    **Fields:** `expected`; `dense` derivatives with respect to the dense parameters; `narrow` that of the bin `place`
    of each narrow one; `empty`: nothing is observed there, so that the likelihood is smooth down to 0 and ends in a
    wall; `filled`: something is, and its logarithm is the wall.
    """

    expected: Float[Array, "bins"]
    dense: Float[Array, "bins dense"]
    narrow: Float[Array, "narrow"]
    place: Int[Array, "narrow"]
    empty: Bool[Array, "bins"]
    filled: Bool[Array, "bins"]

    def moved(self, structure: Structure, move: Float[Array, "parameters"]) -> Float[Array, "bins"]:
        """How the expected counts change with a small step."""
        return (self.dense @ move[structure.dense]).at[self.place].add(self.narrow * move[structure.narrow])

    @property
    def only_empty_crossed(self) -> Bool[Array, ""]:
        """Whether empty bins have a negative expectation, and no others."""
        negative = self.expected < 0
        return jnp.any(self.empty & negative) & ~jnp.any(self.filled & negative)

    def penalty(self, weight: Float[Array, "bins"]) -> Curvature:
        """The Hessian of ½ sum of weight (expected + change)^2, to first order."""
        own = weight[self.place] * self.narrow
        block = (weight[:, None] * self.dense).T @ self.dense
        return Curvature(block, own[:, None] * self.dense[self.place], own * self.narrow)


def no_walls(structure: Structure, n_bins: int, dtype) -> Walls:
    """Nothing to beware of."""
    n_dense, n_narrow = structure.dense.size, structure.narrow.size
    never, place = jnp.zeros(n_bins, bool), jnp.zeros(n_narrow, jnp.int32)
    zeros = jnp.zeros(n_bins, dtype), jnp.zeros((n_bins, n_dense), dtype), jnp.zeros(n_narrow, dtype)
    return Walls(*zeros, place, never, never)


def without_structure(n_parameters: int) -> Structure:
    """All parameters dense, in the flat order."""
    return Structure(jnp.arange(n_parameters, dtype=jnp.int32), jnp.zeros(0, jnp.int32))


def dense_curvature(hessian: Float[Array, "parameters parameters"]) -> Curvature:
    """A matrix without structure."""
    n = hessian.shape[0]
    return Curvature(hessian, jnp.zeros((0, n), hessian.dtype), jnp.zeros(0, hessian.dtype))


def joined_parts(structure: Structure, dense: Float[Array, "dense"], narrow: Float[Array, "narrow"]) -> Array:
    """The flat vector `(parameters,)` of its two parts."""
    n = dense.size + narrow.size
    return (
        jnp.zeros(n, dense.dtype)
        .at[structure.dense]
        .set(dense, unique_indices=True)
        .at[structure.narrow]
        .set(narrow, unique_indices=True)
    )


@jax.jit
def full_matrix(structure: Structure, curvature: Curvature) -> Float[Array, "... parameters parameters"]:
    """The whole matrix in the flat order; leading axes, of all arrays, are kept."""
    if curvature.block.ndim > 2:
        return jax.vmap(full_matrix)(structure, curvature)
    dense, narrow = structure
    n = dense.size + narrow.size
    matrix = (
        jnp.zeros((n, n), curvature.block.dtype).at[jnp.ix_(dense, dense)].set(curvature.block, unique_indices=True)
    )
    matrix = matrix.at[jnp.ix_(narrow, dense)].set(curvature.border, unique_indices=True)
    matrix = matrix.at[jnp.ix_(dense, narrow)].set(curvature.border.T, unique_indices=True)
    return matrix.at[narrow, narrow].set(curvature.diagonal, unique_indices=True)


def diagonal_of(structure: Structure, curvature: Curvature) -> Float[Array | np.ndarray, "parameters"]:
    """The diagonal in the flat order; put together on the host where all values are known."""
    if is_traced(structure, curvature):
        return joined_parts(structure, jnp.diagonal(curvature.block), curvature.diagonal)
    dense, narrow = (np.asarray(each) for each in structure)
    diagonal = np.empty(dense.size + narrow.size, curvature.block.dtype)
    diagonal[dense], diagonal[narrow] = np.diagonal(curvature.block), curvature.diagonal
    return diagonal


def product(structure: Structure, curvature: Curvature, vector: Float[Array, "parameters"]) -> Array:
    """The matrix times a flat vector."""
    dense, narrow = vector[structure.dense], vector[structure.narrow]
    upper = curvature.block @ dense + narrow @ curvature.border
    return joined_parts(structure, upper, curvature.border @ dense + curvature.diagonal * narrow)


def all_finite(curvature: Curvature) -> Bool[Array, ""]:
    """Whether every element is a number."""
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(each)) for each in curvature]))
