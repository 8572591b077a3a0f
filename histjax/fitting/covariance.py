"""Covariance, correlation and uncertainties from the exact Hessian of the negative log likelihood."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.fitting.arrow import Factor, System, factorised, inverse, inverse_blocks, inverse_root, scaled
from histjax.model.curvature import Curvature, Structure, joined_parts

RIDGE = 1e-10
"""Added to a Hessian (scaled to unit diagonal) that is not positive definite, so that a flat direction can be
recognised.
"""

FLAT = 1e8
"""A variance that exceeds what the parameter would have alone by this factor is infinite: a flat direction."""


@jax.jit
def covariance_matrix(
    structure: Structure, curvature: Curvature, held: Bool[Array, "parameters"]
) -> Float[Array, "parameters parameters"]:
    """Inverse of the Hessian on the parameters that are not `held`; rows and columns of held ones are 0.

    A parameter that lies in a flat direction has variance infinity, and no covariance.
    """
    system = scaled(structure, curvature, held)
    matrix = inverse(_definite(system))
    matrix = jnp.where(_either(held), 0.0, 0.5 * (matrix + matrix.T))
    flat = jnp.diagonal(matrix) > FLAT
    alone = jnp.diag(jnp.where(flat, jnp.inf, jnp.diagonal(matrix)))
    return jnp.where(_either(flat), alone, matrix) / jnp.outer(system.scale, system.scale)


@jax.jit
def standard_deviations(
    structure: Structure, curvature: Curvature, held: Bool[Array, "parameters"]
) -> Float[Array, "parameters"]:
    """Square roots of the diagonal of the covariance, without the rest of it; infinite in flat directions."""
    system = scaled(structure, curvature, held)
    block, _, diagonal = inverse_blocks(_definite(system))
    variance = jnp.where(held, 0.0, joined_parts(structure, jnp.diagonal(block), diagonal))
    return jnp.sqrt(jnp.where(variance > FLAT, jnp.inf, variance)) / system.scale


@jax.jit
def covariance_root(
    structure: Structure, curvature: Curvature, held: Bool[Array, "parameters"]
) -> Float[Array, "parameters parameters"]:
    """A matrix R with R R^T = the covariance, for propagation: what a linear function of the parameters varies by is
    the length of its image under R^T. In a flat direction R is large (a ridge of 1e-10 on the scaled Hessian).
    """
    system = scaled(structure, curvature, held)
    root = jnp.where(held[:, None], 0.0, inverse_root(_definite(system)))
    return root / system.scale[:, None]


@jax.jit
def correlation_matrix(covariance: Float[Array, "parameters parameters"]) -> Float[Array, "parameters parameters"]:
    """Correlation; 0 off the diagonal for parameters without variance, 1 on it."""
    sigma = jnp.sqrt(jnp.diagonal(covariance))
    known = (sigma > 0) & jnp.isfinite(sigma)
    safe = jnp.where(known, sigma, 1.0)
    correlation = jnp.where(_either(~known), 0.0, covariance / jnp.outer(safe, safe))
    return jnp.fill_diagonal(correlation, 1.0, inplace=False)


@jax.jit
def smallest_eigenvalue(
    structure: Structure, curvature: Curvature, held: Bool[Array, "parameters"]
) -> Float[Array, ""]:
    """Smallest eigenvalue of the Hessian on the free parameters, scaled to unit diagonal; 1 where nothing is free."""
    return jnp.linalg.eigvalsh(scaled(structure, curvature, held).matrix())[0]


def _definite(system: System) -> Factor:
    """The factorised matrix, with a ridge where it is not positive definite."""
    definite = factorised(system, 0.0).exists
    return factorised(system, jnp.where(definite, 0.0, RIDGE))


def _either(mask: Bool[Array, "parameters"]) -> Bool[Array, "parameters parameters"]:
    """Which elements of a matrix lie in a masked row or column."""
    return mask[:, None] | mask[None, :]
