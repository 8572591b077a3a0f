"""Cuts with a slope."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import float_dtype


def soft_cut(values: ArrayLike, threshold: ArrayLike, slope: ArrayLike) -> Float[Array, "..."]:
    r"""The weight \(1 / (1 + e^{-s (x - t)})\) with which an event passes `values > threshold`.

    **Arguments:**

    - `values`: any shape; `threshold` t and `slope` s (in units of 1/`values`) broadcast against it. A negative slope
      keeps what is below.
    - an infinite slope is the hard cut, where an event on the threshold does not pass; derivatives are then 0.

    **Returns:** weights between 0 and 1, to be multiplied with those of the events, and with those of other cuts. For
    events of density f, what passes is too much by \(\frac{\pi^2}{6 s^2} f'(t) + O(s^{-4})\) times their number, with
    the other sign for a cut that keeps what is below.

    >>> print(soft_cut(jnp.array([0.0, 0.9, 1.0, 1.1, 2.0]), 1.0, 20.0).round(3))
    [0.    0.119 0.5   0.881 1.   ]
    >>> print(soft_cut(jnp.array([0.9, 1.0, 1.1]), 1.0, jnp.inf))
    [0. 0. 1.]
    """
    values, threshold, slope = (jnp.asarray(each, float_dtype()) for each in (values, threshold, slope))
    hard = jnp.isinf(slope)
    excess = jnp.where(hard, 0.0, slope) * (values - threshold)
    passes = jnp.where(slope > 0, values > threshold, values < threshold).astype(excess.dtype)
    return jnp.where(hard, passes, jax.nn.sigmoid(excess))
