"""The numbers of a lowered model: templates exactly as written, and the integer tables that say what acts where.

Both are pytrees of arrays: templates may be traced and differentiated, tables are integers. Axes: a *cell* is one
sample in one bin, a *row* one sample in one channel, an *entry* one modifier on one row (normsys) or on one cell (all
bin-wise ones).
"""

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int


class Templates(eqx.Module):
    """What the document says, as flat arrays. Yields and uncertainties are absolute expected counts.

    `weights` is the power to which the Poisson term of each bin is taken: 1, or 0 for a bin that is masked.
    """

    nominal_yields: Float[Array, "cells"]
    histosys_lo: Float[Array, "histosys_entries"]
    histosys_hi: Float[Array, "histosys_entries"]
    normsys_lo: Float[Array, "normsys_entries"]
    normsys_hi: Float[Array, "normsys_entries"]
    shapesys_uncertainty: Float[Array, "shapesys_entries"]
    staterror_uncertainty: Float[Array, "staterror_entries"]
    observations: Float[Array, "bins"]
    weights: Float[Array, "bins"]
    init: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]
    fixed: Bool[Array, "parameters"]
    auxdata: Float[Array, "parameters"]
    sigmas: Float[Array, "parameters"]
    factors: Float[Array, "parameters"]
    covariance: Float[Array, "correlated correlated"]


class Tables(eqx.Module):
    """Where each entry acts. `*_alpha` index `Layout.alphas`; `*_parameter` index the flat parameter vector.

    `dense_parameter` and `narrow_parameter` are the flat indices of the two groups that a Hessian is kept in (see
    `histjax.lower.structure`), `split_place` the place of each parameter in the concatenation of the two.

    The padded tables give, for a row or a cell, the entries or parameters that multiply it; padding points one past
    the end, where a 1 is kept.
    """

    row_of_cell: Int[Array, "cells"]
    bin_of_cell: Int[Array, "cells"]
    histosys_cell: Int[Array, "histosys_entries"]
    histosys_alpha: Int[Array, "histosys_entries"]
    normsys_row: Int[Array, "normsys_entries"]
    normsys_alpha: Int[Array, "normsys_entries"]
    normsys_of_row: Int[Array, "rows most_normsys"]
    factor_row: Int[Array, "factor_entries"]
    factor_factor: Int[Array, "factor_entries"]
    factors_of_row: Int[Array, "rows most_factors"]
    local_cell: Int[Array, "local_entries"]
    local_local: Int[Array, "local_entries"]
    locals_of_cell: Int[Array, "cells most_locals"]
    shapesys_cell: Int[Array, "shapesys_entries"]
    shapesys_parameter: Int[Array, "shapesys_entries"]
    staterror_cell: Int[Array, "staterror_entries"]
    staterror_parameter: Int[Array, "staterror_entries"]
    alpha_parameter: Int[Array, "alphas"]
    factor_parameter: Int[Array, "factors"]
    local_parameter: Int[Array, "locals"]
    dense_parameter: Int[Array, "dense"]
    narrow_parameter: Int[Array, "narrow"]
    split_place: Int[Array, "parameters"]
    wide_parameter: Int[Array, "wide"]
    narrow_of_cell: Int[Array, "cells"]
    wide_of_cell: Int[Array, "cells most_wide"]
    narrow_bin: Int[Array, "narrow"]
    normsys_of_pair: Int[Array, "rows alphas"]
    factor_in_row: Bool[Array, "rows factors"]
    histosys_of_cell: Int[Array, "cells_in_pieces most_histosys"]
    normal_parameter: Int[Array, "normals"]
    normal_auxiliary: Int[Array, "normals"]
    poisson_parameter: Int[Array, "poissons"]
    poisson_auxiliary: Int[Array, "poissons"]
    poisson_is_gamma: Bool[Array, "poissons"]
    lognormal_parameter: Int[Array, "lognormals"]
    lognormal_auxiliary: Int[Array, "lognormals"]
    correlated_parameter: Int[Array, "correlated"]
    correlated_auxiliary: Int[Array, "correlated"]
    auxiliary_parameter: Int[Array, "auxiliaries"]
