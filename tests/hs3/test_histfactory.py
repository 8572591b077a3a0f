"""`histfactory_dist` as a workspace: log-likelihoods of ROOT 6.40, pyhf 0.7.6 and PyHS3, and closed forms."""

import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import DocumentWarning, InvalidDocument, UnknownName
from histjax.hs3 import Workspace
from histjax.hs3.choices import choose
from histjax.hs3.histfactory import Options, document_of, translate, workspace_of
from tests.hs3.histfactory_documents import (
    DOCUMENTS,
    MU,
    channel,
    document,
    histosys,
    normsys,
    sample,
    shapesys,
    signal,
)
from tests.hs3.written_workspaces import WORKSPACES

ROOT = json.loads((Path(__file__).parents[1] / "reference" / "root_hs3.json").read_text())["documents"]
CLAMPED = Options(clip_sample_data=0.0)


def translated(content: dict, analysis: str | None = None, options: Options | None = None):
    """The translation of an analysis."""
    return translate(
        content, **choose(Workspace.from_document(content, "document"), analysis).settings, options=options
    )


def log_densities(content: dict, points: list[dict], analysis=None, options=None) -> np.ndarray:
    """The log density at points that are given in the parameters of the document; constant ones may be left out."""
    translation = translated(content, analysis, options)
    model = histjax.compile(translation.workspace, **translation.arguments)
    return np.array([float(model.logpdf(_params(model, translation.names, each), model.data)) for each in points])


def _params(model, names: dict[str, str], point: dict) -> dict:
    params = {name: np.array(value) for name, value in model.init.items()}
    for name, value in point.items():
        parameter, _, index = names[name].rstrip("]").partition("[")
        params[parameter][int(index) if index else ()] = value
    return jax.tree.map(jnp.asarray, params)


def assert_same_differences(found: np.ndarray, nll: list[float], tolerance: float):
    """Log density and negative log-likelihood of ROOT add up to a constant: ROOT's has terms without parameters."""
    sums = found + np.array(nll)
    assert np.max(np.abs(sums - sums[0])) < tolerance


# --- against ROOT ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_as_root_reads_them(name):
    """Every modifier and spelling; numbers of ROOT 6.40 (`tests/reference/root_hs3.py`)."""
    points = ROOT[name]["points"]
    options = CLAMPED if name == "clamped" else None
    found = log_densities(DOCUMENTS[name], [each["parameters"] for each in points], options=options)
    assert_same_differences(found, [each["nll"] for each in points], 1e-10)


@pytest.mark.parametrize("name", WORKSPACES)
def test_root_reads_what_we_write(name):
    """ROOT's likelihood of our document is that of the workspace, computed without HS3."""
    workspace, points = histjax.read(WORKSPACES[name]), ROOT[f"ours_{name}"]["points"]
    content = document_of(workspace)
    found = log_densities(content, [each["parameters"] for each in points])
    assert_same_differences(found, [each["nll"] for each in points], 1e-10)
    model = histjax.compile(workspace)
    expected = float(model.logpdf(model.init, model.data))
    start = log_densities(content, [{}])
    assert start[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "folder", "options"),
    [
        ("ATLAS-SUSY-2018-31-eff__BkgOnlyB", "hs3_samples", CLAMPED),  # 1096 histosys
        ("agc_ttbar", "models", CLAMPED),
        ("simplified_sbottom_A__synthetic", "models", None),
        ("xml_pyhfval_xmlimport_input__example", "models", None),
    ],
)
def test_root_reads_published_models(name, folder, options, corpus):
    """The same for published models; counts up to 1e5 leave ten digits."""
    content, points = document_of(histjax.read(corpus / folder / f"{name}.json")), ROOT[f"ours_{name}"]["points"]
    found = log_densities(content, [each["parameters"] for each in points], options=options)
    assert_same_differences(found, [each["nll"] for each in points], 1e-8)


SAMPLES = (
    "2bin",
    "normsys",
    "histosys",
    "staterror",
    "shapefactor",
    "shapesys",
    "lumi",
    "full_nosf",
    "full",
    "ATLAS-SUSY-2018-14-eff__Comb_bkgonly",
    "ATLAS-SUSY-2018-31-eff__simplifiedC",
)


@pytest.fixture(scope="module", params=SAMPLES)
def exported(request, corpus):
    """A document that ROOT 6.40 has written, one written by hand, points, and numbers of ROOT and pyhf."""
    folder = corpus / "hs3_samples" / request.param
    names = ("hs3", "hs3_direct", "points", "nll")
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names}


def test_exports_of_root(exported):
    """ROOT's export gives the model that ROOT exported, though ROOT itself would read its staterror as Poisson.

    With it, ROOT has rounded the errors to seven digits.
    """
    points = [_known(each["pars"], exported["hs3"]) for each in exported["points"]["points"]]
    has_staterror = any("errors" in str(each) for each in exported["hs3"]["distributions"])
    found = log_densities(exported["hs3"], points, "simPdf_obsData")
    nll = [each["nll"] for each in exported["nll"]["native"]]
    assert_same_differences(found, nll, 1e-6 if has_staterror else 1e-10)
    if not has_staterror:
        assert_same_differences(found, [each["nll"] for each in exported["nll"]["reimport"]], 1e-10)


def test_documents_with_pyhf_twins(exported):
    """Differences of ROOT, and whole log densities of pyhf 0.7.6."""
    points = exported["points"]["points"]
    found = log_densities(exported["hs3_direct"], [each["pars"] for each in points], "simPdf_obsData")
    assert_same_differences(found, [each["nll"] for each in exported["nll"]["direct"]], 1e-10)
    np.testing.assert_allclose(found, [each["logpdf"] for each in points], rtol=1e-11)


def _known(point: dict, content: dict) -> dict:
    return {name: value for name, value in point.items() if f'"{name}"' in json.dumps(content)}


# --- against others --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("analysis", "expected"), [("simPdf_obsData", -15.387627173157341)])
def test_absolute_uncertainties(analysis, expected, corpus):
    """PyHS3's own test file, whose vals are absolute: log_prob of PyHS3 0.4.2, equal to pyhf's of its twin."""
    content = json.loads((corpus / "hs3" / "pyhs3__simplemodel_uncorrelated-background_hs3.json").read_text())
    assert log_densities(content, [{}], analysis)[0] == pytest.approx(expected, abs=1e-12)
    assert any("absolute" in doubt for doubt in translated(content, analysis).doubts)
    relative = log_densities(content, [{}], analysis, Options(shapesys="relative"))[0]
    # only the constraint term depends on it: Pois(a | a) with a = 1/3^2 and 1/7^2 in place of (50/3)^2 and (52/7)^2
    terms = {
        k: sum(a * math.log(a) - a - math.lgamma(a + 1) for a in k) for k in ((1 / 9, 1 / 49), (2500 / 9, 2704 / 49))
    }
    change = terms[1 / 9, 1 / 49] - terms[2500 / 9, 2704 / 49]
    assert relative - expected == pytest.approx(change, abs=1e-10)


def test_names_without_parameters(corpus):
    """A file of HS3.jl without `parameter` keys whose names are those of its parameters; closed form at the start."""
    content = json.loads((corpus / "hs3" / "HS3_jl__histfactory_hl.json").read_text())
    translation = translated(content)
    assert {"alpha_syst1", "alpha_syst2", "alpha_syst3", "mu"} <= set(translation.names)
    taus = (100 / 5.000000074505806) ** 2, (100 / 10.0) ** 2
    pairs = [(122, 120), (112, 110), *((tau, tau) for tau in taus)]
    expected = sum(n * math.log(nu) - nu - math.lgamma(n + 1) for n, nu in pairs) - 1.5 * math.log(2 * math.pi)
    assert log_densities(content, [{}])[0] == pytest.approx(expected, rel=1e-13)


# --- what documents can say ------------------------------------------------------------------------------------------


def one_channel(*modifiers: dict, contents=(50, 52), errors=None, functions=(), distributions=(), **more) -> dict:
    """A document with a signal and one background."""
    background = sample("background", list(contents), *modifiers, errors=errors)
    region = channel("SR", signal(*([12] * len(contents))), background)
    return document(region, *distributions, counts={"SR": [60] * len(contents)}, functions=functions, **more)


def test_names_of_components():
    """Gammas are named by what they have in common, and never like something else."""
    content = document(
        channel(
            "SR",
            sample("a", [50, 52], MU, shapesys("x", [0.1, 0.2], parameters=["mu_0", "mu_1"])),
            sample("b", [5, 6], shapesys("y", [0.1, 0.2], parameters=["north", "south"])),
            sample("c", [5, 6], shapesys("z", [0.1, 0.2])),
        ),
        counts={"SR": [60, 61]},
    )
    expected = {"mu": "mu", "mu_0": "mu_2[0]", "mu_1": "mu_2[1]", "north": "y[0]", "south": "y[1]"}
    assert translated(content).names == expected | {"gamma_z_bin_0": "z[0]", "gamma_z_bin_1": "z[1]"}


def test_deltas():
    """The text of the standard has the differences to the nominal template in `lo` and `hi`."""
    content = one_channel(histosys("shape", [-7, -7], [8, 2]))
    modifier = translated(content, options=Options(histosys="delta")).workspace.channels[0].samples[1].modifiers[0]
    assert (modifier.lo, modifier.hi) == ((43, 45), (58, 54))


def test_histosys_of_one_parameter_add_up():
    """Two of them on one sample are one whose variations are the sums."""
    content = one_channel(histosys("shape", [43, 45], [58, 54]), histosys("shape", [49, 50], [52, 53]))
    modifier = translated(content).workspace.channels[0].samples[1].modifiers[0]
    assert (modifier.lo, modifier.hi) == ((42, 43), (60, 55))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("code0", "code0"),
        ("lin", "code0"),
        ("log", "code1"),
        ("parabolic", "code2"),
        ("poly6", "code4p"),
        ("code4", "code4"),
        ({"type": "mult", "in": "exp", "out": None}, "code1"),
    ],
)
def test_words_for_interpolations(written, code):
    """The standard's words, PyHS3's, and the records of newer ROOT versions; also for the whole channel."""
    content = one_channel(normsys("norm", 0.9, 1.2, interpolation=written))
    assert translated(content).normsys.__name__ == code


def test_functions_are_left_to_the_caller():
    """A normfactor whose parameter is a function, and where it acts."""
    function = {"name": "square", "type": "product", "factors": ["mu", "mu"]}
    content = one_channel({"type": "normfactor", "name": "square"}, functions=[function])
    (factor,) = translated(content).factors
    assert (factor.function, factor.samples, factor.channels) == ("square", ("background",), ("SR",))


def test_terms_that_cannot_be_said():
    """A log-normal density of the parameter has a factor 1/theta: it is left over, and nothing is put in its place."""
    term = {"name": "term", "type": "lognormal_dist", "x": "k", "mu": 0.0, "sigma": 0.1}
    factor = {"type": "normfactor", "name": "k", "constraint_name": "term"}
    translation = translated(one_channel(factor, distributions=[term]))
    assert translation.remaining == ("term",) and not translation.used and not translation.constraints


def test_auxiliary_distributions():
    """One that constrains a factor becomes its term, and is not to be counted again."""
    content = one_channel(
        {"type": "normfactor", "name": "k"},
        distributions=[{"name": "term", "type": "gaussian_dist", "x": 1.1, "mean": "k", "sigma": 0.2}],
    )
    content["likelihoods"][0]["aux_distributions"] = ["term"]
    translation = translated(content)
    assert translation.used == ("term",)
    assert (translation.constraints["k"].sigma, translation.constraints["k"].centre) == (0.2, 1.1)


@pytest.mark.parametrize(
    ("modifier", "path", "message"),
    [
        ({"type": "normsys", "name": "x"}, "/data", "expected lo and hi"),
        ({"type": "blur", "name": "x"}, "/type", "expected one of normfactor"),
        (histosys("x", [1], [2, 3]), "/data/lo/contents", "has 1 entries, expected 2"),
        (normsys("x", 0.9, 10**400), "/data/hi", "beyond the range of a double"),
        (normsys("x", 0.9, 1.1, interpolation=9), "/interpolation", "unknown interpolation 9"),
        (histosys("x", [1, 2], [3, 4], interpolation="log"), "/interpolation", "cannot be interpolated by factors"),
        (normsys("x", 0.9, 1.1, constraint_type="Poisson"), "", "found 'Poisson', expected one of Gauss"),
        (normsys("x", 0.9, 1.1, constraint_name="gone"), "/constraint_name", "no distribution 'gone'"),
        (shapesys("x", [3, 4], None), "/data/vals", "choose with Options"),
        (shapesys("x", [0.1, 0.2], parameters=["a"]), "/parameters", "found 1 names, there are 2 bins"),
        (shapesys("x", [0.1, 0.2], parameters=["mu", "b"]), "", "'mu' is a bin-wise factor here"),
        (shapesys("x", [0.1, 0.2], "Log"), "/constraint_type", "expected one of Gauss"),
        (shapesys("x", [0.1, 1e308]), "", "numbers of ordinary size"),
        ({"type": "staterror", "name": "x"}, None, "needs the uncertainties"),
    ],
)
def test_problems_have_paths(modifier, path, message):
    """Where, what was found, what was expected."""
    with pytest.raises(InvalidDocument) as caught:
        translated(one_channel(modifier))
    (problem,) = [each for each in caught.value.problems if message in each.message]
    place = "/distributions/0/samples/1/data" if path is None else f"/distributions/0/samples/1/modifiers/0{path}"
    assert problem.path == place


def test_all_problems_at_once():
    """Of several modifiers, and of the data."""
    content = one_channel({"type": "normsys", "name": "x"}, histosys("y", [1], [2, 3]))
    content["data"][0]["contents"] = [60, -1]
    with pytest.raises(InvalidDocument) as caught:
        translated(content)
    assert len(caught.value.problems) == 2
    content["distributions"][0]["samples"][1]["modifiers"] = []
    with pytest.raises(InvalidDocument, match=r"/data/0/contents: .*negative"):
        translated(content)


# --- pyhf and back ---------------------------------------------------------------------------------------------------


def test_published_models_come_back(corpus):
    """pyhf -> HS3 -> pyhf is the identity for every valid model of the corpus, integers and order included."""
    from histjax.readers.pyhf import write_workspace

    count = 0
    for path in sorted((corpus / "models").glob("*.json")):
        try:
            workspace = histjax.read(path)
        except InvalidDocument:
            continue
        back = workspace_of(json.loads(json.dumps(document_of(workspace), sort_keys=True)))
        assert json.dumps(write_workspace(back)) == json.dumps(write_workspace(workspace)), path.name
        count += 1
    assert count > 40


def test_traps_come_back():
    """The same for the documents of the bug reports, and for those of this folder."""
    from tests.traps.table import TRAPS
    from tests.workspaces import BY_SLUG

    documents = [each for trap in TRAPS.values() for each in trap.documents.values()]
    documents += [case.document for case in BY_SLUG.values()] + list(WORKSPACES.values())
    count = 0
    for content in documents:
        try:
            workspace = histjax.read(content)
        except InvalidDocument:
            continue
        assert workspace_of(json.loads(json.dumps(document_of(workspace)))) == workspace
        count += 1
    assert count > 80


def test_changed_documents_are_read_anew():
    """Notes for histjax do not outlive a change of what HS3 says."""
    content = document_of(histjax.read(WORKSPACES["two-bins"]))
    content["data"][0]["contents"][0] = 77.0
    assert workspace_of(content).observations[0].data[0] == 77.0  # said in one place only
    content["domains"][0]["axes"][0]["max"] = 3.0
    content["domains"][3]["axes"][0]["max"] = 3.0
    with pytest.warns(DocumentWarning, match="changed since histjax wrote it"):
        workspace = workspace_of(content)
    settings = {each.name: each for each in workspace.measurements[0].parameters}
    assert settings["mu"].bounds == ((0.0, 3.0),)


def test_what_pyhf_cannot_say():
    """All of it at once."""
    content = DOCUMENTS["counts"] | {}
    with pytest.raises(InvalidDocument) as caught:
        workspace_of(content)
    text = str(caught.value)
    assert "constraint of 'k' is Gamma" in text and "constraint of 'b' is Poisson" in text


def test_exports_of_root_become_workspaces(corpus):
    """ROOT's export of pyhf's two-bin model is that model; log densities of pyhf."""
    folder = corpus / "hs3_samples" / "2bin"
    workspace = workspace_of(json.loads((folder / "hs3_direct.json").read_text()))
    points = json.loads((folder / "points.json").read_text())["points"]
    model = histjax.compile(workspace)
    found = float(model.logpdf(model.init, model.data))
    assert found == pytest.approx(points[0]["logpdf"], rel=1e-13)


def test_free_and_held_gammas_in_one_fit():
    """A gamma without uncertainty floats if the document lists it, and stands at 1 otherwise."""
    content = one_channel(
        shapesys("dd", [0.1, 0.0, 0.0]),
        contents=(50, 52, 54),
        values=[("gamma_dd_bin_1", 1.0)],
        constants=[("mu", 1.0)],
        ranges=[("gamma_dd_bin_1", 0.0, 5.0)],
    )
    translation = translated(content)
    assert translation.names["gamma_dd_bin_1"] == "dd_free[1]" and translation.names["gamma_dd_bin_2"] == "dd[2]"
    model = histjax.compile(translation.workspace, **translation.arguments)
    fit = histjax.fit(model, model.data)
    # 60 observed, signal 12: the free gamma makes up for the rest, (60 - 12) / 52, and the held one stays
    assert float(fit.params["dd_free"][1]) == pytest.approx(48 / 52, abs=1e-6)
    assert float(fit.params["dd_free"][2] * fit.params["dd"][2]) == 1.0


def test_unknown_analysis():
    """The message has what there is."""
    with pytest.raises(UnknownName, match="no analysis named 'B'; there is: A"):
        choose(Workspace.from_document(DOCUMENTS["codes"], "document"), "B")
