"""The correlation matrix of a fit, or the part of it that has something to say."""

from collections.abc import Sequence

import numpy as np

from histjax.errors import InvalidPlot, UnknownName
from histjax.plotting.style import all_shown, axes, colour_bar, note, numbers, one_result, styled

ROWS = 25
"""Parameters that are drawn if none are named."""

WITH_NUMBERS = 14
"""So many parameters leave room for the numbers."""


@styled()
def correlation_matrix(result, *, names: Sequence[str] | None = None, rows: int = ROWS, ax=None):
    """Correlations of the components of a fit.

    **Arguments:**

    - `result`: a `FitResult`.
    - `names`: which components, in this order; by default all that are not held, in the order of the model, or, where
      there are more than `rows`, those with the largest correlation with any other.

    **Returns:** the `Axes`. **Raises:** `UnknownName`, `InvalidPlot`.
    """
    correlation = numbers(result.correlation)
    one_result(correlation.shape, 2, "the correlation matrix")
    known = list(result.parameters.component_names)
    free = np.flatnonzero(np.diagonal(correlation) > 0)
    chosen = _strongest(correlation, free, rows) if names is None else _places(known, names)
    if not len(chosen):
        raise InvalidPlot("there is no correlation to draw: every component is held")
    part, labels = correlation[np.ix_(chosen, chosen)], all_shown([known[i] for i in chosen], 34)
    side = (0.34 if len(chosen) <= WITH_NUMBERS else 0.2) * max(len(chosen), 5) + 0.075 * max(map(len, labels))
    ax = axes(ax, (side + 1.1, side + 0.3))
    mesh = ax.pcolormesh(part, cmap="RdBu_r", vmin=-1, vmax=1, edgecolors="white", linewidth=0.4)
    colour_bar(ax, mesh, "correlation", shrink=0.7, pad=0.02)
    centres = np.arange(len(chosen)) + 0.5
    ax.set_xticks(centres, labels, rotation=90, fontsize=7.5)
    ax.set_yticks(centres, labels, fontsize=7.5)
    ax.tick_params(length=0)
    ax.set_ylim(len(chosen), 0)
    ax.set_aspect("equal")
    if len(chosen) <= WITH_NUMBERS:
        _write_numbers(ax, part)
    if names is None and len(chosen) < free.size:
        note(ax, f"the {len(chosen)} most correlated of {free.size}")
    return ax


def _strongest(correlation: np.ndarray, free: np.ndarray, rows: int) -> np.ndarray:
    """The components with the largest correlation with another one, in the order of the model."""
    others = np.nan_to_num(abs(correlation[np.ix_(free, free)])) - np.eye(free.size)
    largest = others.max(axis=1, initial=0.0)
    return np.sort(free[np.argsort(-largest, kind="stable")[:rows]])


def _places(known: list[str], names: Sequence[str]) -> list[int]:
    for name in names:
        if name not in known:
            raise UnknownName("component", name, known)
    return [known.index(name) for name in names]


def _write_numbers(ax, part: np.ndarray) -> None:
    for (row, column), value in np.ndenumerate(part):
        if np.isfinite(value):
            colour = "white" if abs(value) > 0.6 else "black"
            ax.text(column + 0.5, row + 0.5, _rounded(value), ha="center", va="center", fontsize=6, color=colour)


def _rounded(value: float) -> str:
    """Two digits after the point, and no zero before it."""
    whole = abs(value) < 0.005 or abs(value) >= 0.995
    return f"{abs(value):.0f}" if whole and value > -0.5 else f"{value:.2f}".replace("-", "−").replace("0.", ".")
