"""From an HS3 document to a likelihood: choices, parameters, pairs, constraint terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import float_dtype
from histjax.errors import InvalidModel, UnknownName
from histjax.hs3.checking import HISTFACTORY
from histjax.hs3.constraints import Found, find_constraint
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.likelihood import HS3Likelihood
from histjax.hs3.precision import with_panels
from histjax.hs3.plan import Events, Measured, Pair, Plan, pair_of
from histjax.hs3.records import AnalysisRecord, BinnedData, LikelihoodRecord, PointData, UnbinnedData
from histjax.hs3.terms import log_constraint
from histjax.hs3.workspace import Workspace
from histjax.lower.layout import ParameterSet
from histjax.model.parameters import Parameters

DEFAULT_DOMAIN, DEFAULT_POINT = "default_domain", "default_values"


@dataclass(frozen=True)
class Choice:
    """What of a document is compiled: a likelihood, with starting values, ranges and parameters of interest."""

    likelihood: LikelihoodRecord
    values: dict[str, float]
    constant: frozenset[str]
    ranges: dict[str, tuple[float | None, float | None]]
    pois: tuple[str, ...]


def choose(
    workspace: Workspace,
    analysis: str | None = None,
    likelihood: str | None = None,
    domain: str | None = None,
    parameter_point: str | None = None,
) -> Choice:
    """The likelihood of an analysis, the first one by default, with what the analysis says of parameters.

    Where an analysis names no starting point it is `default_values`, or else the first parameter point. Ranges that its
    domains do not give are looked up in `default_domain`. `likelihood`, `domain` and `parameter_point` are chosen in
    place of those of the analysis.
    """
    record = None
    if analysis is not None or (likelihood is None and len(workspace.analyses)):
        record = workspace.analyses[0 if analysis is None else analysis]
    if record is None and not len(workspace.likelihoods):
        raise InvalidModel(f"{workspace.source}: the document has no likelihood, so that there is nothing to compile")
    name = likelihood or (record.likelihood if record else workspace.likelihoods[0].name)
    values, constant = _point(workspace, parameter_point or (record.init if record else None))
    ranges = _ranges(workspace, domain, record)
    pois = record.parameters_of_interest if record else ()
    return Choice(workspace.likelihoods[name], values, constant, ranges, pois)


def _point(workspace: Workspace, name: str | None) -> tuple[dict[str, float], frozenset[str]]:
    """Values and constants; other points give the values that the chosen one lacks (global observables, in ROOT's)."""
    points = workspace.parameter_points
    if name is None:
        name = DEFAULT_POINT if DEFAULT_POINT in points else points[0].name if len(points) else None
    if name is None:
        return {}, frozenset()
    order = [points[name], *(each for each in points if each.name != name)]
    values: dict[str, float] = {}
    constant: set[str] = set()
    for each in order:
        constant |= {name for name in each.constant if name not in values}
        values = each.values | values
    return values, frozenset(constant)


def _ranges(workspace: Workspace, domain: str | None, record: AnalysisRecord | None) -> dict:
    names = [domain] if domain is not None else list(record.domains if record else ())
    if DEFAULT_DOMAIN in workspace.domains:
        names.append(DEFAULT_DOMAIN)
    if not names and len(workspace.domains):
        names = [workspace.domains[0].name]
    found: dict[str, tuple[float | None, float | None]] = {}
    for name in names:
        found = {axis.name: (axis.min, axis.max) for axis in workspace.domains[name].axes} | found
    return found


def compile_graph(workspace: Workspace, choice: Choice, *, binned: Literal["integrals", "centres"], poi: str | None):
    """The likelihood of distributions that are no HistFactory ones."""
    graph, record = workspace.graph, choice.likelihood
    pairs = _pairs(workspace, graph, choice, binned)
    found, graph = _constraints(graph, choice, pairs)
    graph = _precise(graph, pairs, choice, found)
    names = _ordered(_parameter_names(graph, pairs, found), choice)
    plan = Plan(
        graph,
        tuple(pairs),
        tuple(each.constraint for each in found),
        tuple((name, i) for i, name in enumerate(names)),
        (),
    )
    data = Measured(
        {each.data: _observed(workspace, each, record) for each in pairs},
        {each.constraint.datum: _scalar(each.observed) for each in found if each.constraint.datum is not None},
    )
    parameters = _parameters(choice, names, plan, data)
    plan = _with_capacity(plan, parameters, data)
    chosen = poi if poi is not None else next(iter(choice.pois), None)
    if chosen is not None and chosen not in names:
        raise UnknownName("parameter", chosen, names)
    return HS3Likelihood(plan, parameters, data, chosen, None, ())


def _pairs(workspace: Workspace, graph: Graph, choice: Choice, binned: str) -> list[Pair]:
    pairs = []
    for i, (name, data) in enumerate(zip(choice.likelihood.distributions, choice.likelihood.data, strict=True)):
        if workspace.distributions[name].type == HISTFACTORY:
            continue
        datum = workspace.data[data] if isinstance(data, str) else data
        label = data if isinstance(data, str) else f"{choice.likelihood.name}.data[{i}]"
        pairs.append(pair_of(graph, name, datum, label, choice.ranges, binned))
    return pairs


def _constraints(graph: Graph, choice: Choice, pairs: Sequence[Pair]) -> tuple[list[Found], Graph]:
    used = {leaf for pair in pairs for leaf in graph.leaves(pair.distribution)}
    found = [
        find_constraint(graph, name, choice.values, choice.constant, used)
        for name in dict.fromkeys(choice.likelihood.aux_distributions)
    ]
    for each in found:
        if each.constraint.datum is not None and each.observed is None:
            raise InvalidModel(f"the global observable {each.constraint.datum!r} has no value in the parameter point")
    changed = {each.node.name: each.node for each in found}
    return found, Graph({**graph.nodes, **changed}, graph.panels)


def _parameter_names(graph: Graph, pairs: Sequence[Pair], found: Sequence[Found]) -> list[str]:
    """Leaves that are neither observables nor auxiliary data, in order of appearance."""
    names: dict[str, None] = {}
    for pair in pairs:
        names |= {leaf: None for leaf in graph.leaves(pair.distribution) if leaf not in pair.observables}
    for each in found:
        names |= {leaf: None for leaf in graph.leaves(each.constraint.distribution)}
    data = {each.constraint.datum for each in found}
    return [name for name in names if name not in data]


def _precise(graph: Graph, pairs: Sequence[Pair], choice: Choice, found: Sequence[Found]) -> Graph:
    """With enough panels for the numerical integrals at the starting values."""
    observed = {each.constraint.datum: each.observed for each in found if each.constraint.datum is not None}
    values = {name: _scalar(value) for name, value in {**choice.values, **observed}.items()}
    for pair in pairs:
        others = {name: value for name, value in values.items() if name not in pair.observables}
        leaves = [each for each in graph.leaves(pair.distribution) if each not in pair.observables]
        if all(each in others for each in leaves):
            graph = with_panels(graph, [pair.distribution], others, pair.box)
    return graph


def _ordered(names: Sequence[str], choice: Choice) -> list[str]:
    """Parameters of interest, other free ones, constants; else in order of appearance."""
    ranks = {name: i - len(choice.pois) for i, name in enumerate(choice.pois)}
    return sorted(names, key=lambda name: ranks.get(name, int(name in choice.constant)))


def _observed(workspace: Workspace, pair: Pair, record: LikelihoodRecord):
    dtype = float_dtype()
    if pair.data not in workspace.data:
        place = int(pair.data.rpartition("[")[2][:-1])
        return jnp.full((1,), record.data[place], dtype)
    datum = workspace.data[pair.data]
    if isinstance(datum, UnbinnedData):
        weights = np.ones(len(datum.entries)) if datum.weights is None else datum.weights
        return Events(jnp.asarray(datum.entries, dtype), jnp.asarray(weights, dtype))
    if isinstance(datum, PointData):
        return jnp.full((1,), datum.value, dtype)
    assert isinstance(datum, BinnedData)
    return jnp.asarray(datum.contents, dtype)


def _scalar(value: float):
    return jnp.asarray(value, float_dtype())


def _parameters(choice: Choice, names: Sequence[str], plan: Plan, data: Measured) -> Parameters:
    missing = [name for name in names if name not in choice.values]
    if missing:
        raise InvalidModel(
            f"no parameter point gives a value to {', '.join(map(repr, missing[:8]))}; add them to one in the document"
        )
    dtype = float_dtype()
    init = np.array([choice.values[name] for name in names], float)
    ranges = [choice.ranges.get(name, (None, None)) for name in names]
    lower = np.array([-np.inf if low is None else low for low, _ in ranges], float)
    upper = np.array([np.inf if high is None else high for _, high in ranges], float)
    outside = [name for name, x, low, high in zip(names, init, lower, upper, strict=True) if not low <= x <= high]
    if outside:
        raise InvalidModel(f"the starting value of {outside[0]!r} is outside of its range; change one of them")
    fixed = np.array([name in choice.constant for name in names], bool)
    constrained = {each.parameter for each in plan.constraints}
    sets = tuple(
        ParameterSet(name, i, 1, True, "normal" if name in constrained else "none", ()) for i, name in enumerate(names)
    )
    widths = _widths(plan, names, init, data)
    arrays = (jnp.asarray(each, dtype) for each in (init, lower, upper))
    return Parameters(sets, *arrays, jnp.asarray(fixed), jnp.asarray(widths, dtype))


def _widths(plan: Plan, names: Sequence[str], init: np.ndarray, data: Measured) -> np.ndarray:
    """Prefit uncertainties: (-d2 ln c / d theta2)^(-1/2) of the constraint term; NaN for free parameters."""
    values = dict(zip(names, map(_scalar, init), strict=True)) | data.aux
    widths = np.full(len(names), np.nan)
    for each in plan.constraints:
        if each.parameter is not None:

            def log_density(x, each=each):
                return log_constraint(plan.graph, each, values | {each.parameter: x})

            curvature = float(jax.grad(jax.grad(log_density))(values[each.parameter]))
            widths[names.index(each.parameter)] = (-curvature) ** -0.5 if curvature < 0 else np.nan
    return widths


def _with_capacity(plan: Plan, parameters: Parameters, data: Measured) -> Plan:
    """Places for drawn events: twice what is observed or expected at the start, whichever is more, and some."""
    values: Mapping = dict(zip(parameters.names, parameters.init, strict=True)) | data.aux
    capacity = []
    for pair in plan.pairs:
        number = 0.0
        if pair.kind == "unbinned":
            rate = Evaluation(plan.graph, values, pair.box).rate(pair.distribution)
            number = max(float(jnp.sum(data.main[pair.data].weights)), 0.0 if rate is None else float(rate))
        capacity.append(int(2 * number + 10 * number**0.5 + 20))
    return Plan(plan.graph, plan.pairs, plan.constraints, plan.places, tuple(capacity))
