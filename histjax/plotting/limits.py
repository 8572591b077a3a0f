"""Limits over a patch set: a band along one label, contours of exclusion in the plane of two."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from histjax.errors import InvalidPlot, UnknownName
from histjax.plotting.style import BLACK, GREY, ONE_SIGMA, TWO_SIGMA, VERMILION, axes, extent, note, shown, styled

FINE = 240
"""Points along each axis of the grid on which values between the patches are interpolated."""

FLAT = 0.05
"""Triangles at the border that are flatter, by the ratio of inscribed and circumscribed circle, are left out: signals
there are neighbours by accident."""

SMALLEST = 1e-6
"""Where a logarithmic axis of CLs ends."""

EXCLUDED = "CLs"
"""`quantity` of a grid of tests; otherwise its numbers are upper limits."""


class Points(NamedTuple):
    """Patches with an answer: their places `(patches, labels)`, observed `(patches,)` and expected `(patches, 5)`."""

    places: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    n_lost: int


@styled()
def limit_band(
    grid,
    *,
    label: str | None = None,
    where: Mapping[str, float | str] | None = None,
    confidence_level: float = 0.95,
    logarithmic: bool | None = None,
    ax=None,
):
    """Limits, or CLs, of the signals of a patch set along one of their labels, observed and expected.

    **Arguments:**

    - `grid`: a `GridResult`.
    - `label`: the horizontal axis; by default the only label whose values differ.
    - `where`: values of other labels, `{"width": 10}`: which signals to draw.
    - `confidence_level`: where values are CLs, that of the line.
    - `logarithmic`: the vertical axis; by default where values extend over more than a factor of 30.

    **Returns:** the `Axes`. **Raises:** `UnknownName`, `InvalidPlot` where two signals lie at one place.

    >>> import histjax, histjax.plotting
    >>> grid = histjax.compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
    >>> histjax.plotting.limit_band(grid.upper_limit(), label="mass").get_xlabel()
    'mass'
    """
    chosen = _where(grid, where or {})
    label = _varying(grid, chosen, 1)[0] if label is None else label
    points = _points(grid, chosen, (label,))
    order = np.argsort(points.places[:, 0])
    x, observed, expected = points.places[order, 0], points.observed[order], points.expected[order]
    ax = axes(ax, (5.2, 3.8))
    ax.fill_between(x, expected[:, 0], expected[:, 4], color=TWO_SIGMA, lw=0, label="expected ± 2σ")
    ax.fill_between(x, expected[:, 1], expected[:, 3], color=ONE_SIGMA, lw=0, label="expected ± 1σ")
    ax.plot(x, expected[:, 2], "--", color=BLACK, label="expected, median")
    ax.plot(x, observed, "-", marker="o", ms=3, color=BLACK, label="observed")
    level = 1 - confidence_level if grid.quantity == EXCLUDED else 1.0
    ax.axhline(level, color=VERMILION, lw=1)
    _vertical(ax, grid, [observed, expected], level, logarithmic)
    ax.set_xlim(*extent([x], margin=0.0 if x.size > 1 else 0.05))
    ax.set_xlabel(shown(label))
    _remark(ax, points.n_lost, len(grid))
    ax.legend()
    return ax


def _vertical(ax, grid, values: list[np.ndarray], level: float, logarithmic: bool | None) -> None:
    every = np.concatenate([np.ravel(each) for each in values])
    positive = every[np.isfinite(every) & (every > 0)]
    wide = positive.size > 0 and positive.max() > 30 * positive.min()
    if wide if logarithmic is None else logarithmic:
        positive = np.maximum(positive, SMALLEST) if grid.quantity == EXCLUDED else positive
        low, high = extent([np.log10(positive)], include=[np.log10(level)])
        ax.set_yscale("log")
        ax.set_ylim(10**low, 10 ** (high + 0.25 * (high - low)))
    else:
        ax.set_ylim(0, extent([positive], include=[0.0, level], margin=0.3)[1])
    tested = r"$\mathrm{CL}_s$" if grid.quantity == EXCLUDED else f"upper limit on {shown(grid.poi)}"
    ax.set_ylabel(tested)


@styled()
def exclusion_contours(
    grid,
    *,
    labels: Sequence[str] | None = None,
    where: Mapping[str, float | str] | None = None,
    confidence_level: float = 0.95,
    ax=None,
):
    r"""What a patch set excludes in the plane of two of its labels: observed, expected and expected ± 1 sigma.

    A signal is excluded where CLs is below 1 - `confidence_level`, or where its upper limit is below 1. Between the
    signals \(\Phi^{-1}(1 - \mathrm{CLs})\), or the logarithm of the limit, is interpolated linearly on the triangles of
    a Delaunay triangulation, both axes in units of their range, without the flat ones at its border; nothing
    is extrapolated.

    **Arguments:** `grid`: a `GridResult`; `labels`: the horizontal and the vertical axis, by default the only two whose
    values differ; `where`: values of other labels.

    **Returns:** the `Axes`. **Raises:** `UnknownName`, `InvalidPlot` where signals lie on a line or at one place.
    """
    chosen = _where(grid, where or {})
    labels = _varying(grid, chosen, 2) if labels is None else tuple(labels)
    if len(labels) != 2:
        raise InvalidPlot(f"contours lie in the plane of two labels, found {', '.join(labels) or 'none'}")
    points = _points(grid, chosen, labels)
    distance = _distances(grid.quantity, confidence_level, np.column_stack([points.observed, points.expected]))
    surfaces = _Surfaces(points.places)
    observed, lower, median, upper = (surfaces(distance[:, i]) for i in (0, 2, 3, 4))
    ax = axes(ax, (5.2, 4.2))
    handles = _band(ax, surfaces, lower, upper)
    handles += _line(ax, surfaces, median, "--", "expected", distance[:, 3])
    handles += _line(ax, surfaces, observed, "-", "observed", distance[:, 0])
    ax.plot(*points.places.T, ".", color=GREY, ms=2.5, zorder=1)
    for set_limits, column in ((ax.set_xlim, 0), (ax.set_ylim, 1)):
        set_limits(*extent([points.places[:, column]]))
    ax.set_xlabel(shown(labels[0]))
    ax.set_ylabel(shown(labels[1]))
    _legend(ax, handles, f"excluded at {100 * confidence_level:g} % CL", points.n_lost, len(grid))
    return ax


def _legend(ax, handles: list, title: str, n_lost: int, n_all: int) -> None:
    """Above the axes, since contours may be anywhere in them."""
    title += f" ({n_lost} of {n_all} signals have no answer)" if n_lost else ""
    columns = 3 if all(len(each.get_label()) < 15 for each in handles) else 2
    place = dict(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, columnspacing=1.2)
    ax.legend(handles=handles, title=title, title_fontsize=8.5, alignment="left", **place)


class _Surfaces:
    """Interpolates values at scattered places on a fine grid; NaN outside their hull."""

    def __init__(self, places: np.ndarray):
        from matplotlib.tri import TriAnalyzer, Triangulation

        low, high = places.min(axis=0), places.max(axis=0)
        unit = (places - low) / np.where(high > low, high - low, 1.0)
        if len(unit) < 3 or np.linalg.matrix_rank(unit - unit.mean(axis=0), tol=1e-9) < 2:
            raise InvalidPlot("contours need signals that do not lie on a line; limit_band draws those that do")
        self.triangles = Triangulation(*unit.T)
        self.triangles.set_mask(TriAnalyzer(self.triangles).get_flat_tri_mask(FLAT))
        self.unit = np.linspace(0, 1, FINE)
        self.x, self.y = low[:, None] + (high - low)[:, None] * self.unit

    def __call__(self, values: np.ndarray) -> np.ma.MaskedArray:
        """The values on the grid, `(y, x)`."""
        from matplotlib.tri import LinearTriInterpolator

        return LinearTriInterpolator(self.triangles, values)(*np.meshgrid(self.unit, self.unit))


def _distances(quantity: str, confidence_level: float, values: np.ndarray) -> np.ndarray:
    """Positive where excluded, and 0 on the contour."""
    if quantity != EXCLUDED:
        return -np.log(np.clip(values, 1e-12, 1e12))
    normal = NormalDist()
    probability = np.clip(1 - values, 1e-6, 1 - 1e-15)
    return np.vectorize(normal.inv_cdf, otypes=[float])(probability) - normal.inv_cdf(confidence_level)


def _band(ax, surfaces: _Surfaces, lower, upper) -> list:
    """Where an outcome at -1 sigma excludes and one at +1 sigma does not."""
    from matplotlib.patches import Patch

    inside = np.ma.minimum(lower, -upper)
    if inside.count() and inside.max() > 0:
        ax.contourf(surfaces.x, surfaces.y, inside, levels=[0, max(float(inside.max()), 1.0)], colors=[TWO_SIGMA])
    return [Patch(color=TWO_SIGMA, lw=0, label="expected ± 1σ")]


def _line(ax, surfaces: _Surfaces, surface, style: str, name: str, at_points: np.ndarray) -> list:
    from matplotlib.lines import Line2D

    if at_points.min() < 0 < at_points.max():
        ax.contour(surfaces.x, surfaces.y, surface, levels=[0.0], colors=[BLACK], linestyles=style, linewidths=1.4)
        return [Line2D([], [], color=BLACK, ls=style, label=name)]
    return [Line2D([], [], ls="", label=f"{name}: {'all' if at_points.min() >= 0 else 'none'} of the signals")]


def _where(grid, where: Mapping) -> list[int]:
    """Places of the points with these values."""
    for label in where:
        if label not in grid.labels:
            raise UnknownName("label", label, grid.labels)
    columns = {label: grid.labels.index(label) for label in where}
    return [
        index
        for index, values in enumerate(grid.values)
        if all(values[column] == where[label] for label, column in columns.items())
    ]


def _varying(grid, chosen: list[int], count: int) -> tuple[str, ...]:
    """The labels whose values differ, if there are `count` of them."""
    differing = tuple(
        label for i, label in enumerate(grid.labels) if len({grid.values[index][i] for index in chosen}) > 1
    )
    if len(differing) != count:
        raise InvalidPlot(
            f"{len(differing)} labels of the signals have several values ({', '.join(differing) or 'none'}), this plot "
            f"needs {count}: name {'it' if count == 1 else 'them'}, and give the others a value with where={{...}}"
        )
    return differing


def _points(grid, chosen: list[int], labels: Sequence[str]) -> Points:
    """What is to be drawn, signals without an answer left out."""
    for label in labels:
        if label not in grid.labels:
            raise UnknownName("label", label, grid.labels)
    columns = [grid.labels.index(label) for label in labels]
    observed, expected, usable = np.asarray(grid.observed), np.asarray(grid.expected), np.asarray(grid.converged)
    good = [i for i in chosen if usable[i] and np.isfinite([observed[i], *expected[i]]).all()]
    if not good:
        raise InvalidPlot(f"none of the {len(chosen)} signals has an answer")
    values = [[grid.values[index][column] for column in columns] for index in good]
    if not all(isinstance(each, int | float) for row in values for each in row):
        raise InvalidPlot(f"values of {', '.join(labels)} are not all numbers")
    places = np.array(values, float)
    if len(np.unique(places, axis=0)) < len(places):
        raise InvalidPlot(
            f"several signals have the same {' and '.join(labels)}: choose with where={{...}}; labels are "
            f"{', '.join(grid.labels)}"
        )
    return Points(places, observed[good], expected[good], len(chosen) - len(good))


def _remark(ax, n_lost: int, n_all: int) -> None:
    if n_lost:
        note(ax, f"{n_lost} of {n_all} signals have no answer")
