"""Rankings, groups, pulls, yields and goodness of fit as tables."""

import numpy as np
from rich.table import Table

from histjax.fitting.printing import MOST_ROWS, columns, pairs, pdg_rounded, rendered
from histjax.inference.printing import counted


def _columns(*names: str) -> Table:
    """A table whose first column is text and the others numbers."""
    return columns(*((name, "right" if i else "left") for i, name in enumerate(names)))


def _shown(value, form: str = "+.4g") -> str:
    return "" if np.isnan(value) else format(float(value), form)


def _batch(result, shape) -> str:
    return f"{type(result).__name__}: {int(np.prod(shape))} of them, shape {tuple(shape)}"


def _rest(total: int) -> list[str]:
    return [f"... and {total - MOST_ROWS} more"] if total > MOST_ROWS else []


def ranking_table(result) -> str:
    """The table that printing a `Ranking` shows: the largest impacts first."""
    if np.ndim(result.linear) > 1:
        return _batch(result, np.shape(result.linear)[:-1])
    place = result.fit.parameters.index(result.poi).start
    value, sigma = pdg_rounded(float(result.fit.vector[place]), float(np.sqrt(result.fit.covariance[place, place])))
    head = pairs(("status", result.message), ("parameter of interest", f"{result.poi} = {value} +- {sigma}"))
    table = _columns(
        "nuisance parameter", "postfit +", "postfit -", "prefit +", "prefit -", "linear", "pull", "width", ""
    )
    numbers = [np.asarray(getattr(result, name)) for name in _RANKED]
    clipped = np.any(np.asarray(result.clipped), axis=0)
    for i in np.asarray(result.order)[:MOST_ROWS]:
        impacts = [_shown(each[i]) for each in numbers[:5]]
        widths = [_shown(numbers[5][i], "+.2f"), _shown(numbers[6][i], ".2f")]
        table.add_row(result.names[i], *impacts, *widths, "clipped" if clipped[i] else "")
    return rendered(head, "", table, *_rest(len(result.names)))


_RANKED = ("postfit_up", "postfit_down", "prefit_up", "prefit_down", "linear", "pull", "width_ratio")


def groups_table(result) -> str:
    """The table that printing a `GroupedImpacts` shows."""
    if np.ndim(result.total):
        return _batch(result, np.shape(result.total))
    head = pairs(
        ("status", result.fit.message),
        ("total", f"{float(result.total):.6g} on {result.poi}"),
        ("statistical", f"{float(result.statistical):.6g}, all nuisance parameters held"),
        ("systematic", f"{float(result.systematic):.6g}"),
    )
    table = _columns("group", "frozen", "quadrature", "members")
    for name, frozen, quadrature, members in zip(
        result.names, np.asarray(result.frozen), np.asarray(result.quadrature), result.members, strict=True
    ):
        table.add_row(name, f"{frozen:.4g}", f"{quadrature:.4g}", str(len(members)))
    return rendered(head, "", table)


def pulls_table(result) -> str:
    """The table that printing `Pulls` shows."""
    if np.ndim(result.pull) > 1:
        return _batch(result, np.shape(result.pull)[:-1])
    table = _columns("parameter", "best fit", "uncertainty", "pull", "width ratio", "")
    fields = (np.asarray(getattr(result, name)) for name in ("best", "uncertainty", "pull", "width_ratio", "held"))
    for name, best, sigma, pull, ratio, held in list(zip(result.names, *fields, strict=True))[:MOST_ROWS]:
        shown = pdg_rounded(best, sigma)
        table.add_row(
            name, shown[0], "" if held else shown[1], _shown(pull, "+.2f"), _shown(ratio, ".3f"), "held" if held else ""
        )
    return rendered(table, *_rest(len(result.names)))


def yields_table(result) -> str:
    """The table that printing `Yields` shows: every bin, and the sum of each channel by samples."""
    first = next(iter(result.expected.channels.values()))
    if np.ndim(first):
        return _batch(result, np.shape(first))
    expected, uncertainty = result.expected, result.uncertainty
    bins = _columns(f"{'postfit' if result.is_postfit else 'prefit'} yields", "expected", "uncertainty", "observed")
    for channel, values in expected.bins.items():
        for i, value in enumerate(np.asarray(values)[:MOST_ROWS]):
            shown = pdg_rounded(float(value), float(uncertainty.bins[channel][i]))
            bins.add_row(f"{channel}, bin {i}", *shown, f"{float(result.observed[channel][i]):g}")
        for sample, total in expected.samples[channel].items():
            bins.add_row(f"  {sample}", *pdg_rounded(float(total), float(uncertainty.samples[channel][sample])), "")
        shown = pdg_rounded(float(expected.channels[channel]), float(uncertainty.channels[channel]))
        bins.add_row(f"  {channel}, total", *shown, f"{float(np.sum(result.observed[channel])):g}")
    return rendered(bins)


def goodness_table(result) -> str:
    """The table that printing a `GoodnessOfFit` shows."""
    if np.ndim(result.statistic):
        return _batch(result, np.shape(result.statistic))
    logarithm = float(result.log_p_value)
    p_value = f"{float(result.p_value):.4g}" if not logarithm < -700 else f"exp({logarithm:.6g})"
    if result.toys is not None:
        p_value = counted(result.toys.tally)
    head = pairs(
        ("status", result.message),
        ("-2 ln L/L(saturated)", f"{float(result.statistic):.6g}, {float(result.n_degrees):g} degrees of freedom"),
        ("p-value", p_value),
    )
    table = _columns("contribution", "deviance")
    terms = sorted(result.constraints.items(), key=lambda each: -float(each[1]))
    for name, value in [*((f"channel {name}", value) for name, value in result.channels.items()), *terms][:MOST_ROWS]:
        table.add_row(name, f"{float(value):.4g}")
    return rendered(head, "", table, *_rest(len(result.channels) + len(terms)))
