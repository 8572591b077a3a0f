"""Which parameters the union has: those of all workspaces, as few as their names and kinds allow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from histjax.spec.modifiers import Modifier, ShapeFactor, ShapeSys, StatError
from histjax.spec.rules.parameters import SHARING_GROUP
from histjax.spec.union.names import distinct, shared_places
from histjax.spec.workspace import Sample, Workspace

_BY_NAME = (StatError, ShapeSys)


class ParameterKey(NamedTuple):
    """What makes a parameter the same in two workspaces: its name, its kind, and the size of a shapefactor.

    A shapesys belongs to one sample and is known by its `row` in the union, too.
    """

    name: str
    group: str
    size: int = 0
    row: tuple = ()


def parameter_key(modifier: Modifier, n_bins: int) -> ParameterKey:
    """The parameter of a modifier, the row of a shapesys left open."""
    size = n_bins if isinstance(modifier, ShapeFactor) else 0
    return ParameterKey(modifier.name, SHARING_GROUP[type(modifier)], size)


class Carrier(NamedTuple):
    """What a sample carries: its parameters without those of shapesys modifiers, and some of the names by type."""

    keys: frozenset[ParameterKey]
    staterrors: frozenset[str]
    shapesys: frozenset[str]


class Carried:
    """What samples carry; each sample is looked at once, however many workspaces share it."""

    def __init__(self):
        self._known: dict[int, Carrier] = {}
        self.samples: defaultdict[ParameterKey, set[str]] = defaultdict(set)
        """Names of the samples that carry each of the parameters."""

    def __call__(self, sample: Sample) -> Carrier:
        """What a sample carries."""
        if id(sample) not in self._known:
            names = {kind: frozenset(m.name for m in sample.modifiers if type(m) is kind) for kind in _BY_NAME}
            n_bins = len(sample.nominal_yields)
            others = (each for each in sample.modifiers if type(each) is not ShapeSys)
            carrier = Carrier(frozenset(parameter_key(each, n_bins) for each in others), *names.values())
            self._known[id(sample)] = carrier
            for key in carrier.keys:
                self.samples[key].add(sample.name)
        return self._known[id(sample)]


def parameters_of(workspace: Workspace, carried: Carried) -> frozenset[ParameterKey]:
    """The parameters of a workspace, those of shapesys modifiers left out."""
    return frozenset().union(*(carried(sample).keys for channel in workspace.channels for sample in channel.samples))


def parameter_labels(
    parameters: Sequence[frozenset[ParameterKey]], carried: Carried, own: Collection[str], kept: Collection[str]
) -> dict[ParameterKey, str]:
    """What the parameters are called in the union; names that are `kept` stay as they are.

    A place is shared by parameters that belong to one sample of those that not all workspaces have (`own`), and by
    those that one workspace alone has.
    """
    where = occurrences(parameters)
    kinds: defaultdict[tuple, list[ParameterKey]] = defaultdict(list)
    for key in where:
        kinds[key.group, key.size].append(key)
    labels = {}
    for keys in kinds.values():
        by_name = {key.name: where[key] for key in keys}
        specific = [key.name for key in keys if len(where[key]) == 1 or _belongs(carried.samples[key], own)]
        candidates = [name for name in specific if len(by_name[name]) < len(parameters) and name not in kept]
        chosen = shared_places(by_name, candidates, alike=True)
        labels |= {key: chosen[key.name] for key in keys}
    return _by_label(labels)


def _belongs(samples: set[str], own: Collection[str]) -> bool:
    return len(samples) == 1 and samples <= set(own)


def _by_label(labels: dict[ParameterKey, str]) -> dict[ParameterKey, str]:
    """Labels that several kinds share are numbered; keys of one place keep one label."""
    places = {(label, key.group, key.size, key.row): label for key, label in labels.items()}
    unique = distinct(places)
    return {key: unique[label, key.group, key.size, key.row] for key, label in labels.items()}


def shapesys_labels(
    rows: Mapping[tuple, list[frozenset[str]]], others: Iterable[str], kept: Collection[str]
) -> dict[ParameterKey, str]:
    """What the parameters of shapesys modifiers are called: one place for all that never occur together on a row.

    `rows` has for each row of the union the names of its shapesys modifiers, workspace by workspace; `others` are
    labels that are taken.
    """
    labels = {}
    for row, names in rows.items():
        where = occurrences(names)
        candidates = [name for name in where if len(where[name]) < len(names) and name not in kept]
        chosen = shared_places(where, candidates)
        labels |= {ParameterKey(name, "shapesys", 0, row): label for name, label in chosen.items()}
    taken = {ParameterKey(label, ""): label for label in others}
    unique = _by_label(taken | labels)
    return {key: unique[key] for key in labels}


def occurrences(sets: Sequence[Collection]) -> dict:
    """For each element the indices of the sets that have it."""
    where: defaultdict = defaultdict(set)
    for index, each in enumerate(sets):
        for element in each:
            where[element].add(index)
    return dict(where)
