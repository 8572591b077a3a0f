"""Other names for what is in a workspace. The name of a modifier is that of its parameter, so both change."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from histjax.errors import InvalidOperation, UnknownName
from histjax.spec.measurement import Measurement
from histjax.spec.operations.report import Change, Edited, edited
from histjax.spec.workspace import Channel, Sample, Workspace

Names = Mapping[str, str]


def rename(
    workspace: Workspace,
    *,
    modifiers: Names | None = None,
    samples: Names | None = None,
    channels: Names | None = None,
    measurements: Names | None = None,
) -> Edited:
    """Give modifiers (and their parameters), samples, channels or measurements other names.

    **Arguments:** maps from old to new names. All names change at once, so `{"a": "b", "b": "a"}` exchanges two.
    Parameter settings, parameters of interest and observations follow.

    **Returns:** the new workspace and what was renamed.

    **Raises:** `UnknownName` for an old name that is not there; `InvalidOperation` with all names that two things would
    have: two parameters become one only where a workspace says so, never by a change of names.

    >>> import histjax
    >>> workspace = histjax.read(histjax.examples.path("two_bins"))
    >>> print(histjax.rename(workspace, modifiers={"mu": "mu_signal"}, channels={"singlechannel": "SR"}))
    renamed modifier 'mu' to 'mu_signal'
    renamed channel 'singlechannel' to 'SR'
    >>> histjax.rename(workspace, modifiers={"mu": "mu_signal"}).workspace.measurement().poi
    'mu_signal'
    """
    maps = {"modifier": modifiers, "sample": samples, "channel": channels, "measurement": measurements}
    maps = {kind: _without_identities(names or {}) for kind, names in maps.items()}
    _check_names(workspace, maps)
    new = replace(
        workspace,
        channels=tuple(_channel(each, maps) for each in workspace.channels),
        observations=tuple(replace(each, name=_new(maps["channel"], each.name)) for each in workspace.observations),
        measurements=tuple(_measurement(each, maps) for each in workspace.measurements),
    )
    report = [
        Change("renamed", kind, old, f"to {name!r}") for kind, names in maps.items() for old, name in names.items()
    ]
    return edited(new, report, "the renamed workspace")


def parameter_names(workspace: Workspace) -> tuple[str, ...]:
    """The names of all modifiers, in the order in which they are first met."""
    channels = workspace.channels
    return tuple(dict.fromkeys(m.name for c in channels for sample in c.samples for m in sample.modifiers))


def _without_identities(names: Names) -> Names:
    return {old: new for old, new in names.items() if old != new}


def _new(names: Names, name: str) -> str:
    return names.get(name, name)


def _channel(channel: Channel, maps: Mapping[str, Names]) -> Channel:
    samples = tuple(_sample(sample, maps) for sample in channel.samples)
    return Channel(_new(maps["channel"], channel.name), samples)


def _sample(sample: Sample, maps: Mapping[str, Names]) -> Sample:
    modifiers = tuple(
        replace(each, name=maps["modifier"][each.name]) if each.name in maps["modifier"] else each
        for each in sample.modifiers
    )
    return replace(sample, name=_new(maps["sample"], sample.name), modifiers=modifiers)


def _measurement(measurement: Measurement, maps: Mapping[str, Names]) -> Measurement:
    return Measurement(
        name=_new(maps["measurement"], measurement.name),
        poi=None if measurement.poi is None else _new(maps["modifier"], measurement.poi),
        parameters=tuple(replace(each, name=_new(maps["modifier"], each.name)) for each in measurement.parameters),
    )


def _check_names(workspace: Workspace, maps: Mapping[str, Names]) -> None:
    """Old names exist, and new ones belong to one thing each."""
    known = {
        "modifier": [parameter_names(workspace)],
        "sample": [[sample.name for sample in channel.samples] for channel in workspace.channels],
        "channel": [[each.name for each in workspace.channels]],
        "measurement": [[each.name for each in workspace.measurements]],
    }
    for kind, groups in known.items():
        names = list(dict.fromkeys(name for group in groups for name in group))
        for old in maps[kind]:
            if old not in names:
                raise UnknownName(kind, old, names)
    collisions = [line for kind, groups in known.items() for line in _collisions(kind, groups, maps[kind])]
    settings = [
        (f"parameter settings of measurement {each.name!r}: parameter", [config.name for config in each.parameters])
        for each in workspace.measurements
    ]
    collisions += [line for kind, group in settings for line in _collisions(kind, [group], maps["modifier"])]
    if collisions:
        raise InvalidOperation("names must differ", list(dict.fromkeys(collisions)))


def _collisions(kind: str, groups: Iterable[Iterable[str]], names: Names) -> Iterator[str]:
    """Each new name that two things of one group would have."""
    for group in groups:
        owners: dict[str, str] = {}
        for old in group:
            other = owners.setdefault(_new(names, old), old)
            if other != old:
                yield f"{kind} {other!r} and {kind} {old!r} would both be called {_new(names, old)!r}"
