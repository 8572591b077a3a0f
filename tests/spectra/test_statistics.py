"""Values of the likelihood: bayspec's statistics, SciPy's probabilities, HistFactory's profile; and draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

import histjax
from histjax import counting, spectra
from tests.spectra.cases import COUNTS, EXPOSURE, OFF, OFF_EXPOSURE, RATES, counting_spectrum

# -2 ln L of bayspec 0.3.13 for the arrays in `cases`; residuals of cstat and pgstat
BAYSPEC = {
    counting.gstat: 4.970270428745661,
    counting.pstat: 22.90196055189339,
    counting.ppstat: 5.563467135381316,
    counting.pgstat: 5.532712221442865,
}
RESIDUALS = {
    counting.ppstat: [-1.00264741901, -1.68024271102, 0.39762987511, -1.14015761217, -0.52619466208],
    counting.pgstat: [-1.00135366274, -1.67332005307, 0.39624105731, -1.13905104821, -0.52493694631],
}


def one(statistic, chosen=slice(None)):
    """The likelihood of the reference counts."""
    return spectra.compile({"s": counting_spectrum(statistic, chosen)})


@pytest.mark.parametrize("statistic", BAYSPEC, ids=lambda each: each.__name__)
def test_statistics(statistic):
    """Half the statistic is minimised; the deviance of a spectrum is all of it."""
    likelihood = one(statistic)
    flat = likelihood.ravel_data(likelihood.data)
    np.testing.assert_allclose(2 * likelihood.nll(likelihood.parameters.init, flat), BAYSPEC[statistic], rtol=1e-13)
    terms = likelihood.deviance_terms(likelihood.init, likelihood.data)
    np.testing.assert_allclose(terms.main["s"], BAYSPEC[statistic], rtol=1e-13)
    total = sum(each.deviance for each in likelihood.bin_terms(likelihood.parameters.init, flat))
    np.testing.assert_allclose(total, BAYSPEC[statistic], rtol=1e-13)
    assert likelihood.n_observations == 5
    if statistic in RESIDUALS:
        np.testing.assert_allclose(likelihood.residuals(likelihood.init)["s"], RESIDUALS[statistic], atol=1e-10)


def best_over_backgrounds(log_density) -> float:
    """The largest value over b >= 0 of one bin, by bracketing."""
    found = optimize.minimize_scalar(lambda b: -log_density(b), bounds=(0.0, 10.0), options={"xatol": 1e-11})
    return max(-found.fun, log_density(0.0))


def test_all_constants():
    """The log density is SciPy's, with the background of each bin maximised by SciPy, too."""
    source, sigma = EXPOSURE * RATES, np.sqrt(np.maximum(OFF, 1.0))
    values = {
        counting.pstat: stats.poisson.logpmf(COUNTS, source).sum(),
        counting.ppstat: sum(
            best_over_backgrounds(
                lambda b, i=i: (
                    stats.poisson.logpmf(COUNTS[i], source[i] + EXPOSURE * b)
                    + stats.poisson.logpmf(OFF[i], OFF_EXPOSURE * b)
                )
            )
            for i in range(5)
        ),
        counting.pgstat: sum(
            best_over_backgrounds(
                lambda b, i=i: (
                    stats.poisson.logpmf(COUNTS[i], source[i] + EXPOSURE * b)
                    + stats.norm.logpdf(OFF[i], OFF_EXPOSURE * b, sigma[i])
                )
            )
            for i in range(5)
            if OFF[i] > 0  # there b < 0 is best, which only the total has to be positive for
        ),
        counting.gstat: sum(
            best_over_backgrounds(
                lambda b, i=i: (
                    stats.norm.logpdf(COUNTS[i], source[i] + EXPOSURE * b, max(COUNTS[i], 1.0) ** 0.5)
                    + stats.norm.logpdf(OFF[i], OFF_EXPOSURE * b, sigma[i])
                )
            )
            for i in (0, 3, 4)
        ),
    }
    chosen = {counting.pgstat: np.array([0, 1, 3, 4]), counting.gstat: np.array([0, 3, 4])}
    for statistic, expected in values.items():
        likelihood = one(statistic, chosen.get(statistic, slice(None)))
        found = likelihood.logpdf(likelihood.init, likelihood.data)
        np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=statistic.__name__)


@pytest.fixture(scope="module")
def histfactory():
    """The bins with background counts as a channel with `shapesys` of tau = the background counts."""
    chosen = np.array([0, 1, 3, 4])
    nominal = OFF[chosen] * EXPOSURE / OFF_EXPOSURE
    free = {"name": "scale", "type": "normfactor", "data": None}
    shape = {"name": "background", "type": "shapesys", "data": (nominal / np.sqrt(OFF[chosen])).tolist()}
    samples = [
        {"name": "source", "data": (EXPOSURE * RATES[chosen]).tolist(), "modifiers": [free]},
        {"name": "background", "data": nominal.tolist(), "modifiers": [shape]},
    ]
    document = {
        "channels": [{"name": "s", "samples": samples}],
        "observations": [{"name": "s", "data": COUNTS[chosen].tolist()}],
        "measurements": [{"name": "m", "config": {"poi": "scale", "parameters": []}}],
        "version": "1.0.0",
    }
    model = histjax.compile(histjax.read(document))
    return histjax.profiled(model), one(counting.ppstat, chosen).with_poi("s.scale")


def test_the_profile_of_histfactory(histfactory):
    """The same function of the scale; 5.4053576178 at 1 is -2 ln of the ratio of the profile and the saturated
    likelihood that pyhf 0.7.6 gives.
    """
    profile, likelihood = histfactory
    data, own = profile.ravel_data(profile.data), likelihood.ravel_data(likelihood.data)
    for scale in (0.0, 0.3, 1.0, 4.0):
        expected = profile.nll(jnp.array([scale]), data)
        np.testing.assert_allclose(likelihood.nll(jnp.array([scale]), own), expected, rtol=1e-9)
    np.testing.assert_allclose(2 * likelihood.nll(jnp.array([1.0]), own), 5.4053576178000355, rtol=1e-11)


def test_hypothesis_tests_of_histfactory(histfactory):
    """CLs, observed and expected, of a tested scale: those of the HistFactory model."""
    expected, found = (histjax.hypotest(each, poi_value=3.0) for each in histfactory)
    np.testing.assert_allclose(found.CLs, expected.CLs, rtol=1e-7)
    np.testing.assert_allclose(found.CLs_expected, expected.CLs_expected, rtol=1e-7)


@pytest.mark.parametrize("statistic", BAYSPEC, ids=lambda each: each.__name__)
def test_expected_data(statistic):
    """For the data that it expects the likelihood is as good as any: its statistic is 0."""
    likelihood = one(statistic)
    assert likelihood.describes_asimov
    asimov = likelihood.expected_flat(likelihood.parameters.init)
    assert likelihood.nll(likelihood.parameters.init, asimov) < 1e-12
    # with another reference the backgrounds are others
    doubled = likelihood.ravel_data(likelihood.data) * 2
    other = likelihood.conditioned_on(doubled).expected_flat(likelihood.parameters.init)
    assert (statistic is counting.pstat) == bool(jnp.all(other == asimov))


@pytest.mark.parametrize("statistic", BAYSPEC, ids=lambda each: each.__name__)
def test_draws(statistic):
    """Means and variances of 4000 draws within 5 standard deviations of those of the laws that the statistic is of."""
    likelihood = one(statistic)
    expected = np.asarray(likelihood.expected_flat(likelihood.parameters.init))
    keys = jax.random.split(jax.random.key(3), 4000)
    draws = np.asarray(jax.vmap(lambda key: likelihood.draw_flat(key, likelihood.parameters.init))(keys))
    widths = {
        counting.pstat: np.sqrt(expected),
        counting.ppstat: np.sqrt(expected),
        counting.pgstat: np.concatenate([np.sqrt(expected[:5]), np.sqrt(np.maximum(OFF, 1.0))]),
        counting.gstat: np.sqrt(np.maximum(np.concatenate([COUNTS, OFF]), 1.0)),
    }[statistic]
    assert draws.shape[1] == (5 if statistic is counting.pstat else 10)
    np.testing.assert_array_less(np.abs(draws.mean(axis=0) - expected), 5 * widths / 4000**0.5 + 1e-12)
    filled = widths > 0.5
    np.testing.assert_allclose(draws.std(axis=0)[filled], widths[filled], rtol=0.1)
    if statistic is not counting.gstat:
        np.testing.assert_array_equal(draws[:, :5], np.round(draws[:, :5]))


def test_counts_without_an_expectation():
    """A spectrum with a count where nothing is expected has no likelihood, and the fit says so."""
    spectrum, model = counting_spectrum(counting.pstat)
    likelihood = spectra.compile({"s": (spectrum, model)})
    assert likelihood.is_impossible(jnp.zeros(1), likelihood.observed)
    assert not likelihood.is_impossible(jnp.ones(1), likelihood.observed)
    result = histjax.fit(likelihood, fixed={"s.scale": 0.0}, throw=False)
    assert result.status == histjax.Status.IMPOSSIBLE


def test_a_known_posterior():
    """One bin of n counts with a flat prior of its mean from 0: the posterior is Gamma(n + 1, 1)."""
    from histjax.bayes import Flat, Posterior

    spectrum = spectra.Spectrum([7.0], 1.0, spectra.Response.diagonal([0.0, 1.0]))
    likelihood = spectra.compile({"s": (spectrum, spectra.SpectralModel(lambda energy, mean: mean, {"mean": 5.0}))})
    posterior = Posterior(likelihood, priors={"s.mean": Flat(0.0, np.inf)})
    for mean in (2.0, 7.0, 15.0):
        found = posterior.log_density(jnp.array([mean]))
        np.testing.assert_allclose(found, stats.gamma.logpdf(mean, 8.0), rtol=1e-12)
