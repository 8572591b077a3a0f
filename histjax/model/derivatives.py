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
from jaxtyping import Array, Bool, Float

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
    weights: Float[Array, "bins"],
    vector: Float[Array, "parameters"],
    counts: Float[Array, "bins"],
    auxiliary: Float[Array, "auxiliaries"],
) -> tuple[Float[Array, ""], Float[Array, "parameters"], Float[Array, "parameters parameters"]]:
    """-ln L(vector) + ln L(saturated), its gradient and its Hessian."""
    value, gradient, hessian = _main(layout, tables, coefficients, weights, vector, counts)
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


def _main(layout: Layout, tables: Tables, coefficients: Coefficients, weights, vector, counts):
    """The Poisson terms of the main measurement."""
    slopes = _slopes(layout, tables, coefficients, vector)
    cells = clipped(slopes.cells, layout.clip_sample_data)
    if layout.clip_sample_data is not None:
        slopes = _masked(slopes, slopes.cells > layout.clip_sample_data)
    yields = jax.ops.segment_sum(cells, tables.bin_of_cell, layout.n_bins)
    expected = clipped(yields, layout.clip_bin_data)
    first, second = (weights * each for each in poisson_derivatives(counts, expected))
    if layout.clip_bin_data is not None:
        first, second = (jnp.where(yields > layout.clip_bin_data, each, 0.0) for each in (first, second))
    jacobian = _bin_jacobian(layout, tables, slopes)
    hessian = (jacobian * second[:, None]).T @ jacobian + _cell_curvature(
        layout, tables, slopes, first[tables.bin_of_cell]
    )
    order = jnp.concatenate([tables.alpha_parameter, tables.factor_parameter, tables.local_parameter])
    full_gradient = jnp.zeros_like(vector).at[order].set(first @ jacobian)
    full_hessian = jnp.zeros((vector.size, vector.size), vector.dtype).at[jnp.ix_(order, order)].set(hessian)
    return weights @ poisson_deviance(counts, expected), full_gradient, full_hessian


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


def _masked(slopes: Slopes, moving: Bool[Array, "cells"]) -> Slopes:
    """No derivatives where a cell is held at its floor."""

    def mask(values):
        return jnp.where(moving[:, None] if values.ndim == 2 else moving, values, 0.0)

    names = ("cells", "shifts", "jacobian", "alpha_bends")
    return slopes._replace(**{name: mask(getattr(slopes, name)) for name in names})


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
