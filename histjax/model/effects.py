"""Expected yields: additive modifiers first, then all multiplicative ones (CERN-OPEN-2012-016, equation 4).

A *cell* is one sample in one bin: cell = (nominal + sum of shifts) · normsys factors · scalar factors · bin-wise
factors · functions of parameters.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables
from histjax.model.derive import Coefficients
from histjax.model.functions import Functions, function_factors
from histjax.model.interpolation import even_function, factor, odd_function


def normsys_factors(layout: Layout, coefficients: Coefficients, alpha: Float[Array, "normsys_entries"]) -> Array:
    """The factor of every normsys entry at its own alpha, `(normsys_entries,)`."""
    runs = zip(layout.normsys_codes, coefficients.normsys, strict=True)
    parts = [factor(code, alpha[start:stop], coefficient) for (code, start, stop), coefficient in runs]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, alpha.dtype)


def by_code(codes: tuple, function, alpha: Float[Array, "alphas"]) -> Float[Array, "alphas"]:
    """`function(code, alpha)` where each alpha has its own code; one evaluation per distinct code."""
    distinct = list(dict.fromkeys(codes))
    if not distinct:
        return alpha
    result = function(distinct[0], alpha)
    for code in distinct[1:]:
        chosen = jnp.array([each is code for each in codes])
        result = jnp.where(chosen, function(code, alpha), result)
    return result


def clipped(values: Float[Array, "..."], floor: float | None) -> Float[Array, "..."]:
    """`values` not below `floor`; unchanged where it is `None`."""
    return values if floor is None else jnp.maximum(values, floor)


def shifted_yields(
    layout: Layout,
    tables: Tables,
    coefficients: Coefficients,
    odd: Float[Array, "alphas"],
    even: Float[Array, "alphas"],
) -> Float[Array, "cells"]:
    """Nominal yields and all additive shifts, from the interpolation functions of every alpha."""
    if layout.piece is None:
        return coefficients.nominal_yields + coefficients.odd @ odd + coefficients.even @ even
    alpha = jnp.append(tables.histosys_alpha, odd.size)[tables.histosys_of_cell]
    odd, even = (jnp.append(each, 0.0)[alpha] for each in (odd, even))
    return coefficients.nominal_yields + jnp.sum(coefficients.odd * odd + coefficients.even * even, axis=1)


def cell_yields(
    layout: Layout, tables: Tables, coefficients: Coefficients, functions: Functions, vector: Float[Array, "parameters"]
) -> Float[Array, "cells"]:
    """Expected counts per cell at the flat parameter `vector`."""
    alpha, codes = vector[tables.alpha_parameter], layout.histosys_codes
    odd, even = by_code(codes, odd_function, alpha), by_code(codes, even_function, alpha)
    shifted = shifted_yields(layout, tables, coefficients, odd, even)
    padded = jnp.append(vector, 1.0)
    normsys = jnp.append(normsys_factors(layout, coefficients, alpha[tables.normsys_alpha]), 1.0)
    rows = jnp.prod(normsys[tables.normsys_of_row], axis=1) * jnp.prod(padded[tables.factors_of_row], axis=1)
    scale = rows[tables.row_of_cell] * jnp.prod(padded[tables.locals_of_cell], axis=1)
    if functions:
        scale = scale * function_factors(functions, vector, layout.n_cells)
    return clipped(shifted * scale, layout.clip_sample_data)


def bin_yields(layout: Layout, tables: Tables, cells: Float[Array, "cells"]) -> Float[Array, "bins"]:
    """Sum the samples of every bin."""
    return clipped(jax.ops.segment_sum(cells, tables.bin_of_cell, layout.n_bins), layout.clip_bin_data)
