"""Linear algebra with an arrow of dense and narrow parameters, against NumPy on the whole matrix."""

import jax.numpy as jnp
import numpy as np
import pytest

from histjax.fitting.arrow import factorised, inverse, inverse_blocks, inverse_root, scaled, without
from histjax.fitting.covariance import covariance_matrix, standard_deviations
from histjax.model.curvature import Curvature, Structure, diagonal_of, full_matrix, product

SIZES = [(3, 4), (5, 0), (1, 6), (0, 3)]


def arrow(n_dense: int, n_narrow: int, rng):
    """A random positive definite arrow with shuffled places, and the whole matrix made by hand."""
    n = n_dense + n_narrow
    places = rng.permutation(n)
    dense, narrow = places[:n_dense], places[n_dense:]
    border, diagonal = rng.normal(size=(n_narrow, n_dense)), rng.uniform(1.0, 9.0, n_narrow)
    root = rng.normal(size=(n_dense, n_dense))
    block = root @ root.T + np.eye(n_dense) + (border / diagonal[:, None]).T @ border
    matrix = np.zeros((n, n))
    matrix[np.ix_(dense, dense)], matrix[np.ix_(narrow, dense)], matrix[np.ix_(dense, narrow)] = block, border, border.T
    matrix[narrow, narrow] = diagonal
    return Structure(jnp.array(dense), jnp.array(narrow)), Curvature(*map(jnp.array, (block, border, diagonal))), matrix


@pytest.mark.parametrize(("n_dense", "n_narrow"), SIZES)
def test_matrix_and_products(n_dense, n_narrow, rng):
    """The flat order is that of the indices."""
    structure, curvature, matrix = arrow(n_dense, n_narrow, rng)
    vector = rng.normal(size=len(matrix))
    np.testing.assert_array_equal(full_matrix(structure, curvature), matrix)
    np.testing.assert_array_equal(diagonal_of(structure, curvature), np.diagonal(matrix))
    np.testing.assert_allclose(product(structure, curvature, jnp.array(vector)), matrix @ vector, rtol=1e-12)


@pytest.mark.parametrize(("n_dense", "n_narrow"), SIZES)
def test_solutions_and_inverses(n_dense, n_narrow, rng):
    """With some parameters held: those have identity rows."""
    structure, curvature, matrix = arrow(n_dense, n_narrow, rng)
    held = rng.random(len(matrix)) < 0.3
    scale = np.where(held, 1.0, np.sqrt(np.diagonal(matrix)))
    expected = np.where(held[:, None] | held, np.diag(held.astype(float)), matrix / np.outer(scale, scale))
    system = scaled(structure, curvature, jnp.array(held))
    np.testing.assert_allclose(system.matrix(), expected, rtol=1e-12, atol=1e-15)
    factor, right = factorised(system, 0.25), rng.normal(size=len(matrix))
    ridged = np.linalg.inv(expected + 0.25 * np.eye(len(matrix)))
    assert bool(factor.exists)
    np.testing.assert_allclose(factor.solve(jnp.array(right)), ridged @ right, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(inverse(factor), ridged, rtol=1e-10, atol=1e-12)
    root = np.asarray(inverse_root(factor))
    np.testing.assert_allclose(root @ root.T, ridged, rtol=1e-10, atol=1e-12)
    block, _, diagonal = inverse_blocks(factor)
    np.testing.assert_allclose(np.diagonal(block), np.diagonal(ridged)[np.asarray(structure.dense)], rtol=1e-10)
    np.testing.assert_allclose(diagonal, np.diagonal(ridged)[np.asarray(structure.narrow)], rtol=1e-10)
    more = without(system, jnp.ones(len(matrix), bool))
    np.testing.assert_array_equal(more.matrix(), np.eye(len(matrix)))


def test_covariance_and_standard_deviations(rng):
    """The diagonal alone is the diagonal of the whole; held parameters have none."""
    structure, curvature, matrix = arrow(4, 5, rng)
    held = np.arange(9) == int(structure.narrow[2])
    free = np.flatnonzero(~held)
    expected = np.zeros((9, 9))
    expected[np.ix_(free, free)] = np.linalg.inv(matrix[np.ix_(free, free)])
    np.testing.assert_allclose(covariance_matrix(structure, curvature, jnp.array(held)), expected, atol=1e-12)
    sigma = standard_deviations(structure, curvature, jnp.array(held))
    np.testing.assert_allclose(sigma, np.sqrt(np.diagonal(expected)), rtol=1e-10)


@pytest.mark.parametrize("where", ["pivot", "schur"])
def test_what_is_not_positive_definite(where, rng):
    """A negative pivot, or a Schur complement without a Cholesky factor; a ridge that is large enough helps."""
    structure, curvature, _ = arrow(3, 4, rng)
    if where == "pivot":
        curvature = curvature._replace(diagonal=curvature.diagonal.at[1].set(-2.0))
    else:
        curvature = curvature._replace(block=curvature.block - 50 * jnp.eye(3))
    system = scaled(structure, curvature, jnp.zeros(7, bool))
    assert np.linalg.eigvalsh(np.asarray(system.matrix()))[0] < 0
    assert not bool(factorised(system, 0.0).exists)
    assert bool(factorised(system, 100.0).exists)
