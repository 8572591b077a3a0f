"""Names for the shapes that go through the package, and the one function that decides the floating-point type.

Axis names in annotations: `parameters` (components of all parameter sets in the flat order), `bins` (of all channels,
or of one where the docstring says so), `cells` (one sample in one bin), `rows` (one sample in one channel), `alphas`
(parameters that interpolate), `auxiliaries` (auxiliary data), `n_sigma` (the five points -2 ... +2 of an expected
band).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

Params = dict[str, Array]
"""One parameter point: a leaf for each parameter set, `()` for scalars and `(n,)` for bin-wise sets."""


def float_dtype():
    """The floating-point type of every array that histjax makes: float64 unless the user turned x64 off."""
    return jnp.float64 if jax.config.jax_enable_x64 else jnp.float32


def is_traced(*values) -> bool:
    """Whether any of the values is a tracer, so that nothing may be asked of its numbers."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def on_host(values):
    """As a NumPy array where the values are known: slicing and assembling on the host compiles nothing."""
    return values if is_traced(values) else np.array(values)


def replaced(vector, place, value):
    """`vector` with `value` at `place` (a slice or indices), put there on the host where all values are known."""
    if is_traced(vector, place, value):
        vector = jnp.asarray(vector)
        return vector.at[place].set(jnp.asarray(value, vector.dtype))
    vector = np.array(vector)
    vector[place] = value
    return vector


def joined(parts, dtype) -> Array:
    """Flat arrays after each other, put together on the host where all values are known."""
    if not parts:
        return jnp.zeros(0, dtype)
    if is_traced(parts):
        return jnp.concatenate([jnp.ravel(jnp.asarray(part, dtype)) for part in parts])
    return jnp.asarray(np.concatenate([np.ravel(part) for part in parts]), dtype)


def split(flat: Array, places: dict[str, tuple[slice, tuple[int, ...]]]) -> dict[str, Array]:
    """Named pieces of the last axis of `flat`, each with its shape; cut on the host where the values are known.

    Outside a trace every slice would be a program of its own to compile.
    """
    traced = is_traced(flat)
    flat = flat if traced else np.asarray(flat)
    pieces = {name: flat[..., place].reshape((*flat.shape[:-1], *shape)) for name, (place, shape) in places.items()}
    return pieces if traced else jax.device_put(pieces)
