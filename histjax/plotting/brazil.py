"""The Brazil band: CLs against the tested value, with what is expected without a signal; p-values of one test; limits
as bars.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import (
    BLACK,
    BLUE,
    ONE_SIGMA,
    TWO_SIGMA,
    VERMILION,
    axes,
    extent,
    numbers,
    shown,
    styled,
)

SMALLEST = 1e-12
"""A p-value below it is drawn there."""


class Curves(NamedTuple):
    """What the band is drawn of, in ascending order of the tested values: `(points,)` and `(points, 5)`."""

    poi: str
    values: np.ndarray
    CLs: np.ndarray
    CLs_expected: np.ndarray
    CLsb: np.ndarray
    CLb: np.ndarray
    CLs_uncertainty: np.ndarray


@styled()
def brazil_band(
    tests, *, limit=None, components: bool = False, confidence_level: float = 0.95, logarithmic: bool = False, ax=None
):
    """CLs against the tested value, observed and expected, with the level at which a value is excluded.

    **Arguments:**

    - `tests`: `HypotestResult`s of several values in any order; one that was mapped over them; or an `UpperLimit` from
      toys, which has tested a few.
    - `limit`: the `UpperLimit`, whose observed and median expected values are marked.
    - `components`: whether CLsb and CLb of the data are drawn, too.
    - `confidence_level`: of the line; that of `limit` where there is one.
    - `logarithmic`: the vertical axis.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.

    >>> import histjax, histjax.plotting
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> tests = [histjax.hypotest(model, poi_value=value) for value in (0.5, 1.0, 1.5)]
    >>> histjax.plotting.brazil_band(tests).get_xlabel()
    'mu'
    """
    curves = _curves(tests)
    ax = axes(ax, (5.2, 3.8))
    band, values = curves.CLs_expected, curves.values
    ax.fill_between(values, band[:, 0], band[:, 4], color=TWO_SIGMA, lw=0, label="expected ± 2σ")
    ax.fill_between(values, band[:, 1], band[:, 3], color=ONE_SIGMA, lw=0, label="expected ± 1σ")
    ax.plot(values, band[:, 2], "--", color=BLACK, label="expected, median")
    _observed(ax, curves)
    if components:
        ax.plot(values, curves.CLsb, "-.", color=BLUE, label=r"$\mathrm{CL}_{s+b}$ observed")
        ax.plot(values, curves.CLb, ":", color=VERMILION, label=r"$\mathrm{CL}_b$ observed")
    level = 1 - (confidence_level if limit is None else float(limit.confidence_level))
    ax.axhline(level, color=VERMILION, lw=1)
    ax.annotate(f"{level:.3g}", (1, level), (-3, 2), color=VERMILION, **_ABOVE_LINE)
    if limit is not None:
        _mark(ax, limit, level)
    _frame(ax, curves, level, logarithmic)
    ax.set_ylabel("p-value" if components else r"$\mathrm{CL}_s$")
    ax.legend()
    return ax


_ABOVE_LINE = dict(xycoords=("axes fraction", "data"), textcoords="offset points", ha="right", va="bottom", fontsize=8)


def _observed(ax, curves: Curves) -> None:
    if np.any(curves.CLs_uncertainty > 0):
        ax.errorbar(curves.values, curves.CLs, curves.CLs_uncertainty, fmt="o-", color=BLACK, label="observed")
    else:
        ax.plot(curves.values, curves.CLs, "-", marker="o", ms=3, color=BLACK, label="observed")


def _mark(ax, limit, level: float) -> None:
    """The limits, as lines from the level down."""
    for value, style in ((float(limit.observed), "-"), (float(limit.expected[2]), "--")):
        if np.isfinite(value):
            ax.plot([value, value], [0 if ax.get_yscale() == "linear" else SMALLEST, level], style, color=BLACK, lw=0.9)


def _frame(ax, curves: Curves, level: float, logarithmic: bool) -> None:
    ax.set_xlim(*extent([curves.values], margin=0.0 if curves.values.size > 1 else 0.05))
    if logarithmic:
        lowest = np.nanmin([*np.ravel(curves.CLs), *np.ravel(curves.CLs_expected), level])
        ax.set_yscale("log")
        ax.set_ylim(max(lowest / 2, SMALLEST), 2)
    else:
        ax.set_ylim(0, 1.05)
    ax.set_xlabel(shown(curves.poi))


def _curves(tests) -> Curves:
    """Columns of whatever holds the tests."""
    points = getattr(getattr(tests, "toys", None), "points", None)
    if points is not None:
        nothing = np.full(np.shape(points.CLs), np.nan)
        columns = points.poi_values, points.CLs, points.CLs_expected, nothing, nothing, points.CLs_uncertainty
        return _sorted(tests.poi, *map(numbers, columns))
    if not hasattr(tests, "CLs"):
        return _stacked(list(tests))
    if np.ndim(tests.CLs) != 1:
        raise InvalidPlot("a band needs tests of several values, this is one; p_value_bars draws it")
    columns = tests.poi_value, tests.CLs, tests.CLs_expected, tests.CLsb, tests.CLb, np.zeros(np.shape(tests.CLs))
    return _sorted(tests.poi, *map(numbers, columns))


def _stacked(tests: Sequence) -> Curves:
    if not tests or any(not hasattr(each, "CLs") for each in tests):
        raise InvalidPlot(
            "expected tests of several values: HypotestResults, one mapped over them, or toy-based limits"
        )
    kinds = {(each.poi, each.statistic_name) for each in tests}
    if len(kinds) > 1:
        listed = ", ".join(sorted(f"{poi} ({statistic})" for poi, statistic in kinds))
        raise InvalidPlot(f"these are tests of different things: {listed}; draw a band for each")
    fields = ("poi_value", "CLs", "CLs_expected", "CLsb", "CLb")
    columns = [np.stack([numbers(getattr(each, name)) for each in tests]) for name in fields]
    errors = [0.0 if each.toys is None else float(each.toys.observed.CLs_uncertainty) for each in tests]
    return _sorted(tests[0].poi, *columns, numbers(errors))


def _sorted(poi: str, values, *columns) -> Curves:
    order = np.argsort(values)
    return Curves(poi, values[order], *(each[order] for each in columns))


@styled()
def p_value_bars(test, *, confidence_level: float = 0.95, ax=None):
    """CLs, CLsb and CLb of one test, observed, in the bands that are expected for outcomes of the other hypothesis.

    **Arguments:** `test`: a `HypotestResult`. For `q0` all three are p0, and there is one bar.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot`.
    """
    if not hasattr(test, "CLs") or np.ndim(test.CLs):
        raise InvalidPlot("one test is drawn as bars; brazil_band draws tests of several values")
    discovery = test.statistic_name == "q0"
    fields = ("CLsb",) if discovery else ("CLs", "CLsb", "CLb")
    ax = axes(ax, (5.2, 1.3 + 0.35 * len(fields)))
    for place, name in enumerate(fields):
        band = np.clip(np.sort(numbers(getattr(test, f"{name}_expected"))), SMALLEST, 1.0)
        _bar(ax, place, band, float(np.clip(float(getattr(test, name)), SMALLEST, 1.0)), 0.0)
    ax.set_xscale("log")
    low, _ = extent(map(np.log10, _ends(ax)), include=[np.log10(1 - confidence_level)])
    ax.set_xlim(10**low, 1.3)
    if not discovery:
        ax.axvline(1 - confidence_level, color=VERMILION, lw=1)
    ax.set_yticks(range(len(fields)), [r"$p_0$"] if discovery else [_WORDS[each] for each in fields])
    _finish_bars(ax, len(fields))
    ax.set_xlabel(f"p-value for {shown(test.poi)} = {float(test.poi_value):g}")
    return ax


_WORDS = {"CLs": r"$\mathrm{CL}_s$", "CLsb": r"$\mathrm{CL}_{s+b}$", "CLb": r"$\mathrm{CL}_b$"}


def _ends(ax) -> list[np.ndarray]:
    return [np.asarray(line.get_xdata(), float) for line in ax.lines] + [
        np.asarray([patch.get_x(), patch.get_x() + patch.get_width()]) for patch in ax.patches
    ]


@styled()
def limit_bars(limits, *, ax=None):
    """Upper limits, one bar each: the expected band, its median, and the observed limit.

    **Arguments:** `limits`: an `UpperLimit`, or several by name, `{name: UpperLimit}`. Uncertainties of toys are drawn
    as error bars of the observed limits.

    **Returns:** the `Axes`. **Raises:** `InvalidPlot` where no limit is finite.
    """
    limits = {limits.poi: limits} if hasattr(limits, "observed") else dict(limits)
    if not limits:
        raise InvalidPlot("there is no limit to draw")
    ax = axes(ax, (5.2, 1.3 + 0.35 * len(limits)))
    for place, limit in enumerate(limits.values()):
        _bar(ax, place, numbers(limit.expected), float(limit.observed), float(limit.uncertainty))
    every = [numbers(x) for each in limits.values() for x in (each.expected, each.observed)]
    ax.set_xlim(*extent(every, include=[0.0]))
    if min(float(np.nanmin(numbers(each))) for each in every if np.isfinite(each).any()) >= 0:
        ax.set_xlim(left=0)
    lost = {name: "" if np.isfinite(float(each.observed)) else "\n(none observed)" for name, each in limits.items()}
    ax.set_yticks(range(len(limits)), [f"{shown(name)}{word}" for name, word in lost.items()])
    _finish_bars(ax, len(limits))
    ax.set_xlabel(_limit_label(limits))
    return ax


def _limit_label(limits: Mapping) -> str:
    levels = {f"{100 * float(each.confidence_level):g} %" for each in limits.values()}
    names = {each.poi for each in limits.values()}
    what = shown(names.pop()) if len(names) == 1 else "the parameter of interest"
    return f"upper limit on {what} ({', '.join(sorted(levels))} CL)"


def _bar(ax, place: int, band: np.ndarray, observed: float, uncertainty: float) -> None:
    """One row: the band as boxes, its median as a dashed line, the observed value as a point."""
    for (low, high), colour in (((band[0], band[4]), TWO_SIGMA), ((band[1], band[3]), ONE_SIGMA)):
        if np.isfinite([low, high]).all():
            ax.barh(place, high - low, 0.6, left=low, color=colour, lw=0)
    if np.isfinite(band[2]):
        ax.plot([band[2]] * 2, [place - 0.3, place + 0.3], "--", color=BLACK)
    if np.isfinite(observed):
        error = uncertainty if np.isfinite(uncertainty) and uncertainty > 0 else None
        ax.errorbar(observed, place, xerr=error, fmt="o", color=BLACK, ms=5)


def _finish_bars(ax, count: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    ax.set_ylim(count - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], marker="o", ls="", ms=5, color=BLACK, label="observed"),
        Line2D([], [], ls="--", color=BLACK, label="expected"),
        Patch(color=ONE_SIGMA, lw=0, label="± 1σ"),
        Patch(color=TWO_SIGMA, lw=0, label="± 2σ"),
    ]
    ax.legend(handles=handles, ncols=4, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=1.2, handlelength=1.5)
