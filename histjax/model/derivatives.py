r"""Value, gradient and exact Hessian of the negative log likelihood by structure, for the cost of a few evaluations.

With cell = D · F, D = nominal + sum of shifts d_p, F = product of factors f_p, and l_p = f_p'/f_p,

    ∂_p cell     = F d_p' + D F l_p
    ∂_p ∂_q cell = F (d_p' l_q + d_q' l_p) + D F l_p l_q          (p ≠ q)
    ∂_p² cell    = F d_p'' + 2 F d_p' l_p + D F f_p''/f_p

so nothing but the scalar functions is differentiated. Parameters that act on whole rows (interpolating ones and scalar
factors: *globals*) are dense; bin-wise factors (*locals*) touch one cell each and stay sparse until the end.

A factor that is zero (a signal at mu = 0) is moved to `_nudge`: the cell is then negligible and l_p its exact
inverse, so that every product of the two comes out right to rounding, without a product over "all the others". Only
the diagonal, where f''/f and not l² stands, has to be set apart.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables
from histjax.model.constraints import Constraints, constraint_derivatives
from histjax.model.density import poisson_derivatives, poisson_deviance
from histjax.model.derive import Coefficients
from histjax.model.effects import by_code, clipped, normsys_factors
from histjax.model.functions import (
    Functions,
    function_curvature,
    function_factors,
    function_indices,
    function_jacobian,
)
from histjax.model.interpolation import even_function, odd_function


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
) -> tuple[Float[Array, ""], Float[Array, "parameters"], Float[Array, "parameters parameters"]]:
    """-ln L(vector) + ln L(saturated), its gradient and its Hessian."""
    main = _main(layout, tables, coefficients, functions, weights, vector, counts)
    constraint = constraint_derivatives(tables, constraints, vector, auxiliary)
    value, gradient, hessian = (a + b for a, b in zip(main, constraint, strict=True))
    return value, gradient, hessian


class Slopes(NamedTuple):
    """First derivatives of the cells, and what their second derivatives are made of.

    Globals are the interpolating parameters, then the scalar factors.

    **Fields:** `cells` expected counts; `logs` l of the globals, constant along a row; `shifts` F d' of the
    interpolating parameters; `jacobian` = shifts + cells · logs; `local_logs` l of each local entry; `alpha_bends` F
    d''; `normsys_bends` f''/f of each normsys entry; `factors` the parameter vector with zero factors nudged, and a 1
    at its end.
    """

    cells: Float[Array, "cells"]
    logs: Float[Array, "rows globals"]
    shifts: Float[Array, "cells alphas"]
    jacobian: Float[Array, "cells globals"]
    local_logs: Float[Array, "local_entries"]
    alpha_bends: Float[Array, "cells alphas"]
    normsys_bends: Float[Array, "normsys_entries"]
    factors: Float[Array, "parameters_and_one"]


def _main(layout: Layout, tables: Tables, coefficients: Coefficients, functions: Functions, weights, vector, counts):
    """The Poisson terms of the main measurement."""
    plain = _slopes(layout, tables, coefficients, vector)
    slopes = _scaled(plain, function_factors(functions, vector, layout.n_cells)) if functions else plain
    cells = clipped(slopes.cells, layout.clip_sample_data)
    if layout.clip_sample_data is not None:
        moving = slopes.cells > layout.clip_sample_data
        plain, slopes = _scaled(plain, moving), _scaled(slopes, moving)
    yields = jax.ops.segment_sum(cells, tables.bin_of_cell, layout.n_bins)
    expected = clipped(yields, layout.clip_bin_data)
    first, second = (weights * each for each in poisson_derivatives(counts, expected))
    if layout.clip_bin_data is not None:
        first, second = (jnp.where(yields > layout.clip_bin_data, each, 0.0) for each in (first, second))
    weight = first[tables.bin_of_cell]
    jacobian, curvature = _in_order(layout, tables, slopes, weight, vector)
    if functions:
        jacobian, curvature = _with_functions(layout, tables, functions, plain, weight, vector, jacobian, curvature)
    hessian = (jacobian * second[:, None]).T @ jacobian + curvature
    return weights @ poisson_deviance(counts, expected), first @ jacobian, hessian


def _scaled(slopes: Slopes, factor: Array) -> Slopes:
    """The slopes of cells that are multiplied by `factor`; 0, for a cell held at its floor, leaves no derivatives."""
    column = factor[:, None]
    return slopes._replace(
        cells=slopes.cells * factor,
        shifts=slopes.shifts * column,
        jacobian=slopes.jacobian * column,
        alpha_bends=slopes.alpha_bends * column,
    )


def _in_order(layout: Layout, tables: Tables, slopes: Slopes, weight, vector) -> tuple[Array, Array]:
    """Derivatives of the bins `(bins, parameters)` and the weighted curvature of the cells, in the flat order."""
    order = jnp.concatenate([tables.alpha_parameter, tables.factor_parameter, tables.local_parameter])
    jacobian = jnp.zeros((layout.n_bins, vector.size), vector.dtype)
    jacobian = jacobian.at[:, order].set(_bin_jacobian(layout, tables, slopes))
    curvature = jnp.zeros((vector.size, vector.size), vector.dtype)
    return jacobian, curvature.at[jnp.ix_(order, order)].set(_cell_curvature(layout, tables, slopes, weight))


def _with_functions(
    layout: Layout, tables: Tables, functions: Functions, plain: Slopes, weight, vector, jacobian, curvature
) -> tuple[Array, Array]:
    """Add what the functions contribute; `plain` are the slopes of the cells without them."""
    index = function_indices(functions)
    slope = function_jacobian(functions, vector, layout.n_cells)
    moved = jax.ops.segment_sum(plain.cells[:, None] * slope, tables.bin_of_cell, layout.n_bins)
    own = function_curvature(functions, vector, weight * plain.cells)
    mixed = jnp.zeros((vector.size, index.size), vector.dtype)
    order = jnp.concatenate([tables.alpha_parameter, tables.factor_parameter])
    mixed = mixed.at[order].add((weight[:, None] * plain.jacobian).T @ slope)
    local = (weight * plain.cells)[tables.local_cell] * plain.local_logs
    mixed = mixed.at[tables.local_parameter[tables.local_local]].add(local[:, None] * slope[tables.local_cell])
    curvature = curvature.at[:, index].add(mixed).at[index, :].add(mixed.T)
    return jacobian.at[:, index].add(moved), curvature.at[jnp.ix_(index, index)].add(own)


def _slopes(layout: Layout, tables: Tables, coefficients: Coefficients, vector) -> Slopes:
    """Evaluate the scalar functions with their derivatives, and assemble."""
    alpha, codes, n_alphas = vector[tables.alpha_parameter], layout.histosys_codes, len(layout.alphas)
    factors = jnp.append(vector, 1.0)
    for index in (tables.factor_parameter, tables.local_parameter):
        factors = factors.at[index].set(_nudge(vector[index]))
    odd, odd_slope, odd_bend = _two_derivatives(lambda a: by_code(codes, odd_function, a), alpha)
    even, even_slope, even_bend = _two_derivatives(lambda a: by_code(codes, even_function, a), alpha)
    entry_alpha = alpha[tables.normsys_alpha]
    normsys, slope, bend = _two_derivatives(lambda a: normsys_factors(layout, coefficients, a), entry_alpha)
    normsys = _nudge(normsys)

    shifted = coefficients.nominal_yields + coefficients.odd @ odd + coefficients.even @ even
    rows = jnp.prod(jnp.append(normsys, 1.0)[tables.normsys_of_row], 1) * jnp.prod(factors[tables.factors_of_row], 1)
    scale = rows[tables.row_of_cell] * jnp.prod(factors[tables.locals_of_cell], 1)
    cells = shifted * scale

    logs = jnp.zeros((len(layout.rows), n_alphas + len(layout.factors)), vector.dtype)
    logs = logs.at[tables.normsys_row, tables.normsys_alpha].add(slope / normsys)
    factor_logs = 1 / factors[tables.factor_parameter[tables.factor_factor]]
    logs = logs.at[tables.factor_row, n_alphas + tables.factor_factor].add(factor_logs)
    shifts = scale[:, None] * (coefficients.odd * odd_slope[None, :] + coefficients.even * even_slope[None, :])
    jacobian = (cells[:, None] * logs[tables.row_of_cell]).at[:, :n_alphas].add(shifts)
    return Slopes(
        cells=cells,
        logs=logs,
        shifts=shifts,
        jacobian=jacobian,
        local_logs=1 / factors[tables.local_parameter[tables.local_local]],
        alpha_bends=scale[:, None] * (coefficients.odd * odd_bend[None, :] + coefficients.even * even_bend[None, :]),
        normsys_bends=bend / normsys,
        factors=factors,
    )


def _bin_jacobian(layout: Layout, tables: Tables, slopes: Slopes) -> Float[Array, "bins globals_and_locals"]:
    """Derivatives of the expected counts per bin."""
    n_globals = slopes.logs.shape[1]
    total = jnp.zeros((layout.n_bins, n_globals + len(layout.locals_)), slopes.cells.dtype)
    total = total.at[tables.bin_of_cell, :n_globals].add(slopes.jacobian)
    local = slopes.cells[tables.local_cell] * slopes.local_logs
    return total.at[tables.bin_of_cell[tables.local_cell], n_globals + tables.local_local].add(local)


def _cell_curvature(layout: Layout, tables: Tables, slopes: Slopes, weight: Float[Array, "cells"]):
    """Second derivatives of the cells, summed with `weight`, in the order globals, locals.

    Globals by globals are products over rows, not cells, because l is constant along a row. What the products leave
    on the diagonal is replaced by the diagonal proper.
    """
    n_rows, n_alphas, n_locals = len(layout.rows), len(layout.alphas), len(layout.locals_)
    row_weight = jax.ops.segment_sum(weight * slopes.cells, tables.row_of_cell, n_rows)
    row_shifts = jax.ops.segment_sum(weight[:, None] * slopes.shifts, tables.row_of_cell, n_rows)
    mixed = row_shifts.T @ slopes.logs
    cross = (row_weight[:, None] * slopes.logs).T @ slopes.logs
    cross = cross.at[:n_alphas].add(mixed).at[:, :n_alphas].add(mixed.T)

    diagonal = weight @ slopes.alpha_bends + 2 * jnp.sum(row_shifts * slopes.logs[:, :n_alphas], axis=0)
    diagonal = diagonal.at[tables.normsys_alpha].add(row_weight[tables.normsys_row] * slopes.normsys_bends)
    diagonal = jnp.concatenate([diagonal, jnp.zeros(len(layout.factors), diagonal.dtype)])
    cross = jnp.fill_diagonal(cross, diagonal, inplace=False)

    entries = (weight[tables.local_cell] * slopes.local_logs)[:, None] * slopes.jacobian[tables.local_cell]
    by_local = jax.ops.segment_sum(entries, tables.local_local, n_locals)
    pairs = _local_pairs(tables, n_locals, slopes.factors, weight * slopes.cells)
    return jnp.block([[cross, by_local.T], [by_local, pairs]])


def _two_derivatives(function, x):
    """An element-wise function with its first and second derivative."""
    ones = jnp.ones_like(x)

    def first(y):
        return jax.jvp(function, (y,), (ones,))

    (value, slope), (_, bend) = jax.jvp(first, (x,), (ones,))
    return value, slope, bend


def _nudge(x):
    """Zero becomes tiny: its inverse and the inverse's square must stay finite."""
    tiny = 1e-100 if x.dtype == jnp.float64 else 1e-15
    return jnp.where(jnp.abs(x) < tiny, tiny, x)


def _local_pairs(tables: Tables, n_locals: int, factors, weighted_cells):
    """Second derivatives with respect to two different bin-wise factors of one cell."""
    pairs = jnp.zeros((n_locals, n_locals), weighted_cells.dtype)
    position = (
        jnp.full(factors.size, n_locals, jnp.int32)
        .at[tables.local_parameter]
        .set(jnp.arange(n_locals, dtype=jnp.int32))
    )
    most = tables.locals_of_cell.shape[1]
    for a in range(most):
        for b in range(a):
            left, right = tables.locals_of_cell[:, a], tables.locals_of_cell[:, b]
            product = weighted_cells / (factors[left] * factors[right])
            i, j = position[left], position[right]  # padding falls off the end and is dropped
            pairs = pairs.at[i, j].add(product, mode="drop").at[j, i].add(product, mode="drop")
    return pairs
