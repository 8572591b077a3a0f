"""Functions of flat vectors, compiled with the model as an argument: models of one structure share their programs."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from histjax.model.likelihood import Likelihood


@eqx.filter_jit
def log_density(likelihood: Likelihood, data, x: Float[Array, "parameters"]) -> Float[Array, ""]:
    """ln L, all constants included."""
    return likelihood.saturated_logpdf(data) - likelihood.nll(x, data)


@eqx.filter_jit
def objective(likelihood: Likelihood, data, x: Float[Array, "parameters"]) -> tuple[Array, Array]:
    """-ln L and its gradient."""
    value, gradient = jax.value_and_grad(likelihood.nll)(x, data)
    return value - likelihood.saturated_logpdf(data), gradient


@eqx.filter_jit
def log_density_hessian(likelihood: Likelihood, data, x: Float[Array, "parameters"]) -> Float[Array, "parameters n"]:
    """Second derivatives of ln L."""
    return -likelihood.nll_derivatives(x, data)[2]


@eqx.filter_jit
def draws(likelihood: Likelihood, keys: Shaped[PRNGKeyArray, "toys"], x) -> Float[Array, "toys data"]:
    """One pseudo-dataset for each key, auxiliary data included."""
    return jax.vmap(lambda key: likelihood.draw_flat(key, x))(keys)
