"""One spectrum of a likelihood: its arrays, and what its statistic says of counts, backgrounds and draws.

| statistic | source counts | background counts | profiled background rate |
|---|---|---|---|
| `pstat` | Poisson | | |
| `ppstat` | Poisson | Poisson | `profiled_background_poisson` |
| `pgstat` | Poisson | Gaussian | `profiled_background_gaussian` |
| `gstat` | Gaussian | Gaussian | where both pulls balance |
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from histjax.counting import (
    exact_factorial,
    gstat,
    pgstat,
    ppstat,
    profiled_background_gaussian,
    profiled_background_poisson,
    pstat,
)
from histjax.counting.deviance import FLOOR, divided
from histjax.counting.statistics import BinStatistic
from histjax.model.density import draw_poisson, log_normal_saturated
from histjax.spectra.folding import Folding
from histjax.spectra.models import flux


class Part(eqx.Module):
    """One spectrum and its model, arrays `(bins,)` as in `histjax.spectra.binning.Bins`.

    `arguments` are names of the model's parameters and places among the declared ones.
    """

    folding: Folding
    exposure: Float[Array, "bins"]
    sigma: Float[Array, "bins"]
    off_exposure: Float[Array, "bins"]
    off_sigma: Float[Array, "bins"]
    channels: Float[Array, "bins two"]
    model: Callable | None
    static_model: Callable | None = eqx.field(static=True)
    statistic: Callable = eqx.field(static=True)
    has_background: bool = eqx.field(static=True)
    arguments: tuple[tuple[str, int], ...] = eqx.field(static=True)

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.exposure.size

    def rate(self, values: Float[Array, "declared"]) -> Float[Array, "bins"]:
        """Counts per second that the source sends to each bin, from the values of the declared parameters."""
        function = self.model if self.static_model is None else self.static_model
        named = {name: values[place] for name, place in self.arguments}
        return self.folding.rates(lambda energy: flux(function, energy, named))

    def background_rate(self, rate, counts, off) -> Float[Array, "bins"]:
        """The profiled background, in counts per second in the region of the source."""
        t, t_off = self.exposure, self.off_exposure
        if self.statistic is ppstat:
            return profiled_background_poisson(counts, off, rate, t, t_off)
        if self.statistic is pgstat:
            return profiled_background_gaussian(counts, off, rate, t, t_off, self.off_sigma)
        if self.statistic is pstat:
            return jnp.zeros_like(rate)
        # (n - t (m + b)) / t sigma^2 = (t_b b - n_b) / t_b sigma_b^2 with b = n_b/t_b + share * gap
        spread = divided(self.off_sigma, t_off) ** 2
        gap = counts - t * (divided(off, t_off) + rate)
        return divided(off, t_off) + divided(t * spread, self.sigma**2 + t**2 * spread) * gap

    def terms(self, rate, counts, off) -> BinStatistic:
        """-2 ln [L / L(saturated)] of each bin with the background profiled, and its signed root."""
        t, t_off = self.exposure, self.off_exposure
        if self.statistic is ppstat:
            return ppstat(counts, off, rate, t, t_off)
        if self.statistic is pgstat:
            return pgstat(counts, off, rate, t, t_off, self.off_sigma)
        if self.statistic is pstat:
            return pstat(counts, rate, t)
        return gstat(counts, off, rate, t, t_off, self.sigma, self.off_sigma)

    def saturated(self, counts, off) -> Float[Array, ""]:
        """ln L of the saturated model; a Gaussian of width 0 is an exact number, without density."""
        total = jnp.zeros((), self.exposure.dtype)
        if self.statistic is gstat:
            total += _log_normals(self.sigma)
        else:
            total -= jnp.sum(exact_factorial(counts))
        if self.statistic is ppstat:
            total -= jnp.sum(exact_factorial(off))
        elif self.has_background:
            total += _log_normals(self.off_sigma)
        return total

    def expected(self, rate, background) -> tuple[Array, Array]:
        """Counts of the source and of the background region."""
        return self.exposure * (rate + background), self.off_exposure * background

    def drawn(self, key: PRNGKeyArray, rate, background) -> tuple[Array, Array]:
        """Counts of both regions, drawn."""
        on_key, off_key = jax.random.split(key)
        on, off = self.expected(rate, background)
        if self.statistic is gstat:
            on += self.sigma * jax.random.normal(on_key, on.shape, on.dtype)
        else:
            on = draw_poisson(on_key, on)
        if self.statistic is ppstat:
            return on, draw_poisson(off_key, off)
        return on, off + self.off_sigma * jax.random.normal(off_key, off.shape, off.dtype)

    def is_impossible(self, rate, counts, off) -> Bool[Array, ""]:
        """Whether counts are observed where none are expected, or fewer than none."""
        if self.statistic is gstat:
            return jnp.zeros((), bool)
        expected = self.exposure * (rate + self.background_rate(rate, counts, off))
        return jnp.any(((counts > 0) & (expected <= FLOOR)) | (counts < 0) | (expected < 0))


def _log_normals(sigma: Float[Array, "bins"]) -> Float[Array, ""]:
    known = sigma > 0
    return jnp.sum(jnp.where(known, log_normal_saturated(jnp.where(known, sigma, 1.0)), 0.0))
