"""HistFactory XML as it is written: reading it again gives the workspace, up to what the warnings say."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from histjax.errors import DocumentWarning, InvalidDocument
from histjax.readers import load_json, read_workspace
from histjax.readers.xml import ConstraintTerm, XMLConfiguration, read_xml, write_xml
from histjax.readers.xml.names import root_names
from histjax.spec import (
    Channel,
    Measurement,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.constraints import Normal
from histjax.spec.rules.parameters import parameter_kinds
from tests.readers.xml import cases
from tests.reference.corpus import CORPUS

NOT_WORKSPACES = {
    "atlas_conf_2018_041_multib_Gtt_v2": "templates of other lengths than their samples",
    "p2c_Shapesys_0139": "data of a normfactor",
    "pyhf_custom_c698": "another version of the format",
    "pyhf_example_bkgonly_1923": "parameters with unknown keys",
    "pyhf_model_duplicate_channels_f6ad": "a model without data",
    "pyhf_model_duplicate_samples_2946": "a model without data",
    "pyhf_single_func_36d0": "a model without data",
    "pyhf_two_channels_fc68": "a model without data",
    "redist_pilnu_custom": "another format",
}
"""Of the corpus: what is no workspace, so that there is nothing to write."""
NOT_EXPRESSIBLE = {
    "issue_pyhf_2577_negative_yield_staterror": "measurement 'minimal_example' has no parameter of interest",
    "pyhf_issue1720_greedy_staterror_c282": "measurement '': XML takes no empty name",
}
"""Of the corpus: what XML cannot say, and how the message begins."""
DOUBTS = (
    r"channel '\d.*': ROOT 6\.40 takes no first channel that begins with a digit; put another one first",
    r"channel .*: the staterror '.*' will be read as 'staterror_.*'",
    r".*the uncertainty of a zero yield is left out in bin .*; it has no effect",
    r"only some samples have a lumi modifier; ROOT 6\.40 scales all of them",
    r"measurement .*, parameter .*: the bounds are left out.*",
    r"measurement .*, parameter .*: the bounds \[.*\] are left out: XML has one range for all, \[.*\]",
    r"measurement .*, parameter .* is left out: the model has none of that name",
    r"observation '.*' is left out: it has no channel",
)
"""All that may be read otherwise than it was written."""
MODELS = sorted(each.stem for each in (CORPUS / "models").glob("*.json")) or ["absent"]
PRECISION = 4 * np.finfo(float).eps
"""Uncertainties are divided by the yields and multiplied again, or squared and taken the root of."""


def there_and_back(given: Workspace | XMLConfiguration, folder: Path) -> XMLConfiguration:
    """What is read of what was written; every warning of writing is one of those that are known."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = write_xml(given, folder / "out")
    for each in caught:
        assert each.category is DocumentWarning
        message = str(each.message).removeprefix(f"{folder}/out: ").partition(": ")[2]
        assert any(re.fullmatch(pattern, message) for pattern in DOUBTS), message
    return read_xml(path, root_directory=folder / "out")


def yields(workspace: Workspace) -> dict:
    """By channel, sample, type and name of the modifier: all numbers. Staterrors have the names that XML gives them,
    and a zero yield no uncertainty in a shapesys.
    """
    found = {}
    for channel in workspace.channels:
        for sample in channel.samples:
            found[channel.name, sample.name] = sample.nominal_yields
            for each in sample.modifiers:
                name = f"staterror_{channel.name}" if each.type == "staterror" else each.name
                numbers = [getattr(each, key) for key in ("lo", "hi", "uncertainty") if hasattr(each, key)]
                if each.type == "shapesys":
                    numbers = [[u if y else 0.0 for u, y in zip(*numbers, sample.nominal_yields, strict=True)]]
                assert (channel.name, sample.name, each.type, name) not in found
                found[channel.name, sample.name, each.type, name] = numbers
    return found


def settings(workspace: Workspace, measurement: Measurement) -> dict:
    """By ROOT's name of each parameter: where it starts, whether it is held, and, of a normfactor the range of the
    first measurement, of a luminosity the constraint.
    """
    given = [{each.name: each for each in found.parameters} for found in (measurement, workspace.measurements[0])]
    kinds, found = parameter_kinds(workspace), {}
    for root_name, (name, index) in root_names(workspace).items():
        mine, first = (each.get(name, ParameterConfig(name)) for each in given)
        init = mine.inits[index or 0] if mine.inits else kinds[name].init
        more = ()
        if kinds[name].type == "normfactor":
            more = tuple((first.bounds or (kinds[name].bounds,))[0])
        elif kinds[name].type == "lumi":
            more = (*mine.auxdata, *mine.sigmas)
        found[root_name] = (init, bool(mine.fixed), *more)
    return found


def assert_equal(found: dict, expected: dict) -> None:
    """The same keys; numbers equal but for their last bits."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=PRECISION, atol=0, err_msg=str(key))


def assert_same(found: Workspace, expected: Workspace) -> None:
    """Equality, up to what `yields` and `settings` say."""
    order = [[(c.name, s.name) for c in each.channels for s in c.samples] for each in (found, expected)]
    assert order[0] == order[1]
    assert_equal(yields(found), yields(expected))
    channels = [each.name for each in expected.channels]
    assert {each.name: each.data for each in found.observations} == {
        each.name: each.data for each in expected.observations if each.name in channels
    }
    assert [(each.name, each.poi) for each in found.measurements] == [
        (each.name, each.poi) for each in expected.measurements
    ]
    for mine, theirs in zip(found.measurements, expected.measurements, strict=True):
        assert_equal(settings(found, mine), settings(expected, theirs))


@pytest.mark.parametrize("name", [each for each in MODELS if each not in NOT_WORKSPACES])
def test_published_models(name, corpus, tmp_path):
    """Each comes back, or what XML cannot say of it is an error and nothing is written."""
    workspace, _ = read_workspace(*load_json(corpus / "models" / f"{name}.json"))
    if name in NOT_EXPRESSIBLE:
        with pytest.raises(InvalidDocument) as caught:
            write_xml(workspace, tmp_path / "out")
        assert [each.message.startswith(NOT_EXPRESSIBLE[name]) for each in caught.value.problems] == [True]
        assert list(tmp_path.iterdir()) == []
    else:
        assert_same(there_and_back(workspace, tmp_path).workspace, workspace)


@pytest.mark.parametrize("name", NOT_WORKSPACES)
def test_what_is_no_workspace(name, corpus):
    """The list above is not too long."""
    with pytest.raises(InvalidDocument):
        read_workspace(*load_json(corpus / "models" / f"{name}.json"))


def test_every_exception_is_in_the_corpus(corpus):
    assert {*NOT_WORKSPACES, *NOT_EXPRESSIBLE} <= set(MODELS)


@pytest.mark.parametrize("name", cases.WRITTEN)
def test_cases(name, tmp_path):
    """What only XML can say comes back, too."""
    given = cases.WRITTEN[name]
    configuration = given if isinstance(given, XMLConfiguration) else XMLConfiguration(given, {}, {})
    found = there_and_back(given, tmp_path)
    assert_same(found.workspace, configuration.workspace)
    assert repr(found.constraints) == repr({"M": {}} | dict(configuration.constraints))
    assert found.terms == ({"M": {}} | dict(configuration.terms))


def test_the_second_time(tmp_path):
    """What has been read from XML is written without a word, and is then the same in every bit but the last."""
    given = there_and_back(cases.WRITTEN["settings"], tmp_path).workspace
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write_xml(given, tmp_path / "again")
    found = read_xml(path, root_directory=tmp_path / "again").workspace
    assert_same(found, given)
    assert found.measurements == given.measurements


def elements(folder: Path, tag: str) -> list[dict]:
    """The attributes of all elements of one kind."""
    files = [*folder.glob("*.xml"), *sorted((folder / "config").glob("*.xml"))]
    return [dict(each.attrib) for file in files for each in ElementTree.parse(file).iter(tag)]


def test_luminosity_is_relative(tmp_path):
    """pyhf 0.7.6 writes the absolute width as LumiRelErr: 0.25 at 2.5 is a tenth, and ROOT would take a quarter."""
    write_xml(cases.WRITTEN["settings"], tmp_path / "out")
    (found,) = elements(tmp_path / "out", "Measurement")
    assert float(found["Lumi"]) == 2.5
    assert float(found["LumiRelErr"]) == pytest.approx(0.1, rel=PRECISION)


def test_normfactors_by_measurement(tmp_path):
    """Initial values are those of each measurement; pyhf 0.7.6 drops all but the first. A range has one place in XML:
    that of another measurement is said to be left out, unless it is the same.
    """

    def measurement(name: str, value: float, high: float) -> Measurement:
        lumi = cases.workspace().measurements[0].parameters[0]
        return Measurement(name, "mu", (lumi, ParameterConfig("mu", inits=(value,), bounds=((0.0, high),))))

    three = measurement("A", 1.0, 5.0), measurement("B", 2.0, 5.0), measurement("C", 3.0, 7.0)
    workspace = replace(cases.workspace(), measurements=three)
    with pytest.warns(DocumentWarning) as caught:
        path = write_xml(workspace, tmp_path / "out")
    assert [str(each.message).partition("parameters: ")[2] for each in caught] == [
        "measurement 'C', parameter 'mu': the bounds [0.0, 7.0] are left out: XML has one range for all, [0.0, 5.0]"
    ]
    assert {"Name": "mu", "Val": "1.0", "High": "5.0", "Low": "0.0"} in elements(tmp_path / "out", "NormFactor")
    found = read_xml(path, root_directory=tmp_path / "out").workspace
    mu = [next(p for p in each.parameters if p.name == "mu") for each in found.measurements]
    assert [each.inits for each in mu] == [(1.0,), (2.0,), (3.0,)]
    with pytest.raises(InvalidDocument, match=r"'C', parameter 'mu': ROOT wants an initial value between its bounds"):
        write_xml(replace(workspace, measurements=(*three[:2], measurement("C", 6.0, 7.0))), tmp_path / "no")


def test_zero_yields(tmp_path):
    """0 / 0 is no number in pyhf before 0.7; here an uncertainty of nothing is 0, of a staterror what it was."""
    import uproot

    modifiers = NormFactor("mu"), ShapeSys("u", (0.0, 3.0, 1.0)), StatError("staterror_SR", (0.0, 2.0, 1.0))
    workspace = Workspace(
        (Channel("SR", (Sample("s", (0.0, 0.0, 10.0), modifiers), Sample("t", (1.0, 1.0, 1.0)))),),
        (Observation("SR", (1.0, 2.0, 3.0)),),
        (Measurement("M", "mu"),),
    )
    found = there_and_back(workspace, tmp_path).workspace
    assert_same(found, workspace)
    by_type = {each.type: each for each in found.channels[0].samples[0].modifiers}
    assert by_type["shapesys"].uncertainty == (0.0, 0.0, 1.0)
    assert by_type["staterror"].uncertainty == (0.0, 2.0, 1.0)
    with uproot.open(tmp_path / "out" / "data" / "data.root") as file:
        assert all(np.all(np.isfinite(file[key].values(flow=True))) for key in file.keys())
        assert {str(kind) for kind in file.classnames().values()} == {"TH1D"}


def test_a_staterror_of_two_channels(tmp_path):
    """One set becomes one for each channel; its components are those of the channels, sorted by name (pyhf 0.7.6:
    `pyhf.Model(...).config.par_order` and the channels of `config.channels`, which are sorted).
    """
    workspace = Workspace(
        tuple(
            Channel(name, (Sample("s", (9.0,) * n, (NormFactor("mu"), StatError("mc", (1.0,) * n))),))
            for name, n in (("z", 1), ("a", 2))
        ),
        (Observation("z", (9.0,)), Observation("a", (9.0, 9.0))),
        (Measurement("M", "mu", (ParameterConfig("mc", inits=(1.1, 1.2, 1.3)),)),),
    )
    with pytest.warns(DocumentWarning, match="the staterror 'mc' will be read as 'staterror_a'"):
        path = write_xml(workspace, tmp_path / "out")
    read = read_xml(path, root_directory=tmp_path / "out").workspace.measurements[0]
    found = {each.name: each.inits for each in read.parameters}
    assert (found["staterror_a"], found["staterror_z"]) == ((1.1, 1.2), (1.3,))


def test_integers_and_all_digits(tmp_path):
    """Doubles lose no bit: the numbers are no shorter and no rounder."""
    numbers = (1, 0.1 + 0.2, 1e-300, 12345678.123456789, 5e-324)
    workspace = Workspace(
        (Channel("SR", (Sample("s", numbers, (NormFactor("mu"), NormSys("k", 1 / 3, 0.1 + 0.2))),)),),
        (Observation("SR", (3, 0.1 + 0.2, 0, 1, 2**53)),),
        (Measurement("M", "mu"),),
    )
    found = there_and_back(workspace, tmp_path).workspace
    sample = found.channels[0].samples[0]
    assert (sample.nominal_yields, found.observations) == (numbers, workspace.observations)
    assert next(each for each in sample.modifiers if each.type == "normsys") == NormSys("k", 1 / 3, 0.1 + 0.2)


def test_terms_of_a_measurement(tmp_path):
    """ConstraintTerms belong to the measurement that has them."""
    no_constraint = {"M": {"s1": ConstraintTerm("NoConstraint")}}
    given = XMLConfiguration(cases.TWO_MEASUREMENTS, {"N": {"h": Normal(100.0, 0.0)}}, no_constraint)
    found = there_and_back(given, tmp_path)
    assert found.terms == {"M": {"s1": ConstraintTerm("NoConstraint")}, "N": {}}
    assert repr(found.constraints) == repr({"M": {}, "N": {"h": Normal(100.0, 0.0)}})
