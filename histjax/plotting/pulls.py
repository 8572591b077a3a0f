"""Pulls and constraints: where a fit puts the constrained parameters, in units of what was known before."""

from collections.abc import Iterator

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import (
    BLACK,
    GREY,
    ONE_SIGMA,
    TWO_SIGMA,
    all_shown,
    axes,
    extent,
    note,
    numbers,
    one_result,
    styled,
)

ROWS = 40
"""Parameters on a page."""


@styled()
def pull_chart(result, *, rows: int = ROWS, page: int | None = None, ax=None):
    """Pulls as points, postfit over prefit widths as error bars, on bands of one and two prefit standard deviations.

    **Arguments:**

    - `result`: `Pulls`.
    - `rows`: how many parameters are drawn. Where there are more, those whose pull or constraint is most remarkable,
      by the larger of abs(pull) and abs(1 - width ratio), in the order of the model.
    - `page`: instead, the parameters of this page, counted from 1, `rows` on each (`pull_pages` draws all).

    A component that was held is an open point without error bar.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.

    >>> import histjax, histjax.plotting
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> ax = histjax.plotting.pull_chart(histjax.pulls(model, histjax.fit(model)))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
    """
    one_result(np.shape(result.pull), 1, "pulls")
    pull, width, held = numbers(result.pull), numbers(result.width_ratio), np.asarray(result.held, bool)
    defined = np.flatnonzero(np.isfinite(pull))
    remarkable = np.fmax(abs(pull), np.where(held, 0.0, abs(1 - width)))
    chosen = on_page(defined, rows, page) if page else np.sort(defined[np.argsort(-remarkable[defined])][:rows])
    if not chosen.size:
        raise InvalidPlot("there is no pull to draw: no parameter has a constraint term of finite width")
    names = all_shown(result.names[i] for i in chosen)
    ax = axes(ax, (3.7 + width_of(names), 0.9 + 0.17 * max(chosen.size, 4)))
    ends = extent([pull[chosen] - width[chosen], pull[chosen] + width[chosen]], include=[-2.4, 2.4])
    for half, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        ax.axvspan(-half, half, color=colour, alpha=0.45, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.8)
    for mask, face in ((~held, BLACK), (held, "white")):
        these = np.flatnonzero(mask[chosen])
        error = np.where(np.isfinite(width) & ~held, width, 0.0)[chosen][these]
        ax.errorbar(pull[chosen][these], these, xerr=error, fmt="o", color=BLACK, mfc=face, ms=3.5, lw=1.1)
    half = max(abs(end) for end in ends)
    ax.set_xlim(-half, half)
    names_beside(ax, names)
    ax.set_xlabel(r"pull: (best fit − centre) / prefit width")
    of_how_many(ax, chosen.size, defined.size, rows, page, "largest")
    return ax


def pull_pages(result, *, rows: int = ROWS) -> Iterator:
    """All pulls, a figure for each `rows` of them; yields the `Axes`, one after the other."""
    count = int(np.isfinite(numbers(result.pull)).sum())
    for page in range(1, max(n_pages(count, rows), 1) + 1):
        yield pull_chart(result, rows=rows, page=page)


def n_pages(count: int, rows: int) -> int:
    """How many pages so many rows fill."""
    return -(-count // rows)


def on_page(places: np.ndarray, rows: int, page: int) -> np.ndarray:
    """The places on a page, counted from 1; raises `InvalidPlot` where there is none."""
    last = max(n_pages(len(places), rows), 1)
    if not 1 <= page <= last:
        raise InvalidPlot(f"there is no page {page}: {len(places)} parameters fill {last}")
    return places[rows * (page - 1) : rows * page]


def width_of(names: list[str]) -> float:
    """About how wide the longest name is, in inches."""
    return 0.062 * max(map(len, names), default=0)


def names_beside(ax, names: list[str]) -> None:
    """A row for each name, the first one on top, in letters that fit."""
    ax.set_yticks(range(len(names)), names, fontsize=8 if len(names) <= 60 else 6)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)


def of_how_many(ax, drawn: int, total: int, rows: int, page: int | None, which: str) -> None:
    """Say what is left out, if anything is."""
    if page and total > rows:
        note(ax, f"page {page} of {n_pages(total, rows)}")
    elif drawn < total:
        note(ax, f"the {drawn} {which} of {total}")
