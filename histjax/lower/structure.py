"""Which parameters touch one bin each, so that a fit can eliminate them, and how the arrays are held.

A bin-wise factor that acts in a single bin, and shares it with no other one that was chosen, is *narrow*: the Hessian
of the narrow parameters among each other is diagonal, and a Schur complement takes them out of every dense solve. All
others are *dense*: parameters that interpolate, scalar factors, other bin-wise factors (*wide*), and the rest.
"""

import numpy as np

from histjax.lower.layout import Layout
from histjax.lower.modifiers import padded

LARGEST = 2_000_000
"""Most elements of an array (cells x dense parameters) that is held as a whole; beyond, cells are taken in pieces and
histosys templates are stored entry by entry.
"""


def narrow_parameters(cell: np.ndarray, parameter: np.ndarray, bin_of_cell: np.ndarray, barred: set[int]) -> np.ndarray:
    """Flat indices of the narrow parameters, in the order of their bins: of those that act in one bin, and are not
    `barred`, the one that covers most cells of that bin.

    >>> narrow_parameters(np.array([0, 1, 2, 3]), np.array([7, 7, 8, 9]), np.array([0, 0, 0, 1]), set()).tolist()
    [7, 9]
    """
    if not parameter.size:
        return np.zeros(0, int)
    pairs, covered = np.unique(np.stack([parameter, bin_of_cell[cell]]), axis=1, return_counts=True)
    parameters, bins = pairs
    single = np.bincount(parameters)[parameters] == 1
    usable = single & ~np.isin(parameters, list(barred))
    parameters, bins, covered = parameters[usable], bins[usable], covered[usable]
    order = np.lexsort((parameters, -covered, bins))
    first = np.unique(bins[order], return_index=True)[1]
    return parameters[order][first].astype(int)


def piece_of(n_cells: int, n_dense: int) -> int | None:
    """How many cells are taken at a time, or `None` for all at once."""
    if n_cells * n_dense <= LARGEST:
        return None
    n_pieces = -(-n_cells * n_dense // LARGEST)
    return -(-n_cells // n_pieces)


def structure_tables(layout: Layout, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tables of narrow and dense parameters, from those of the entries."""
    narrow = np.array(layout.narrow, np.int32)
    wide = np.setdiff1d(table["local_parameter"], narrow).astype(np.int32)
    acting = np.concatenate([table["alpha_parameter"], table["factor_parameter"], wide])
    rest = np.setdiff1d(np.arange(layout.n_parameters), np.concatenate([acting, narrow]))
    dense = np.concatenate([acting, rest]).astype(np.int32)
    split = np.empty(layout.n_parameters, np.int32)
    split[np.concatenate([dense, narrow])] = np.arange(layout.n_parameters)

    cell, parameter = table["local_cell"], table["local_parameter"][table["local_local"]]
    is_narrow = np.isin(parameter, narrow)
    narrow_of_cell = np.full(layout.n_cells, narrow.size, np.int32)
    narrow_of_cell[cell[is_narrow]] = split[parameter[is_narrow]] - dense.size
    wide_of_cell = padded(
        cell[~is_narrow], layout.n_cells, np.searchsorted(wide, parameter[~is_narrow]), padding=wide.size
    )
    narrow_bin = np.zeros(narrow.size, np.int32)
    narrow_bin[split[parameter[is_narrow]] - dense.size] = table["bin_of_cell"][cell[is_narrow]]
    return {
        "dense_parameter": dense,
        "narrow_parameter": narrow,
        "split_place": split,
        "wide_parameter": wide,
        "narrow_of_cell": narrow_of_cell,
        "wide_of_cell": wide_of_cell,
        "narrow_bin": narrow_bin,
        "normsys_of_pair": _by_pair(table["normsys_row"], table["normsys_alpha"], layout),
        "factor_in_row": _factor_in_row(table["factor_row"], table["factor_factor"], layout),
        "histosys_of_cell": _histosys_of_cell(table["histosys_cell"], layout),
    }


def _by_pair(row: np.ndarray, alpha: np.ndarray, layout: Layout) -> np.ndarray:
    """The normsys entry of every row and alpha; one past the last where there is none."""
    entries = np.full((len(layout.rows), len(layout.alphas)), row.size, np.int32)
    entries[row, alpha] = np.arange(row.size)
    return entries


def _factor_in_row(row: np.ndarray, factor: np.ndarray, layout: Layout) -> np.ndarray:
    acts = np.zeros((len(layout.rows), len(layout.factors)), bool)
    acts[row, factor] = True
    return acts


def _histosys_of_cell(cell: np.ndarray, layout: Layout) -> np.ndarray:
    """The histosys entries of every cell, for a layout whose cells are taken in pieces; empty for the others."""
    if layout.piece is None:
        return np.zeros((0, 0), np.int32)
    return padded(cell, layout.n_cells, np.arange(cell.size), padding=cell.size)
