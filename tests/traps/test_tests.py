"""Test statistics, CLs and limits where differences are small, numbers large or bounds in the way."""

import jax
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_ndtr, ndtr

import histjax
from histjax.errors import ImpreciseLimit
from tests.inference.closed_form import Counting, cls, deviance, gammas, q_tilde, upper_limit
from tests.traps.models import model_of
from tests.traps.published import certified_cls, one_lepton_of_report, three_leptons
from tests.traps.table import (
    DISCOVERY,
    EXCESS,
    FAR_LIMIT,
    HELLO,
    HUGE_SIGNAL,
    LARGE,
    NEAR_LIMIT,
    TEN_BINS,
    TINY_SIGNAL,
)


def test_T01_large_yields_weak_signal():
    """pyhf 0.7.6 says 0.361 with SLSQP, 0.0 one step aside and 0.722 with Minuit.

    The numbers are those of the closed form with 60 digits (mpmath).
    """
    model, tested = model_of("T01"), 11.843640283180768
    result = histjax.hypotest(model, poi_value=tested)
    assert float(result.CLs) == pytest.approx(0.721809473746248, abs=1e-9)
    assert float(result.statistic) == pytest.approx(0.126765561713215, abs=1e-9)
    assert float(result.best) == 0.0
    assert float(result.CLs) == pytest.approx(cls(LARGE, tested)["CLs"], rel=1e-9)
    aside = histjax.hypotest(model, poi_value=11.84364)
    assert float(aside.CLs) == pytest.approx(0.721809480274442, abs=1e-9)
    assert float(aside.CLs) == pytest.approx(float(result.CLs), abs=1e-8)


@pytest.mark.parametrize("name", TEN_BINS)
def test_T02_limits_of_ten_bins(name):
    """The root of the closed form; pyhf's bracketing raised."""
    limit = histjax.upper_limit(model_of("T02", name))
    assert bool(np.all(limit.converged))
    assert float(limit.observed) == pytest.approx(upper_limit(TEN_BINS[name]), rel=1e-8)


@pytest.mark.parametrize("tested", [1e-4, 1e-3, 1.1e-3, 1e-2])
def test_T17_statistic_near_zero(tested):
    """mu-hat is far above: q is 0, and t and sqrt(q_A) (1.848e-3 at mu = 1e-3, where Minuit gives 0) are smooth in mu.

    All against the closed form.
    """
    model = model_of("T17")
    result = histjax.hypotest(model, poi_value=tested)
    expected = cls(EXCESS, tested)
    assert float(result.statistic) == 0.0
    assert float(result.statistic_asimov) >= 0.0
    root = float(np.sqrt(result.statistic_asimov))
    assert root == pytest.approx(np.sqrt(expected["q_asimov"]), abs=1e-8)
    assert float(result.CLs) == pytest.approx(expected["CLs"], abs=1e-8)
    exact = two_sided(EXCESS, tested)
    assert float(histjax.tmu_tilde(model, poi_value=tested)) == pytest.approx(exact, abs=1e-8)


def two_sided(case: Counting, tested: float) -> float:
    """t of a counting model in closed form, where mu-hat is above 0."""
    s, b, tau, n = case.arrays

    def slope(mu):
        return np.sum(s - n * s / (mu * s + gammas(mu, s, b, tau, n, tau) * b))

    hat = brentq(slope, 0.0, 10.0, xtol=1e-14, rtol=1e-14)
    return deviance(tested, s, b, tau, n, tau) - deviance(hat, s, b, tau, n, tau)


def test_T18_gradient_where_q_vanishes():
    """n = b: mu-hat = 0 and q = 0 at mu = 0. CLs against the closed form; its derivatives exist."""
    model = model_of("T18")
    for tested in (0.0, 1.0, 50.0):
        result = histjax.hypotest(model, poi_value=tested)
        assert float(result.CLs) == pytest.approx(cls(TINY_SIGNAL, tested)["CLs"], rel=1e-9)

    slope = jax.jit(jax.grad(lambda tested: histjax.hypotest(model, poi_value=tested).CLs))
    assert np.isfinite(float(slope(0.0))) and np.isfinite(float(slope(1.0)))
    step = 1e-2
    expected = (cls(TINY_SIGNAL, 50 + step)["CLs"] - cls(TINY_SIGNAL, 50 - step)["CLs"]) / (2 * step)
    assert float(slope(50.0)) == pytest.approx(expected, rel=1e-6)


def objective(mu: float) -> float:
    """-2 ln L of T19 up to a constant, without JAX: 75 and 64 events against b + mu l + mu^2 q."""
    background, linear, quadratic = np.array([[40.0, 60.0], [2.0, 6.0], [4.0, 3.0]])
    rates = background + mu * linear + mu**2 * quadratic
    return -2 * float(np.sum(np.array([75.0, 64.0]) * np.log(rates) - rates))


def lowest(low: float, high: float) -> float:
    """The minimum of `objective` in an interval, by SciPy."""
    return minimize_scalar(objective, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x


@pytest.fixture(scope="module")
def interference():
    """Models with a signal mu l + mu^2 q, by the name of their document."""
    square = histjax.Factor(lambda mu: mu**2, ("mu",), samples=("quadratic",))
    return lambda name: model_of("T19", name, factors=(square,))


def test_T19_equation_16(interference):
    """mu-hat = -3 is found: L(0) is in the denominator of q~, L(mu-hat) in that of q."""
    below, tested = lowest(-6.0, 0.0), 4.0
    assert below < -2.5
    model = interference("from below")
    bounded = float(histjax.qmu_tilde(model, poi_value=tested))
    assert bounded == pytest.approx(objective(tested) - objective(0.0), rel=1e-9)
    unbounded = float(histjax.qmu(model, poi_value=tested))
    assert unbounded == pytest.approx(objective(tested) - objective(below), rel=1e-9)


def test_T19_second_minimum(interference):
    """The same from mu = 1, on the slope to a second, higher minimum at mu = 2."""
    assert lowest(0.0, 6.0) > 1.5 and objective(lowest(0.0, 6.0)) > objective(lowest(-6.0, 0.0)) + 5
    found = float(histjax.qmu_tilde(interference("from above"), poi_value=4.0))
    assert found == pytest.approx(objective(4.0) - objective(0.0), rel=1e-9)


def test_T20_limit_beyond_the_bound():
    """More than 100 where the bound is 10; the root of the closed form."""
    limit = float(histjax.upper_limit(model_of("T20")).observed)
    assert limit > 100
    assert limit == pytest.approx(upper_limit(FAR_LIMIT), rel=1e-8)


def test_T21_limit_below_the_bracket():
    """CLs at 0.1 is far below 0.05; the limit is the root of the closed form."""
    model = model_of("T21")
    assert float(histjax.hypotest(model, poi_value=0.1).CLs) < 0.05
    assert float(histjax.upper_limit(model).observed) == pytest.approx(upper_limit(NEAR_LIMIT), rel=1e-8)


def test_T23_logarithm_of_cls():
    """ln CLs from the closed form of q, where both p-values underflow."""
    q = q_tilde(1.0, *HUGE_SIGNAL.arrays, HUGE_SIGNAL.arrays[2])
    s, b, tau, n = HUGE_SIGNAL.arrays
    gamma = gammas(0.0, s, b, tau, n, tau)
    q_asimov = q_tilde(1.0, s, b, tau, gamma * b, gamma * tau)
    root = np.sqrt(q_asimov)
    shift = np.sqrt(q) - root if q <= q_asimov else (q - q_asimov) / (2 * root)
    expected = log_ndtr(-(shift + root)) - log_ndtr(-shift)
    result = histjax.hypotest(model_of("T23"), poi_value=1.0)
    assert expected < -500
    assert float(result.log_CLs) == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(float(result.CLs)) and 0.0 <= float(result.CLs) < 1e-200


def test_T24_finite_at_a_grid_point():
    """mu = 0.999 of ERJR_300p0_100p0, for which pyhf with SciPy gives 0.9996; at mu = 1 the corpus certifies 0.0181."""
    model = three_leptons("ERJR_300p0_100p0")
    beside, at_one = (histjax.hypotest(model, poi_value=value) for value in (0.999, 1.0))
    assert bool(beside.fits.converged)
    assert float(at_one.CLs) == pytest.approx(certified_cls("ERJR_300p0_100p0"), abs=1e-5)
    assert 0.0 < float(beside.CLs) - float(at_one.CLs) < 1e-3


def test_T25_hypothesis_test_ends():
    """The signal of pyhf issue 1037. mu-hat = 4.53 is above 1, so q = 0 and CLs = 0.5 / Phi(sqrt(q_A)).

    Minima by pyhf 0.7.6 (JAX gradient, L-BFGS-B, Newton steps): free 214.69050595, q_A = 0.0808160835.
    """
    result = histjax.hypotest(one_lepton_of_report(), poi_value=1.0)
    assert bool(result.fits.converged)
    assert float(result.fits.free.twice_nll) == pytest.approx(214.69050595429934, abs=1e-7)
    assert float(result.statistic) == 0.0
    assert float(result.statistic_asimov) == pytest.approx(0.08081608353, abs=1e-8)
    assert float(result.CLs) == pytest.approx(0.5 / ndtr(np.sqrt(0.08081608353)), abs=1e-8)


def test_T41_one_definition_of_q0():
    """q0 of toys, mapped, is the closed form of each; the fraction above the observed one is p0 of the asymptotic law.

    2000 toys of one bin: p0 = 0.0039 +- 0.0014 (binomial).
    """
    model = model_of("T41")
    background = histjax.fit(model, fixed={"mu": 0.0}).params
    toys = jax.vmap(lambda key: model.draw(key, background))(jax.random.split(jax.random.key(5), 2000))
    found = np.asarray(jax.jit(jax.vmap(lambda toy: histjax.q0(model, toy)))(toys))
    counts, aux = (np.asarray(each)[:, 0] for each in (toys.main["singlechannel"], toys.aux["uncorr_bkguncrt"]))
    s, b, tau, _ = DISCOVERY.arrays
    expected = np.array([discovery(s, b, tau, *each) for each in zip(counts, aux, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    deficit = counts < aux / tau * b
    assert 0.4 < np.mean(deficit) < 0.6
    np.testing.assert_allclose(found[deficit], 0.0, atol=1e-12)
    test = histjax.significance(model).test
    assert np.mean(found >= float(test.statistic)) == pytest.approx(float(test.CLsb), abs=5 * 0.0014)


def discovery(s, b, tau, count, a) -> float:
    """q0 of one bin: with free mu >= 0 the count is described exactly, or mu-hat = 0."""
    n, a = np.array([count]), np.array([a])
    return deviance(0.0, s, b, tau, n, a) if count > a[0] / tau[0] * b[0] else 0.0


def test_T42_both_conventions():
    """Equation 89 for outcomes at +2 sigma, above the tested value: plain Phi(2 - root)/Phi(2), clipped 0.5/Phi(root).

    Observed CLs of the closed form lies below the median in both.
    """
    model = model_of("T42")
    plain, clipped = (
        histjax.hypotest(model, poi_value=1.0, calculator=histjax.Asymptotic(clipped_normal=choice))
        for choice in (False, True)
    )
    root = np.sqrt(cls(HELLO)["q_asimov"])
    np.testing.assert_allclose(plain.CLs_expected, cls(HELLO)["band"], rtol=1e-8)
    np.testing.assert_allclose(clipped.CLs_expected[:4], plain.CLs_expected[:4], rtol=1e-13)
    assert float(plain.CLs_expected[4]) == pytest.approx(ndtr(2 - root) / ndtr(2), rel=1e-8)
    assert float(clipped.CLs_expected[4]) == pytest.approx(0.5 / ndtr(root), rel=1e-8)
    assert float(clipped.CLs) == float(plain.CLs)


def test_T43_toy_limit_and_its_error():
    """A limit of toys carries its relative error, which is below the one that was asked for.

    300 events or so in all: the asymptotic limit of the closed form is within 2 % of that of toys.
    """
    toys = histjax.Toys(jax.random.key(0), n_toys=2000)
    limit = histjax.upper_limit(model_of("T43"), calculator=toys, stop_rule=histjax.StopRule(relative_error=0.05))
    assert limit.toys.precise.all()
    assert 0 < float(limit.uncertainty / limit.observed) <= 0.05
    assert np.all(limit.expected_uncertainty / limit.expected <= 0.05)
    assert float(limit.observed) == pytest.approx(upper_limit(HELLO), rel=0.02, abs=4 * float(limit.uncertainty))


def test_T43_toys_that_end_too_early():
    """Where toys do not suffice, the limit says how uncertain it is, and a warning says that it is too uncertain."""
    toys, rule = histjax.Toys(jax.random.key(0), n_toys=200), histjax.StopRule(relative_error=0.01, most_toys=4000)
    with pytest.warns(ImpreciseLimit, match="observed"):
        limit = histjax.upper_limit(model_of("T43"), calculator=toys, stop_rule=rule)
    assert not limit.toys.precise.any()
    assert limit.toys.n_toys <= 4000
    assert float(limit.uncertainty / limit.observed) > 0.01
    assert float(limit.observed) == pytest.approx(upper_limit(HELLO), abs=4 * float(limit.uncertainty))
