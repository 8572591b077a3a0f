"""First derivatives of the cells, summed as the Hessian needs them.

An array (cells x globals) exists for one *piece* of the cells at a time: for all of them where they are few, which is
the fast way for published models, otherwise piece after piece (`Layout.piece`), so that memory grows with (bins x
parameters) and not with the number of samples.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables
from histjax.model.derive import Coefficients
from histjax.model.effects import by_code, normsys_factors, shifted_yields
from histjax.model.functions import Functions, function_factors, function_jacobian
from histjax.model.interpolation import even_function, odd_function


class Rates(NamedTuple):
    """The scalar functions with their derivatives at one point.

    **Fields:** `cells` expected counts, `active` the same, 0 for a cell at its floor; `plain` those without functions
    of parameters; `scale`, `plain_scale` what multiplies the shifts in both; `logs` l of the globals, constant along a
    row; `normsys_bends` f''/f of each normsys entry; `odd`, `even` first and second derivatives of the interpolation
    functions of each alpha; `narrow_logs`, `wide_logs` l of the bin-wise factors, with a 0 at the end.
    """

    cells: Float[Array, "cells"]
    active: Float[Array, "cells"]
    plain: Float[Array, "cells"]
    scale: Float[Array, "cells"]
    plain_scale: Float[Array, "cells"]
    logs: Float[Array, "rows globals"]
    normsys_bends: Float[Array, "normsys_entries"]
    odd: tuple[Array, Array]
    even: tuple[Array, Array]
    narrow_logs: Float[Array, "narrow_and_zero"]
    wide_logs: Float[Array, "wide_and_zero"]


def rates_of(layout: Layout, tables: Tables, coefficients: Coefficients, functions: Functions, vector) -> Rates:
    """Evaluate the scalar functions."""
    alpha, codes = vector[tables.alpha_parameter], layout.histosys_codes
    factors = jnp.append(vector, 1.0)
    for index in (tables.factor_parameter, tables.local_parameter):
        factors = factors.at[index].set(_nudge(vector[index]))
    odd, *odd_slopes = _two_derivatives(lambda a: by_code(codes, odd_function, a), alpha)
    even, *even_slopes = _two_derivatives(lambda a: by_code(codes, even_function, a), alpha)
    normsys, slope, bend = _two_derivatives(
        lambda a: normsys_factors(layout, coefficients, a), alpha[tables.normsys_alpha]
    )
    normsys = _nudge(normsys)

    rows = jnp.prod(jnp.append(normsys, 1.0)[tables.normsys_of_row], 1) * jnp.prod(factors[tables.factors_of_row], 1)
    scale = rows[tables.row_of_cell] * jnp.prod(factors[tables.locals_of_cell], 1)
    plain = shifted_yields(layout, tables, coefficients, odd, even) * scale
    product = function_factors(functions, vector, layout.n_cells) if functions else 1.0
    cells = plain * product
    moving = 1.0 if layout.clip_sample_data is None else (cells > layout.clip_sample_data).astype(cells.dtype)

    normsys_logs = jnp.append(slope / normsys, 0.0)[tables.normsys_of_pair]
    factor_logs = jnp.where(tables.factor_in_row, 1 / factors[tables.factor_parameter][None, :], 0.0)
    return Rates(
        cells=cells,
        active=cells * moving,
        plain=plain * moving,
        scale=scale * product * moving,
        plain_scale=scale * moving,
        logs=jnp.concatenate([normsys_logs, factor_logs], axis=1),
        normsys_bends=bend / normsys,
        odd=tuple(odd_slopes),
        even=tuple(even_slopes),
        narrow_logs=jnp.append(1 / factors[tables.narrow_parameter], 0.0),
        wide_logs=jnp.append(1 / factors[tables.wide_parameter], 0.0),
    )


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


class Sums(NamedTuple):
    """Derivatives summed over cells; *weighted* sums are those with the slope of the Poisson term.

    **Fields:** `jacobian` of the bins with respect to the globals, `wide_jacobian` to the wide parameters,
    `narrow_slope` of the bin of each narrow parameter; weighted: `row_weight` of the cells, `row_shifts` F d' and
    `bends` F d'' of the alphas, second derivatives `narrow_mixed`, `wide_mixed` with the globals, `narrow_pairs`,
    `wide_pairs` with the wide parameters. Of functions: `moved` the Jacobian of their arguments, `mixed` weighted
    second derivatives with globals and wide parameters, `narrow_functions` with the narrow ones.
    """

    jacobian: Float[Array, "bins globals"]
    row_shifts: Float[Array, "rows alphas"]
    bends: Float[Array, "alphas"]
    narrow_mixed: Float[Array, "narrow globals"]
    wide_mixed: Float[Array, "wide globals"]
    mixed: Float[Array, "acting arguments"]
    row_weight: Float[Array, "rows"]
    narrow_slope: Float[Array, "narrow"]
    wide_jacobian: Float[Array, "bins wide"]
    narrow_pairs: Float[Array, "narrow wide"]
    wide_pairs: Float[Array, "wide wide"]
    moved: Float[Array, "bins arguments"]
    narrow_functions: Float[Array, "narrow arguments"]


class Piece(NamedTuple):
    """Some of the cells: where they belong and what their derivatives are made of.

    `odd`, `even` are coefficients of all alphas `(cells, alphas)`, or of the entries `alpha` `(cells, entries)`.
    """

    row: Int[Array, "cells"]
    bin: Int[Array, "cells"]
    narrow: Int[Array, "cells"]
    wide: Int[Array, "cells most_wide"]
    weight: Float[Array, "cells"]
    active: Float[Array, "cells"]
    plain: Float[Array, "cells"]
    scale: Float[Array, "cells"]
    plain_scale: Float[Array, "cells"]
    odd: Float[Array, "cells shifts"]
    even: Float[Array, "cells shifts"]
    alpha: Int[Array, "cells shifts"] | None
    functions: Float[Array, "cells arguments"] | None


def summed(
    layout: Layout, tables: Tables, coefficients: Coefficients, functions: Functions, rates: Rates, weight, vector
) -> Sums:
    """All sums, for the weights `(cells,)` of the cells."""
    n_cells, alpha = layout.n_cells, None
    if layout.piece is not None:
        alpha = jnp.append(tables.histosys_alpha, len(layout.alphas))[tables.histosys_of_cell]
    slope = function_jacobian(functions, vector, n_cells) if functions else None
    places = tables.row_of_cell, tables.bin_of_cell, tables.narrow_of_cell, tables.wide_of_cell
    numbers = weight, rates.active, rates.plain, rates.scale, rates.plain_scale
    cells = Piece(*places, *numbers, coefficients.odd, coefficients.even, alpha, slope)
    total = _nothing(layout, tables, 0 if slope is None else slope.shape[1], weight.dtype)
    total = _scalar_sums(total, rates, cells)
    if layout.piece is None:
        return _added(total, rates, cells)

    def add(total, piece):
        return _added(total, rates, piece), None

    return jax.lax.scan(add, total, _pieces(layout, tables, cells))[0]


def _nothing(layout: Layout, tables: Tables, n_arguments: int, dtype) -> Sums:
    n_bins, n_rows, n_alphas = layout.n_bins, len(layout.rows), len(layout.alphas)
    n_globals, n_narrow, n_wide = n_alphas + len(layout.factors), len(layout.narrow), layout.n_wide
    shapes = Sums(
        jacobian=(n_bins, n_globals),
        row_shifts=(n_rows, n_alphas),
        bends=(n_alphas,),
        narrow_mixed=(n_narrow, n_globals),
        wide_mixed=(n_wide, n_globals),
        mixed=(n_globals + n_wide, n_arguments),
        row_weight=(n_rows,),
        narrow_slope=(n_narrow,),
        wide_jacobian=(n_bins, n_wide),
        narrow_pairs=(n_narrow, n_wide),
        wide_pairs=(n_wide, n_wide),
        moved=(n_bins, n_arguments),
        narrow_functions=(n_narrow, n_arguments),
    )
    return Sums(*(jnp.zeros(shape, dtype) for shape in shapes))


def _pieces(layout: Layout, tables: Tables, cells: Piece) -> Piece:
    """The cells cut into pieces of equal length on a leading axis; what fills up the last one belongs nowhere."""
    n_pieces = -(-layout.n_cells // layout.piece)
    extra = n_pieces * layout.piece - layout.n_cells
    nowhere = Piece(*(0 for _ in Piece._fields))._replace(
        row=len(layout.rows), bin=layout.n_bins, narrow=len(layout.narrow), wide=layout.n_wide, alpha=len(layout.alphas)
    )

    def cut(fill, values):
        filled = jnp.pad(values, [(0, extra)] + [(0, 0)] * (values.ndim - 1), constant_values=fill)
        return filled.reshape(n_pieces, layout.piece, *values.shape[1:])

    return Piece(*(None if each is None else cut(fill, each) for fill, each in zip(nowhere, cells, strict=True)))


def _scalar_sums(total: Sums, rates: Rates, cells: Piece) -> Sums:
    """What needs one number per cell."""
    weighted, narrow_log = cells.weight * cells.active, rates.narrow_logs[cells.narrow]
    total = total._replace(
        row_weight=total.row_weight.at[cells.row].add(weighted),
        narrow_slope=_dropped_in(total.narrow_slope, cells.narrow, cells.active * narrow_log),
    )
    for a in range(cells.wide.shape[1]):
        here = cells.wide[:, a]
        log = rates.wide_logs[here]
        total = total._replace(
            wide_jacobian=total.wide_jacobian.at[cells.bin, here].add(cells.active * log, mode="drop"),
            narrow_pairs=_dropped_in(total.narrow_pairs, (cells.narrow, here), weighted * narrow_log * log),
        )
        for b in range(a):
            there = cells.wide[:, b]
            pair = weighted * log * rates.wide_logs[there]
            pairs = total.wide_pairs.at[here, there].add(pair, mode="drop")
            total = total._replace(wide_pairs=pairs.at[there, here].add(pair, mode="drop"))
    if cells.functions is not None:
        moved = cells.plain[:, None] * cells.functions
        local = (cells.weight * narrow_log)[:, None] * moved
        total = total._replace(
            moved=total.moved.at[cells.bin].add(moved),
            narrow_functions=_dropped_in(total.narrow_functions, cells.narrow, local),
        )
    return total


def _added(total: Sums, rates: Rates, piece: Piece) -> Sums:
    """The sums with the derivatives `(cells, globals)` of one piece."""
    n_alphas, logs, slope = total.bends.size, rates.logs[piece.row], _shift_slopes(rates, piece)
    shifts = piece.scale[:, None] * slope
    jacobian = (piece.active[:, None] * logs).at[:, :n_alphas].add(shifts)
    narrow = (piece.weight * rates.narrow_logs[piece.narrow])[:, None] * jacobian
    total = total._replace(
        jacobian=total.jacobian.at[piece.bin].add(jacobian, mode="drop"),
        row_shifts=total.row_shifts.at[piece.row].add(piece.weight[:, None] * shifts, mode="drop"),
        bends=total.bends + _shift_bends(rates, piece),
        narrow_mixed=_dropped_in(total.narrow_mixed, piece.narrow, narrow),
    )
    for a in range(piece.wide.shape[1]):
        here = piece.wide[:, a]
        wide = (piece.weight * rates.wide_logs[here])[:, None] * jacobian
        total = total._replace(wide_mixed=total.wide_mixed.at[here].add(wide, mode="drop"))
    if piece.functions is None:
        return total
    plain = (piece.plain[:, None] * logs).at[:, :n_alphas].add(piece.plain_scale[:, None] * slope)
    return total._replace(mixed=_function_sums(total.mixed, rates, piece, plain))


def _dropped_in(total: Array, places: Array | tuple[Array, Array], values: Array) -> Array:
    """`values` added at `places`, those that are not there left out; where there are none at all JAX would have no
    transpose.
    """
    return total.at[places].add(values, mode="drop") if total.size else total


def _shift_slopes(rates: Rates, piece: Piece) -> Float[Array, "cells alphas"]:
    """d' of every alpha in every cell."""
    (odd, _), (even, _) = rates.odd, rates.even
    if piece.alpha is None:
        return piece.odd * odd[None, :] + piece.even * even[None, :]
    odd, even = (jnp.append(each, 0.0)[piece.alpha] for each in (odd, even))
    cell = jnp.arange(piece.row.size)[:, None]
    empty = jnp.zeros((piece.row.size, rates.odd[0].size), odd.dtype)
    return empty.at[cell, piece.alpha].add(piece.odd * odd + piece.even * even, mode="drop")


def _shift_bends(rates: Rates, piece: Piece) -> Float[Array, "alphas"]:
    """F d'' summed over cells with their weights."""
    (_, odd), (_, even) = rates.odd, rates.even
    weight = piece.weight * piece.scale
    if piece.alpha is None:
        return (weight @ piece.odd) * odd + (weight @ piece.even) * even
    entries = weight[:, None] * (piece.odd * jnp.append(odd, 0.0)[piece.alpha])
    entries += weight[:, None] * (piece.even * jnp.append(even, 0.0)[piece.alpha])
    return jnp.zeros_like(odd).at[piece.alpha].add(entries, mode="drop")


def _function_sums(mixed: Array, rates: Rates, piece: Piece, plain: Array) -> Float[Array, "acting arguments"]:
    """Weighted second derivatives with respect to an argument of a function, and a global or wide parameter."""
    n_globals = plain.shape[1]
    mixed = mixed.at[:n_globals].add((piece.weight[:, None] * plain).T @ piece.functions)
    for a in range(piece.wide.shape[1]):
        here = piece.wide[:, a]
        local = piece.weight * piece.plain * rates.wide_logs[here]
        mixed = mixed.at[n_globals + here].add(local[:, None] * piece.functions, mode="drop")
    return mixed
