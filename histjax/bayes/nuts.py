"""`sample_nuts`: the no-U-turn sampler of blackjax on the compiled log posterior."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from histjax.bayes.extras import package
from histjax.bayes.posterior import Posterior
from histjax.bayes.samples import Samples
from histjax.bayes.sampling import (
    Draws,
    Keeping,
    State,
    as_samples,
    check_count,
    described,
    draw_in_chunks,
    with_densities,
)
from histjax.bayes.starting import Whitened, find_start
from histjax.bayes.unconstrained import Unconstrained
from histjax.errors import InvalidModel

CHUNK = 250
"""Draws of each chain that are made, and kept, at a time."""


def sample_nuts(
    posterior: Posterior,
    n_draws: int,
    *,
    key,
    n_chains: int = 4,
    n_warmup: int = 300,
    target_acceptance: float = 0.8,
    most_doublings: int = 8,
    store=None,
    progress=None,
) -> Samples:
    """Draw from a posterior with NUTS (arXiv:1111.4246, with multinomial sampling of trajectories).

    Chains start around the top of the posterior, in coordinates in which the exact curvature there is the identity; the
    warm-up adapts step size and a diagonal mass matrix on top of that, for each chain by itself. Draw i of chain c
    depends on the key, c and i alone: a run that was interrupted, or is asked for more draws, is the uninterrupted one
    bit for bit.

    **Arguments:**

    - `n_draws`: draws of each chain, after the warm-up; `key`: a JAX random key.
    - `n_chains`, `n_warmup`: chains side by side, and steps that are thrown away.
    - `target_acceptance`: mean acceptance that the step size aims at: nearer to 1 where trajectories diverge.
    - `most_doublings`: trajectories have at most 2 to this power steps.
    - `store`: a file to keep draws in and to go on from; `progress`: called with the draws done and to do.

    Where an expected count can fall to 0 inside the bounds the density ends at a wall. A trajectory that meets it
    counts as divergent; a larger `target_acceptance` makes that rarer, but does not prevent it.

    **Returns:** `Samples`; its `statistics` are `is_divergent`, `n_steps`, `acceptance` and `energy`.

    **Raises:** `InvalidModel`, `InvalidStore`, `MissingExtra` where blackjax is not installed.

    >>> import histjax
    >>> from histjax.bayes import Posterior, sample_nuts
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> samples = sample_nuts(Posterior(model), 500, key=jax.random.key(1))
    >>> samples.convergence.converged, samples.params["uncorr_bkguncrt"].shape
    (True, (4, 500, 2))
    """
    package("blackjax")
    for name, count in (("n_draws", n_draws), ("n_chains", n_chains), ("n_warmup", n_warmup)):
        check_count(name, count)
    if not 0 < target_acceptance < 1:
        raise InvalidModel(f"target_acceptance lies between 0 and 1, found {target_acceptance:g}")
    settings = {"n_chains": n_chains, "n_warmup": n_warmup, "target_acceptance": target_acceptance}
    about = described(posterior, "nuts", key, **settings, most_doublings=most_doublings, chunk=CHUNK)
    start, space = find_start(posterior), posterior.unconstrained
    keys = jax.vmap(lambda chain: jax.random.fold_in(key, chain))(jnp.arange(n_chains))

    def begin() -> State:
        found = _warmed_up(space, start.whitened, keys, n_warmup, target_acceptance, most_doublings)
        return dict(zip(("position", "step_size", "inverse_mass"), map(np.asarray, found), strict=True))

    def advance(state: State, number: int) -> tuple[State, Draws]:
        settings = jnp.asarray(state["step_size"]), jnp.asarray(state["inverse_mass"])
        first = jnp.asarray((number - 1) * CHUNK, jnp.uint32)
        y = jnp.asarray(state["position"])
        y, vectors, statistics = _drawn(space, start.whitened, keys, y, *settings, first, most_doublings)
        draws = with_densities(posterior, np.asarray(vectors))
        statistics = {f"statistic_{name}": np.asarray(value) for name, value in statistics.items()}
        return state | {"position": np.asarray(y)}, draws | statistics

    return draw_in_chunks(
        Keeping(store, progress),
        about,
        n_draws,
        begin,
        advance,
        lambda draws: as_samples(posterior, "nuts", start, draws),
    )


def _log_density(space: Unconstrained, whitened: Whitened):
    def log_density(y):
        return space.log_density(whitened.z(y))

    return log_density


@eqx.filter_jit
def _warmed_up(space: Unconstrained, whitened: Whitened, keys, n_warmup: int, target: float, most_doublings: int):
    """Position, step size and inverse mass matrix of each chain."""
    blackjax = package("blackjax")
    adaptation = blackjax.window_adaptation(
        blackjax.nuts,
        _log_density(space, whitened),
        target_acceptance_rate=target,
        max_num_doublings=most_doublings,
        adaptation_info_fn=lambda *_: None,
    )

    def one(key):
        place, steps = jax.random.split(jax.random.fold_in(key, 0))
        position = jax.random.normal(place, whitened.centre.shape, whitened.centre.dtype)
        found, _ = adaptation.run(steps, position, n_warmup)
        return found.state.position, found.parameters["step_size"], found.parameters["inverse_mass_matrix"]

    return jax.vmap(one)(keys)


@eqx.filter_jit
def _drawn(space, whitened: Whitened, keys, positions, step_sizes, inverse_masses, first, most_doublings: int):
    """Last positions, points `(chains, draws, parameters)` and statistics of one chunk."""
    blackjax = package("blackjax")
    kernel, log_density = blackjax.nuts.build_kernel(), _log_density(space, whitened)

    def one(key, position, step_size, inverse_mass):
        def step(state, number):
            step_key = jax.random.fold_in(key, number + 1)
            state, info = kernel(step_key, state, log_density, step_size, inverse_mass, most_doublings)
            statistics = {
                "is_divergent": info.is_divergent,
                "n_steps": info.num_integration_steps,
                "acceptance": info.acceptance_rate,
                "energy": info.energy,
            }
            return state, (state.position, statistics)

        state, (y, statistics) = jax.lax.scan(
            step, blackjax.nuts.init(position, log_density), first + jnp.arange(CHUNK)
        )
        return state.position, space.constrain(whitened.z(y)), statistics

    return jax.vmap(one)(keys, positions, step_sizes, inverse_masses)
