"""Simulated spectra: counts drawn for a source and a background."""

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from histjax._typing import float_dtype
from histjax.errors import InvalidSpectrum, UnknownName
from histjax.model.density import draw_poisson
from histjax.spectra.checking import Problems
from histjax.spectra.folding import Folding, Rule, gauss_legendre
from histjax.spectra.models import SpectralModel, flux
from histjax.spectra.spectrum import Background, Spectrum


def simulate(
    key: PRNGKeyArray,
    spectrum: Spectrum,
    model: SpectralModel,
    values: Mapping[str, ArrayLike] | None = None,
    *,
    background_rate: ArrayLike | None = None,
    rule: Rule | None = None,
) -> Spectrum:
    """The spectrum with drawn counts in place of its own, channel by channel.

    **Arguments:**

    - `spectrum`: exposures, response, background measurement and choice of channels.
    - `values`: of the model's parameters, its starting values by default.
    - `background_rate`: true background in counts per second in the region of the source, `(channels,)`; by default the
      rate that the background of `spectrum` has.

    Source counts, and background counts that were counted, are Poisson numbers; with a `sigma` they are Gaussian ones.

    **Raises:** `UnknownName`, `InvalidSpectrum`.

    >>> from histjax.spectra import Response, power_law
    >>> model = SpectralModel(power_law, {"norm": 1.0, "index": 2.0})
    >>> empty = Spectrum([0, 0], 1000.0, Response.diagonal([1.0, 2.0, 4.0]))
    >>> print(abs(simulate(jax.random.key(1), empty, model).counts.sum() - 750.0) < 5 * 750.0**0.5)  # 750 are expected
    True
    """
    for name in values or {}:
        if name not in model.parameters:
            raise UnknownName("parameter", name, model.parameters)
    named = {name: each.init for name, each in model.parameters.items()} | dict(values or {})
    folding = Folding.of(spectrum.response.energies, spectrum.response.drm, gauss_legendre() if rule is None else rule)
    source = np.asarray(folding.rates(lambda energy: flux(model.function, energy, named)))
    background = _background_rate(spectrum, background_rate)
    on_key, off_key = jax.random.split(key)
    counts = _drawn(on_key, spectrum.exposure * (source + background), spectrum.sigma)
    found = spectrum.background
    if found is not None:
        off = _drawn(off_key, found.exposure * found.scale * background, found.sigma)
        found = Background(off, found.exposure, found.scale, found.sigma)
    return replace(spectrum, counts=counts, background=found)


def _background_rate(spectrum: Spectrum, rate: ArrayLike | None) -> np.ndarray:
    found, n = spectrum.background, spectrum.response.n_channels
    if rate is not None:
        problems = Problems("simulation")
        problems.add(found is None, "a background_rate needs a spectrum with a background")
        rate = problems.per_channel("background_rate", rate, n, positive=">= 0")
        problems.raise_any()
        return rate
    if found is None:
        return np.zeros(n)
    seen = found.exposure * found.scale
    if np.any(seen <= 0):
        raise InvalidSpectrum("simulation", ["the background has no exposure; give the background_rate"])
    return found.counts / seen


def _drawn(key: PRNGKeyArray, expected: np.ndarray, sigma: np.ndarray | None) -> np.ndarray:
    expected = jnp.asarray(expected, float_dtype())
    if sigma is None:
        return np.asarray(draw_poisson(key, expected))
    return np.asarray(expected + jnp.asarray(sigma) * jax.random.normal(key, expected.shape, expected.dtype))
