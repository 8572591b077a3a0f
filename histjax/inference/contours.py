"""`contour`: the closed curves in the plane of two parameters on which the profile likelihood has a given level."""

from collections.abc import Mapping, Sequence
from math import log, sqrt
from statistics import NormalDist

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced, on_host
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import Profile
from histjax.fitting.result import FitResult
from histjax.inference.intervals import ONE_SIGMA, first_widths
from histjax.inference.rays import Crossings, End, Rays, crossings
from histjax.inference.walking import refuse_held, settled
from histjax.model.likelihood import Likelihood

TWO_SIGMA = 0.9544997361036416
"""Probability of a normal variable to lie within two standard deviations."""


class Contour(eqx.Module):
    """Contours of the profile likelihood in the plane of two components.

    **Fields:**

    - `points`: on each level, in the order of the angle; the first is not repeated at the end. Where the likelihood
      does not fall to the level before a bound, the point lies on the bound; where fits failed, it is NaN.
    - `status`: an `End` for each point, as integers.
    - `best`: the best fit in the plane.
    - `confidence_levels`, `levels`: the asymptotic coverage, and -2 Delta ln L on the curves.
    - `fit`: the free fit.
    """

    points: Float[Array, "levels points 2"]
    status: Int[Array, "levels points"]
    best: Float[Array, "2"]
    confidence_levels: Float[Array, "levels"]
    levels: Float[Array, "levels"]
    fit: FitResult
    names: tuple[str, str] = eqx.field(static=True)
    degrees_of_freedom: int = eqx.field(static=True)

    @property
    def converged(self) -> Bool[Array, "levels points"]:
        """Which points are what they say."""
        return (on_host(self.status) != End.FAILED) & on_host(self.fit.converged)[..., None, None]

    @property
    def message(self) -> str:
        """What happened, in words."""
        if bool(np.all(self.converged)):
            return "converged"
        if not bool(np.all(self.fit.converged)):
            return self.fit.message
        return f"{End.FAILED.message} ({int(np.sum(~np.asarray(self.converged)))} of {self.status.size} points)"

    def __str__(self) -> str:
        from histjax.inference.profile_printing import contour_table

        return contour_table(self)

    __repr__ = __str__


def contour(
    likelihood: Likelihood,
    data=None,
    *,
    parameters: Sequence[str],
    confidence_levels: Sequence[float] = (ONE_SIGMA, TWO_SIGMA),
    n_points: int = 40,
    degrees_of_freedom: int = 2,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Contour:
    r"""Contours of \(-2 \ln [L(\theta_1, \theta_2, \hat{\hat\nu}) / L(\hat\theta, \hat\nu)]\), all other parameters
    refitted.

    **Arguments:**

    - `parameters`: two scalar parameters or components.
    - `confidence_levels`: the curves lie where 2 Delta NLL is the quantile of a chi-square distribution; with two
      `degrees_of_freedom` (2.30 and 6.18) the region inside covers both parameters jointly, with one (1 and 4) its
      projections are the intervals of each.
    - `n_points`: points on each curve, at equal angles in the plane in which the covariance is a circle.
    - `likelihood`, `data`, `fixed`, `init`, `bounds`, `minimiser`: as for `fit`. The search stays within bounds.
    - `throw`: raise where a search failed (never inside a trace).

    Each point is the first crossing found along a ray from the best fit, so that a region of which the best fit does
    not see every edge is not described whole; separate islands are not looked for. From a best fit on a bound, rays
    that would leave run along the bound. Every search starts from the point before; all fits share the program of the
    free fit. Outside a trace a conditional fit that lies below the free fit starts it all over from there.

    Traceable, and differentiable: a point moves along its ray, whose origin and direction count as constants.

    **Raises:** `FailedFit`, `UnknownName`, `InvalidModel`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> names = "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"
    >>> result = histjax.contour(model, parameters=names, fixed={"mu": 0.0}, confidence_levels=[0.68], n_points=4)
    >>> print(result.points[0].round(4))
    [[1.0889 0.9627]
     [1.0031 1.1129]
     [0.9218 0.9627]
     [1.0031 0.8266]]
    """
    if isinstance(parameters, str) or len(set(parameters)) != 2 or len(parameters) != 2:
        raise InvalidModel(f"a contour is of two different parameters, found {parameters!r}")
    if degrees_of_freedom not in (1, 2):
        raise InvalidModel(f"a contour has one or two degrees of freedom, found {degrees_of_freedom!r}")
    if n_points < 1:
        raise InvalidModel(f"a contour needs at least one point, found n_points = {n_points}")
    places = np.array([likelihood.parameters.place(name) for name in parameters])
    names = tuple(likelihood.parameters.component_names[place] for place in places)
    refuse_held(likelihood.parameters, names, fixed)
    targets = np.array([root_level(each, degrees_of_freedom) for each in confidence_levels])
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    profile, (rays, found) = settled(
        Profile.of(likelihood, data, **settings), lambda profile: _points(profile, places, targets, n_points)
    )
    result = _result(profile, rays, found, (confidence_levels, targets, names, degrees_of_freedom))
    if throw and not is_traced(result.status) and not np.all(result.converged):
        raise FailedFit(result.message, result)
    return result


def root_level(confidence_level: float, degrees_of_freedom: int) -> float:
    """Square root of the chi-square quantile for one or two degrees of freedom.

    >>> f"{root_level(0.95, 2)**2:.4f} {root_level(0.95, 1)**2:.4f}"
    '5.9915 3.8415'
    """
    if not 0 < confidence_level < 1:
        raise InvalidModel(f"a confidence level is between 0 and 1: {confidence_level}")
    if degrees_of_freedom == 1:
        return -NormalDist().inv_cdf((1 - confidence_level) / 2)
    return sqrt(-2 * log(1 - confidence_level))


def _points(profile: Profile, places: Int[Array, "2"], targets: Float[Array, "levels"], n_points: int):
    """The rays, level by level, and what was found on them."""
    xp = jnp if is_traced(profile) else np
    angles = 2 * np.pi * np.arange(n_points) / n_points
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    best = xp.asarray(profile.best.vector)[places]
    directions = _allowed(profile, places, best, xp.asarray(circle) @ _unit(profile, places).T)
    count = len(targets) * n_points
    rays = Rays(
        xp.broadcast_to(best, (count, 2)),
        xp.tile(directions, (len(targets), 1)),
        xp.repeat(xp.asarray(targets, best.dtype), n_points),
        np.broadcast_to(places, (count, 2)),
        xp.repeat(xp.asarray(targets, best.dtype), n_points),
    )
    rays = jax.lax.stop_gradient(rays) if xp is jnp else rays
    return rays, crossings(profile, rays, chained=True)


def _allowed(profile: Profile, places: Int[Array, "2"], best: Float[Array, "2"], directions: Float[Array, "points 2"]):
    """Directions without the component that would leave the bounds at once: such a ray runs along the bound."""
    xp = jnp if is_traced(profile) else np
    lower, upper = (xp.asarray(each)[places] for each in (profile.problem.lower, profile.problem.upper))
    outwards = ((directions < 0) & (best <= lower)) | ((directions > 0) & (best >= upper))
    along = first_widths(profile, places) * xp.sign(xp.round(directions / xp.max(abs(directions), axis=0), 9))
    blocked = xp.any(outwards, axis=1, keepdims=True)
    return xp.where(outwards, 0.0, xp.where(blocked, along, directions))


def _unit(profile: Profile, places: Int[Array, "2"]) -> Float[Array, "2 2"]:
    """The square root of the covariance in the plane: it makes the ellipse of one standard deviation from a circle."""
    xp = jnp if is_traced(profile) else np
    block = xp.asarray(profile.covariance)[places][:, places]
    widths, variance = first_widths(profile, places), xp.diagonal(block)
    known = xp.all(xp.isfinite(variance) & (variance > 0))
    rho = xp.where(known, block[0, 1], 0.0) / (widths[0] * widths[1])
    # two parameters that are almost one: an ellipse that keeps some breadth finds the way better
    rho = xp.clip(rho, -0.999, 0.999)
    rows = [[widths[0], xp.zeros_like(rho)], [rho * widths[1], xp.sqrt(1 - rho**2) * widths[1]]]
    return xp.stack([xp.stack(row) for row in rows])


def _result(profile: Profile, rays: Rays, found: Crossings, settings) -> Contour:
    """The record."""
    confidence_levels, targets, names, degrees_of_freedom = settings
    traced = is_traced(profile, found)
    xp = jnp if traced else np
    best, lower, upper = (
        (x if traced else on_host(x))[rays.places[0]]
        for x in (profile.best.vector, profile.problem.lower, profile.problem.upper)
    )
    points, dtype = xp.clip(rays.at(found.length), lower, upper).reshape(len(targets), -1, 2), best.dtype
    levels = np.asarray(confidence_levels, dtype), np.asarray(targets**2, dtype)
    arrays = points, found.status.reshape(len(targets), -1).astype(xp.int32), best, *levels
    arrays = jax.tree.map(jnp.asarray, arrays) if traced else jax.device_put(arrays)
    return Contour(*arrays, profile.best, names, degrees_of_freedom)
