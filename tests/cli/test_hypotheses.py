"""cls, limit, significance: numbers from outside, and what they say where there is no answer."""

import json

import numpy as np
import pytest

import histjax
from tests.cli.running import only_signal, run, strict_json, uncorrelated_background
from tests.readers import good

TWO_BINS = histjax.examples.path("two_bins")

# q~, q_A, CLs, CLsb, CLb and the expected CLs, to 1e-12, from the closed form of the conditional fit and a root of the
# profile likelihood's derivative (NumPy and SciPy, independent of this package and of pyhf)
EXACT = {
    "two bins": (
        ([12, 11], [50, 52], [3, 7], [51, 48]),
        (3.938244933375, 3.418869071611, 0.052515525146, 0.023324962694, 0.444153659868),
        [0.002606404584, 0.013820640038, 0.064455154770, 0.235260903124, 0.573041654982],
    ),
    "two bins of pyhf's command line": (
        ([5, 10], [50, 60], [5, 12], [50, 60]),
        (0.837948631945, 0.837948631945, 0.359984122897, 0.179992061449, 0.5),
        [0.078073883534, 0.174725082776, 0.359984122897, 0.634356076554, 0.880994342005],
    ),
    "two bins of pyhf's readme": (
        ([30, 45], [100, 150], [15, 20], [100, 145]),
        (7.973411511975, 7.085364175999, 0.005388401978, 0.002337269628, 0.433759329373),
        [6.887933942e-05, 7.891808829e-04, 7.771602442e-03, 5.737595397e-02, 0.2599525242936],
    ),
    "one bin": (
        ([6], [9], [3], [9]),
        (1.902590937642, 1.902590937642, 0.167788597190, 0.083894298595, 0.5),
        [0.0159689025, 0.054657704862, 0.167788597190, 0.418634659416, 0.749641318898],
    ),
}


@pytest.mark.parametrize("case", EXACT)
def test_cls(case):
    numbers, exact, band = EXACT[case]
    found = run("cls", uncorrelated_background(*numbers)).json
    keys = ("statistic", "statistic_asimov", "CLs_obs", "CLsb", "CLb")
    np.testing.assert_allclose([found[key] for key in keys], exact, rtol=1e-8)
    np.testing.assert_allclose(found["CLs_exp"], band, rtol=1e-8)
    assert found["log_CLs"] == pytest.approx(np.log(exact[2]), rel=1e-8)
    assert (found["poi"], found["poi_value"], found["statistic_name"]) == ("mu", 1.0, "qmu_tilde")
    assert found["converged"] is True
    assert set(found["fits"]) == {"free", "at_poi", "at_other", "asimov_at_poi"}


def test_cls_is_that_of_the_library():
    found = run("cls", TWO_BINS, "--test-poi", "0.7").json
    model = histjax.compile(histjax.read(TWO_BINS))
    result = histjax.hypotest(model, model.data, poi_value=0.7)
    assert found["CLs_obs"] == float(result.CLs)
    assert found["CLs_exp"] == result.CLs_expected.tolist()


@pytest.mark.parametrize(
    ("word", "statistic", "value"),
    [
        ("qtilde", "qmu_tilde", 3.938244933),  # converged with pyhf 0.7.6, as are the next
        ("ttilde", "tmu_tilde", 3.938244933),
        ("q", "qmu", 3.954989230),
        ("t", "tmu", 3.954989230),
    ],
)
def test_statistics(word, statistic, value):
    found = run("cls", TWO_BINS, "--test-stat", word).json
    assert found["statistic_name"] == statistic
    assert found["statistic"] == pytest.approx(value, rel=1e-8)


def test_discovery():
    """q0 of data with an excess; it tests 0 without being told. Numbers as in `EXACT`; pyhf prints 2.98339447."""
    document = uncorrelated_background([12, 11], [50, 52], [3, 7], [60, 65])
    found = run("cls", document, "--test-stat", "q0").json
    assert (found["statistic_name"], found["poi_value"]) == ("q0", 0.0)
    assert found["statistic"] == pytest.approx(2.983394810964, rel=1e-9)
    found = run("significance", document).json
    assert found["z"] == pytest.approx(2.983394810964**0.5, rel=1e-9)
    assert found["p0"] == pytest.approx(0.04206, abs=5e-6)  # 1 - Phi(1.72725)
    assert found["best"] == pytest.approx(0.952430687797, rel=1e-9)
    np.testing.assert_allclose(np.diff(found["z_expected"]), 1)
    assert np.all(np.diff(found["p0_expected"]) < 0)
    assert "must be 0" in run("cls", document, "--test-stat", "q0", "--test-poi", "1").error


def test_clipped_normal():
    """Only the last value of the band changes, to CLs at a statistic of 0 (as `EXACT`; pyhf 0.7.6 has 0.5166499)."""
    plain, clipped = run("cls", TWO_BINS).json, run("cls", TWO_BINS, "--clipped-normal").json
    assert clipped["CLs_exp"][-1] == pytest.approx(0.5166503904389791, rel=1e-9)
    np.testing.assert_allclose(clipped["CLs_exp"][:-1], plain["CLs_exp"][:-1], rtol=1e-12)
    assert clipped["CLs_obs"] == pytest.approx(plain["CLs_obs"], rel=1e-12)


@pytest.mark.parametrize(
    ("numbers", "observed", "expected"),  # roots of CLs = 0.05 with CLs as in `EXACT`; with pyhf 0.7.6 equal to 1e-5
    [
        (
            ([12, 11], [50, 52], [3, 7], [51, 48]),
            1.0115718813897765,
            [0.5598842550824102, 0.7570290234747418, 1.0623550006840248, 1.5011808271479339, 2.0508020217921166],
        ),
        (
            ([10], [50], [7], [55]),
            2.379521410248627,
            [1.0755952659923707, 1.4472964522031155, 2.0181615948817884, 2.83202417422076, 3.846731099337067],
        ),
    ],
    ids=["two bins", "one bin"],
)
def test_limit(numbers, observed, expected):
    found = run("limit", uncorrelated_background(*numbers)).json
    assert found["observed"] == pytest.approx(observed, rel=1e-9)
    np.testing.assert_allclose(found["expected"], expected, rtol=1e-9)
    assert (found["poi"], found["confidence_level"], found["converged"]) == ("mu", 0.95, True)


def test_level():
    """CLs at the limit is the level, by the other command."""
    limit = run("limit", TWO_BINS, "--level", "0.1").json
    assert limit["confidence_level"] == 0.9
    assert run("cls", TWO_BINS, "--test-poi", limit["observed"]).json["CLs_obs"] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("limit", "--level", "0"), "0 is not between 0 and 1"),
        (("limit", "--level", "1"), "1 is not between 0 and 1"),
        (("limit", "--level", "nan"), "nan is not between 0 and 1"),
        (("limit", "--level", "95%"), "'95%' is not a number"),
        (("limit", "--test-stat", "t"), "'t' is not one of"),
        (("cls", "--test-poi", "inf"), "inf is not finite"),
        (("cls", "--test-stat", "qmu"), "'qmu' is not one of"),
        (("cls", "--poi", "nu"), "no parameter 'nu' to be of interest; free scalar parameters: mu"),
        (("limit", "--poi", "nu"), "no parameter 'nu' to be of interest"),
        (("significance", "--poi", "nu"), "no parameter 'nu' to be of interest"),
        (("cls", "--poi", "uncorr_bkguncrt"), "has 2 components; name one of them"),
        (("fit", "--poi", "mu"), "No such option"),
    ],
    ids=" ".join,
)
def test_options_that_are_wrong(arguments, words):
    command, *options = arguments
    assert words in run(command, TWO_BINS, *options).error


@pytest.mark.parametrize("command", ["cls", "limit", "significance"])
def test_background_only(command):
    """Its parameter of interest is not there: one message that says what is missing."""
    document = json.loads(TWO_BINS.read_text())
    del document["channels"][0]["samples"][0]
    outcome = run(command, document)
    assert (outcome.status, outcome.stdout) == (2, "")
    warning, message = outcome.stderr.splitlines()
    assert warning.startswith("histjax: warning: <stdin>: ")
    assert message.startswith("histjax: error: the model has no parameter of interest")


def test_another_poi():
    """A model whose measurement names none can be asked about a parameter that it has."""
    found = run("cls", good.minimal(), "--poi", "mu", "--test-poi", "3", "--test-stat", "t")
    assert strict_json(found.stdout)["poi"] == "mu"


def test_no_convergence():
    """Without the signal the observed count is impossible: no CLs, and the message says which fit."""
    outcome = run("cls", only_signal())
    assert outcome.status == 1
    found = strict_json(outcome.stdout)
    assert found["converged"] is False
    assert found["fits"]["free"]["converged"] is True
    assert found["fits"]["at_other"]["status"] == "impossible"
    assert outcome.stderr.startswith("histjax: error: at_other fit: the model expects nothing in a bin")


def test_limit_that_does_not_exist():
    """A parameter that changes nothing has no limit: null, not NaN."""
    document = json.loads(TWO_BINS.read_text())
    document["channels"][0]["samples"][0]["data"] = [0, 0]
    outcome = run("limit", document)
    assert outcome.status == 1
    found = strict_json(outcome.stdout)
    assert found["converged"] is False
    assert outcome.stderr.count("histjax: error: ") == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("cls", ("CLs", "0.0525155", "all fits converged")),
        ("limit", ("observed", "1.01157")),
        ("significance", ("p0", "0.5")),
    ],
)
def test_text(command, words):
    outcome = run(command, TWO_BINS, "--text")
    assert outcome.status == 0
    assert all(word in outcome.stdout for word in words)
    assert "{" not in outcome.stdout
