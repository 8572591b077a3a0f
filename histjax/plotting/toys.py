"""How toys distribute a test statistic, with the observed value and the asymptotic law."""

import numpy as np

from histjax.errors import InvalidPlot
from histjax.inference import statistics
from histjax.inference.asymptotic import log_p_values
from histjax.inference.toys.tally import BIN_WIDTH, LARGEST_ROOT
from histjax.plotting.style import BLUE, ORANGE, VERMILION, axes, shown, styled

BINS = 50
"""Bins of the histograms."""


@styled()
def toy_distributions(test, *, bins: int = BINS, asymptotic: bool = True, ax=None):
    """Histograms of the statistic for toys of both hypotheses, the observed value, and the asymptotic expectation.

    The first bin holds the toys whose statistic is 0. The last one holds what lies beyond.

    **Arguments:** `test`: a `HypotestResult` with `calculator=Toys(...)` (of a `Significance`, its `test`); `bins`: how
    many; `asymptotic`: whether the expectation (arXiv:1007.1727, section 3) is drawn.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.
    """
    if getattr(test, "toys", None) is None:
        raise InvalidPlot("this test counted no toys: give it calculator=Toys(key, n_toys), or --toys and --seed")
    tallies = {"tested": test.toys.tested, "other": test.toys.other}
    edges = _edges(tallies.values(), float(test.statistic), bins)
    ax = axes(ax, (5.6, 3.9))
    names = _names(test)
    for (which, tally), colour in zip(tallies.items(), (BLUE, ORANGE), strict=True):
        contents = fractions(tally, edges)
        label = f"{names[which]}: {tally.n_good} toys"
        ax.stairs(contents, edges, color=colour, lw=1.3, fill=False, label=label, baseline=None)
        if asymptotic and np.isfinite(float(test.statistic_asimov)):
            law = _law(test, which, edges)
            centres = (edges[1:] + edges[:-1]) / 2
            ax.plot(centres, law, "--", color=colour, lw=1.1, label="asymptotic")
    ax.axvline(float(test.statistic), color=VERMILION, lw=1.3, label=f"observed: {float(test.statistic):.4g}")
    smallest = min(0.4 / max(tally.n_good, 1) for tally in tallies.values())
    ax.set_yscale("log")
    ax.set_ylim(smallest, 3)
    ax.set_xlim(0, edges[-1])
    ax.set_xlabel(_STATISTICS.get(test.statistic_name, test.statistic_name))
    ax.set_ylabel("fraction of toys per bin")
    ax.legend(loc="upper right")
    return ax


_STATISTICS = {
    "qmu": r"$q_\mu$",
    "qmu_tilde": r"$\tilde{q}_\mu$",
    "q0": r"$q_0$",
    "tmu": r"$t_\mu$",
    "tmu_tilde": r"$\tilde{t}_\mu$",
}


def _names(test) -> dict[str, str]:
    other = 1 if test.statistic_name == "q0" else 0
    return {"tested": f"{shown(test.poi)} = {float(test.poi_value):g}", "other": f"{shown(test.poi)} = {other}"}


def _edges(tallies, observed: float, bins: int) -> np.ndarray:
    """Equal bins up to the value that one toy in a thousand exceeds, or a little beyond the observed one."""
    ends = [tally.quantile(1e-3) for tally in tallies if tally.n_good]
    top = max([each for each in ends if np.isfinite(each)], default=1.0)
    return np.linspace(0.0, max(1.05 * top, 1.15 * observed, 1e-3), bins + 1)


def fractions(tally, edges: np.ndarray) -> np.ndarray:
    """Fraction of the certified toys in each bin, from the fine bins of a `Tally`; the last has all beyond it.

    >>> from histjax.inference.toys.tally import Tally
    >>> print(fractions(Tally.of(np.array([0.0, 0.5, 1.5, 4.0]), observed=1.5), np.array([0.0, 1.0, 2.0])))
    [0.5 0.5]
    """
    if not tally.n_good:
        return np.zeros(len(edges) - 1)
    roots = np.concatenate([[0.0], (np.arange(len(tally.counts) - 2) + 0.5) * BIN_WIDTH, [LARGEST_ROOT]])
    places = np.clip(np.searchsorted(edges, roots**2, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(places, weights=tally.counts, minlength=len(edges) - 1) / tally.n_good


def _law(test, which: str, edges: np.ndarray) -> np.ndarray:
    """The asymptotic probability of each bin, what is at 0 in the first and what lies beyond in the last."""
    statistic = getattr(statistics, test.statistic_name)
    both = log_p_values(statistic, edges, np.full(edges.shape, float(test.statistic_asimov)))
    beyond = np.exp(np.asarray(both[0 if which == "tested" else 1]))
    beyond[0], beyond[-1] = 1.0, 0.0
    return np.where(beyond[:-1] - beyond[1:] > 0, beyond[:-1] - beyond[1:], np.nan)
