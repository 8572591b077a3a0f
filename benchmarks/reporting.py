"""The tables of `side_by_side.py`: rows of measured processes in, tables for the terminal out."""

import math

from rich.table import Table

COLUMNS = ("task", "tool", "cold", "warm", "/ histjax", "cores", "peak MB", "quality")


def seconds(value: float) -> str:
    """A time with three digits and a unit."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{1e6 * value:.3g} µs"


def above(value: float) -> str:
    """A distance of minima, `0` where it is rounding."""
    return "0" if abs(value) < 5e-9 else f"{value:.1e}"


def absolute(rows: dict[str, dict]) -> dict[str, float]:
    """2NLL at the minimum of each tool's fit, by tool; values relative to the initial point take histjax's there."""
    origin = rows.get("histjax", {}).get("twice_nll_init", math.nan)
    values = {}
    for tool, row in rows.items():
        value = row.get("twice_nll", origin + row.get("twice_nll_below_init", math.nan))
        if math.isfinite(value):
            values[tool] = value
    return values


def speed(row: dict) -> float | None:
    """What is compared: the seconds of a warm call, of a toy, or of a whole grid from cold; `None` if not known."""
    if "rate" in row:
        return 1 / row["rate"]
    return row.get("cold_s") if "points" in row else row.get("warm_s")


def ratio(row: dict, ours: dict) -> str:
    """Time as a multiple of histjax's; of a process that was ended a lower limit, which is without its cold call."""
    mine, theirs = speed(ours), speed(row)
    if mine is None or row is ours:
        return ""
    if theirs is None:
        if "timeout" not in row or "rate" in ours:
            return "-"
        return f"> {(row['timeout'] - row.get('cold_s', 0.0)) / mine:.3g}"
    return f"{theirs / mine:.3g}"


def warm_cell(row: dict) -> str:
    """The warm time, or toys per second."""
    if "rate" in row:
        return f"{row['rate']:.3g} toys/s"
    return seconds(row["warm_s"]) if "warm_s" in row else "-"


def cold_cell(row: dict) -> str:
    """The cold time, the limit that was exceeded, or that it failed."""
    if "done" in row and row["done"] < row["points"]:
        return f"~ {seconds(row['cold_s'])}"
    if "cold_s" in row:
        return seconds(row["cold_s"])
    return f"> {row['timeout']:.0f} s" if "timeout" in row else "failed" if "error" in row else "-"


def quality(row: dict, distance: float | None = None) -> str:
    """How good the answer is."""
    words = [f"2NLL above {above(distance)}"] if distance is not None else []
    words += [f"{name} {row[name]:.5g}" for name in ("CLs", "limit") if name in row]
    if "n_toys" in row:
        words.append(f"{row['n_toys']} toys")
    if "done" in row and row["done"] < row["points"]:
        words.append(f"from {row['done']} of {row['points']} points")
    elif "points" in row:
        words.append(f"{row['points']} points")
    if "converged" in row:
        words.append(f"converged {100 * row['converged']:.4g} %")
    if "CLs_apart" in row:
        words.append(f"CLs up to {row['CLs_apart']:.1e} from histjax's")
    if row.get("toys_above"):
        worst = max(row["toys_above"])
        words.append(f"toys' 2NLL above: worst of {len(row['toys_above'])} {above(worst)}")
    return ", ".join(words + [row[name] for name in ("note", "error") if name in row])


def line(task: str, tool: str, row: dict, ours: dict, distance: float | None) -> list[str]:
    """One line of the table of a model."""
    if row.get("absent"):
        return [task, tool, *["-"] * (len(COLUMNS) - 2)]
    cores = f"{row['cores']:.1f}" if "cores" in row else ""
    peak = f"{row['peak_mb']:.0f}" if "peak_mb" in row else ""
    return [task, tool, cold_cell(row), warm_cell(row), ratio(row, ours), cores, peak, quality(row, distance)]


def model_table(name: str, tasks: dict[str, dict[str, dict]]) -> Table:
    """The table of one model from `{task: {tool: row}}`."""
    table = Table(*COLUMNS, box=None, title=name, title_justify="left", title_style="bold")
    starts = tasks.get("log density", {})
    for task, rows in tasks.items():
        minima = {}
        if task == "fit":
            minima = absolute({tool: starts.get(tool, {}) | row for tool, row in rows.items()})
        lowest = min(minima.values(), default=0.0)
        for number, (tool, row) in enumerate(rows.items()):
            distance = minima[tool] - lowest if tool in minima else None
            cells = line("" if number else task, tool, row, rows.get("histjax", {}), distance)
            table.add_row(*cells, end_section=number == len(rows) - 1)
    return table


def summary_table(models: dict[str, dict[str, dict[str, dict]]], task: str) -> Table:
    """What one task takes, as a multiple of histjax's time, a line for each model."""
    peers = list(dict.fromkeys(tool for tasks in models.values() for tool in tasks.get(task, {}) if tool != "histjax"))
    table = Table(
        "model", "histjax", *peers, box=None, title=f"{task}: time as a multiple of histjax's", title_justify="left"
    )
    for name, tasks in models.items():
        rows = tasks.get(task, {})
        ours = rows.get("histjax", {})
        cells = ["-" if rows.get(peer, {}).get("absent") else ratio(rows.get(peer, {}), ours) for peer in peers]
        table.add_row(name, cold_cell(ours) if "points" in ours else warm_cell(ours), *cells)
    return table
