"""The ranking: impacts on the parameter of interest, and beside them the pulls of the same parameters."""

from collections.abc import Iterator

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.pulls import n_pages, names_beside, of_how_many, on_page, width_of
from histjax.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    ONE_SIGMA,
    ORANGE,
    TWO_SIGMA,
    all_shown,
    extent,
    numbers,
    one_result,
    panels,
    shown,
    styled,
)

ROWS = 20
"""Parameters on a page."""


@styled()
def ranking_chart(result, *, rows: int = ROWS, page: int | None = None, ax=None):
    """Impacts as bars, the largest on top, and pulls as points.

    Filled bars are postfit impacts, outlines prefit ones; the pull has the ratio of postfit and prefit width as its
    error bar. What has no constraint term has neither outline nor point.

    **Arguments:**

    - `result`: a `Ranking`.
    - `rows`: how many parameters are drawn, those with the largest postfit impacts; `page`: the ones of this page,
      counted from 1 (`ranking_pages` draws all).
    - `ax`: two axes.

    **Returns:** an array of the two `Axes`. **Raises:** `InvalidPlot`.
    """
    one_result(np.shape(result.postfit_up), 1, "the ranking")
    order = np.asarray(result.order)
    chosen = on_page(order, rows, page) if page else order[:rows]
    if not chosen.size:
        raise InvalidPlot(f"no parameter is ranked by its impact on {result.poi}")
    height = 1.2 + 0.2 * max(chosen.size, 4)
    names = all_shown(result.names[i] for i in chosen)
    both = panels(ax, 2, ncols=2, sharey=True, figsize=(5.4 + width_of(names), height), width_ratios=(3, 2))
    _impacts(both[0], result, chosen)
    _pulls(both[1], numbers(result.pull)[chosen], numbers(result.width_ratio)[chosen])
    names_beside(both[0], names)
    of_how_many(both[1], chosen.size, order.size, rows, page, "largest impacts")
    return both


def ranking_pages(result, *, rows: int = ROWS) -> Iterator:
    """All impacts, a figure for each `rows` of them; yields the pairs of `Axes`, one after the other."""
    for page in range(1, max(n_pages(len(result.names), rows), 1) + 1):
        yield ranking_chart(result, rows=rows, page=page)


def _impacts(ax, result, chosen: np.ndarray) -> None:
    places = np.arange(chosen.size)
    fields = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")
    impacts = {name: numbers(getattr(result, name))[chosen] for name in fields}
    for name, colour in (("up", BLUE), ("down", ORANGE)):
        prefit, postfit = (np.nan_to_num(impacts[f"{kind}_{name}"]) for kind in ("prefit", "postfit"))
        word = "+1σ" if name == "up" else "−1σ"
        ax.barh(places, postfit, 0.62, color=colour, lw=0, label=f"postfit {word}")
        ax.barh(places, prefit, 0.82, fill=False, edgecolor=colour, lw=0.9, label=f"prefit {word}")
    half = max(abs(end) for end in extent(impacts.values(), include=[0.0]))
    ax.set_xlim(-half, half)
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set_xlabel(f"impact on {shown(result.poi)}")
    ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=1.2, handlelength=1.4)


def _pulls(ax, pull: np.ndarray, width: np.ndarray) -> None:
    for half, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        ax.axvspan(-half, half, color=colour, alpha=0.45, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.8)
    there = np.flatnonzero(np.isfinite(pull))
    error = np.where(np.isfinite(width), width, 0.0)[there]
    ax.errorbar(pull[there], there, xerr=error, fmt="o", color=BLACK, ms=3.5, lw=1.1)
    half = max(abs(end) for end in extent([pull - width, pull + width], include=[-2.4, 2.4]))
    ax.set_xlim(-half, half)
    ax.set_xlabel("pull")
    ax.tick_params(axis="y", length=0, labelleft=False)
