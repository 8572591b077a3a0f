r"""Linear algebra with a Hessian by structure (`histjax.model.curvature`), scaled to unit diagonal.

The narrow parameters are eliminated: with pivots P = D + ridge, the Schur complement S = A + ridge - B^T P^-1 B of the
dense block is all that is factorised, and the matrix is positive definite exactly where all pivots are positive and
the Cholesky factor of S exists. Held parameters have identity rows: it is their *step* that is frozen.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.model.curvature import Curvature, Structure, diagonal_of, full_matrix, joined_parts, product

NO_EFFECT = 1e-12
"""A parameter with a second derivative below it has no effect; it is not scaled."""


class System(NamedTuple):
    """A Hessian scaled to unit diagonal, with identity rows for held parameters; `scale` is flat, `(parameters,)`."""

    structure: Structure
    curvature: Curvature
    scale: Float[Array, "parameters"]

    def times(self, vector: Float[Array, "parameters"]) -> Float[Array, "parameters"]:
        """The scaled matrix times a flat vector."""
        return product(self.structure, self.curvature, vector)

    def matrix(self) -> Float[Array, "parameters parameters"]:
        """The whole scaled matrix in the flat order."""
        return full_matrix(self.structure, self.curvature)


class Factor(NamedTuple):
    """A factorised system: `lower` is the Cholesky factor of the Schur complement, NaN where there is none."""

    structure: Structure
    lower: Float[Array, "dense dense"]
    border: Float[Array, "narrow dense"]
    pivots: Float[Array, "narrow"]

    @property
    def exists(self) -> Bool[Array, ""]:
        """Whether the matrix is positive definite."""
        return jnp.all(jnp.isfinite(jnp.diagonal(self.lower))) & jnp.all(self.pivots > 0)

    def solve(self, right: Float[Array, "parameters"]) -> Float[Array, "parameters"]:
        """The solution for a flat right-hand side."""
        dense, narrow = right[self.structure.dense], right[self.structure.narrow] / self.pivots
        dense = jax.scipy.linalg.cho_solve((self.lower, True), dense - narrow @ self.border)
        return joined_parts(self.structure, dense, narrow - (self.border @ dense) / self.pivots)


def scaled(structure: Structure, curvature: Curvature, held: Bool[Array, "parameters"]) -> System:
    """The Hessian on the parameters that are not held, scaled to unit diagonal."""
    diagonal = jnp.abs(diagonal_of(structure, curvature))
    scale = jnp.sqrt(jnp.where(held | (diagonal < NO_EFFECT), 1.0, diagonal))
    inverse = jnp.where(held, 0.0, 1 / scale)
    dense, narrow = inverse[structure.dense], inverse[structure.narrow]
    unit = held.astype(inverse.dtype)
    block = curvature.block * (dense[:, None] * dense[None, :]) + jnp.diag(unit[structure.dense])
    border = curvature.border * (narrow[:, None] * dense[None, :])
    return System(structure, Curvature(block, border, curvature.diagonal * narrow**2 + unit[structure.narrow]), scale)


def without(system: System, held: Bool[Array, "parameters"]) -> System:
    """The system with identity rows for more parameters."""
    structure, (block, border, diagonal), scale = system
    kept = jnp.where(held, 0.0, 1.0).astype(block.dtype)
    dense, narrow = kept[structure.dense], kept[structure.narrow]
    block = block * (dense[:, None] * dense[None, :]) + jnp.diag(1 - dense)
    border = border * (narrow[:, None] * dense[None, :])
    return System(structure, Curvature(block, border, jnp.where(narrow > 0, diagonal, 1.0)), scale)


def factorised(system: System, ridge: Float[Array, ""] | float) -> Factor:
    """Factorise the scaled matrix with `ridge` added to its diagonal."""
    structure, (block, border, diagonal), _ = system
    pivots = diagonal + ridge
    schur = block + ridge * jnp.eye(block.shape[0], dtype=block.dtype)
    if border.shape[0]:
        schur = schur - (border / pivots[:, None]).T @ border
    return Factor(structure, jnp.linalg.cholesky(schur), border, pivots)


def inverse_blocks(factor: Factor) -> tuple[Array, Array, Array]:
    """The inverse: dense block `(dense, dense)`, border `(narrow, dense)` and the diagonal `(narrow,)` alone."""
    identity = jnp.eye(factor.lower.shape[0], dtype=factor.lower.dtype)
    block = jax.scipy.linalg.cho_solve((factor.lower, True), identity)
    reduced = factor.border / factor.pivots[:, None]
    border = -reduced @ block
    return block, border, 1 / factor.pivots - jnp.sum(border * reduced, axis=1)


def inverse(factor: Factor) -> Float[Array, "parameters parameters"]:
    """The inverse as a whole, in the flat order."""
    dense, narrow = factor.structure
    block, border, _ = inverse_blocks(factor)
    corner = jnp.diag(1 / factor.pivots) - border @ (factor.border / factor.pivots[:, None]).T
    n = dense.size + narrow.size
    matrix = jnp.zeros((n, n), block.dtype).at[jnp.ix_(dense, dense)].set(block, unique_indices=True)
    matrix = (
        matrix.at[jnp.ix_(narrow, dense)]
        .set(border, unique_indices=True)
        .at[jnp.ix_(dense, narrow)]
        .set(border.T, unique_indices=True)
    )
    return matrix.at[jnp.ix_(narrow, narrow)].set(corner, unique_indices=True)


def inverse_root(factor: Factor) -> Float[Array, "parameters parameters"]:
    """A matrix R with R R^T = the inverse; rows in the flat order."""
    dense, narrow = factor.structure
    identity = jnp.eye(factor.lower.shape[0], dtype=factor.lower.dtype)
    corner = jax.scipy.linalg.solve_triangular(factor.lower, identity, lower=True, trans=1)
    root = jnp.diag(1 / jnp.sqrt(factor.pivots))
    side = -(factor.border / factor.pivots[:, None]) @ corner
    n = dense.size + narrow.size
    rows = jnp.concatenate(
        [
            jnp.concatenate([corner, jnp.zeros((dense.size, narrow.size), corner.dtype)], axis=1),
            jnp.concatenate([side, root], axis=1),
        ]
    )
    return jnp.zeros((n, n), corner.dtype).at[jnp.concatenate([dense, narrow])].set(rows, unique_indices=True)
