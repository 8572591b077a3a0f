"""Conditional fits one after the other, each started where its neighbour ended: what a profile likelihood is walked
with.

Outside a trace every step is one call of the program of the free fit, and nothing is compiled. Inside a trace the same
steps become part of that trace. The walk itself is never differentiated: a point that was found is a minimum, and its
derivatives follow from the implicit function theorem (`displaced`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from histjax._typing import is_traced, on_host
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.implicit import displacement
from histjax.fitting.kinks import evaluated
from histjax.fitting.problem import Minimum, Problem
from histjax.fitting.profile import ConditionalFits, Profile
from histjax.fitting.result import Status
from histjax.model.parameters import Parameters

BELOW = 1e-7
"""A conditional fit whose deviance is lower than that of the free fit by more than this disproves the free fit."""

RESTARTS = 20


def refuse_held(parameters: Parameters, names: Sequence[str], fixed: Mapping | None) -> None:
    """Raise `InvalidModel` where one of the components `names` is held by request: it cannot be varied as well."""
    held = {place for each in fixed or {} for place in range(*parameters.index(each).indices(len(parameters.init)))}
    for name in names:
        if parameters.index(name).start in held:
            raise InvalidModel(
                f"parameter {name!r} is held (fixed=...) and is to be varied; leave it out of one of them"
            )


def response(profile: Profile, places: Int[Array, "held"]) -> Float[Array, "parameters held"]:
    """How all parameters follow the components `places` where the likelihood is Gaussian; 0 where that is unknown."""
    covariance = profile.covariance
    xp = jnp if is_traced(covariance, places) else np
    columns = xp.asarray(covariance)[:, places]
    variance = xp.diagonal(columns[places])
    known = xp.isfinite(variance) & (variance > 0)
    sigma = xp.sqrt(xp.where(known, variance, 1.0))
    columns = xp.where(xp.isfinite(columns) & known, columns, 0.0) / sigma
    identity = xp.eye(len(places), dtype=columns.dtype)
    # a trace of a unit matrix, so that two components that are one direction do not divide by zero
    correlation = xp.where(known[:, None] & known, columns[places] / sigma[:, None], identity) + 1e-12 * identity
    return xp.linalg.solve(correlation, columns.T).T / sigma


def nearby(
    profile: Profile, places: Int[Array, "held"], values: Float[Array, "held"], anchor: Float[Array, "parameters"]
) -> Float[Array, "parameters"]:
    """Where the conditional best fit at `values` is expected, given the one at another point: `anchor`."""
    problem = profile.problem
    xp = jnp if is_traced(profile, places, values, anchor) else np
    moved = anchor + response(profile, places) @ (values - anchor[places])
    return xp.where(problem.fixed, problem.start, xp.clip(moved, problem.lower, problem.upper))


def visit(
    profile: Profile, places: Int[Array, "held"], values: Float[Array, "held"], anchor: Float[Array, "parameters"]
) -> ConditionalFits:
    """The conditional fit at `values`, started from the one at `anchor`; where that fails, from the best fit, with
    restarts.

    Raises `LowerMinimum` where it disproves the free fit (outside a trace).
    """
    best = on_host(profile.best.vector)
    starts = nearby(profile, places, values, anchor), nearby(profile, places, values, best)

    def attempt(number, start) -> ConditionalFits:
        trusted = number == 0 if is_traced(number) else np.array(number == 0)
        trusting = profile._replace(problem=profile.problem._replace(trusted=trusted))
        return ConditionalFits.of(trusting.at(places, values, start))

    if is_traced(profile, values, anchor):
        return _first_success(attempt, jnp.stack(starts))
    for number, start in enumerate(starts):
        found = jax.device_get(attempt(number, start))
        if found.converged:
            break
    _compare(profile, places, found)
    return found


def _first_success(attempt: Callable, starts: Float[Array, "starts parameters"]) -> ConditionalFits:
    """The loop of `visit` in a trace."""
    nothing = jnp.full((), jnp.inf, starts.dtype)
    failed = jnp.full((), Status.NOT_FINITE, jnp.int32)
    state = jnp.zeros((), jnp.int32), ConditionalFits(starts[0], nothing, jnp.zeros_like(starts[0]), nothing, failed)

    def unfinished(state):
        number, found = state
        return (number < starts.shape[0]) & ~found.converged

    return jax.lax.while_loop(unfinished, lambda state: (state[0] + 1, attempt(state[0], starts[state[0]])), state)[1]


class HeldFit(NamedTuple):
    """A conditional fit that was found: which components were held, at what values, and the point."""

    places: Int[Array, "held"]
    values: Float[Array, "held"]
    vector: Float[Array, "parameters"]


class LowerMinimum(Exception):
    """A conditional fit lies below the free one, which therefore was not the global minimum. `vector` is its point."""

    def __init__(self, vector):
        self.vector = vector
        super().__init__("a conditional fit lies below the free fit")


def _compare(profile: Profile, places, found: ConditionalFits) -> None:
    held, problem = found.vector[places], profile.problem
    # beyond its bounds a held component may well be better than within
    allowed = np.all((held >= problem.lower[places]) & (held <= problem.upper[places]) & ~problem.fixed[places])
    if allowed and found.converged and found.deviance < float(profile.best.deviance) - BELOW:
        raise LowerMinimum(found.vector)


def settled(profile: Profile, search: Callable[[Profile], object]) -> tuple[Profile, object]:
    """`search(profile)`, repeated around a lower minimum as often as the search meets one (outside a trace)."""
    for _ in range(RESTARTS):
        try:
            return profile, search(profile)
        except LowerMinimum as lower:
            profile = profile.refitted(lower.vector)
    raise FailedFit("not converged: conditional fits keep ending below the free fit; start elsewhere (init=...)")


class Displacement(NamedTuple):
    """How point and value of a conditional minimum move; `minimum` and `problem` are those of the conditional fit."""

    vector: Float[Array, "parameters"]
    value: Float[Array, ""]
    minimum: Minimum
    problem: Problem


def displaced(profile: Profile, profile_dot: Profile, fit: HeldFit, values_dot: Float[Array, "held"]) -> Displacement:
    """How a conditional minimum moves with tangents of everything in `profile` and of the held values, by the implicit
    function theorem.

    Free of loops and custom rules, so that it may stand in a loop and be differentiated again.
    """
    likelihood, data = profile.likelihood, profile.data

    def held(problem: Problem, values) -> Problem:
        start = jnp.where(problem.fixed, problem.start, fit.vector).at[fit.places].set(values)
        return problem._replace(start=start, fixed=problem.fixed.at[fit.places].set(True))

    arguments = (profile.problem, fit.values), (profile_dot.problem, values_dot)
    problem, problem_dot = eqx.filter_jvp(held, *arguments)
    here = evaluated(likelihood, data, problem.start).minimum(problem.start, jnp.zeros((), jnp.int32))
    moved = displacement(likelihood, data, problem, here, (profile_dot.likelihood, profile_dot.data, problem_dot))
    return Displacement(*moved, here, problem)
