"""Where samplers start: the top of the unconstrained posterior, and coordinates in which it is nearly a unit Gaussian.

With the covariance at the top known from exact second derivatives, a sampler has little left to adapt to.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax.bayes.posterior import Posterior
from histjax.bayes.unconstrained import Unconstrained, natural_sizes
from histjax.errors import InvalidModel
from histjax.fitting.fit import fit
from histjax.fitting.result import FitResult

MOST_STEPS = 60
SMALLEST_EIGENVALUE = 1e-3
"""Eigenvalues of the Hessian, scaled to unit diagonal, are taken to be at least this: flat directions stay finite."""
MARGIN = 0.02
"""A best fit on a bound is moved inside by this fraction of the parameter's size or range."""


class Whitened(NamedTuple):
    """Coordinates y of a point z = centre + root y; at the top of the posterior their covariance is the identity."""

    centre: Float[Array, "free"]
    root: Float[Array, "free free"]

    def z(self, y: Float[Array, "... free"]) -> Float[Array, "... free"]:
        """The unconstrained point."""
        return self.centre + y @ self.root.T


class Start(NamedTuple):
    """The best fit of the likelihood, constraint terms included, and the coordinates at the top of the posterior."""

    fit: FitResult
    whitened: Whitened


def find_start(posterior: Posterior) -> Start:
    """Fit, then climb to the top of the unconstrained density by damped Newton steps with exact second derivatives.

    **Raises:** `InvalidModel` where the density is not finite near the best fit.
    """
    space = posterior.unconstrained
    best = best_fit(posterior)
    z = np.asarray(space.unconstrain(jnp.asarray(_inside(posterior, np.asarray(best.vector)))))
    value, gradient, hessian = map(np.asarray, _derivatives(space, jnp.asarray(z)))
    if not (np.isfinite(value) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))):
        raise InvalidModel(
            "the posterior density is not finite at the best fit moved inside the support of the priors; give priors "
            "that allow it, or bounds where the likelihood is finite"
        )
    for _ in range(MOST_STEPS):
        step = -(_inverse_root(hessian) @ (_inverse_root(hessian).T @ gradient))
        if -(gradient @ step) < 1e-6:
            break
        z, value, gradient, hessian = _descended(space, z, value, step, gradient, hessian)
    return Start(best, Whitened(jnp.asarray(z), jnp.asarray(_inverse_root(hessian))))


def best_fit(posterior: Posterior) -> FitResult:
    """The largest likelihood, constraint terms included, on the support of the priors."""
    names, held = posterior.parameters.component_names, set(range(posterior.point.size)) - set(posterior.free)
    fixed = {names[place]: float(posterior.point[place]) for place in sorted(held)}
    lower, upper = np.asarray(posterior.lower), np.asarray(posterior.upper)
    bounds = {names[place]: (lower[place], upper[place]) for place in posterior.free}
    return fit(posterior.likelihood, posterior.data, fixed=fixed, bounds=bounds, throw=False)


def _inside(posterior: Posterior, vector: np.ndarray) -> np.ndarray:
    """A point inside the support, near `vector`."""
    lower, upper = np.asarray(posterior.lower), np.asarray(posterior.upper)
    ranges = np.where(np.isfinite(upper - lower), upper - lower, np.inf)
    margin = MARGIN * np.minimum(natural_sizes(posterior.parameters), ranges)
    vector = np.where(np.isfinite(vector), vector, np.asarray(posterior.point))
    return np.clip(vector, lower + margin, upper - margin)


def _descended(space: Unconstrained, z, value, step, gradient, hessian):
    """The point after as much of the step as lowers the value, with its derivatives."""
    length = 1.0
    while length > 1e-6:
        trial = z + length * step
        found = tuple(map(np.asarray, _derivatives(space, jnp.asarray(trial))))
        if np.isfinite(found[0]) and found[0] <= value + 1e-4 * length * (gradient @ step):
            return trial, *found
        length *= 0.4
    return z, value, np.zeros_like(gradient), hessian


def _inverse_root(hessian: np.ndarray) -> np.ndarray:
    """R with R R^T = the inverse of the Hessian, its scaled eigenvalues taken to be positive."""
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    return (vectors / np.sqrt(np.maximum(np.abs(values), SMALLEST_EIGENVALUE))) / scale[:, None]


@eqx.filter_jit
def _derivatives(space: Unconstrained, z: Float[Array, "free"]):
    """Minus ln of the density of z, its gradient and Hessian, from those of the likelihood by the chain rule: all else
    is a sum of functions of one component each.
    """
    posterior, free = space.posterior, np.array(space.posterior.free)
    ones = jnp.ones_like(z)

    def slopes(z):
        return jax.jvp(space.free_values, (z,), (ones,))[1]

    def other(z):
        vector = space.constrain(z)
        value = sum(posterior.groups[number].log_density(vector) for number in posterior.given)
        value -= sum(group.log_density(vector) for group in posterior.removed)
        return -(value + space.log_jacobian(z))

    first, second = jax.jvp(slopes, (z,), (ones,))
    nll, gradient, hessian = posterior.likelihood.nll_derivatives(space.constrain(z), posterior.data)
    rest, (slope, curvature) = other(z), jax.jvp(jax.grad(other), (z,), (ones,))
    diagonal = gradient[free] * second + curvature
    hessian = first[:, None] * hessian[np.ix_(free, free)] * first[None, :] + jnp.diag(diagonal)
    return nll - posterior.offset + rest, gradient[free] * first + slope, hessian
