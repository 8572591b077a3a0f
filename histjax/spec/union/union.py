"""`unite`: the neutral union of workspaces."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from histjax.spec.modifiers import ShapeSys
from histjax.spec.union.names import distinct, shared_places
from histjax.spec.union.neutral import Row, RowModifier
from histjax.spec.union.parameters import (
    Carried,
    ParameterKey,
    occurrences,
    parameter_key,
    parameter_labels,
    parameters_of,
    shapesys_labels,
)
from histjax.spec.union.rows import RowKey, Signatures, channel_labels, placed, rows
from histjax.spec.union.structure import Part, Union
from histjax.spec.workspace import Sample, Workspace


def unite(workspaces: Sequence[Workspace], kept: Collection[str] = ()) -> Union:
    """The neutral union of checked workspaces; names of samples and parameters that are `kept` stay as they are.

    What has the same name is the same thing. Samples that not all workspaces have share a row where they never occur
    together, and so do the parameters that belong to them: the signals of a grid are one sample. Where they are called
    differently, the union calls them by a pattern. Nothing depends on the order of the workspaces.

    >>> from histjax.spec import Channel, Measurement, NormFactor, Observation
    >>> def workspace(signal: str, yields: float) -> Workspace:
    ...     sample = Sample(signal, (yields,), (NormFactor("mu"),))
    ...     return Workspace((Channel("SR", (sample,)),), (Observation("SR", (6.0,)),), (Measurement("M", "mu"),))
    >>> union = unite([workspace("sig_a", 5.0), workspace("sig_b", 4.0)])
    >>> [union.padded(part, part.workspace.measurement()).channels[0].samples for part in union.parts]
    [(Sample(name='sig_*', nominal_yields=(5.0,), modifiers=(NormFactor(name='mu'),)),),
     (Sample(name='sig_*', nominal_yields=(4.0,), modifiers=(NormFactor(name='mu'),)),)]
    """
    names = [_sample_names(each) for each in workspaces]
    where, every = occurrences(names), frozenset.intersection(*names)
    roles = shared_places(where, where.keys() - every - set(kept))
    carried = Carried()
    parameters = [parameters_of(workspace, carried) for workspace in workspaces]
    labels = parameter_labels(parameters, carried, where.keys() - every, kept)
    channels, signatures = channel_labels(workspaces), Signatures(labels)
    present = [_present(*each, carried, labels, channels) for each in zip(workspaces, parameters, strict=True)]
    filled = rows([placed(each, channels, roles, signatures) for each in workspaces], present)
    labels = labels | shapesys_labels(_shapesys_names(filled, carried), labels.values(), kept)
    parts = (
        _part(*each, carried, labels, channels) for each in zip(workspaces, filled, parameters, present, strict=True)
    )
    sizes = {label: n_bins for (_, n_bins), label in sorted(channels.items(), key=lambda each: each[1])}
    groups = {label: key.group for key, label in labels.items()}
    made = _rows(filled, labels, sizes)
    carriers: defaultdict[str, set[str]] = defaultdict(set)
    for row in made.values():
        for modifier in row.modifiers:
            carriers[modifier.label].add(row.channel)
    return Union(
        sizes, made, groups, {label: tuple(sorted(each)) for label, each in carriers.items()}, tuple(parts), labels
    )


def _sample_names(workspace: Workspace) -> frozenset[str]:
    return frozenset(sample.name for channel in workspace.channels for sample in channel.samples)


def _present(
    workspace: Workspace,
    keys: frozenset[ParameterKey],
    carried: Carried,
    labels: Mapping[ParameterKey, str],
    channels: Mapping[tuple[str, int], str],
) -> frozenset:
    found = {labels[key] for key in keys if key.group != "staterror"}
    for channel in workspace.channels:
        label = channels[channel.name, channel.n_bins]
        names = frozenset().union(*(carried(sample).staterrors for sample in channel.samples))
        found |= {(labels[ParameterKey(name, "staterror")], label) for name in names}
    return frozenset(found)


def _shapesys_names(filled: Sequence[Mapping[RowKey, Sample]], carried: Carried) -> dict[RowKey, list[frozenset[str]]]:
    """For each row with a shapesys, the names of its shapesys modifiers in each workspace."""
    found: defaultdict[RowKey, list[frozenset[str]]] = defaultdict(lambda: [frozenset()] * len(filled))
    for index, samples in enumerate(filled):
        for key, sample in samples.items():
            if carried(sample).shapesys:
                found[key][index] = carried(sample).shapesys
    return dict(found)


def _part(
    workspace: Workspace,
    samples: Mapping[RowKey, Sample],
    parameters: frozenset[ParameterKey],
    present: frozenset,
    carried: Carried,
    labels: Mapping[ParameterKey, str],
    channels: Mapping[tuple[str, int], str],
) -> Part:
    """One workspace in the union, its shapesys parameters included."""
    observed = {
        channels[channel.name, channel.n_bins]: workspace.observation(channel.name).data
        for channel in workspace.channels
    }
    shapes = {
        name: labels[ParameterKey(name, "shapesys", 0, key)]
        for key, sample in samples.items()
        for name in carried(sample).shapesys
    }
    names = {key.name: labels[key] for key in parameters} | shapes
    return Part(workspace, samples, observed, names, present | frozenset(shapes.values()))


def _rows(
    filled: Sequence[Mapping[RowKey, Sample]], labels: Mapping[ParameterKey, str], sizes: Mapping[str, int]
) -> dict[RowKey, Row]:
    """The rows of the union with all their modifiers, sorted."""
    modifiers: defaultdict[RowKey, set[RowModifier]] = defaultdict(set)
    seen: set[tuple[RowKey, int]] = set()
    for samples in filled:
        for key, sample in samples.items():
            if (key, id(sample)) in seen:
                continue
            seen.add((key, id(sample)))
            found = modifiers[key]
            for each in sample.modifiers:
                parameter = parameter_key(each, sizes[key.channel])
                parameter = parameter._replace(row=key) if isinstance(each, ShapeSys) else parameter
                found.add(RowModifier(each.type, labels[parameter]))
    names: dict[RowKey, str] = {}
    for channel in sizes:
        names |= distinct({key: key.sample for key in modifiers if key.channel == channel})
    return {
        key: Row(key.channel, names[key], sizes[key.channel], tuple(sorted(modifiers[key])))
        for key in sorted(modifiers)
    }
