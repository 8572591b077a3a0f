"""Workspaces in pyhf's format: what is read, and that writing it again loses nothing."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from histjax.errors import InvalidDocument
from histjax.readers import load_json, read_workspace, write_workspace
from histjax.spec import HistoSys, Lumi, Modifier, NormFactor, NormSys, ParameterConfig
from tests.readers import good

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def _manifest() -> list[dict]:
    path = CORPUS / "manifest.json"
    return json.loads(path.read_text())["models"] if path.exists() else []


def _same(first, second) -> bool:
    """Equality that tells 1 from 1.0."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


@pytest.mark.parametrize("make", [good.everything, good.minimal, good.unicode_names])
def test_round_trip(make):
    document = make()
    workspace, warnings = read_workspace(document)
    assert warnings == []
    assert _same(write_workspace(workspace), make())
    assert read_workspace(write_workspace(workspace))[0] == workspace
    assert hash(workspace) == hash(read_workspace(make())[0])


def test_all_modifiers_are_covered():
    workspace, _ = read_workspace(good.everything())
    used = {type(each) for channel in workspace.channels for sample in channel.samples for each in sample.modifiers}
    assert used == set(Modifier.__args__)


def test_records():
    workspace, _ = read_workspace(good.everything())
    signal, ttbar, _ = workspace.channels[0].samples
    assert signal.nominal_yields == (5, 10.5)
    assert signal.modifiers == (NormFactor("mu"), Lumi("lumi"))
    assert ttbar.modifiers[:2] == (HistoSys("jes", lo=(48, 57), hi=(52.0, 66.0)), NormSys("jes", lo=0.9, hi=1.1))
    nominal, other = workspace.measurements
    assert (nominal.poi, other.poi) == ("mu", None)
    assert nominal.parameters[1] == ParameterConfig("mu", inits=(1,), bounds=((-5, 20),), fixed=False)


def test_writing_does_not_alias():
    workspace, _ = read_workspace(good.minimal())
    write_workspace(workspace)["channels"][0]["samples"][0]["data"][0] = 7
    assert _same(write_workspace(workspace), good.minimal())


def test_warnings_are_returned():
    document = good.minimal()
    document["measurements"][0]["config"]["poi"] = "mu_SIG"
    _, warnings = read_workspace(document)
    assert [(problem.path, problem.is_warning) for problem in warnings] == [("/measurements/0/config/poi", True)]


@pytest.mark.parametrize(
    "value, words",
    [
        (math.nan, "entry 0 is nan"),
        (math.inf, "entry 0 is inf"),
        (10**400, "range of a double"),
        (np.float32(1), "float32.*tolist"),
        (1j, "complex"),
        (True, "found true"),
        ((1, 2), "tuple"),
    ],
)
def test_numbers_that_only_python_can_hold(value, words):
    document = good.minimal()
    document["channels"][0]["samples"][0]["data"][0] = value
    with pytest.raises(InvalidDocument, match=words):
        read_workspace(document)


def test_arrays_are_refused_with_advice():
    document = good.minimal()
    document["channels"][0]["samples"][0]["data"] = np.ones(1)
    with pytest.raises(InvalidDocument, match=r"found a Python ndarray \(convert it with its `tolist` method\)"):
        read_workspace(document)


@pytest.mark.skipif(not _manifest(), reason="the corpus of published models is not part of the repository")
@pytest.mark.parametrize("entry", _manifest(), ids=lambda entry: entry["name"])
def test_corpus(entry):
    """What pyhf reads is read and written again unchanged; what pyhf refuses is refused."""
    document, source = load_json(CORPUS / entry["file"])
    if "npars" in entry:
        workspace, _ = read_workspace(document, source)
        assert _same(write_workspace(workspace), document)
    else:
        with pytest.raises(InvalidDocument):
            read_workspace(document, source)
