"""Models, workspaces and patch sets with pyhf's interface: against pyhf on the table, and what is refused."""

import copy
import json

import jax
import numpy as np
import pyhf
import pytest

import histjax
import histjax.interop.pyhf as bridge
from histjax import errors
from histjax.interop.pyhf.infer.distributions import AsymptoticTestStatDistribution, EmpiricalDistribution
from tests.interop import scripts
from tests.workspaces import BY_SLUG, WITH_PYHF, mu, points, sample, staterror, workspace

LISTS = "par_order par_names parameters channels samples modifiers auxdata_order".split()
NUMBERS = "npars nmaindata nauxdata poi_index poi_name channel_nbins channel_slices".split()


def both(case):
    """pyhf's model and ours, of the same measurement of a document."""
    name = case.measurement or case.document["measurements"][0]["name"]
    return [module.Workspace(case.document).model(measurement_name=name) for module in (pyhf, bridge)]


@pytest.fixture(scope="module", params=WITH_PYHF, ids=str)
def pair(request):
    """A document of the table with both models."""
    return request.param, *both(request.param)


def test_config(pair):
    """Names, order, sizes, starts and bounds are pyhf's; what is held includes what pyhf holds."""
    _, theirs, ours = pair
    for name in LISTS:
        assert list(getattr(ours.config, name)) == list(getattr(theirs.config, name)), name
    for name in NUMBERS:
        assert getattr(ours.config, name) == getattr(theirs.config, name), name
    np.testing.assert_allclose(ours.config.auxdata, theirs.config.auxdata, rtol=1e-12)
    assert ours.config.suggested_init() == theirs.config.suggested_init()
    np.testing.assert_array_equal(ours.config.suggested_bounds(), theirs.config.suggested_bounds())
    assert all(np.array(ours.config.suggested_fixed()) >= np.array(theirs.config.suggested_fixed()))
    for name in theirs.config.par_order:
        mine, other = ours.config.param_set(name), theirs.config.param_set(name)
        assert ours.config.par_slice(name) == theirs.config.par_slice(name)
        for key in ("n_parameters", "is_scalar", "constrained", "suggested_init"):
            assert getattr(mine, key) == getattr(other, key), (name, key)
        if other.constrained:
            assert mine.pdf_type == other.pdf_type
            np.testing.assert_allclose(mine.width(), other.width(), rtol=1e-9)
            np.testing.assert_allclose(mine.auxdata, other.auxdata, rtol=1e-12)


def test_values(pair):
    """Expected data and log densities at two points, shapes included; data as the workspace lists them."""
    case, theirs, ours = pair
    data = bridge.Workspace(case.document).data(ours)
    assert data[: ours.config.nmaindata] == pyhf.Workspace(case.document).data(theirs, include_auxdata=False)
    n = ours.config.nmaindata
    for vector in points(case, ours.likelihood.parameters, 1):
        assert ours.logpdf(vector, data).shape == theirs.logpdf(vector, data).shape == (1,)
        np.testing.assert_allclose(ours.expected_data(vector), theirs.expected_data(vector), rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(ours.expected_actualdata(vector), theirs.expected_actualdata(vector), rtol=1e-11)
        with np.errstate(invalid="ignore"):
            expected = theirs.logpdf(vector, data)
        if np.isfinite(expected).all() and (theirs.expected_actualdata(vector) > 0).all():
            np.testing.assert_allclose(ours.logpdf(vector, data), expected, rtol=1e-10)
            main = ours.mainlogpdf(data[:n], vector), theirs.mainlogpdf(np.array(data[:n], float), vector)
            np.testing.assert_allclose(*main, rtol=1e-10)
            assert np.shape(main[0]) == np.shape(main[1]) == ()
    np.testing.assert_array_equal(ours.nominal_rates, theirs.nominal_rates)


def test_pieces_add_up():
    """Main and constraint terms, density and its parts, of a model with both kinds of constraint."""
    theirs, ours = both(BY_SLUG["everything"])
    vector, aux = np.array(ours.config.suggested_init()) * 1.01, np.array(ours.config.auxdata)
    main = ours.expected_actualdata(vector)
    np.testing.assert_allclose(ours.constraint_logpdf(aux, vector), theirs.constraint_logpdf(aux, vector), rtol=1e-11)
    np.testing.assert_allclose(ours.expected_auxdata(vector), theirs.expected_auxdata(vector), rtol=1e-12)
    full = [*main, *aux]
    np.testing.assert_allclose(ours.pdf(vector, full), theirs.pdf(vector, full), rtol=1e-9)
    np.testing.assert_allclose(ours.make_pdf(vector).log_prob(full), theirs.logpdf(vector, full)[0], rtol=1e-11)


def test_toys_have_the_expected_mean():
    """Toys of a density: 4000 of them agree with their expectation within five standard errors."""
    model, _ = scripts.two_bins(bridge)
    density = model.make_pdf([1.0, 1.0, 1.0])
    toys = density.sample((2, 2000), key=jax.random.key(1)).reshape(-1, 4)
    expected = np.array([62.0, 63.0, (50 / 3) ** 2, (52 / 7) ** 2])  # Poisson means; variance equals mean
    assert np.all(np.abs(toys.mean(0) - expected) < 5 * np.sqrt(expected / 4000))
    assert density.sample(key=jax.random.key(1)).shape == (4,)


def test_a_live_model():
    """Interpolation codes and clipping come along: value by value, at points where they differ from the defaults."""
    spec = {"channels": copy.deepcopy(BY_SLUG["everything"].document["channels"])}
    spec["parameters"] = copy.deepcopy(BY_SLUG["everything"].document["measurements"][0]["config"]["parameters"])
    settings = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}}
    theirs = pyhf.Model(spec, modifier_settings=settings, clip_sample_data=0.0, clip_bin_data=1e-2)
    ours, plain = bridge.from_pyhf(theirs), bridge.from_pyhf(pyhf.Model(spec))
    vector = np.array(theirs.config.suggested_init()) + 0.37
    np.testing.assert_allclose(ours.expected_data(vector), theirs.expected_data(vector), rtol=1e-11)
    assert not np.allclose(plain.expected_data(vector), theirs.expected_data(vector), rtol=1e-6)
    assert ours.likelihood.layout.clip_sample_data == 0.0 and ours.likelihood.layout.clip_bin_data == 1e-2


def test_floors_of_a_live_model():
    """Floors change yields as in pyhf; one that it adds for samples of other channels is refused."""
    spec = {"channels": BY_SLUG["negative-yields"].document["channels"]}
    for floors in (dict(clip_sample_data=0.5), dict(clip_bin_data=1e3)):
        theirs = pyhf.Model(spec, poi_name=None, **floors)
        ours, vector = bridge.from_pyhf(theirs), theirs.config.suggested_init()
        np.testing.assert_allclose(ours.expected_data(vector), theirs.expected_data(vector), rtol=1e-12)
        assert not np.allclose(ours.expected_data(vector), bridge.Model(spec, poi_name=None).expected_data(vector))
    document = BY_SLUG["several-measurements"].document
    other = {"channels": copy.deepcopy(document["channels"])}
    other["channels"].append({"name": "other", "samples": [sample("signal", [1.0], mu("SigXsecOverSM"))]})
    other["parameters"] = document["measurements"][0]["config"]["parameters"]
    with pytest.raises(errors.InvalidModel, match="clip_sample_data"):
        bridge.from_pyhf(pyhf.Model(other, poi_name=None, clip_sample_data=0.5))


def test_settings_that_leave_a_type_out():
    """Settings replace pyhf's defaults as a whole: what is left out is code0 or code1 there, and here."""
    spec = {"channels": BY_SLUG["correlated-background"].document["channels"]}
    settings = {"normsys": {"interpcode": "code1"}}
    theirs, ours = (module.Model(spec, modifier_settings=settings) for module in (pyhf, bridge))
    vector = [0.4, 1.0]
    np.testing.assert_allclose(ours.expected_data(vector), theirs.expected_data(vector), rtol=1e-12)


def test_no_parameter_of_interest():
    """`None` and `""` are pyhf's two ways to say so, and then a test is refused."""
    spec = {"channels": BY_SLUG["two-bins"].document["channels"]}
    for name in (None, ""):
        model = bridge.Model(spec, poi_name=name)
        assert model.config.poi_name is model.config.poi_index is None
    with pytest.raises(bridge.exceptions.UnspecifiedPOI):
        bridge.infer.hypotest(1.0, [50, 60, *model.config.auxdata], model)
    other = bridge.Model(spec, poi_name=model.config.par_order[0])
    assert other.config.poi_name == model.config.par_order[0]


def test_components_are_held_one_by_one():
    """Half of a staterror is held at its start; the rest moves as in pyhf (values to what SLSQP can do)."""
    channels = {"SR": [sample("signal", [5.0, 5.0], mu()), sample("background", [50.0, 60.0], staterror("g", [5, 6]))]}
    models = [module.Workspace(workspace(channels, {"SR": [60, 75]})).model() for module in (pyhf, bridge)]
    data = [60, 75, *models[1].config.auxdata]
    settings = dict(init_pars=[1.0, 1.05, 1.0], fixed_params=[False, True, False])
    theirs, ours = (
        module.infer.mle.fit(data, model, **settings) for module, model in zip((pyhf, bridge), models, strict=True)
    )
    assert ours[1] == 1.05
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    freed = bridge.infer.mle.fit(data, models[1], **(settings | {"fixed_params": [False] * 3}))
    assert freed[1] != 1.05


def test_a_fixed_parameter_can_be_released():
    """`fixed_params` stands in place of the measurement's own: lumi is held there."""
    case = BY_SLUG["several-measurements"]
    theirs, ours = both(case)
    data = pyhf.Workspace(case.document).data(theirs)
    place = ours.config.par_slice("lumi").start
    assert ours.config.suggested_fixed()[place]
    free = [held and i != place for i, held in enumerate(ours.config.suggested_fixed())]
    kept, released = bridge.infer.mle.fit(data, ours), bridge.infer.mle.fit(data, ours, fixed_params=free)
    other = pyhf.infer.mle.fit(data, theirs, fixed_params=free)
    assert kept[place] == ours.config.suggested_init()[place]
    np.testing.assert_allclose(released, other, rtol=1e-3, atol=1e-3)


def test_what_a_fit_returns():
    """Uncertainties and correlations are those of the certified fit; order and shapes are pyhf's with Minuit."""
    model, _ = scripts.two_bins(bridge)
    fixed = [False, True, False]
    found, corr, value, described = bridge.infer.mle.fit(
        [60, 65, *model.config.auxdata],
        model,
        fixed_params=fixed,
        return_uncertainties=True,
        return_correlations=True,
        return_fitted_val=True,
        return_result_obj=True,
        tolerance=1e-3,
        do_grad=True,
    )
    assert found.shape == (3, 2) and corr.shape == (3, 3) and value.shape == ()
    assert found[1, 1] == 0 and not corr[1].any() and np.all(found[[0, 2], 1] > 0) and described.success
    # one free gamma, one bin with signal each: the covariance inverts a 2 x 2 Hessian, written out here
    mu_hat, gamma, tau = found[0, 0], found[2, 0], (52 / 7) ** 2
    first, second = 12 * mu_hat + 50, 11 * mu_hat + 52 * gamma
    hessian = np.array([[60 * 144 / first**2 + 65 * 121 / second**2, 65 * 11 * 52 / second**2], [0, 0]])
    hessian[1] = hessian[0, 1], 65 * 52**2 / second**2 + tau / gamma**2
    covariance = np.linalg.inv(hessian)
    np.testing.assert_allclose(found[[0, 2], 1], np.sqrt(np.diagonal(covariance)), rtol=1e-8)
    np.testing.assert_allclose(corr[0, 2], covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), rtol=1e-8)


def test_gradients_go_through():
    """`jax.grad` of the log density against differences, and of CLs with respect to the data."""
    model, data = scripts.two_bins(bridge)
    vector, step = np.array([1.0, 1.1, 0.9]), np.array([1e-5, 0, 0])
    slope = jax.grad(lambda pars: model.logpdf(pars, data)[0])(vector)
    difference = (model.logpdf(vector + step, data) - model.logpdf(vector - step, data)) / 2e-5
    np.testing.assert_allclose(slope[0], difference[0], rtol=1e-7)


def test_toy_calculator():
    """Toys count what the asymptotic formulae say, within four binomial standard deviations; a key is asked for."""
    model = bridge.simplemodels.uncorrelated_background([6.0], [9.0], [3.0])
    data = [9, *model.config.auxdata]
    with pytest.raises(errors.InvalidModel, match="seed=0"):
        bridge.infer.hypotest(1.0, data, model, calctype="toybased", ntoys=10)
    asked = dict(calctype="toybased", ntoys=1000, seed=3, track_progress=False)
    CLs, tails, found = bridge.infer.hypotest(1.0, data, model, return_tail_probs=True, return_calculator=True, **asked)
    # closed-form asymptotic values of this model: CLsb 0.083894, CLb 0.5
    assert abs(tails[0] - 0.0839) < 4 * np.sqrt(0.0839 * 0.916 / 1000) and abs(tails[1] - 0.5) < 0.064
    value, laws = found.teststatistic(1.0), found.distributions(1.0)
    np.testing.assert_allclose(value, 1.902590937642, rtol=1e-8)
    np.testing.assert_allclose(found.pvalues(value, *laws), [*tails, CLs], rtol=1e-12)
    assert np.shape(found.expected_pvalues(*laws)) == (3, 5)


def test_far_tails():
    """p-values of 5 to 9 standard deviations, also of integers: RooStats' SignificanceToPValue, ROOT."""
    tails = [2.866515718791945e-07, 9.865876450377018e-10, 1.279812543885835e-12, 6.220960574271829e-16]
    law = AsymptoticTestStatDistribution(0)
    found = [law.pvalue(n) for n in (5, 6, 7, 8, 9)]
    np.testing.assert_allclose(found, [*tails, 1.1285884059538408e-19], rtol=1e-12, atol=0)
    np.testing.assert_allclose(law.cdf(-9), found[-1], rtol=1e-14, atol=0)


def test_q0_of_another_value():
    """pyhf's own tests ask for q0 at 1: it is 0 that is tested, and a warning says so."""
    model, _ = scripts.two_bins(bridge)
    data = [60, 65, *model.config.auxdata]
    expected = bridge.infer.hypotest(0.0, data, model, test_stat="q0")
    with pytest.warns(errors.HistjaxWarning, match="1 is taken as 0"):
        assert bridge.infer.hypotest(1.0, data, model, test_stat="q0") == expected


def test_empirical_distribution():
    """Against NumPy's own percentile and a count by hand."""
    law = EmpiricalDistribution(np.arange(11.0))
    assert law.pvalue(8.0) == 3 / 11
    np.testing.assert_allclose(law.expected_value([0, 1]), [5.0, 8.413447460685429])  # Phi(1) = 0.8413447460685429


def test_limits_outside_the_scan_are_announced():
    """pyhf gives the end of the scan in silence."""
    model, data = scripts.two_bins(bridge)
    with pytest.warns(errors.ImpreciseLimit, match=r"\+1 sigma, \+2 sigma"):
        observed, expected = bridge.infer.intervals.upper_limits.upper_limit(data, model, [0.4, 0.8, 1.2])
    assert expected[4] == 1.2 and observed < 1.2


def test_limit_with_results():
    """Without a scan the results are those at the limits: each curve is at the level there."""
    model, data = scripts.two_bins(bridge)
    limit = bridge.infer.intervals.upper_limits.toms748_scan
    observed, expected, (values, results) = limit(data, model, 0, 5, level=0.1, from_upper_limit_fn=True)
    assert values == sorted(float(each) for each in (observed, *expected)) and len(results) == 6
    np.testing.assert_allclose(results[values.index(observed)][0], 0.1, rtol=1e-7)
    np.testing.assert_allclose([results[values.index(x)][1][i] for i, x in enumerate(expected)], [0.1] * 5, rtol=1e-7)


def test_workspace():
    """What a workspace says of itself, against pyhf, and the measurement that is asked for."""
    document = BY_SLUG["several-measurements"].document
    theirs, ours = pyhf.Workspace(document), bridge.Workspace(document)
    for (
        name
    ) in "channels samples modifiers channel_nbins channel_slices measurement_names observations version".split():
        assert getattr(ours, name) == getattr(theirs, name), name
    assert dict(ours) == document and json.loads(json.dumps(ours)) == document
    assert ours.get_measurement(measurement_index=1) == theirs.get_measurement(measurement_index=1)
    assert ours == bridge.Workspace(document) and ours != document
    for wanted in (dict(measurement_name="nonsense"), dict(measurement_index=99)):
        with pytest.raises(bridge.exceptions.InvalidMeasurement, match="no measurement named"):
            ours.get_measurement(**wanted)


def test_patch_sets():
    """By name and by values, to a workspace and to the model of one."""
    document = json.loads(histjax.examples.path("two_bins").read_text())
    described = json.loads(histjax.examples.patchset_path("two_bins").read_text())
    ours, theirs = bridge.PatchSet(described), pyhf.PatchSet(described)
    assert [each.name for each in ours] == [each.name for each in theirs]
    assert (ours.labels, ours.digests, ours.description) == (theirs.labels, theirs.digests, theirs.description)
    assert ours[(300, 10)].name == ours["Z_300_10"].name == "Z_300_10" and list(ours["Z_300_10"])
    applied = ours.apply(bridge.Workspace(document), "Z_400_10")
    assert isinstance(applied, bridge.Workspace) and dict(applied) == dict(theirs.apply(document, "Z_400_10"))
    assert ours["Z_400_10"].apply(document) == dict(applied)
    entry = described["patches"][0]
    first, same = ours.patches[0], bridge.patchset.Patch(entry)
    assert first == same and hash(first) == hash(same) and first != ours.patches[1] and first != entry
    assert same.name == pyhf.patchset.Patch(entry).name and same.values == pyhf.patchset.Patch(entry).values
    patched = bridge.Workspace(document).model(patches=[ours["Z_400_10"]])
    plain = bridge.Workspace(document).model()
    assert not np.allclose(patched.nominal_rates, plain.nominal_rates)
    with pytest.raises(bridge.exceptions.InvalidPatchLookup):
        ours["nonsense"]


def refused() -> dict:
    """What must not pass: a call, and what its message says."""
    model, data = scripts.two_bins(bridge)
    spec, infer = model.spec, bridge.infer
    free = {"channels": [{"name": "SR", "samples": [{"name": "s", "data": [1.0], "modifiers": []}]}]}
    return {
        "batch": (lambda: bridge.Model(spec, batch_size=2), "jax.vmap"),
        "modifiers": (lambda: bridge.Model(spec, modifier_set={}), "histjax.Factor"),
        "no spec": (lambda: bridge.Model([1]), "found list"),
        "no parameters": (lambda: bridge.Model(free, poi_name=None), "no parameters"),
        "empty": (lambda: bridge.Model({}), "channels"),
        "poi": (lambda: bridge.Model(spec, poi_name="nonsense"), "no parameter 'nonsense'"),
        "poi with bins": (lambda: bridge.Model(spec, poi_name="uncorr_bkguncrt"), "2 components"),
        "code": (lambda: bridge.Model(spec, modifier_settings={"normsys": {"interpcode": "code7"}}), "code7"),
        "type": (lambda: bridge.Model(spec, modifier_settings={"norm": {"interpcode": "code4"}}), "'norm'"),
        "set_poi": (lambda: model.config.set_poi("mu"), "Model\\(model.spec, poi_name='mu'\\)"),
        "pars": (lambda: model.logpdf([1.0], data), "expected 3 numbers"),
        "data": (lambda: model.logpdf([1.0, 1.0, 1.0], data[:-1]), "2 bins, then 2 auxiliary"),
        "words": (lambda: model.logpdf(["a", "b", "c"], data), "expected 3 numbers"),
        "init": (lambda: infer.mle.fit(data, model, init_pars=[1.0]), "init_pars"),
        "start": (lambda: infer.mle.fit(data, model, init_pars=[-1.0, 1.0, 1.0]), "outside of its bounds"),
        "bounds": (lambda: infer.mle.fit(data, model, par_bounds=[(0, 1)]), "3 pairs"),
        "crossed": (lambda: infer.mle.fit(data, model, par_bounds=[(2, 1), (0, 2), (0, 2)]), "above its upper"),
        "fixed": (lambda: infer.mle.fit(data, model, fixed_params=[True]), "fixed_params"),
        "held poi": (lambda: infer.hypotest(1.0, data, model, fixed_params=[True, False, False]), "held fixed"),
        "option": (lambda: infer.mle.fit(data, model, nonsense=1), "nonsense"),
        "test option": (lambda: infer.hypotest(1.0, data, model, nonsense=1), "nonsense"),
        "statistic": (lambda: infer.hypotest(1.0, data, model, test_stat="qqq"), "qqq"),
        "calculator": (lambda: infer.hypotest(1.0, data, model, calctype="guess"), "guess"),
        "base": (lambda: infer.hypotest(1.0, data, model, calc_base_dist="guess"), "guess"),
        "no key": (lambda: model.make_pdf([1.0, 1.0, 1.0]).sample((3,)), "jax.random.key"),
        "another model": (lambda: infer.hypotest(1.0, data, pyhf.Model(spec)), "from_pyhf"),
        "batched live": (lambda: bridge.from_pyhf(pyhf.Model(spec, batch_size=2)), "batch_size 2"),
        "not live": (lambda: bridge.from_pyhf(spec), "expected a pyhf.Model"),
        "precision": (lambda: bridge.set_backend("jax", precision="32b"), "JAX_ENABLE_X64"),
        "patch": (lambda: bridge.Workspace(BY_SLUG["two-bins"].document).model(patches=[3]), "found int"),
        "early": (lambda: infer.calculators.AsymptoticCalculator(data, model).fitted_pars, "teststatistic"),
    }


@pytest.mark.parametrize("what", list(refused()))
def test_refusals(what):
    """One clear sentence for each."""
    call, words = refused()[what]
    with pytest.raises(errors.HistjaxError, match=words):
        call()


def test_live_models_that_were_changed_by_hand():
    """A parameter set edited after the fact, and a modifier of one's own."""
    theirs, _ = scripts.two_bins(pyhf)
    theirs.config.param_set("mu").suggested_bounds = [(-5, 5)]
    with pytest.raises(errors.InvalidModel, match="bounds are"):
        bridge.from_pyhf(theirs)
    other, _ = scripts.two_bins(pyhf)
    other.main_model.modifiers_appliers["mine"] = object()
    with pytest.raises(errors.InvalidModel, match="mine"):
        bridge.from_pyhf(other)


def test_backends_change_nothing():
    """Silent for JAX and NumPy, a warning for what is not there."""
    bridge.set_backend("jax", object(), precision="64b", default=True)
    bridge.set_backend(b"numpy")
    assert bridge.get_backend()[0] is bridge.tensorlib
    with pytest.warns(errors.HistjaxWarning, match="pytorch"):
        bridge.set_backend("pytorch")
    assert bridge.tensorlib.tolist([np.ones(2), (3, np.zeros(()))]) == [[1.0, 1.0], [3, 0.0]]
