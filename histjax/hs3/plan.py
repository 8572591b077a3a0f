"""The static half of a likelihood of HS3: which distribution describes which data, and which terms are constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax.errors import InvalidModel
from histjax.hs3.composites import Bincounts, BincountsDensity, Composite
from histjax.hs3.graph import Graph
from histjax.hs3.records import Axis, BinnedData, Datum, PointData, UnbinnedData

Kind = Literal["unbinned", "binned", "centres", "point"]


class Events(eqx.Module):
    """Unbinned data: one row for each event. An event of weight 0 does not count."""

    entries: Float[Array, "events axes"]
    weights: Float[Array, "events"]

    def padded(self, n: int) -> "Events":
        """The same events in `n` places, the last ones with weight 0."""
        missing = n - self.weights.size
        return jax.tree.map(lambda each: jnp.pad(each, [(0, missing)] + [(0, 0)] * (each.ndim - 1)), self)


class Measured(eqx.Module):
    """A dataset of an HS3 likelihood.

    **Fields:**

    - `main`: by name of the data: `Events`, counts `(bins,)`, or the observed values `(axes,)` of point data.
    - `aux`: `{global observable: ()}`, the auxiliary data, and those of HistFactory channels `(n,)`.
    """

    main: dict[str, Events | Array]
    aux: dict[str, Array]


@dataclass(frozen=True)
class Pair:
    """One distribution and its data. `ranges` are those of the `observables`; `edges` are there for binned data."""

    distribution: str
    data: str
    kind: Kind
    observables: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    edges: tuple[tuple[float, ...], ...] = ()

    @property
    def box(self) -> dict[str, tuple[float, float]]:
        """The ranges by observable."""
        return dict(zip(self.observables, self.ranges, strict=True))

    @cached_property
    def n_bins(self) -> int:
        """Number of bins."""
        return int(np.prod([len(each) - 1 for each in self.edges]))

    def bins(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Where each bin begins and ends in each observable, `(bins,)`; the last axis runs fastest."""
        lows = np.meshgrid(*[np.asarray(each[:-1]) for each in self.edges], indexing="ij")
        highs = np.meshgrid(*[np.asarray(each[1:]) for each in self.edges], indexing="ij")
        flat = zip(self.observables, lows, highs, strict=True)
        return {name: (low.ravel(), high.ravel()) for name, low, high in flat}


@dataclass(frozen=True)
class Constraint:
    """A distribution of an auxiliary measurement: its datum, by the name of the global observable, and the parameter
    that it constrains. `datum` is `None` for a term that is a prior: it is neither drawn nor shifted.
    """

    distribution: str
    datum: str | None
    parameter: str | None


@dataclass(frozen=True)
class Plan:
    """Everything static: the graph, the pairs, the constraints, and where parameters are in the flat vector."""

    graph: Graph
    pairs: tuple[Pair, ...]
    constraints: tuple[Constraint, ...]
    places: tuple[tuple[str, int], ...]
    capacity: tuple[int, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.graph, self.pairs, self.constraints, self.places, self.capacity))

    def __hash__(self) -> int:
        return self._hash


def pair_of(
    graph: Graph, distribution: str, datum: Datum | float, name: str, limits: Mapping[str, tuple], binned: str
) -> Pair:
    """How a distribution and its data belong together.

    **Arguments:**

    - `datum`: a record, or the observed value itself.
    - `name`: what the data are called in a dataset.
    - `limits`: ranges by variable, from the domains.
    - `binned`: `"integrals"` or `"centres"`.

    **Raises:** `InvalidModel` where the distribution does not depend on what was measured, or lacks a range.
    """
    node = graph[distribution]
    axes = _axes(graph, distribution, datum)
    for each in axes:
        if each.name not in graph.leaves(distribution):
            known = ", ".join(graph.leaves(distribution))
            raise InvalidModel(
                f"the data {name!r} are of {each.name!r}, which distribution {distribution!r} does not depend on; "
                f"it depends on {known}"
            )
    kind, edges = _kind(datum, binned), ()
    if isinstance(datum, BinnedData):
        edges = tuple(each.bin_edges for each in axes)
    counting = isinstance(node, Bincounts | BincountsDensity)
    if counting and kind not in ("binned", "centres"):
        raise InvalidModel(f"distribution {distribution!r} is one of counts in bins; {name!r} are no binned data")
    ranges = tuple(_range(each, limits) for each in axes)
    return Pair(distribution, name, "binned" if counting else kind, tuple(each.name for each in axes), ranges, edges)


def _axes(graph: Graph, distribution: str, datum: Datum | float) -> Sequence[Axis]:
    if not isinstance(datum, PointData | float) or (isinstance(datum, PointData) and datum.axes):
        return datum.axes
    variables = variables_of(graph, distribution)
    if len(variables) != 1:
        raise InvalidModel(
            f"distribution {distribution!r} is of {len(variables)} variables "
            f"({', '.join(variables) or 'none declared'}); one number does not say which; give the data axes"
        )
    return [Axis(variables[0])]


def variables_of(graph: Graph, distribution: str) -> tuple[str, ...]:
    """What the document declares as the variables of a distribution: leaves that its `x`, or those of its components,
    is or depends on.
    """
    node = graph[distribution]
    if isinstance(node, Composite) and node.components:
        return tuple(dict.fromkeys(each for inner in node.components for each in variables_of(graph, inner)))
    return graph.leaves(node.variable) if isinstance(node.variable, str) else ()


def _kind(datum: Datum | float, binned: str) -> Kind:
    if isinstance(datum, UnbinnedData):
        return "unbinned"
    if isinstance(datum, BinnedData):
        return "binned" if binned == "integrals" else "centres"
    return "point"


def _range(axis: Axis, limits: Mapping[str, tuple]) -> tuple[float, float]:
    """That of the data, else of the domain, else the whole line."""
    domain = limits.get(axis.name, (None, None))
    low = axis.min if axis.min is not None else domain[0]
    high = axis.max if axis.max is not None else domain[1]
    return (-np.inf if low is None else low, np.inf if high is None else high)
