"""`fit`: the best fit of a workspace to its data, and what follows from it."""

from dataclasses import dataclass
from typing import NamedTuple

import click

from histjax.cli import drawing, options, postfit
from histjax.cli.messages import progress, say
from histjax.cli.modelling import compiled_model
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.records import by_name, fit_summary
from histjax.errors import FailedFit

LOWER = 1e-7
"""A search for an interval that finds -2 ln L below that of the fit by more than this has a better fit."""


@dataclass(frozen=True)
class Extras:
    """What to write besides the fit."""

    minos: tuple[str, ...]
    pulls: bool
    yields: bool
    prefit: bool
    correlation: bool


extras = options.packed(
    "extras",
    Extras,
    options.patterns(
        "--minos",
        text="Write profile-likelihood intervals, too: of parameters by name, glob or re:REGEX, or all. "
        "May be repeated.",
    ),
    click.option("--pulls", is_flag=True, help="Write the pulls, too."),
    click.option("--yields", is_flag=True, help="Write the yields of the best fit, too."),
    click.option("--prefit", is_flag=True, help="Write the yields before the fit, too."),
    click.option("--correlation", is_flag=True, help="Write the correlation matrix, too."),
)


@click.command()
@options.source()
@options.modelling
@options.fitting
@extras
@click.option(
    "--starts",
    type=click.IntRange(min=1),
    help="Fit from that many starting points and report the distinct minima; the lowest is the best fit.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers for --starts.")
@options.output
@options.picture
def fit(
    source,
    modelling,
    fitting: options.Fitting,
    extras: Extras,
    starts: int | None,
    seed: int,
    output: Output,
    picture: Picture,
) -> None:
    """Fit a workspace to its data.

    \b
    Keys of the JSON:
      parameters     {name: [best-fit value of each component]}
      uncertainties  {name: [one standard deviation of each component]}; 0
                     for a component that is held, null where there is none
      twice_nll      -2 ln L at the best fit, all constants included
      deviance       the same less the value of the saturated model
      edm            estimated vertical distance of twice_nll to the minimum
      kkt            largest gradient component, in units of its curvature
      smallest_eigenvalue
                     of the Hessian on the free components, scaled to unit
                     diagonal: 0 for a flat direction
      converged      whether to believe it; if false the exit status is 1
      status         one word for it, and
      message        one sentence
      n_iterations   Newton steps
      at_bound       components that a bound holds
      fixed          components that were held by request or measurement
    Where it did not converge, or the likelihood is flat along a direction:
      diagnosis      the worst bins, parameters without effect, directions in
                     which the likelihood is flat or falls, parameters stopped
                     by a bound (with the slope of -2 ln L) or on a kink
    With --starts:
      minima         distinct minima, the lowest first: delta, -2 ln L above
                     the lowest; n_found, starts that ended there; parameters
      starts         how many there were, failed, and ended more than 10 above
    With --minos, such as --minos mu, --minos 'jes_*' or --minos all:
      minos          {component: {best, lower, upper, minus, plus, status: [of
                     the lower, of the upper end]}}, one standard deviation,
                     minus and plus the distances from the best fit; a status
                     is found, at_bound, unbounded, fixed or failed (then the
                     exit status is 1)
    With --pulls:
      pulls          {component: {best, uncertainty, centre, width, pull,
                     width_ratio, held}} of the constrained ones
    With --yields, and with --prefit:
      yields, prefit_yields
                     {channel: {observed, expected and uncertainty: [per bin],
                     sum: {expected, uncertainty}, samples: {name: {expected,
                     uncertainty, sum}}}}
    With --correlation:
      components     names of all components, in the order of
      correlation    the matrix; 0 for a component that is held
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        settings = fitting.settings(model.parameters)
        answer = _answer(model, settings, extras, _best_fit(model, settings, starts, seed))
    output.write(answer.entries, lambda: "\n\n".join(map(str, answer.parts)))
    picture.write(lambda paged: drawing.pulls(model, answer.result, paged), not answer.failure)
    if answer.failure:
        raise FailedFit(answer.failure, answer.result)
    if answer.warning:
        say("warning", answer.warning)


class Answer(NamedTuple):
    """All that is to be said: JSON, the parts of the table, what is wrong and what is doubtful."""

    entries: dict
    parts: list
    result: object
    failure: str
    warning: str


def _answer(model, settings: dict, extras: Extras, found: tuple) -> Answer:
    """The fit, and what was asked for besides."""
    import histjax

    result, minima = found
    intervals = postfit.minos(model, result, extras.minos, settings) if extras.minos else None
    if intervals is not None and intervals.fit.deviance < result.deviance - LOWER:
        result = intervals.fit
    entries, parts = fit_entries(result), [each for each in (minima, result, intervals) if each is not None]
    entries |= {} if minima is None else postfit.minima_entries(minima)
    entries |= {} if intervals is None else postfit.minos_entries(intervals)
    more, tables = _more(model, result, extras)
    doubtful = not entries["converged"] or entries["status"] == "flat"
    diagnosis = histjax.diagnose(model, model.data, result) if doubtful else None
    more |= postfit.diagnosis_entries(diagnosis) if diagnosis else {}
    lost = "" if intervals is None or all(intervals.converged.tolist()) else intervals.message
    failure = lost if entries["converged"] else str(diagnosis)
    warning = "; ".join([diagnosis.message, *diagnosis.reasons]) if diagnosis else ""
    return Answer(entries | more, parts + tables, result, failure, warning)


def _more(model, result, extras: Extras) -> tuple[dict, list]:
    """What needs nothing but the result: entries of the JSON, and records to print."""
    import histjax

    entries, parts = postfit.correlation_entries(result) if extras.correlation else {}, []
    if extras.pulls:
        parts.append(histjax.pulls(model, result))
        entries |= postfit.pull_entries(parts[-1])
    for asked, at in ((extras.yields, result), (extras.prefit, None)):
        if asked:
            parts.append(histjax.predicted_yields(model, at))
            entries |= postfit.yield_entries(parts[-1])
    return entries, parts


def _best_fit(model, settings: dict, starts: int | None, seed: int) -> tuple:
    """The best fit, and the minima if several starts were asked for."""
    import histjax

    if starts is None:
        return histjax.fit(model, model.data, **settings, throw=False), None
    import jax

    minima = histjax.find_minima(model, key=jax.random.key(seed), n_starts=starts, **settings, throw=False)
    return minima.fits[0] if minima.fits else histjax.fit(model, **settings, throw=False), minima


def fit_entries(result) -> dict:
    """What `fit` writes of a `FitResult`."""
    import numpy as np

    names = result.parameters.component_names

    def chosen(mask) -> list[str]:
        return [name for name, is_chosen in zip(names, mask.tolist(), strict=True) if is_chosen]

    return {
        "parameters": by_name(result, result.vector),
        "uncertainties": by_name(result, np.sqrt(np.diagonal(np.asarray(result.covariance)))),
        **fit_summary(result),
        "smallest_eigenvalue": float(result.smallest_eigenvalue),
        "at_bound": chosen(result.on_bound),
        "fixed": chosen(result.fixed),
    }
