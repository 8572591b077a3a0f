"""Trace plots: what every chain of a sampler did, draw by draw."""

from collections.abc import Mapping, Sequence

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.posteriors import chosen_names, draws_of
from histjax.plotting.style import GREY, STACK, VERMILION, numbers, panels, shown, styled

MOST = 6
"""Parameters that are drawn if none are named."""
MOST_DOTS = 2000
"""Draws of a chain that are drawn: every n-th of a longer one."""


@styled()
def trace_plot(draws, *, names: Sequence[str] | None = None, bins: int = 30, ax=None):
    """The draws of each chain in their order, and beside them how they are distributed: one row for each parameter.

    Chains that agree lie on each other. Draws at the end of a divergent trajectory are marked.

    **Arguments:**

    - `draws`: `Samples`, or `{name: (chains, draws)}`.
    - `names`: which parameters; by default that of interest and those that come first, six in all.
    - `ax`: two axes for each parameter.

    **Returns:** an array `(names, 2)` of `Axes`. **Raises:** `UnknownName`, `InvalidPlot`.
    """
    chains, divergent = draws_of(draws), divergent_draws(draws)
    names = chosen_names(chains, names, MOST)
    if not names:
        raise InvalidPlot("there is no parameter to draw")
    settings = dict(nrows=len(names), ncols=2, figsize=(7.5, 0.5 + 1.3 * len(names)), squeeze=False)
    every = panels(ax, 2 * len(names), gridspec_kw={"width_ratios": (3, 1)}, **settings).reshape(-1, 2)
    for (left, right), name in zip(every, names, strict=True):
        _row(left, right, np.atleast_2d(numbers(chains[name])), divergent, bins)
        left.set_ylabel(shown(name, 20), fontsize=8)
        right.set_yticks([])
    every[-1, 0].set_xlabel("draw")
    every[-1, 1].set_xlabel("draws")
    every[0, 0].figure.align_ylabels(every[:, 0])
    return every


def _row(left, right, chains: np.ndarray, divergent: np.ndarray | None, bins: int) -> None:
    if chains.size < 2 or not np.isfinite(chains).all():
        raise InvalidPlot("there are too few draws, or some of them are not finite")
    low, high = chains.min(), chains.max()
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    step = -(-chains.shape[1] // MOST_DOTS)
    for number, chain in enumerate(chains):
        colour = STACK[number % len(STACK)] if len(chains) <= len(STACK) else GREY
        left.plot(np.arange(chain.size)[::step], chain[::step], color=colour, lw=0.4, alpha=0.8)
        right.stairs(np.histogram(chain, edges)[0], edges, orientation="horizontal", color=colour, lw=0.9)
    if divergent is not None and divergent.shape == chains.shape:
        _, place = np.nonzero(divergent)
        left.plot(place, chains[divergent], "x", color=VERMILION, ms=3, label="divergent")
    left.set_xlim(0, max(chains.shape[1] - 1, 1))
    for ax in (left, right):
        ax.set_ylim(edges[0], edges[-1])
        ax.tick_params(labelsize=7)
    right.set_xlim(left=0)


def divergent_draws(draws) -> np.ndarray | None:
    """Which draws end a divergent trajectory, `(chains, draws)`; `None` where that is not known."""
    if isinstance(draws, Mapping):
        return None
    found = draws.statistics.get("is_divergent")
    return None if found is None else np.asarray(found, bool)
