"""Intervals, scans and contours as tables."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from histjax.fitting.printing import MOST_ROWS, columns, pairs, pdg_rounded, rendered
from histjax.inference.rays import End


def asymmetric(best: float, *distances: float) -> tuple[str, ...]:
    """A value and its distances to the ends, rounded by the PDG rule for the smaller distance.

    >>> asymmetric(0.827, 0.119, 0.367)
    ('0.83', '0.12', '0.37')
    """
    known = [each for each in distances if np.isfinite(each) and each > 0]
    if not known:
        return f"{best:.6g}", *(f"{each:.3g}" for each in distances)
    shown, _ = pdg_rounded(best, min(known))
    unit = Decimal(1).scaleb(Decimal(shown).as_tuple().exponent)
    return shown, *(_rounded(each, unit) for each in distances)


def _rounded(value: float, unit: Decimal) -> str:
    if not np.isfinite(value):
        return f"{value}"
    return f"{Decimal(repr(float(value))).quantize(unit, rounding=ROUND_HALF_EVEN):f}"


NOTES = {
    End.AT_BOUND: "at bound",
    End.UNBOUNDED: "infinite",
    End.FIXED: "fixed",
    End.NOT_ASKED: "open",
    End.FAILED: "failed",
}


def _note(status) -> str:
    """What there is to say of the two ends."""
    words = [NOTES.get(End(int(each)), "") for each in status]
    if words[0] == words[1]:
        return words[0]
    return ", ".join(f"{side} {word}" for side, word in zip(("lower", "upper"), words, strict=True) if word)


def intervals_table(result) -> str:
    """The table that printing an `Intervals` shows; a batch is summed up in one line."""
    if np.ndim(result.best) > 1:
        converged = int(np.sum(np.asarray(result.converged)))
        return f"Intervals: {np.size(result.best)} intervals, {converged} converged"
    confidence = f"{100 * float(result.confidence_level):.4g} % confidence level"
    level = f"2 Delta NLL = {float(result.level):.6g}"
    head = pairs(("status", result.message), ("interval", f"{result.kind.value}, {confidence}, {level}"))
    table = columns(
        ("parameter", "left"), ("best fit", "right"), ("-", "right"), ("+", "right"), ("interval", "left"), ("", "left")
    )
    ends = (np.asarray(x) for x in (result.best, result.minus, result.plus, result.lower, result.upper, result.status))
    rows = list(zip(result.names, *ends, strict=True))
    for name, best, minus, plus, lower, upper, status in rows[:MOST_ROWS]:
        between = f"{lower:.5g} ... {upper:.5g}"
        table.add_row(name, *asymmetric(float(best), float(minus), float(plus)), between, _note(status))
    more = [f"... and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    return rendered(head, "", table, *more)


def scan_table(result) -> str:
    """The table that printing a `Scan` shows; a grid is summed up."""
    shape = tuple(each.shape[-1] for each in result.values)
    if np.ndim(result.delta) > len(shape):
        converged = int(np.sum(np.asarray(result.converged)))
        return f"Scan: {np.size(result.delta)} points, {converged} converged"
    parts = [
        f"{name}: {each.shape[0]} values, {float(each.min()):g} ... {float(each.max()):g}"
        for name, each in zip(result.names, map(np.asarray, result.values), strict=True)
    ]
    head = pairs(("status", result.message), *(("scanned", part) for part in parts))
    if len(shape) > 1:
        lowest, highest = (float(f(np.asarray(result.delta))) for f in (np.min, np.max))
        return rendered(head, f"2 Delta NLL from {lowest:.6g} to {highest:.6g}")
    table = columns((result.names[0], "right"), ("2 Delta NLL", "right"), ("", "left"))
    rows = list(zip(*(np.asarray(x) for x in (result.values[0], result.delta, result.converged)), strict=True))
    for value, delta, converged in rows[:MOST_ROWS]:
        table.add_row(f"{value:.6g}", f"{delta:.6g}", "" if converged else "not converged")
    more = [f"... and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    return rendered(head, "", table, *more)


def contour_table(result) -> str:
    """The table that printing a `Contour` shows: the extent of every curve."""
    if np.ndim(result.status) > 2:
        converged = int(np.sum(np.asarray(result.converged)))
        return f"Contour: {np.size(result.status)} points, {converged} converged"
    plane = f"{result.names[0]}, {result.names[1]} ({result.degrees_of_freedom} degrees of freedom)"
    best = ", ".join(f"{each:.6g}" for each in np.asarray(result.best))
    head = pairs(("status", result.message), ("plane", plane), ("best fit", best))
    table = columns(("CL", "right"), ("2 Delta NLL", "right"), *((name, "left") for name in result.names), ("", "left"))
    curves = (np.asarray(x) for x in (result.confidence_levels, result.levels, result.points, result.status))
    for confidence, level, points, status in zip(*curves, strict=True):
        extent = [f"{low:.5g} ... {high:.5g}" for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True)]
        clipped = int(np.sum(status == End.AT_BOUND))
        note = f"{clipped} of {status.size} points at a bound" if clipped else ""
        table.add_row(f"{100 * confidence:.4g} %", f"{level:.5g}", *extent, note)
    return rendered(head, "", table)
