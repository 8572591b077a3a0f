"""Densities and functions of a document by name, for numbers: what PyHS3 calls a model."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array

from histjax._typing import float_dtype, is_traced
from histjax.errors import InvalidModel, UnknownName
from histjax.hs3.composites import Composite
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.nodes import Distribution, Function
from histjax.hs3.precision import with_panels


class Model:
    """Densities and functions of a workspace; make it with `Workspace.model`.

    **Fields:** `parameters` are the values of the parameter point, `ranges` those of the domain, `observed` the names
    of the variables that there are data of.
    """

    def __init__(
        self, graph: Graph, parameters: Mapping[str, float], ranges: Mapping[str, tuple], observed: frozenset[str]
    ):
        self.graph, self.parameters, self.observed = graph, dict(parameters), observed
        self._graphs: dict[tuple, Graph] = {}
        self.ranges = {
            name: (-np.inf if low is None else low, np.inf if high is None else high)
            for name, (low, high) in ranges.items()
        }

    def pdf(
        self, name: str, *, normalised: bool = True, observables: tuple[str, ...] | None = None, **values: ArrayLike
    ):
        """The density of a distribution; see `logpdf`."""
        return jnp.exp(self.logpdf(name, normalised=normalised, observables=observables, **values))

    def logpdf(
        self, name: str, *, normalised: bool = True, observables: tuple[str, ...] | None = None, **values: ArrayLike
    ) -> Array:
        """ln of the density of a distribution.

        **Arguments:**

        - `name`: of the distribution.
        - `normalised`: divide by the integral over the range that the domain gives to the observables, as the standard
          and ROOT do; without, the formula of the standard as it is.
        - `observables`: what is observed; by default the variable of the distribution (the standard's `x`), and for
          those made of others the variables of these.
        - `values`: of parameters and observables, `()` or `(events,)`; the parameter point has the others. A mapping
          may be given for names that are no Python names: `logpdf("signal", **{"x[0]": 1.0})`.

        **Raises:** `UnknownName`, and `InvalidModel` where something has no value, or an integral over an endless range
        diverges.
        """
        node = self.graph[name]
        if not isinstance(node, Distribution):
            raise UnknownName("distribution", name, _names(self.graph, Distribution))
        chosen = self._observables(name) if observables is None else observables
        ranges = tuple((each, *self.ranges.get(each, (-np.inf, np.inf))) for each in chosen)
        found = self._values(name, values)
        result = _log_pdf(self._precise(name, found, ranges), name, normalised, ranges, found)
        if normalised and not is_traced(result):
            self._check_integral(name, ranges, found, result)
        return result

    def _check_integral(self, name: str, ranges: tuple, values: Mapping[str, Array], result: Array) -> None:
        """Raise where the density is nothing everywhere although its formula is not: then its integral diverges."""
        endless = [each for each, *ends in ranges if not np.all(np.isfinite(ends))]
        nothing = np.isneginf(result) | np.isnan(result)
        if endless and np.any(nothing & np.isfinite(_log_pdf(self.graph, name, False, ranges, values))):
            raise InvalidModel(
                f"{name!r} has no finite integral: {', '.join(map(repr, endless))} has no range; "
                "give it one in the domain"
            )

    def value(self, name: str, **values: ArrayLike) -> Array:
        """The value of a function."""
        if not isinstance(self.graph[name], Function):
            raise UnknownName("function", name, _names(self.graph, Function))
        return jnp.asarray(Evaluation(self.graph, self._values(name, values), {})(name))

    def _observables(self, name: str) -> tuple[str, ...]:
        """What is distributed: the declared variable, else what data are of, else what has a range and no value."""
        node = self.graph[name]
        if isinstance(node, Composite) and node.components:
            return tuple(dict.fromkeys(each for inner in node.components for each in self._observables(inner)))
        if isinstance(node.variable, str):
            return self.graph.leaves(node.variable)
        leaves = self.graph.leaves(name)
        unvalued = tuple(each for each in leaves if each in self.ranges and each not in self.parameters)
        return tuple(each for each in leaves if each in self.observed) or unvalued

    def _precise(self, name: str, values: Mapping[str, Array], ranges: tuple) -> Graph:
        """The graph with enough panels for the integrals of a distribution, found at the first values that it is
        evaluated at.
        """
        key = name, ranges
        if key not in self._graphs and is_traced(values):
            return self.graph
        if key not in self._graphs:
            self._graphs[key] = with_panels(self.graph, [name], values, {x: (low, high) for x, low, high in ranges})
        return self._graphs[key]

    def _values(self, name: str, values: Mapping[str, ArrayLike]) -> dict[str, Array]:
        leaves = self.graph.leaves(name)
        both = {**self.parameters, **values}
        missing = [each for each in leaves if each not in both]
        if missing:
            raise InvalidModel(f"{name!r} needs values of {', '.join(map(repr, missing))}, such as {missing[0]}=1.0")
        return {each: jnp.asarray(both[each], float_dtype()) for each in leaves}


def _names(graph: Graph, kind: type) -> list[str]:
    return [name for name, node in graph.nodes.items() if isinstance(node, kind)]


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _log_pdf(graph: Graph, name: str, normalised: bool, ranges: tuple, values: dict) -> Array:
    at = Evaluation(graph, values, {x: (low, high) for x, low, high in ranges})
    return jnp.asarray(at.log_pdf(name) if normalised else at.log_density(name))
