"""`fit`: the best fit of a workspace to its data."""

import click

from histjax.cli import options
from histjax.cli.messages import progress
from histjax.cli.modelling import compiled_model
from histjax.cli.output import Output
from histjax.errors import FailedFit


@click.command()
@options.source()
@options.modelling
@click.option(
    "--fixed",
    type=options.Assignment(),
    multiple=True,
    callback=options.as_mapping,
    help="Hold a parameter, or one component NAME[i], at a value. May be repeated.",
)
@click.option(
    "--init",
    type=options.Assignment(),
    multiple=True,
    callback=options.as_mapping,
    help="Start a parameter, or one component NAME[i], at a value. May be repeated.",
)
@click.option("--correlation", is_flag=True, help="Write the correlation matrix, too.")
@options.output
def fit(source: options.Source, modelling, fixed: dict, init: dict, correlation: bool, output: Output) -> None:
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
      converged      whether to believe it; if false the exit status is 1
      status         one word for it, and
      message        one sentence
      n_iterations   Newton steps
      at_bound       components that a bound holds
      fixed          components that were held by request or measurement
    With --correlation:
      components     names of all components, in the order of
      correlation    the matrix; 0 for a component that is held
    """
    output.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        result = histjax.fit(model, model.data, fixed=fixed, init=init, throw=False)
        entries = fit_entries(result) | (_correlation(result) if correlation else {})
    output.write(entries, lambda: str(result))
    if not entries["converged"]:
        raise FailedFit(result.message, result)


def fit_entries(result) -> dict:
    """What `fit` writes of a `FitResult`."""
    import numpy as np

    names, sets = result.parameters.component_names, result.parameters.sets

    def by_name(vector) -> dict:
        return {each.name: vector[each.slice] for each in sets}

    def chosen(mask) -> list[str]:
        return [name for name, is_chosen in zip(names, mask.tolist(), strict=True) if is_chosen]

    return {
        "parameters": by_name(np.asarray(result.vector)),
        "uncertainties": by_name(np.sqrt(np.diagonal(np.asarray(result.covariance)))),
        **fit_summary(result),
        "at_bound": chosen(result.on_bound),
        "fixed": chosen(result.fixed),
    }


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


def _correlation(result) -> dict:
    return {"components": result.parameters.component_names, "correlation": result.correlation}
