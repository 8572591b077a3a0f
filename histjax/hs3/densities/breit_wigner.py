"""The relativistic Breit-Wigner line shape with energy-dependent widths."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.hs3.intervals import inside, positive
from histjax.hs3.nodes import Argument, Distribution, Point, Unreadable, argument, as_argument, value

FORM_FACTORS = ((1,), (1, 1), (9, 3, 1), (225, 45, 6, 1), (11025, 1575, 135, 10, 1))
"""Coefficients in z^2 of the denominators of the squared Blatt-Weisskopf factors for l = 0 ... 4."""

Channel = tuple[Argument, Argument, Argument, int, Argument]
"""Gamma, m1, m2, l and R of one channel."""


def as_channels(found) -> tuple[Channel, ...]:
    """Channels of a resonance, each an object."""
    if not isinstance(found, list) or not found or not all(isinstance(each, Mapping) for each in found):
        raise Unreadable("a list of channels")
    return tuple(map(_as_channel, found))


def _as_channel(found: Mapping) -> Channel:
    unknown = sorted(set(found) - {"name", "Gamma", "m1", "m2", "l", "R"})
    if unknown or "Gamma" not in found:
        raise Unreadable("channels with 'Gamma', and 'name', 'm1', 'm2', 'l' and 'R' if need be")
    momentum = found.get("l", 0)
    if isinstance(momentum, bool) or momentum not in range(len(FORM_FACTORS)):
        raise Unreadable(f"channels with an 'l' of 0 to {len(FORM_FACTORS) - 1}")
    width, m1, m2, size = (as_argument(found.get(*each)) for each in (("Gamma",), ("m1", 0), ("m2", 0), ("R", 3)))
    return width, m1, m2, int(momentum), size


@dataclass(frozen=True, kw_only=True)
class RelativisticBreitWigner(Distribution):
    r"""Resonance: \(f = m\,\Gamma_1(m) / |m_0^2 - m^2 - i\,m_0 \Gamma(m)|^2\) with \(\Gamma = \sum_i \Gamma_i\),
    \(\Gamma_i(m) = \Gamma_{0,i}\, z^{2l} h_l^2(z)\, 2 q/m\), z = q R, q the momentum of the decay products (HS3
    "Relativistic Breit-Wigner distribution"; PDG 2023, "Resonances", equations 50.30-50.35).

    Keys `x` (or `m`), the variable; `mass`, the mass m0 of the resonance; `channels`, each with `Gamma` and optionally
    `m1`, `m2`, `l`, `R`, `name`: the first is the one observed. Below its threshold f = 0; channels that are closed do
    not count (no continuation below the threshold).

    The text has no key for the variable, and numbers the form factors from one too low (h_0^2 = 1/(1 + z^2)), which
    contradicts both the PDG and its own remark that one channel with m1 = m2 = l = 0 has a constant width; here
    h_0 = 1. No closed integral: the general quadrature, with breaks at the peak and the thresholds. Neither ROOT nor
    PyHS3 has it.
    """

    types = ("relativistic_breit_wigner_dist",)
    x: Argument = argument("x", "m")
    mass: Argument = argument("mass")
    channels: tuple[Channel, ...] = value("channels", read=as_channels, refers=True)

    def log_density(self, at: Point) -> Array:
        """The logarithm of the line shape."""
        m, mass = at(self.x), positive(at(self.mass))
        threshold = at(self.channels[0][1]) + at(self.channels[0][2])
        support = m > jnp.maximum(threshold, 0.0)
        m = jnp.where(support, m, threshold + mass)
        widths = [
            _width(m, *map(at, (gamma, m1, m2, size)), momentum) for gamma, m1, m2, momentum, size in self.channels
        ]
        total, distance = sum(widths), (mass - m) * (mass + m)
        log_density = jnp.log(m * widths[0]) - jnp.log(distance * distance + jnp.square(mass * total))
        return inside(support, log_density)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The peak and points around it, the thresholds and points that approach them from above."""
        if observable != self.x:
            return ()
        fixed = jax.lax.stop_gradient
        mass, total = fixed(at(self.mass)), fixed(sum(at(gamma) for gamma, *_ in self.channels))
        shifts = 3.0 ** np.arange(-1, 8)
        points = [mass, mass + shifts * total, mass - shifts * total]
        for _, m1, m2, _, _ in self.channels:
            threshold = fixed(at(m1) + at(m2))
            points += [threshold, threshold + (jnp.abs(mass - threshold) + total) * 0.25 ** np.arange(16)]
        return tuple(points)


def _width(m: Array, width: Array, m1: Array, m2: Array, size: Array, momentum: int) -> Array:
    """The width of a channel at m; 0 below its threshold."""
    above, below = (m - m1 - m2) * (m + m1 + m2), (m - m1 + m2) * (m + m1 - m2)
    is_open = (m > m1 + m2) & (above * below > 0)
    square = jnp.where(is_open, above * below, 1.0) / (4 * m * m)
    z = square * size * size
    denominator = sum(coefficient * z**power for power, coefficient in enumerate(FORM_FACTORS[momentum]))
    return jnp.where(is_open, positive(width) * z**momentum / denominator * 2 * jnp.sqrt(square) / m, 0.0)
