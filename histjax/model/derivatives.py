r"""Value, gradient and exact Hessian of the negative log likelihood by structure, for the cost of a few evaluations.

With cell = D · F, D = nominal + sum of shifts d_p, F = product of factors f_p, and l_p = f_p'/f_p,

    ∂_p cell     = F d_p' + D F l_p
    ∂_p ∂_q cell = F (d_p' l_q + d_q' l_p) + D F l_p l_q          (p ≠ q)
    ∂_p² cell    = F d_p'' + 2 F d_p' l_p + D F f_p''/f_p

so nothing but the scalar functions is differentiated. Parameters that act on whole rows (interpolating ones and scalar
factors: *globals*) are dense; bin-wise factors (*locals*) touch one cell each and stay sparse until the end.

A factor that is zero (a signal at mu = 0) is moved to `_nudge`: the cell is then negligible and l_p its exact inverse, so that every
product of the two comes out right to rounding, without a product over "all the others". Only the diagonal, where f''/f and not
l² stands, has to be set apart.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables
from histjax.model.density import poisson_derivatives, poisson_deviance
from histjax.model.derive import Coefficients, Constraints
from histjax.model.effects import by_code, clipped, normsys_factors
from histjax.model.interpolation import even_function, odd_function


def derivatives(
    layout: Layout,
    tables: Tables,
    coefficients: Coefficients,
    constraints: Constraints,
    vector: Float[Array, "parameters"],
    counts: Float[Array, "bins"],
    auxiliary: Float[Array, "auxiliaries"],
) -> tuple[Float[Array, ""], Float[Array, "parameters"], Float[Array, "parameters parameters"]]:
    """-ln L(vector) + ln L(saturated), its gradient and its Hessian."""
    value, gradient, hessian = _main(layout, tables, coefficients, vector, counts)
    slopes, curvatures = jnp.zeros_like(vector), jnp.zeros_like(vector)
    for terms in (_normal, _poisson):
        index, deviance, slope, curvature = terms(tables, constraints, vector, auxiliary)
        value += jnp.sum(deviance)
        slopes, curvatures = slopes.at[index].add(slope), curvatures.at[index].add(curvature)
    return value, gradient + slopes, hessian + jnp.diag(curvatures)


def _normal(tables: Tables, constraints: Constraints, vector, auxiliary):
    index = tables.normal_parameter
    pull = (vector[index] - auxiliary[tables.normal_auxiliary]) / constraints.sigmas
    return index, 0.5 * pull**2, pull / constraints.sigmas, constraints.sigmas**-2


def _poisson(tables: Tables, constraints: Constraints, vector, auxiliary):
    index, tau = tables.poisson_parameter, constraints.factors
    observed, expected = auxiliary[tables.poisson_auxiliary], tau * vector[index]
    slope, curvature = poisson_derivatives(observed, expected)
    return index, poisson_deviance(observed, expected), tau * slope, tau**2 * curvature


def _main(layout: Layout, tables: Tables, coefficients: Coefficients, vector, counts):
    """The Poisson terms of the main measurement."""
    alpha = vector[tables.alpha_parameter]
    n_rows, n_alphas = len(layout.rows), len(layout.alphas)
    factor_values = _nudge(vector[tables.factor_parameter])
    local_values = _nudge(vector[tables.local_parameter])

    # scalar functions: shifts d, factors f and their first two derivatives
    odd, odd_slope, odd_bend = _two_derivatives(lambda a: by_code(layout.histosys_codes, odd_function, a), alpha)
    even, even_slope, even_bend = _two_derivatives(lambda a: by_code(layout.histosys_codes, even_function, a), alpha)
    entry_alpha = alpha[tables.normsys_alpha]
    normsys, slope, bend = _two_derivatives(lambda a: normsys_factors(layout, coefficients, a), entry_alpha)
    normsys = _nudge(normsys)

    # values: shifted = nominal + d, scale = product of factors
    shifted = coefficients.nominal_yields + coefficients.odd @ odd + coefficients.even @ even
    padded = jnp.ones(vector.size + 1, vector.dtype)
    padded = padded.at[tables.factor_parameter].set(factor_values).at[tables.local_parameter].set(local_values)
    rows = jnp.prod(jnp.append(normsys, 1.0)[tables.normsys_of_row], 1) * jnp.prod(padded[tables.factors_of_row], 1)
    scale = rows[tables.row_of_cell] * jnp.prod(padded[tables.locals_of_cell], 1)
    cells = shifted * scale
    if layout.clip_sample_data is not None:
        scale = jnp.where(cells > layout.clip_sample_data, scale, 0.0)
    yields = jax.ops.segment_sum(clipped(cells, layout.clip_sample_data), tables.bin_of_cell, layout.n_bins)
    expected = clipped(yields, layout.clip_bin_data)
    first, second = poisson_derivatives(counts, expected)
    if layout.clip_bin_data is not None:
        first, second = (jnp.where(yields > layout.clip_bin_data, each, 0.0) for each in (first, second))
    cells = shifted * scale

    # logarithmic derivatives l of the global factors, one row of the matrix per sample and channel
    logs = jnp.zeros((n_rows, n_alphas + len(layout.factors)), vector.dtype)
    logs = logs.at[tables.normsys_row, tables.normsys_alpha].add(slope / normsys)
    logs = logs.at[tables.factor_row, n_alphas + tables.factor_factor].add(1 / factor_values[tables.factor_factor])
    shifts = scale[:, None] * (coefficients.odd * odd_slope + coefficients.even * even_slope)  # F d', (cells, alphas)
    jacobian = cells[:, None] * logs[tables.row_of_cell]
    jacobian = jacobian.at[:, :n_alphas].add(shifts)  # d cell / d global, (cells, globals)

    weight = first[tables.bin_of_cell]
    local_logs = 1 / local_values[tables.local_local]
    local_slopes = cells[tables.local_cell] * local_logs  # d cell / d local, (local entries,)

    # d expectation / d everything, (bins, globals + locals)
    n_globals, n_locals = logs.shape[1], len(layout.locals_)
    total = jnp.zeros((layout.n_bins, n_globals + n_locals), vector.dtype)
    total = total.at[tables.bin_of_cell, :n_globals].add(jacobian)
    total = total.at[tables.bin_of_cell[tables.local_cell], n_globals + tables.local_local].add(local_slopes)
    gradient = first @ total
    hessian = (total * second[:, None]).T @ total

    # second derivatives of the cells: globals x globals by rows, locals x globals, locals x locals within a cell
    row_weight = jax.ops.segment_sum(weight * cells, tables.row_of_cell, n_rows)
    row_shifts = jax.ops.segment_sum(weight[:, None] * shifts, tables.row_of_cell, n_rows)
    left = row_weight[:, None] * logs
    cross = left.T @ logs
    mixed = row_shifts.T @ logs
    cross = cross.at[:n_alphas].add(mixed).at[:, :n_alphas].add(mixed.T)
    entry = (weight[tables.local_cell] * local_logs)[:, None] * jacobian[tables.local_cell]
    by_local = jax.ops.segment_sum(entry, tables.local_local, n_locals)
    pairs = _local_pairs(tables, n_locals, padded, weight * cells)

    # the diagonal of the cells' second derivatives, which the products above do not have
    alpha_diagonal = (scale * weight) @ (coefficients.odd * odd_bend + coefficients.even * even_bend)
    alpha_diagonal += 2 * jnp.sum(row_shifts * logs[:, :n_alphas], axis=0)
    alpha_diagonal = alpha_diagonal.at[tables.normsys_alpha].add(row_weight[tables.normsys_row] * bend / normsys)
    diagonal = jnp.concatenate([alpha_diagonal, jnp.zeros(len(layout.factors), vector.dtype)])
    cross = jnp.fill_diagonal(cross, diagonal, inplace=False)
    hessian += jnp.block([[cross, by_local.T], [by_local, pairs]])

    order = jnp.concatenate([tables.alpha_parameter, tables.factor_parameter, tables.local_parameter])
    full_gradient = jnp.zeros_like(vector).at[order].set(gradient)
    full_hessian = jnp.zeros((vector.size, vector.size), vector.dtype).at[order[:, None], order].set(hessian)
    return jnp.sum(poisson_deviance(counts, expected)), full_gradient, full_hessian


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


def _local_pairs(tables: Tables, n_locals: int, padded, weighted_cells):
    """Second derivatives with respect to two different bin-wise factors of one cell."""
    pairs = jnp.zeros((n_locals, n_locals), weighted_cells.dtype)
    position = jnp.full(padded.size, n_locals, jnp.int32).at[tables.local_parameter].set(jnp.arange(n_locals, dtype=jnp.int32))
    most = tables.locals_of_cell.shape[1]
    for a in range(most):
        for b in range(a):
            left, right = tables.locals_of_cell[:, a], tables.locals_of_cell[:, b]
            product = weighted_cells / (padded[left] * padded[right])
            i, j = position[left], position[right]  # padding falls off the end and is dropped
            pairs = pairs.at[i, j].add(product, mode="drop").at[j, i].add(product, mode="drop")
    return pairs
