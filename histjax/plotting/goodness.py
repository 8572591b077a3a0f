"""Goodness of fit: the statistic in its distribution, and what contributes to it."""

from math import lgamma

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.pulls import names_beside, of_how_many, width_of
from histjax.plotting.style import (
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    SKY,
    VERMILION,
    all_shown,
    numbers,
    one_result,
    panels,
    styled,
)
from histjax.plotting.toys import fractions

ROWS = 15
"""Contributions that are drawn."""


@styled()
def goodness_chart(result, *, rows: int = ROWS, bins: int = 40, ax=None):
    """The deviance of a fit in the distribution that it has for data of the model, and the largest contributions.

    **Arguments:** `result`: a `GoodnessOfFit`; `rows`: how many channels and constraint terms; `bins`: of the toys, if
    the p-value was counted; `ax`: two axes.

    **Returns:** an array of the two `Axes`. **Raises:** `InvalidPlot`.
    """
    one_result(np.shape(result.statistic), 0, "the goodness of fit")
    if not np.isfinite(float(result.statistic)):
        raise InvalidPlot("there is no goodness of fit to draw: the deviance is not finite; did the fit converge?")
    terms = _terms(result)
    height = max(3.2, 1.0 + 0.19 * min(len(terms), rows))
    terms = [(name, *rest) for name, (_, *rest) in zip(all_shown(each[0] for each in terms), terms, strict=True)]
    width = width_of([name for name, *_ in terms[:rows]])
    both = panels(ax, 2, ncols=2, figsize=(6.6 + width, height), width_ratios=(3, 2))
    _distribution(both[0], result, bins)
    _contributions(both[1], terms, rows)
    return both


def _terms(result) -> list[tuple[str, float, str]]:
    terms = [(f"channel {name}", float(value), BLUE) for name, value in result.channels.items()]
    terms += [(name, float(value), SKY) for name, value in result.constraints.items()]
    return sorted((each for each in terms if np.isfinite(each[1])), key=lambda each: -each[1])


def _distribution(ax, result, bins: int) -> None:
    observed, n_degrees = float(result.statistic), float(result.n_degrees)
    tally = getattr(result.toys, "tally", None)
    top = 1.25 * observed
    if n_degrees > 0:
        top = max(top, n_degrees + 4 * np.sqrt(2 * n_degrees))
    if tally is not None and tally.n_good and np.isfinite(tally.quantile(1e-3)):
        top = max(top, 1.05 * tally.quantile(1e-3))
    top = top or 1.0
    if tally is not None:
        edges = np.linspace(0, top, bins + 1)
        density = fractions(tally, edges) / np.diff(edges)
        ax.stairs(density, edges, fill=True, color=LIGHT, label=f"{tally.n_good} toys")
    if n_degrees > 0:
        x = np.linspace(0, top, 600)[1:]
        density, degrees = _chi2(x, n_degrees), "degree" if n_degrees == 1 else "degrees"
        ax.plot(x, density, color=BLUE, label=rf"$\chi^2$, {n_degrees:.0f} {degrees} of freedom")
        if tally is None:
            ax.fill_between(x, density, where=x >= observed, color=ORANGE, alpha=0.5, lw=0)
        ax.set_ylim(0, 1.35 * (float(density[len(x) // 50 :].max()) if n_degrees < 2 else float(density.max())))
    p_value = float(result.p_value)
    said = f"observed: {observed:.4g}" + (f", p = {p_value:.3g}" if np.isfinite(p_value) else ", no p-value")
    ax.axvline(observed, color=VERMILION, lw=1.3, label=said)
    ax.set_xlim(0, top)
    ax.set_xlabel(r"$-2\,\ln\,(L / L_\mathrm{saturated})$")
    ax.set_ylabel("probability density")
    ax.legend(loc="upper right")


def _chi2(x: np.ndarray, n_degrees: float) -> np.ndarray:
    half = n_degrees / 2
    return np.exp((half - 1) * np.log(x / 2) - x / 2 - lgamma(half)) / 2


def _contributions(ax, terms: list[tuple[str, float, str]], rows: int) -> None:
    chosen = terms[:rows]
    values = numbers([value for _, value, _ in chosen])
    ax.barh(range(len(chosen)), values, 0.7, color=[colour for *_, colour in chosen], lw=0)
    ax.axvline(0, color=GREY, lw=0.8)
    names_beside(ax, [name for name, *_ in chosen])
    ax.set_xlabel("contribution")
    of_how_many(ax, len(chosen), len(terms), rows, None, "largest")
