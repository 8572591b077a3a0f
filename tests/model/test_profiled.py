"""Models with their bin-wise factors eliminated against the models themselves, and against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import counting
from histjax.errors import InvalidModel, UnknownName
from histjax.model.profiled import profiled
from tests.counting.test_statistics import COUNTS, OFF, RATE, T_OFF, T
from tests.workspaces import BY_SLUG

SLUGS = ("two-bins", "staterror", "staterror-two-channels", "everything", "shapesys-hole", "negative-yields")
FILLED = OFF > 0


@pytest.fixture(scope="module")
def pair(compile_case):
    """A function from a slug to the model and the same with factors eliminated."""
    return lambda slug: (compile_case(slug), profiled(compile_case(slug)))


def on_off(modifier: str, uncertainty: np.ndarray) -> histjax.Model:
    """A signal of known yields over a background that was measured."""
    samples = [
        {
            "name": "signal",
            "data": (RATE * T)[FILLED].tolist(),
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        },
        {
            "name": "background",
            "data": (OFF * T / T_OFF)[FILLED].tolist(),
            "modifiers": [{"name": "b", "type": modifier, "data": uncertainty[FILLED].tolist()}],
        },
    ]
    return histjax.compile(
        histjax.read(
            {
                "channels": [{"name": "c", "samples": samples}],
                "observations": [{"name": "c", "data": COUNTS[FILLED].tolist()}],
                "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
                "version": "1.0.0",
            }
        )
    )


def test_a_shapesys_is_the_w_statistic():
    """tau = n_b where the uncertainty is background / sqrt(n_b); 5.4053576178000355 by pyhf 0.7.6 with a tight fit."""
    model = profiled(on_off("shapesys", OFF * T / T_OFF / np.sqrt(np.maximum(OFF, 1))))
    assert model.parameters.names == ("mu",)
    deviance = 2 * float(model.nll(jnp.ones(1), model.ravel_data(model.data)))
    assert deviance == pytest.approx(5.4053576178000355, rel=1e-12)


def test_a_staterror_is_pgstat():
    """A Gaussian width of sigma_b t/t_b: the statistic of the counting package, which is tested by brute force."""
    sigma = np.sqrt(np.maximum(OFF, 1))
    model = profiled(on_off("staterror", sigma * T / T_OFF))
    flat = model.ravel_data(model.data)
    for mu in (0.0, 0.7, 1.0, 3.0):
        of_bins = counting.pgstat(COUNTS, OFF, mu * RATE, T, T_OFF, sigma).statistic[FILLED]
        assert 2 * float(model.nll(jnp.array([mu]), flat)) == pytest.approx(float(jnp.sum(of_bins)), rel=1e-11)


def implied_hessian(full: histjax.FitResult, profile) -> np.ndarray:
    """The Hessian of the profile from the inverse of that of the model, factors that are held left out."""
    held = np.asarray(full.fixed | full.active)
    kept, gone = np.asarray(profile.elimination.kept), np.asarray(profile.elimination.gone)
    order = np.concatenate([kept, gone[~held[gone]]])
    inverse = np.linalg.inv(np.asarray(full.hessian)[np.ix_(order, order)])
    return np.linalg.inv(inverse[: kept.size, : kept.size])


@pytest.mark.parametrize("slug", SLUGS)
def test_fits(slug, pair):
    """The same minimum, values, Hessian with its implicit term, covariance, and full parameters."""
    model, profile = pair(slug)
    kept = np.asarray(profile.elimination.kept)
    assert 0 < kept.size < model.layout.n_parameters
    full, found = histjax.fit(model), histjax.fit(profile)
    assert float(found.deviance) == pytest.approx(float(full.deviance), rel=1e-10, abs=1e-11)
    assert float(found.twice_nll) == pytest.approx(float(full.twice_nll), rel=1e-12)
    np.testing.assert_allclose(found.vector, np.asarray(full.vector)[kept], rtol=1e-8, atol=1e-8)
    hessian = implied_hessian(full, profile)
    np.testing.assert_allclose(found.hessian, hessian, rtol=1e-8, atol=1e-8 * np.max(np.abs(hessian)))
    back = model.ravel(profile.full_params(found.params))
    np.testing.assert_allclose(back, full.vector, rtol=1e-8, atol=1e-8)
    assert float(profile.logpdf(found.params, model.data)) == pytest.approx(
        float(model.logpdf(full.params, model.data))
    )


@pytest.mark.parametrize("slug", ["everything", "two-bins", "staterror"])
def test_derivatives(slug, pair):
    """The Schur complement is the Hessian of the profile by automatic differentiation, away from the minimum too."""
    _, profile = pair(slug)
    flat, vector = profile.ravel_data(profile.data), profile.parameters.init * 1.03 + 0.02
    value, gradient, hessian = profile.nll_derivatives(vector, flat)
    assert float(value) == float(profile.nll(vector, flat))
    np.testing.assert_allclose(gradient, jax.grad(profile.nll)(vector, flat), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(hessian, jax.hessian(profile.nll)(vector, flat), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("slug", ["two-bins", "everything"])
def test_limits_and_tests(slug, pair):
    """CLs, limits and intervals on other data than the model's own: Asimov data follow the data that are given."""
    model, profile = pair(slug)
    data = jax.tree.map(lambda each: each + 0.1 * jnp.sqrt(each + 1), model.data)
    poi = model.poi
    for statistic in (histjax.qmu_tilde, histjax.q0):
        value = 0.0 if statistic is histjax.q0 else 1.0
        one, other = (histjax.hypotest(m, data, poi_value=value, statistic=statistic) for m in (model, profile))
        np.testing.assert_allclose(other.CLs, one.CLs, rtol=1e-8)
        np.testing.assert_allclose(other.CLs_expected, one.CLs_expected, rtol=1e-8)
    one, other = (histjax.upper_limit(m, data) for m in (model, profile))
    np.testing.assert_allclose(other.observed, one.observed, rtol=1e-8)
    np.testing.assert_allclose(other.expected, one.expected, rtol=1e-8)
    one, other = (histjax.interval(m, data, parameters=poi) for m in (model, profile))
    np.testing.assert_allclose([other.lower, other.upper], [one.lower, one.upper], rtol=1e-8)
    one, other = (m.ravel_data(histjax.asimov_data(m, data)) for m in (model, profile))
    np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-9)


def test_derivatives_through_a_fit():
    """Best fit and uncertainty with respect to the yields of the model: eliminated factors are differentiated too."""
    model = on_off("shapesys", OFF * T / T_OFF / np.sqrt(np.maximum(OFF, 1)))
    profile, background = profiled(model), jnp.asarray((OFF * T / T_OFF)[FILLED])

    def results(scale, likelihood):
        changed = model.with_yields({("c", "background"): scale * background})
        found = histjax.fit(changed if likelihood is model else profile.with_model(changed))
        return jnp.stack([found.params["mu"], found.uncertainty["mu"], found.twice_nll])

    one, other = (jax.jit(jax.jacfwd(lambda s, m=m: results(s, m)))(1.0) for m in (model, profile))
    np.testing.assert_allclose(other, one, rtol=1e-8)


def test_toys(pair):
    """Drawn at the same point, factors included."""
    model, profile = pair("two-bins")
    key, found = jax.random.key(3), histjax.fit(profile, fixed={"mu": 1.0})
    drawn = profile.draw(key, found.params)
    expected = model.draw(key, profile.full_params(found.params))
    np.testing.assert_array_equal(profile.ravel_data(drawn), model.ravel_data(expected))
    toys = histjax.Toys(jax.random.key(1), 40)
    one, other = (histjax.hypotest(m, poi_value=1.0, calculator=toys) for m in (model, profile))
    assert float(one.CLsb) == float(other.CLsb) and float(one.CLb) == float(other.CLb)


def test_bins_with_several(compile_case):
    """A bin keeps what is not the one that was chosen, and parts of a set are scalars with a component's name."""
    model = compile_case("everything")
    profile = profiled(model)
    gone = {model.parameters.component_names[i] for i in np.asarray(profile.elimination.gone)}
    assert set(profile.parameters.component_names) == set(model.parameters.component_names) - gone
    assert profile.parameters.component_names == tuple(
        name for name in model.parameters.component_names if name not in gone
    )
    bins = np.asarray(profile.elimination.bins)
    assert len(set(bins.tolist())) == bins.size


def test_masked_bins(compile_case):
    """Weights reach the closed form."""
    model = compile_case("two-bins").with_weights({"singlechannel": jnp.array([1.0, 0.0])})
    full, found = histjax.fit(model), histjax.fit(profiled(model))
    assert float(found.deviance) == pytest.approx(float(full.deviance), rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(found.params["mu"], full.params["mu"], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["atlas_ttbar_ljets_xsec", "atlas_susy_2018_31_sbottom_A__synthetic"])
def test_published(name, corpus):
    """Published models with 37 and 9 factors: fit, covariance and a conditional fit."""
    model = histjax.compile(histjax.read(corpus / "models" / f"{name}.json"))
    profile = profiled(model)
    kept = np.asarray(profile.elimination.kept)
    full, found = histjax.fit(model), histjax.fit(profile)
    assert float(found.deviance) == pytest.approx(float(full.deviance), rel=1e-8)
    covariance, expected = np.asarray(found.covariance), np.asarray(full.covariance)[np.ix_(kept, kept)]
    scale = np.sqrt(np.diagonal(expected))
    assert np.max(np.abs(covariance - expected) / np.maximum(np.outer(scale, scale), 1e-300)) < 1e-8
    np.testing.assert_allclose(profile.full_vector(found.vector, profile.data), full.vector, atol=1e-8)
    held = {model.poi: float(full.params[model.poi]) + 0.1}
    one, other = (histjax.fit(m, fixed=held).deviance for m in (model, profile))
    assert float(other) == pytest.approx(float(one), rel=1e-8)


def test_what_cannot_be_eliminated(compile_case):
    """One clear message each."""
    model = compile_case("two-bins")
    with pytest.raises(UnknownName, match="no parameter named 'nothing'"):
        profiled(model, ["nothing"])
    with pytest.raises(InvalidModel, match="'mu' has no closed form"):
        profiled(model, ["mu"])
    with pytest.raises(UnknownName, match="there is: mu"):
        histjax.fit(profiled(model), fixed={"uncorr_bkguncrt": 1.0})
    clipped = histjax.compile(histjax.read(BY_SLUG["two-bins"].document), clip_bin_data=0.0)
    with pytest.raises(InvalidModel, match="clip"):
        profiled(clipped)
    with pytest.raises(InvalidModel, match="same layout"):
        profiled(model).with_model(clipped)
    assert profiled(model, ["uncorr_bkguncrt"]).parameters.names == ("mu",)
