"""The corner plot of a posterior: every parameter alone, and every pair."""

from collections.abc import Mapping, Sequence

import numpy as np

from histjax.errors import InvalidPlot
from histjax.fitting.printing import pdg_rounded
from histjax.plotting.posteriors import chosen_names, draws_of
from histjax.plotting.style import BLUE, VERMILION, numbers, panels, shown, styled

MOST = 8
"""Parameters that are drawn if none are named."""
COVERED = (0.9545, 0.6827)
"""Probability inside the contours of each pair, the outer one first."""


@styled()
def corner_plot(
    draws,
    *,
    names: Sequence[str] | None = None,
    truth: Mapping[str, float] | None = None,
    bins: int = 40,
    ax=None,
):
    """Histograms of the draws of each parameter on the diagonal, and below it, for each pair, the smallest regions that
    hold 68.3 and 95.5 % of the draws.

    **Arguments:**

    - `draws`: `Samples`, or `{name: (draws,)}`, equally many of each.
    - `names`: which ones, in this order; by default that of interest and those that come first, eight in all.
    - `truth`: values that are marked, such as a best fit.
    - `ax`: axes, n times n.

    **Returns:** an array `(n, n)` of `Axes`, those above the diagonal invisible. **Raises:** `UnknownName`,
    `InvalidPlot`.
    """
    draws = draws if isinstance(draws, Mapping) else {name: each.ravel() for name, each in draws_of(draws).items()}
    names = chosen_names(draws, names, MOST)
    columns = _columns(draws, names)
    n, truth = len(names), truth or {}
    size = 1.0 + 1.5 * n
    every = panels(ax, n * n, nrows=n, ncols=n, figsize=(size, size), squeeze=False).reshape(n, n)
    for row in range(n):
        for column in range(n):
            if column > row:
                every[row, column].set_visible(False)
            elif column == row:
                _single(every[row, row], columns[row], names[row], truth, bins)
            else:
                _pair(every[row, column], columns[column], columns[row], bins)
                _mark(every[row, column], truth.get(names[column]), truth.get(names[row]))
    _label(every, names)
    return every


def _columns(draws: Mapping, names: list[str]) -> list[np.ndarray]:
    columns = [numbers(draws[name]) for name in names]
    shapes = {each.shape for each in columns}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise InvalidPlot(f"draws are arrays of one and the same length, found the shapes {sorted(shapes)}")
    if columns[0].size < 2 or not np.isfinite(columns).all():
        raise InvalidPlot("there are too few draws, or some of them are not finite")
    return columns


def _span(values: np.ndarray) -> tuple[float, float]:
    """Where nearly all draws lie."""
    low, high = np.quantile(values, [0.001, 0.999])
    width = (high - low) or abs(high) or 1.0
    return float(low - 0.05 * width), float(high + 0.05 * width)


def _single(ax, values: np.ndarray, name: str, truth: Mapping, bins: int) -> None:
    contents, edges = np.histogram(values, bins, range=_span(values))
    ax.stairs(contents, edges, color=BLUE, lw=1.2)
    low, median, high = np.quantile(values, [0.15865, 0.5, 0.84135])
    ax.axvspan(low, high, color=BLUE, alpha=0.15, lw=0)
    ax.axvline(median, color=BLUE, lw=0.9, ls="--")
    ax.set_ylim(0, 1.15 * max(contents.max(), 1))
    ax.set_xlim(*_span(values))
    ax.set_yticks([])
    _mark(ax, truth.get(name), None)
    ax.set_title(_interval(low, median, high), loc="center", fontsize=7.5)


def _interval(low: float, median: float, high: float) -> str:
    """The median with its distances to the ends, rounded by the PDG rule for the smaller one."""
    minus, plus = median - low, high - median
    value, smaller = pdg_rounded(median, min(minus, plus))
    digits = len(value.partition(".")[2])
    if not min(minus, plus) > 0:
        return value
    shown_minus, shown_plus = (smaller if each == min(minus, plus) else f"{each:.{digits}f}" for each in (minus, plus))
    return f"${value}_{{-{shown_minus}}}^{{+{shown_plus}}}$"


def _pair(ax, x: np.ndarray, y: np.ndarray, bins: int) -> None:
    contents, x_edges, y_edges = np.histogram2d(x, y, bins, range=[_span(x), _span(y)])
    smooth = _smoothed(contents.T)
    levels = sorted({level_holding(smooth, share) for share in COVERED})
    centres = [(edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges)]
    top = float(smooth.max())
    if len(levels) == 2 and 0 < levels[0] < levels[1] < top:
        ax.contourf(*centres, smooth, levels=[*levels, top], colors=[(0, 0.447, 0.698, 0.2), (0, 0.447, 0.698, 0.5)])
        ax.contour(*centres, smooth, levels=levels, colors=[BLUE], linewidths=0.9)
    else:
        ax.plot(x, y, ".", color=BLUE, ms=1, alpha=0.5)
    ax.set_xlim(*_span(x))
    ax.set_ylim(*_span(y))


def _smoothed(contents: np.ndarray) -> np.ndarray:
    """With (1, 4, 6, 4, 1) / 16 along both axes: by one bin."""
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    for axis in (0, 1):
        contents = np.apply_along_axis(lambda row: np.convolve(np.pad(row, 2, "edge"), kernel, "valid"), axis, contents)
    return contents


def level_holding(contents: np.ndarray, share: float) -> float:
    """The height above which bins hold this share of everything."""
    falling = np.sort(contents.ravel())[::-1]
    total = np.cumsum(falling)
    return float(falling[min(int(np.searchsorted(total, share * total[-1])), falling.size - 1)])


def _mark(ax, x: float | None, y: float | None) -> None:
    if x is not None:
        ax.axvline(x, color=VERMILION, lw=0.9)
    if y is not None:
        ax.axhline(y, color=VERMILION, lw=0.9)


def _label(every: np.ndarray, names: list[str]) -> None:
    """Names and numbers at the outer axes only, and few of them."""
    from matplotlib.ticker import MaxNLocator

    n = len(names)
    for row in range(n):
        for column in range(row + 1):
            ax = every[row, column]
            ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
            ax.tick_params(labelsize=7, labelbottom=row == n - 1, labelleft=0 == column < row)
            if column < row:
                ax.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
            if row == n - 1:
                ax.set_xlabel(shown(names[column], 20), fontsize=8)
                ax.tick_params(axis="x", rotation=45)
            if column == 0 < row:
                ax.set_ylabel(shown(names[row], 20), fontsize=8)
    every[0, 0].figure.align_labels([ax for ax in every.ravel() if ax.get_visible()])
