"""The structure that several workspaces have in common, and what each of them has of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from histjax.spec.measurement import Measurement, ParameterConfig
from histjax.spec.modifiers import Modifier, ShapeSys
from histjax.spec.union.neutral import Row, RowModifier, numbers, sample_of
from histjax.spec.union.parameters import ParameterKey, parameter_key
from histjax.spec.union.rows import RowKey
from histjax.spec.workspace import Channel, Observation, Sample, Workspace


@dataclass(frozen=True)
class Part:
    """One workspace in the union.

    **Fields:** `workspace`; `samples` on the rows that it fills; `observed` counts by the label of the channel;
    `labels` of its parameters by name; `present` has the labels, and for a staterror the pairs (label, channel).
    """

    workspace: Workspace
    samples: Mapping[RowKey, Sample]
    observed: Mapping[str, tuple[float, ...]]
    labels: Mapping[str, str]
    present: frozenset


@dataclass(frozen=True)
class Union:
    """Several workspaces in one structure.

    A workspace has no yield in the rows, no data in the channels and no modifiers that it lacks; what a modifier that
    it lacks does without an uncertainty is nothing, as long as the parameters that are absent are held where they have
    no effect (`components` tells which).

    **Fields:** `channels` with their number of bins, `rows`, `groups` is the kind of each parameter and `carriers` the
    channels, sorted, that have it, all by label; `labels` are those of the parameters.
    """

    channels: Mapping[str, int]
    rows: Mapping[RowKey, Row]
    groups: Mapping[str, str]
    carriers: Mapping[str, tuple[str, ...]]
    parts: tuple[Part, ...]
    labels: Mapping[ParameterKey, str] = field(repr=False)

    def numbers(self, part: Part) -> Iterator[tuple[RowKey, list[float]]]:
        """The numbers of every row for one workspace, in the order of `rows`."""
        for key in self.rows:
            yield key, self.row_numbers(key, part.samples.get(key))

    def row_numbers(self, key: RowKey, sample: Sample | None) -> list[float]:
        """The numbers of a row for a sample, or for none."""
        row = self.rows[key]
        if sample is None:
            return numbers(row, [0.0] * row.n_bins, {})
        labelled = {RowModifier(each.type, self.label(key, each)): each for each in sample.modifiers}
        return numbers(row, sample.nominal_yields, labelled)

    def label(self, row: RowKey, modifier: Modifier) -> str:
        """The label of the parameter of a modifier on a row."""
        key = parameter_key(modifier, self.channels[row.channel])
        return self.labels[key._replace(row=row) if isinstance(modifier, ShapeSys) else key]

    def workspace(
        self,
        values: Mapping[RowKey, Sequence[float]],
        observed: Mapping[str, Sequence[float]],
        measurement: Measurement,
    ) -> Workspace:
        """The union with these numbers for its rows and channels; a measurement in its words."""
        samples: defaultdict[str, list[Sample]] = defaultdict(list)
        for key, row in self.rows.items():
            samples[row.channel].append(sample_of(row, values[key]))
        channels = tuple(Channel(name, tuple(samples[name])) for name in self.channels)
        return Workspace(channels, tuple(Observation(*each) for each in observed.items()), (measurement,))

    def padded(self, part: Part, measurement: Measurement) -> Workspace:
        """One workspace in the structure of the union."""
        return self.workspace(dict(self.numbers(part)), self.observed(part), self.measurement(part, measurement))

    def observed(self, part: Part) -> dict[str, tuple[float, ...]]:
        """The data of every channel, 0 where the workspace does not have it."""
        return {name: part.observed.get(name, (0.0,) * n_bins) for name, n_bins in self.channels.items()}

    def measurement(self, part: Part, measurement: Measurement) -> Measurement:
        """A measurement of the workspace in the words of the union, without settings for parameters that are not there.

        A staterror may have more components in the union; they repeat the first setting.
        """
        settings = tuple(self._settings(part, each) for each in measurement.parameters if each.name in part.labels)
        poi = measurement.poi if measurement.poi is None else part.labels.get(measurement.poi, measurement.poi)
        return Measurement(measurement.name, poi, settings)

    def _settings(self, part: Part, settings: ParameterConfig) -> ParameterConfig:
        label = part.labels[settings.name]
        settings = replace(settings, name=label)
        if self.groups[label] != "staterror":
            return settings
        there = self.components(part, label)
        fields = ("inits", "bounds", "auxdata", "sigmas")
        given = {name: getattr(settings, name) for name in fields if getattr(settings, name) is not None}
        return replace(settings, **{name: _spread(values, there) for name, values in given.items()})

    def components(self, part: Part, label: str) -> list[bool]:
        """Which components of a parameter the workspace has; those of a staterror channel by channel, sorted."""
        if self.groups[label] == "staterror":
            return [
                (label, channel) in part.present
                for channel in self.carriers[label]
                for _ in range(self.channels[channel])
            ]
        size = {"shapefactor", "shapesys"} & {self.groups[label]}
        n_components = self.channels[self.carriers[label][0]] if size else 1
        return [label in part.present] * n_components


def _spread(values: Sequence, there: Sequence[bool]) -> tuple:
    rest = iter(values)
    return tuple(next(rest) if each else values[0] for each in there)
