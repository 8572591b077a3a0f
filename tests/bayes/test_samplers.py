"""Samplers on posteriors that are known in closed form, within what so many draws are worth."""

import jax
import numpy as np
import pytest
from scipy import stats

import histjax
from histjax.bayes import (
    Flat,
    Gamma,
    Normal,
    Posterior,
    Uniform,
    sample_emcee,
    sample_nested,
    sample_nuts,
    sample_slices,
)
from histjax.bayes.extras import package
from histjax.errors import InvalidModel
from tests.bayes.cases import OBSERVED, SIGNAL, OnOff, counting, on_off
from tests.inference.linear import BEST, COVARIANCE, DATA, DESIGN, LINEAR

KEY = jax.random.key(20240117)
PROBABILITIES = (0.025, 0.1587, 0.5, 0.8413, 0.95)


def assert_within_errors(draws: np.ndarray, mean: float, deviation: float, cdf) -> None:
    """Mean, deviation and probabilities of `(chains, draws)` agree to four of their Monte Carlo uncertainties."""
    az = package("arviz")
    n_mean, n_deviation = float(az.ess(draws, method="mean")), float(az.ess(draws, method="sd"))
    assert abs(np.mean(draws) - mean) < 4 * deviation / np.sqrt(n_mean)
    kurtosis = stats.kurtosis(draws, axis=None, fisher=False)
    assert abs(np.std(draws) / deviation - 1) < 4 * np.sqrt((kurtosis - 1) / n_deviation) / 2
    for probability in PROBABILITIES:
        n_quantile = float(az.ess(draws, method="quantile", prob=probability))
        found = float(cdf(np.quantile(draws, probability)))
        assert abs(found - probability) < 4 * np.sqrt(probability * (1 - probability) / n_quantile)


@pytest.fixture(scope="module")
def gaussian():
    """Draws of a linear model with Gaussian measurements, whose posterior is Gaussian."""
    return sample_nuts(Posterior(LINEAR), 15_000, key=KEY)


def test_conjugate_gaussian(gaussian):
    """The posterior is Gauss(BEST, COVARIANCE), at fifty thousand effective draws."""
    assert gaussian.convergence.converged
    assert np.min(gaussian.convergence.ess_bulk) > 50_000
    for name, best, variance in zip(gaussian.names, BEST, np.diagonal(COVARIANCE), strict=True):
        sigma = np.sqrt(variance)
        assert_within_errors(gaussian.params[name], best, sigma, stats.norm(best, sigma).cdf)
    np.testing.assert_allclose(gaussian.covariance, COVARIANCE, atol=0.03 * np.max(COVARIANCE))


@pytest.fixture(scope="module")
def count():
    """One count without background."""
    return counting()


def test_poisson_flat(count):
    """With a flat prior the posterior of mu is Gamma(n + 1, SIGNAL)."""
    expected = stats.gamma(OBSERVED + 1, scale=1 / SIGNAL)
    samples = sample_nuts(Posterior(count), 15_000, key=KEY)
    assert_within_errors(samples.params["mu"], expected.mean(), expected.std(), expected.cdf)
    assert samples.upper_limit() == pytest.approx(expected.ppf(0.95), rel=0.02)


def test_poisson_gamma(count):
    """With the prior Gamma(a, b) it is Gamma(a + n, b + SIGNAL)."""
    expected = stats.gamma(3.0 + OBSERVED, scale=1 / (4.0 + SIGNAL))
    samples = sample_nuts(Posterior(count, priors={"mu": Gamma(3.0, 4.0)}), 15_000, key=KEY)
    assert_within_errors(samples.params["mu"], expected.mean(), expected.std(), expected.cdf)


@pytest.fixture(scope="module")
def on_off_posterior():
    """The on/off problem with a flat prior on the signal."""
    return Posterior(on_off(), priors={"mu": Uniform(0.0, 60.0)}, bounds={"gamma": (0.0, 20.0)})


def test_what_slices_refuse(on_off_posterior):
    """Too few live points, or too few that stay."""
    with pytest.raises(InvalidModel, match="n_live must be at least 5, found 4"):
        sample_slices(on_off_posterior, key=KEY, n_live=4)
    with pytest.raises(InvalidModel, match="n_live - n_delete must be at least 3, found 1"):
        sample_slices(on_off_posterior, key=KEY, n_live=10, n_delete=9)


def test_on_off(on_off_posterior):
    """A mixture of gamma distributions."""
    samples = sample_nuts(on_off_posterior, 15_000, key=KEY)
    assert samples.convergence.converged
    assert_within_errors(samples.params["mu"], OnOff.mean, OnOff.deviation, OnOff.cdf)


def test_emcee(on_off_posterior):
    """The same from an ensemble."""
    samples = sample_emcee(on_off_posterior, 750, key=KEY, thin=10)
    assert samples.vectors.shape == (32, 750, 2)
    assert_within_errors(samples.params["mu"], OnOff.mean, OnOff.deviation, OnOff.cdf)


@pytest.mark.parametrize(
    "sample, options",
    [(sample_nested, {"n_live": 1000, "method": "unif", "bound": "single"}), (sample_slices, {"n_live": 4000})],
    ids=["nested", "slices"],
)
def test_nested_gaussian(sample, options):
    """ln Z of a Gaussian problem to 0.05, and draws of its posterior.

    Z is Gauss(d | 0, 1 + D S D^T) with S the covariance of the priors, times the constants that the likelihood leaves
    out: (2 pi)^(1/2) for each of four measurements and for the constraint term that is free.
    """
    posterior = Posterior(LINEAR, priors={"mu": Normal(0.0, 1.0)}, fixed={"beta": 0.0})
    design, prior = DESIGN[:, :2], np.eye(2)
    expected = stats.multivariate_normal(np.zeros(4), np.eye(4) + design @ prior @ design.T).logpdf(DATA)
    expected += 2.5 * np.log(2 * np.pi)
    samples = sample(posterior, key=KEY, **options)
    assert samples.log_evidence == pytest.approx(expected, abs=0.05)
    assert samples.log_evidence_uncertainty < 0.1
    covariance = np.linalg.inv(design.T @ design + np.eye(2))
    mean = covariance @ design.T @ DATA
    n_effective = samples.statistics["n_effective"][0, 0]
    widths = np.sqrt(np.diagonal(covariance))
    assert np.all(np.abs(np.mean(samples.flat[:, :2], axis=0) - mean) < 4 * widths / np.sqrt(n_effective))
    np.testing.assert_allclose(np.std(samples.flat[:, :2], axis=0), widths, rtol=0.06)


@pytest.mark.parametrize("sample", [sample_nested, sample_slices])
def test_nested_needs_a_proper_prior(count, sample):
    """The parameters without one are named."""
    with pytest.raises(InvalidModel, match="the prior of mu is improper"):
        sample(Posterior(count, priors={"mu": Flat(0.0)}), key=KEY)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_draws": 0}, "n_draws must be at least 1"),
        ({"n_draws": 9, "n_chains": 0}, "n_chains must be at least 1"),
        ({"n_draws": 9, "target_acceptance": 1.0}, "between 0 and 1"),
        ({"n_draws": 9, "key": jax.random.key(0, impl="rbg")}, "threefry"),
    ],
)
def test_what_nuts_refuses(count, options, message):
    """With one message."""
    with pytest.raises(InvalidModel, match=message):
        sample_nuts(Posterior(count), **{"key": KEY} | options)


def test_what_emcee_refuses(count):
    """Too few walkers, or an odd number."""
    with pytest.raises(InvalidModel, match="even number of walkers"):
        sample_emcee(Posterior(count), 10, key=KEY, n_walkers=3)


def test_missing_package(count, monkeypatch):
    """It is named, and how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "blackjax", None)
    with pytest.raises(histjax.errors.MissingExtra, match=r"needs blackjax.*histjax\[bayes\]"):
        sample_nuts(Posterior(count), 10, key=KEY)


N_CALIBRATIONS, BINS = 200, 10


def test_simulation_based_calibration(on_off_posterior):
    """arXiv:1804.06788: the rank of a parameter drawn from the prior among draws of the posterior of data drawn with it
    is uniform.
    """
    model = on_off_posterior.likelihood
    rng = np.random.default_rng(20240117)
    options = {"priors": {"mu": Uniform(0.0, 15.0)}, "bounds": {"gamma": (0.0, 20.0)}}
    ranks, prior = [], Posterior(model, **options)
    for number in range(N_CALIBRATIONS):
        truth = prior.from_unit_cube(rng.random(2))
        drawn = model.unravel_data(model.draw_flat(jax.random.fold_in(KEY, number), truth))
        # the auxiliary data have made the prior, and stay
        posterior = Posterior(model, histjax.Data(drawn.main, model.data.aux), **options)
        samples = sample_nuts(posterior, 250, key=jax.random.fold_in(KEY, number), n_warmup=100)
        ranks.append(np.mean(samples.vectors[:, ::5] < truth, axis=(0, 1)))
    for column in np.array(ranks).T:
        counts = np.histogram(column, bins=BINS, range=(0.0, 1.0 + 1e-9))[0]
        assert stats.chisquare(counts).pvalue > 1e-3
        assert abs(np.mean(column) - 0.5) < 4 / np.sqrt(12 * N_CALIBRATIONS)
