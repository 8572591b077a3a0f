"""`cls`, `limit`, `significance`: hypothesis tests of the parameter of interest."""

import click

from histjax.cli import drawing, options
from histjax.cli.counting import counting as counting_options
from histjax.cli.counting import search_entries, too_many_failures, toy_entries
from histjax.cli.messages import progress
from histjax.cli.modelling import compiled_model
from histjax.cli.option_types import Finite
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.records import Drawn, fit_summary
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
@counting_options
@options.output
@options.picture
def cls(
    source,
    modelling,
    poi: str | None,
    test_poi: float | None,
    test_stat: str,
    clipped_normal,
    counting,
    output,
    picture: Picture,
) -> None:
    """Test a value of the parameter of interest.

    p-values are asymptotic, or those of toys with --toys and --seed (`histjax toys` can do more). Expected values are
    for outcomes at -2, -1, 0, +1, +2 sigma of the background-only hypothesis. With q0 the background-only hypothesis
    is tested: CLsb and CLs are its p-value p0.

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
    With --toys:
      toys              {n_toys, n_failed: [tested, other], message, and
                        uncertainties: CLs_obs, CLsb, CLb, CLs_exp: [5]}; if
                        more than one in a thousand failed, the exit status
                        is 1
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
    import histjax

    asymptotic = histjax.Asymptotic(clipped_normal=clipped_normal)
    with counting.under_way(asymptotic, modelling, counting.total) as calculator:
        result = histjax.hypotest(
            model,
            model.data,
            poi_value=_tested(test_poi, test_stat),
            poi=poi,
            statistic=getattr(histjax, STATISTICS[test_stat]),
            calculator=calculator,
            throw=False,
        )
        entries = {"CLs_obs": result.CLs, "CLs_exp": result.CLs_expected, **_hypotest_entries(result)}
    _finish(
        output, entries | toy_entries(result.toys), result, Drawn(picture, lambda paged: drawing.hypothesis(result))
    )


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
@counting_options
@click.option(
    "--relative-error",
    type=Finite(above=0, below=1),
    default=0.05,
    show_default=True,
    help="With --toys: throw until all limits are known as well as this.",
)
@click.option(
    "--most-toys",
    type=click.IntRange(min=1),
    default=2_000_000,
    show_default=True,
    help="With --toys: give up after so many, of both hypotheses and all values together.",
)
@options.output
@options.picture
def limit(
    source,
    modelling,
    poi: str | None,
    level,
    test_stat: str,
    counting,
    relative_error,
    most_toys,
    output,
    picture: Picture,
) -> None:
    """Find the upper limits on the parameter of interest.

    The value at which CLs falls to the level: a root, not an interpolation between points of a scan. With --toys N so
    many toys are thrown at a time at values around the limits, and more where they are needed.

    \b
    Keys of the JSON:
      observed          the upper limit
      expected          [5] at -2, -1, 0, +1, +2 sigma of background only
      uncertainty, expected_uncertainty
                        one standard deviation, from the number of toys; 0
                        where p-values are asymptotic
      confidence_level  1 less the level
      poi               the parameter of interest, and
      best              its best-fit value
      statistic_name    which test statistic
      converged         whether all were found; if false the exit status is 1
      message           one sentence
      fits              {free, background}, as for cls
    With --toys:
      toys              {n_toys, n_failed, message; precise: [6] whether the
                        relative error was reached, of the expected limits,
                        then of the observed one; points: list of {poi_value,
                        CLs, CLs_uncertainty, CLs_exp, CLs_exp_uncertainty,
                        n_toys, n_failed}}
    With --plot:
      tests             list of {poi_value, CLs_obs, CLs_exp, CLsb, CLb,
                        CLsb_exp, CLb_exp, converged}: what is drawn, unless
                        toys are
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
    import histjax

    with counting.under_way(histjax.Asymptotic(), modelling, most_toys) as calculator:
        result = histjax.upper_limit(
            model,
            model.data,
            confidence_level=1 - level,
            poi=poi,
            statistic=getattr(histjax, STATISTICS[test_stat]),
            calculator=calculator,
            stop_rule=histjax.StopRule(relative_error, most_toys),
            throw=False,
        )
        tests = drawing.tested_values(model, result) if picture.is_wanted and result.toys is None else []
    entries = _limit_entries(result) | ({"tests": [drawing.entry_of_test(each) for each in tests]} if tests else {})
    _finish(output, entries, result, Drawn(picture, lambda paged: drawing.limits(result, tests)))


@click.command(short_help="Find the discovery significance.")
@options.source()
@options.modelling
@options.poi
@counting_options
@options.output
@options.picture
def significance(source, modelling, poi: str | None, counting, output, picture: Picture) -> None:
    """Find the discovery significance: how unlikely the data are without a signal.

    The p-value is asymptotic, or that of toys with --toys and --seed.

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
    With --toys:
      toys                     as for cls
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
    import histjax

    with counting.under_way(histjax.Asymptotic(), modelling, counting.total) as calculator:
        result = histjax.significance(model, model.data, poi=poi, calculator=calculator, throw=False)
        entries = _significance_entries(result)
    drawn = Drawn(picture, lambda paged: drawing.hypothesis(result.test))
    _finish(output, entries | toy_entries(result.test.toys), result, drawn)


def _tested(test_poi: float | None, test_stat: str) -> float:
    """The tested value: discovery tests the absence of a signal."""
    if test_poi is None:
        return 0.0 if test_stat == "q0" else 1.0
    return test_poi


def _finish(output: Output, entries: dict, result, drawn: Drawn | None = None) -> None:
    """Write, draw, and then say that it is not to be believed if so."""
    problem = too_many_failures(entries.get("toys"))
    entries["converged"] &= not problem
    output.write(entries, lambda: str(result))
    if drawn is not None:
        drawn.picture.write(drawn.draw, entries["converged"])
    if not entries["converged"]:
        lost = [problem] if problem else []
        lost += [f"{name} fit: {each['message']}" for name, each in entries["fits"].items() if not each["converged"]]
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
        "uncertainty": result.uncertainty,
        "expected_uncertainty": result.expected_uncertainty,
        "confidence_level": result.confidence_level,
        "poi": result.poi,
        "best": result.best,
        "statistic_name": result.statistic_name,
        **fits,
        "converged": fits["converged"] and all(result.converged.tolist()),
        "message": result.message,
        **({} if result.toys is None else {"toys": search_entries(result.toys)}),
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
