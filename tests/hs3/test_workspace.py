"""PyHS3's tutorial "Working with Workspaces", block by block, with `histjax.hs3` in PyHS3's place.

Where the page is wrong, the reason stands in the test. Values of densities: closed forms.
"""

import json
import math

import numpy as np
import pytest

import histjax
import histjax.hs3 as pyhs3
from histjax.errors import InvalidDocument, InvalidModel, UnknownName
from tests.hs3 import documents


def gauss_on(x, mean, sigma, low, high):
    """The normal density truncated to a range, by the error function."""
    inside = 0.5 * (math.erf((high - mean) / sigma / math.sqrt(2)) - math.erf((low - mean) / sigma / math.sqrt(2)))
    return math.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi)) / inside


@pytest.fixture(scope="module")
def first():
    return pyhs3.Workspace(**documents.FIRST)


@pytest.fixture(scope="module")
def physics():
    return pyhs3.Workspace(**documents.physics())


def test_loading_from_a_file(tmp_path, first):
    path = tmp_path / "my_model.json"
    path.write_text(json.dumps(documents.FIRST))
    assert pyhs3.Workspace.load(path) == first
    assert histjax.read(path) == first


def test_counts(first):
    counts = [first.distributions, first.functions, first.domains, first.parameter_points]
    assert list(map(len, counts)) == [1, 0, 1, 1]
    assert list(map(len, [first.data, first.likelihoods, first.analyses])) == [0, 0, 0]


def test_listing(first):
    (dist,) = first.distributions
    assert f"{dist.name} ({dist.type})" == "signal (gaussian_dist)"
    assert list(dist.parameters.values()) == ["mu", "sigma", "obs"]
    (point,) = first.parameter_points
    assert [f"{each.name} = {each.value}" for each in point.parameters] == ["obs = 0.0", "mu = 0.0", "sigma = 1.0"]
    (domain,) = first.domains
    listed = [f"{axis.name}: [{axis.min}, {axis.max}]" for axis in domain.axes]
    assert listed == ["obs: [-5.0, 5.0]", "mu: [-2.0, 2.0]", "sigma: [0.1, 3.0]"]


@pytest.mark.parametrize("choice", [{"domain": "physics_region", "parameter_set": "nominal"}, {}, {"domain": 0}])
def test_model(first, choice):
    model = first.model(**choice)
    found = model.pdf("signal", obs=0.5, mu=0.0, sigma=1.0)
    assert found == pytest.approx(gauss_on(0.5, 0.0, 1.0, -5.0, 5.0), rel=1e-14)
    assert found == pytest.approx(0.3520655286045739, rel=1e-14)  # ROOT 6.40
    raw = model.pdf("signal", normalised=False, obs=0.5, mu=0.0, sigma=1.0)
    assert raw == pytest.approx(math.exp(-0.125), rel=1e-14)


def test_physics_document_as_printed():
    """Five edges are four bins, and there are three contents."""
    with pytest.raises(InvalidDocument, match=r"contents array length \(3\) must match expected number of bins \(4\)"):
        pyhs3.Workspace(**documents.physics(edges=(110.0, 120.0, 125.0, 130.0, 140.0)))


def test_physics_document(physics):
    found = f"Workspace contains {len(physics.likelihoods)} likelihoods and {len(physics.analyses)} analyses"
    assert found == "Workspace contains 1 likelihoods and 1 analyses"
    analysis = physics.analyses[0]
    found = f"Analysis '{analysis.name}' uses likelihood '{analysis.likelihood}'"
    assert found == "Analysis 'higgs_discovery' uses likelihood 'higgs_likelihood'"


def test_physics_densities(physics):
    model = physics.model()
    signal = model.pdf("signal", mass=125.0, higgs_mass=125.0, resolution=2.5)
    assert signal == pytest.approx(gauss_on(125.0, 125.0, 2.5, 110.0, 140.0), rel=1e-14)
    assert signal == pytest.approx(0.1595769124754463, rel=1e-14)  # ROOT 6.40
    background = model.pdf("background", mass=125.0, lifetime=50.0, norm=1.0)
    exact = math.exp(-125 / 50) / (50 * (math.exp(-110 / 50) - math.exp(-140 / 50)))
    assert background == pytest.approx(exact, rel=1e-12)
    assert model.value("total_events") == 1100.0


def test_likelihoods_and_analyses(physics):
    likelihood = physics.likelihoods["higgs_likelihood"]
    assert likelihood.distributions == ("signal", "background")
    assert likelihood.data == ("observed_mass_spectrum", "observed_mass_spectrum")
    analysis = physics.analyses["higgs_discovery"]
    assert (analysis.domains, analysis.init) == (("search_window",), "best_fit")
    assert analysis.parameters_of_interest == ("higgs_mass", "signal_yield")
    with pytest.raises(UnknownName, match="no analysis named 'nothing'; there is: higgs_discovery"):
        physics.analyses["nothing"]


def test_kinds_of_data():
    every = [documents.POINT, documents.UNBINNED, documents.BINNED, documents.REGULAR]
    workspace = pyhs3.Workspace(metadata={"hs3_version": "0.2"}, data=every)
    point, unbinned, binned, regular = workspace.data
    assert (point.value, point.uncertainty) == (125.09, 0.24)
    assert unbinned.entries.shape == (3, 2) and unbinned.weights.tolist() == [0.8, 1.0, 0.9]
    assert unbinned.entries_uncertainties[1].tolist() == [0.2, 0.08]
    assert binned.axes[0].bin_edges == (110.0, 120.0, 130.0, 140.0, 150.0)
    assert binned.uncertainty.sigma == (6.7, 8.2, 7.2, 6.2)
    assert regular.axes[0].bin_edges == (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)


def test_access_to_data(physics):
    (datum,) = physics.data
    assert f"{datum.name} ({datum.type})" == "observed_mass_spectrum (binned)"
    assert len(datum.contents) == 3
    assert "observed_mass_spectrum" in physics.data and "other" not in physics.data
    assert physics.data["observed_mass_spectrum"] is datum


def test_overview(physics):
    text = str(physics)
    assert text.splitlines()[0] == (
        "HS3 0.2 workspace: 2 distributions, 1 functions, 1 domains, 1 parameter points, 1 data, 1 likelihoods, "
        "1 analyses"
    )
    assert "likelihood higgs_likelihood: signal <- observed_mass_spectrum, background <- observed_mass_spectrum" in text


def test_range_of_the_data():
    """An observable that the domain does not name has the range of its data; without any the integral diverges."""
    density = {"name": "e", "type": "exponential_dist", "x": "mass", "c": 0.02}
    axes = [{"name": "mass", "min": 100.0, "max": 160.0}]
    data = [{"name": "d", "type": "unbinned", "axes": axes, "entries": [[110.0]]}]
    document = {"metadata": {"hs3_version": "0.2"}, "distributions": [density]}
    expected = 0.02 * np.exp(-0.02 * 120) / (np.exp(-2) - np.exp(-3.2))
    model = histjax.hs3.Workspace(**document, data=data).model()
    assert float(model.pdf("e", mass=120.0)) == pytest.approx(expected, rel=1e-12)
    other = [*data, {**data[0], "name": "other", "axes": [{"name": "mass", "min": 100.0, "max": 150.0}]}]
    for more in ({}, {"data": other}):
        with pytest.raises(InvalidModel, match="'e' has no finite integral: 'mass' has no range"):
            histjax.hs3.Workspace(**document, **more).model().pdf("e", mass=120.0)
