"""Expected and drawn data: quadrature nodes as an Asimov dataset, and events by inverting cumulative distributions."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from histjax.errors import InvalidModel
from histjax.hs3.composites import Mixture
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.plan import Events, Pair
from histjax.hs3.terms import expected_bins
from histjax.model.density import draw_poisson

CELLS = 4096
"""Cells in which a density is taken to be flat when an event is drawn from it: a shape whose width is a hundredth of
the range is smeared by a fiftieth of that width.
"""
NODES = {1: 4096, 2: 96, 3: 24}
"""Events along each axis of an Asimov dataset, by the number of axes."""


def expected_events(graph: Graph, pair: Pair, values: Mapping[str, Array], total: Array) -> Events:
    """Events at the nodes of a Gauss-Legendre rule, weighted with what is expected there.

    Sums over them are integrals over the expected density, exact up to the rule.
    """
    grids = [_nodes(pair, i) for i in range(len(pair.observables))]
    points = np.stack(np.meshgrid(*[nodes for nodes, _ in grids], indexing="ij"), -1).reshape(-1, len(grids))
    weights = np.prod(np.stack(np.meshgrid(*[each for _, each in grids], indexing="ij"), -1), -1).ravel()
    columns = {name: jnp.asarray(points[:, i]) for i, name in enumerate(pair.observables)}
    at = Evaluation(graph, {**values, **columns}, pair.box)
    rate = at.rate(pair.distribution)
    density = jnp.exp(at.log_pdf(pair.distribution))
    return Events(jnp.asarray(points), (total if rate is None else rate) * density * weights)


def _nodes(pair: Pair, axis: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = pair.ranges[axis]
    if not np.isfinite([low, high]).all():
        raise InvalidModel(
            f"the data {pair.data!r} have no range in {pair.observables[axis]!r}, which expected events need; "
            "give their axis 'min' and 'max'"
        )
    panels = max(NODES[len(pair.observables)] // 8, 1)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    edges = np.linspace(low, high, panels + 1)
    half = (edges[1:] - edges[:-1]) / 2
    points = half[:, None] * nodes + (edges[1:] + edges[:-1])[:, None] / 2
    return points.ravel(), (half[:, None] * weights).ravel()


def draw_events(
    key: PRNGKeyArray, graph: Graph, pair: Pair, values: Mapping[str, Array], total: Array, capacity: int
) -> Events:
    """One pseudo-dataset: a Poisson number of events where the distribution is extended, else `total` of them.

    It has `capacity` places; those that are not needed have weight 0. If they do not suffice, all weights are NaN, and
    a fit to it is not certified.
    """
    number_key, key = jax.random.split(key)
    rate = Evaluation(graph, values, pair.box).rate(pair.distribution)
    number = jnp.round(total) if rate is None else draw_poisson(number_key, rate)
    drawn = draw_values(key, graph, pair.distribution, values, pair.box, capacity)
    weights = jnp.where(jnp.arange(capacity) < number, 1.0, 0.0)
    return Events(
        jnp.stack([drawn[name] for name in pair.observables], axis=1), jnp.where(number > capacity, jnp.nan, weights)
    )


def draw_values(
    key: PRNGKeyArray, graph: Graph, name: str, values: Mapping[str, Array], box: Mapping[str, tuple], n: int
) -> dict[str, Float[Array, "events"]]:
    """`n` independent values of the observables of a distribution."""
    node, ranges = graph[name], {x: box[x] for x in graph.observables(name, box)}
    if isinstance(node, Mixture):
        return _draw_mixture(key, graph, node, values, box, n)
    if graph.is_normalised(node, ranges):
        keys = jax.random.split(key, len(node.components))
        parts = [draw_values(k, graph, c, values, box, n) for k, c in zip(keys, node.components, strict=True)]
        return {x: column for part in parts for x, column in part.items()}
    if not ranges:
        return {}
    if len(ranges) > 1:
        return _draw_joint(key, node, Evaluation(graph, values, ranges), ranges, n)
    return _draw_one(key, graph, name, values, ranges, n)


def _draw_mixture(key, graph: Graph, node: Mixture, values, box, n: int) -> dict[str, Array]:
    choice_key, key = jax.random.split(key)
    weights = jnp.stack([jnp.asarray(each, float) for each in node.weights(Evaluation(graph, values, box))])
    choice = jax.random.categorical(choice_key, jnp.log(weights), shape=(n,))
    keys = jax.random.split(key, len(node.summands))
    parts = [draw_values(k, graph, c, values, box, n) for k, c in zip(keys, node.summands, strict=True)]
    return {x: jnp.stack([part[x] for part in parts])[choice, jnp.arange(n)] for x in parts[0]}


def _draw_joint(key, node, at: Evaluation, ranges, n: int) -> dict[str, Array]:
    drawn = node.draw(key, at, n)
    if drawn is None:
        raise InvalidModel(
            f"no events can be drawn from {node.name!r}: a density of {len(ranges)} observables that is no mixture or "
            "product of others"
        )
    return drawn


def _draw_one(key, graph: Graph, name: str, values, ranges, n: int) -> dict[str, Array]:
    """By inverting the cumulative distribution, taken to be straight within each of `CELLS` cells."""
    [(x, (low, high))] = ranges.items()
    if not np.isfinite([low, high]).all():
        raise InvalidModel(f"no values of {x!r} can be drawn from {name!r} without a range; give the domain one")
    edges = jnp.linspace(low, high, CELLS + 1)
    logs = Evaluation(graph, values, ranges, {x: (edges[:-1], edges[1:])}).log_pdf(name)
    cumulative = jnp.concatenate([jnp.zeros(1), jnp.cumsum(jnp.exp(logs))])
    uniform = jax.random.uniform(key, (n,), dtype=edges.dtype) * cumulative[-1]
    return {x: jnp.interp(uniform, cumulative, edges)}


def draw_bins(key: PRNGKeyArray, graph: Graph, pair: Pair, values, total: Array, extended: bool) -> Array:
    """Counts: Poisson ones where the distribution is extended, else `total` of them distributed over the bins."""
    expected = expected_bins(graph, pair, values, total)
    if extended:
        return draw_poisson(key, expected)
    return jax.random.multinomial(key, jnp.round(total), expected / jnp.sum(expected))
