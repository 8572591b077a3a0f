"""Results as tables: first whether it worked, then what came out, numbers rounded by the PDG rule."""

import io
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from rich.console import Console
from rich.table import Table

MOST_ROWS = 60


def pdg_rounded(value: float, uncertainty: float) -> tuple[str, str]:
    """Value and uncertainty as strings, rounded by the PDG rule (Review of Particle Physics, introduction, section
    5.3).

    The three leading digits of the uncertainty decide: up to 354 it keeps two, up to 949 one, above it is rounded up
    to 1000 and keeps two.

    >>> pdg_rounded(0.827, 0.119)
    ('0.83', '0.12')
    >>> pdg_rounded(0.827, 0.367)
    ('0.8', '0.4')
    >>> pdg_rounded(14.674, 0.964)
    ('14.7', '1.0')
    """
    if not np.isfinite(uncertainty) or uncertainty <= 0:
        return f"{value:.6g}", f"{uncertainty:.3g}"
    exponent = Decimal(repr(float(uncertainty))).adjusted()
    leading = int(Decimal(repr(float(uncertainty))).scaleb(2 - exponent))
    places = exponent - 1 if leading <= 354 else exponent
    unit = Decimal(1).scaleb(places)
    shown = [Decimal(repr(float(x))).quantize(unit, rounding=ROUND_HALF_EVEN) for x in (value, uncertainty)]
    return tuple(f"{each if each else abs(each):f}" for each in shown)  # no negative zero


def rendered(*parts) -> str:
    """Rich renderables as plain text."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False, color_system=None)
    for part in parts:
        console.print(part)
    return console.file.getvalue().rstrip("\n")


def pairs(*rows: tuple[str, str]) -> Table:
    """What heads a table: names and values, without a title."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table


def columns(*columns: tuple[str, str]) -> Table:
    """An empty table with these columns, `(name, "left" or "right")`."""
    table = Table(box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True)
    return table


def fit_table(result) -> str:
    """The table that printing a `FitResult` shows; a batch of fits is summed up in one line."""
    if np.ndim(result.status):
        converged = int(np.sum(np.asarray(result.converged)))
        return f"FitResult: {np.size(result.status)} fits, {converged} converged"
    head = pairs(
        ("status", result.message),
        ("2 NLL", f"{float(result.twice_nll):.6f}"),
        ("EDM", f"{float(result.edm):.1e}"),
        ("gradient (KKT)", f"{float(result.kkt):.1e}"),
        ("iterations", f"{int(result.n_iterations)}"),
    )
    names, notes = result.parameters.component_names, component_notes(result)
    values, sigmas = np.asarray(result.vector), np.sqrt(np.diagonal(np.asarray(result.covariance)))
    table = columns(
        ("parameter", "left"),
        ("best fit", "right"),
        ("uncertainty", "right"),
        ("prefit", "right"),
        ("", "left"),
    )
    order = np.argsort(result.parameters.constrained, kind="stable")
    for i in order[:MOST_ROWS]:
        note = notes[i]
        value, sigma = pdg_rounded(values[i], sigmas[i])
        width = float(result.parameters.widths[i])
        table.add_row(
            names[i],
            value,
            "" if note in HELD else sigma,
            "free" if np.isnan(width) else f"{width:.3g}",
            note,
        )
    more = [f"... and {order.size - MOST_ROWS} more parameters"] if order.size > MOST_ROWS else []
    return rendered(head, "", table, *more)


def minima_table(minima) -> str:
    """What printing a `Minima` shows: how many starts ended where, and where a minimum differs most from the lowest."""
    n = len(minima.fits)
    ends = f"{minima.n_failed} failed, {minima.n_above} ended more than {minima.within:g} above the lowest"
    head = f"{n} {'minimum' if n == 1 else 'minima'} from {minima.n_starts} starts; {ends}"
    if not n:
        return head
    table = Table(box=None, pad_edge=False)
    for name, justify in (("2 NLL", "right"), ("above", "right"), ("found by", "right"), ("differs most in", "left")):
        table.add_column(name, justify=justify, no_wrap=True)
    for result, above, found, where in zip(minima.fits, minima.delta, minima.n_found, minima.differences, strict=True):
        table.add_row(f"{float(result.twice_nll):.6f}", f"{above:.3g}", str(found), where)
    return rendered(head, "", table)


HELD = ("fixed", "at bound", "on a kink")


def component_notes(result) -> list[str]:
    """What there is to say of each component."""
    sigmas = np.sqrt(np.diagonal(np.asarray(result.covariance)))
    notes = np.full(sigmas.shape, "", object)
    # the last one that applies is said
    notes[np.isinf(sigmas)] = "undetermined"
    for word, mask in zip(reversed(HELD), (result.active, result.on_bound, result.fixed), strict=True):
        notes[np.asarray(mask)] = word
    return list(notes)
