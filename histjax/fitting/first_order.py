"""First-order minimisers: any method of optax, kept inside the bounds, for likelihoods whose Hessian is too dear to
build at every step and as a warm start.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from histjax.fitting.kinks import evaluated
from histjax.fitting.problem import Minimiser, Minimum, Problem
from histjax.model.likelihood import Likelihood


class Optax(Minimiser):
    """A gradient transformation of optax as the minimiser, in variables scaled by prefit widths.

    After every step the point is projected onto the box of the bounds, and a variable on its bound whose slope pushes
    outwards is frozen for the next one. The lowest point seen is the result; one exact Hessian there gives the
    certificate, which is the judge here too: these methods take hundreds of steps where `Newton` takes ten, and their
    own stopping rule is weak. A minimum on a kink of a piecewise interpolation is approached, not recognised.

    **Fields:**

    - `transformation`: e.g. `optax.adam(0.1)` or `optax.lbfgs()`; line searches get what they need.
    - `tolerance`: stop where every component of the projected gradient of -ln L, per prefit width, is below it.
    - `max_iterations`.

    Optax makes new functions at every call, and a program is compiled for each: keep the minimiser and use it again.

    >>> import histjax, optax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> rough = histjax.fit(model, minimiser=histjax.Optax(optax.adam(0.1), max_iterations=100), throw=False)
    >>> bool(histjax.fit(model, init=rough).converged)
    True
    """

    transformation: optax.GradientTransformation
    tolerance: float = 1e-6
    max_iterations: int = 2000

    def minimise(self, likelihood: Likelihood, data, problem: Problem) -> Minimum:
        """Minimise from the given start."""
        space = Scaled.of(problem)
        method = optax.with_extra_args_support(self.transformation)

        def objective(z):
            value, gradient = jax.value_and_grad(likelihood.nll)(space.point(z), data)
            return value, space.scale * gradient

        def step(walk: Walk) -> Walk:
            frozen = space.frozen(walk.z, walk.gradient)
            gradient = jnp.where(frozen, 0.0, walk.gradient)

            def along(z):  # what a line search sees: frozen variables stay, others stop at their bounds
                return likelihood.nll(space.point(jnp.where(frozen, walk.z, z)), data)

            extra = dict(value=walk.value, grad=gradient, value_fn=along)
            updates, state = method.update(gradient, walk.state, walk.z, **extra)
            z = jnp.where(frozen, walk.z, space.inside(optax.apply_updates(walk.z, updates)))
            stuck = jnp.all(z == walk.z)
            # a line search that finds nothing may be misled by its memory: it gets a second chance without
            state = jax.tree.map(lambda new, fresh: jnp.where(stuck, fresh, new), state, method.init(z))
            return walk.moved(z, state, *objective(z), stuck)

        def unfinished(walk: Walk) -> Bool[Array, ""]:
            steep = jnp.max(jnp.abs(space.projected(walk.z, walk.gradient)), initial=0.0) > self.tolerance
            return steep & jnp.isfinite(walk.value) & (walk.failures < 2) & (walk.iteration < self.max_iterations)

        z = space.inside(jnp.zeros_like(problem.start))
        walk = jax.lax.while_loop(unfinished, step, Walk.start(z, method.init(z), *objective(z)))
        x = space.point(walk.lowest_z)
        return evaluated(likelihood, data, x).minimum(x, walk.iteration)


def LBFGS(tolerance: float = 1e-6, max_iterations: int = 2000) -> Optax:
    """Limited-memory BFGS with a zoom line search: `Optax` with the same `optax.lbfgs()` at every call."""
    return Optax(_LBFGS, tolerance, max_iterations)


_LBFGS = optax.lbfgs()


class Scaled(NamedTuple):
    """Variables `z` with `x = start + scale z`, and the box of the bounds in them; 0 for fixed parameters."""

    problem: Problem
    scale: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]

    @classmethod
    def of(cls, problem: Problem) -> "Scaled":
        """Scaled by how far a restart would be displaced: the prefit width, where there is one."""
        scale = jnp.where(problem.spread > 0, problem.spread, 1.0)
        lower, upper = ((bound - problem.start) / scale for bound in (problem.lower, problem.upper))
        return cls(problem, scale, *(jnp.where(problem.fixed, 0.0, each) for each in (lower, upper)))

    def inside(self, z: Float[Array, "parameters"]) -> Float[Array, "parameters"]:
        """The nearest point of the box."""
        return jnp.clip(z, self.lower, self.upper)

    def point(self, z: Float[Array, "parameters"]) -> Float[Array, "parameters"]:
        """The parameter vector, exactly on a bound where `z` is."""
        start, lower, upper, fixed, *_ = self.problem
        x = jnp.where(z <= self.lower, lower, jnp.where(z >= self.upper, upper, start + self.scale * z))
        return jnp.where(fixed, start, x)

    def frozen(self, z, gradient) -> Bool[Array, "parameters"]:
        """Fixed parameters, and those on a bound whose slope pushes outwards."""
        at_lower, at_upper = (z <= self.lower) & (gradient >= 0), (z >= self.upper) & (gradient <= 0)
        return self.problem.fixed | at_lower | at_upper

    def projected(self, z, gradient) -> Float[Array, "parameters"]:
        """The step of steepest descent, cut at the box: 0 at a minimum on a bound and for fixed parameters."""
        return z - self.inside(z - gradient)


class Walk(NamedTuple):
    """Where the method stands, its state, how often in a row it has not moved, and the lowest point so far."""

    z: Float[Array, "parameters"]
    state: optax.OptState
    value: Float[Array, ""]
    gradient: Float[Array, "parameters"]
    lowest_z: Float[Array, "parameters"]
    lowest: Float[Array, ""]
    failures: Int[Array, ""]
    iteration: Int[Array, ""]

    @classmethod
    def start(cls, z, state, value, gradient) -> "Walk":
        """Before the first step."""
        zero = jnp.zeros((), jnp.int32)
        return cls(z, state, value, gradient, z, value, zero, zero)

    def moved(self, z, state, value, gradient, stuck: Bool[Array, ""]) -> "Walk":
        """After a step."""
        better = value <= self.lowest
        lowest = jnp.where(better, z, self.lowest_z), jnp.where(better, value, self.lowest)
        failures = jnp.where(stuck, self.failures + 1, 0)
        return Walk(z, state, value, gradient, *lowest, failures, self.iteration + 1)
