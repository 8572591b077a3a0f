"""What is said of draws: values, intervals, criteria, files, predictions, bootstraps; against closed forms."""

import jax
import numpy as np
import pytest
from scipy import optimize, stats

import histjax
from histjax.bayes import (
    Posterior,
    Samples,
    compare_limits,
    covariance_bootstrap,
    parametric_bootstrap,
    predictive_yields,
    sample_nuts,
)
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import ParameterSet
from tests.bayes.cases import OBSERVED, SIGNAL, counting
from tests.inference.linear import BEST, COVARIANCE, LINEAR

KEY = jax.random.key(20240117)
SETS = (ParameterSet("mu", 0, 1, True, "none", ()), ParameterSet("gamma", 1, 2, False, "normal", ()))


def samples_of(mu: np.ndarray, **more) -> Samples:
    """Two chains of draws of mu; gamma[0] is twice as large, gamma[1] fixed at 1."""
    vectors = np.stack([mu, 2 * mu, np.ones_like(mu)], axis=-1).reshape(2, -1, 3)
    density = -np.abs(vectors[..., 0] - 0.25)
    return Samples("nuts", SETS, "mu", (0, 1), vectors, density, density, **more)


@pytest.fixture(scope="module")
def ramp():
    """Draws at equal distances from 0 to 1."""
    return samples_of(np.arange(1002) / 1001.0, max_logpdf=-5.0, n_observations=10.0)


def test_values(ramp):
    """Best is where the density is largest; names and shapes are those of the parameters."""
    assert ramp.best["mu"] == pytest.approx(0.25, abs=1e-3)
    assert ramp.best["gamma"] == pytest.approx([0.5, 1.0], abs=2e-3)
    assert (float(ramp.mean["mu"]), float(ramp.median["mu"])) == pytest.approx((0.5, 0.5))
    assert ramp.uncertainty["mu"] == pytest.approx(1 / np.sqrt(12), rel=2e-3)
    np.testing.assert_allclose(ramp.quantile([0.1, 0.9])["gamma"], [[0.2, 1.0], [1.8, 1.0]])
    assert {name: each.shape for name, each in ramp.params.items()} == {"mu": (2, 501), "gamma": (2, 501, 2)}
    assert ramp.free_names == ("mu", "gamma[0]")
    assert ramp.upper_limit() == pytest.approx(0.95)
    assert ramp.upper_limit("gamma[0]", 0.9) == pytest.approx(1.8)
    with pytest.raises(UnknownName, match="no component named 'nu'"):
        ramp.of("nu")


def test_intervals(ramp):
    """Ends, and distances from the median or from another point."""
    np.testing.assert_allclose(ramp.central(0.8)["mu"], (0.1, 0.9))
    np.testing.assert_allclose(ramp.asymmetric(0.8)["mu"], (0.4, 0.4))
    np.testing.assert_allclose(ramp.asymmetric(0.8, about={"mu": 0.2, "gamma": np.ones(2)})["mu"], (0.1, 0.7))
    assert ramp.best_within(0.2)["mu"] == pytest.approx(0.4, abs=1e-3)
    with pytest.raises(InvalidModel, match="between 0 and 1"):
        ramp.central(1.0)


def test_highest_density():
    """The shortest interval of an exponential begins at 0; the central one does not."""
    draws = samples_of(stats.expon.ppf((np.arange(4000) + 0.5) / 4000))
    np.testing.assert_allclose(draws.highest_density(0.9)["mu"], (0.0, np.log(10)), atol=5e-3)
    np.testing.assert_allclose(draws.central(0.9)["mu"], stats.expon.ppf((0.05, 0.95)), atol=5e-3)


def test_criteria(ramp):
    """k = 2 free parameters, n = 10 bins, -2 ln L = 10."""
    found = ramp.criteria
    assert (found.twice_nll, found.n_free, found.n_observations) == (10.0, 2, 10.0)
    assert found.aic == 14.0
    assert found.aicc == pytest.approx(14.0 + 12 / 7)
    assert found.bic == pytest.approx(10.0 + 2 * np.log(10))
    assert np.isnan(found.log_evidence)
    assert samples_of(np.arange(4.0), max_logpdf=0.0, n_observations=3.0).criteria.aicc == np.inf


def test_convergence():
    """Independent draws converge; chains in two places, few draws and divergences do not."""
    rng = np.random.default_rng(1)
    good = samples_of(rng.normal(size=4000))
    assert good.convergence.converged
    np.testing.assert_allclose(good.convergence.ess_bulk, 4000, rtol=0.2)
    np.testing.assert_allclose(good.convergence.mcse[0], 1 / np.sqrt(4000), rtol=0.2)
    apart = samples_of(np.concatenate([rng.normal(size=2000), rng.normal(1.0, size=2000)]))
    assert "R-hat of mu" in apart.convergence.message or "R-hat of gamma[0]" in apart.convergence.message
    assert "effective draws, below 400" in samples_of(rng.normal(size=200)).convergence.message
    divergent = samples_of(rng.normal(size=4000), statistics={"is_divergent": np.ones((2, 2000), bool)})
    assert "4000 divergent trajectories" in divergent.convergence.message


def test_arviz(ramp):
    """The draws by name, and their densities."""
    data = ramp.to_arviz()
    np.testing.assert_array_equal(data.posterior["gamma"].values, ramp.params["gamma"])
    np.testing.assert_array_equal(data.sample_stats["lp"].values, ramp.log_density)


def test_table(ramp):
    """First whether to believe it."""
    text = str(samples_of(np.random.default_rng(1).normal(size=4000), log_evidence=-3.0))
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0].split() == ["status", "converged"]
    assert "ln Z            -3.000 +- nan" in lines
    assert str(ramp).splitlines()[0].startswith("status          not converged: ")


def test_files(ramp, tmp_path):
    """What is read is what was written."""
    ramp.save(tmp_path / "ramp.npz")
    again = Samples.load(tmp_path / "ramp.npz")
    np.testing.assert_array_equal(again.vectors, ramp.vectors)
    assert (again.sets, again.free, again.poi, again.max_logpdf) == (ramp.sets, ramp.free, ramp.poi, -5.0)


@pytest.fixture(scope="module")
def count():
    """One count without background, and draws of its posterior."""
    posterior = Posterior(counting())
    return posterior, sample_nuts(posterior, 5000, key=KEY)


def test_predictive(count):
    """Counts that would be observed are negative binomial: mean n + 1, variance 2 (n + 1)."""
    posterior, samples = count
    found = predictive_yields(posterior.likelihood, samples, key=KEY)
    (channel,) = found.counts
    counts, n = found.counts[channel][:, 0], OBSERVED + 1
    n_effective = samples.convergence.ess_bulk[0]
    assert np.mean(counts) == pytest.approx(n, abs=4 * np.sqrt(2 * n / n_effective))
    assert np.var(counts) == pytest.approx(2 * n, rel=0.1)
    np.testing.assert_allclose(found.mean[channel], SIGNAL * samples.mean["mu"])
    expected = stats.nbinom(n, 0.5)
    assert found.p_values[channel][0] == pytest.approx(
        expected.sf(OBSERVED) + 0.5 * expected.pmf(OBSERVED), abs=4 * 0.5 / np.sqrt(n_effective)
    )
    assert len(predictive_yields(posterior.likelihood, samples, key=KEY, n_draws=10).counts[channel]) == 40
    with pytest.raises(InvalidModel, match="of another model"):
        predictive_yields(posterior.likelihood, samples_of(np.arange(4.0)), key=KEY)


def test_limits():
    """The Bayesian limit over a known background is that of O. Helene (NIM 212 (1983) 319, equation 12):
    sum_k<=n Pois(k | s + b) / sum_k<=n Pois(k | b) = 0.05. That of CLs stands next to it; exact toys would agree.
    """
    background = 3.0
    posterior = Posterior(counting(background))
    found = compare_limits(posterior, sample_nuts(posterior, 5000, key=KEY))

    def excess(s):
        return stats.poisson.cdf(OBSERVED, s + background) / stats.poisson.cdf(OBSERVED, background) - 0.05

    expected = optimize.brentq(excess, 0.0, 50.0) / SIGNAL
    assert found.bayesian == pytest.approx(expected, abs=4 * found.uncertainty)
    assert 0 < found.uncertainty < 0.02 * expected
    assert float(found.frequentist.observed) == pytest.approx(expected, rel=0.1)
    assert "Bayesian" in str(found)


def test_parametric_bootstrap(count):
    """Estimates of mu are counts over SIGNAL: Poisson with the observed mean."""
    toys = parametric_bootstrap(count[0].likelihood, n_toys=2000, key=KEY)
    counts = SIGNAL * toys.params["mu"][0, 1:]
    np.testing.assert_allclose(counts, counts.round(), atol=1e-4)
    assert SIGNAL * toys.params["mu"][0, 0] == pytest.approx(OBSERVED, abs=1e-6)
    assert np.mean(counts) == pytest.approx(OBSERVED, abs=4 * np.sqrt(OBSERVED / 2000))
    assert np.var(counts) == pytest.approx(OBSERVED, rel=4 * np.sqrt(2 / 2000) * 1.1)
    assert toys.best["mu"] == pytest.approx(OBSERVED / SIGNAL, abs=1e-6)


def test_covariance_bootstrap():
    """Gaussian draws with the covariance of the fit; with bounds, cut Gaussians."""
    fit = histjax.fit(LINEAR)
    draws = covariance_bootstrap(LINEAR, fit, n_draws=20_000, key=KEY)
    np.testing.assert_allclose(draws.flat[0], BEST, atol=1e-8)
    np.testing.assert_allclose(draws.covariance, COVARIANCE, atol=0.04 * np.max(COVARIANCE))
    best, sigma = BEST[0], np.sqrt(COVARIANCE[0, 0])
    cut = covariance_bootstrap(LINEAR, fit, n_draws=20_000, key=KEY, bounds={"mu": (best, 10.0)})
    assert np.min(cut.of("mu")) >= best - 1e-9
    assert np.mean(cut.of("mu")) == pytest.approx(best + sigma * np.sqrt(2 / np.pi), abs=4 * sigma / np.sqrt(20_000))
    with pytest.raises(InvalidModel, match="next to none"):
        covariance_bootstrap(LINEAR, fit, n_draws=10, key=KEY, bounds={"mu": (best + 20 * sigma, best + 30 * sigma)})
