"""The graph of a document: who depends on whom, and the values of all nodes at one point.

`Graph` is static and compares by its content, so that equal documents share compiled programs. An `Evaluation` is a
`Point` within one trace: every node is evaluated once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.errors import InvalidModel, UnknownName
from histjax.hs3.composites import Composite
from histjax.hs3.nodes import Argument, Distribution, Function, Node
from histjax.hs3.quadrature import log_integral_of

PANELS = 4
"""Panels of a numerical integral between two breaks of a density, with 16 nodes each; a bin is one panel."""

Ranges = Mapping[str, tuple[Any, Any]]
"""For each observable where its range, or each of its bins `(bins,)`, begins and ends."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Functions and distributions by name, and the panels of each numerical integral."""

    nodes: Mapping[str, Node]
    panels: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that the graph says."""
        said = [sorted((name, repr(each)) for name, each in self.nodes.items()), sorted(self.panels.items())]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other) -> bool:
        return isinstance(other, Graph) and self.digest == other.digest

    def __getitem__(self, name: str) -> Node:
        if name not in self.nodes:
            raise UnknownName("distribution or function", name, self.nodes)
        return self.nodes[name]

    def leaves(self, name: str) -> tuple[str, ...]:
        """Names that a node depends on and that are no nodes: parameters and observables, in order of appearance."""
        if name not in self._leaves:
            node, found = self.nodes.get(name), {name: None}
            if node is not None:
                found = {leaf: None for each in node.depends for leaf in self.leaves(each)}
            self._leaves[name] = tuple(found)
        return self._leaves[name]

    @cached_property
    def _leaves(self) -> dict[str, tuple[str, ...]]:
        return {}

    def observables(self, name: str, ranges: Ranges) -> tuple[str, ...]:
        """Those of `ranges` that a node depends on."""
        return tuple(each for each in self.leaves(name) if each in ranges)

    def is_normalised(self, node: Node, ranges: Ranges) -> bool:
        """Whether `node.log_density` of normalised components is normalised by itself."""
        if not isinstance(node, Composite) or not node.inherits_norm:
            return False
        found = [each for name in node.components for each in self.observables(name, ranges)]
        return not node.multiplies or len(found) == len(set(found))


class Evaluation:
    """Values of the nodes where every leaf has a value. Observables have ranges; with `bins`, densities of them are
    replaced by the probabilities of the bins. `integrated` tells what was integrated numerically.
    """

    def __init__(self, graph: Graph, values: Mapping[str, Array], ranges: Ranges, bins: Ranges | None = None):
        self.graph, self.values, self.ranges, self.bins = graph, values, ranges, bins or {}
        self.box = ranges
        self.integrated: dict[str, tuple] = {}
        self._values: dict[str, Array] = {}
        self._log_pdfs: dict[str, Array] = {}

    def __call__(self, argument: Argument) -> Array:
        """The value of a number, parameter, observable or function; of a distribution its normalised density."""
        if not isinstance(argument, str):
            return argument
        if argument in self.values:
            return self.values[argument]
        if argument not in self._values:
            node = self.graph.nodes.get(argument)
            if node is None:
                raise InvalidModel(f"{argument!r} has no value; give it one, or put it into the parameter point")
            is_function = isinstance(node, Function)
            self._values[argument] = node.value(self) if is_function else jnp.exp(self.log_pdf(argument))
        return self._values[argument]

    def limits(self, observable: str) -> tuple[Any, Any]:
        """Where the integral over an observable begins and ends."""
        return self.box.get(observable, (-jnp.inf, jnp.inf))

    def domain(self, observable: str) -> tuple[Any, Any]:
        """The range of an observable; infinite where nothing bounds it."""
        return self.ranges.get(observable, (-jnp.inf, jnp.inf))

    def over(self, box: Ranges) -> "Evaluation":
        """The same point with integrals over a part of the ranges."""
        inner = Evaluation(self.graph, self.values, self.ranges)
        inner.box, inner._values, inner.integrated = box, self._values, self.integrated
        return inner

    def log_pdf(self, name: str) -> Array:
        """ln of the density of a distribution, normalised over the ranges of its observables."""
        if name not in self._log_pdfs:
            self._log_pdfs[name] = self._log_pdf(name, self.graph[name])
        return self._log_pdfs[name]

    def log_density(self, name: str) -> Array:
        """ln of the density of a distribution, not normalised."""
        return self.graph[name].log_density(self)

    def log_integral(self, name: str, box: Ranges) -> Array:
        """ln of the integral of the unnormalised density over a box of observables, `()` or `(bins,)`."""
        if any(jnp.ndim(end) for ends in box.values() for end in ends):
            bins = {x: tuple(map(jnp.asarray, ends)) for x, ends in box.items()}
            return jax.vmap(lambda one: self._log_integral(name, one, 1))(bins)
        return self._log_integral(name, box, self.graph.panels.get(name, PANELS))

    def log_total(self, name: str) -> Array:
        """ln of the integral of the unnormalised density over the ranges of its observables."""
        return self.log_integral(name, {x: self.ranges[x] for x in self.graph.observables(name, self.ranges)})

    def rate(self, name: str) -> Array | None:
        """The expected number of events of a distribution within the ranges; `None` where it is not extended."""
        node = self.graph[name]
        return node.rate(self) if isinstance(node, Composite) else None

    def _log_pdf(self, name: str, node: Distribution) -> Array:
        ranges, bins = ({x: box[x] for x in self.graph.observables(name, box)} for box in (self.ranges, self.bins))
        if self.graph.is_normalised(node, ranges):
            return node.log_density(self)
        if not ranges:
            return node.log_density(self) - self._log_norm_of_constraint(node)
        value = self.log_integral(name, bins) if bins else self.log_density(name)
        return value - self.log_total(name)

    def _log_norm_of_constraint(self, node: Distribution) -> Array:
        """A term without observables is a constraint: normalised over all values of its variable, where that is known
        in closed form, else as it is.
        """
        if not isinstance(node.variable, str):
            return 0.0
        whole = {node.variable: (-jnp.inf, jnp.inf)}
        closed = node.log_integral(self.over(whole), tuple(whole))
        return 0.0 if closed is None else closed

    def _log_integral(self, name: str, box: Ranges, panels: int) -> Array:
        """In closed form where there is one; else numerically, with so many panels between two breaks."""
        node = self.graph[name]
        closed = None if isinstance(node, Composite) else node.log_integral(self.over(box), tuple(box))
        if closed is not None:
            return closed

        def integrand(points: Mapping[str, Array]) -> Array:
            inner = Evaluation(self.graph, {**self.values, **points}, self.ranges)
            inner.integrated = self.integrated
            return inner.log_density(name)

        breaks = {x: node.breaks(self, x) for x in box}
        self.integrated.setdefault(name, (integrand, dict(box), breaks))
        return log_integral_of(integrand, box, breaks, panels)
