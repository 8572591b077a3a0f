"""Auxiliary measurements of a document: which of the variables of a constraint term is the datum, and how it moves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from histjax.errors import InvalidModel
from histjax.hs3.composites import Product
from histjax.hs3.densities.basic import Poisson
from histjax.hs3.densities.gaussian import Gaussian
from histjax.hs3.densities.shapes import LogNormal
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.nodes import Argument, Distribution
from histjax.hs3.plan import Constraint
from histjax.model.density import draw_poisson

Known = Gaussian | LogNormal | Poisson


@dataclass(frozen=True)
class Found:
    """A constraint term, its node with the datum as a name, and the observed datum."""

    constraint: Constraint
    node: Distribution
    observed: float | None


def set_apart(graph: Graph, names: Sequence[str], observables: Collection[str]) -> tuple[Graph, list[str]]:
    """The graph where products lack the factors that depend on none of the observables, and the names of these: they
    are constraint terms, which count once and not for each event (RooProdPdf; PyHS3).

    **Arguments:**

    - `names`: of the distributions that describe data; products among them, and products in these, are looked at.
    """
    changed: dict[str, Distribution] = {}
    found: dict[str, None] = {}

    def look_at(name: str) -> None:
        node = graph[name]
        if not isinstance(node, Product):
            return
        others = [each for each in node.factors if not set(graph.leaves(each)) & set(observables)]
        kept = tuple(each for each in node.factors if each not in others)
        if others and kept:
            changed[name] = replace(node, factors=kept)
            found.update(dict.fromkeys(part for each in others for part in _parts(graph, each)))
        for each in kept:
            look_at(each)

    for name in names:
        look_at(name)
    return (Graph({**graph.nodes, **changed}, graph.panels) if changed else graph), list(found)


def _parts(graph: Graph, name: str) -> list[str]:
    node = graph[name]
    return [part for each in node.factors for part in _parts(graph, each)] if isinstance(node, Product) else [name]


def find_constraint(
    graph: Graph, name: str, values: Mapping[str, float], constant: Collection[str], used: Collection[str]
) -> Found:
    """The datum of a constraint term and the parameter that it constrains.

    The datum is the standard's `x` if that is a number, or a constant that nothing else depends on (`used`); of a
    Gaussian, which is symmetric, it may be the mean instead. Where neither is, the term is a prior of its parameters.
    """
    node = graph[name]
    slots = ("x", "mean") if isinstance(node, Gaussian) else ("x",) if isinstance(node, Known) else ()
    for slot in slots:
        argument = getattr(node, slot)
        other = centre_of(node) if slot == "x" else node.x
        if not isinstance(argument, str):
            datum = f"{name}.{slot}"
            return Found(_constraint(graph, name, datum, other, constant), replace(node, **{slot: datum}), argument)
        if argument in constant and argument not in used and argument not in graph.nodes:
            return Found(_constraint(graph, name, argument, other, constant), node, values.get(argument))
    return Found(Constraint(name, None, None), node, None)


def _constraint(graph: Graph, name: str, datum: str, other: Argument, constant: Collection[str]) -> Constraint:
    is_parameter = isinstance(other, str) and other not in graph.nodes and other not in constant
    return Constraint(name, datum, other if is_parameter else None)


def centre_of(node: Distribution) -> Argument:
    """What the datum is expected at, before a transformation."""
    return node.mu if isinstance(node, LogNormal) else node.mean


def expected_datum(graph: Graph, name: str, datum: str, values: Mapping[str, Array]) -> Array:
    """The auxiliary datum that has its maximum likelihood at the values of the parameters: the mean, or the median of
    a log-normal.
    """
    node, at = _known(graph, name), Evaluation(graph, values, {})
    if isinstance(node, LogNormal):
        return jnp.exp(jnp.asarray(at(node.mu)))
    return jnp.asarray(at(node.mean) if node.x == datum else at(node.x))


def drawn_datum(key: PRNGKeyArray, graph: Graph, name: str, datum: str, values: Mapping[str, Array]) -> Array:
    """The auxiliary datum of one pseudo-experiment."""
    node, at = _known(graph, name), Evaluation(graph, values, {})
    if isinstance(node, Poisson):
        return draw_poisson(key, jnp.asarray(at(node.mean)))
    centre = jnp.asarray(at(node.mu) if isinstance(node, LogNormal) else at(node.mean if node.x == datum else node.x))
    drawn = centre + jnp.asarray(at(node.sigma)) * jax.random.normal(key, (), centre.dtype)
    return jnp.exp(drawn) if isinstance(node, LogNormal) else drawn


def _known(graph: Graph, name: str) -> Known:
    node = graph[name]
    if not isinstance(node, Known):
        raise InvalidModel(
            f"distribution {name!r} is a {node.types[0]}: expected and drawn values of one number are known for "
            "gaussian_dist, lognormal_dist and poisson_dist"
        )
    return node
