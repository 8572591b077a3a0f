r"""Bounded parameters as smooth functions of numbers without bounds, with their Jacobian.

| support | x(z) | dx/dz |
|---|---|---|
| (lower, upper) | lower + (upper - lower) / (1 + e^-z) | (upper - lower) s(z) s(-z) |
| (lower, infinity) | lower + u ln(1 + e^(z/u)) | s(z/u) |
| (-infinity, upper) | upper - u ln(1 + e^(-z/u)) | s(-z/u) |
| everything | z | 1 |

s(z) = 1 / (1 + e^-z), and u is the natural size of the parameter: its prefit width, or its initial value.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Unconstrained(eqx.Module):
    """The posterior of the free components as a density over all numbers; fixed components are left out.

    `constrain` and `unconstrain` lead from one to the other, for one point or along leading axes.
    """

    posterior: eqx.Module
    lower: Float[Array, "free"]
    upper: Float[Array, "free"]
    unit: Float[Array, "free"]
    kinds: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, posterior):
        self.posterior = posterior
        free = np.array(posterior.free)
        lower, upper = (np.asarray(each)[free] for each in (posterior.lower, posterior.upper))
        self.kinds = tuple(_kind(*ends) for ends in zip(np.isfinite(lower), np.isfinite(upper), strict=True))
        self.lower, self.upper = jnp.asarray(lower), jnp.asarray(upper)
        self.unit = jnp.asarray(natural_sizes(posterior.parameters)[free])

    @property
    def size(self) -> int:
        """How many components are free."""
        return len(self.kinds)

    def _of(self, kind: str) -> np.ndarray:
        return np.array([each == kind for each in self.kinds])

    def free_values(self, z: Float[Array, "... free"]) -> Float[Array, "... free"]:
        """Values of the free components."""
        x = z
        if np.any(both := self._of("both")):
            low, high = jnp.where(both, self.lower, 0.0), jnp.where(both, self.upper, 1.0)
            x = jnp.where(both, low + (high - low) * jax.nn.sigmoid(z), x)
        if np.any(one := self._of("lower")):
            x = jnp.where(one, jnp.where(one, self.lower, 0.0) + self.unit * jax.nn.softplus(z / self.unit), x)
        if np.any(one := self._of("upper")):
            x = jnp.where(one, jnp.where(one, self.upper, 0.0) - self.unit * jax.nn.softplus(-z / self.unit), x)
        return x

    def constrain(self, z: Float[Array, "... free"]) -> Float[Array, "... parameters"]:
        """The flat parameter vector."""
        values = self.free_values(z)
        point = jnp.broadcast_to(self.posterior.point, (*values.shape[:-1], self.posterior.point.size))
        return point.at[..., np.array(self.posterior.free)].set(values)

    def unconstrain(self, vector: Float[Array, "... parameters"]) -> Float[Array, "... free"]:
        """Inverse of `constrain`; infinite on a bound."""
        x = jnp.asarray(vector)[..., np.array(self.posterior.free)]
        z = x
        if np.any(both := self._of("both")):
            low, high = jnp.where(both, self.lower, x - 1), jnp.where(both, self.upper, x + 1)
            z = jnp.where(both, jnp.log(x - low) - jnp.log(high - x), z)
        if np.any(one := self._of("lower")):
            z = jnp.where(one, _inverse_softplus(jnp.where(one, x - self.lower, 1.0), self.unit), z)
        if np.any(one := self._of("upper")):
            z = jnp.where(one, -_inverse_softplus(jnp.where(one, self.upper - x, 1.0), self.unit), z)
        return z

    def log_jacobian(self, z: Float[Array, "free"]) -> Float[Array, ""]:
        """ln |dx/dz|, summed over the components."""
        total = jnp.zeros_like(z)
        if np.any(both := self._of("both")):
            width = jnp.where(both, self.upper, 1.0) - jnp.where(both, self.lower, 0.0)
            total = jnp.where(both, jnp.log(width) + jax.nn.log_sigmoid(z) + jax.nn.log_sigmoid(-z), total)
        if np.any(one := self._of("lower")):
            total = jnp.where(one, jax.nn.log_sigmoid(z / self.unit), total)
        if np.any(one := self._of("upper")):
            total = jnp.where(one, jax.nn.log_sigmoid(-z / self.unit), total)
        return jnp.sum(total)

    def log_density(self, z: Float[Array, "free"]) -> Float[Array, ""]:
        """ln of the density of z."""
        return self.posterior.log_density(self.constrain(z)) + self.log_jacobian(z)


def natural_sizes(parameters) -> np.ndarray:
    """Prefit width of each component; for a free one its initial value, or 1 where that is 0."""
    widths, init = np.asarray(parameters.widths), np.asarray(parameters.init)
    free = np.where(init == 0, 1.0, np.abs(init))
    return np.where(np.isfinite(widths) & (widths > 0), widths, free)


def _kind(has_lower: bool, has_upper: bool) -> str:
    return {(True, True): "both", (True, False): "lower", (False, True): "upper"}.get((has_lower, has_upper), "none")


def _inverse_softplus(x, unit):
    """z with unit ln(1 + e^(z/unit)) = x."""
    y = x / unit
    return unit * (y + jnp.log(-jnp.expm1(-y)))
