"""What a compiled model evaluates to: over the whole table against pyhf, and documented numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest

from tests.workspaces import TABLE, WITH_PYHF, points

EVALUATED: dict[str, dict] = {}


@eqx.filter_jit
def program(model, vectors):
    """Everything that a model says at some points, compiled once."""

    def at(vector):
        params = model.unravel(vector)
        terms = model.logpdf_terms(params, model.data)
        yields, by_sample = model.expected_yields(params), model.expected_yields_by_sample(params)
        return {
            "logpdf": model.logpdf(params, model.data),
            "constraints": terms.constraints,
            "total": terms.total,
            "main": jnp.concatenate([yields[each.name] for each in model.layout.channels]),
            "summed": jnp.concatenate([sum(by_sample[each.name].values()) for each in model.layout.channels]),
            "by_sample": by_sample,
            "expected_data": model.ravel_data(model.expected_data(params)),
            "again": model.ravel(params),
            "nll": model.nll(vector, model.data),
            "saturated": model.saturated_logpdf(model.data),
        }

    return (
        jax.vmap(at)(vectors),
        model.ravel_data(model.data),
        model.ravel_data(model.unravel_data(model.ravel_data(model.data))),
    )


@pytest.fixture
def evaluated(case, compile_case):
    """A model of the table with its values at four points."""
    model = compile_case(case.slug)
    if case.slug not in EVALUATED:
        vectors = points(case, model.parameters)
        EVALUATED[case.slug] = {"vectors": vectors} | dict(
            zip(("values", "data", "data_again"), jax.tree.map(np.asarray, program(model, vectors)), strict=True)
        )
    return model, EVALUATED[case.slug]


def pyhf_model(case):
    """pyhf's model and its flat data."""
    workspace = pyhf.Workspace(case.document)
    model = workspace.model(measurement_name=case.measurement or case.document["measurements"][0]["name"])
    return model, workspace.data(model)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_log_density_at_the_initial_point(case, evaluated):
    """Against the number in the table."""
    if case.logpdf_init is None:
        pytest.skip("the table gives no number")
    assert evaluated[1]["values"]["logpdf"][0] == pytest.approx(case.logpdf_init, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_terms_add_up(case, evaluated):
    """Channels and constraints are the log density, as are deviance and saturated part; samples are the total."""
    values = evaluated[1]["values"]
    np.testing.assert_allclose(values["total"], values["logpdf"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(values["saturated"] - values["nll"], values["logpdf"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(values["summed"], values["main"], rtol=1e-13, atol=1e-13)
    assert set(values["constraints"]) == {each.name for each in evaluated[0].layout.constrained}


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_flat_order_loses_nothing(case, evaluated):
    """Ravel after unravel is the identity, for parameters and data."""
    np.testing.assert_array_equal(evaluated[1]["values"]["again"], evaluated[1]["vectors"])
    np.testing.assert_array_equal(evaluated[1]["data_again"], evaluated[1]["data"])


@pytest.mark.parametrize("case", WITH_PYHF, ids=str)
def test_parameters_are_those_of_pyhf(case, compile_case):
    """Order, initial values, bounds, fixed flags."""
    parameters, config = compile_case(case.slug).parameters, pyhf_model(case)[0].config
    assert list(parameters.component_names) == config.par_names
    np.testing.assert_array_equal(parameters.init, config.suggested_init())
    np.testing.assert_array_equal(np.stack([parameters.lower, parameters.upper], 1), config.suggested_bounds())
    np.testing.assert_array_equal(parameters.fixed, config.suggested_fixed())


@pytest.mark.parametrize("case", WITH_PYHF, ids=str)
def test_values_are_those_of_pyhf(case, evaluated):
    """Log density, expected data and observed data, at four points (pyhf 0.7.6, NumPy backend)."""
    model, data = pyhf_model(case)
    found = evaluated[1]
    np.testing.assert_allclose(found["data"], data, rtol=1e-14)
    expected = np.array([model.expected_data(vector) for vector in found["vectors"]])
    np.testing.assert_allclose(found["values"]["expected_data"], expected, rtol=1e-12, atol=1e-13)
    reference = np.array([model.logpdf(vector, data)[0] for vector in found["vectors"]])
    if case.slug == "large-yields":  # n ln nu - nu - ln Gamma(n + 1) of 7e7 cancels in pyhf: its own noise
        np.testing.assert_allclose(found["values"]["logpdf"], reference, rtol=1e-10, atol=1e-7)
    else:
        known = np.isfinite(reference)
        assert known[0]
        np.testing.assert_allclose(found["values"]["logpdf"][known], reference[known], rtol=1e-10, atol=1e-12)
        assert np.all(np.isfinite(found["values"]["logpdf"]))


def test_documented_expected_data(compile_case):
    """pyhf documentation of `simplemodels`: [62, 63, 277.77777778, 55.18367347] and [62, 63, 0]."""
    model = compile_case("two-bins")
    flat = model.ravel_data(model.expected_data(model.init))
    np.testing.assert_allclose(flat, [62, 63, (50 / 3) ** 2, (52 / 7) ** 2], rtol=1e-14)
    model = compile_case("correlated-background")
    np.testing.assert_allclose(model.ravel_data(model.expected_data(model.init)), [62, 63, 0], atol=1e-14)
    assert model.parameters.names == ("correlated_bkg_uncertainty", "mu")
    model = compile_case("shared-shapefactor")  # pyhf's documentation, "ShapeFactor": data [200,300,220,230]
    np.testing.assert_array_equal(model.ravel_data(model.data), [200, 300, 220, 230])
    np.testing.assert_array_equal(model.ravel_data(model.expected_data(model.init)), [100, 100, 120, 90])


def test_documented_twice_nll(compile_case):
    """pyhf documentation of `mle.twice_nll`: 30.77525435."""
    model = compile_case("two-bins")
    assert -2 * float(model.logpdf(model.init, model.data)) == pytest.approx(30.77525435, abs=5e-9)


def test_holes_are_constants(compile_case):
    """pyhf keeps ln Pois(1 | 1) = -1 for an empty shapesys bin and ln Gauss(1 | 1, 1) for an empty staterror bin."""
    model = compile_case("shapesys-hole")
    terms = model.logpdf_terms(model.init, model.data)
    # tau of the first bin is (100 / 10)^2 = 100, of the second 1
    expected = 100 * np.log(100) - 100 - float(jax.scipy.special.gammaln(101.0)) - 1
    assert float(terms.constraints["uncorr_bkguncrt"]) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(model.parameters["uncorr_bkguncrt"].fixed, [False, True])
    np.testing.assert_array_equal(model.parameters["uncorr_bkguncrt"].width, [0.1, 0.0])


def test_staterror_does_not_reach_other_samples(compile_case):
    """pyhf issue 1720: a staterror that is declared on one sample must not scale those that do not carry it."""
    model = compile_case("staterror")
    params = {**model.init, "stat": jnp.array([1.1, 1.2, 1.3])}
    nominal, scaled = model.expected_yields_by_sample(model.init)["SR"], model.expected_yields_by_sample(params)["SR"]
    np.testing.assert_array_equal(scaled["other"], nominal["other"])
    np.testing.assert_allclose(scaled["top"], nominal["top"] * np.array([1.1, 1.2, 1.3]), rtol=1e-15)


def test_staterror_width_of_several_samples(compile_case):
    """delta = sqrt(sum u^2) / sum b over the samples that carry it (CERN-OPEN-2012-016, section 5.3)."""
    width = compile_case("staterror").parameters["stat"].width
    expected = [np.hypot(0.8, 2.0) / 34, 0.0, np.hypot(0.5, 1.0) / 23]
    np.testing.assert_allclose(width, expected, rtol=1e-14)


def test_overrides_are_used(compile_case):
    """inits, bounds, auxdata, sigmas, factors and fixed of a measurement."""
    model = compile_case("overrides")
    parameters, aux = model.parameters, model.data.aux
    assert float(parameters["mu"].init) == 0.5 and [float(x) for x in parameters["mu"].bounds] == [-2, 5]
    np.testing.assert_array_equal(aux["uncorr_bkguncrt"], [210, 55])
    np.testing.assert_allclose(parameters["uncorr_bkguncrt"].width, np.array([200.0, 60.0]) ** -0.5, rtol=1e-15)
    np.testing.assert_array_equal(parameters["stat"].width, [0.05, 0.02])
    np.testing.assert_array_equal(aux["stat"], [1.02, 0.99])
    np.testing.assert_array_equal(aux["syst"], [0.3])
    assert bool(parameters["held"].fixed) and float(parameters["held"].init) == 1.3


def test_width_of_an_alpha(compile_case):
    """A `sigmas` of a normsys is the width of its constraint: ln Gauss(0 | 1, 0.5) at alpha = 1."""
    model = compile_case("alpha-width")
    params = {**model.init, "norm": jnp.array(1.0)}
    expected = -0.5 * (1 / 0.5) ** 2 - np.log(0.5) - 0.5 * np.log(2 * np.pi)
    assert float(model.logpdf_terms(params, model.data).constraints["norm"]) == pytest.approx(expected, rel=1e-14)
