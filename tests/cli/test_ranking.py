"""ranking, gof: the numbers of the library, in the order of the impacts."""

import math

import pytest

import histjax
from tests.cli.running import only_signal, run, strict_json

TWO_BINS = histjax.examples.path("two_bins")
SEARCH = histjax.examples.path("search")
STEPS = ["prefit_up", "prefit_down", "postfit_up", "postfit_down"]
GROUPS = "--group", "theory=*_cross_section, re:.*_modelling", "--group", "jets=jet_energy_scale"


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """The model of the search."""
    return histjax.compile(histjax.read(SEARCH))


def test_ranking_is_that_of_the_library(model):
    found = run("ranking", SEARCH, "--fix", "staterror.*=1", *GROUPS).json
    held = {"staterror_SR": 1.0, "staterror_CR": 1.0}
    result = histjax.ranking(model, fixed=held)
    assert [each["name"] for each in found["impacts"]] == [result.names[i] for i in result.order]
    first, place = found["impacts"][0], int(result.order[0])
    for field in (*STEPS, "linear"):
        assert first[field] == float(getattr(result, field)[place]) or math.isnan(getattr(result, field)[place])
    assert (found["poi"], found["best"]) == ("mu", float(result.fit.params["mu"]))
    assert found["uncertainty"] == pytest.approx(float(result.fit.uncertainty["mu"]), rel=1e-9)
    theory = ["*_cross_section", "re:.*_modelling"]
    parts = histjax.grouped_impacts(model, groups={"theory": theory}, fixed=held)
    assert found["groups"]["theory"]["frozen"] == pytest.approx(float(parts.frozen[0]), rel=1e-9)
    assert found["groups"]["theory"]["members"] == list(parts.members[0])
    assert found["statistical"] == pytest.approx(float(parts.statistical), rel=1e-9)
    assert list(found["groups"]) == ["theory", "jets"]
    assert (found["converged"], found["fit"]["converged"]) == (True, True)


def test_ranking_of_some():
    """What is not defined is null; every step says whether it was clipped and how its fit ended."""
    words = "--parameters", "ttbar_*", "--parameter", "mu", "--measurement", "search", "--poi", "mu"
    found = run("ranking", SEARCH, *words).json
    assert {each["name"] for each in found["impacts"]} == {"ttbar_norm", "ttbar_modelling"}
    (free,) = (each for each in found["impacts"] if each["name"] == "ttbar_norm")
    assert free["prefit_up"] is free["prefit_down"] is free["pull"] is free["width_ratio"] is None
    assert free["clipped"] == dict.fromkeys(STEPS, False)
    assert free["status"] == dict.fromkeys(STEPS, "converged")
    assert list(found["groups"]) == ["MC statistics", "normalisation factors", "systematics"]


def test_ranking_of_another_parameter():
    found = run("ranking", TWO_BINS, "--poi", "uncorr_bkguncrt[0]").json
    assert found["poi"] == "uncorr_bkguncrt[0]"
    assert {each["name"] for each in found["impacts"]} == {"mu", "uncorr_bkguncrt[1]"}


def test_gof_is_that_of_the_library(model):
    found = run("gof", SEARCH).json
    result = histjax.goodness_of_fit(model)
    for key in ("statistic", "n_degrees", "p_value", "log_p_value"):
        assert found[key] == float(getattr(result, key))
    assert found["channels"] == {name: float(value) for name, value in result.channels.items()}
    assert sum([*found["channels"].values(), *found["constraints"].values()]) == pytest.approx(found["statistic"])
    assert found["statistic"] == found["fit"]["deviance"]


def test_gof_of_a_part(model):
    """A masked channel has no bins and contributes nothing; a parameter that is held is no free one."""
    found = run("gof", SEARCH, "--mask", "multijet_control_region", "--fix", "multijet_shape=1").json
    assert found["channels"]["multijet_control_region"] == 0
    masked = model.with_weights({"multijet_control_region": 0.0})
    result = histjax.goodness_of_fit(masked, fixed={"multijet_shape": 1.0})
    assert found["p_value"] == float(result.p_value)
    assert found["n_degrees"] == 6 - 2


def test_gof_without_degrees_of_freedom():
    """There is no p-value: null, and a warning instead of an error."""
    outcome = run("gof", only_signal())
    assert outcome.json["p_value"] is None
    assert outcome.json["n_degrees"] == 0
    assert outcome.stderr.startswith("histjax: warning: no p-value: 0 degrees of freedom")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ranking", "--poi", "nu"), "no parameter 'nu' to be of interest"),
        (("ranking", "--fixed", "mu=1"), "'mu' cannot be held by --fixed or --fix: the command varies it"),
        (("ranking", "--parameters", "nu"), "named 'nu'; there are: mu, uncorr_bkguncrt"),
        (("ranking", "--group", "mine"), "'mine' is not of the form NAME=PATTERN,PATTERN"),
        (("ranking", "--group", "mine=,"), "'mine=,' is not of the form NAME=PATTERN,PATTERN"),
        (("ranking", "--group", "mine=re:("), "'(' is not a regular expression"),
        (("ranking", "--group", "mine=nu"), "named 'nu'; there are: mu, uncorr_bkguncrt"),
        (("ranking", "--group", "a=mu", "--group", "a=mu"), "'a' is given twice"),
        (("gof", "--poi", "mu"), "No such option"),
        (("gof", "--mask", "SR"), "no channel named 'SR'; there is: singlechannel"),
    ],
    ids=str,
)
def test_options_that_are_wrong(arguments, words):
    command, *options = arguments
    assert words in run(command, TWO_BINS, *options).error


@pytest.mark.parametrize("command", ["ranking", "gof"])
def test_impossible_data(command):
    outcome = run(command, only_signal(("mu", "nu")), "--fixed", "nu=0")
    assert outcome.status == 1
    assert outcome.stderr.startswith("histjax: error: the model expects nothing in a bin that has an observed count")
    assert strict_json(outcome.stdout)["converged"] is False


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("ranking", ("postfit +", "uncorr_bkguncrt[0]", "MC statistics")),
        ("gof", ("p-value", "0.67", "singlechannel")),
    ],
)
def test_text(command, shown):
    outcome = run(command, TWO_BINS, "--text")
    assert outcome.status == 0
    assert all(each in outcome.stdout for each in shown)
    assert "{" not in outcome.stdout
