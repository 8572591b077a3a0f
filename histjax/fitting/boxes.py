"""One step of the damped quadratic model, inside the box of the bounds and this side of the walls."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.fitting.arrow import System, factorised, without
from histjax.fitting.problem import Problem
from histjax.model.curvature import Curvature, Structure, Walls, joined_parts
from histjax.model.density import EMPTY_WIDTH

NEAREST = 0.1
"""A step leaves at least this fraction of the expectation of a bin in which something is observed."""


class BoxStep(NamedTuple):
    """A step in scaled units, while it is being found: which parameters are clamped to their bounds, which bins are
    stopped at a wall, and which of those were let go.
    """

    move: Float[Array, "parameters"]
    clamped: Bool[Array, "parameters"]
    stopped: Bool[Array, "bins"]
    released: Bool[Array, "bins"]
    damping: Float[Array, ""]
    done: Bool[Array, ""]


def box_step(system: System, problem: Problem, state, held: Bool[Array, "parameters"]) -> BoxStep:
    """Minimise the damped quadratic model over the free parameters inside their bounds.

    Where the step would leave the box, those parameters are clamped to their bounds and the others solved for again,
    so that correlated parameters know of it; a step that was merely clipped would not. Once a step was rejected for it,
    an empty bin whose expectation would become negative is stopped at 0 in the same way, by the curvature that it has
    below 0 (of which the model knows nothing as long as the expectation is positive); one that is next to its wall is
    stopped from the outset, and let go if it would rather leave. The damping is raised until the factorisation exists.
    """
    gradient = jnp.where(held, 0.0, state.gradient) / system.scale
    low, high = (problem.lower - state.x) * system.scale, (problem.upper - state.x) * system.scale
    walls, stiffness = _scaled_walls(system, state.here.walls, held), EMPTY_WIDTH**-2
    walls = walls._replace(empty=walls.empty & state.wary)

    def again(step: BoxStep) -> BoxStep:
        off = held | step.clamped
        weight = jnp.where(step.stopped, stiffness, 0.0)
        stiff = system._replace(curvature=_stiffened(system.curvature, walls, weight))
        slope = gradient + _slope(system.structure, walls, weight * walls.expected)
        factor = factorised(without(stiff, step.clamped), step.damping)
        pushed = jnp.where(step.clamped, step.move, 0.0)
        right = jnp.where(off, 0.0, -slope - stiff.times(pushed))
        move = jnp.where(step.clamped, pushed, factor.solve(right))
        good = factor.exists & jnp.all(jnp.isfinite(move))
        beyond = ~off & ((move < low) | (move > high)) & good
        ends = walls.expected + walls.moved(system.structure, move)
        crossing = walls.empty & (walls.expected > 0) & ~step.stopped & good & (ends < -2 / stiffness)
        leaving = step.stopped & ~step.released & good & (ends > 0)
        damping = jnp.where(good | (step.damping > 1e12), step.damping, jnp.maximum(4 * step.damping, 1e-3))
        move = jnp.where(good, jnp.where(held, 0.0, jnp.clip(move, low, high)), 0.0)
        finished = good & ~jnp.any(beyond) & ~jnp.any(crossing | leaving)
        bins = (step.stopped & ~leaving) | crossing, step.released | leaving
        return BoxStep(move, step.clamped | beyond, *bins, damping, finished | (step.damping > 1e12))

    next_to_it = walls.empty & (walls.expected > 0) & (walls.expected < EMPTY_WIDTH)
    start = jnp.zeros_like(held), next_to_it, jnp.zeros_like(next_to_it), state.damping, jnp.zeros((), bool)
    found = jax.lax.while_loop(lambda step: ~step.done, again, BoxStep(jnp.zeros_like(gradient), *start))
    return found._replace(move=found.move * _length(walls, walls.moved(system.structure, found.move)))


def _scaled_walls(system: System, walls: Walls, held: Bool[Array, "parameters"]) -> Walls:
    """Derivatives in the units of the system, 0 for held parameters."""
    unit = jnp.where(held, 0.0, 1 / system.scale)
    dense, narrow = unit[system.structure.dense], unit[system.structure.narrow]
    return walls._replace(dense=walls.dense * dense[None, :], narrow=walls.narrow * narrow)


def _stiffened(curvature: Curvature, walls: Walls, weight: Float[Array, "bins"]) -> Curvature:
    """The curvature with that of the walls, which is rarely needed."""

    def stiffer(curvature: Curvature) -> Curvature:
        return jax.tree.map(jnp.add, curvature, walls.penalty(weight))

    return jax.lax.cond(jnp.any(weight > 0), stiffer, lambda curvature: curvature, curvature)


def _slope(structure: Structure, walls: Walls, force: Float[Array, "bins"]) -> Float[Array, "parameters"]:
    """The gradient of what pushes on the expected counts."""
    return joined_parts(structure, force @ walls.dense, force[walls.place] * walls.narrow)


def _length(walls: Walls, change: Float[Array, "bins"]) -> Float[Array, ""]:
    """How much of a step may be taken before a logarithm becomes singular."""
    falls = walls.filled & (change < 0) & (walls.expected > 0)
    longest = (1 - NEAREST) * walls.expected / jnp.where(falls, -change, 1.0)
    return jnp.min(jnp.where(falls, longest, jnp.inf), initial=1.0)
