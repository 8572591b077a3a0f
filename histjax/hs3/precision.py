"""How many panels the numerical integrals of a document need: found once, where values are known."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.graph import PANELS, Evaluation, Graph, Ranges
from histjax.hs3.quadrature import error_of, panels_for

TOLERANCE = 1e-10
"""Relative error of a numerical integral over the range of the observables."""


def with_panels(graph: Graph, names: Sequence[str], values: Mapping[str, Array], ranges: Ranges) -> Graph:
    """The graph with as many panels as bring the integrals behind the distributions `names` to `TOLERANCE` at these
    values of the parameters.

    **Raises:** `InvalidModel` where an integral does not come that far.
    """
    panels = dict(graph.panels)
    for name, integral in _integrals(graph, names, values, ranges).items():
        panels[name] = max(PANELS, panels.get(name, 0), panels_for(*integral, tolerance=TOLERANCE))
    return Graph(graph.nodes, panels)


def normalisation_errors(graph: Graph, names: Sequence[str], values: Mapping[str, Array], ranges: Ranges) -> dict:
    """Relative error of each numerical integral at values of the parameters, `{distribution: error}`."""
    found = _integrals(graph, names, values, ranges)
    return {name: error_of(*each, graph.panels.get(name, PANELS)) for name, each in found.items()}


def _integrals(graph: Graph, names: Sequence[str], values: Mapping[str, Array], ranges: Ranges) -> dict[str, tuple]:
    """What is integrated numerically, outside of a trace so that it can be looked at.

    A trace, which computes nothing, tells first whether there is anything: most densities have closed forms, and
    evaluating them outside of a trace would compile their every operation by itself.
    """

    def found(values: Mapping[str, Array]) -> dict[str, tuple]:
        at = Evaluation(graph, {**{x: _middle(*each) for x, each in ranges.items()}, **values}, ranges)
        for name in names:
            at.log_pdf(name)
            at.rate(name)
        return at.integrated

    counts: list[int] = []
    jax.eval_shape(lambda values: counts.append(len(found(values))), dict(values))
    if not any(counts):
        return {}
    with jax.ensure_compile_time_eval():
        return found(values)


def _middle(low, high) -> Array:
    """Some point of a range."""
    low, high = jnp.clip(jnp.asarray(low, float), -1e30, None), jnp.clip(jnp.asarray(high, float), None, 1e30)
    return (low + high) / 2
