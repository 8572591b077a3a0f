"""fit: what it writes besides on request, what is held by regular expression, and which channels are left out."""

import equinox as eqx
import numpy as np
import pytest

import histjax
from histjax.cli import postfit
from tests.cli.running import COMPUTING, REQUIRED, only_signal, run, strict_json

TWO_BINS = histjax.examples.path("two_bins")
SEARCH = histjax.examples.path("search")


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """The model of the search."""
    return histjax.compile(histjax.read(SEARCH))


def test_minos(model):
    """Intervals as the library has them, and the fit as without them."""
    found = run("fit", SEARCH, "--minos", "ttbar_*", "--minos", "mu").json
    assert list(found["minos"]) == ["mu", "ttbar_norm", "ttbar_modelling"]
    result = histjax.interval(model, parameters=list(found["minos"]))
    for field in ("lower", "upper", "minus", "plus"):
        numbers = [each[field] for each in found["minos"].values()]
        np.testing.assert_allclose(numbers, getattr(result, field), rtol=1e-8)
    assert found["minos"]["mu"]["status"] == ["at_bound", "found"]
    assert {name: found[name] for name in found if name != "minos"} == run("fit", SEARCH).json


def test_minos_of_all():
    found = run("fit", TWO_BINS, "--minos", "all", "--fixed", "mu=1").json["minos"]
    assert list(found) == ["mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"]
    assert found["mu"] == {"best": 1, "lower": 1, "upper": 1, "minus": 0, "plus": 0, "status": ["fixed", "fixed"]}


def test_minos_of_a_flat_direction():
    """mu and nu act only as a product: the intervals end at bounds, where they end at all."""
    found = run("fit", only_signal(("mu", "nu")), "--minos", "*").json
    assert found["minos"]["nu"]["status"][1] == "at_bound"
    assert found["diagnosis"]


def test_minos_that_fails(monkeypatch):
    """The fit is good and says so; the end that was not found says so, and the exit status is 1."""
    search = postfit.minos

    def failing(*args):
        found = search(*args)
        return eqx.tree_at(lambda each: each.status, found, np.full_like(found.status, histjax.End.FAILED))

    monkeypatch.setattr(postfit, "minos", failing)
    outcome = run("fit", TWO_BINS, "--minos", "mu")
    assert outcome.status == 1
    assert outcome.stderr.startswith("histjax: error: not converged: conditional fits fail on the way")
    found = strict_json(outcome.stdout)
    assert found["converged"] is True
    assert found["minos"]["mu"]["status"] == ["failed", "failed"]


def test_pulls(model):
    found = run("fit", SEARCH, "--pulls").json["pulls"]
    result = histjax.pulls(model, histjax.fit(model))
    assert list(found) == list(result.names)
    assert [each["pull"] for each in found.values()] == result.pull.tolist()
    assert set(found["lumi"]) == {"best", "uncertainty", "centre", "width", "pull", "width_ratio", "held"}
    assert found["lumi"]["held"] is False


def test_yields(model):
    """After the fit and before it; sums carry the correlations."""
    found = run("fit", SEARCH, "--yields", "--prefit").json
    for key, result in (("yields", histjax.fit(model)), ("prefit_yields", None)):
        expected = histjax.predicted_yields(model, result)
        assert list(found[key]) == list(expected.observed)
        region = found[key]["signal_region"]
        assert region["expected"] == expected.expected.bins["signal_region"].tolist()
        assert region["sum"]["uncertainty"] == float(expected.uncertainty.channels["signal_region"])
        ttbar = region["samples"]["ttbar"]
        assert ttbar["uncertainty"] == expected.uncertainty.sample_bins["signal_region"]["ttbar"].tolist()
        assert ttbar["sum"]["expected"] == pytest.approx(sum(ttbar["expected"]))
        assert region["observed"] == expected.observed["signal_region"].tolist()
    assert "prefit_yields" not in run("fit", TWO_BINS, "--yields").json
    assert "yields" not in run("fit", TWO_BINS, "--prefit").json


def test_extras_of_a_fit_that_fails():
    """All keys are there all the same."""
    extras = "--minos", "all", "--pulls", "--yields", "--prefit", "--correlation"
    outcome = run("fit", only_signal(), "--fixed", "mu=0", *extras)
    assert outcome.status == 1
    found = strict_json(outcome.stdout)
    assert {"minos", "pulls", "yields", "prefit_yields", "correlation", "diagnosis"} <= set(found)


def test_text_of_extras():
    shown = run("fit", TWO_BINS, "--minos", "all", "--pulls", "--yields", "--prefit", "--text").stdout
    parts = ("2 NLL", "68.27 %", "width ratio", "postfit yields", "prefit yields")
    assert sorted(parts, key=shown.index) == list(parts)
    assert min(map(shown.index, parts)) >= 0


def test_fix():
    """A regular expression has to match the whole name; a name goes before an expression."""
    found = run("fit", SEARCH, "--fix", "staterror_.*=1", "--fix", "fakes_estimate\\[[01]\\]=0.9").json
    held = ["fakes_estimate[0]", "fakes_estimate[1]", *(f"staterror_CR[{i}]" for i in range(2))]
    assert found["fixed"] == [*held, *(f"staterror_SR[{i}]" for i in range(4))]
    assert found["parameters"]["fakes_estimate"][:2] == [0.9, 0.9]
    found = run("fit", TWO_BINS, "--fix", ".*=1", "--fixed", "uncorr_bkguncrt[1]=0.8", "--fix", "mu=1").json
    assert found["parameters"] == {"mu": [1.0], "uncorr_bkguncrt": [1.0, 0.8]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fix", "mu"), "'mu' is not of the form REGEX=VALUE, such as 'jes_.*=0'"),
        (("--fix", "(=1"), "'(' is not a regular expression"),
        (("--fix", "mu=one"), "'one' is not a number"),
        (("--fix", "uncorr=1"), "'uncorr'; there are: mu, uncorr_bkguncrt"),
        (("--fix", "mu=1", "--fix", ".*=2"), "--fix holds 'mu' at 1 and at 2"),
        (("--minos", "nu"), "'nu'; there are: mu, uncorr_bkguncrt"),
        (("--minos", "re:*"), "'*' is not a regular expression"),
        (("--minos", ""), "there are: mu, uncorr_bkguncrt"),
    ],
    ids=str,
)
def test_options_that_are_wrong(options, words):
    message = run("fit", TWO_BINS, *options).error
    assert words in message
    assert message.count("\n") == 1


def test_mask(model):
    """A masked channel has no say, and its yields are a prediction."""
    found = run("fit", SEARCH, "--mask", "multijet_control_region", "--fix", "multijet_shape=1", "--yields").json
    masked = model.with_weights({"multijet_control_region": 0.0})
    result = histjax.fit(masked, fixed={"multijet_shape": 1.0})
    assert found["twice_nll"] == float(result.twice_nll)
    assert found["yields"]["multijet_control_region"]["expected"] == [90, 35]
    limit = run("limit", SEARCH, "--mask", "multijet_control_region").json["observed"]
    assert limit == pytest.approx(float(histjax.upper_limit(masked).observed), rel=1e-9)


@pytest.mark.parametrize("command", COMPUTING)
def test_mask_of_no_channel(command):
    words = command, TWO_BINS, *REQUIRED.get(command, ())
    assert run(*words, "--mask", "SR").error == "no channel named 'SR'; there is: singlechannel\n"
