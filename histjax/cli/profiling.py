"""`interval`, `scan`, `contour`: the profile likelihood of one or more parameters."""

import click

from histjax.cli import drawing, options
from histjax.cli.messages import progress
from histjax.cli.modelling import compiled_model
from histjax.cli.option_types import Axis, Finite
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.records import Drawn, component_names, finish, fit_summary, interval_entries, words
from histjax.errors import MissingPOI

LEVEL = Finite(above=0, below=1)
KINDS = ("two-sided", "upper", "lower")


@click.command()
@options.source()
@options.modelling
@options.fitting
@options.patterns(
    "--parameter",
    "--parameters",
    "parameters",
    text="Of what, by name, glob or re:REGEX, or all. May be repeated.  [default: the parameter of interest]",
)
@click.option("--confidence-level", type=LEVEL, help="Asymptotic coverage.  [default: one standard deviation, 0.6827]")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="Which ends to look for.")
@options.output
@options.picture
def interval(
    source,
    modelling,
    fitting,
    parameters,
    confidence_level: float | None,
    kind: str,
    output: Output,
    picture: Picture,
) -> None:
    """Find profile-likelihood (MINOS) intervals of parameters.

    The ends are where -2 ln L, with all other parameters refitted, is above its minimum by a level: roots, not an
    interpolation. An upper interval is not a CLs limit; that is the command limit.

    \b
    Keys of the JSON:
      intervals         {component: {best, lower, upper, minus, plus, status}};
                        minus and plus are the distances from the best fit,
                        status says of both ends: found, at_bound, unbounded
                        (null), fixed, not_asked or failed (null)
      kind              of the intervals
      confidence_level  their asymptotic coverage, and
      delta             -2 ln L above its minimum at the ends
      converged         whether all were found; if false the exit status is 1
      message           one sentence
      fit               the free fit: {twice_nll, deviance, edm, kkt,
                        converged, status, message, n_iterations}
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        level = {} if confidence_level is None else {"confidence_level": confidence_level}
        names = component_names(model.parameters, parameters) or [_poi(model)]
        settings = fitting.settings(model.parameters) | level
        result = histjax.interval(model, parameters=names, kind=kind, **settings, throw=False)
        entries = {
            "intervals": interval_entries(result),
            "kind": kind,
            "confidence_level": result.confidence_level,
            "delta": result.level,
            **_end(result),
        }
    drawn = Drawn(picture, lambda paged: drawing.intervals(model, result, fitting.settings(model.parameters), paged))
    finish(output, entries, lambda: str(result), result, drawn)


@click.command()
@options.source()
@options.modelling
@options.fitting
@click.option(
    "--scan",
    "axes",
    type=Axis(),
    multiple=True,
    required=True,
    callback=options.as_mapping,
    help="N equidistant values of a parameter, or one component NAME[i], both ends included. "
    "May be repeated: the grid of all combinations.",
)
@options.output
@options.picture
def scan(source, modelling, fitting, axes: dict, output: Output, picture: Picture) -> None:
    """Scan the profile likelihood over values of parameters.

    Every other parameter is refitted at every point. Arrays over the grid are nested lists, one depth for each
    parameter in the order of the options.

    \b
    Keys of the JSON:
      parameters  names of what was scanned
      values      {name: [its values]}
      twice_nll   -2 ln L at every point of the grid
      delta       the same above its minimum, the free fit
      edm         estimated vertical distance of every point to its minimum
      status      one word for every point, as for fit
      best        {name: value in the free fit}
      converged   whether all fits did; if false the exit status is 1
      message     one sentence
      fit         the free fit: {twice_nll, deviance, edm, kkt, converged,
                  status, message, n_iterations}
    """
    output.check()
    picture.check()
    if picture.is_wanted and len(axes) > 2:
        raise click.UsageError(f"--plot is for scans of one or two parameters, found {len(axes)}")
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import numpy as np

        import histjax

        values = {name: np.linspace(*axis) for name, axis in axes.items()}
        result = histjax.scan(model, values=values, **fitting.settings(model.parameters, values), throw=False)
        entries = {
            "parameters": result.names,
            "values": dict(zip(result.names, result.values, strict=True)),
            "twice_nll": result.twice_nll,
            "delta": result.delta,
            "edm": result.edm,
            "status": words(histjax.Status, result.status),
            "best": {name: result.fit.vector[model.parameters.index(name)][0] for name in result.names},
            **_end(result),
        }
    finish(output, entries, lambda: str(result), result, Drawn(picture, lambda paged: drawing.scan(result)))


@click.command()
@options.source()
@options.modelling
@options.fitting
@click.option("--parameters", nargs=2, metavar="NAME NAME", required=True, help="The two parameters or components.")
@click.option(
    "--level",
    "--confidence-level",
    "levels",
    type=LEVEL,
    multiple=True,
    help="Asymptotic coverage of a contour. May be repeated.  [default: one and two standard deviations]",
)
@click.option("--points", type=click.IntRange(min=3), default=40, show_default=True, help="Points on each contour.")
@click.option(
    "--degrees-of-freedom",
    type=click.Choice(["1", "2"]),
    default="2",
    show_default=True,
    help="2: the contour covers both parameters jointly; 1: its projections are their intervals.",
)
@options.output
@options.picture
def contour(
    source, modelling, fitting, parameters, levels, points: int, degrees_of_freedom: str, output, picture: Picture
) -> None:
    """Find contours of the profile likelihood.

    Closed curves in the plane of two parameters, on which -2 ln L, with all others refitted, is above its minimum by a
    level. Every point is the first crossing on a ray from the best fit.

    \b
    Keys of the JSON:
      parameters          names of the two
      best                [2] the best fit in their plane
      contours            list of {confidence_level, delta, points, status}:
                          delta is -2 ln L above its minimum on the contour,
                          points are pairs of values in the order of the
                          angle (the first is not repeated), and status says
                          of each: found, at_bound, unbounded or failed
      degrees_of_freedom  to which the confidence levels refer
      converged           whether all points were found; if false the exit
                          status is 1
      message             one sentence
      fit                 the free fit: {twice_nll, deviance, edm, kkt,
                          converged, status, message, n_iterations}
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        settings = fitting.settings(model.parameters, parameters) | ({"confidence_levels": levels} if levels else {})
        result = histjax.contour(
            model,
            parameters=parameters,
            n_points=points,
            degrees_of_freedom=int(degrees_of_freedom),
            **settings,
            throw=False,
        )
        entries = {
            "parameters": result.names,
            "best": result.best,
            "contours": _contours(result),
            "degrees_of_freedom": result.degrees_of_freedom,
            **_end(result),
        }
    finish(output, entries, lambda: str(result), result, Drawn(picture, lambda paged: drawing.contour(result)))


def _poi(model) -> str:
    if model.poi is None:
        raise MissingPOI("the model has no parameter of interest: name what the interval is of with --parameter")
    return model.poi


def _contours(result) -> list[dict]:
    from histjax import End

    curves = zip(result.confidence_levels, result.levels, result.points, result.status, strict=True)
    return [
        {"confidence_level": confidence, "delta": level, "points": points, "status": words(End, status)}
        for confidence, level, points, status in curves
    ]


def _end(result) -> dict:
    """How it ended, and the free fit."""
    return {
        "converged": all(result.converged.ravel().tolist()),
        "message": result.message,
        "fit": fit_summary(result.fit),
    }
