"""Densities of several variables: the multivariate normal, and the constraint of Barlow and Beeston's light method."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.scipy.linalg
import numpy as np
from jaxtyping import Array

from histjax._typing import is_traced
from histjax.hs3.densities.basic import log_poisson, log_poisson_sum
from histjax.hs3.intervals import DROPS, ROOT_TWO_PI, log_normal_integral, log_panels, positive, standardised
from histjax.hs3.nodes import Arguments, Distribution, Point, Unreadable, arguments, as_arguments, value

Matrix = tuple[Arguments, ...]


def as_matrix(found) -> Matrix:
    """Rows of names and numbers, as many as columns."""
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        raise Unreadable("a list of rows")
    rows = tuple(as_arguments(row) for row in found)
    if any(len(row) != len(rows) for row in rows):
        raise Unreadable("as many rows as columns")
    return rows


@dataclass(frozen=True, kw_only=True)
class MultivariateNormal(Distribution):
    r"""Multivariate normal: \(f = \exp(-\frac{1}{2} (x - \mu)^T \Sigma^{-1} (x - \mu))\) (HS3 "Multivariate normal
    distribution"; RooMultiVarGaussian).

    Keys `x` and `mean` (lists of names and numbers), and `covariances` (rows of the matrix, symmetric, positive
    definite), or ROOT's `standard_deviations` and `correlations`. A matrix that is not positive definite gives "not a
    number".

    Closed integral over all variables where no range bounds them, one variable alone, or two: then by Gauss-Legendre
    over the first with the second in closed form, to 1e-10. For three or more that are bounded the general quadrature
    is left (up to three). ROOT leaves the tails out of every range that reaches 4 sigma around the mean.
    """

    types = ("multivariate_normal_dist",)
    x: Arguments = arguments("x")
    mean: Arguments = arguments("mean")
    covariances: Matrix | None = value("covariances", read=as_matrix, default=None, refers=True)
    standard_deviations: Arguments | None = arguments("standard_deviations", default=None)
    correlations: Matrix | None = value("correlations", read=as_matrix, default=None, refers=True)

    @staticmethod
    def check(found: dict) -> list[str]:
        """Sizes that agree; numbers that make a covariance matrix."""
        size = len(found["x"])
        by_parts = found["standard_deviations"] is not None and found["correlations"] is not None
        if (found["covariances"] is None) != by_parts:
            return ["needs either 'covariances', or 'standard_deviations' and 'correlations'"]
        keys = ("mean", "standard_deviations", "correlations") if by_parts else ("mean", "covariances")
        problems = [f"{key!r} has {len(found[key])} entries, 'x' {size}" for key in keys if len(found[key]) != size]
        matrix = found["correlations" if by_parts else "covariances"]
        if problems or any(isinstance(each, str) for row in matrix for each in row):
            return problems
        matrix = np.array(matrix)
        if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0):
            return ["the matrix is not symmetric"]
        return [] if np.linalg.eigvalsh(matrix)[0] > 0 else ["the matrix is not positive definite"]

    def log_density(self, at: Point) -> Array:
        """-|z|^2/2 with the lower triangle L of the covariance and L z = x - mean."""
        deviations = jnp.broadcast_arrays(*(at(x) - at(mean) for x, mean in zip(self.x, self.mean, strict=True)))
        lower, flat = self._lower(at), jnp.stack([jnp.ravel(each) for each in deviations])
        z = jax.scipy.linalg.solve_triangular(lower, flat, lower=True)
        return -0.5 * jnp.sum(z * z, axis=0).reshape(deviations[0].shape)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """Closed where the class says so."""
        if set(over) != {each for each in self.x if isinstance(each, str)} or len(over) != len(self.x):
            return None
        lower, limits = self._lower(at), [at.limits(each) for each in self.x]
        scale = jnp.sum(jnp.log(jnp.diagonal(lower)))
        ends = [end for pair in limits for end in pair]
        if not is_traced(*ends) and bool(np.all(np.isinf(ends))):
            return scale + len(self.x) * float(np.log(ROOT_TWO_PI))
        means = [at(each) for each in self.mean]
        if len(self.x) == 1:
            return scale + log_normal_integral(*(standardised(each, means[0], lower[0, 0]) for each in limits[0]))
        return scale + _log_rectangle(lower, means, limits) if len(self.x) == 2 else None

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The mean, and points around it that are a few sigma apart."""
        if observable not in self.x:
            return ()
        place = self.x.index(observable)
        sigma = jnp.linalg.norm(self._lower(at)[place])
        return tuple(at(self.mean[place]) + shift * sigma for shift in (-6.0, -3.0, -1.0, 1.0, 3.0, 6.0))

    def _lower(self, at: Point) -> Array:
        """The lower triangle whose square is the covariance matrix."""
        if self.covariances is not None:
            return jnp.linalg.cholesky(jnp.stack([jnp.stack([at(each) for each in row]) for row in self.covariances]))
        correlations = jnp.stack([jnp.stack([at(each) for each in row]) for row in self.correlations])
        deviations = jnp.stack([positive(at(each)) for each in self.standard_deviations])
        return deviations[:, None] * jnp.linalg.cholesky(correlations)


@dataclass(frozen=True, kw_only=True)
class BarlowBeestonLite(Distribution):
    r"""Poisson constraints: \(f = \prod_i \mathrm{Poisson}(x_i \tau_i | \tau_i)\), continued by the gamma function (HS3
    "Barlow-Beeston-Lite Constraint distribution"; R. Barlow and C. Beeston, Comput. Phys. Commun. 77 (1993) 219; ROOT
    and PyHS3 have it inside `histfactory_dist` only).

    Keys `x` (list of names and numbers) and `expected` (list of the tau > 0). Normalised like the Poisson distribution:
    by the sum over whole numbers x_i tau_i in the ranges, which is 1 but for the tails.
    """

    types = ("barlow_beeston_lite_poisson_constraint_dist",)
    counts = True
    x: Arguments = arguments("x")
    expected: Arguments = arguments("expected")

    @staticmethod
    def check(found: dict) -> list[str]:
        """As many expected values as variables."""
        counts = len(found["x"]), len(found["expected"])
        return [] if counts[0] == counts[1] else [f"'x' has {counts[0]} entries, 'expected' {counts[1]}"]

    @property
    def variable(self) -> None:
        """There are several."""
        return None

    def log_density(self, at: Point) -> Array:
        """Sum of the logarithms."""
        return sum(log_poisson(at(x) * tau, positive(tau)) for x, tau in self._pairs(at))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the product of the sums."""
        if not over or not set(over) <= set(self.x):
            return None
        terms = [(at.limits(x), tau) for x, tau in self._pairs(at) if x in over]
        return sum(log_poisson_sum(tau, lo * tau, hi * tau) for (lo, hi), tau in terms)

    def _pairs(self, at: Point):
        return [(x, at(tau)) for x, tau in zip(self.x, self.expected, strict=True)]


def _log_rectangle(lower: Array, means: list[Array], limits: list[tuple[Array, Array]]) -> Array:
    """ln of the integral of exp(-|z|^2/2) over the z with means + lower z within the limits; two variables.

    Over z_1 by panels with edges around the mean and where the limits of the second variable pass by; over z_2 closed.
    """
    begin, end = (standardised(each, means[0], lower[0, 0]) for each in limits[0])
    slope = lower[1, 0] / lower[1, 1]
    below, above = (standardised(each, means[1], lower[1, 1]) for each in limits[1])

    def log_density(z: Array) -> Array:
        return log_normal_integral(below - slope * z, above - slope * z) - 0.5 * z * z

    fixed = map(jax.lax.stop_gradient, (begin, end, below, above, slope))
    edges = jnp.clip(_edges_of_rectangle(*fixed), begin, end)
    return log_panels(log_density, edges, jnp.max(log_density(edges), axis=0))


def _edges_of_rectangle(begin: Array, end: Array, below: Array, above: Array, slope: Array) -> Array:
    """Values of z_1 around the highest point, and where the limits of z_2 pass by, ascending."""
    centre = slope * jnp.clip(0.0, below, above) / (1 + slope * slope)  # where both squares together are smallest
    top = jnp.clip(centre, begin, end)
    tilt = jnp.abs(top - centre) * (1 + slope * slope)
    around = [sign * 2 * drop / (tilt + jnp.sqrt(tilt * tilt + 2 * drop)) for drop in DROPS for sign in (-1, 1)]
    steep = jnp.where(slope == 0, 1.0, slope)
    steps = (-12.0, -8.0, -5.0, -3.0, -1.5, 0.0, 1.5, 3.0, 5.0, 8.0, 12.0)
    passing = [jnp.clip((each + step) / steep, -1e6, 1e6) for each in (below, above) for step in steps]
    return jnp.sort(jnp.stack([top, *(top + each for each in around), *passing]))
