"""A counting spectrum with its folded model, and the residuals."""

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import BLACK, BLUE, GREY, ORANGE, VERMILION, numbers, one_result, panels, shown, styled


@styled()
def folded_spectrum(result, *, ax=None):
    """Counts per keV: observed ones, and those expected of source and background; below them the signed root of the
    statistic of each bin.

    **Arguments:** `result`: a `FoldedSpectrum` of `histjax.spectra.folded`; `ax`: two axes.

    Energies are logarithmic; where they are not known, bins are numbered and counts are per bin.

    **Returns:** an array of the two `Axes`. **Raises:** `InvalidPlot`.
    """
    one_result(np.shape(result.observed), 1, "the spectrum")
    both = panels(ax, 2, nrows=2, sharex=True, figsize=(6.4, 4.8), height_ratios=(3, 1))
    ranges = numbers(result.channels)
    by_energy = bool(np.isfinite(ranges).all())
    if not by_energy:
        ranges = np.arange(len(ranges))[:, None] + np.array([0.0, 1.0])
    _counts(both[0], result, ranges, by_energy)
    _residuals(both[1], numbers(result.residual), ranges)
    both[1].set_xlabel("energy [keV]" if by_energy else "bin")
    if by_energy and ranges.min() > 0:
        both[1].set_xscale("log")
    return both


def _counts(ax, result, ranges: np.ndarray, by_energy: bool) -> None:
    width = np.diff(ranges, axis=1)[:, 0] if by_energy else 1.0
    observed, source, background = (
        numbers(each) / width for each in (result.observed, result.source, result.background)
    )
    if not np.isfinite(source + background).all():
        raise InvalidPlot("there is nothing to draw: expected counts are not finite; did the fit converge?")
    error = np.sqrt(np.maximum(numbers(result.observed), 0.0)) / width
    middle, half = ranges.mean(axis=1), 0.5 * np.diff(ranges, axis=1)[:, 0]
    ax.errorbar(middle, observed, error, half, fmt="none", ecolor=BLACK, elinewidth=0.8, label="observed")
    lines = [(source + background, VERMILION, "-", "expected")]
    if np.any(background != 0):
        lines += [(source, BLUE, "--", "source"), (background, ORANGE, ":", "background")]
    for values, colour, style, label in lines:
        ax.hlines(values, *ranges.T, color=colour, ls=style, lw=1.2, label=label)
    positive = np.concatenate([each[each > 0] for each in (observed, source + background)])
    if positive.size:
        ax.set_yscale("log")
        ax.set_ylim(0.3 * positive.min(), 3.0 * positive.max())
    ax.set_ylabel("counts per keV" if by_energy else "counts per bin")
    ax.set_title(shown(result.name))
    ax.legend()


def _residuals(ax, residual: np.ndarray, ranges: np.ndarray) -> None:
    ax.axhline(0, color=GREY, lw=0.8)
    middle, half = ranges.mean(axis=1), 0.5 * np.diff(ranges, axis=1)[:, 0]
    ax.errorbar(middle, residual, 1.0, half, fmt="none", ecolor=BLACK, elinewidth=0.8)
    top = 1.2 * max(3.0, float(np.max(np.abs(residual[np.isfinite(residual)]), initial=0.0)) + 1)
    ax.set_ylim(-top, top)
    ax.set_ylabel("residual [σ]")
