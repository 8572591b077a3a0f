"""Priors and their quantiles against scipy.stats; sampled through the bijections they are what was asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from histjax.bayes import (
    Density,
    Flat,
    Gamma,
    LogNormal,
    LogUniform,
    Normal,
    Posterior,
    Uniform,
    sample_nuts,
)
from histjax.errors import InvalidModel
from tests.bayes.cases import Nothing

PRIORS = {
    "uniform": (Uniform(-1.0, 3.0), stats.uniform(-1, 4)),
    "loguniform": (LogUniform(0.01, 50.0), stats.loguniform(0.01, 50)),
    "normal": (Normal(1.0, 0.5), stats.norm(1, 0.5)),
    "positive": (Normal(0.3, 0.5, lower=0.0), stats.truncnorm(-0.6, np.inf, 0.3, 0.5)),
    "tail": (Normal(0.0, 1.0, lower=9.0), stats.truncnorm(9, np.inf)),
    "below": (Normal(0.0, 1.0, upper=0.5), stats.truncnorm(-np.inf, 0.5)),
    "lognormal": (LogNormal(2.0, 1.5), stats.lognorm(np.log(1.5), scale=2)),
    "gamma": (Gamma(3.0, 2.0), stats.gamma(3, scale=0.5)),
    "triangle": (Density(jnp.log, 0.0, 2.0), stats.triang(1.0, 0, 2)),
    "bump": (Density(lambda x: -0.5 * x**2, -3.0, 4.0), stats.truncnorm(-3, 4)),
}
"""Each with the same distribution of scipy."""

PROBABILITIES = np.array([1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6])


@pytest.mark.parametrize("name", PRIORS)
def test_quantiles(name):
    """The way from the unit interval is scipy's."""
    prior, expected = PRIORS[name]
    np.testing.assert_allclose(prior.quantile(PROBABILITIES), expected.ppf(PROBABILITIES), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PRIORS)
def test_log_densities(name):
    """Normalised, and minus infinity outside the support."""
    prior, expected = PRIORS[name]
    points = expected.ppf(PROBABILITIES)
    np.testing.assert_allclose(prior.log_density(points), expected.logpdf(points), rtol=1e-9, atol=1e-9)
    outside = [x for x in (prior.lower - 1.0, prior.upper + 1.0) if np.isfinite(x)]
    assert np.all(np.isneginf(prior.log_density(np.array(outside))))


@pytest.fixture(scope="module")
def drawn():
    """Draws of all priors together, through the bijections; the likelihood says nothing."""
    likelihood = Nothing(tuple(PRIORS))
    posterior = Posterior(likelihood, priors={name: prior for name, (prior, _) in PRIORS.items()})
    return posterior, sample_nuts(posterior, 3000, key=jax.random.key(20240117), target_acceptance=0.9)


@pytest.mark.parametrize("name", PRIORS)
def test_prior_alone(drawn, name):
    """A Kolmogorov-Smirnov test of nearly independent draws; a wrong Jacobian fails by many orders of magnitude."""
    _, samples = drawn
    column = samples.params[name][:, ::6].ravel()
    assert stats.kstest(column, PRIORS[name][1].cdf).pvalue > 1e-3


def test_unit_cube(drawn):
    """Coordinates of the cube belong to the parameters in their order."""
    posterior, _ = drawn
    cube = np.linspace(0.1, 0.9, len(PRIORS))
    expected = [distribution.ppf(u) for (_, distribution), u in zip(PRIORS.values(), cube, strict=True)]
    np.testing.assert_allclose(posterior.from_unit_cube(cube), expected, rtol=1e-9)
    assert posterior.from_unit_cube(np.stack([cube, cube])).shape == (2, len(PRIORS))


def test_bijections(drawn):
    """There and back; the Jacobian is the derivative."""
    posterior, _ = drawn
    space = posterior.unconstrained
    assert set(space.kinds) == {"both", "lower", "upper", "none"}
    z = jnp.linspace(-3.0, 3.0, space.size)
    np.testing.assert_allclose(space.unconstrain(space.constrain(z)), z, rtol=1e-9, atol=1e-9)
    slopes = np.diagonal(jax.jacfwd(space.free_values)(z))
    np.testing.assert_allclose(space.log_jacobian(z), np.sum(np.log(slopes)), rtol=1e-12)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Uniform(1.0, 1.0), "lower < upper"),
        (lambda: Uniform(0.0, np.inf), "both finite"),
        (lambda: LogUniform(0.0, 1.0), "0 < lower"),
        (lambda: Normal(0.0, 0.0), "width > 0"),
        (lambda: LogNormal(1.0, 1.0), "kappa > 1"),
        (lambda: Gamma(0.0, 1.0), "shape > 0"),
        (lambda: Density(lambda x: x * jnp.inf, 0.0, 1.0), "finite integral"),
        (lambda: Flat().quantile(0.5), "no quantiles"),
    ],
)
def test_what_is_no_prior(make, message):
    """Refused with what was expected."""
    with pytest.raises(InvalidModel, match=message):
        make()
