"""The methods of a model beyond its values: other yields and templates, flat orders, draws, messages, options."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest

import histjax
from histjax.errors import InvalidModel, UnknownName
from histjax.model.interpolation import code0, code1, code2, code4, code4p
from tests.workspaces import BY_SLUG, counting


@pytest.fixture(scope="module")
def model(compile_case):
    """One of each of the seven modifiers."""
    return compile_case("everything")


# --- other numbers, same structure -----------------------------------------------------------------------------------


def test_with_yields_is_another_document(compile_case):
    """Widths follow the new yields, uncertainties stay absolute: what compiling the changed document gives."""
    changed = counting([12.0, 11.0], [80.0, 90.0], [3.0, 7.0], [51.0, 48.0])
    expected = histjax.compile(histjax.read(changed))
    found = compile_case("two-bins").with_yields({("singlechannel", "background"): jnp.array([80.0, 90.0])})
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.layout == expected.layout


def test_with_yields_is_differentiable(model):
    """The gradient of the log density with respect to yields, against central differences; jitted and traced."""
    params, data = model.init, model.data
    yields = jnp.array([40.0, 30.0])

    @jax.jit
    def value(yields):
        return model.with_yields({("zeta", "background"): yields}).logpdf(params, data)

    gradient = np.asarray(jax.grad(value)(yields))
    for index in range(2):
        step = 1e-3
        moved = [float(value(yields.at[index].add(h))) for h in (-2 * step, -step, step, 2 * step)]
        difference = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * step)
        assert gradient[index] == pytest.approx(difference, rel=1e-7)


def test_with_yields_names(model):
    """Which samples there are, and how many bins."""
    with pytest.raises(UnknownName, match=r"no \(channel, sample\) named \('zeta', 'sig'\)"):
        model.with_yields({("zeta", "sig"): jnp.ones(2)})
    with pytest.raises(InvalidModel, match=r"have shape \(3,\), the channel has 2 bins"):
        model.with_yields({("zeta", "signal"): jnp.ones(3)})


def test_with_templates(compile_case):
    """Any number of the document through `eqx.tree_at`: twice the uncertainty is a quarter of tau."""
    model = compile_case("two-bins")
    doubled = eqx.tree_at(lambda t: t.shapesys_uncertainty, model.templates, replace_fn=lambda u: 2 * u)
    other = model.with_templates(doubled)
    np.testing.assert_allclose(other.data.aux["uncorr_bkguncrt"], model.data.aux["uncorr_bkguncrt"] / 4, rtol=1e-15)
    np.testing.assert_allclose(other.parameters["uncorr_bkguncrt"].width, [0.12, 14 / 52], rtol=1e-14)


def test_every_template_has_a_finite_derivative(model):
    """Of the log density at a point that is not special; nothing of the workspace is cut off from it."""
    floats, rest = eqx.partition(model.templates, eqx.is_inexact_array)
    params = jax.tree.map(lambda x: x + 0.05, model.init)

    @jax.jit
    @jax.grad
    def gradient(floats):
        other = model.with_templates(eqx.combine(floats, rest))
        return other.logpdf(params, other.data)

    slopes = gradient(floats)
    used = ("nominal_yields", "histosys_lo", "histosys_hi", "normsys_lo", "normsys_hi", "shapesys_uncertainty")
    for name in (*used, "staterror_uncertainty", "observations"):
        leaf = np.asarray(getattr(slopes, name))
        assert np.all(np.isfinite(leaf)), name
        assert np.all(leaf != 0), name


# --- draws -----------------------------------------------------------------------------------------------------------

N_TOYS = 20_000


def assert_moments(values, mean, variance):
    """Mean and variance of toys within five standard errors; for a Poisson or Gaussian variable of this variance."""
    mean, variance = np.broadcast_to(mean, values.shape[1:]), np.broadcast_to(variance, values.shape[1:])
    assert np.all(np.abs(values.mean(0) - mean) <= 5 * np.sqrt(variance / N_TOYS) + 1e-12)
    # var(s^2) = (mu4 - sigma^4)/N, with mu4 = 3 sigma^4 for a Gaussian and 3 sigma^4 + sigma^2 for a Poisson variable
    error = np.sqrt((2 * variance**2 + variance) / N_TOYS)
    assert np.all(np.abs(values.var(0) - variance) <= 5 * error + 1e-12)


def test_draws(model):
    """Counts are Poisson around the expectation, auxiliary data follow their constraint terms."""
    params = {**model.init, "jes": jnp.array(0.4), "uncorrelated": jnp.array([1.1, 0.9]), "mu": jnp.array(2.0)}
    keys = jax.random.split(jax.random.key(1), N_TOYS)
    toys = jax.jit(jax.vmap(lambda key: model.draw(key, params)))(keys)
    for channel, expected in model.expected_yields(params).items():
        counts = np.asarray(toys.main[channel])
        assert counts.shape == (N_TOYS, 2)
        np.testing.assert_array_equal(counts, np.round(counts))
        assert_moments(counts, expected, expected)
    assert_moments(np.asarray(toys.aux["jes"]), 0.4, 1.0)
    assert_moments(np.asarray(toys.aux["lumi"]), 1.0, 0.02**2)
    tau = np.array([(40 / 4) ** 2, (30 / 2) ** 2])
    assert_moments(np.asarray(toys.aux["uncorrelated"]), tau * [1.1, 0.9], tau * [1.1, 0.9])
    width = np.array([np.hypot(0.5, 2.0) / 46, np.hypot(0.6, 1.5) / 39])
    assert_moments(np.asarray(toys.aux["stat_zeta"]), 1.0, width**2)
    # independent of each other
    correlation = np.corrcoef(np.asarray(toys.main["zeta"])[:, 0], np.asarray(toys.aux["uncorrelated"])[:, 0])[0, 1]
    assert abs(correlation) < 5 / np.sqrt(N_TOYS)


def test_draws_of_empty_bins(compile_case):
    """Nothing where nothing is expected."""
    keys = jax.random.split(jax.random.key(2), N_TOYS)
    empty = compile_case("zero-bin")
    counts = jax.vmap(lambda key: empty.draw(key, empty.init))(keys).main["SR"]
    np.testing.assert_array_equal(counts[:, 1], 0.0)


def test_draws_of_a_precise_auxiliary_measurement(compile_case):
    """tau = 2e11 neither overflows nor is drawn with the digits of single precision: mean and variance are tau."""
    keys = jax.random.split(jax.random.key(2), N_TOYS)
    precise = compile_case("precise-background")
    aux = np.asarray(jax.vmap(lambda key: precise.draw(key, precise.init))(keys).aux["uncorr_bkguncrt"])
    assert_moments(aux / 1e6, 2e5, 2e11 / 1e12)


def test_a_draw_has_the_structure_of_the_data(model):
    """So that it goes wherever the data go; the same key gives the same toy."""
    toy = model.draw(jax.random.key(3), model.init)
    assert jax.tree.map(jnp.shape, toy) == jax.tree.map(jnp.shape, model.data)
    np.testing.assert_array_equal(model.ravel_data(toy), model.ravel_data(model.draw(jax.random.key(3), model.init)))


# --- words -----------------------------------------------------------------------------------------------------------


def test_repr(model):
    """What printing a model shows."""
    assert repr(model).splitlines() == [
        "Model: 2 channels, 4 bins, 4 samples, 15 modifiers",
        "  parameters: 13 in 9 sets, 3 without constraint, poi 'mu'",
        "  histosys: code4p; normsys: code4",
        "  arrays: 8 cells x 3 interpolating parameters, float64",
    ]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda p: {**p, "nu": p["mu"]}, UnknownName, "no parameter named 'nu'"),
        (lambda p: {name: p[name] for name in p if name != "mu"}, InvalidModel, "lacks 'mu'"),
        (
            lambda p: {**p, "fakes": jnp.ones(3)},
            InvalidModel,
            r"'fakes' has shape \(2,\), found a value of shape \(3,\)",
        ),
    ],
)
def test_wrong_parameter_points(model, change, error, message):
    """Names and shapes, said when the program is made."""
    with pytest.raises(error, match=message):
        model.logpdf(change(model.init), model.data)


def test_wrong_data(model):
    """A channel that is missing, and one with a bin too many."""
    data = model.data
    with pytest.raises(UnknownName, match="no channel in the data named 'alpha'"):
        model.logpdf(model.init, histjax.Data({"zeta": data.main["zeta"]}, data.aux))
    with pytest.raises(InvalidModel, match="3 values for channel 'zeta', the model has 2"):
        model.logpdf(model.init, histjax.Data({**data.main, "zeta": jnp.ones(3)}, data.aux))


def test_unknown_measurement():
    """Lists what there is."""
    with pytest.raises(UnknownName, match=r"no measurement named 'x'.*other, GaussExample"):
        histjax.compile(histjax.read(BY_SLUG["several-measurements"].document), measurement="x")


def test_measurements_differ():
    """The first one is the default."""
    workspace = histjax.read(BY_SLUG["several-measurements"].document)
    assert not bool(histjax.compile(workspace).parameters["lumi"].fixed)
    assert bool(histjax.compile(workspace, measurement="GaussExample").parameters["lumi"].fixed)


def test_parameters_are_a_mapping(model):
    """Names in order, membership, components."""
    parameters = model.parameters
    assert list(parameters) == list(parameters.names) and set(parameters) == set(model.init)
    assert "mu" in parameters and "nu" not in parameters and len(parameters) == 9
    assert parameters["fakes"].shape == (2,) and parameters["mu"].constraint == "none"
    start = parameters.set("fakes").start
    assert parameters.index("fakes[1]") == slice(start + 1, start + 2)
    assert model.poi == "mu"


def test_no_poi(compile_case):
    """A measurement without one, or with one that the model lacks."""
    assert compile_case("no-poi").poi is None


# --- options of compile ----------------------------------------------------------------------------------------------


def pyhf_value(document: dict, vector, **options) -> float:
    """pyhf's log density of a document at a flat point."""
    workspace = pyhf.Workspace(document)
    model = workspace.model(**options)
    return float(model.logpdf(np.asarray(vector), workspace.data(model))[0])


def evaluated(model, vector) -> float:
    """Ours."""
    return float(model.logpdf(model.unravel(jnp.asarray(vector)), model.data))


@pytest.mark.parametrize(("normsys", "histosys"), [(code1, code0), (code4, code0), (code1, code2), (code4, code4p)])
def test_codes_are_those_of_pyhf(normsys, histosys):
    """Every combination that pyhf has, inside alpha = +-1 (beyond it, pyhf's code2 jumps)."""
    document = BY_SLUG["same-name"].document
    settings = {"normsys": {"interpcode": normsys.__name__}, "histosys": {"interpcode": histosys.__name__}}
    model = histjax.compile(histjax.read(document), normsys=normsys, histosys=histosys)
    for vector in ([0.7, 1.2], [-0.4, 0.8], [0.0, 1.0]):
        expected = pyhf_value(document, vector, modifier_settings=settings)
        assert evaluated(model, vector) == pytest.approx(expected, rel=1e-12)


def test_codes_by_name():
    """One parameter with another code than the rest, which pyhf does not have: against two models of one code each."""
    document = BY_SLUG["one-sided"].document
    workspace = histjax.read(document)
    mixed = histjax.compile(workspace, interpolation={"side": code1})
    plain, other = histjax.compile(workspace), histjax.compile(workspace, normsys=code1)
    names = mixed.parameters.names
    for moved in names:
        vector = np.asarray(mixed.parameters.init).copy()
        vector[names.index(moved)] += 0.6
        expected = other if moved == "side" else plain
        assert evaluated(mixed, vector) == pytest.approx(evaluated(expected, vector), rel=1e-13)
    side = np.asarray(mixed.parameters.init).copy()
    side[names.index("side")] += 0.6
    assert abs(evaluated(plain, side) - evaluated(other, side)) > 1e-6  # so that the test can fail


def test_unknown_interpolation_name():
    """A name that no normsys or histosys has."""
    with pytest.raises(InvalidModel, match="'mu', which is no normsys or histosys parameter"):
        histjax.compile(histjax.read(BY_SLUG["one-sided"].document), interpolation={"mu": code1})


@pytest.mark.parametrize(
    "options", [{"clip_sample_data": 0.0}, {"clip_bin_data": 0.1}, {"clip_sample_data": 2.0, "clip_bin_data": 0.1}]
)
def test_clipping_is_that_of_pyhf(options):
    """Where a template drives a sample below zero (pyhf issue 1845)."""
    document = BY_SLUG["negative-rate"].document
    model = histjax.compile(histjax.read(document), **options)
    for vector in ([1.0, 2.0], [2.0, 3.0], [-1.0, 1.0], [0.2, 0.5]):
        expected = pyhf_value(document, vector, **options)
        assert np.isfinite(expected)
        assert evaluated(model, vector) == pytest.approx(expected, rel=1e-12)


def test_precision_of_single_floats(tmp_path):
    """With JAX_ENABLE_X64=0: the log density of every workspace, and a fit, against the double-precision values.

    Measured errors of the half deviance: 1.1e-5 relative where yields are 5e6, 5e-6 where tau is 2e11, 1e-6 absolute
    elsewhere; of its minimum 1e-7. Stated: 2e-5 relative and 2e-6 absolute.
    """
    import json
    import os
    import subprocess
    import sys

    slugs = ["two-bins", "everything", "large-yields", "precise-background"]
    program = (
        "import json, sys, warnings; warnings.simplefilter('ignore')\n"
        "import jax, histjax, numpy as np\n"
        "found = {}\n"
        "for slug, (document, moved) in json.load(open(sys.argv[1])).items():\n"
        "    model = histjax.compile(histjax.read(document))\n"
        "    assert model.templates.init.dtype == np.float32\n"
        "    at = lambda x: float(model.nll(jax.numpy.asarray(x, np.float32), model.data))\n"
        "    start = np.asarray(model.parameters.init)\n"
        "    result = histjax.fit(model, throw=False)\n"
        "    found[slug] = [at(start), at(moved), int(result.status), float(result.deviance)]\n"
        "print(json.dumps(found))\n"
    )
    task, expected = {}, {}
    for slug in slugs:
        case = BY_SLUG[slug]
        double = histjax.compile(histjax.read(case.document))
        start = np.asarray(double.parameters.init)
        moved = np.where(np.asarray(double.parameters.fixed), start, start + 0.01).astype(np.float32).astype(float)
        task[slug] = [case.document, moved.tolist()]
        at = [float(double.nll(jnp.asarray(x), double.data)) for x in (start, moved)]
        expected[slug] = [*at, float(histjax.fit(double).deviance)]
    path = tmp_path / "task.json"
    path.write_text(json.dumps(task))
    environment = {**os.environ, "JAX_ENABLE_X64": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    report = {slug: (found[slug], expected[slug]) for slug in slugs}
    for slug in slugs:
        start, moved, _, deviance = found[slug]
        for one, other in ((start, expected[slug][0]), (moved, expected[slug][1]), (deviance, expected[slug][2])):
            assert one == pytest.approx(other, rel=2e-5, abs=2e-6), report
