"""`sample_emcee`: the affine-invariant ensemble sampler of emcee."""

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
    generator_of,
    with_densities,
)
from histjax.bayes.starting import find_start
from histjax.bayes.unconstrained import Unconstrained
from histjax.errors import InvalidModel

CHUNK = 250
"""Draws of each walker that are made, and kept, at a time."""


def sample_emcee(
    posterior: Posterior,
    n_draws: int,
    *,
    key,
    n_walkers: int | None = None,
    n_warmup: int = 500,
    thin: int = 5,
    store=None,
    progress=None,
) -> Samples:
    """Draw from a posterior with emcee (arXiv:1202.3665): a check that needs no derivatives. Use NUTS for the rest.

    Walkers move in the unconstrained parameters, from a ball of the size of the posterior around its top. All of a
    step's densities are one compiled call. The state of emcee's random numbers is kept, too, so that a run that goes on
    is the uninterrupted one bit for bit.

    **Arguments:**

    - `n_draws`: draws of each walker that are kept: every `thin`-th step after `n_warmup` steps.
    - `n_walkers`: by default 32, or twice the number of free parameters if that is more.
    - `key`, `store`, `progress`: as for `sample_nuts`.

    **Returns:** `Samples`, whose chains are the walkers: they are not independent, so that R-hat and effective sample
    sizes flatter.

    **Raises:** `InvalidModel`, `InvalidStore`, `MissingExtra` where emcee is not installed.
    """
    emcee, space = package("emcee"), posterior.unconstrained
    walkers = max(32, 2 * space.size) if n_walkers is None else n_walkers
    for name, count in (("n_draws", n_draws), ("n_warmup", n_warmup), ("thin", thin)):
        check_count(name, count)
    if walkers < 2 * space.size or walkers % 2:
        raise InvalidModel(
            f"emcee needs an even number of walkers, at least twice the {space.size} free parameters; found {walkers}"
        )
    about = described(posterior, "emcee", key, n_walkers=walkers, n_warmup=n_warmup, thin=thin, chunk=CHUNK)
    start = find_start(posterior)

    def log_densities(z):
        return np.asarray(_log_densities(space, z))

    def sampler():
        return emcee.EnsembleSampler(walkers, space.size, log_densities, vectorize=True)

    def begin() -> State:
        rng = generator_of(key)
        seed = np.random.RandomState(rng.integers(2**32, size=4, dtype=np.uint32)).get_state()
        coordinates = np.asarray(start.whitened.z(rng.standard_normal((walkers, space.size))))
        first = emcee.State(coordinates, random_state=seed)
        return _packed(sampler().run_mcmc(first, n_warmup, store=False))

    def advance(state: State, number: int) -> tuple[State, Draws]:
        del number
        chain = sampler()
        last = chain.run_mcmc(_unpacked(emcee, state), CHUNK, thin_by=thin)
        vectors = np.asarray(space.constrain(jnp.asarray(np.swapaxes(chain.get_chain(), 0, 1))))
        return _packed(last), with_densities(posterior, vectors)

    return draw_in_chunks(
        Keeping(store, progress),
        about,
        n_draws,
        begin,
        advance,
        lambda draws: as_samples(posterior, "emcee", start, draws),
    )


@eqx.filter_jit
def _log_densities(space: Unconstrained, z):
    values = jax.vmap(space.log_density)(z)
    return jnp.where(jnp.isnan(values), -jnp.inf, values)


def _packed(state) -> State:
    """A state of emcee as arrays; its random numbers are NumPy's Mersenne twister."""
    _, words, position, has_gauss, gauss = state.random_state
    arrays = {"coordinates": state.coords, "log_density": state.log_prob, "words": words}
    return arrays | {"position": np.int64(position), "has_gauss": np.int64(has_gauss), "gauss": np.float64(gauss)}


def _unpacked(emcee, state: State):
    twister = "MT19937", state["words"], int(state["position"]), int(state["has_gauss"]), float(state["gauss"])
    return emcee.State(np.array(state["coordinates"]), log_prob=np.array(state["log_density"]), random_state=twister)
