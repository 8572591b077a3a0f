"""Covariance, correlation and uncertainties from the exact Hessian of the negative log likelihood."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.fitting.problem import either, free_block

RIDGE = 1e-10
"""Added to a Hessian (scaled to unit diagonal) that is not positive definite, so that a flat direction can be
recognised.
"""


@jax.jit
def covariance_matrix(
    hessian: Float[Array, "parameters parameters"], held: Bool[Array, "parameters"]
) -> Float[Array, "parameters parameters"]:
    """Inverse of the Hessian on the parameters that are not `held`; rows and columns of held ones are 0.

    A parameter that lies in a flat direction (its variance exceeds 1e8 times what it would be alone) has variance
    infinity.
    """
    matrix, scale = free_block(hessian, held)
    identity = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    definite = jnp.all(jnp.isfinite(jnp.linalg.cholesky(matrix)))
    inverse = jax.scipy.linalg.solve(jnp.where(definite, matrix, matrix + RIDGE * identity), identity, assume_a="pos")
    inverse = jnp.where(either(held), 0.0, 0.5 * (inverse + inverse.T))
    flat = jnp.diagonal(inverse) > 1e8
    inverse = jnp.where(either(flat), jnp.where(jnp.diag(flat), jnp.inf, inverse * identity), inverse)
    return inverse / jnp.outer(scale, scale)


@jax.jit
def covariance_root(
    hessian: Float[Array, "parameters parameters"], held: Bool[Array, "parameters"]
) -> Float[Array, "parameters parameters"]:
    """A matrix R with R R^T = the covariance, for propagation: what a linear function of the parameters varies by is
    the length of its image under R^T. In a flat direction R is large (a ridge of 1e-10 on the scaled Hessian).
    """
    matrix, scale = free_block(hessian, held)
    identity = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    definite = jnp.all(jnp.isfinite(jnp.linalg.cholesky(matrix)))
    factor = jnp.linalg.cholesky(jnp.where(definite, matrix, matrix + RIDGE * identity))
    root = jax.scipy.linalg.solve_triangular(factor, identity, lower=True, trans=1)
    return jnp.where(either(held), 0.0, root) / scale[:, None]


@jax.jit
def correlation_matrix(covariance: Float[Array, "parameters parameters"]) -> Float[Array, "parameters parameters"]:
    """Correlation; 0 off the diagonal for parameters without variance, 1 on it."""
    sigma = jnp.sqrt(jnp.diagonal(covariance))
    known = (sigma > 0) & jnp.isfinite(sigma)
    safe = jnp.where(known, sigma, 1.0)
    scaled = jnp.where(either(~known), 0.0, covariance / jnp.outer(safe, safe))
    return jnp.fill_diagonal(scaled, 1.0, inplace=False)


@jax.jit
def standard_deviations(covariance: Float[Array, "parameters parameters"]) -> Float[Array, "parameters"]:
    """Square roots of the diagonal; infinite in flat directions."""
    return jnp.sqrt(jnp.diagonal(covariance))


@jax.jit
def smallest_eigenvalue(
    hessian: Float[Array, "parameters parameters"], held: Bool[Array, "parameters"]
) -> Float[Array, ""]:
    """Smallest eigenvalue of the Hessian on the free parameters, scaled to unit diagonal; 1 where nothing is free."""
    matrix, _ = free_block(hessian, held)
    return jnp.linalg.eigvalsh(matrix)[0]
