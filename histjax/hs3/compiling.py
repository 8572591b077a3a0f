"""From an HS3 document to a likelihood: choices, parameters, pairs, constraint terms."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import float_dtype
from histjax.caching import warn_of_many_programs
from histjax.errors import DocumentWarning, InvalidModel, UnknownName
from histjax.hs3.channels import Channels, translate_channels
from histjax.hs3.checking import HISTFACTORY
from histjax.hs3.choices import Choice, choose
from histjax.hs3.constraints import Found, find_constraint, set_apart
from histjax.hs3.drawing import expected_events
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.histfactory import Options
from histjax.hs3.likelihood import HS3Likelihood
from histjax.hs3.plan import Events, Measured, Pair, Plan, pair_of, variables_of
from histjax.hs3.precision import with_panels
from histjax.hs3.records import BinnedData, LikelihoodRecord, PointData, UnbinnedData
from histjax.hs3.terms import log_constraint
from histjax.hs3.workspace import Workspace
from histjax.lower.layout import ParameterSet
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters

COARSE = 1e-6
"""Relative error of the number of expected events from which it is told."""


def compile_document(
    workspace: Workspace,
    *,
    analysis: str | None = None,
    likelihood: str | None = None,
    domain: str | None = None,
    parameter_point: str | None = None,
    poi: str | None = None,
    binned: Literal["integrals", "centres"] = "integrals",
    options: Options | None = None,
) -> Likelihood:
    """The likelihood of an analysis; the arguments are those of `histjax.compile`.

    A likelihood of HistFactory channels alone is a HistFactory `Model`; anything else an `HS3Likelihood`.
    """
    choice = choose(workspace, analysis, likelihood, domain, parameter_point)
    if poi is not None:
        choice = replace(choice, pois=(poi, *choice.pois))
    warn_of_many_programs()
    types = [workspace.distributions[name].type for name in choice.likelihood.distributions]
    channels = None
    if HISTFACTORY in types:
        channels = translate_channels(workspace, choice, options)
        if set(types) == {HISTFACTORY} and channels.is_whole(choice.likelihood):
            return channels.model
    return _compile_graph(workspace, choice, binned, channels)


def _compile_graph(workspace: Workspace, choice: Choice, binned: str, channels: Channels | None) -> HS3Likelihood:
    """Distributions that are no HistFactory ones, beside the channels that are."""
    record = choice.likelihood
    graph, factors = _without_constraints(workspace, record)
    pairs = _pairs(workspace, graph, choice, binned)
    found, graph = _constraints(graph, choice, pairs, channels, factors)
    graph = _precise(graph, pairs, choice, found)
    taken = channels.places if channels else {}
    first = channels.model.parameters if channels else None
    names = [each for each in _ordered(_parameter_names(graph, pairs, found), choice) if each not in taken]
    start = first.init.size if first is not None else 0
    places = tuple({**taken, **{name: start + i for i, name in enumerate(names)}}.items())
    plan = Plan(graph, tuple(pairs), tuple(each.constraint for each in found), places, ())
    data = Measured(
        {each.data: _observed(workspace, each, record) for each in pairs} | (channels.main if channels else {}),
        {each.constraint.datum: _scalar(each.observed) for each in found if each.constraint.datum is not None}
        | (dict(channels.model.data.aux) if channels else {}),
    )
    parameters = _parameters(choice, names, plan, data, first)
    plan = _with_capacity(plan, parameters, data)
    _warn_of_coarse_asimov(plan, parameters, data, workspace.source)
    poi = next(iter(choice.pois), None)
    if poi is not None and channels and poi in channels.names:
        poi = channels.names[poi]
    if poi is not None and poi not in (*parameters.names, *parameters.component_names):
        raise UnknownName("parameter", poi, parameters.names)
    model, pairs_of_channels = (channels.model, channels.pairs) if channels else (None, ())
    return HS3Likelihood(plan, parameters, data, poi, model, pairs_of_channels)


def _without_constraints(workspace: Workspace, record: LikelihoodRecord) -> tuple[Graph, list[str]]:
    """The graph whose products are of observables alone, and the factors that are constraint terms."""
    names = [each for each in record.distributions if workspace.distributions[each].type != HISTFACTORY]
    data = [workspace.data[each] for each in record.data if isinstance(each, str)]
    observables = {axis.name for datum in data for axis in datum.axes}
    for name, each in zip(record.distributions, record.data, strict=True):
        if name in names and not (isinstance(each, str) and workspace.data[each].axes):
            observables |= set(variables_of(workspace.graph, name))
    return set_apart(workspace.graph, names, observables)


def _pairs(workspace: Workspace, graph: Graph, choice: Choice, binned: str) -> list[Pair]:
    pairs = []
    for i, (name, data) in enumerate(zip(choice.likelihood.distributions, choice.likelihood.data, strict=True)):
        if workspace.distributions[name].type == HISTFACTORY:
            continue
        datum = workspace.data[data] if isinstance(data, str) else data
        label = data if isinstance(data, str) else f"{choice.likelihood.name}.data[{i}]"
        pairs.append(pair_of(graph, name, datum, label, choice.ranges, binned))
    return pairs


def _constraints(
    graph: Graph, choice: Choice, pairs: Sequence[Pair], channels: Channels | None, factors: Sequence[str]
) -> tuple[list[Found], Graph]:
    """Constraint terms that are no part of the HistFactory model."""
    used = {leaf for pair in pairs for leaf in graph.leaves(pair.distribution)}
    names = dict.fromkeys([*choice.likelihood.aux_distributions, *factors])
    if channels:
        names |= dict.fromkeys(channels.remaining)
        names = {name: None for name in names if name not in channels.used}
    found = [find_constraint(graph, name, choice.values, choice.constant, used) for name in names]
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


def _parameters(
    choice: Choice, names: Sequence[str], plan: Plan, data: Measured, first: Parameters | None
) -> Parameters:
    """Those of the HistFactory channels, then the others, all scalars."""
    missing = [name for name in names if name not in choice.values]
    if missing:
        raise InvalidModel(
            f"no parameter point gives a value to {', '.join(map(repr, missing[:8]))}; add them to one in the document"
        )
    init = np.array([choice.values[name] for name in names], float)
    ranges = [choice.ranges.get(name, (None, None)) for name in names]
    lower = np.array([-np.inf if low is None else low for low, _ in ranges], float)
    upper = np.array([np.inf if high is None else high for _, high in ranges], float)
    outside = [name for name, x, low, high in zip(names, init, lower, upper, strict=True) if not low <= x <= high]
    if outside:
        raise InvalidModel(f"the starting value of {outside[0]!r} is outside of its range; change one of them")
    fixed = np.array([name in choice.constant for name in names], bool)
    constrained = {each.parameter for each in plan.constraints}
    start = 0 if first is None else first.init.size
    sets = tuple(
        ParameterSet(name, start + i, 1, True, "normal" if name in constrained else "none", ())
        for i, name in enumerate(names)
    )
    own = (init, lower, upper, fixed, _widths(plan, names, init, data))
    if first is not None:
        before = (first.init, first.lower, first.upper, first.fixed, first.widths)
        own, sets = [np.concatenate(each) for each in zip(before, own, strict=True)], (*first.sets, *sets)
    arrays = [jnp.asarray(each, bool if each.dtype == bool else float_dtype()) for each in own]
    return Parameters(sets, *arrays)


def _widths(plan: Plan, names: Sequence[str], init: np.ndarray, data: Measured) -> np.ndarray:
    """Prefit uncertainties: (-d2 ln c / d theta2)^(-1/2) of the constraint term; NaN for free parameters."""
    values = dict(zip(names, map(_scalar, init), strict=True)) | data.aux
    widths = np.full(len(names), np.nan)
    for each in plan.constraints:
        if each.parameter in names:

            def log_density(x, each=each):
                return log_constraint(plan.graph, each, values | {each.parameter: x})

            curvature = float(jax.grad(jax.grad(log_density))(values[each.parameter]))
            widths[names.index(each.parameter)] = (-curvature) ** -0.5 if curvature < 0 else np.nan
    return widths


def _warn_of_coarse_asimov(plan: Plan, parameters: Parameters, data: Measured, source: str) -> None:
    """Say so where the nodes of the expected events are too far apart for a narrow peak."""
    values: Mapping = {name: parameters.init[place] for name, place in plan.places} | data.aux
    for pair in plan.pairs:
        if pair.kind == "unbinned" and np.isfinite(pair.ranges).all():
            found = expected_events(plan.graph, pair, values, jnp.ones(()))
            rate = Evaluation(plan.graph, values, pair.box).rate(pair.distribution)
            missing = abs(float(jnp.sum(found.weights)) / float(1.0 if rate is None else rate) - 1)
            if missing > COARSE:
                doubt = f"expected events of {pair.data!r} add up to {missing:.1g} more or less than is expected"
                warnings.warn(
                    f"{source}: {doubt}: a peak is too narrow for its range, and expected limits are as imprecise",
                    DocumentWarning,
                    stacklevel=5,
                )


def _with_capacity(plan: Plan, parameters: Parameters, data: Measured) -> Plan:
    """Places for drawn events: twice what is observed or expected at the start, whichever is more, and some."""
    values: Mapping = {name: parameters.init[place] for name, place in plan.places} | data.aux
    capacity = []
    for pair in plan.pairs:
        number = 0.0
        if pair.kind == "unbinned":
            rate = Evaluation(plan.graph, values, pair.box).rate(pair.distribution)
            number = max(float(jnp.sum(data.main[pair.data].weights)), 0.0 if rate is None else float(rate))
        capacity.append(int(2 * number + 10 * number**0.5 + 20))
    return Plan(plan.graph, plan.pairs, plan.constraints, plan.places, tuple(capacity))
