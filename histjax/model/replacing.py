"""Yields and weights by name, put into the flat arrays of a model."""

from collections.abc import Mapping

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import replaced
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import Layout


def replaced_yields(
    layout: Layout, nominal: Float[Array | np.ndarray, "cells"], yields: Mapping[tuple[str, str], Float[Array, "..."]]
):
    """`nominal` with the yields of some `(channel, sample)`; raises `UnknownName`, `InvalidModel`."""
    rows = {(row.channel, row.sample): row for row in layout.rows}
    for name, value in yields.items():
        if name not in rows:
            raise UnknownName("(channel, sample)", name, rows)
        row = rows[name]
        if np.shape(value) != (row.stop - row.start,):
            raise InvalidModel(
                f"yields of {name} have shape {np.shape(value)}, the channel has {row.stop - row.start} bins"
            )
        nominal = replaced(nominal, slice(row.start, row.stop), value)
    return nominal


def replaced_weights(layout: Layout, vector: Float[Array | np.ndarray, "bins"], weights: Mapping[str, ArrayLike]):
    """`vector` with the weights of some channels, a number or `(bins,)` each; raises `UnknownName`, `InvalidModel`."""
    channels = {each.name: each for each in layout.channels}
    for name, value in weights.items():
        if name not in channels:
            raise UnknownName("channel", name, channels)
        channel = channels[name]
        if np.shape(value) not in ((), (channel.n_bins,)):
            raise InvalidModel(
                f"weights of channel {name!r} have shape {np.shape(value)}, expected () or ({channel.n_bins},)"
            )
        vector = replaced(vector, slice(channel.start, channel.stop), value)
    return vector
