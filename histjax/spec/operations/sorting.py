"""One order for workspaces that say the same in different orders."""

from dataclasses import replace

from histjax.spec.measurement import Measurement
from histjax.spec.operations.report import Change, Edited, edited
from histjax.spec.workspace import Channel, Sample, Workspace


def sort(workspace: Workspace) -> Edited:
    """Everything in the order of its name, modifiers in that of name and type, as pyhf's `sorted` does.

    Workspaces that differ only in their order become equal, and so do their digests. The likelihood is the same.

    >>> import histjax
    >>> workspace = histjax.read(histjax.examples.path("two_bins"))
    >>> [sample.name for sample in histjax.sort(workspace).workspace.channels[0].samples]
    ['background', 'signal']
    """
    new = replace(
        workspace,
        channels=_by_name(map(_sorted_channel, workspace.channels)),
        observations=_by_name(workspace.observations),
        measurements=_by_name(map(_sorted_measurement, workspace.measurements)),
    )
    return edited(new, _moved(workspace, new), "the sorted workspace")


def _by_name(records) -> tuple:
    return tuple(sorted(records, key=lambda each: each.name))


def _sorted_channel(channel: Channel) -> Channel:
    return replace(channel, samples=_by_name(map(_sorted_sample, channel.samples)))


def _sorted_sample(sample: Sample) -> Sample:
    return replace(sample, modifiers=tuple(sorted(sample.modifiers, key=lambda each: (each.name, each.type))))


def _sorted_measurement(measurement: Measurement) -> Measurement:
    return replace(measurement, parameters=_by_name(measurement.parameters))


def _moved(old: Workspace, new: Workspace) -> list[Change]:
    """Which lists are in another order now."""
    changes = [
        Change("sorted", "list", part)
        for part in ("channels", "observations", "measurements")
        if [each.name for each in getattr(old, part)] != [each.name for each in getattr(new, part)]
    ]
    channels = {channel.name: channel for channel in old.channels}
    changes += [Change("sorted", "channel", each.name) for each in new.channels if each != channels[each.name]]
    measurements = {measurement.name: measurement for measurement in old.measurements}
    return changes + [
        Change("sorted", "measurement", each.name) for each in new.measurements if each != measurements[each.name]
    ]
