"""`sample_slices`: nested sampling as one program on the accelerator, with blackjax."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from histjax.bayes.archive import SampleStore
from histjax.bayes.extras import package
from histjax.bayes.nested import IMPOSSIBLE, as_equal_weights, check_proper
from histjax.bayes.posterior import Posterior
from histjax.bayes.samples import Samples
from histjax.bayes.sampling import Draws, Keeping, State, check_count, described, generator_of
from histjax.bayes.starting import Start, best_fit
from histjax.bayes.unconstrained import Unconstrained

CHUNK = 10
"""Steps that are compiled as one, and kept at a time."""
VOLUMES = 200
"""Sequences of prior volumes that are drawn for the uncertainty of ln Z."""
FIELDS = "position", "logdensity", "loglikelihood", "loglikelihood_birth"


def sample_slices(
    posterior: Posterior,
    *,
    key,
    n_live: int = 500,
    n_delete: int | None = None,
    n_moves: int | None = None,
    precision: float = 0.01,
    store=None,
    progress=None,
) -> Samples:
    """Nested sampling (Skilling 2006) with slices (arXiv:2601.23252): draws and the evidence Z.

    As `sample_nested`, but the live points are replaced many at a time, on the device and by one compiled program: each
    new one is a walk of slice moves along directions with the covariance of the live points, inside the likelihood of
    the worst one. For accelerators and for tens of parameters; `sample_nested` is quicker to start.

    **Arguments:**

    - `n_live`: live points; the uncertainty of ln Z falls with their root.
    - `n_delete`: how many are replaced at a time, by default a tenth of them.
    - `n_moves`: moves of a walk, by default twice the number of parameters and at least five; too few bias ln Z
      upwards.
    - `precision`: the run ends when the live points can raise ln Z by less than this.
    - `key`, `store`: as for `sample_nuts`, bit for bit; `progress`: called with the number of replaced points, and 0.

    **Returns:** `Samples` of one chain with equal weights and `log_evidence`; `statistics["n_effective"]` is Kish's
    effective number of draws.

    **Raises:** `InvalidModel` where the prior is improper, naming the parameters; `InvalidStore`; `MissingExtra` where
    blackjax is not installed.
    """
    package("blackjax")
    n_free = len(posterior.free)
    n_delete = max(1, n_live // 10) if n_delete is None else n_delete
    n_moves = max(5, 2 * n_free) if n_moves is None else n_moves
    for name, count, least in (("n_live", n_live, 2 * n_free + 1), ("n_delete", n_delete, 1), ("n_moves", n_moves, 1)):
        check_count(name, count, least)
    check_count("n_live - n_delete", n_live - n_delete, n_free + 1)
    check_proper(posterior)
    settings = {"n_live": n_live, "n_delete": n_delete, "n_moves": n_moves, "precision": precision, "chunk": CHUNK}
    about = described(posterior, "slices", key, **settings)
    keeping = Keeping(store, progress)
    kept = keeping.opened(about)
    if kept is not None and kept.finished() is not None:
        return Samples.load(kept.path)
    start, space, rng = Start(best_fit(posterior), None), posterior.unconstrained, generator_of(key)
    dead = _deaths(space, _first(space, key, n_live, n_moves, n_delete), key, precision, keeping, kept)
    vectors, log_weights, evidence = _weighted(space, dead, jax.random.fold_in(key, 0))
    samples = as_equal_weights(posterior, "slices", start, vectors, log_weights, rng, about, *evidence)
    if kept is not None:
        samples.save(kept.path)
        kept.clear()
    return samples


def _first(space: Unconstrained, key, n_live: int, n_moves: int, n_delete: int):
    """The sampler, and its state with live points drawn from the prior."""
    cube = np.asarray(jax.random.uniform(jax.random.fold_in(key, 1), (n_live, space.size), jnp.float64))
    positions = space.unconstrain(space.posterior.from_unit_cube(cube))
    return _begun(space, positions, n_moves, n_delete), n_moves, n_delete


def _algorithm(space: Unconstrained, n_moves: int, n_delete: int):
    def log_prior(z):
        return space.posterior.log_prior(space.constrain(z)) + space.log_jacobian(z)

    def log_likelihood(z):
        value = space.posterior.log_likelihood(space.constrain(z))
        return jnp.where(jnp.isfinite(value), value, IMPOSSIBLE)

    return package("blackjax").nss(log_prior, log_likelihood, num_inner_steps=n_moves, num_delete=n_delete)


@eqx.filter_jit
def _begun(space: Unconstrained, positions, n_moves: int, n_delete: int):
    return _algorithm(space, n_moves, n_delete).init(positions)


@eqx.filter_jit
def _advanced(space: Unconstrained, state, key, first, n_moves: int, n_delete: int):
    """The state after a chunk of steps, and the points that died: arrays `(steps * deleted, ...)`."""
    algorithm = _algorithm(space, n_moves, n_delete)

    def step(state, number):
        state, info = algorithm.step(jax.random.fold_in(key, number), state)
        return state, info.particles

    state, dead = jax.lax.scan(step, state, first + jnp.arange(CHUNK))
    return state, jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), dead)


def _deaths(space, begun, key, precision: float, keeping: Keeping, kept: SampleStore | None) -> Draws:
    """All dead points in the order of their deaths, the last live points after them."""
    state, *counts = begun
    leaves, structure = jax.tree.flatten(state)
    parts = [] if kept is None else kept.chunks()
    if parts:
        state = structure.unflatten([jnp.asarray(parts[-1][f"state_{i}"]) for i in range(len(leaves))])
    key, n_dead = jax.random.fold_in(key, 2), sum(len(part["loglikelihood"]) for part in parts)
    while float(state.integrator.logZ_live - state.integrator.logZ) > np.log(precision):
        first = jnp.asarray(len(parts) * CHUNK, jnp.uint32)
        state, dead = _advanced(space, state, key, first, *counts)
        parts.append(_arrays(dead) | _leaves(state))
        if kept is not None:
            kept.save(len(parts) - 1, parts[-1])
        n_dead += len(parts[-1]["loglikelihood"])
        if keeping.progress is not None:
            keeping.progress(n_dead, 0)
    parts.append(_arrays(state.particles))
    return {name: np.concatenate([part[name] for part in parts]) for name in FIELDS}


def _arrays(particles) -> Draws:
    return {name: np.asarray(getattr(particles, name)) for name in FIELDS}


def _leaves(state) -> State:
    return {f"state_{number}": np.asarray(leaf) for number, leaf in enumerate(jax.tree.leaves(state))}


def _weighted(space: Unconstrained, dead: Draws, key):
    """Flat points, ln of their weights, and ln Z with its uncertainty, from random sequences of prior volumes."""
    from blackjax.ns.base import NSInfo, StateWithLogLikelihood
    from blackjax.ns.utils import log_weights

    particles = StateWithLogLikelihood(*(jnp.asarray(dead[name]) for name in FIELDS))
    weights = log_weights(key, NSInfo(particles, None), shape=VOLUMES)
    evidences = logsumexp(weights, axis=0)
    mean = logsumexp(weights, axis=1) - np.log(VOLUMES)
    vectors = np.asarray(space.constrain(particles.position))
    return vectors, np.asarray(mean), (float(jnp.mean(evidences)), float(jnp.std(evidences)))
