"""`patchset cls`, `patchset limit`: a test or a limit for every signal of a patch set."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from histjax.cli import drawing, options
from histjax.cli.documents import read_pair
from histjax.cli.messages import progress, progress_bar
from histjax.cli.modelling import calm_linear_algebra, compile_options, masked
from histjax.cli.option_types import Finite
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.records import Drawn, finish
from histjax.cli.testing import STATISTICS


@dataclass(frozen=True)
class Signals:
    """The background, its patch set, which of the patches, and how to go through them."""

    background: str
    patchset: str
    name: tuple[str, ...]
    no_verify: bool
    threads: int | None


signals = options.packed(
    "signals",
    Signals,
    click.argument("background"),
    click.argument("patchset"),
    click.option("--name", metavar="NAME", multiple=True, help="Which patch. May be repeated.  [default: all]"),
    options.no_verify,
    click.option(
        "--threads", type=click.IntRange(min=1), help="How many patches at a time on a CPU.  [default: all cores]"
    ),
)


def _statistic(*words: str) -> Callable:
    choice = click.Choice(words)
    return click.option("--test-stat", type=choice, default="qtilde", show_default=True, help="Test statistic.")


@click.command()
@signals
@options.modelling
@options.poi
@click.option("--test-poi", type=Finite(), default=1.0, show_default=True, help="The value to test.")
@_statistic("qtilde", "q", "t", "ttilde")
@click.option(
    "--clipped-normal", is_flag=True, help="Count expected outcomes above the tested value as a statistic of 0."
)
@options.output
@options.picture
def cls(
    signals: Signals,
    modelling,
    poi,
    test_poi: float,
    test_stat: str,
    clipped_normal: bool,
    output: Output,
    picture: Picture,
) -> None:
    """Test a value of the parameter of interest for every signal of a patch set.

    All signals share one compiled program. One that cannot be read or does not converge is reported as such and does
    not stop the others.

    \b
    Keys of the JSON:
      labels     what the values of a signal are
      poi        the parameter of interest, and
      poi_value  its value that was tested
      statistic_name
                 which test statistic
      points     list of {name, values, CLs_obs, CLs_exp: [5], best,
                 converged, status, message, attempts}, one for each signal:
                 CLs of the data, and expected at -2, -1, 0, +1, +2 sigma of
                 background only; the best-fit value; whether to believe
                 it, in one word, and in one sentence; how often it was tried
      converged  whether to believe all; if false the exit status is 1
      message    one sentence
    """
    output.check()
    picture.check()
    grid = _grid(signals, modelling)
    draw = drawing.of_grid(grid) if picture.is_wanted else None
    import histjax

    with progress_bar("testing", len(grid)) as advance:
        result = grid.hypotest(
            test_poi,
            poi=poi,
            statistic=getattr(histjax, STATISTICS[test_stat]),
            calculator=histjax.Asymptotic(clipped_normal=clipped_normal),
            threads=signals.threads,
            report=advance,
        )
    entries = {"poi_value": test_poi, "statistic_name": STATISTICS[test_stat]}
    renamed = {"observed": "CLs_obs", "expected": "CLs_exp"}
    _finish(output, result, entries, renamed, Drawn(picture, lambda paged: draw(result)))


@click.command()
@signals
@options.modelling
@options.poi
@click.option(
    "--level",
    type=Finite(above=0, below=1),
    default=0.05,
    show_default=True,
    help="The CLs at the limit: 1 less the confidence level.",
)
@_statistic("qtilde", "q")
@options.output
@options.picture
def limit(signals: Signals, modelling, poi, level: float, test_stat: str, output: Output, picture: Picture) -> None:
    """Find the upper limits on the parameter of interest for every signal of a patch set.

    All signals share one compiled program. One that cannot be read or has no limit is reported as such and does not
    stop the others.

    \b
    Keys of the JSON:
      labels     what the values of a signal are
      poi        the parameter of interest
      confidence_level
                 1 less the level
      statistic_name
                 which test statistic
      points     list of {name, values, observed, expected: [5], best,
                 converged, status, message, attempts}, one for each signal:
                 the upper limit, and expected at -2, -1, 0, +1, +2 sigma of
                 background only; the best-fit value; whether to believe
                 it, in one word, and in one sentence; how often it was tried
      converged  whether to believe all; if false the exit status is 1
      message    one sentence
    """
    output.check()
    picture.check()
    grid = _grid(signals, modelling)
    draw = drawing.of_grid(grid) if picture.is_wanted else None
    import histjax

    statistic = getattr(histjax, STATISTICS[test_stat])
    with progress_bar("searching", len(grid)) as advance:
        result = grid.upper_limit(
            confidence_level=1 - level, poi=poi, statistic=statistic, threads=signals.threads, report=advance
        )
    entries = {"confidence_level": 1 - level, "statistic_name": STATISTICS[test_stat]}
    _finish(output, result, entries, {}, Drawn(picture, lambda paged: draw(result)))


def _grid(signals: Signals, modelling: options.Modelling):
    """The `Grid` that the options ask for."""
    calm_linear_algebra()
    with progress() as stage:
        stage("reading")
        document, name, patchset = read_pair(signals.background, signals.patchset)
        stage("starting JAX")
        import histjax

        settings = compile_options(modelling)
        stage("compiling")
        grid = histjax.compile_grid(
            document, patchset, verify=not signals.no_verify, names=signals.name or None, document_name=name, **settings
        )
    return grid.with_weights(masked(modelling)) if modelling.mask else grid


def _finish(output: Output, result, entries: dict, renamed: dict[str, str], drawn: Drawn) -> None:
    points = [{renamed.get(key, key): value for key, value in row.items()} for row in result.rows()]
    entries = {"labels": result.labels, "poi": result.poi, **entries, "points": points}
    entries |= {"converged": all(point.converged for point in result), "message": result.message}
    finish(output, entries, lambda: str(result), result, drawn)
