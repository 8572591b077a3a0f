"""Models of HistFactory XML against ROOT 6.40: differences of log-likelihoods between parameter points.

The numbers in `tests/reference/root_xml.json` are ROOT's own (see `root_xml.py` beside it). ROOT normalises its
densities in its own way, so a constant is free for each model.
"""

import json
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel
from histjax.interop.xml import compile_xml, root_names
from histjax.readers.xml import XMLConfiguration, read_xml, write_xml
from histjax.spec import NormSys
from tests.readers.xml import cases

ROOT = json.loads((Path(__file__).parents[1] / "reference" / "root_xml.json").read_text())["models"]
CORPUS = [name for name in ROOT if name.startswith("corpus/")]
OURS = [(name, measurement) for name in ROOT if "/" not in name for measurement in ROOT[name]]
SINGLE_PRECISION = ("xmlimport_input/config/example.xml", "example_DataDriven.xml")
"""ROOT multiplies and adds the errors of TH1F histograms in single precision: a width is good to 1e-7 there."""


def differences(configuration: XMLConfiguration, measurement: str, reference: dict, **options) -> list[float]:
    """How ROOT's differences to its first point differ from ours; `options` are those of `compile_xml`."""
    names, terms = root_names(configuration.workspace), configuration.terms[measurement]
    model = compile_xml(configuration, measurement=measurement, **options)
    sums = []
    for point in reference["points"]:
        params = {name: np.array(value) for name, value in model.init.items()}
        for root_name, value in (reference["constant"] | point["parameters"]).items():
            beta = root_name.removeprefix("beta_")
            name, index = names.get(root_name) or (beta, None)
            assert root_name in names or beta in terms or root_name == "Lumi"
            if name in params:
                params[name][() if index is None else index] = value
        sums.append(float(model.logpdf({k: jnp.asarray(v) for k, v in params.items()}, model.data)) + point["nll"])
    return [each - sums[0] for each in sums[1:]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The cases of our own, as they are read."""
    folder, read = tmp_path_factory.mktemp("xml"), {}
    cases.main(folder)
    for name in (*cases.HANDMADE, *cases.WRITTEN):
        read[name] = read_xml(folder / name / "top.xml", root_directory=folder / name)
    return read


@pytest.mark.parametrize(("name", "measurement"), OURS, ids=lambda each: each)
def test_likelihood(name, measurement, ours):
    """To 1e-8: constraint terms of every kind, the threshold, luminosity, settings; handmade XML and XML of ours."""
    found = differences(ours[name], measurement, ROOT[name][measurement])
    np.testing.assert_allclose(found, 0.0, rtol=0, atol=1e-8)


def test_every_case_has_its_numbers():
    assert {name for name, _ in OURS} == {*cases.HANDMADE, *cases.WRITTEN}
    assert {name for name in ROOT if name.startswith("written/")} == {f"written/{each}" for each in cases.PUBLISHED}
    assert {measurement for name, measurement in OURS if name == "defaults"} == {"Plain", *cases.TERMS}


@pytest.mark.parametrize("name", CORPUS)
def test_published_inputs(name, corpus):
    _, model, path = name.split("/", 2)
    root = corpus / "xmlroot" / model
    configuration = read_xml(root / path, root_directory=root)
    for measurement, reference in ROOT[name].items():
        if measurement == "GammaExample":  # 1/0.3^2 is above 10, where ROOT cuts off the centre of the gamma term
            assert any("cuts 1/r^2 = 11.11 off" in each.message for each in configuration.doubts)
            continue
        found = differences(configuration, measurement, reference)
        np.testing.assert_allclose(found, 0.0, rtol=0, atol=1e-6 if name.endswith(SINGLE_PRECISION) else 1e-8)


@pytest.mark.parametrize("name", cases.PUBLISHED)
def test_published_models_that_are_written(name, corpus, tmp_path):
    """ROOT makes of the XML what histjax makes of the JSON, where both cut a sample with its HistoSys off at zero."""
    path = cases.write_published(tmp_path / "out", name)
    configuration = read_xml(path, root_directory=tmp_path / "out")
    ((measurement, reference),) = ROOT[f"written/{name}"].items()
    found = differences(configuration, measurement, reference, clip_sample_data=0.0)
    np.testing.assert_allclose(found, 0.0, rtol=0, atol=1e-8)


def test_the_plain_workspace_is_another_model(ours):
    """What JSON cannot say makes a difference: the numbers above would not agree without it."""
    configuration = ours["poisson"]
    plain = XMLConfiguration(configuration.workspace, {}, {"M": {}})
    assert max(np.abs(differences(plain, "M", ROOT["poisson"]["M"]))) > 1e-3


def test_shape_factors_have_the_range_of_root(ours):
    """[0, 1000], where pyhf has [0, 10]; ROOT 6.40, `gamma_shape_bin_0`."""
    parameters = compile_xml(ours["plain"]).parameters
    place = parameters.component_names.index("shape[0]")
    assert (float(parameters.lower[place]), float(parameters.upper[place])) == (0.0, 1000.0)


def test_options_go_before(ours):
    """Terms of the caller replace those of the XML."""
    model = compile_xml(ours["poisson"], constraints={"staterror_SR": histjax.constraints.Normal()})
    assert {each.name: each.constraint for each in model.layout.parameters}["staterror_SR"] == "normal"


def test_a_gamma_term_that_two_share(tmp_path):
    """ROOT makes two parameters out of one name; here that is an error."""
    plain = cases.workspace()
    first, *others = plain.channels[1].samples
    first = replace(first, modifiers=(*first.modifiers, NormSys("h", 0.9, 1.1)))
    shared = replace(plain, channels=(plain.channels[0], replace(plain.channels[1], samples=(first, *others))))
    configuration = XMLConfiguration(shared, {}, {"M": {"h": cases.ConstraintTerm("Gamma", 0.5)}})
    with pytest.raises(InvalidModel, match="the gamma term of 'h': an OverallSys and a HistoSys share the name"):
        compile_xml(configuration)
    path = write_xml(configuration, tmp_path / "out")
    assert "Gamma" in path.read_text()
