"""`ranking`, `gof`: where the uncertainty of the parameter of interest comes from; whether the model fits at all."""

import math

import click

from histjax.cli import drawing, options
from histjax.cli.counting import counting as counting_options
from histjax.cli.counting import failures
from histjax.cli.messages import progress, say
from histjax.cli.modelling import compiled_model
from histjax.cli.option_types import Group
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.records import Drawn, component_names, finish, fit_summary, records, words
from histjax.errors import InvalidModel

IMPACTS = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")
OTHERS = ("linear", "pull", "width_ratio")


@click.command()
@options.source()
@options.modelling
@options.fitting
@options.poi
@options.patterns(
    "--parameter",
    "--parameters",
    "parameters",
    text="What to rank, by name, glob or re:REGEX. May be repeated.  [default: all that is not fixed]",
)
@click.option(
    "--group",
    "groups",
    type=Group(),
    multiple=True,
    callback=options.as_mapping,
    help="A group of parameters by names, globs or re:REGEX. May be repeated.  [default: by type of modifier]",
)
@options.output
@options.picture
def ranking(
    source, modelling, fitting, poi: str | None, parameters, groups: dict, output: Output, picture: Picture
) -> None:
    """Rank parameters by their impact on another.

    An impact is the change of the best-fit value of the parameter of interest when a parameter is held at its best fit
    plus or minus its uncertainty and all others are refitted.

    \b
    Keys of the JSON:
      poi, best, uncertainty
                   of interest: name, best-fit value, standard deviation
      impacts      list by falling postfit impact of {name, prefit_up,
                   prefit_down, postfit_up, postfit_down, linear (covariance
                   over uncertainty), pull, width_ratio, clipped, status}:
                   the last two are {prefit_up, prefit_down, postfit_up,
                   postfit_down}, clipped whether the displacement ended at
                   a bound, status one word for the fit; null where there is
                   no prefit width or no finite uncertainty
      groups       {name: {frozen, quadrature, members}}: contributions to
                   the uncertainty: what vanishes with the group held, and
                   the root of the sum of the squared linear impacts
      statistical  uncertainty with all other parameters held, and
      systematic   what is missing to the whole in quadrature
      converged    whether all fits did; if false the exit status is 1
      message      one sentence
      fit          the free fit: {twice_nll, deviance, edm, kkt, converged,
                   status, message, n_iterations}
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        settings = fitting.settings(model.parameters, {poi or model.poi}) | {"poi": poi, "throw": False}
        chosen = component_names(model.parameters, parameters) or None
        result = histjax.ranking(model, parameters=chosen, **settings)
        parts = histjax.grouped_impacts(model, groups=groups or None, **settings | {"init": result.fit})
        entries = ranking_entries(result, parts)
    drawn = Drawn(picture, lambda paged: drawing.ranking(result, paged))
    finish(output, entries, lambda: f"{result}\n\n{parts}", result, drawn)


def ranking_entries(result, parts) -> dict:
    """What `ranking` writes of a `Ranking` and `GroupedImpacts`."""
    place = result.fit.parameters.index(result.poi)
    return {
        "poi": result.poi,
        "best": result.fit.vector[place][0],
        "uncertainty": parts.total,
        "impacts": _impacts(result),
        "groups": dict(zip(parts.names, records(("frozen", "quadrature", "members"), parts), strict=True)),
        "statistical": parts.statistical,
        "systematic": parts.systematic,
        "converged": bool(result.converged),
        "message": result.message,
        "fit": fit_summary(result.fit),
    }


def _impacts(result) -> list[dict]:
    """One object for each component, the largest impact first."""
    from histjax import Status

    steps = zip(result.names, result.clipped.T.tolist(), words(Status, result.status.T), strict=True)
    made = [
        {"name": name}
        | numbers
        | {"clipped": dict(zip(IMPACTS, clipped, strict=True)), "status": dict(zip(IMPACTS, status, strict=True))}
        for numbers, (name, clipped, status) in zip(records((*IMPACTS, *OTHERS), result), steps, strict=True)
    ]
    return [made[i] for i in result.order.tolist()]


@click.command()
@options.source()
@options.modelling
@options.fitting
@counting_options
@options.output
@options.picture
def gof(source, modelling, fitting, counting, output: Output, picture: Picture) -> None:
    """Test the goodness of the fit against the saturated model.

    The p-value is asymptotic, or that of toys thrown at the best fit with --toys and --seed.

    \b
    Keys of the JSON:
      statistic    -2 ln L(best fit) / L(saturated)
      n_degrees    bins less free parameters without constraint term
      p_value      probability of a larger statistic, chi-squared; null where
                   there is no degree of freedom
      log_p_value  its logarithm, finite where it is too small for a number
      channels     {channel: its contribution to the statistic}
      constraints  {parameter: contribution of its constraint term}
      converged    whether the fit did; if false the exit status is 1
      message      one sentence
      fit          {twice_nll, deviance, edm, kkt, converged, status, message,
                   n_iterations}
    With --toys:
      toys         {n_toys, n_failed, p_value_uncertainty}; if more than one in
                   a thousand failed, the exit status is 1
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
    import histjax

    if math.isnan(model.n_observations):
        raise InvalidModel("there is no saturated model to compare with: the data are not counts in bins alone")
    settings = fitting.settings(model.parameters)
    with counting.under_way(histjax.Asymptotic(), modelling, counting.toys or 0) as calculator:
        result = histjax.goodness_of_fit(model, model.data, calculator=calculator, **settings, throw=False)
        entries = gof_entries(result)
    finish(output, entries, lambda: str(result), result, Drawn(picture, lambda paged: drawing.goodness(result)))
    if result.toys is None and not entries["n_degrees"] > 0:
        say("warning", result.message)


def gof_entries(result) -> dict:
    """What `gof` writes of a `GoodnessOfFit`."""
    toys, problem = {}, ""
    if result.toys is not None:
        tally = result.toys.tally
        toys = {
            "toys": {"n_toys": tally.n_toys, "n_failed": tally.n_failed, "p_value_uncertainty": tally.p_uncertainty}
        }
        problem = failures(tally.n_toys, tally.n_failed)
    return {
        "statistic": result.statistic,
        "n_degrees": int(result.n_degrees),
        "p_value": result.p_value,
        "log_p_value": result.log_p_value,
        "channels": result.channels,
        "constraints": result.constraints,
        "converged": bool(result.fit.converged) and not problem,
        "message": problem or result.message,
        "fit": fit_summary(result.fit),
        **toys,
    }
