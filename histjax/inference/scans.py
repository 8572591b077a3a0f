"""`scan`: the profile likelihood on a grid of values of one or more parameters."""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import Params, is_traced, on_host
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import ConditionalFits, Profile
from histjax.fitting.result import FitResult, Status
from histjax.inference.walking import HeldFit, displaced, refuse_held, settled, visit
from histjax.model.likelihood import Likelihood


class Scan(eqx.Module):
    """The profile likelihood on the grid of all combinations of the given values; the axes `...` of the grid are in the
    order of `names`.

    **Fields:**

    - `values`: the values of each scanned component, one array per axis.
    - `twice_nll`: -2 ln L, all other parameters at their conditional best fit.
    - `delta`: the same above its minimum, the free fit. Negative only beyond the bounds of a scanned component.
    - `vector`: the conditional best fits, flat; `params` has them by name.
    - `edm`, `status`: the certificate of every conditional fit. A point that did not converge keeps its numbers.
    - `fit`: the free fit.
    """

    values: tuple[Float[Array, "points"], ...]
    twice_nll: Float[Array, "..."]
    delta: Float[Array, "..."]
    vector: Float[Array, "... parameters"]
    edm: Float[Array, "..."]
    status: Int[Array, "..."]
    fit: FitResult
    names: tuple[str, ...] = eqx.field(static=True)

    @property
    def params(self) -> Params:
        """The conditional best fits by name, the axes of the grid in front."""
        return self.fit.parameters.unravel(self.vector)

    @property
    def best(self) -> Float[Array, "... names"]:
        """Values of the scanned components in the free fit."""
        places = np.array([self.fit.parameters.place(name) for name in self.names])
        return self.fit.vector[..., places]

    @property
    def converged(self) -> Bool[Array, "..."]:
        """Which points are minima to within their certificate."""
        return on_host(self.status) <= Status.FLAT

    @property
    def message(self) -> str:
        """What happened, in words."""
        lost = np.argwhere(~np.asarray(self.converged))
        if not len(lost):
            return "converged" if bool(np.all(self.fit.converged)) else self.fit.message
        axes = [np.asarray(each) for each in self.values]
        points = [
            ", ".join(f"{name} = {axis[i]:g}" for name, axis, i in zip(self.names, axes, each, strict=True))
            for each in lost[:5]
        ]
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        return f"conditional fits did not converge at {'; '.join(points)}{more}"

    def __str__(self) -> str:
        from histjax.inference.profile_printing import scan_table

        return scan_table(self)

    __repr__ = __str__


def scan(
    likelihood: Likelihood,
    data=None,
    *,
    values: Mapping[str, ArrayLike],
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Scan:
    r"""Scan \(-2 \ln L(\theta, \hat{\hat\nu})\) over values of one parameter, or over the grid of several.

    **Arguments:**

    - `values`: `{name: values}`, names of scalar parameters or of components (`"gamma[2]"`), values `(points,)` best in
      ascending order. They may lie beyond the bounds, and a parameter that the measurement fixes may be scanned.
    - `likelihood`, `data`, `fixed`, `init`, `bounds`, `minimiser`: as for `fit`.
    - `throw`: raise where a point did not converge (never inside a trace).

    The grid is walked outwards from the point nearest to the best fit, every fit started from its neighbour; all share
    the program of the free fit. Outside a trace a conditional fit that lies below the free fit starts it all over from
    there, so that `delta` is above -1e-7.

    Traceable, and differentiable with respect to likelihood, data, fixed and scanned values and bounds. Without
    neighbours, a batch of independent fits is `jax.vmap` over `fit(..., fixed={name: value})`.

    **Raises:** `FailedFit`, `UnknownName`, `InvalidModel`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(histjax.scan(model, values={"mu": [0.0, 0.5, 1.0]}).delta.round(4))
    [0.     1.1419 3.9382]
    """
    names, axes = tuple(values), tuple(_axis(name, each) for name, each in values.items())
    if not names:
        raise InvalidModel("a scan needs the values of at least one parameter, found none")
    places = np.array([likelihood.parameters.place(name) for name in names])
    refuse_held(likelihood.parameters, names, fixed)
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    profile, found = settled(
        Profile.of(likelihood, data, **settings), lambda profile: walked(profile, _route(profile, places, axes))
    )
    result = _result(profile, found, axes, names)
    if throw and not is_traced(result.status) and not np.all(result.converged):
        raise FailedFit(result.message, result)
    return result


def _axis(name: str, values):
    values = values if is_traced(values) else np.asarray(values, float)
    if values.ndim != 1 or not values.size:
        raise InvalidModel(f"the values of {name!r} are one array of numbers, found the shape {values.shape}")
    return values


class Route(NamedTuple):
    """A walk over points: which components are held, their values at every point, in which order the points are
    visited, and from which earlier one each is started (itself: from the best fit).
    """

    places: Int[Array, "held"]
    values: Float[Array, "points held"]
    order: Int[Array, "points"]
    origin: Int[Array, "points"]


def _route(profile: Profile, places: Int[Array, "held"], axes: tuple[Array, ...]) -> Route:
    """Outwards from the grid point nearest to the best fit; each point comes after a neighbour that is nearer."""
    best = profile.best.vector
    xp = jnp if is_traced(best, axes) else np
    best, axes = xp.asarray(best)[places], tuple(xp.asarray(axis, best.dtype) for axis in axes)
    shape = tuple(axis.size for axis in axes)
    values = xp.stack([each.ravel() for each in xp.meshgrid(*axes, indexing="ij")], axis=-1)
    indices = np.indices(shape).reshape(len(shape), -1).T
    offset = indices - xp.stack([xp.argmin(abs(axis - each)) for axis, each in zip(axes, best, strict=True)])
    order = xp.argsort(abs(offset).sum(axis=1), stable=True)
    last = len(shape) - 1 - xp.argmax((offset != 0)[:, ::-1], axis=1)
    nearer = indices - xp.sign(offset) * (np.arange(len(shape)) == last[:, None])
    strides = np.append(np.cumprod(shape[:0:-1])[::-1], 1).astype(int)
    return Route(places, values, order, nearer @ strides)


def walked(profile: Profile, route: Route) -> ConditionalFits:
    """The conditional fits at all points; `vector` and `deviance` are differentiable."""
    if is_traced(profile, route):
        profile = profile._replace(covariance=jax.lax.stop_gradient(profile.covariance))
        return _traced_walk(profile, jax.tree.map(jnp.asarray, route))
    best = on_host(profile.best.vector)
    found: list = [None] * len(route.order)
    for place in route.order:
        origin = route.origin[place]
        anchor = best if origin == place else found[origin].vector
        found[place] = visit(profile, route.places, route.values[place], anchor)
    return ConditionalFits(*map(np.stack, zip(*found, strict=True)))


@eqx.filter_jit
def _traced_walk(profile: Profile, route: Route) -> ConditionalFits:
    return _differentiable_walk(profile, route)


@eqx.filter_custom_jvp
def _differentiable_walk(profile: Profile, route: Route) -> ConditionalFits:
    best, count = profile.best, route.order.size
    first = ConditionalFits.of(best)
    everywhere = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), first)

    def step(found: ConditionalFits, place):
        anchor = jnp.where(route.origin[place] == place, best.vector, found.vector[route.origin[place]])
        here = visit(profile, route.places, route.values[place], anchor)
        return jax.tree.map(lambda all_points, new: all_points.at[place].set(new), found, here), None

    return jax.lax.scan(step, everywhere, route.order)[0]


@_differentiable_walk.def_jvp
def _walk_jvp(primals, tangents):
    profile, route = primals
    profile_dot, route_dot = tangents
    found = _differentiable_walk(profile, route)

    def one(each):
        values, vector, values_dot = each
        moved = displaced(profile, profile_dot, HeldFit(route.places, values, vector), values_dot)
        return moved.vector, 2 * moved.value

    vector_dot, deviance_dot = jax.lax.map(one, (route.values, found.vector, route_dot.values))
    return found, ConditionalFits(vector_dot, deviance_dot, None, None, None)


def _result(profile: Profile, found: ConditionalFits, axes: tuple[Array, ...], names: tuple[str, ...]) -> Scan:
    """The record, in the shape of the grid."""
    shape, best = tuple(axis.size for axis in axes), profile.best
    traced = is_traced(profile, found, axes)
    twice_nll, deviance = (each if traced else np.asarray(each) for each in (best.twice_nll, best.deviance))
    delta = (found.deviance - deviance).reshape(shape)
    vector = found.vector.reshape(*shape, -1)
    arrays = axes, twice_nll + delta, delta, vector, found.edm.reshape(shape), found.status.reshape(shape)
    return Scan(*(jax.tree.map(jnp.asarray, arrays) if traced else jax.device_put(arrays)), best, names)
