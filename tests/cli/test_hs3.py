"""HS3 documents on the command line: converted, inspected, fitted; every number that of the library."""

import json

import pytest

import histjax
from histjax.readers import write_workspace
from tests.cli.running import run, strict_json
from tests.hs3 import documents
from tests.hs3.test_likelihood import UNBINNED, search

TWO_BINS = histjax.examples.path("two_bins")


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """A document with events."""
    path = tmp_path_factory.mktemp("hs3") / "events.json"
    path.write_text(json.dumps(search(UNBINNED)))
    return path


@pytest.fixture(scope="module")
def two_bins(tmp_path_factory):
    """The two bins as an HS3 document."""
    path = tmp_path_factory.mktemp("hs3") / "two_bins.json"
    assert run("convert", TWO_BINS, "--to", "hs3", "--output-file", path).status == 0
    return path


def test_there_and_back(two_bins):
    """Nothing is lost, and an integer stays an integer."""
    back = run("convert", two_bins, "--to", "pyhf")
    assert back.json == write_workspace(histjax.read(TWO_BINS))
    assert run("convert", "-", "--to", "pyhf", stdin=two_bins.read_text()).stdout == back.stdout


def test_one_order(two_bins, tmp_path):
    """Equal documents give equal bytes, whatever the order they came in."""
    document = strict_json(two_bins.read_text())
    turned = {key: each[::-1] if isinstance(each, list) else each for key, each in reversed(document.items())}
    path = tmp_path / "turned.json"
    path.write_text(json.dumps(turned))
    first, second = (run("convert", each, "--to", "hs3").stdout for each in (two_bins, path))
    assert first == second != ""
    assert run("convert", "-", "--to", "hs3", stdin=first).stdout == first
    assert histjax.read(strict_json(first)).distributions.names == ("model_singlechannel",)


def test_what_pyhf_cannot_say(events, tmp_path):
    found = run("convert", events, "--to", "pyhf", "--output-file", tmp_path / "w.json")
    assert found.status == 2 and "has no histfactory_dist" in found.error and not (tmp_path / "w.json").exists()


def test_same_limit(two_bins):
    """A document of HistFactory channels gives the numbers of the workspace."""
    found, expected = (run("cls", path, "--test-poi", "1.0").json for path in (two_bins, TWO_BINS))
    assert found["CLs_obs"] == pytest.approx(expected["CLs_obs"], rel=1e-9)


def test_fit_of_events(events):
    model = histjax.compile(histjax.read(events))
    found = run("fit", events, "--analysis", "A").json
    assert found["parameters"]["mu"][0] == pytest.approx(float(histjax.fit(model).params["mu"]), rel=1e-8)
    limit = run("limit", events).json
    assert limit["observed"] == pytest.approx(float(histjax.upper_limit(model).observed), rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--analysis", "B"), "no analysis named 'B'; there is: A"),
        (("--likelihood", "M"), "no likelihood named 'M'; there is: L"),
        (("--domain", "d"), "no domain named 'd'; there is: default_domain"),
        (("--parameter-point", "p"), "no parameter point named 'p'"),
        (("--measurement", "A"), "--measurement is for workspaces of pyhf's format; an HS3 document has --analysis"),
        (("--normsys", "code1"), "--normsys is for workspaces"),
        (("--mask", "model"), "--mask is for likelihoods of HistFactory channels alone"),
    ],
)
def test_choices_that_are_not_there(events, arguments, words):
    found = run("fit", events, *arguments)
    assert found.status == 2 and words in found.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("gof",), "there is no saturated model to compare with"), (("fit", "--yields"), "expected yields are those of")],
)
def test_what_events_do_not_have(events, arguments, words):
    found = run(arguments[0], events, *arguments[1:])
    assert found.status == 2 and words in found.error


def test_options_of_hs3_are_not_for_workspaces():
    found = run("fit", TWO_BINS, "--analysis", "A")
    assert found.status == 2 and "--analysis is for HS3 documents; a workspace has --measurement" in found.error


def test_inspect(events):
    found = run("inspect", events).json
    assert found["hs3_version"] == "0.2"
    assert [each["name"] for each in found["distributions"]] == ["signal", "background", "model", "constraint"]
    assert found["analyses"][0]["parameters_of_interest"] == ["mu"]
    assert "likelihood L: model <- observed" in run("inspect", events, "--text").stdout


def test_validate(tmp_path):
    path = tmp_path / "d.json"
    path.write_text(json.dumps(documents.physics(edges=(110.0, 120.0, 125.0, 130.0, 140.0))))
    found = run("validate", path)
    assert found.status == 2 and "must match expected number of bins (4)" in found.error
    path.write_text(json.dumps({"distributions": []}))
    assert run("validate", path).json["warnings"][0]["message"].startswith("'metadata' with 'hs3_version' is missing")


def test_where_a_workspace_is_needed(events):
    found = run("prune", events, "--channel", "SR")
    assert found.status == 2 and "'histjax convert FILE --to pyhf' makes one of it" in found.error
