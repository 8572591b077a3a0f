"""Axes with bins, and contents in them: what a histogram of a document is."""

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.hs3.nodes import Point, Unreadable, as_argument, as_numbers


@dataclass(frozen=True)
class Axis:
    """An observable and the edges of its bins, ascending."""

    name: str
    edges: tuple[float, ...]


@dataclass(frozen=True)
class Histogram:
    """Contents of the bins of one or more axes; the last axis runs fastest."""

    axes: tuple[Axis, ...]
    contents: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The observables."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins of each axis."""
        return tuple(len(axis.edges) - 1 for axis in self.axes)

    @property
    def array(self) -> np.ndarray:
        """The contents, `(bins of the first axis, ...)`."""
        return np.reshape(self.contents, self.shape)

    @property
    def volumes(self) -> np.ndarray:
        """Product of the widths of each bin, of the same shape."""
        return functools.reduce(np.multiply.outer, [np.diff(axis.edges) for axis in self.axes])


def as_axes(found: Any) -> tuple[Axis, ...]:
    """Axes with `edges` (or `bounds`, an old spelling), or with `nbins`, `min` and `max`."""
    if not isinstance(found, list) or not found or not all(isinstance(each, Mapping) for each in found):
        raise Unreadable("a list of axes")
    axes = tuple(Axis(_name(each), _edges(each)) for each in found)
    if len({axis.name for axis in axes}) < len(axes):
        raise Unreadable("axes with different names")
    return axes


def as_histogram(found: Any) -> Histogram:
    """An object with `axes` and as many `contents` as there are bins."""
    if not isinstance(found, Mapping) or not {"axes", "contents"} <= set(found):
        raise Unreadable("an object with 'axes' and 'contents'")
    axes, contents = as_axes(found["axes"]), as_numbers(found["contents"])
    bins = math.prod(len(axis.edges) - 1 for axis in axes)
    if len(contents) != bins:
        raise Unreadable(f"{bins} contents for the bins of the axes, not {len(contents)}")
    return Histogram(axes, contents)


def bin_of(axes: tuple[Axis, ...], at: Point) -> tuple[tuple[Array, ...], Array]:
    """Index of the bin on each axis where the observables are (clipped), and whether they are inside.

    A value on an edge counts to the bin above it, the last edge to the last bin (ROOT, NumPy).
    """
    places, inside = [], True
    for axis in axes:
        x = at(axis.name)
        edges = jnp.asarray(axis.edges, x.dtype)
        place = jnp.searchsorted(edges, x, side="right") - 1
        places.append(jnp.clip(place, 0, len(axis.edges) - 2))
        inside = inside & (x >= edges[0]) & (x <= edges[-1])
    return tuple(places), inside


def _name(axis: Mapping) -> str:
    name = axis.get("name")
    if not isinstance(name, str) or not isinstance(as_argument(name), str):
        raise Unreadable("axes with names")
    return name


def _edges(axis: Mapping) -> tuple[float, ...]:
    listed = axis.get("edges", axis.get("bounds"))
    if listed is not None:
        edges = as_numbers(listed)
    elif {"nbins", "min", "max"} <= set(axis):
        lo, hi = as_numbers([axis["min"], axis["max"]])
        count = axis["nbins"]
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 10_000_000:
            raise Unreadable("axes whose 'nbins' is a whole number above 0")
        edges = tuple(np.linspace(lo, hi, count + 1).tolist())
    else:
        raise Unreadable("axes with 'edges', or with 'nbins', 'min' and 'max'")
    if len(edges) < 2 or any(a >= b for a, b in itertools.pairwise(edges)):
        raise Unreadable("axes whose edges ascend")
    return edges
