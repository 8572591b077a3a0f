r"""Where the profile likelihood reaches a level along a ray: the root finding behind `interval` and `contour`.

A ray starts at the best fit and leads away from it in the space of the components that are held. Along it

\[ s(t) = \sqrt{-2 \ln [L(t, \hat{\hat\theta}) / L(\hat\theta)]} \]

is almost linear, and its slope comes with each conditional fit for free (envelope theorem). A safeguarded Newton
iteration finds s(t) = target in a few fits, every one started from the one before; the bracket grows by itself, and a
bound of a held component ends the ray. Minuit's MINOS answers the same question (F. James, M. Roos, Comput. Phys.
Commun. 10 (1975) 343).
"""

from enum import IntEnum
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced, on_host
from histjax.fitting.implicit import followed
from histjax.fitting.problem import Problem
from histjax.fitting.profile import ConditionalFits, Profile
from histjax.inference.walking import HeldFit, displaced, visit

CLOSED = 1e-10
"""A bracket narrower than this, relative to the distance, is closed, whatever the steps do."""

GROWTH = 3.0
LARGEST = 1e9
ROUNDS = 100


class End(IntEnum):
    """What lies at the end of an interval, or at a point of a contour."""

    FOUND = 0
    AT_BOUND = 1
    UNBOUNDED = 2
    FIXED = 3
    NOT_ASKED = 4
    FAILED = 5

    @property
    def message(self) -> str:
        """The same in words."""
        return _MESSAGES[self]


_MESSAGES = {
    End.FOUND: "found",
    End.AT_BOUND: "at bound: the likelihood does not fall to the level before it",
    End.UNBOUNDED: "infinite: the likelihood does not fall to the level however far one goes",
    End.FIXED: "fixed",
    End.NOT_ASKED: "not asked for",
    End.FAILED: "not converged: conditional fits fail on the way; start elsewhere (init=...) or set bounds=...",
}
SEARCHING = -1


class Rays(NamedTuple):
    """Where to look, one ray on each place of the leading axis.

    **Fields:** `origin` and `direction` of each ray in the space of the held components; `target`: the value of s to
    be reached; `places`: which components are held; `guess`: a first guess of the distance.
    """

    origin: Float[Array, "rays held"]
    direction: Float[Array, "rays held"]
    target: Float[Array, "rays"]
    places: Int[Array, "rays held"]
    guess: Float[Array, "rays"]

    def at(self, length: Float[Array, "..."]) -> Float[Array, "... held"]:
        """Values of the held components at a distance along the ray, or along every ray."""
        xp = jnp if is_traced(self, length) else np
        moves = self.direction != 0  # an infinite length of nothing is nothing
        return self.origin + xp.where(moves, xp.where(moves, length[..., None], 0.0) * self.direction, 0.0)

    def reach(self, problem: Problem) -> Float[Array, "..."]:
        """How far the bounds of the held components let it go; nowhere where one of them is fixed."""
        xp = jnp if is_traced(problem, self) else np
        lower, upper = (xp.asarray(each)[self.places] for each in (problem.lower, problem.upper))
        moves = self.direction != 0
        room = xp.where(self.direction > 0, upper, lower) - self.origin
        steps = xp.where(moves, room / xp.where(moves, self.direction, 1.0), xp.inf)
        held = xp.any(xp.asarray(problem.fixed)[self.places], axis=-1)
        nearest = xp.min(steps, axis=-1)
        return xp.where(held | (nearest < 0) | ~xp.any(moves, axis=-1), 0.0, nearest)


class Crossings(NamedTuple):
    """What was found on each ray: its length up to there, an `End`, the conditional fit there and how many
    conditional fits it took.
    """

    length: Float[Array, "rays"]
    status: Int[Array, "rays"]
    vector: Float[Array, "rays parameters"]
    n_fits: Int[Array, "rays"]


class Bracket(NamedTuple):
    """Where the root finding on one ray stands: the distance to be tried next, the longest one known to be inside the
    level, the shortest one outside and whether a converged fit says so, the last good fit.
    """

    length: Float[Array, ""]
    inside: Float[Array, ""]
    outside: Float[Array, ""]
    certain: Bool[Array, ""]
    status: Int[Array, ""]
    vector: Float[Array, "parameters"]
    n_fits: Int[Array, ""]


def crossings(profile: Profile, rays: Rays, chained: bool = False) -> Crossings:
    """Walk along every ray to its crossing; differentiable with respect to everything in `profile` and to the rays.

    Rays start from the best fit, or, where `chained`, from the end of the ray before.
    """
    if is_traced(profile, rays):
        profile = profile._replace(covariance=jax.lax.stop_gradient(profile.covariance))
        return _traced_crossings(profile, jax.tree.map(jnp.asarray, rays), chained)
    return _all(profile, rays, chained)


@eqx.filter_jit
def _traced_crossings(profile: Profile, rays: Rays, chained: bool) -> Crossings:
    return _differentiable_crossings(profile, rays, chained)


@eqx.filter_custom_jvp
def _differentiable_crossings(profile: Profile, rays: Rays, chained: bool) -> Crossings:
    return _all(profile, rays, chained)


@_differentiable_crossings.def_jvp
def _crossings_jvp(primals, tangents):
    profile, rays, chained = primals
    profile_dot, rays_dot, _ = tangents
    found = _differentiable_crossings(profile, rays, chained)

    def one(each):
        return _moved(profile, profile_dot, *each)

    length_dot, vector_dot = jax.lax.map(one, (rays, rays_dot, found))
    return found, Crossings(length_dot, None, vector_dot, None)


def _moved(profile: Profile, profile_dot: Profile, ray: Rays, ray_dot: Rays, found: Crossings) -> tuple[Array, Array]:
    """How a crossing moves: along its ray, so that 2 Delta NLL stays at the level, or with the bound it lies on."""
    crossed, at_bound = found.status == End.FOUND, found.status == End.AT_BOUND
    length = jnp.where(crossed | at_bound, found.length, ray.guess)

    def ends(ray: Rays, problem: Problem, lowest):
        return ray.at(length), lowest + ray.target**2, ray.reach(problem)

    arguments = ray, profile.problem, profile.best.deviance
    dots = eqx.filter_jvp(ends, arguments, (ray_dot, profile_dot.problem, profile_dot.best.deviance))
    (values, _, _), (values_dot, level_dot, reach_dot) = dots
    level_dot, reach_dot = (jnp.zeros_like(length) if each is None else each for each in (level_dot, reach_dot))
    still = displaced(profile, profile_dot, HeldFit(ray.places, values, found.vector), values_dot)
    slope = 2 * still.minimum.gradient[ray.places] @ ray.direction
    crossed_dot = -(2 * still.value - level_dot) / jnp.where(crossed, slope, 1.0)
    length_dot = jnp.where(crossed, crossed_dot, jnp.where(at_bound, reach_dot, 0.0))
    along = jnp.zeros_like(found.vector).at[ray.places].set(ray.direction)
    return length_dot, still.vector + length_dot * followed(
        profile.likelihood, still.problem, still.minimum, along, 0 * along
    )


def _all(profile: Profile, rays: Rays, chained: bool) -> Crossings:
    """Every ray in turn."""
    best = on_host(profile.best.vector)

    def one(neighbour, ray: Rays):
        stretch, anchor = neighbour
        found = _find(profile, ray, ray.guess * stretch, anchor)
        usable = found.status == End.FOUND
        if not chained:
            return neighbour, found
        xp = jnp if is_traced(found) else np
        stretch = xp.where(usable, found.length / ray.guess, stretch)
        return (stretch, xp.where(usable, found.vector, anchor)), found

    if is_traced(profile, rays):
        return jax.lax.scan(one, (jnp.ones((), best.dtype), best), rays)[1]
    neighbour, found = (np.ones((), best.dtype), best), []
    for ray in zip(*rays, strict=True):
        neighbour, end = one(neighbour, Rays(*ray))
        found.append(end)
    return Crossings(*map(np.stack, zip(*found, strict=True)))


def _find(profile: Profile, ray: Rays, guess: Array, anchor: Float[Array, "parameters"]) -> Crossings:
    """One crossing, from a first guess of its distance and a conditional fit nearby."""
    traced = is_traced(profile, ray, guess, anchor)
    xp = jnp if traced else np
    reach, lowest = ray.reach(profile.problem), profile.best.deviance if traced else np.asarray(profile.best.deviance)
    zero, number = xp.zeros_like(guess), xp.asarray(SEARCHING, xp.int32)
    status = xp.where(reach > 0, number, xp.asarray(End.AT_BOUND, xp.int32))
    first = xp.minimum(guess, reach)
    state = Bracket(first, zero, zero + xp.inf, xp.asarray(False), status, anchor, xp.zeros_like(number))

    def unfinished(state: Bracket) -> Bool[Array, ""]:
        return (state.status == SEARCHING) & (state.n_fits < ROUNDS)

    def advanced(state: Bracket) -> Bracket:
        found = visit(profile, ray.places, ray.at(state.length), state.vector)
        return narrowed(xp, state, ray, reach, found.deviance - lowest, found)

    if traced:
        state = jax.lax.while_loop(unfinished, advanced, state)
    else:
        while unfinished(state):
            state = advanced(state)
    lost = (state.status == SEARCHING) | (state.status == End.FAILED)
    length = xp.where(state.status == End.UNBOUNDED, xp.inf, xp.where(lost, xp.nan, state.length))
    return Crossings(length, xp.where(lost, xp.asarray(End.FAILED, xp.int32), state.status), state.vector, state.n_fits)


def narrowed(xp, state: Bracket, ray: Rays, reach: Array, excess: Array, found: ConditionalFits) -> Bracket:
    """The bracket after the conditional fit at `state.length`, and where to look next; `xp` is NumPy or jax.numpy."""
    length, good = state.length, found.converged
    root = xp.sqrt(xp.where(excess > 0, excess, 0.0))
    slope = found.gradient[ray.places] @ ray.direction / xp.where(root > 0, root, 1.0)
    usable = good & (slope > 0) & (root > 0)
    newton = length - (root - ray.target) / xp.where(usable, slope, 1.0)
    is_inside = good & (root < ray.target)
    inside, outside = xp.where(is_inside, length, state.inside), xp.where(is_inside, state.outside, length)
    certain = xp.where(is_inside, state.certain, good)
    eps = float(np.finfo(root.dtype).eps)
    closed = xp.isfinite(outside) & (outside - inside <= max(CLOSED, 8 * eps) * outside)
    # Newton steps converge quadratically: one of sqrt(eps) is the last
    hit = usable & (xp.abs(newton - length) <= eps**0.5 * length) & (newton <= reach)
    status = xp.asarray(SEARCHING, xp.int32)
    for condition, end in (
        (is_inside & (length > LARGEST * ray.guess), End.UNBOUNDED),
        (closed & ~certain, End.FAILED),
        (hit | (closed & certain), End.FOUND),
        (is_inside & (length >= reach), End.AT_BOUND),
    ):
        status = xp.where(condition, xp.asarray(end, xp.int32), status)
    sensible = usable & (newton > inside) & (newton < xp.minimum(outside, GROWTH * length))
    retreat = xp.where(xp.isfinite(outside), 0.5 * (inside + outside), GROWTH * length)
    following = xp.minimum(xp.where(sensible | hit, newton, retreat), reach)
    vector = xp.where(good, found.vector, state.vector)
    return Bracket(following, inside, outside, certain, status, vector, state.n_fits + 1)
