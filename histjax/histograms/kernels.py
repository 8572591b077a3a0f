"""Which part of each event lies in each bin: cumulative distributions of kernels, and the hard limit of width 0."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import float_dtype, is_traced
from histjax.errors import InvalidHistogram


def shares(
    values: ArrayLike, edges: ArrayLike, width: ArrayLike, distribution: Callable[[Array], Array]
) -> Float[Array, "events bins"]:
    """The part of each event's kernel in each bin: a difference of cumulative distributions.

    `distribution` is that of the kernel of width 1. Where `width` is 0 an event belongs to one bin, `[a, b)`, the last
    one `[a, b]`, as in `jnp.histogram`; then nothing depends on values and edges, and their derivatives are 0.
    """
    values, edges, width = (jnp.asarray(each, float_dtype()) for each in (values, edges, width))
    check(values, edges, width)
    x, edge, width = values[:, None], edges[None, :], jnp.broadcast_to(width, values.shape)[:, None]
    last = jnp.arange(edges.size) == edges.size - 1
    hard = jnp.where((x < edge) | (last & (x == edge)), 1.0, 0.0)
    # infinite ends take everything, whatever the width, whose derivative would be 0 times infinity
    soft = (width > 0) & ~jnp.isinf(edge) & ~jnp.isinf(x)
    distance = (jnp.where(soft, edge, 0.0) - jnp.where(soft, x, 0.0)) / jnp.where(soft, width, 1.0)
    return jnp.diff(jnp.where(soft, distribution(distance), hard), axis=1)


def event_weights(values: ArrayLike, weights: ArrayLike | None) -> Float[Array, "events"]:
    """Weights as an array, 1 where there are none; raises `InvalidHistogram` where their number is wrong."""
    if weights is None:
        return jnp.ones(jnp.shape(values), float_dtype())
    if jnp.shape(weights) not in ((), jnp.shape(values)):
        raise InvalidHistogram(
            f"there are {jnp.size(values)} events and weights of shape {jnp.shape(weights)}; give one weight an event"
        )
    return jnp.broadcast_to(jnp.asarray(weights, float_dtype()), jnp.shape(values))


def check(values: Array, edges: Array, width: Array) -> None:
    """Raise `InvalidHistogram` for shapes that do not fit, edges that do not increase and a negative width."""
    if values.ndim != 1:
        raise InvalidHistogram(f"values are one number an event, found an array of shape {values.shape}; use vmap")
    if edges.ndim != 1 or edges.size < 2:
        raise InvalidHistogram(f"edges are at least two numbers, found an array of shape {edges.shape}")
    if width.shape not in ((), values.shape):
        raise InvalidHistogram(
            f"a width is one number or one an event, found shape {width.shape} for {values.size} events"
        )
    if not is_traced(edges) and not np.all(np.diff(np.asarray(edges)) > 0):
        raise InvalidHistogram(f"edges must increase, found {np.asarray(edges).tolist()}; sort them")
    if not is_traced(width) and not np.all(np.asarray(width) >= 0):
        raise InvalidHistogram(f"bandwidth and slope must not be negative, found a width of {np.min(width)}")
