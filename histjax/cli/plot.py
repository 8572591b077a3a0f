"""`plot`: a picture of what another command wrote."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from histjax.cli.pictures import Picture
from histjax.errors import InvalidPlot

KINDS = (
    "brazil",
    "p-values",
    "limits",
    "limit-band",
    "exclusion",
    "pulls",
    "ranking",
    "correlation",
    "scan",
    "contour",
    "yields",
    "prefit-yields",
    "toys",
    "gof",
)


@click.command()
@click.argument("results", nargs=-1, metavar="RESULT...")
@click.option("--kind", type=click.Choice(KINDS), help="Which plot.  [default: as the keys of the JSON suggest]")
@click.option("-o", "--output", metavar="FILE", required=True, help="A .pdf, .svg or .png file.")
@click.option("--rows", type=click.IntRange(min=1), help="Parameters on a page, for pulls, ranking and correlation.")
@click.option("--label", "labels", metavar="LABEL", multiple=True, help="Axes of limit-band (one) and exclusion (two).")
@click.option("--logarithmic", is_flag=True, help="A logarithmic axis, for brazil, limit-band and yields.")
@click.option("--components", is_flag=True, help="Draw CLsb and CLb, too, for brazil.")
def plot(results: tuple[str, ...], kind: str | None, output: str, **settings) -> None:
    """Draw what other commands wrote.

    RESULT is a JSON file of another command, or '-'. Several files of `cls` make one Brazil band, several of `limit`
    one chart of limits. A PDF has pages enough for all parameters or channels; other pictures show those that matter
    most.

    \b
    Kinds, and what they are drawn of:
      brazil         limit --plot, limit --toys, or several files of cls
      p-values       cls
      limits         limit: one bar for each file
      limit-band     patchset limit or cls, over one label
      exclusion      patchset limit or cls, in the plane of two labels
      pulls          fit --pulls
      ranking        ranking
      correlation    fit --correlation
      scan           scan of one or two parameters
      contour        contour
      yields         fit --yields
      prefit-yields  fit --prefit
      toys           toys --slice 1/1
      gof            gof
    """
    picture = Picture(output)
    picture.check()
    names = results or ("-",)
    documents = [_document(name) for name in names]
    from histjax.plotting.documents import Kind, kind_of

    chosen = kind_of(documents) if kind is None else Kind(kind)
    if len(documents) > 1 and chosen not in (Kind.BRAZIL, Kind.LIMITS):
        raise click.UsageError(f"the plot {chosen.value!r} is of one file, found {len(documents)}")
    picture.write(_drawing(chosen, documents, names, settings))


def _document(name: str) -> dict:
    """The JSON of a command; raises `InvalidPlot`."""
    try:
        if name == "-":
            document = json.load(sys.stdin)
        else:
            with open(name, encoding="utf-8") as file:
                document = json.load(file)
    except OSError as error:
        raise InvalidPlot(f"{name}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InvalidPlot(f"{name}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidPlot(f"{name}: expected an object as the commands of histjax write it, found a {_word(document)}")
    return document


def _word(value: Any) -> str:
    return {list: "list", str: "text", type(None): "null"}.get(type(value), "number")


def _drawing(kind, documents: list[dict], names: tuple[str, ...], settings: dict) -> Callable[[bool], Any]:
    """A function that draws, given whether there may be many pages."""
    from histjax import plotting
    from histjax.plotting.documents import Kind, read

    rows = {} if settings["rows"] is None else {"rows": settings["rows"]}
    logarithmic = {"logarithmic": True} if settings["logarithmic"] else {}
    if kind is Kind.BRAZIL:
        return lambda paged: _brazil(documents, logarithmic | {"components": settings["components"]})
    if kind is Kind.LIMITS:
        limits = {_short(name, names): read(each, kind) for name, each in zip(names, documents, strict=True)}
        return lambda paged: plotting.limit_bars(limits if len(limits) > 1 else next(iter(limits.values())))
    record = read(documents[0], kind)
    if kind is Kind.SCAN:
        one = len(record.names) == 1
        return lambda paged: (plotting.likelihood_scan if one else plotting.likelihood_surface)(record)
    if kind is Kind.LIMIT_BAND:
        label = {"label": settings["labels"][0]} if settings["labels"] else {}
        return lambda paged: plotting.limit_band(record, **label, **logarithmic)
    if kind is Kind.EXCLUSION:
        return lambda paged: plotting.exclusion_contours(record, labels=settings["labels"] or None)
    simple = {
        Kind.P_VALUES: plotting.p_value_bars,
        Kind.CONTOUR: plotting.likelihood_contours,
        Kind.TOYS: plotting.toy_distributions,
        Kind.GOODNESS: plotting.goodness_chart,
    }
    if kind in simple:
        return lambda paged: simple[kind](record)
    pages = {
        Kind.PULLS: (plotting.pull_pages, plotting.pull_chart, rows),
        Kind.RANKING: (plotting.ranking_pages, plotting.ranking_chart, rows),
        Kind.YIELDS: (plotting.yield_pages, plotting.stacked_yields, logarithmic),
        Kind.PREFIT_YIELDS: (plotting.yield_pages, plotting.stacked_yields, logarithmic),
        Kind.CORRELATION: (plotting.correlation_matrix, plotting.correlation_matrix, rows),
    }
    many, one, given = pages[kind]
    return lambda paged: (many if paged else one)(record, **given)


def _brazil(documents: list[dict], settings: dict):
    """One document with tests in it, or the tests of many."""
    from histjax import plotting
    from histjax.plotting.documents import Kind, read

    if len(documents) > 1:
        return plotting.brazil_band([read(each, Kind.P_VALUES) for each in documents], **settings)
    record = read(documents[0], Kind.BRAZIL)
    return plotting.brazil_band(record.tests, limit=record.limit, **settings)


def _short(name: str, names: tuple[str, ...]) -> str:
    """A file's name without its folder and ending, where that tells the files apart."""
    from pathlib import Path

    stems = [Path(each).stem for each in names]
    return Path(name).stem if len(set(stems)) == len(stems) else name
