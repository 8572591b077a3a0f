"""`cls`, `limit`, `significance`: hypothesis tests of the parameter of interest."""

import click

from histjax.cli import options
from histjax.cli.messages import progress
from histjax.cli.modelling import compiled_model
from histjax.cli.option_types import Finite
from histjax.cli.output import Output
from histjax.cli.records import fit_summary
from histjax.errors import FailedFit

STATISTICS = {"qtilde": "qmu_tilde", "q": "qmu", "q0": "q0", "t": "tmu", "ttilde": "tmu_tilde"}
"""pyhf's words for the test statistics, and histjax's names."""


def _statistic(*words: str):
    """The option `--test-stat` with these words."""
    choice = click.Choice(words)
    return click.option("--test-stat", type=choice, default="qtilde", show_default=True, help="Test statistic.")


@click.command()
@options.source()
@options.modelling
@options.poi
@click.option("--test-poi", type=Finite(), help="The value to test.  [default: 1; with q0: 0]")
@_statistic(*STATISTICS)
@click.option(
    "--clipped-normal", is_flag=True, help="Count expected outcomes above the tested value as a statistic of 0."
)
@options.output
def cls(source, modelling, poi: str | None, test_poi: float | None, test_stat: str, clipped_normal, output) -> None:
    """Test a value of the parameter of interest.

    p-values are asymptotic. Expected values are for outcomes at -2, -1, 0, +1, +2 sigma of the background-only
    hypothesis. With q0 the background-only hypothesis is tested: CLsb and CLs are its p-value p0.

    \b
    Keys of the JSON:
      CLs_obs           CLs of the data, and
      CLs_exp           [5] its expected values
      CLsb, CLb         of the data; CLs is their ratio
      CLsb_exp, CLb_exp [5] their expected values
      log_CLs           ln CLs, finite where CLs is too small for a number
      statistic         the test statistic of the data, and
      statistic_asimov  of the Asimov data
      statistic_name    which one
      poi, poi_value    what was tested, and
      best              the best-fit value
      converged         whether all fits did; if false the exit status is 1
      fits              {free, at_poi, at_other, asimov_at_poi}: each
                        {twice_nll, deviance, edm, kkt, converged, status,
                        message, n_iterations}
    """
    output.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        result = histjax.hypotest(
            model,
            model.data,
            poi_value=_tested(test_poi, test_stat),
            poi=poi,
            statistic=getattr(histjax, STATISTICS[test_stat]),
            calculator=histjax.Asymptotic(clipped_normal=clipped_normal),
            throw=False,
        )
        entries = {"CLs_obs": result.CLs, "CLs_exp": result.CLs_expected, **_hypotest_entries(result)}
    _finish(output, entries, result)


@click.command()
@options.source()
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
def limit(source, modelling, poi: str | None, level: float, test_stat: str, output) -> None:
    """Find the upper limits on the parameter of interest.

    The value at which CLs falls to the level: a root, not an interpolation between points of a scan.

    \b
    Keys of the JSON:
      observed          the upper limit
      expected          [5] at -2, -1, 0, +1, +2 sigma of background only
      confidence_level  1 less the level
      poi               the parameter of interest, and
      best              its best-fit value
      statistic_name    which test statistic
      converged         whether all were found; if false the exit status is 1
      message           one sentence
      fits              {free, background}, as for cls
    """
    output.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        result = histjax.upper_limit(
            model,
            model.data,
            confidence_level=1 - level,
            poi=poi,
            statistic=getattr(histjax, STATISTICS[test_stat]),
            throw=False,
        )
        entries = _limit_entries(result)
    _finish(output, entries, result)


@click.command()
@options.source()
@options.modelling
@options.poi
@options.output
def significance(source, modelling, poi: str | None, output) -> None:
    """Find the discovery significance: how unlikely the data are without a signal.

    \b
    Keys of the JSON:
      z, p0                    significance in standard deviations, p-value
      z_expected, p0_expected  [5] at -2, -1, 0, +1, +2 sigma of a signal of
                               strength 1
      poi, best                parameter of interest and best-fit value
      statistic                q0 of the data, and
      statistic_asimov         of the Asimov data
      converged                whether all fits did; if false the exit
                               status is 1
      fits                     as for cls
    """
    output.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        import histjax

        result = histjax.significance(model, model.data, poi=poi, throw=False)
        entries = _significance_entries(result)
    _finish(output, entries, result)


def _tested(test_poi: float | None, test_stat: str) -> float:
    """The tested value: discovery tests the absence of a signal."""
    if test_poi is None:
        return 0.0 if test_stat == "q0" else 1.0
    return test_poi


def _finish(output: Output, entries: dict, result) -> None:
    """Write, and then say that it is not to be believed if so."""
    output.write(entries, lambda: str(result))
    if not entries["converged"]:
        lost = [f"{name} fit: {each['message']}" for name, each in entries["fits"].items() if not each["converged"]]
        raise FailedFit("; ".join(lost) or entries["message"], result)


def _hypotest_entries(result) -> dict:
    return {
        "CLsb": result.CLsb,
        "CLb": result.CLb,
        "CLsb_exp": result.CLsb_expected,
        "CLb_exp": result.CLb_expected,
        "log_CLs": result.log_CLs,
        "statistic": result.statistic,
        "statistic_asimov": result.statistic_asimov,
        "statistic_name": result.statistic_name,
        "poi": result.poi,
        "poi_value": result.poi_value,
        "best": result.best,
        **_fits(result.fits, "free", "at_poi", "at_other", "asimov_at_poi"),
    }


def _limit_entries(result) -> dict:
    fits = _fits(result, "free", "background")
    return {
        "observed": result.observed,
        "expected": result.expected,
        "confidence_level": result.confidence_level,
        "poi": result.poi,
        "best": result.best,
        "statistic_name": result.statistic_name,
        **fits,
        "converged": fits["converged"] and all(result.converged.tolist()),
        "message": result.message,
    }


def _significance_entries(result) -> dict:
    return {
        "z": result.z,
        "p0": result.p0,
        "z_expected": result.z_expected,
        "p0_expected": result.p0_expected,
        "poi": result.test.poi,
        "best": result.best,
        "statistic": result.test.statistic,
        "statistic_asimov": result.test.statistic_asimov,
        **_fits(result.test.fits, "free", "at_poi", "at_other", "asimov_at_poi"),
    }


def _fits(holder, *names: str) -> dict:
    """Whether all the fits converged, and how each of them ended."""
    summaries = {name: fit_summary(getattr(holder, name)) for name in names}
    return {"converged": all(each["converged"] for each in summaries.values()), "fits": summaries}
