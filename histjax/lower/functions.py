"""Where the factors given in Python act, and the parameters that they bring."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import ParameterSet, Row
from histjax.lower.parameters import Settings
from histjax.spec.functions import Factor, NewParameter


class Action(NamedTuple):
    """One factor: the places and shapes of its arguments in the flat vector, and the cells of every row it acts on."""

    arguments: tuple[tuple[int, int, tuple[int, ...]], ...]
    rows: tuple[tuple[int, int], ...]


def with_new(sets: tuple[ParameterSet, ...], new: Mapping[str, NewParameter]) -> tuple[ParameterSet, ...]:
    """The parameter sets followed by the new ones, which are scalars."""
    start = sum(each.size for each in sets)
    for name in new:
        if name in {each.name for each in sets}:
            raise InvalidModel(f"the workspace has a parameter {name!r} already; give the new one another name")
    added = (ParameterSet(name, start + i, 1, True, "none", ("function",)) for i, name in enumerate(new))
    return (*sets, *added)


def marked(sets: tuple[ParameterSet, ...], factors: Sequence[Factor]) -> tuple[ParameterSet, ...]:
    """The parameter sets, "function" among the modifiers of those that a factor depends on."""
    used = {name for factor in factors for name in factor.parameters}
    return tuple(
        replace(each, modifiers=(*dict.fromkeys((*each.modifiers, "function")),)) if each.name in used else each
        for each in sets
    )


def new_settings(chosen: Settings, new: Mapping[str, NewParameter]) -> Settings:
    """The settings of the workspace's parameters followed by those of the new ones."""
    rows = [(each.init, *each.bounds, each.fixed) for each in new.values()]
    init, lower, upper, fixed = np.array(rows, float).reshape(-1, 4).T
    unset = np.full(len(new), np.nan)
    added = Settings(init, lower, upper, fixed.astype(bool), unset, unset, unset)
    return Settings(**{name: np.concatenate([vars(chosen)[name], vars(added)[name]]) for name in vars(chosen)})


def actions(factors: Sequence[Factor], sets: tuple[ParameterSet, ...], rows: tuple[Row, ...]) -> tuple[Action, ...]:
    """Resolve the names of every factor; raises `UnknownName` and `InvalidModel` for one that acts nowhere."""
    by_name = {each.name: each for each in sets}
    return tuple(_action(each, by_name, rows) for each in factors)


def _action(factor: Factor, sets: Mapping[str, ParameterSet], rows: tuple[Row, ...]) -> Action:
    for kind, names, known in (
        ("parameter", factor.parameters, sets),
        ("sample", factor.samples, {row.sample for row in rows}),
        ("channel", factor.channels or (), {row.channel for row in rows}),
    ):
        if isinstance(names, str):
            raise InvalidModel(f"a Factor wants a sequence of {kind} names, found the string {names!r}")
        for name in names:
            if name not in known:
                raise UnknownName(kind, name, sorted(known))
    chosen = [
        (row.start, row.stop)
        for row in rows
        if row.sample in factor.samples and (factor.channels is None or row.channel in factor.channels)
    ]
    if not chosen:
        raise InvalidModel(f"a Factor acts on no sample: {list(factor.samples)} in channels {factor.channels}")
    arguments = tuple((sets[name].start, sets[name].size, sets[name].shape) for name in factor.parameters)
    return Action(arguments, tuple(chosen))
