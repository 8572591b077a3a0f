"""Fits against closed forms and pyhf, over the whole table, and models on which other tools fail or mislead."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import histjax
from histjax import Status
from tests.workspaces import TABLE, counting, histosys, log_gauss, log_poisson, mu, normsys, sample, workspace

# mu = 0 describes these data exactly: the slope on the bound is zero, and rounding decides whether the bound holds it
SLOPE_VANISHES = ("shapesys-hole", "large-yields", "easy-minimum")
FITS: dict[str, histjax.FitResult] = {}


def compiled(document: dict, **options) -> histjax.Model:
    """A model from a document."""
    return histjax.compile(histjax.read(document), **options)


@pytest.fixture
def fitted(case, compile_case):
    """A model of the table with its fit."""
    if case.slug not in FITS:
        FITS[case.slug] = histjax.fit(compile_case(case.slug))
    return compile_case(case.slug), FITS[case.slug]


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_minimum(case, fitted):
    """Value and best fit are those of the table, and the certificate says so."""
    model, result = fitted
    assert bool(result.converged), result.message
    assert float(result.edm) <= 1e-8
    assert int(result.status) == (Status.FLAT if "flat" in case.tags else Status.CONVERGED)
    if case.twice_nll is not None:
        assert float(result.twice_nll) == pytest.approx(case.twice_nll, rel=1e-10, abs=1e-10)
    for name, value in case.best_fit.items():
        np.testing.assert_allclose(result.params[name], value, rtol=1e-6, atol=1e-7, err_msg=name)
    assert set(result.params) == set(model.parameters.names)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_bounds_are_kept_and_flagged(case, fitted):
    """No value leaves its bounds; `at_bound` flags those that lie there, held or not, and nothing is flagged
    elsewhere.
    """
    model, result = fitted
    parameters = model.parameters
    vector, active = np.asarray(result.vector), np.asarray(result.active)
    free = ~np.asarray(result.fixed)
    lower, upper = np.asarray(parameters.lower), np.asarray(parameters.upper)
    assert np.all((vector >= lower) & (vector <= upper) | ~free)
    assert np.all((vector == lower) | (vector == upper) | ~active)
    flagged = np.concatenate([np.ravel(result.at_bound[name]) for name in parameters.names])
    width = np.minimum(np.where(parameters.widths > 0, parameters.widths, 1.0), 1.0)
    near = np.minimum(vector - lower, upper - vector) <= 1e-9 * width
    np.testing.assert_array_equal(flagged, near & free)
    assert np.all(flagged | ~active)
    for name, value in case.best_fit.items():
        at_lower = np.ndim(value) == 0 and value == 0.0 and float(parameters[name].lower) == 0.0
        if at_lower and case.slug not in SLOPE_VANISHES:
            assert float(result.params[name]) == 0.0  # on the bound, not near it
            assert bool(result.at_bound[name])


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_uncertainties_follow_from_the_hessian(case, fitted):
    """Held components have uncertainty 0, free ones a positive one; the correlation matrix has a unit diagonal."""
    _, result = fitted
    held = np.asarray(result.fixed | result.active)
    covariance, correlation = np.asarray(result.covariance), np.asarray(result.correlation)
    sigma = np.concatenate([np.ravel(result.uncertainty[name]) for name in result.parameters.names])
    np.testing.assert_array_equal(sigma[held], 0.0)
    assert np.all(sigma[~held] > 0)
    np.testing.assert_allclose(sigma, np.sqrt(np.diagonal(covariance)))
    np.testing.assert_array_equal(np.diagonal(correlation), 1.0)
    assert np.all(np.abs(correlation) <= 1 + 1e-12)
    np.testing.assert_array_equal(covariance, covariance.T)
    if "flat" in case.tags:
        assert np.isinf(float(result.uncertainty["mu"]))
        # n = 26 in one bin with expectation 20 norm: sigma(norm) = sqrt(26)/20
        assert float(result.uncertainty["norm"]) == pytest.approx(np.sqrt(26) / 20, rel=1e-8)
    else:
        inverse = np.linalg.inv(np.asarray(result.hessian)[np.ix_(~held, ~held)]) if np.any(~held) else np.zeros((0, 0))
        np.testing.assert_allclose(
            covariance[np.ix_(~held, ~held)], inverse, rtol=1e-6, atol=1e-9 * np.max(inverse, initial=0)
        )


# --- numbers of pyhf's documentation ---------------------------------------------------------------------------------


def documented(model, result, twice_nll, values, tolerance=1e-4):
    """-2 ln L to 3e-5 relative as printed, parameters to 1e-4: pyhf's digits carry the noise of its minimiser."""
    assert float(result.twice_nll) == pytest.approx(twice_nll, abs=1e-7)
    np.testing.assert_allclose(model.ravel(result.params), values, rtol=0, atol=tolerance)


def conditional_gammas(mu_value: float, bins) -> np.ndarray:
    """The gammas that maximise the likelihood of counting bins `(s, b, u, n)` at a given mu, in closed form.

    gamma^2 b (b + tau) + gamma ((b + tau) mu s - b (n + tau)) - tau mu s = 0, from setting the slope to zero.
    """
    gammas = []
    for s, b, u, n in bins:
        tau = (b / u) ** 2
        gammas.append(
            np.roots([b * (b + tau), (b + tau) * mu_value * s - b * (n + tau), -tau * mu_value * s]).real.max()
        )
    return np.array(gammas)


def best_mu(bins, low: float, high: float) -> float:
    """The zero of the slope of the profile likelihood, which is sum s (1 - n / nu) by the envelope theorem."""

    def slope(mu_value):
        gammas = conditional_gammas(mu_value, bins)
        return sum(s * (1 - n / (mu_value * s + gamma * b)) for gamma, (s, b, _, n) in zip(gammas, bins, strict=True))

    return scipy.optimize.brentq(slope, low, high, xtol=1e-15, rtol=1e-14)


OBSERVED = ((12, 50, 3, 51), (11, 52, 7, 48))
EXCESS = ((12, 50, 3, 60), (11, 52, 7, 65))


def test_fit_with_mu_fixed(compile_case):
    """pyhf documentation, `fixed_poi_fit(1.0)`: 28.92218013 at [1, 0.97224597, 0.87553894]."""
    model = compile_case("two-bins")
    result = histjax.fit(model, fixed={"mu": 1.0})
    documented(model, result, 28.92218013, [1, 0.97224597, 0.87553894])
    np.testing.assert_allclose(result.params["uncorr_bkguncrt"], conditional_gammas(1.0, OBSERVED), rtol=1e-10)


def test_fit_with_other_bounds(compile_case):
    """pyhf documentation of `tmu`, bounds [-10, 10]: t1 = 3.954989230 from [-0.06687006, 1.00557437, 0.96931303]."""
    model = compile_case("two-bins")
    free = histjax.fit(model, bounds={"mu": (-10.0, 10.0)})
    documented(model, free, 28.92218013 - 3.954989230, [-0.06687006, 1.00557437, 0.96931303], tolerance=1e-6)
    expected = best_mu(OBSERVED, -1.0, 1.0)
    np.testing.assert_allclose(
        model.ravel(free.params), [expected, *conditional_gammas(expected, OBSERVED)], rtol=1e-8, atol=1e-10
    )


def test_fit_of_a_discovery(compile_case):
    """pyhf documentation of `q0`: data [60, 65] give q0 = 2.983394811 between two points, here in closed form.

    (The documentation's own best fit, mu = 0.95260667, is 1.8e-4 off the exact one.)
    """
    model = compile_case("two-bins")
    data = eqx.tree_at(lambda d: d.main["singlechannel"], model.data, jnp.array([60.0, 65.0]))
    background, free = histjax.fit(model, data, fixed={"mu": 0.0}), histjax.fit(model, data)
    np.testing.assert_allclose(background.params["uncorr_bkguncrt"], conditional_gammas(0.0, EXCESS), rtol=1e-9)
    expected = best_mu(EXCESS, 0.0, 3.0)
    np.testing.assert_allclose(model.ravel(free.params), [expected, *conditional_gammas(expected, EXCESS)], rtol=1e-8)
    assert float(background.twice_nll - free.twice_nll) == pytest.approx(2.983394811, rel=1e-8)


def test_expected_data_of_a_conditional_fit(compile_case):
    """pyhf documentation of `generate_asimov_data(1)`, converged: [60.6123288, 56.5278634, 270.0684934, 48.3152837]."""
    model = compile_case("two-bins")
    result = histjax.fit(model, fixed={"mu": 1.0})
    flat = model.ravel_data(model.expected_data(result.params))
    np.testing.assert_allclose(flat, [60.6123288, 56.5278634, 270.0684934, 48.3152837], rtol=1e-8)


def test_coupled_model_with_a_fixed_signal():
    """One bin, 10 mu + histosys 15 (10/20), n = 25, mu = 1: nominal fits exactly, and sigma^-2 = 5^2/25 + 1."""
    background = sample("background", [15.0], histosys("shape", [10.0], [20.0]))
    document = workspace({"SR": [sample("signal", [10.0], mu()), background]}, {"SR": [25.0]})
    result = histjax.fit(compiled(document), fixed={"mu": 1.0})
    assert float(result.params["shape"]) == pytest.approx(0.0, abs=1e-9)
    assert float(result.uncertainty["shape"]) == pytest.approx(1 / np.sqrt(2), rel=1e-9)


# --- covariance in closed form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signal", "background", "n"), [(5.0, 50.0, 60.0), (1e3, 1e6, 1.0005e6)])
def test_uncertainty_of_one_bin(signal, background, n):
    """n ~ Pois(b + mu s): mu = (n - b)/s with sigma = sqrt(n)/s."""
    document = workspace({"SR": [sample("s", [signal], mu()), sample("b", [background])]}, {"SR": [n]})
    result = histjax.fit(compiled(document))
    assert float(result.params["mu"]) == pytest.approx((n - background) / signal, rel=1e-9)
    assert float(result.uncertainty["mu"]) == pytest.approx(np.sqrt(n) / signal, rel=1e-7)


def test_covariance_of_two_parameters(compile_case):
    """Signal and control region: the inverse Hessian of two Poisson bins, written out.

    n1 ~ Pois(s mu + b nu), n2 ~ Pois(c nu): var(nu) = n2/c^2, var(mu) = (n1 + b^2 n2/c^2)/s^2, cov = -b n2/(c^2 s).
    """
    document = workspace(
        {
            "SR": [sample("s", [10.0], mu()), sample("b", [30.0], mu("nu"))],
            "CR": [sample("b", [200.0], mu("nu"))],
        },
        {"SR": [50.0], "CR": [220.0]},
    )
    model = compiled(document)
    result = histjax.fit(model)
    s, b, c, n1, n2 = 10.0, 30.0, 200.0, 50.0, 220.0
    var_nu, var_mu, cov = n2 / c**2, (n1 + b**2 * n2 / c**2) / s**2, -b * n2 / (c**2 * s)
    i, j = (model.parameters.names.index(name) for name in ("mu", "nu"))
    covariance = np.asarray(result.covariance)
    np.testing.assert_allclose([covariance[i, i], covariance[j, j], covariance[i, j]], [var_mu, var_nu, cov], rtol=1e-7)
    assert float(result.correlation[i, j]) == pytest.approx(cov / np.sqrt(var_mu * var_nu), rel=1e-7)


# --- traps -----------------------------------------------------------------------------------------------------------


def test_large_yields(compile_case):
    """pyhf issue 2232: yields of 5e6 with a weak signal; SLSQP's "minimum" was at mu = 0.994, the true one is at 0."""
    result = histjax.fit(compile_case("large-yields"))
    assert float(result.params["mu"]) == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_allclose(result.params["uncorr_bkguncrt"], 1.0, rtol=0, atol=1e-10)


def test_impossible_data(compile_case):
    """pyhf issue 1852: an event where nothing is expected. The fit fails and says that the data are impossible."""
    model = compile_case("zero-bin")
    data = eqx.tree_at(lambda d: d.main["SR"], model.data, jnp.array([52.0, 1.0]))
    result = histjax.fit(model, data, throw=False)
    assert int(result.status) == Status.IMPOSSIBLE
    assert not bool(result.converged)


def test_constraint_of_a_huge_measurement():
    """CMS Combine issue 498: 1e8 events with a norm uncertainty of 2.6 %. The exact Hessian gives sigma to 1e-9.

    With free mu the norm is not measured at all: sigma(alpha) = 1.
    """
    yields = 1e8
    document = workspace({"SR": [sample("s", [yields], mu(), normsys("norm", 1 / 1.026, 1.026))]}, {"SR": [yields]})
    result = histjax.fit(compiled(document))
    assert float(result.uncertainty["norm"]) == pytest.approx(1.0, rel=1e-8)
    # ln mu = -alpha ln 1.026 + a Poisson fluctuation
    assert float(result.uncertainty["mu"]) == pytest.approx(np.hypot(np.log(1.026), yields**-0.5), rel=1e-8)


def test_everything_fixed(compile_case):
    """pyhf issue 2637: nothing to fit is a fit; its covariance is zero and nothing raises."""
    model = compile_case("two-bins")
    gammas = jnp.array([1.1, 0.9])
    result = histjax.fit(model, fixed={"mu": 0.5, "uncorr_bkguncrt": gammas})
    assert bool(result.converged)
    params = {"mu": jnp.array(0.5), "uncorr_bkguncrt": gammas}
    assert float(result.twice_nll) == pytest.approx(-2 * float(model.logpdf(params, model.data)), rel=1e-12)
    np.testing.assert_array_equal(result.covariance, 0.0)


def test_fixed_outside_its_bounds(compile_case):
    """pyhf issue 1123: a fixed value outside the bounds gave the result of the bound. Here it is used as given."""
    model = compile_case("two-bins")
    inside, outside = (histjax.fit(model, fixed={"mu": value}) for value in (10.0, 12.0))
    assert float(outside.params["mu"]) == 12.0
    assert float(outside.twice_nll) > float(inside.twice_nll) + 1
    wide = histjax.fit(model, fixed={"mu": 12.0}, bounds={"mu": (0.0, 20.0)})
    assert float(outside.twice_nll) == pytest.approx(float(wide.twice_nll), rel=1e-13)


def test_a_minimum_outside_the_start(compile_case):
    """Coupled histosys with code4p has two valleys; pyhf 0.7.6 (SLSQP) stopped in the wrong one, at alpha = -1.5."""
    model = compile_case("coupled-histosys")
    for start in (0.0, 1.0, 4.0):
        result = histjax.fit(model, init={"coupled": start, "mu": 2.0})
        assert float(result.params["coupled"]) == pytest.approx(2.216580171967972, abs=1e-7)


def test_a_minimum_at_a_kink():
    """With piecewise codes the minimum may sit on the kink at alpha = 0, where the slope jumps and no gradient
    vanishes.

    b = 50 with 40 and 45 (both below) and n = 60: any |alpha| > 0 makes it worse, so alpha = 0 exactly and mu is fixed
    at 0; the slopes are d/d alpha (nu - n ln nu) = -+(1 - 60/50) 10 and (1 - 60/50)(-5) to the two sides.
    """
    document = workspace(
        {"SR": [sample("s", [5.0], mu()), sample("b", [50.0], histosys("shape", [40.0], [45.0]))]}, {"SR": [60.0]}
    )
    model = compiled(document, histosys=histjax.interpolation.code0)
    for start in (0.0, 2.0, -3.0):
        result = histjax.fit(model, fixed={"mu": 0.0}, init={"shape": start})
        assert float(result.params["shape"]) == 0.0
        expected = -2 * (log_poisson(60, 50) + log_gauss(0, 0, 1))
        assert float(result.twice_nll) == pytest.approx(expected, rel=1e-12)
        assert result.active.tolist() == [True, False]  # shape, mu
        assert float(result.uncertainty["shape"]) == 0.0


@pytest.mark.parametrize("code", [histjax.interpolation.code0, histjax.interpolation.code1])
@pytest.mark.parametrize("observed", [48.0, 57.0])
def test_a_minimum_beside_a_kink(code, observed):
    """Up and down both raise (n = 57) or the nominal is right (n = 48): the minimum beside the kink by bisection."""
    document = workspace({"SR": [sample("b", [50.0], normsys("norm", 1.06, 1.1))]}, {"SR": [observed]})
    model = compiled(document, normsys=code)

    def twice_nll(alpha):
        ratio = 1.1 if alpha > 0 else 1.06
        factor = 1 + (ratio - 1) * abs(alpha) if code is histjax.interpolation.code0 else ratio ** abs(alpha)
        return -2 * (log_poisson(observed, 50 * factor) + log_gauss(0, alpha, 1))

    best = scipy.optimize.minimize_scalar(twice_nll, bounds=(0, 5), method="bounded", options={"xatol": 1e-10})
    result = histjax.fit(model, init={"norm": 0.5})
    assert float(result.twice_nll) == pytest.approx(min(best.fun, twice_nll(0.0)), abs=1e-10)
    assert float(result.params["norm"]) == pytest.approx(best.x if observed > 50 else 0.0, abs=1e-6)


def test_scaled_problem_gives_scaled_answer():
    """Yields and counts times 1e6: the certificate means the same, mu stays, sigma shrinks by 1e3."""
    one = histjax.fit(compiled(counting([5.0], [50.0], [5.0], [60.0])))
    many = histjax.fit(compiled(counting([5e6], [5e7], [5e6], [6e7])))
    assert float(many.params["mu"]) == pytest.approx(float(one.params["mu"]), rel=1e-8)
    # var(mu) = (n + u^2)/s^2 at gamma = 1
    assert float(many.uncertainty["mu"]) == pytest.approx(np.sqrt(6e7 + 5e6**2) / 5e6, rel=1e-6)
    assert jax.tree.structure(one) == jax.tree.structure(many)
