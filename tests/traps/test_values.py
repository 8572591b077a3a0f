"""Log densities and expected yields at awkward places: empty bins, negative rates, held components."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from scipy.special import gammaln

import histjax
from histjax.errors import DocumentWarning, FailedFit, InvalidDocument
from tests.traps.models import model_of, with_counts
from tests.traps.table import TRAPS
from tests.workspaces import UNIT_GAUSS, log_gauss, log_poisson


def pyhf_logpdf(document: dict, vector, **options) -> float:
    """pyhf's log density of a document at a flat point."""
    workspace = pyhf.Workspace(document)
    model = workspace.model(**options)
    return float(model.logpdf(np.asarray(vector, float), workspace.data(model))[0])


def derivatives(model: histjax.Model, vector) -> tuple:
    """Value, gradient and Hessian of the objective at a flat point, with the model's data."""
    return model.nll_derivatives(jnp.asarray(vector, float), model.ravel_data(model.data))


def test_T04_value_and_gradient_where_nothing_is_expected():
    """ln Pois(0 | 3 mu) = -3 mu: 0 with a slope of -3 at mu = 0."""
    model = model_of("T04")
    zero = {"mu": jnp.array(0.0)}
    assert float(model.logpdf(zero, model.data)) == 0.0
    assert float(jax.grad(lambda mu: model.logpdf({"mu": mu}, model.data))(0.0)) == -3.0
    result = histjax.fit(model)
    assert float(result.params["mu"]) == 0.0 and bool(result.at_bound["mu"])


def test_T05_an_empty_bin_contributes_nothing():
    """The same numbers with and without the bin, to the last bit."""
    with_bin, without = model_of("T05", "with"), model_of("T05", "without")
    for mu in (0.0, 0.4, 3.0):
        for one, other in zip(derivatives(with_bin, [mu]), derivatives(without, [mu]), strict=True):
            np.testing.assert_array_equal(one, other)
        params = {"mu": jnp.array(mu)}
        assert float(with_bin.logpdf(params, with_bin.data)) == float(without.logpdf(params, without.data))
    assert float(histjax.fit(with_bin).params["mu"]) == pytest.approx(0.4, abs=1e-8)  # 50 + 5 mu = 52


def test_T06_impossible_data_are_named():
    """Known when the document is read."""
    with pytest.raises(InvalidDocument, match=r"channel 'singlechannel'.*bin 1: such data are impossible"):
        histjax.read(TRAPS["T06"].document)


def test_T06_impossible_data_of_a_possible_model():
    """Known when the data come later."""
    model = model_of("T05", "with")
    data = with_counts(model, singlechannel=[52.0, 1.0])
    with pytest.raises(FailedFit, match="channel 'singlechannel', bin 1"):
        histjax.fit(model, data)


def full_normsys(alpha: float) -> float:
    """code4 between lo = 0 and hi = 2 from its definition: 2^alpha above 1, 0 below -1, a sextic between.

    Value, slope and curvature of the sextic are those of the outer pieces at +1 and -1 (a linear system); ROOT takes
    the logarithm of a factor that is not positive as 0.
    """
    if abs(alpha) >= 1:
        return 2.0**alpha if alpha > 0 else 0.0
    powers = np.arange(1, 7)
    rows = [[sign**k * factor(k) for k in powers] for factor in FACTORS for sign in (1.0, -1.0)]
    signs = np.array([1, 1, 1, -1, 1, 1])  # of the slope at -1
    right = [2 - 1, 0 - 1, 2 * np.log(2), 0, 2 * np.log(2) ** 2, 0]
    return 1 + np.linalg.solve(np.array(rows) * signs[:, None], right) @ alpha**powers


FACTORS = (lambda k: 1, lambda k: k, lambda k: k * (k - 1))


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, -4.0])
def test_T07_normsys_of_100_percent(alpha):
    """The factor against its definition, the density finite with a finite gradient."""
    model = model_of("T07")
    params = {"mu": jnp.array(1.0), "full": jnp.array(alpha)}
    expected = 20 * full_normsys(alpha)
    found = model.expected_yields_by_sample(params)["singlechannel"]["background"][0]
    assert float(found) == pytest.approx(expected, rel=1e-13, abs=1e-13)
    value = log_poisson(27, 5 + expected) + log_gauss(0, alpha, 1)
    assert float(model.logpdf(params, model.data)) == pytest.approx(value, rel=1e-12)
    gradient = jax.grad(model.logpdf)(params, model.data)
    assert all(np.isfinite(each) for each in gradient.values())
    if alpha == 0:
        assert float(found) == 20.0


def test_T08_negative_rate_pushes_back():
    """At alpha = 1 and mu = 0 the bin expects -5: the value is finite and huge, and a step downhill raises the rate."""
    model = model_of("T08")
    value, gradient, _ = derivatives(model, [1.0, 0.0])
    assert model.parameters.names == ("shape", "mu")
    assert np.isfinite(float(value)) and float(value) > 1e3
    assert float(gradient[0]) > 0  # towards smaller alpha: a larger rate
    assert float(gradient[1]) < 0  # towards more signal


def test_T08_clipped_rate():
    """`clip_bin_data` is pyhf's."""
    document = TRAPS["T08"].document
    clipped = model_of("T08", clip_bin_data=0.1)
    for vector in ([1.0, 0.0], [2.0, 1.0], [0.3, 1.0]):
        found = float(clipped.logpdf(clipped.unravel(jnp.array(vector)), clipped.data))
        assert found == pytest.approx(pyhf_logpdf(document, vector, clip_bin_data=0.1), rel=1e-12)


def test_T09_negative_factors_are_rejected():
    """No interpolation between -0.2, 1 and -0.1 is a normalisation."""
    with pytest.raises(InvalidDocument, match=r"(?s)background.*shape_norm"):
        histjax.read(TRAPS["T09"].document)


def test_T10_a_factor_of_e40_is_reported():
    """A factor of e^40 on a millionth of an event is a template that ran out of events."""
    with pytest.warns(DocumentWarning, match=r"(?s)residual.*blowup"):
        histjax.read(TRAPS["T10"].document)


def test_T11_partly_fixed_staterror():
    """pyhf 0.7.6: fixed = [True, False]; the width of the other is 0.1 / 1."""
    gamma = model_of("T11").parameters["staterror_SR"]
    np.testing.assert_array_equal(gamma.fixed, [True, False])
    np.testing.assert_allclose(gamma.width, [0.0, 0.1], rtol=1e-15)
    result = histjax.fit(model_of("T11"))
    np.testing.assert_allclose(result.params["staterror_SR"], [1.0, 1.0], atol=1e-8)
    # curvature of Pois(1 | gamma) and of the constraint at gamma = 1: 1 + 1/0.1^2
    np.testing.assert_allclose(result.uncertainty["staterror_SR"], [0.0, 1 / np.sqrt(101)], rtol=1e-9)


def test_T12_negative_staterror_is_held_as_in_pyhf():
    """With a warning that names the channel and the staterror; the density is pyhf's, constant included."""
    document = TRAPS["T12"].document
    with pytest.warns(DocumentWarning, match="channel 'singlechannel', staterror 'staterror_SR'.*held fixed"):
        model = histjax.compile(histjax.read(document))
    assert bool(model.parameters["staterror_SR"].fixed[0])
    found = float(model.logpdf(model.init, model.data))
    assert found == pytest.approx(pyhf_logpdf(document, [1.0]), rel=1e-12)
    assert found == pytest.approx(log_poisson(450, 450) + UNIT_GAUSS, rel=1e-12)


def test_T12_float_negative_staterror():
    """On request it floats with width 10/|-50|; the curvature at gamma = 1 is 50^2/450 + 1/0.2^2."""
    model = model_of("T12", float_negative_staterror=True)
    gamma = model.parameters["staterror_SR"]
    assert not bool(gamma.fixed[0])
    np.testing.assert_allclose(gamma.width, [0.2], rtol=1e-15)
    for value in (1.0, 1.3):
        expected = log_poisson(450, 500 - 50 * value) + log_gauss(1, value, 0.2)
        params = {"staterror_SR": jnp.array([value])}
        assert float(model.logpdf(params, model.data)) == pytest.approx(expected, rel=1e-12)
    result = histjax.fit(model)
    assert float(result.params["staterror_SR"][0]) == pytest.approx(1.0, abs=1e-9)
    assert float(result.uncertainty["staterror_SR"][0]) == pytest.approx((50**2 / 450 + 25) ** -0.5, rel=1e-9)


def test_T13_staterror_stays_with_its_sample():
    """gamma = (1.1, 0.8) scales the background and nothing else; the density is that of pyhf 0.7.6."""
    model = model_of("T13")
    params = {**model.init, "staterror_SR": jnp.array([1.1, 0.8])}
    yields = model.expected_yields_by_sample(params)["SR"]
    np.testing.assert_array_equal(yields["signal"], [10.0, 8.0])
    np.testing.assert_allclose(yields["background"], [55.0, 48.0], rtol=1e-15)
    expected = pyhf_logpdf(TRAPS["T13"].document, model.ravel(params))
    assert float(model.logpdf(params, model.data)) == pytest.approx(expected, rel=1e-12)


def test_T14_shapesys_without_uncertainty():
    """Held at 1 with width 0 and a constant constraint; pyhf 0.7.6 has fixed = [True, False] and a width of 1 there."""
    model, document = model_of("T14"), TRAPS["T14"].document
    gamma = model.parameters["uncorr_bkguncrt"]
    np.testing.assert_array_equal(gamma.fixed, [True, False])
    np.testing.assert_allclose(gamma.width, [0.0, 0.2], rtol=1e-15)
    for second in (1.0, 1.2):
        params = {"mu": jnp.array(0.5), "uncorr_bkguncrt": jnp.array([1.0, second])}
        found = float(model.logpdf(params, model.data))
        assert found == pytest.approx(pyhf_logpdf(document, [0.5, 1.0, second]), rel=1e-12)
    assert float(histjax.fit(model).uncertainty["uncorr_bkguncrt"][0]) == 0.0


def test_T15_shared_shapesys():
    """The message says which samples, and what to do."""
    with pytest.raises(InvalidDocument, match="cannot be shared") as caught:
        histjax.read(TRAPS["T15"].document)
    for word in ("signal", "background", "shared", "rename"):
        assert word in str(caught.value)


def test_T16_continuous_poisson():
    """tau = (50/3)^2 = 277.8 and (52/7)^2 = 55.2: ln [tau^tau' ...] with Gamma(tau + 1), by SciPy's gammaln."""
    model = model_of("T16")
    tau = np.array([(50 / 3) ** 2, (52 / 7) ** 2])
    np.testing.assert_allclose(model.data.aux["uncorr_bkguncrt"], tau, rtol=1e-15)
    for gamma in (np.array([1.0, 1.0]), np.array([0.9, 1.2])):
        rate = gamma * tau
        expected = np.sum(tau * np.log(rate) - rate - gammaln(tau + 1))
        terms = model.logpdf_terms({"mu": jnp.array(1.0), "uncorr_bkguncrt": jnp.asarray(gamma)}, model.data)
        assert float(terms.constraints["uncorr_bkguncrt"]) == pytest.approx(expected, rel=1e-12)
