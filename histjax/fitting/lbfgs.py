"""A first-order minimiser, for likelihoods whose Hessian is too dear to build at every step."""

import jax
import jax.numpy as jnp
import optax

from histjax.fitting.kinks import evaluated
from histjax.fitting.problem import Minimiser, Minimum, Problem
from histjax.model.likelihood import Likelihood


class LBFGS(Minimiser):
    """Limited-memory BFGS with a zoom line search (optax), in variables scaled by prefit widths and clipped to their
    bounds.

    It needs hundreds of steps where `Newton` needs ten, and its own stopping rule is weak: hence the certificate of
    the result, which uses one exact Hessian, is the judge here too.

    **Fields:** `tolerance`: stop where every component of the gradient, per prefit width, is below it;
    `max_iterations`.
    """

    tolerance: float = 1e-6
    max_iterations: int = 2000

    def minimise(self, likelihood: Likelihood, data, problem: Problem) -> Minimum:
        """Minimise from the given start."""
        scale = jnp.where(problem.spread > 0, problem.spread, 1.0)

        def point(z):
            inside = jnp.clip(problem.start + scale * z, problem.lower, problem.upper)
            return jnp.where(problem.fixed, problem.start, inside)

        def objective(z):
            return likelihood.nll(point(z), data)

        optimiser = optax.lbfgs()

        def step(carry):
            z, state, value, gradient, iteration = carry
            updates, state = optimiser.update(gradient, state, z, value=value, grad=gradient, value_fn=objective)
            z = optax.apply_updates(z, updates)
            return z, state, *jax.value_and_grad(objective)(z), iteration + 1

        def unfinished(carry):
            _, _, value, gradient, iteration = carry
            steep = jnp.max(jnp.abs(gradient)) > self.tolerance
            return steep & jnp.isfinite(value) & (iteration < self.max_iterations)

        z = jnp.zeros_like(problem.start)
        start = (z, optimiser.init(z), *jax.value_and_grad(objective)(z), jnp.zeros((), jnp.int32))
        z, _, _, _, iterations = jax.lax.while_loop(unfinished, step, start)
        return Minimum(point(z), *evaluated(likelihood, data, point(z)), iterations)
