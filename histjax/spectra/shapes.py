r"""Photon spectra as pure functions of the energy in keV: photons per cm², second and keV.

Any function like these is a model; sums, products and absorbed ones are functions that call them:

    def two_components(energy, norm, index, hot_norm, temperature):
        return power_law(energy, norm, index) + black_body(energy, hot_norm, temperature)
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def power_law(energy: Float[Array, "energies"], norm, index, *, pivot=1.0) -> Float[Array, "energies"]:
    """norm (E / pivot)^-index.

    >>> print(power_law(jnp.array([1.0, 10.0]), 3.0, 2.0))
    [3.   0.03]
    """
    return norm * (energy / pivot) ** -index


def cutoff_power_law(energy: Float[Array, "energies"], norm, index, cutoff, *, pivot=1.0) -> Float[Array, "energies"]:
    """norm (E / pivot)^-index exp(-E / cutoff)."""
    return norm * (energy / pivot) ** -index * jnp.exp(-energy / cutoff)


def band(energy: Float[Array, "energies"], norm, alpha, beta, peak, *, pivot=100.0) -> Float[Array, "energies"]:
    """The spectrum of gamma-ray bursts: Band et al., ApJ 413 (1993) 281, equation 1.

    norm (E / pivot)^alpha exp(-E (2 + alpha) / peak) below E_b = (alpha - beta) peak / (2 + alpha), and a power law
    with `beta` above, with the same value and slope at E_b; `peak` is where E² times the spectrum is largest, for
    beta < -2 < alpha.

    >>> print(band(jnp.array([100.0]), 2.0, -1.0, -2.5, 300.0).round(6))  # 2 exp(-1/3)
    [1.433063]
    """
    scale = peak / (2 + alpha)
    breaking = (alpha - beta) * scale
    # outside of its part each formula is computed at E_b, where it is harmless
    low, high = jnp.minimum(energy, breaking), jnp.maximum(energy, breaking)
    below = (low / pivot) ** alpha * jnp.exp(-low / scale)
    above = (breaking / pivot) ** (alpha - beta) * jnp.exp(beta - alpha) * (high / pivot) ** beta
    return norm * jnp.where(energy < breaking, below, above)


def black_body(energy: Float[Array, "energies"], norm, temperature) -> Float[Array, "energies"]:
    """norm E² / (exp(E / kT) - 1), with kT = `temperature` in keV.

    >>> print(black_body(jnp.array([1.0]), 1.0, 1.0).round(6))  # 1 / (e - 1)
    [0.581977]
    """
    return norm * energy**2 / jnp.expm1(energy / temperature)
