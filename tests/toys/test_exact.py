"""p-values by counting, against exact sums, refitted toys, another package and the asymptotic limit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import histjax
from histjax.fitting.newton import Newton
from histjax.inference.toys.calculator import profile_experiment
from tests.inference.closed_form import Counting
from tests.toys.counting import OneBin
from tests.workspaces import mu, normsys, sample, workspace

KEY = jax.random.key(20240607)
CASES = {"few": OneBin(6.0, 3.5, 4), "excess": OneBin(6.0, 3.5, 9), "some": OneBin(10.0, 50.0, 47)}
N_TOYS = 40_000


def model_of(case: OneBin) -> histjax.Model:
    """Its model: one structure, one program."""
    return histjax.compile(histjax.read(case.document()))


def agree(counted: float, exact: float, n: int, n_sigma: float = 4.0) -> bool:
    """Within the binomial uncertainty of the exact probability, and one toy."""
    return abs(counted - exact) <= n_sigma * np.sqrt(exact * (1 - exact) / n) + 1 / n


@pytest.mark.parametrize("slug", CASES)
@pytest.mark.parametrize(
    "statistic",
    [histjax.qmu_tilde, histjax.qmu, histjax.tmu, histjax.tmu_tilde, histjax.q0],
    ids=lambda statistic: statistic.name,
)
def test_exact_sums(slug, statistic):
    """CLsb and CLb are sums of Poisson probabilities over the counts with a statistic at least as large."""
    case, tested = CASES[slug], 0.0 if statistic.discovery else 1.0
    toys = histjax.Toys(KEY, N_TOYS)
    result = histjax.hypotest(model_of(case), poi_value=tested, statistic=statistic, calculator=toys)
    assert float(result.statistic) == pytest.approx(case.statistic(statistic.name, case.n, tested), abs=1e-9)
    other = 1.0 if statistic.discovery else 0.0
    exact = [case.p_value(statistic.name, tested, truth) for truth in (tested, other)]
    assert agree(float(result.CLsb), exact[0], N_TOYS)
    assert agree(float(result.CLb), exact[1], N_TOYS)
    assert result.toys.n_toys == (N_TOYS, N_TOYS) and result.toys.n_failed == (0, 0)
    ratio = exact[0] if statistic.discovery else exact[0] / exact[1]
    assert abs(float(result.CLs) - ratio) < 4 * result.toys.CLs_uncertainty
    expected_error = np.sqrt(exact[0] * (1 - exact[0]) / N_TOYS)
    if 0.01 < exact[0] < 0.99:
        assert result.toys.CLsb_uncertainty == pytest.approx(expected_error, rel=0.1)


@pytest.mark.parametrize("slug", CASES)
def test_exact_band(slug):
    """The expected band: quantiles of the exact law of background-only counts, and the exact sums at them."""
    case = CASES[slug]
    result = histjax.hypotest(model_of(case), poi_value=1.0, calculator=histjax.Toys(KEY, N_TOYS))
    for i, n in enumerate((-2, -1, 0, 1, 2)):
        q = case.quantile("qmu_tilde", 1.0, 0.0, norm.cdf(n))
        assert result.toys.other.quantile(norm.cdf(n)) == pytest.approx(q, abs=0.01)
        exact = [case.p_value("qmu_tilde", 1.0, truth, q) for truth in (1.0, 0.0)]
        assert agree(float(result.CLsb_expected[i]), exact[0], N_TOYS)
        assert agree(float(result.CLb_expected[i]), exact[1], N_TOYS)
        error = max(float(result.toys.CLs_expected_uncertainty[i]), 1 / N_TOYS)
        assert abs(float(result.CLs_expected[i]) - exact[0] / exact[1]) < 4 * error


def test_every_toy_refitted():
    """Toy i of hypothesis h: drawn with the key folded with h and i, fitted like data. Every number of 2 x 40 toys."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    result = histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(KEY, 40, keep=True))
    vectors = {1: result.fits.at_poi.vector, 0: result.fits.at_other.vector}
    counted = {1: result.toys.tested, 0: result.toys.other}
    for hypothesis, toys in ((1, result.toys.tested_toys), (0, result.toys.other_toys)):
        refitted = []
        for i in range(40):
            key = jax.random.fold_in(jax.random.fold_in(KEY, hypothesis), i)
            data = model.draw(key, model.unravel(vectors[hypothesis]))
            refitted.append(float(histjax.qmu_tilde(model, data, poi_value=1.0)))
            best = histjax.fit(model, data, bounds={"mu": (0.0, np.inf)}).params["mu"]
            assert float(toys.best[i]) == pytest.approx(float(best), abs=1e-5)
        np.testing.assert_allclose(toys.statistic, refitted, atol=2e-8)
        at_least = np.array(refitted) >= float(result.statistic) - 1e-6
        assert counted[hypothesis].n_at_least == np.count_nonzero(at_least)
        assert np.all(toys.status == 0) and np.all(toys.edm < 1e-8) and np.all(toys.finished)


def test_best_fit_below_zero():
    """A model that lets mu-hat be negative: `qmu_tilde` then has L(0) in the denominator, for toys too."""
    document = Counting((12, 11), (50, 52), (3, 7), (51, 48)).document()
    document["measurements"][0]["config"]["parameters"] = [{"name": "mu", "bounds": [[-10.0, 10.0]], "inits": [1.0]}]
    wide = histjax.compile(histjax.read(document))
    narrow = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    toys = histjax.Toys(KEY, 500, keep=True)
    first = histjax.hypotest(wide, poi_value=1.0, calculator=toys).toys
    second = histjax.hypotest(narrow, poi_value=1.0, calculator=toys).toys
    assert np.any(first.other_toys.best < -0.1) and np.all(second.other_toys.best >= 0)
    np.testing.assert_allclose(first.other_toys.statistic, second.other_toys.statistic, atol=1e-7)


def test_auxiliary_data_are_drawn():
    """Mean and variance of each datum, over toys: Poisson counts, a Gaussian of width 1, tau gamma counts over tau."""
    background = sample("background", [50.0, 60.0], normsys("scale", 0.9, 1.1), shape("gamma", [5.0, 6.0]))
    document = workspace({"SR": [sample("signal", [5.0, 5.0], mu()), background]}, {"SR": [55.0, 60.0]})
    model = histjax.compile(histjax.read(document))
    point = {**model.init, "scale": jnp.array(0.5), "gamma": jnp.array([1.1, 0.9])}
    key = np.asarray(jax.random.key_data(KEY))
    experiment = profile_experiment(model, model.ravel(point), "mu", 1.0, histjax.qmu_tilde, Newton(), key, 1)
    n = 20_000
    drawn = model.unravel_data(jax.jit(jax.vmap(experiment.drawn))(jnp.arange(n)))
    expected = model.expected_data(point)
    widths = {"SR": np.sqrt(expected.main["SR"]), "scale": 1.0, "gamma": np.sqrt(expected.aux["gamma"])}
    for name, values in (*drawn.main.items(), *drawn.aux.items()):
        centre = expected.main.get(name, expected.aux.get(name))
        np.testing.assert_array_less(np.abs(np.mean(values, 0) - centre), 4 * widths[name] / np.sqrt(n))
        np.testing.assert_allclose(np.std(values, 0), widths[name], rtol=4 / np.sqrt(2 * n))


def shape(name: str, uncertainty: list) -> dict:
    """A shapesys."""
    return {"name": name, "type": "shapesys", "data": uncertainty}


LARGE = Counting((120.0, 80.0), (10_000.0, 8_000.0), (50.0, 60.0), (10_080.0, 8_010.0))


def test_asymptotic_in_the_limit():
    """With 10 000 counts a bin the asymptotic formulae hold: CLs, the band, p0 and its band, and goodness of fit."""
    model = histjax.compile(histjax.read(LARGE.document()))
    n = 20_000
    toys = histjax.Toys(KEY, n)
    counted, exact = histjax.hypotest(model, poi_value=1.0, calculator=toys), histjax.hypotest(model, poi_value=1.0)
    for name in ("CLsb", "CLb", "CLs"):
        error = 4 * getattr(counted.toys, f"{name}_uncertainty") + 0.002
        assert abs(float(getattr(counted, name)) - float(getattr(exact, name))) < error, name
    band = np.asarray(counted.CLs_expected) - np.asarray(exact.CLs_expected)
    # at +2 sigma mu-hat is above 1, and the plain normal law not the truth
    assert np.all((np.abs(band) < 4 * counted.toys.CLs_expected_uncertainty + 0.003)[:4])
    assert float(counted.CLs_expected[4]) == 1.0
    found, formula = histjax.significance(model, calculator=toys), histjax.significance(model)
    assert abs(float(found.p0 - formula.p0)) < 4 * found.test.toys.CLsb_uncertainty + 0.002
    np.testing.assert_allclose(found.z_expected[1:4], formula.z_expected[1:4], atol=0.12)
    held = {"mu": 0.7}  # a free mu-hat would often lie on its bound
    fit = histjax.goodness_of_fit(model, fixed=held, calculator=toys)
    formula = histjax.goodness_of_fit(model, fixed=held)
    assert float(fit.statistic) == float(formula.statistic)
    assert abs(float(fit.p_value - formula.p_value)) < 4 * fit.toys.tally.p_uncertainty + 0.002


def test_goodness_exact():
    """One bin and a signal that can describe any count: the deviance is 0 up to mu-hat's bound at 0, below it is
    2 [b - n + n ln(n/b)], and the p-value a sum over those counts.
    """
    case = OneBin(6.0, 3.5, 1)
    deviance = [case.deviance(n, 0.0) - case.deviance(n, case.best(n)) if n < case.b else 0.0 for n in range(400)]
    truth = case.weights(0.0)  # thrown at the best fit, mu = 0
    exact = sum(w for w, d in zip(truth, deviance, strict=True) if d >= deviance[1] - 1e-9)
    result = histjax.goodness_of_fit(model_of(case), calculator=histjax.Toys(KEY, N_TOYS))
    assert float(result.statistic) == pytest.approx(deviance[1], abs=1e-9)
    assert agree(float(result.p_value), exact, N_TOYS)


def test_pyhf():
    """pyhf 0.7.6, its toy calculator: within both binomial uncertainties."""
    pyhf = pytest.importorskip("pyhf")
    n = 150
    document = Counting((12.0, 11.0), (50.0, 52.0), (3.0, 7.0), (51.0, 48.0)).document()
    pyhf.set_backend("numpy")
    theirs = pyhf.Workspace(document).model()
    data = [51.0, 48.0, *theirs.config.auxdata]
    np.random.seed(11)
    calculator = pyhf.infer.calculators.ToyCalculator(data, theirs, ntoys=n, track_progress=False)
    statistic = calculator.teststatistic(1.0)
    p_values = calculator.pvalues(statistic, *calculator.distributions(1.0))
    ours = histjax.hypotest(
        histjax.compile(histjax.read(document)), poi_value=1.0, calculator=histjax.Toys(KEY, 20_000)
    )
    assert float(ours.statistic) == pytest.approx(float(statistic), abs=1e-4)
    for mine, other in zip((ours.CLsb, ours.CLb), p_values[:2], strict=True):
        assert agree(float(other), float(mine), n)
