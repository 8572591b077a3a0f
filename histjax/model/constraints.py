r"""The auxiliary measurements: one density for each constrained component, given the parameter vector.

| kind | density of the datum a | mean or median | source |
|---|---|---|---|
| normal | Gauss(a \| theta, sigma) | theta | CERN-OPEN-2012-016, section 4.1 |
| poisson | Pois(a \| tau theta) | tau theta | section 5.3 |
| gamma | tau Pois(tau a \| tau theta) as a function of theta: Gamma(theta; tau a + 1, 1/tau) | theta | section 4.4 |
| lognormal | Gauss(ln a \| ln theta, ln kappa) / a | theta | section 4.4 |
| correlated | Gauss(a \| theta, covariance) | theta | |
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from histjax.lower.templates import Tables
from histjax.model.density import (
    draw_poisson,
    log_normal_saturated,
    log_poisson_saturated,
    poisson_derivatives,
    poisson_deviance,
)

SMALLEST = 1e-10
"""The logarithm of a parameter below it is taken there; its bound keeps it above."""


class Constraints(eqx.Module):
    """Widths and centres of the constraint terms.

    `sigmas` are the widths of the Gaussian terms; `factors` the rates tau of the Poisson and gamma terms, `units` their
    counts per unit of datum (1 or tau); `log_kappas` the widths of the log-normal terms; `correlated_factor` the lower
    Cholesky factor of the covariance of the correlated terms; `auxdata` the nominal auxiliary data in the order of
    `Layout.constrained`; `inert` marks the components that a rule on empty bins holds at their initial value; `widths`
    are prefit uncertainties per parameter, 0 where inert, NaN where free.
    """

    sigmas: Float[Array, "normals"]
    factors: Float[Array, "poissons"]
    units: Float[Array, "poissons"]
    log_kappas: Float[Array, "lognormals"]
    correlated_factor: Float[Array, "correlated correlated"]
    auxdata: Float[Array, "auxiliaries"]
    inert: Bool[Array, "parameters"]
    widths: Float[Array, "parameters"]


def log_saturated(tables: Tables, constraints: Constraints, auxiliary: Array) -> Float[Array, "auxiliaries"]:
    """The log density of each datum where the expectation equals it."""
    c, t = constraints, tables
    counts = c.units * auxiliary[t.poisson_auxiliary]
    correlated = log_normal_saturated(jnp.diagonal(c.correlated_factor))
    lognormal = log_normal_saturated(c.log_kappas) - jnp.log(auxiliary[t.lognormal_auxiliary])
    return _by_kind(
        tables,
        auxiliary,
        normal=log_normal_saturated(c.sigmas),
        poisson=log_poisson_saturated(counts) + jnp.log(c.units),
        lognormal=lognormal,
        correlated=correlated,
    )


def half_deviances(tables: Tables, constraints: Constraints, vector: Array, auxiliary: Array) -> Float[Array, "aux"]:
    """Half the deviance of each datum; those of correlated data are meant to be summed.

    Poisson terms are taken per unit of tau: differentiated with respect to a tau of 1e11, counts lose all digits.
    """
    c, t = constraints, tables
    counts = c.units * auxiliary[t.poisson_auxiliary]
    return _by_kind(
        tables,
        auxiliary,
        normal=0.5 * ((auxiliary[t.normal_auxiliary] - vector[t.normal_parameter]) / c.sigmas) ** 2,
        poisson=c.factors * poisson_deviance(counts / c.factors, vector[t.poisson_parameter]),
        lognormal=0.5 * (_log_ratio(tables, vector, auxiliary) / c.log_kappas) ** 2,
        correlated=0.5 * _whitened(tables, constraints, vector, auxiliary) ** 2,
    )


def _by_kind(tables: Tables, auxiliary: Array, **values: Array) -> Float[Array, "auxiliaries"]:
    """Values of the kinds of terms, in the order of the auxiliary data."""
    result = jnp.zeros_like(auxiliary)
    for kind, value in values.items():
        result = result.at[getattr(tables, f"{kind}_auxiliary")].set(value)
    return result


def _log_ratio(tables: Tables, vector: Array, auxiliary: Array) -> Float[Array, "lognormals"]:
    theta = jnp.maximum(vector[tables.lognormal_parameter], SMALLEST)
    return jnp.log(theta / auxiliary[tables.lognormal_auxiliary])


def _whitened(tables: Tables, constraints: Constraints, vector: Array, auxiliary: Array) -> Float[Array, "correlated"]:
    """The residuals of the correlated terms, made independent and of unit width."""
    residual = auxiliary[tables.correlated_auxiliary] - vector[tables.correlated_parameter]
    return jax.scipy.linalg.solve_triangular(constraints.correlated_factor, residual, lower=True)


def constraint_derivatives(
    tables: Tables, constraints: Constraints, vector: Array, auxiliary: Array
) -> tuple[
    Float[Array, ""], Float[Array, "parameters"], Float[Array, "parameters"], Float[Array, "correlated correlated"]
]:
    """The sum of `half_deviances`, its gradient, the diagonal of its Hessian, and the block of the correlated terms,
    which comes on top.
    """
    c, t = constraints, tables
    slopes, curvatures = jnp.zeros_like(vector), jnp.zeros_like(vector)
    for index, slope, curvature in (
        _normal(tables, constraints, vector, auxiliary),
        _poisson(tables, constraints, vector, auxiliary),
        _lognormal(tables, constraints, vector, auxiliary),
    ):
        slopes, curvatures = slopes.at[index].add(slope), curvatures.at[index].add(curvature)
    block = jnp.zeros((t.correlated_parameter.size,) * 2, vector.dtype)
    if t.correlated_parameter.size:
        identity = jnp.eye(t.correlated_parameter.size, dtype=vector.dtype)
        root = jax.scipy.linalg.solve_triangular(c.correlated_factor, identity, lower=True)
        slopes = slopes.at[t.correlated_parameter].add(-root.T @ _whitened(tables, constraints, vector, auxiliary))
        block = root.T @ root
    return jnp.sum(half_deviances(tables, constraints, vector, auxiliary)), slopes, curvatures, block


def _normal(tables: Tables, constraints: Constraints, vector, auxiliary):
    index = tables.normal_parameter
    pull = (vector[index] - auxiliary[tables.normal_auxiliary]) / constraints.sigmas
    return index, pull / constraints.sigmas, constraints.sigmas**-2


def _poisson(tables: Tables, constraints: Constraints, vector, auxiliary):
    index, tau = tables.poisson_parameter, constraints.factors
    observed = constraints.units * auxiliary[tables.poisson_auxiliary] / tau
    slope, curvature = poisson_derivatives(observed, vector[index])
    return index, tau * slope, tau * curvature


def _lognormal(tables: Tables, constraints: Constraints, vector, auxiliary):
    index, theta = tables.lognormal_parameter, vector[tables.lognormal_parameter]
    moves, safe = theta > SMALLEST, jnp.maximum(theta, SMALLEST)
    distance, precision = _log_ratio(tables, vector, auxiliary), constraints.log_kappas**-2
    slope = jnp.where(moves, precision * distance / safe, 0.0)
    return index, slope, jnp.where(moves, precision * (1 - distance) / safe**2, 0.0)


def expected_auxiliary(tables: Tables, constraints: Constraints, vector: Array) -> Float[Array, "auxiliaries"]:
    """The auxiliary data of which `vector` is the best description."""
    mean = vector[tables.auxiliary_parameter]
    return mean.at[tables.poisson_auxiliary].multiply(constraints.factors / constraints.units, unique_indices=True)


def centres(tables: Tables, constraints: Constraints, auxiliary: Array) -> Float[Array, "parameters"]:
    """The parameters of which `auxiliary` are the expected data, NaN where there are none."""
    preferred = auxiliary.at[tables.poisson_auxiliary].multiply(
        constraints.units / constraints.factors, unique_indices=True
    )
    return jnp.full_like(constraints.widths, jnp.nan).at[tables.auxiliary_parameter].set(preferred)


def widths_root(tables: Tables, constraints: Constraints) -> Float[Array, "parameters parameters"]:
    """A matrix R with R R^T = the prefit covariance."""
    root = jnp.diag(jnp.nan_to_num(constraints.widths))
    index = tables.correlated_parameter
    return root.at[jnp.ix_(index, index)].set(constraints.correlated_factor) if index.size else root


def draw_auxiliary(
    gaussian: PRNGKeyArray, counting: PRNGKeyArray, tables: Tables, constraints: Constraints, vector: Array
) -> Float[Array, "auxiliaries"]:
    """One set of auxiliary data thrown at `vector`."""
    c, t, mean = constraints, tables, expected_auxiliary(tables, constraints, vector)
    sizes = c.sigmas.size, c.log_kappas.size, t.correlated_parameter.size
    z = jax.random.normal(gaussian, (sum(sizes),), mean.dtype)
    normal, lognormal, correlated = jnp.split(z, np.cumsum(sizes)[:-1])
    drawn = mean.at[t.normal_auxiliary].add(c.sigmas * normal)
    drawn = drawn.at[t.lognormal_auxiliary].multiply(jnp.exp(c.log_kappas * lognormal), unique_indices=True)
    drawn = drawn.at[t.correlated_auxiliary].add(c.correlated_factor @ correlated)
    counts = draw_poisson(counting, c.factors * vector[t.poisson_parameter])
    return drawn.at[t.poisson_auxiliary].set(counts / c.units)
