"""The profile likelihood: over one parameter, over the plane of two, and its contours."""

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import BLACK, BLUE, GREY, VERMILION, axes, colour_bar, extent, note, numbers, shown, styled

LEVEL_LABEL = r"$-2\,\Delta\ln L$"
LINES = ((1.0, "1σ"), (4.0, "2σ"), (9.0, "3σ"))
"""Levels of one parameter that are marked."""
JOINT = ((2.2957, "68.3 %"), (5.9915, "95 %"))
"""Levels of two parameters: quantiles of a chi-square distribution with two degrees of freedom."""


@styled()
def likelihood_scan(scan, *, highest: float | None = None, ax=None):
    """-2 ln L above its minimum against one parameter, with the levels of one, two and three standard deviations.

    **Arguments:** `scan`: a `Scan` of one component; `highest`: upper end of the vertical axis. Points that did not
    converge are left out and counted in a remark.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.

    >>> import histjax, histjax.plotting
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> ax = histjax.plotting.likelihood_scan(histjax.scan(model, values={"mu": [0.0, 0.5, 1.0]}))
    >>> ax.get_xlabel(), len(ax.lines[0].get_xdata())
    ('mu', 3)
    """
    x, delta = _axes_of(scan, 1), numbers(scan.delta)
    good = np.asarray(scan.converged, bool) & np.isfinite(delta)
    ax = axes(ax, (5.2, 3.6))
    ax.plot(x[0][good], delta[good], "-", marker="o" if good.sum() <= 60 else "", ms=2.5, color=BLUE)
    top = extent([delta[good]], include=[0.0, 1.2], margin=0.08)[1] if highest is None else highest
    left, right = extent([x[0]], margin=0.0)
    ax.set_xlim(left, right)
    ax.set_ylim(min(0.0, float(delta[good].min())), top)
    for level, word in LINES:
        if level < top:
            ax.axhline(level, color=GREY, lw=0.8, ls=":")
            ax.annotate(word, (right, level), (-3, 2), textcoords="offset points", ha="right", color=GREY, fontsize=8)
    best = float(np.ravel(numbers(scan.best))[0])
    if left <= best <= right:
        ax.axvline(best, color=VERMILION, lw=0.9, ls="--", label=f"best fit: {best:.4g}")
        ax.legend(loc="upper center")
    ax.set_xlabel(shown(scan.names[0]))
    ax.set_ylabel(LEVEL_LABEL)
    _remark(ax, good)
    return ax


@styled()
def likelihood_surface(scan, *, highest: float = 12.0, ax=None):
    """-2 ln L above its minimum in the plane of two parameters, with the contours that cover both at 68.3 and 95 %.

    **Arguments:** `scan`: a `Scan` of two components; `highest`: where the colours end.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.
    """
    x, y = _axes_of(scan, 2)
    good = np.asarray(scan.converged, bool) & np.isfinite(numbers(scan.delta))
    delta = np.ma.array(numbers(scan.delta), mask=~good).T
    ax = axes(ax, (5.2, 4.0))
    mesh = ax.pcolormesh(x, y, delta, shading="nearest", cmap="viridis_r", vmin=0, vmax=highest, linewidth=0)
    mesh.set_edgecolor("face")  # no white seams in vector output
    colour_bar(ax, mesh, LEVEL_LABEL, extend="max")
    handles = []
    for (level, word), style in zip(JOINT, ("-", "--"), strict=True):
        if min(delta.shape) > 1 and delta.min() < level < delta.max():
            ax.contour(x, y, delta, levels=[level], colors=[BLACK], linestyles=style, linewidths=1.2)
            handles.append(ax.plot([], [], style, color=BLACK, lw=1.2, label=word)[0])
    handles.append(_best(ax, numbers(scan.best)))
    ax.set_xlabel(shown(scan.names[0]))
    ax.set_ylabel(shown(scan.names[1]))
    ax.set_xlim(*extent([x], margin=0.5 / len(x)))
    ax.set_ylim(*extent([y], margin=0.5 / len(y)))
    ax.legend(handles=handles, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=1.2)
    _remark(ax, good)
    return ax


@styled()
def likelihood_contours(contour, *, ax=None):
    """Contours of the profile likelihood in the plane of two parameters.

    **Arguments:** `contour`: a `Contour`. Points where the search failed leave a gap.

    **Returns:** the `Axes`, where further contours may be drawn. **Raises:** `InvalidPlot`.
    """
    points = numbers(contour.points)
    if points.ndim != 3:
        raise InvalidPlot(f"contours of one result are drawn, this is a batch of shape {points.shape[:-3]}")
    ax = axes(ax, (5.2, 4.0))
    order = np.argsort(numbers(contour.confidence_levels))
    covered = "both" if contour.degrees_of_freedom == 2 else "each"
    styles = ("-", "--", "-.", ":")
    for rank, place in enumerate(order):
        closed = np.concatenate([points[place], points[place][:1]])
        level = 100 * float(contour.confidence_levels[place])
        ax.plot(*closed.T, styles[rank % 4], color=BLUE, label=f"{level:.4g} %, {covered}")
    best = _best(ax, numbers(contour.best))
    handles = [*ax.lines[: len(order)], best]
    for set_limits, column in ((ax.set_xlim, 0), (ax.set_ylim, 1)):
        set_limits(*extent([line.get_data()[column] for line in ax.lines], margin=0.08))
    ax.set_xlabel(shown(contour.names[0]))
    ax.set_ylabel(shown(contour.names[1]))
    ax.legend(handles=handles, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=1.2)
    return ax


def _axes_of(scan, count: int) -> tuple[np.ndarray, ...]:
    """Values of the scanned components."""
    if len(scan.names) != count:
        other = {1: "likelihood_scan", 2: "likelihood_surface"}.get(len(scan.names), "no plot")
        raise InvalidPlot(
            f"this plot is of a scan of {count}, found one of {len(scan.names)} ({', '.join(scan.names)}): {other} "
            "draws it"
        )
    values = tuple(numbers(each) for each in scan.values)
    if np.ndim(scan.delta) != count or any(each.ndim != 1 for each in values):
        raise InvalidPlot("one scan is drawn, this is a batch; take one of them")
    return values


def _best(ax, best: np.ndarray):
    return ax.plot(*np.ravel(best), "*", color=VERMILION, ms=9, mec="white", mew=0.6, ls="", label="best fit")[0]


def _remark(ax, good: np.ndarray) -> None:
    if not good.all():
        note(ax, f"{int((~good).sum())} of {good.size} points did not converge")
