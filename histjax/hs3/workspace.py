"""The workspace of HS3: a whole document, checked, as typed records."""

import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from histjax.errors import DocumentWarning
from histjax.hs3.graph import Graph
from histjax.hs3.models import Model
from histjax.hs3.reading import Records, read_records
from histjax.readers import load_json


class Workspace:
    """An HS3 document: distributions, functions, domains, parameter points, data, likelihoods and analyses.

    Each is a collection: by index, by name, `in`, iteration. `document` is the JSON as it was read; it is not to be
    changed.

    **Raises:** `InvalidDocument` with all problems, each with its JSON path. What is doubtful is a `DocumentWarning`.

    >>> workspace = Workspace(
    ...     metadata={"hs3_version": "0.2"},
    ...     distributions=[{"name": "signal", "type": "gaussian_dist", "x": "m", "mean": "mu", "sigma": 2.0}],
    ... )
    >>> print(workspace)
    HS3 0.2 workspace: 1 distributions, 0 functions, 0 domains, 0 parameter points, 0 data, 0 likelihoods, 0 analyses
      distribution signal (gaussian_dist) of m, mu
    """

    def __init__(self, **document: Any):
        self._take(document, "<document>", *read_records(document, "<document>"))

    @classmethod
    def load(cls, source: Any) -> "Workspace":
        """Read a workspace from a path, `"-"`, an open file, or a parsed document."""
        return cls.from_document(*load_json(source))

    @classmethod
    def from_document(cls, document: Any, name: str) -> "Workspace":
        """The workspace of a parsed document, with what to call it in messages."""
        new = cls.__new__(cls)
        new._take(document, name, *read_records(document, name))
        return new

    def _take(self, document: Mapping[str, Any], source: str, records: Records, doubts: list) -> None:
        for doubt in doubts:
            warnings.warn(f"{source}: {doubt}", DocumentWarning, stacklevel=3)
        self.document, self.source, self._records = document, source, records
        self.metadata = records.metadata
        self.distributions, self.functions = records.distributions, records.functions
        self.domains, self.parameter_points = records.domains, records.parameter_points
        self.data, self.likelihoods, self.analyses = records.data, records.likelihoods, records.analyses
        self.misc: Mapping[str, Any] = document.get("misc", {})

    def __eq__(self, other) -> bool:
        return isinstance(other, Workspace) and self.document == other.document

    __hash__ = None

    @cached_property
    def graph(self) -> Graph:
        """The functions and distributions, without the HistFactory ones."""
        both = (*self.functions, *self.distributions)
        return Graph({each.name: each.node for each in both if each.node is not None})

    def model(self, domain: int | str | None = None, parameter_set: int | str | None = None) -> Model:
        """The densities and functions with the ranges of a domain and the values of a parameter point, by name or
        index; the first ones by default. An observable without a range there has the one of its data.

        **Raises:** `UnknownName`.
        """
        ranges = _chosen(self.domains, domain)
        values = _chosen(self.parameter_points, parameter_set)
        observed = frozenset(axis.name for datum in self.data for axis in datum.axes)
        limits = self._data_ranges() | ({each.name: (each.min, each.max) for each in ranges.axes} if ranges else {})
        return Model(self.graph, {} if values is None else values.values, limits, observed)

    def _data_ranges(self) -> dict[str, tuple]:
        """Ranges of the observables, of those whose data agree in it."""
        found: dict[str, set] = {}
        for axis in (axis for datum in self.data for axis in datum.axes):
            found.setdefault(axis.name, set()).add((axis.min, axis.max))
        return {name: next(iter(ends)) for name, ends in found.items() if len(ends) == 1}

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        names = [field.replace("_", " ") for field in Records._fields[1:]]
        counts = ", ".join(f"{len(each)} {name}" for name, each in zip(names, self._records[1:], strict=True))
        return "\n".join([f"HS3 {self.metadata.hs3_version} workspace: {counts}", *self._lines()])

    def _lines(self) -> Iterator[str]:
        for kind, collection in (("distribution", self.distributions), ("function", self.functions)):
            for each in collection:
                leaves = self.graph.leaves(each.name) if each.node is not None else ()
                yield f"  {kind} {each.name} ({each.type})" + (f" of {', '.join(leaves)}" if leaves else "")
        for each in self.likelihoods:
            pairs = ", ".join(f"{name} <- {data}" for name, data in zip(each.distributions, each.data, strict=True))
            yield f"  likelihood {each.name}: {pairs}"
        for each in self.analyses:
            pois = ", ".join(each.parameters_of_interest)
            yield f"  analysis {each.name}: likelihood {each.likelihood}, of interest {pois}"


def _chosen(collection, choice: int | str | None):
    """The record that is asked for; the first one, or `None` where there is none, by default."""
    if choice is None:
        return collection[0] if len(collection) else None
    return collection[choice]
