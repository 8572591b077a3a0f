"""Posterior densities: their normalisation, what takes the place of constraint terms, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import histjax
from histjax.bayes import Density, LogUniform, Normal, Posterior, Uniform
from histjax.bayes.starting import find_start
from histjax.constraints import Gamma, LogNormal, MultivariateNormal
from histjax.errors import InvalidModel, UnknownName
from tests.bayes.cases import OFF, ON, TAU, on_off
from tests.cli.running import workspace


@pytest.fixture(scope="module")
def two_bins():
    """pyhf's example of two bins."""
    return histjax.compile(histjax.read(histjax.examples.path("two_bins")))


def test_evidence_by_quadrature(two_bins):
    """ln Z = -20.21466663557863, by quadrature of pyhf 0.7.6's density with mu ~ U(0, 5), gammas ~ U(0, 3)."""
    priors = {"mu": Uniform(0.0, 5.0), "uncorr_bkguncrt": Uniform(0.0, 3.0)}
    posterior = Posterior(two_bins, priors=priors, keep_constraints=True)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    mu, gamma = 2.5 * (nodes + 1), 0.5 + 0.5 * (nodes + 1)  # nothing of the gammas is outside (0.5, 1.5)
    grid = np.stack([each.ravel() for each in np.meshgrid(mu, gamma, gamma, indexing="ij")], axis=1)
    logs = jax.lax.map(posterior.log_density, jnp.asarray(grid), batch_size=4096)
    volume = np.einsum("i,j,k->ijk", 2.5 * weights, 0.5 * weights, 0.5 * weights).ravel()
    np.testing.assert_allclose(np.log(volume @ np.exp(np.asarray(logs))), -20.21466663557863, rtol=1e-7)


def constrained(kind):
    """A bin with a background whose parameter has this constraint term."""
    document = workspace(
        [
            {"name": "signal", "data": [1.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
            {"name": "background", "data": [50.0], "modifiers": [{"name": "k", "type": "normfactor", "data": None}]},
        ],
        [55.0],
    )
    return histjax.compile(histjax.read(document), constraints={"k": kind})


KINDS = {
    "normal": (histjax.constraints.Normal(0.2, 1.1), stats.truncnorm(-1.1 / 0.2, 8.9 / 0.2, 1.1, 0.2)),
    "poisson": (histjax.constraints.Poisson(25.0), stats.gamma(26, scale=1 / 25)),
    "gamma": (Gamma(0.25), stats.gamma(17, scale=1 / 16)),
    "lognormal": (LogNormal(1.3), stats.lognorm(np.log(1.3), scale=np.exp(np.log(1.3) ** 2))),
}
"""Constraint terms, and what they say of their parameter when the prior is flat between 0 and 10."""


@pytest.fixture(scope="module")
def by_kind():
    """The models of these terms."""
    return {name: constrained(kind) for name, (kind, _) in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_constraint_terms_are_priors(by_kind, name):
    """By default the prior is the term as a density of its parameter, and the likelihood what is left: the Poisson."""
    posterior = Posterior(by_kind[name], priors={"mu": Uniform(0.0, 5.0)})
    vector = by_kind[name].ravel({"mu": jnp.array(2.0), "k": jnp.array(1.2)})
    expected = KINDS[name][1].logpdf(1.2) - np.log(5.0)
    np.testing.assert_allclose(posterior.log_prior(vector), expected, rtol=1e-9)
    np.testing.assert_allclose(posterior.log_likelihood(vector), stats.poisson.logpmf(55, 62.0), rtol=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_priors_replace_constraint_terms(by_kind, name):
    """A prior takes the place of the term, or is multiplied with it."""
    model = by_kind[name]
    priors, vector = (
        {"mu": Uniform(0.0, 5.0), "k": Uniform(0.5, 2.5)},
        model.ravel({"mu": jnp.array(2.0), "k": jnp.array(1.2)}),
    )
    replaced = Posterior(model, priors=priors).log_density(vector)
    np.testing.assert_allclose(replaced, stats.poisson.logpmf(55, 62.0) - np.log(10.0), rtol=1e-9)
    both = Posterior(model, priors=priors, keep_constraints=True).log_density(vector)
    np.testing.assert_allclose(both, model.logpdf(model.unravel(vector), model.data) - np.log(10.0), rtol=1e-12)


def test_on_off_evidence():
    """The likelihood is that of the main measurement: Z is negative binomial for a known signal of 0."""
    model = on_off()
    posterior = Posterior(model, fixed={"mu": 0.0})
    nodes, weights = np.polynomial.legendre.leggauss(100)
    logs = jax.vmap(lambda gamma: posterior.log_density(jnp.stack([0.0, gamma])))(2.5 * (nodes + 1))
    evidence = 2.5 * weights @ np.exp(np.asarray(logs))
    np.testing.assert_allclose(evidence, stats.nbinom.pmf(ON, OFF + 1, TAU / (1 + TAU)), rtol=1e-8)


def test_top_of_the_density(two_bins):
    """The start is where the gradient vanishes, in coordinates in which the Hessian by automatic differentiation is
    the identity, also for a prior without a name.
    """
    priors = {"mu": LogUniform(0.01, 5.0), "uncorr_bkguncrt[1]": Density(lambda x: -3.0 * (x - 1.2) ** 4, 0.0, 3.0)}
    posterior = Posterior(two_bins, priors=priors)
    whitened, space = find_start(posterior).whitened, posterior.unconstrained
    gradient, hessian = jax.jit(lambda z: (jax.grad(space.log_density)(z), jax.hessian(space.log_density)(z)))(
        whitened.centre
    )
    root = np.asarray(whitened.root)
    np.testing.assert_allclose(root.T @ np.asarray(gradient), 0.0, atol=1e-3)
    np.testing.assert_allclose(-root.T @ np.asarray(hessian) @ root, np.eye(3), atol=1e-8)


def test_fixed_components(two_bins):
    """They are left out, whatever value they are held at."""
    posterior = Posterior(two_bins, fixed={"mu": -0.5, "uncorr_bkguncrt[0]": 1.1})
    space = posterior.unconstrained
    assert posterior.free_names == ("uncorr_bkguncrt[1]",)
    np.testing.assert_allclose(space.constrain(jnp.zeros(1))[:2], [-0.5, 1.1])
    assert np.isfinite(space.log_density(jnp.zeros(1)))


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"priors": {"nu": Uniform(0, 1)}}, UnknownName, "no parameter named 'nu'"),
        ({"priors": {"mu": 1.0}}, InvalidModel, "must be one of histjax.bayes"),
        ({"priors": {"mu": Uniform(0, 1)}, "fixed": {"mu": 1.0}}, InvalidModel, "'mu' is fixed and has no prior"),
        ({"fixed": {"mu": 1.0, "uncorr_bkguncrt": 1.0}}, InvalidModel, "every parameter is fixed"),
        ({"priors": {"uncorr_bkguncrt": Uniform([0, 0, 0], [1, 1, 1])}}, InvalidModel, "3 entries for 2 components"),
    ],
)
def test_what_is_refused(two_bins, options, error, message):
    """With one message."""
    with pytest.raises(error, match=message):
        Posterior(two_bins, **options)


def test_correlated_terms_stay():
    """A correlated term cannot be taken out for one parameter; with it, the prior is improper."""
    document = workspace(
        [
            {
                "name": "background",
                "data": [50.0],
                "modifiers": [{"name": name, "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}} for name in "ab"],
            }
        ],
        [55.0],
        poi="",
    )
    term = {("a", "b"): MultivariateNormal([[1.0, 0.5], [0.5, 1.0]])}
    model = histjax.compile(histjax.read(document), constraints=term)
    with pytest.raises(InvalidModel, match="correlated constraint term of 'a' cannot be taken out"):
        Posterior(model, priors={"a": Normal(0.0, 1.0)})
    assert Posterior(model).improper == ("a", "b")
    vector = jnp.array([0.3, -0.2])
    expected = float(model.logpdf(model.unravel(vector), model.data))
    assert float(Posterior(model).log_density(vector)) == pytest.approx(expected, rel=1e-12)
