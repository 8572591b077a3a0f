r"""Value, gradient and exact Hessian of the negative log likelihood by structure, for the cost of a few evaluations.

With cell = D · F, D = nominal + sum of shifts d_p, F = product of factors f_p, and l_p = f_p'/f_p,

    ∂_p cell     = F d_p' + D F l_p
    ∂_p ∂_q cell = F (d_p' l_q + d_q' l_p) + D F l_p l_q          (p ≠ q)
    ∂_p² cell    = F d_p'' + 2 F d_p' l_p + D F f_p''/f_p

so nothing but the scalar functions is differentiated. Parameters that act on whole rows (interpolating ones and scalar
factors: *globals*) are dense; so are bin-wise factors that share a bin (*wide*). The others (*narrow*) touch one bin
each and never meet each other: the Hessian is an arrow (`histjax.model.curvature`). What needs the derivatives of the
cells is in `histjax.model.slopes`.

A factor that is zero (a signal at mu = 0) is moved to `_nudge`: the cell is then negligible and l_p its exact
inverse, so that every product of the two comes out right to rounding, without a product over "all the others". Only
the diagonal, where f''/f and not l² stands, has to be set apart.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables
from histjax.model.constraints import Constraints, constraint_derivatives
from histjax.model.curvature import Curvature, Walls
from histjax.model.density import FLOOR, poisson_derivatives, poisson_deviance
from histjax.model.derive import Coefficients
from histjax.model.effects import clipped
from histjax.model.functions import Functions, function_curvature, function_indices
from histjax.model.slopes import Rates, Sums, rates_of, summed

MOST_PULL = 1.0
"""The slope of an empty bin by itself. With 0 one of a hundred toys of CMS VH(bb) did not converge; 10 and 100 take a
third more iterations there, and some on ATLAS 1Lbb."""


def derivatives(
    layout: Layout,
    tables: Tables,
    coefficients: Coefficients,
    constraints: Constraints,
    functions: Functions,
    weights: Float[Array, "bins"],
    vector: Float[Array, "parameters"],
    counts: Float[Array, "bins"],
    auxiliary: Float[Array, "auxiliaries"],
    convex: bool = False,
) -> tuple[Float[Array, ""], Float[Array, "parameters"], Curvature, Walls]:
    """-ln L(vector) + ln L(saturated), its gradient and its Hessian, and the bins to beware of.

    With `convex`, the bend of an expectation below the floor is weighted with a slope of at least -`MOST_PULL`: further
    down the wall is steep, and its own slope makes a bad model for a step. At a minimum on a wall the slope is what
    pulls the bin down, rarely more, and the bend belongs to the curvature along the wall.
    """
    value, gradient, curvature, walls = _main(layout, tables, coefficients, functions, weights, vector, counts, convex)
    constraint, slope, bend, block = constraint_derivatives(tables, constraints, vector, auxiliary)
    dense, narrow = tables.dense_parameter, tables.narrow_parameter
    total = curvature.block + jnp.diag(bend[dense])
    if block.size:
        place = tables.split_place[tables.correlated_parameter]
        total = total.at[jnp.ix_(place, place)].add(block)
    curvature = Curvature(total, curvature.border, curvature.diagonal + bend[narrow])
    return value + constraint, gradient + slope, curvature, walls


def _main(
    layout: Layout, tables: Tables, coefficients: Coefficients, functions: Functions, weights, vector, counts, convex
):
    """The Poisson terms of the main measurement."""
    rates = rates_of(layout, tables, coefficients, functions, vector)
    cells = clipped(rates.cells, layout.clip_sample_data)
    yields = jax.ops.segment_sum(cells, tables.bin_of_cell, layout.n_bins)
    expected = clipped(yields, layout.clip_bin_data)
    first, second = (weights * each for each in poisson_derivatives(counts, expected))
    if layout.clip_bin_data is not None:
        first, second = (jnp.where(yields > layout.clip_bin_data, each, 0.0) for each in (first, second))
    bends = jnp.where(yields > FLOOR, first, jnp.maximum(first, -MOST_PULL)) if convex else first
    weight = bends[tables.bin_of_cell]
    sums = summed(layout, tables, coefficients, functions, rates, weight, vector)
    jacobian = _dense_jacobian(layout, tables, functions, sums)
    slope = jnp.concatenate([first @ jacobian, first[tables.narrow_bin] * sums.narrow_slope])
    curvature = _curvature(layout, tables, functions, rates, weight, vector, sums, jacobian, second)
    seen = weights > 0
    bins = Walls(expected, jacobian, sums.narrow_slope, tables.narrow_bin, seen & (counts <= 0), seen & (counts > 0))
    return weights @ poisson_deviance(counts, expected), slope[tables.split_place], curvature, bins


def _dense_jacobian(layout: Layout, tables: Tables, functions: Functions, sums: Sums) -> Float[Array, "bins dense"]:
    """Derivatives of the expected counts per bin with respect to the dense parameters."""
    n_acting = sums.jacobian.shape[1] + sums.wide_jacobian.shape[1]
    rest = jnp.zeros((layout.n_bins, tables.dense_parameter.size - n_acting), sums.jacobian.dtype)
    jacobian = jnp.concatenate([sums.jacobian, sums.wide_jacobian, rest], axis=1)
    return jacobian.at[:, _arguments(tables, functions)].add(sums.moved) if functions else jacobian


def _arguments(tables: Tables, functions: Functions):
    """Places of the functions' parameters among the dense ones."""
    return tables.split_place[function_indices(functions)]


def _curvature(
    layout: Layout, tables: Tables, functions: Functions, rates: Rates, weight, vector, sums: Sums, jacobian, second
) -> Curvature:
    """`jacobian^T second jacobian` and the second derivatives of the cells, summed with their weights.

    The globals among each other are one matrix product over rows: with K = [½ (weight · l) + shifts]^T l it is K + K^T,
    and what that leaves on the diagonal is replaced by the diagonal proper.
    """
    n_globals, n_alphas = rates.logs.shape[1], len(layout.alphas)
    n_rest = jacobian.shape[1] - n_globals
    half = (0.5 * sums.row_weight[:, None] * rates.logs).at[:, :n_alphas].add(sums.row_shifts)
    product = half.T @ rates.logs
    block = (second[:, None] * jacobian).T @ jacobian
    block = block.at[:n_globals, :n_globals].add(product + product.T)
    diagonal = sums.bends + 2 * jnp.sum(sums.row_shifts * rates.logs[:, :n_alphas], axis=0)
    diagonal = diagonal.at[tables.normsys_alpha].add(sums.row_weight[tables.normsys_row] * rates.normsys_bends)
    diagonal = jnp.pad(diagonal, (0, jacobian.shape[1] - n_alphas)) + second @ jacobian**2
    block = jnp.fill_diagonal(block, diagonal, inplace=False)
    own = second[tables.narrow_bin] * sums.narrow_slope
    border = jnp.pad(sums.narrow_mixed, ((0, 0), (0, n_rest))) + own[:, None] * jacobian[tables.narrow_bin]
    if layout.n_wide:
        place = slice(n_globals, n_globals + layout.n_wide)
        block = block.at[place, :n_globals].add(sums.wide_mixed).at[:n_globals, place].add(sums.wide_mixed.T)
        block = block.at[place, place].add(sums.wide_pairs)
        border = border.at[:, place].add(sums.narrow_pairs)
    if functions:
        block, border = _with_functions(tables, functions, rates, weight, vector, sums, block, border)
    return Curvature(block, border, own * sums.narrow_slope)


def _with_functions(tables: Tables, functions: Functions, rates: Rates, weight, vector, sums: Sums, block, border):
    """Add the second derivatives in which functions take part."""
    place = _arguments(tables, functions)
    own = function_curvature(functions, vector, weight * rates.plain)
    mixed = jnp.zeros((block.shape[0], place.size), block.dtype).at[: sums.mixed.shape[0]].set(sums.mixed)
    block = block.at[:, place].add(mixed).at[place, :].add(mixed.T).at[jnp.ix_(place, place)].add(own)
    return block, border.at[:, place].add(sums.narrow_functions)
