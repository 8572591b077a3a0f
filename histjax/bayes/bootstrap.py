"""Draws of best-fit points: `parametric_bootstrap` by toys, `covariance_bootstrap` from the covariance of a fit.

Both give `Samples`, as samplers do; they describe the estimator, not a posterior.
"""

import warnings
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from histjax.bayes.samples import Samples
from histjax.bayes.sampling import check_count, key_words
from histjax.errors import FailedToys, InvalidModel
from histjax.fitting.covariance import covariance_root
from histjax.fitting.fit import fit, fit_problem, solve
from histjax.fitting.newton import Newton
from histjax.fitting.result import FitResult, Status
from histjax.inference.toys.p_values import FAILURES_TO_WARN
from histjax.model.likelihood import Likelihood

ROUND = 4096
"""Gaussian draws that are made at a time."""
MOST_ROUNDS = 1000


def parametric_bootstrap(
    likelihood: Likelihood,
    data=None,
    *,
    n_toys: int,
    key,
    fixed: Mapping[str, ArrayLike] | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Samples:
    """Best fits of toys that are thrown at the best fit of `data`, auxiliary data included (Efron 1979).

    The first draw is the best fit itself. Toys whose fit has no certificate are left out; more than one in a thousand
    of them is a `FailedToys` warning.

    **Raises:** as `histjax.fit`, `InvalidModel`.

    >>> import histjax
    >>> from histjax.bayes import parametric_bootstrap
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> toys = parametric_bootstrap(model, n_toys=100, key=jax.random.key(1))
    >>> toys.params["mu"].shape
    (1, 101)
    """
    check_count("n_toys", n_toys)
    words = key_words(key)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    best = fit(likelihood, data, fixed=fixed, bounds=bounds)
    problem = fit_problem(likelihood.parameters, fixed or {}, best, bounds or {})
    problem = problem._replace(start=np.asarray(best.vector), fixed=np.asarray(best.fixed))
    keys = jax.vmap(lambda toy: jax.random.fold_in(key, toy))(jnp.arange(n_toys))
    vectors, statuses = map(np.asarray, _fitted(likelihood, best.vector, problem, keys))
    good = statuses <= Status.FLAT
    if np.mean(~good) > FAILURES_TO_WARN:
        warnings.warn(f"{np.sum(~good)} of {n_toys} toys have no certified fit", FailedToys, stacklevel=2)
    about = {"sampler": "bootstrap", "seed": words, "n_toys": n_toys, "n_failed": int(np.sum(~good))}
    return _samples("bootstrap", likelihood, data, best, vectors[good], about)


def covariance_bootstrap(
    likelihood: Likelihood,
    result: FitResult,
    data=None,
    *,
    n_draws: int,
    key,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Samples:
    """Gaussian draws around a best fit with its covariance; those outside the bounds are drawn again.

    The first draw is the best fit itself. Parameters that a bound holds stay there. It is *not* a bootstrap of data,
    but what is often called so.

    **Raises:** `InvalidModel` where next to nothing falls inside the bounds.
    """
    check_count("n_draws", n_draws)
    words = key_words(key)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    problem = fit_problem(likelihood.parameters, {}, {}, bounds or {})
    held = np.asarray(result.fixed | result.active)
    root = np.asarray(covariance_root(result.structure, result.curvature, jnp.asarray(held)))
    centre, found, rounds = np.asarray(result.vector), np.zeros((0, held.size)), 0
    while len(found) < n_draws:
        if rounds == MOST_ROUNDS or (rounds == 10 and not len(found)):
            raise InvalidModel(
                "next to none of the Gaussian draws lies inside the bounds of all parameters; use a posterior or "
                "parametric_bootstrap"
            )
        normal = np.asarray(jax.random.normal(jax.random.fold_in(key, rounds), (ROUND, root.shape[1])))
        drawn = centre + normal @ root.T
        inside = (drawn >= np.asarray(problem.lower)) & (drawn <= np.asarray(problem.upper))
        found, rounds = np.concatenate([found, drawn[np.all(inside | held, axis=1)]]), rounds + 1
    about = {"sampler": "covariance", "seed": words, "n_draws": n_draws}
    return _samples("covariance", likelihood, data, result, found[:n_draws], about)


@eqx.filter_jit
def _fitted(likelihood: Likelihood, vector, problem, keys):
    """Best fits and statuses of toys, one after the other."""

    def one(key):
        found = solve(likelihood, likelihood.draw_flat(key, vector), problem, Newton(), False)
        return found.vector, found.status

    return jax.lax.map(one, keys)


def _samples(sampler: str, likelihood: Likelihood, data, best: FitResult, vectors, about: dict) -> Samples:
    """The best fit, then the others, with what the likelihood of the observed data is there."""
    vectors = np.concatenate([np.asarray(best.vector)[None], vectors])
    logpdf = np.asarray(_logpdfs(likelihood, data, jnp.asarray(vectors)))[None]
    free = tuple(map(int, np.flatnonzero(~np.asarray(best.fixed))))
    fields = likelihood.parameters.sets, likelihood.poi, free, vectors[None], logpdf, logpdf
    numbers = {"max_logpdf": -0.5 * float(best.twice_nll), "n_observations": float(likelihood.n_observations)}
    return Samples(sampler, *fields, **numbers, about=about)


@eqx.filter_jit
def _logpdfs(likelihood: Likelihood, data, vectors):
    saturated = likelihood.saturated_logpdf(data)
    return jax.lax.map(lambda vector: saturated - likelihood.nll(vector, data), vectors)
