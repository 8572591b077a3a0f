"""The Spey plugin against numbers from outside.

Two models, with numbers that were found outside histjax: *tight* ones are Newton fits of pyhf 0.7.6's log density to a
gradient of 1e-10, *loose* ones are what Spey 0.2.7 gives with spey-pyhf 0.2.2, whose fits stop at a change of 1e-6.

- A: two bins over an uncorrelated background, the model of pyhf's documentation;
- C: `full_nosf` of the corpus, all modifiers but shapefactor, whose signal is taken out and given as a patch.
"""

import copy
import importlib
import importlib.metadata
import json
import tomllib
from pathlib import Path

import numpy as np
import pyhf
import pytest

import histjax
from histjax.errors import FailedFit, InvalidDocument, InvalidModel, InvalidPatch, MissingPOI, UnknownName
from tests.fitting.test_compilations import nothing_compiled
from tests.workspaces import mu, normsys, sample, workspace

spey = pytest.importorskip("spey", reason="the plugin needs spey: pip install 'histjax[spey]'")
backends = importlib.import_module("histjax.interop.spey.backends")
exceptions = importlib.import_module("spey.system.exceptions")

OBSERVED, APRIORI, APOSTERIORI = (
    getattr(spey.ExpectationType, name) for name in ("observed", "apriori", "aposteriori")
)
LOOSE = 2e-5

COUNTS = {
    "signal_yields": np.array([12.0, 11.0]),
    "background_yields": [50, 52],
    "data": (51, 48),
    "absolute_uncertainties": np.array([3.0, 7.0]),
}
NUMBERS = {
    "A": {
        "observed": 0.9474844748538681,
        "apriori": [0.9972778859916827, 0.9857094322654462, 0.9339911781197903, 0.7611998888398319, 0.4226616335936513],
        "aposteriori": [
            0.9973935954157078,
            0.9861793599621498,
            0.9355448452295269,
            0.7647390968760769,
            0.4269583450179109,
        ],
        "limits": [1.011571881390, 1.068778573288, 1.062355000684],
        "band": [0.5631031564, 0.7614752008, 1.0687787486, 1.5105727636, 2.0640444171],
        "best": (-0.066870019915, 12.483595452034),
        "nll": [14.461090066858, 12.491967600171, 14.121001714230, 12.431211061729],
        "asimov": (14.1057587175, 0.0, 12.3962992129),
        "asimov_data": [50.1524059372, 50.0575583314, 278.6244774289, 53.1223068006],
        "sigma_mu": 0.582239207141,
        "chi2": 3.9382449,
        "chi_square": 0.8087613532,
        "significance": (1.8769528007, 0.0, 0.5),
        "q": 0.9474270534,
        "logpdf": -15.387627173157227,
    },
    "C": {
        "observed": 0.4832706069705326,
        "apriori": [0.9309196004055879, 0.8399835015007534, 0.6596010083801385, 0.3836140603439655, 0.1277939880454104],
        "aposteriori": [
            0.927416939647662,
            0.8341882454186808,
            0.6517952308650674,
            0.3763699466319492,
            0.124211038533061,
        ],
        "limits": [2.709323007340, 2.132246572616, 2.159477618402],
        "band": [1.1068048585, 1.5044549860, 2.1322464686, 3.0622712583, 4.2678892131],
        "best": (0.670792848763, 9.979700575026),
        "nll": [10.025540515943, 10.182243539759, 10.221003902146, 9.766539863922],
        "asimov": (10.3569515518, 0.0, 9.9169575725),
        "sigma_mu": 1.106986865617,
        "chi2": 0.0916799879,
        "chi_square": 0.2899302550,
        "significance": (0.9463175193, 0.6364636244, 0.2622371414),
        "q": 0.4832704870,
        "logpdf": -10.213624294204124,
    },
}


def taken_apart(document: dict, name: str = "sig") -> tuple[dict, list[dict]]:
    """A workspace without one sample, and the patch that brings it back."""
    document, patch = copy.deepcopy(document), []
    for index, channel in enumerate(document["channels"]):
        signals = [each for each in channel["samples"] if each["name"] == name]
        channel["samples"] = [each for each in channel["samples"] if each["name"] != name]
        patch += [{"op": "add", "path": f"/channels/{index}/samples/-", "value": each} for each in signals]
    return document, patch


def spied(backend) -> "spey.StatisticalModel":
    """As `spey.get_backend` wraps it."""
    return spey.StatisticalModel(backend=backend, analysis="test")


@pytest.fixture(scope="module")
def model_a():
    """From arrays."""
    return spied(backends.UncorrelatedBackground(**COUNTS))


@pytest.fixture(scope="module")
def model_c(corpus):
    """From a background and a patch."""
    background, patch = taken_apart(json.loads((corpus / "hs3_samples" / "full_nosf.json").read_text()))
    return spied(backends.WorkspaceBackend(signal_patch=patch, background_only_model=background))


@pytest.fixture(params=["A", "C"])
def case(request):
    """A model and its numbers."""
    return request.getfixturevalue(f"model_{request.param.lower()}"), NUMBERS[request.param]


# --- how Spey finds it -----------------------------------------------------------------------------------------------


def test_entry_points():
    """Spey insists on the name, and holds the version that a backend requires against its own."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["spey.backend.plugins"]
    assert set(declared) == {"histjax", "histjax.uncorrelated_background"}
    for name, place in declared.items():
        module, _, attribute = place.partition(":")
        backend = getattr(importlib.import_module(module), attribute)
        assert backend.name == name and backend.version == histjax.__version__ and backend.author
        assert spey.Version(spey.version()) in spey.SimpleSpec(backend.spey_requires)
        assert not backend.__abstractmethods__


def test_installed():
    """`spey.get_backend` and the metadata that Spey reads, where the installed histjax has the entry points."""
    names = {each.name for each in importlib.metadata.entry_points(group="spey.backend.plugins")}
    if "histjax" not in names:
        pytest.skip("histjax was installed before it had entry points; install it again")
    found = spey.get_backend("histjax.uncorrelated_background")(**COUNTS, analysis="A", xsection=2.0)
    assert found.backend_type == "histjax.uncorrelated_background" and found.xsection == 2.0
    assert found.available_calculators == ["toy", "asymptotic", "chi_square"]
    metadata = spey.get_backend_metadata("histjax")
    assert metadata == {
        "name": "histjax",
        "author": "The histjax developers",
        "version": histjax.__version__,
        "spey_requires": ">=0.2.5,<0.3.0",
        "doi": [],
        "arXiv": [],
        "zenodo": [],
    }


# --- the contract ----------------------------------------------------------------------------------------------------


def test_configuration(model_a):
    """minimum_poi is -min(background / signal) = -50/12 in double precision; every call gives lists of its own."""
    config = model_a.backend.config()
    assert config.poi_index == 0 and config.minimum_poi == -50 / 12
    assert config.parameter_names == ["mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"]
    assert config.suggested_init == [1.0, 1.0, 1.0] and config.suggested_fixed == [False] * 3
    assert config.suggested_bounds == [(-50 / 12, 10.0), (1e-10, 10.0), (1e-10, 10.0)]
    assert model_a.backend.config(False, 3.0).suggested_bounds[0] == (0.0, 3.0)
    config.suggested_init[0] = 7.0
    model_a.likelihood(2.5)
    assert model_a.backend.config().suggested_init == [1.0, 1.0, 1.0]


def test_order_is_that_of_pyhf(corpus, model_c):
    """Parameters, starting values, fixed flags and data of a model with all kinds of modifiers."""
    document = json.loads((corpus / "hs3_samples" / "full_nosf.json").read_text())
    theirs = pyhf.Workspace(document)
    model = theirs.model(modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}})
    config = model_c.backend.config()
    assert config.parameter_names == model.config.par_names
    assert config.suggested_init == model.config.suggested_init()
    assert config.suggested_fixed == model.config.suggested_fixed()
    data = theirs.data(model)
    point = np.array(model.config.suggested_init()) + 0.03
    logpdf = model_c.backend.get_logpdf_func(data=data)
    assert logpdf(point) == pytest.approx(float(model.logpdf(point, data)[0]), abs=1e-11)
    assert model_c.backend.get_logpdf_func()(point) == logpdf(point)
    np.testing.assert_allclose(model_c.backend.expected_data(point), model.expected_data(point), rtol=1e-13)


def test_density_and_derivatives(case):
    """ln L with all constants; the objective is -ln L, and its gradient that of differences; the Hessian is of ln L."""
    model, numbers = case
    backend = model.backend
    point = np.array(backend.config().suggested_init)
    logpdf = backend.get_logpdf_func()
    assert isinstance(logpdf(point), float) and logpdf(point) == pytest.approx(numbers["logpdf"], abs=1e-12)
    assert backend.get_objective_function(do_grad=False)(point) == -logpdf(point)
    value, gradient = backend.get_objective_function()(point + 0.01)
    assert value == pytest.approx(-logpdf(point + 0.01), abs=1e-12)
    steps = 1e-5 * np.eye(point.size)
    differences = [(logpdf(point + 0.01 + step) - logpdf(point + 0.01 - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, -np.array(differences), rtol=1e-6, atol=1e-6)


def test_hessian(model_a):
    """Two bins n_i on s_i + b_i, tau_i = (b_i / u_i)^2, in closed form: -n_i d_j d_k / (s_i + b_i)^2 - tau_i."""
    observed, signal, background = (np.array(each) for each in ([51.0, 48.0], [12.0, 11.0], [50.0, 52.0]))
    weights, tau = observed / (signal + background) ** 2, (background / np.array([3.0, 7.0])) ** 2
    mixed = weights * signal * background
    expected = np.diag([np.sum(weights * signal**2), *(weights * background**2 + tau)])
    expected[0, 1:] = expected[1:, 0] = mixed
    np.testing.assert_allclose(model_a.backend.get_hessian_logpdf_func()(np.ones(3)), -expected, rtol=1e-12)


def test_data_before_the_fit(model_a):
    """Nominal background, and auxiliary data (b / u)^2; the density of an expectation type is that of its data."""
    point, backend = np.array([0.3, 1.05, 0.9]), model_a.backend
    data = [50.0, 52.0, (50 / 3) ** 2, (52 / 7) ** 2]
    assert backend.get_logpdf_func(APRIORI)(point) == pytest.approx(
        backend.get_logpdf_func(data=data)(point), rel=1e-14
    )
    assert backend.get_logpdf_func(APOSTERIORI)(point) == backend.get_logpdf_func("observed")(point)
    with pytest.raises(InvalidModel, match="observed, aposteriori, all, apriori, found 'prefit'"):
        backend.get_logpdf_func("prefit")


# --- statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", ["observed", "apriori", "aposteriori"])
def test_exclusion(case, expected):
    """1 - CLs of mu = 1, observed and the expected band."""
    model, numbers = case
    found = model.exclusion_confidence_level(expected=getattr(spey.ExpectationType, expected))
    np.testing.assert_allclose(found, np.atleast_1d(numbers[expected]), rtol=0, atol=1e-8)


def test_limits(case):
    """To the precision of Spey's search for the crossing, 1e-4 at worst."""
    model, numbers = case
    limits = [model.poi_upper_limit(expected=expected) for expected in (OBSERVED, APRIORI, APOSTERIORI)]
    np.testing.assert_allclose(limits, numbers["limits"], rtol=LOOSE)
    band = model.poi_upper_limit(expected=APRIORI, expected_pvalue="2sigma")
    np.testing.assert_allclose(band, numbers["band"], rtol=LOOSE)


def test_fits(case):
    """Best fit and conditional fits, of the data and of the Asimov data."""
    model, numbers = case
    assert model.maximize_likelihood() == pytest.approx(numbers["best"], abs=1e-8)
    found = [model.likelihood(mu, expected) for expected in (OBSERVED, APRIORI) for mu in (1.0, 0.0)]
    np.testing.assert_allclose(found, numbers["nll"], rtol=0, atol=1e-8)
    at_one, best, lowest = numbers["asimov"]
    found, (found_best, found_lowest) = model.asimov_likelihood(1.0), model.maximize_asimov_likelihood()
    # looser: in loose Asimov data the fit behind them shows in first order (the tight band above has none of that)
    assert (found, found_best, found_lowest) == pytest.approx((at_one, best, lowest), abs=1e-4)
    if "asimov_data" in numbers:
        np.testing.assert_allclose(model.generate_asimov_data(), numbers["asimov_data"], rtol=1e-4)


def test_other_statistics(case):
    """Uncertainty, chi-squared, significance, the statistic for negative signals, the chi-squared calculator."""
    model, numbers = case
    assert model.sigma_mu(1.0) == pytest.approx(numbers["sigma_mu"], rel=LOOSE)
    assert model.chi2(1.0) == pytest.approx(numbers["chi2"], rel=LOOSE)
    assert model.exclusion_confidence_level(allow_negative_signal=True)[0] == pytest.approx(numbers["q"], abs=LOOSE)
    assert model.exclusion_confidence_level(calculator="chi_square")[0] == pytest.approx(
        numbers["chi_square"], abs=LOOSE
    )
    asimov, observed, p_values, _ = model.significance()
    assert (asimov, observed, p_values[0]) == pytest.approx(numbers["significance"], abs=LOOSE)


def test_other_parameters(model_c):
    """Intervals of Spey from profiles of the parameter of interest and of another one (loose numbers)."""
    found = model_c.chi2_test(confidence_level=0.68)
    np.testing.assert_allclose(found, [-0.3627571596, 1.7744870953], rtol=1e-4)
    found = model_c.chi2_test(confidence_level=0.68, parameter="k_bkg2")
    np.testing.assert_allclose(found, [0.95960135, 1.14441001], rtol=1e-4)


def test_several_values(corpus, model_c):
    """Two parameters held by name or index, and one of them alone, against fits of pyhf."""
    theirs = pyhf.Workspace(json.loads((corpus / "hs3_samples" / "full_nosf.json").read_text()))
    model = theirs.model(modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}})
    place = model.config.par_names.index("k_bkg2")
    start, fixed = model.config.suggested_init(), model.config.suggested_fixed()
    start[model.config.poi_index], start[place] = 1.0, 1.1
    fixed[model.config.poi_index] = fixed[place] = True
    _, twice_nll = pyhf.infer.mle.fit(
        theirs.data(model), model, init_pars=start, fixed_params=fixed, return_fitted_val=True, tolerance=1e-10
    )
    held = {"mu": 1.0, "k_bkg2": 1.1}
    found, vector = model_c.likelihood(held, return_parameters=True)
    assert found == pytest.approx(0.5 * float(twice_nll), abs=1e-6)
    assert vector[place] == 1.1 and vector[model.config.poi_index] == 1.0
    assert model_c.likelihood({model.config.poi_index: 1.0, place: 1.1}) == found
    best, nll = model_c.maximize_likelihood(poi_indices=["k_bkg2", model.config.poi_index], fixed_poi_value=held)
    assert best == {"k_bkg2": 1.1, model.config.poi_index: 1.0} and nll == found
    with pytest.raises(UnknownName, match="no parameter named 'k_bkg3'"):
        model_c.likelihood({"k_bkg3": 1.0})
    with pytest.raises(InvalidModel, match="indices are 0 to 12, found 13"):
        model_c.likelihood({13: 1.0})


def test_start_and_bounds(model_a):
    """They hold, are not written to, and have to fit."""
    start, bounds = [2.0, 1.0, 1.0], [(0.2, 5.0), (None, 10.0), (1e-10, None)]
    best, nll = model_a.maximize_likelihood(init_pars=start, par_bounds=bounds)
    assert best == 0.2 and nll == pytest.approx(model_a.likelihood(0.2), abs=1e-10)
    assert start == [2.0, 1.0, 1.0] and bounds == [(0.2, 5.0), (None, 10.0), (1e-10, None)]
    for arguments, message in [
        ({"init_pars": [1.0]}, r"init_pars: expected the values of 3 parameters, found shape \(1,\)"),
        ({"par_bounds": [(0, 1)]}, "par_bounds: expected 3 pairs"),
        ({"par_bounds": [(0, 1), (1, 0), (0, 1)]}, r"lower bound of 'uncorr_bkguncrt\[0\]' is above"),
        ({"data": [51.0, 48.0]}, r"counts of 2 bins and 2 auxiliary data, found shape \(2,\)"),
    ]:
        with pytest.raises(InvalidModel, match=message):
            model_a.likelihood(1.0, **arguments)


def test_large_signal_strength(model_a):
    """1000 times the signal at mu = 12: the bounds that Spey's optimiser is given do not stop our fit at 10."""
    data = model_a.backend.expected_data([12.0, 1.0, 1.0])
    best, _ = model_a.maximize_likelihood(data=data)
    assert best == pytest.approx(12.0, abs=1e-6)
    best, _ = model_a.maximize_likelihood(data=model_a.backend.expected_data([-2.0, 1.0, 1.0]))
    assert best == pytest.approx(-2.0, abs=1e-6)


def test_options_of_the_other_optimiser(model_a):
    """Who names them gets Spey's optimiser with our gradient, to its own precision."""
    best, nll = model_a.maximize_likelihood(tol=1e-10)
    assert nll == pytest.approx(NUMBERS["A"]["best"][1], abs=1e-7) and nll != model_a.maximize_likelihood()[1]
    assert best == pytest.approx(NUMBERS["A"]["best"][0], abs=1e-3)
    assert model_a.asimov_likelihood(1.0, method="SLSQP") == pytest.approx(NUMBERS["A"]["asimov"][0], abs=1e-4)


def test_nothing_is_compiled_twice(model_a):
    """Another value, expectation type, dataset or instance of the same size needs no new program."""
    model_a.poi_upper_limit(expected=APRIORI)
    model_a.sigma_mu(1.0)
    other = spied(backends.UncorrelatedBackground([3.0, 4.0], [30.0, 20.0], [33, 19], [2.0, 3.0]))
    with nothing_compiled():
        for model in (model_a, other):
            model.poi_upper_limit(expected=APOSTERIORI)
            model.likelihood(0.7, data=[40.0, 41.0, 270.0, 50.0], init_pars=[1.0, 0.9, 1.1])
            model.sigma_mu(0.5, expected=APRIORI)


# --- toys ------------------------------------------------------------------------------------------------------------


def test_sampler(model_a):
    """Means and widths of 20 000 toys: of the counts sqrt(nu), of auxiliary counts sqrt(tau gamma); 5 sigma."""
    backend, point = model_a.backend, np.array([0.5, 1.1, 0.9])
    sampler = backend.get_sampler(point)
    toys, mean = sampler(20_000, seed=1), np.array([6 + 55, 5.5 + 46.8, 1.1 * (50 / 3) ** 2, 0.9 * (52 / 7) ** 2])
    assert isinstance(toys, np.ndarray) and toys.shape == (20_000, 4)
    assert np.all(np.abs(toys.mean(axis=0) - mean) < 5 * np.sqrt(mean / 20_000))
    np.testing.assert_allclose(toys.var(axis=0), mean, rtol=0.05)
    np.testing.assert_array_equal(sampler(20_000, include_auxiliary=False, seed=1), toys[:, :2])


def test_toys_repeat(model_a, monkeypatch):
    """NumPy's seed, which users of Spey set, decides; and the p-value is that of 5000 toys of pyhf 0.7.6."""
    monkeypatch.setattr(model_a, "ntoys", 400)
    found = []
    for seed in (3, 3, 4):
        np.random.seed(seed)
        found.append(model_a.exclusion_confidence_level(calculator="toy", verbose=False)[0])
    assert found[0] == found[1] != found[2]
    # pyhf: CLsb = 0.0212, CLb = 0.4536; of 400 toys 0.0212 is known to 0.0072, their ratio to 0.016; 5 sigma
    assert found[0] == pytest.approx(1 - 0.0467, abs=0.08)


# --- what can be given -----------------------------------------------------------------------------------------------


def test_sources(tmp_path, model_a):
    """A path, a document, a `Workspace` and a `histjax.Patch` say the same."""
    document = json.loads(histjax.examples.path("two_bins").read_text())
    background, patch = taken_apart(document, "signal")
    path, patch_path = tmp_path / "background.json", tmp_path / "patch.json"
    path.write_text(json.dumps(background))
    patch_path.write_text(json.dumps(patch))
    expected = model_a.backend.get_logpdf_func()(np.array([1.3, 0.9, 1.1]))
    record = histjax.read(document)
    whole = [{"workspace": each} for each in (histjax.examples.path("two_bins"), document, record)]
    named = histjax.Patch("signal", (1.0,), tuple(patch))
    patched = [(patch, background), (str(patch_path), str(path)), (named, histjax.read(background))]
    made = [backends.WorkspaceBackend(**each) for each in whole] + [
        backends.WorkspaceBackend(*each) for each in patched
    ]
    for backend in made:
        assert backend.get_logpdf_func()(np.array([1.3, 0.9, 1.1])) == pytest.approx(expected, rel=1e-14)
        assert backend.config().minimum_poi == -50 / 12


TWO_SIGNALS = workspace(
    {
        "SR": [
            sample("s1", [5.0], mu("mu1")),
            sample("s2", [4.0], mu("mu2")),
            sample("b", [50.0], normsys("alpha", 0.9, 1.1)),
        ],
        "CR": [sample("s2", [8.0], mu("mu2")), sample("b", [70.0], normsys("alpha", 0.9, 1.1))],
    },
    {"SR": [55.0], "CR": [76.0]},
)
TWO_SIGNALS["measurements"] = [
    {"name": "first", "config": {"poi": "mu1", "parameters": []}},
    {"name": "second", "config": {"poi": "mu2", "parameters": [{"name": "mu1", "inits": [0.0], "fixed": True}]}},
]


def test_measurements_and_parameters_of_interest():
    """Which samples are background follows from the parameters of interest: CR 70 + 8, SR 50 + 4 + 5."""
    for settings, poi, minimum, background, fixed in [
        ({}, "mu1", -54 / 5, [78.0, 54.0], []),
        ({"measurement": "second"}, "mu2", -70 / 8, [70.0, 55.0], ["mu1"]),
        ({"poi": "mu2"}, "mu2", -70 / 8, [70.0, 55.0], []),
        ({"poi": ["mu1", "mu2"]}, "mu1", -50 / 5, [70.0, 50.0], []),
    ]:
        backend = backends.WorkspaceBackend(workspace=TWO_SIGNALS, **settings)
        config = backend.config()
        assert config.parameter_names[config.poi_index] == poi and config.minimum_poi == minimum
        assert backend.subject.datasets["apriori"].tolist() == [*background, 0.0]
        held = [name for name, is_fixed in zip(config.parameter_names, config.suggested_fixed, strict=True) if is_fixed]
        assert held == fixed
    with pytest.raises(MissingPOI, match="no parameter 'mu3'"):
        backends.WorkspaceBackend(workspace=TWO_SIGNALS, poi="mu3")
    with pytest.raises(UnknownName, match="no measurement named 'third'"):
        backends.WorkspaceBackend(workspace=TWO_SIGNALS, measurement="third")
    nuisance = backends.WorkspaceBackend(workspace=TWO_SIGNALS, poi="alpha").config()
    assert nuisance.minimum_poi == -5.0  # no factor of a signal: the bound of the model


def test_no_signal():
    """A dead model has no limit."""
    model = spied(backends.UncorrelatedBackground([0.0, 0.0], [50.0, 52.0], [51, 48], [3.0, 7.0]))
    assert not model.is_alive and model.poi_upper_limit() == np.inf
    assert model.poi_upper_limit(expected=APRIORI, expected_pvalue="1sigma") == [np.inf] * 3
    assert model.exclusion_confidence_level() == [0.0]
    assert model.backend.config().suggested_bounds[0] == (-10.0, 10.0)
    assert spied(backends.UncorrelatedBackground([-1.0, 2.0], [50.0, 52.0], [51, 48], [3.0, 7.0])).is_alive


def test_what_cannot_be_used(tmp_path):
    """Said when the model is made."""
    background, patch = taken_apart(json.loads(histjax.examples.path("two_bins").read_text()), "signal")
    make, count = backends.WorkspaceBackend, backends.UncorrelatedBackground
    for call, error, message in [
        (lambda: make(workspace={"channels": []}), InvalidDocument, "measurements"),
        (lambda: make(workspace=tmp_path / "missing.json"), InvalidDocument, "No such file"),
        (lambda: make(workspace=background), MissingPOI, "needs its signal patch"),
        (lambda: make(background_only_model=background), InvalidModel, "needs its signal_patch"),
        (lambda: make(patch), InvalidModel, "found no workspace, expected one"),
        (lambda: make(patch, background, workspace=background), InvalidModel, "found two workspaces"),
        (lambda: make([{"op": "remove", "path": "/x"}], background), InvalidPatch, r"operation 0 \(remove /x\)"),
        (lambda: make(patch, background, poi=[]), InvalidModel, "found none"),
        (lambda: count([1.0], [2.0, 3.0], [2, 3], [1.0, 1.0]), InvalidModel, "signal_yields has 1, background_yields"),
        (lambda: count([["x"]], [2.0], [2], [1.0]), InvalidModel, "signal_yields: expected one number per bin"),
        (lambda: count([1.0], [2.0], [np.nan], [1.0]), InvalidDocument, "expected a finite number"),
        (lambda: count([1.0], [2.0], [3], [-1.0]), InvalidDocument, "uncert"),
    ]:
        with pytest.raises(error, match=message):
            call()


def test_a_fit_that_fails_says_so(model_a):
    """Negative counts are described by no parameter value; Spey hides warnings, so it is an error."""
    with pytest.raises(FailedFit, match="no parameter value describes these data"):
        model_a.likelihood(1.0, data=[-5.0, 48.0, 277.0, 55.0])


# --- two models in one -----------------------------------------------------------------------------------------------


def renamed(document: dict, **names: str) -> dict:
    """A document with other names of channels and modifiers."""
    text = json.dumps(document)
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return json.loads(text)


def test_combination():
    """The model and a copy under other names, mu shared: loose numbers of the same model in pyhf."""
    document = json.loads(histjax.examples.path("two_bins").read_text())
    copied = renamed(document, singlechannel="other", uncorr_bkguncrt="other_uncrt")
    one, two = (spied(backends.WorkspaceBackend(workspace=each)) for each in (document, copied))
    both = one @ two
    assert both.backend.config().parameter_names.count("mu") == 1
    assert both.exclusion_confidence_level()[0] == pytest.approx(0.9941842673, abs=LOOSE)
    assert both.poi_upper_limit() == pytest.approx(0.6944551810, rel=LOOSE)


def test_no_combination(model_a):
    """Why not, in a sentence; another package's backend is Spey's own exception."""
    document = json.loads(histjax.examples.path("two_bins").read_text())
    one = backends.WorkspaceBackend(workspace=document)
    settings = renamed(document, singlechannel="other", uncorr_bkguncrt="other_uncrt")
    settings["measurements"][0]["config"]["parameters"] = [{"name": "mu", "bounds": [[0.0, 5.0]]}]
    document["measurements"][0]["config"]["parameters"] = [{"name": "mu", "bounds": [[0.0, 9.0]]}]
    bounded = backends.WorkspaceBackend(workspace=document)
    for first, other, error, message in [
        (one, document, InvalidModel, "both models have a channel 'singlechannel'"),
        (one, renamed(document, singlechannel="other"), InvalidDocument, "shapesys cannot be shared"),
        (one, renamed(document, mu="kappa"), InvalidModel, "different parameters of interest, mu and kappa"),
        (bounded, settings, InvalidModel, "different settings of parameter 'mu'"),
    ]:
        with pytest.raises(error, match=message):
            first.combine(backends.WorkspaceBackend(workspace=other))
    theirs = spey.get_backend("default.poisson")(signal_yields=[1.0], background_yields=[2.0], data=[2])
    with pytest.raises(exceptions.CombinerNotAvailable):
        model_a @ theirs
