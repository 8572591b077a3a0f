"""Which samples the union has: one row for the samples that can stand in each other's place.

A row is neutral where it has no yield. A modifier that *shifts or scales about a parameter value* is neutral with equal
variations. A factor has no neutral value of its own: a normfactor that drives one sample of a workspace must not drive
a second one because it does so in another workspace. Where that would happen, the sample has several rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from histjax.spec.modifiers import HistoSys, NormSys, ShapeSys
from histjax.spec.union.names import distinct
from histjax.spec.union.parameters import ParameterKey, parameter_key
from histjax.spec.workspace import Sample, Workspace

Signature = frozenset[str]
"""Labels of the factors on a sample; that of a shapesys, which belongs to the sample alone, is left out."""


class RowKey(NamedTuple):
    """A row of the union by the labels of channel and sample, and the factors where they make a difference."""

    channel: str
    sample: str
    factors: tuple[str, ...] = ()


class PlacedSample(NamedTuple):
    """A sample of one workspace and where it belongs."""

    channel: str
    role: str
    factors: Signature
    sample: Sample


def channel_labels(workspaces: Sequence[Workspace]) -> dict[tuple[str, int], str]:
    """What the channels are called, by name and number of bins: another number makes it another channel."""
    keys = {(channel.name, channel.n_bins) for workspace in workspaces for channel in workspace.channels}
    names = [name for name, _ in keys]
    return distinct({key: key[0] if names.count(key[0]) == 1 else f"{key[0]} ({key[1]} bins)" for key in keys})


class Signatures:
    """The factors on samples; each sample is looked at once."""

    def __init__(self, labels: Mapping[ParameterKey, str]):
        self._labels = labels
        self._known: dict[int, Signature] = {}

    def __call__(self, sample: Sample) -> Signature:
        """The signature of a sample."""
        if id(sample) not in self._known:
            n_bins = len(sample.nominal_yields)
            factors = (each for each in sample.modifiers if not isinstance(each, HistoSys | NormSys | ShapeSys))
            self._known[id(sample)] = frozenset(self._labels[parameter_key(each, n_bins)] for each in factors)
        return self._known[id(sample)]


def placed(
    workspace: Workspace,
    channels: Mapping[tuple[str, int], str],
    roles: Mapping[str, str],
    signatures: Signatures,
) -> list[PlacedSample]:
    """The samples of a workspace with the labels of their channel and sample."""
    return [
        PlacedSample(channels[channel.name, channel.n_bins], roles[sample.name], signatures(sample), sample)
        for channel in workspace.channels
        for sample in channel.samples
    ]


def rows(samples: Sequence[list[PlacedSample]], present: Sequence[set]) -> list[dict[RowKey, Sample]]:
    """The rows that each workspace fills.

    `present` has for each workspace the labels of its parameters, and for a staterror the pairs (label, channel)
    instead: a factor that is not there is held at 1 and does not count.
    """
    signatures: defaultdict[tuple[str, str], list[tuple[Signature, int]]] = defaultdict(list)
    for index, each in enumerate(samples):
        for channel, role, factors, _ in each:
            signatures[channel, role].append((factors, index))
    split = {place for place, found in signatures.items() if not _compatible(place[0], found, present)}
    return [
        {
            RowKey(channel, role, tuple(sorted(factors)) if (channel, role) in split else ()): sample
            for channel, role, factors, sample in each
        }
        for each in samples
    ]


def _compatible(channel: str, found: list[tuple[Signature, int]], present: Sequence[set]) -> bool:
    """Whether all may carry each other's factors."""
    distinct_factors = {factors for factors, _ in found}
    if len(distinct_factors) == 1:
        return True
    every = frozenset().union(*distinct_factors)
    return not any(
        label in present[index] or (label, channel) in present[index]
        for factors, index in found
        for label in every - factors
    )
