"""What several commands write, and how they end. JAX is imported by who has a result in hand."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.errors import FailedFit


class Drawn(NamedTuple):
    """Where a plot goes, and how it is drawn (see `Picture.write`)."""

    picture: Picture
    draw: Callable[[bool], Any]


def fit_summary(result) -> dict:
    """How a fit ended: the numbers that are not per parameter."""
    from histjax.fitting.result import Status

    return {
        "twice_nll": float(result.twice_nll),
        "deviance": float(result.deviance),
        "edm": float(result.edm),
        "kkt": float(result.kkt),
        "converged": bool(result.converged),
        "status": Status(int(result.status)).name.lower(),
        "message": result.message,
        "n_iterations": int(result.n_iterations),
    }


def by_name(result, vector) -> dict:
    """The values of a flat vector, component by component, under the names of their parameter sets."""
    import numpy as np

    return {each.name: np.asarray(vector)[each.slice] for each in result.parameters.sets}


def interval_entries(result) -> dict:
    """What is written of `Intervals`, by component."""
    from histjax import End

    return {
        name: {
            "best": best,
            "lower": lower,
            "upper": upper,
            "minus": minus,
            "plus": plus,
            "status": words(End, status),
        }
        for name, best, lower, upper, minus, plus, status in zip(
            result.names,
            *map(_listed, (result.best, result.lower, result.upper, result.minus, result.plus, result.status)),
            strict=True,
        )
    }


def records(fields: Iterable[str], result) -> list[dict]:
    """Fields of a record with one leading axis, as one object for each place of that axis."""
    columns = {name: _listed(getattr(result, name)) for name in fields}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def words(kinds: type, statuses):
    """The words for an array of statuses, in nested lists of its shape."""
    if hasattr(statuses, "tolist"):
        statuses = statuses.tolist()
    if isinstance(statuses, list):
        return [words(kinds, each) for each in statuses]
    return kinds(statuses).name.lower()


def component_names(parameters, patterns: Iterable[str]) -> list[str]:
    """The components that match any of the patterns; `all` stands for everything. Raises `UnknownName`."""
    import histjax

    known = parameters.names
    globs = ["*" if each == "all" and each not in known else each for each in patterns]
    return [parameters.component_names[place] for place in histjax.select(parameters, globs)]


def finish(output: Output, entries: dict, table: Callable[[], str], result, drawn: Drawn | None = None) -> None:
    """Write, draw, and then say that it is not to be believed if so."""
    output.write(entries, table)
    if drawn is not None:
        drawn.picture.write(drawn.draw, entries["converged"])
    if not entries["converged"]:
        raise FailedFit(entries["message"], result)


def _listed(values) -> list:
    return values.tolist() if hasattr(values, "tolist") else list(values)
