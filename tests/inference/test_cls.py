"""CLs, its band and the statistics behind it, against closed forms and published numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import histjax
from histjax.errors import FailedFit, InvalidModel, MissingPOI, UnknownName
from histjax.interpolation import code0, code1
from tests.inference.closed_form import Counting, cls, deviance, gammas
from tests.workspaces import mu, sample, workspace

HELLO = Counting((12, 11), (50, 52), (3, 7), (51, 48))
COUNTING = {
    "hello": HELLO,
    "example": Counting((5, 10), (50, 60), (5, 12), (50, 60)),
    "paper": Counting((6,), (9,), (3,), (9,)),
    "one_bin": Counting((10,), (50,), (7,), (55,)),
    "readme": Counting((30, 45), (100, 150), (15, 20), (100, 145)),
    "excess": Counting((7,), (20,), (5,), (25,)),
    # large yields and a weak signal, on which SLSQP and Minuit disagree (pyhf issue 2232)
    "huge": Counting((4000, 9386.207), (5e6, 1612950.8), (1000000.1, 322590.16), (5e6, 1612950.8)),
    "tiny_signal": Counting((0.005,), (28,), (5,), (28,)),
    "huge_signal": Counting((93.2, 802.6), (0.49, 0.69), (0.1, 0.2), (1, 0)),
    "noninteger": Counting((4.5, 3.25), (10.5, 20.25), (1.5, 2.5), (12.5, 19.75)),
}
MODELS: dict[str, histjax.Model] = {}


def model_of(slug: str) -> histjax.Model:
    """A counting model, compiled once."""
    if slug not in MODELS:
        MODELS[slug] = histjax.compile(histjax.read(COUNTING[slug].document()))
    return MODELS[slug]


@pytest.mark.parametrize("slug", COUNTING)
def test_closed_form(slug):
    """Statistic, CLs, tails and band are those of the closed form to 1e-9."""
    result, exact = histjax.hypotest(model_of(slug), poi_value=1.0), cls(COUNTING[slug])
    assert float(result.statistic) == pytest.approx(exact["q"], rel=1e-9, abs=1e-9)
    assert float(result.statistic_asimov) == pytest.approx(exact["q_asimov"], rel=1e-9, abs=1e-9)
    for name in ("CLs", "CLsb", "CLb"):
        assert float(getattr(result, name)) == pytest.approx(exact[name], rel=1e-9, abs=1e-9), name
    np.testing.assert_allclose(result.CLs_expected, exact["band"], rtol=1e-8, atol=1e-10)
    assert bool(result.fits.converged)


def test_closed_form_itself():
    """The oracle gives the digits documented for the hello-world model (pyhf 0.7.6 converged, 0.0525155251)."""
    exact = cls(HELLO)
    assert exact["q"] == pytest.approx(3.938244933375, rel=1e-11)
    assert exact["CLs"] == pytest.approx(0.052515525146, rel=1e-10)


def test_large_yields_weak_signal():
    """pyhf 0.7.6 says 0.3614 here with SLSQP, 0.0 one step aside, and 0.72216 with Minuit (issue 2232); CLs is
    0.7218095.
    """
    tested = 11.843640283180768
    first = histjax.hypotest(model_of("huge"), poi_value=tested)
    assert float(first.CLs) == pytest.approx(0.7218095, abs=5e-8)
    assert float(first.best) == 0.0
    aside = histjax.hypotest(model_of("huge"), poi_value=11.84364)
    assert float(aside.CLs) == pytest.approx(float(first.CLs), abs=1e-7)


def test_statistics_published():
    """Test statistics of the hello-world model: pyhf documentation, section 13.8.1, converged with tolerance 1e-15."""
    model = model_of("hello")
    assert float(histjax.qmu_tilde(model, poi_value=1.0)) == pytest.approx(3.938244933, abs=1e-9)
    assert float(histjax.tmu_tilde(model, poi_value=1.0)) == pytest.approx(3.938244933, abs=1e-9)
    assert float(histjax.qmu(model, poi_value=1.0)) == pytest.approx(3.954989230, abs=1e-8)
    assert float(histjax.tmu(model, poi_value=1.0)) == pytest.approx(3.954989230, abs=1e-8)
    excess = histjax.Data({"singlechannel": jnp.array([60.0, 65.0])}, model.data.aux)
    assert float(histjax.q0(model, excess)) == pytest.approx(2.983394811, abs=1e-8)
    assert float(histjax.q0(model)) == 0.0


@pytest.mark.parametrize(
    "statistic", [histjax.qmu, histjax.qmu_tilde, histjax.tmu, histjax.tmu_tilde], ids=lambda s: s.name
)
def test_statistic_is_its_definition(statistic):
    """The value does not depend on the bounds that the measurement gives to the parameter of interest."""
    document = HELLO.document()
    document["measurements"][0]["config"]["parameters"] = [{"name": "mu", "bounds": [[-10.0, 10.0]], "inits": [1.0]}]
    wide = histjax.compile(histjax.read(document))
    assert float(statistic(wide, poi_value=1.0)) == pytest.approx(
        float(statistic(model_of("hello"), poi_value=1.0)), abs=1e-9
    )


def test_one_sided_above_the_tested_value():
    """A best fit above the tested value is no evidence against it."""
    model = model_of("excess")
    assert float(histjax.qmu_tilde(model, poi_value=0.1)) == 0.0
    assert float(histjax.tmu_tilde(model, poi_value=0.1)) > 0.0


def test_continuous_at_zero():
    """q at mu -> 0+ is the difference of two minima and was -1.8e-3 with SLSQP (pyhf issue 1278)."""
    model = model_of("hello")
    data = histjax.Data({"singlechannel": jnp.array([62.0, 66.0])}, model.data.aux)
    values = [float(histjax.qmu_tilde(model, data, poi_value=value)) for value in (0.0, 1e-6, 1e-3)]
    assert min(values) >= 0.0
    assert values[0] == pytest.approx(values[1], abs=1e-4)


def test_deep_tail_has_a_logarithm():
    """A signal a thousand times the background: CLs underflows (0.0 in pyhf issue 1850), its logarithm does not."""
    result = histjax.hypotest(model_of("huge_signal"), poi_value=1.0)
    assert np.isfinite(float(result.log_CLs))
    assert float(result.log_CLs) < -500
    assert float(result.CLs) >= 0.0


def test_clipped_normal():
    """Only the +2 sigma end changes: 0.5 / Phi(sqrt(q_A)) = 0.51665 (formula of arXiv:1007.1727 with mu-hat capped)."""
    model = model_of("hello")
    plain = histjax.hypotest(model, poi_value=1.0)
    clipped = histjax.hypotest(model, poi_value=1.0, calculator=histjax.Asymptotic(clipped_normal=True))
    np.testing.assert_allclose(plain.CLs_expected[:4], clipped.CLs_expected[:4], rtol=1e-13)
    expected = 0.5 / norm.cdf(np.sqrt(3.418869071611))
    assert float(clipped.CLs_expected[4]) == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(0.51665, abs=1e-5)


def test_asimov_published():
    """Asimov data at mu = 1 for the hello-world data: pyhf documentation, section 13.8.2, converged."""
    asimov = histjax.asimov_data(model_of("hello"), poi_value=1.0)
    np.testing.assert_allclose(asimov.main["singlechannel"], [60.6123288, 56.5278634], atol=1e-6)
    np.testing.assert_allclose(asimov.aux["uncorr_bkguncrt"], [270.0684934, 48.3152837], atol=1e-6)


def test_two_sided_p_value():
    """Under the tested hypothesis t_mu follows a chi-squared law with one degree of freedom: p = 2 Phi(-sqrt(t))."""
    result = histjax.hypotest(model_of("hello"), poi_value=1.0, statistic=histjax.tmu)
    assert float(result.CLsb) == pytest.approx(2 * norm.sf(np.sqrt(3.954989230)), rel=1e-7)


def test_discovery_published():
    """p0 and its band of pyhf's validation suite, checked there against ROOT (`1bin_shapesys_q0`, tolerance 3e-4)."""
    model = histjax.compile(histjax.read(Counting((25,), (50,), (7,), (80,)).document()), normsys=code1, histosys=code0)
    result = histjax.significance(model)
    assert float(result.p0) == pytest.approx(0.003936883191585841, rel=3e-4)
    band = [
        1.2204714710520103e-05,
        0.0006405237426269669,
        0.013202867164405075,
        0.11119604157594337,
        0.41286079728391695,
    ]
    # as significances, because far in the tail p amplifies the error of the fit; the closed form below is the tight
    # test
    np.testing.assert_allclose(norm.isf(result.test.CLsb_expected), norm.isf(band), atol=1e-4)
    np.testing.assert_array_equal(result.p0_expected[::-1], result.test.CLsb_expected)
    s, b, tau, n = Counting((25,), (50,), (7,), (80,)).arrays
    gamma = gammas(1.0, s, b, tau, n, tau)
    q_asimov = deviance(0.0, s, b, tau, s + gamma * b, gamma * tau)
    np.testing.assert_allclose(result.z_expected, np.sqrt(q_asimov) + np.arange(-2, 3), rtol=1e-9)
    np.testing.assert_allclose(norm.sf(result.z_expected), result.p0_expected, rtol=1e-9)
    assert float(result.z) == pytest.approx(norm.isf(float(result.p0)), rel=1e-9)


def two_bins_document(*modifiers) -> dict:
    """`1bin_normsys` and `2bin_histosys` of pyhf's validation suite."""
    samples = [sample("signal", [30.0, 95.0], mu()), sample("background", [100.0, 150.0], *modifiers)]
    return workspace({"SR": samples}, {"SR": [120.0, 180.0]})


VALIDATION = {
    "normsys": (
        two_bins_document({"name": "syst", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}),
        0.0006735336290569807,
        [
            7.472581399417304e-10,
            5.741738272450336e-08,
            3.690120950161796e-06,
            0.00016966882793076826,
            0.004392935288879465,
        ],
    ),
    "histosys": (
        two_bins_document(
            {"name": "syst", "type": "histosys", "data": {"lo_data": [98.0, 100.0], "hi_data": [102.0, 190.0]}}
        ),
        0.1001463460725534,
        [7.133904244038431e-06, 0.00012547100627138575, 0.001880010666437615, 0.02078964907605385, 0.13692494523572218],
    ),
}


@pytest.mark.parametrize("name", VALIDATION)
def test_pyhf_validation(name):
    """CLs of pyhf's own validation suite (test_validation.py, code1 and code0, there within 8e-5 of ROOT)."""
    document, observed, band = VALIDATION[name]
    model = histjax.compile(histjax.read(document), normsys=code1, histosys=code0)
    result = histjax.hypotest(model, poi_value=1.0)
    assert float(result.CLs) == pytest.approx(observed, rel=1e-4)
    np.testing.assert_allclose(result.CLs_expected, band, rtol=2e-4)


def test_interest_in_another_parameter():
    """Any scalar parameter, or component of a bin-wise one, may be tested."""
    model = model_of("hello")
    one = histjax.hypotest(model, poi="uncorr_bkguncrt[1]", poi_value=1.3, statistic=histjax.tmu)
    assert float(one.best) == pytest.approx(0.9626808831, abs=1e-8)  # (48 + tau) / (52 + tau), closed form
    with pytest.raises(InvalidModel, match="2 components"):
        histjax.hypotest(model, poi="uncorr_bkguncrt", poi_value=1.0)


def test_errors():
    """What cannot be tested says why, before any work starts."""
    document = HELLO.document()
    document["measurements"][0]["config"]["poi"] = ""
    with pytest.raises(MissingPOI, match="no parameter of interest"):
        histjax.hypotest(histjax.compile(histjax.read(document)), poi_value=1.0)
    with pytest.raises(MissingPOI, match="'nu'"):
        histjax.hypotest(model_of("hello"), poi_value=1.0, poi="nu")
    with pytest.raises(InvalidModel, match="q0 tests the absence"):
        histjax.hypotest(model_of("hello"), poi_value=1.0, statistic=histjax.q0)
    with pytest.raises(UnknownName, match="singlechannel"):
        histjax.hypotest(model_of("hello"), histjax.Data({}, {}), poi_value=1.0)
    impossible = histjax.Data({"singlechannel": jnp.array([jnp.nan, 1.0])}, model_of("hello").data.aux)
    with pytest.raises(FailedFit):
        histjax.hypotest(model_of("hello"), impossible, poi_value=1.0)


def cls_of(model, signal, counts, poi_value=1.0):
    """CLs as a function of signal yields and counts."""
    changed = model.with_yields({("singlechannel", "signal"): signal})
    data = histjax.Data({"singlechannel": counts}, model.data.aux)
    return histjax.hypotest(changed, data, poi_value=poi_value).CLs


def test_gradient_of_cls():
    """Derivatives with respect to yields, counts and the tested value are those of the closed form, by central
    differences.
    """
    model, step = model_of("hello"), 1e-4
    signal, counts = jnp.array([12.0, 11.0]), jnp.array([51.0, 48.0])
    gradients = jax.grad(cls_of, argnums=(1, 2, 3))(model, signal, counts, 1.0)

    def exact(s0, s1, tested=1.0):
        return cls(Counting((s0, s1), HELLO.b, HELLO.u, HELLO.n), tested)["CLs"]

    slopes = [(exact(12 + step, 11) - exact(12 - step, 11)), (exact(12, 11 + step) - exact(12, 11 - step))]
    np.testing.assert_allclose(gradients[0], np.array(slopes) / (2 * step), rtol=1e-6)
    slope = (exact(12, 11, 1 + step) - exact(12, 11, 1 - step)) / (2 * step)
    assert float(gradients[2]) == pytest.approx(slope, rel=1e-6)
    shifted = [float(cls_of(model, signal, counts + jnp.array([s, 0.0]))) for s in (step, -step)]
    assert float(gradients[1][0]) == pytest.approx((shifted[0] - shifted[1]) / (2 * step), rel=1e-5)


def test_gradient_where_the_statistic_vanishes():
    """sqrt(q) has no derivative at q = 0 (data equal to the background, mu-hat = 0): the gradient of CLs stays
    finite.
    """
    model = model_of("tiny_signal")
    gradient = jax.grad(
        lambda s: histjax.hypotest(model.with_yields({("singlechannel", "signal"): s}), poi_value=1.0).CLs
    )
    assert np.all(np.isfinite(gradient(jnp.array([0.005]))))
    assert np.all(np.isfinite(gradient(jnp.array([0.0]))))


def test_mapped_over_signals():
    """`vmap` over signal yields is the loop over them, status per lane."""
    model = model_of("hello")
    signals = jnp.array([12.0, 11.0]) * jnp.linspace(0.5, 2.0, 4)[:, None]

    def test(signal):
        return histjax.hypotest(model.with_yields({("singlechannel", "signal"): signal}), poi_value=1.0)

    batch = jax.jit(jax.vmap(test))(signals)
    assert batch.fits.converged.shape == (4,)
    np.testing.assert_allclose(batch.CLs, [float(test(signal).CLs) for signal in signals], rtol=1e-9)


def test_printed():
    """A test says first whether its fits converged."""
    lines = str(histjax.hypotest(model_of("hello"), poi_value=1.0)).splitlines()
    assert lines[0].split() == ["status", "all", "fits", "converged"]
    assert "0.0525155" in lines[4]
