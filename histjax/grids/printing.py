"""The results of a grid as a table, a row for each patch."""

from rich.table import Table

from histjax.fitting.printing import rendered

SIGMAS = ("-2", "-1", "0", "+1", "+2")


def grid_table(result) -> str:
    """The table that printing a `GridResult` shows: values of the patch, observed and expected, what is wrong."""
    table = Table(box=None, pad_edge=False)
    for label in result.labels:
        table.add_column(label, justify="right")
    for head in ("observed", *(f"exp. {each}" for each in SIGMAS), f"best {result.poi}"):
        table.add_column(head, justify="right")
    table.add_column("", overflow="fold")
    for point in result:
        numbers = (point.observed, *point.expected, point.best)
        note = "" if point.converged else f"{point.name}: {point.message.splitlines()[0]}"
        table.add_row(*map(_value, point.values), *(f"{number:.4g}" for number in numbers), note)
    converged = int(result.converged.sum())
    title = f"{result.quantity} ({result.poi}), {converged} of {len(result)} patches converged"
    return f"{title}\n{rendered(table)}"


def _value(value) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
