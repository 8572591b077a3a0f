"""The records of a document: what it says, typed and frozen. Names of fields are those of the standard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np

from histjax.errors import UnknownName
from histjax.hs3.nodes import Node

Record = TypeVar("Record")


@dataclass(frozen=True)
class Collection(Sequence, Generic[Record]):
    """Records in the order of the document, by index and by name.

    `in` takes a name or a record; iteration gives the records.
    """

    kind: str
    items: tuple[Record, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.items)

    def __contains__(self, name) -> bool:
        return name in self.names if isinstance(name, str) else name in self.items

    def __getitem__(self, key):
        if not isinstance(key, str):
            return self.items[key]
        for each in self.items:
            if each.name == key:
                return each
        raise UnknownName(self.kind, key, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the records."""
        return tuple(each.name for each in self.items)

    def get(self, name: str, default=None):
        """The record called `name`, or `default`."""
        return self[name] if name in self else default


@dataclass(frozen=True)
class Metadata:
    """Version of the standard, and who wrote the document."""

    hs3_version: str
    packages: tuple[Mapping[str, Any], ...] = ()
    authors: tuple[str, ...] = ()
    publications: tuple[str, ...] = ()
    description: str | None = None

    def is_from(self, package: str) -> bool:
        """Whether a package of this name is among those that wrote the document."""
        return any(each.get("name") == package for each in self.packages)


@dataclass(frozen=True)
class Definition:
    """A distribution or a function as the document has it; `node` is what it means, `None` for a `histfactory_dist`."""

    name: str
    type: str
    entry: Mapping[str, Any] = field(repr=False, hash=False)
    node: Node | None = field(repr=False, compare=False)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the fields refer to, names and numbers, in alphabetical order of the fields."""
        found: dict[str, Any] = {}
        for key in sorted(self.entry):
            value = self.entry[key]
            if key in ("name", "type", "expression") or isinstance(value, bool | dict) or value is None:
                continue
            if isinstance(value, list):
                found |= {f"{key}[{i}]": each for i, each in enumerate(value) if isinstance(each, str | int | float)}
            else:
                found[key] = value
        return found


@dataclass(frozen=True)
class Axis:
    """A variable with its range, and with bins where data are binned in it: `nbins` equal ones, or `edges`."""

    name: str
    min: float | None = None
    max: float | None = None
    nbins: int | None = None
    edges: tuple[float, ...] | None = None
    const: bool = False

    @property
    def bin_edges(self) -> tuple[float, ...] | None:
        """Edges of the bins `(bins + 1,)`; `None` where there are no bins."""
        if self.edges is not None:
            return self.edges
        if self.nbins is None:
            return None
        width = (self.max - self.min) / self.nbins
        return (*(self.min + i * width for i in range(self.nbins)), self.max)

    @property
    def n_bins(self) -> int | None:
        """Number of bins."""
        return len(self.edges) - 1 if self.edges is not None else self.nbins


@dataclass(frozen=True)
class ProductDomain:
    """Ranges of variables, independent of each other."""

    name: str
    axes: Collection
    type: str = "product_domain"


@dataclass(frozen=True)
class ParameterPoint:
    """One parameter: its value, and whether it is constant."""

    name: str
    value: float
    const: bool = False


@dataclass(frozen=True)
class ParameterSet:
    """A point in parameter space, by a name."""

    name: str
    parameters: Collection

    @property
    def values(self) -> dict[str, float]:
        """`{parameter: value}`."""
        return {each.name: each.value for each in self.parameters}

    @property
    def constant(self) -> frozenset[str]:
        """Names of the parameters that are constant."""
        return frozenset(each.name for each in self.parameters if each.const)


@dataclass(frozen=True)
class GaussianUncertainty:
    """Uncertainties of bin contents: `sigma` `(bins,)`, `correlation` 0 or `(bins, bins)`."""

    sigma: tuple[float, ...]
    correlation: Any = 0
    type: str = "gaussian_uncertainty"


@dataclass(frozen=True)
class PointData:
    """One number."""

    name: str
    value: float
    uncertainty: float | None = None
    axes: tuple[Axis, ...] = ()
    type: str = "point"


@dataclass(frozen=True)
class UnbinnedData:
    """Events: `entries` `(events, axes)`, `weights` `(events,)` or `None` where all are 1."""

    name: str
    entries: np.ndarray = field(repr=False, compare=False)
    axes: tuple[Axis, ...]
    weights: np.ndarray | None = field(repr=False, compare=False, default=None)
    entries_uncertainties: np.ndarray | None = field(repr=False, compare=False, default=None)
    type: str = "unbinned"


@dataclass(frozen=True)
class BinnedData:
    """Counts: `contents` `(bins,)`, of several axes the last one runs fastest."""

    name: str
    contents: tuple[float, ...]
    axes: tuple[Axis, ...]
    uncertainty: GaussianUncertainty | None = None
    type: str = "binned"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins along each axis."""
        return tuple(each.n_bins for each in self.axes)


Datum = PointData | UnbinnedData | BinnedData


@dataclass(frozen=True)
class LikelihoodRecord:
    """Which distribution describes which data: pairs in order; a number in place of data is the observed value."""

    name: str
    distributions: tuple[str, ...]
    data: tuple[str | float, ...]
    aux_distributions: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnalysisRecord:
    """A likelihood with the parameters of interest, the domains that bound parameters, and the starting point."""

    name: str
    likelihood: str
    parameters_of_interest: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    init: str | None = None
    prior: str | None = None


def is_increasing(edges: Sequence[float]) -> bool:
    """Whether every edge is larger than the one before."""
    return all(low < high for low, high in pairwise(edges))
