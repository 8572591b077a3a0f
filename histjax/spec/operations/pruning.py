"""Less of a workspace: without some of its modifiers, samples, channels or measurements."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from histjax.errors import InvalidOperation, UnknownName
from histjax.spec.measurement import Measurement
from histjax.spec.modifiers import Modifier
from histjax.spec.operations.renaming import parameter_names
from histjax.spec.operations.report import Change, Edited, edited
from histjax.spec.workspace import Channel, Workspace

Selector = str | re.Pattern | Callable[[str], bool]
"""A name, a regular expression that must match a whole name, or a function from a name to a truth value."""

MODIFIER_TYPES = tuple(each.type for each in Modifier.__args__)


def prune(
    workspace: Workspace,
    *,
    modifiers: Iterable[Selector] = (),
    modifier_types: Iterable[str] = (),
    samples: Iterable[Selector] = (),
    channels: Iterable[Selector] = (),
    measurements: Iterable[Selector] = (),
) -> Edited:
    """Remove what is selected by name, and what nothing refers to any more.

    **Arguments:**

    - `modifiers`: modifiers of these names, of whatever type, in all samples.
    - `modifier_types`: modifiers of these types, e.g. `"staterror"`; others of the same name stay.
    - `samples`, `channels`, `measurements`: with all that belongs to them; a channel goes with its observation.

    Each is a list of names, compiled regular expressions (that match a whole name) or functions of a name. The settings
    of a parameter go when its last modifier does; a parameter of interest stays named in its measurement.

    **Returns:** the new workspace and what was removed.

    **Raises:** `UnknownName` for a name, `InvalidOperation` for an expression or a function, that selects nothing, and
    where nothing would be left of the workspace, a channel or the measurements.

    >>> import histjax, re
    >>> workspace = histjax.read(histjax.examples.path("search"))
    >>> print(histjax.prune(workspace, modifier_types=["staterror", "lumi"], samples=[re.compile("fak.*")]))
    removed sample 'fakes' of channel 'signal_region'
    removed modifier 'lumi' from 3 samples
    removed modifier 'staterror_SR' from 2 samples
    removed modifier 'staterror_CR' from 2 samples
    removed parameter settings 'lumi' of measurement 'search'
    removed parameter settings 'lumi' of measurement 'cross_section'
    """
    modifiers, samples, channels, measurements = map(_listed, (modifiers, samples, channels, measurements))
    types = _known_types(_listed(modifier_types))
    names = {
        "modifier": _selected("modifier", modifiers, parameter_names(workspace)),
        "sample": _selected("sample", samples, [each.name for c in workspace.channels for each in c.samples]),
        "channel": _selected("channel", channels, [each.name for each in workspace.channels]),
        "measurement": _selected("measurement", measurements, [each.name for each in workspace.measurements]),
    }
    new = replace(
        workspace,
        channels=tuple(
            _less(each, names["sample"], names["modifier"], types)
            for each in workspace.channels
            if each.name not in names["channel"]
        ),
        observations=tuple(each for each in workspace.observations if each.name not in names["channel"]),
        measurements=tuple(each for each in workspace.measurements if each.name not in names["measurement"]),
    )
    _check_something_is_left(new)
    gone = set(parameter_names(workspace)) - set(parameter_names(new)) | names["modifier"]
    new = replace(new, measurements=tuple(_without_settings(each, gone) for each in new.measurements))
    return edited(new, _removed(workspace, new, names), "the pruned workspace")


def _listed(selectors) -> list:
    """The selectors; a single one is a list of one, since a name is a sequence of letters, too."""
    return [selectors] if isinstance(selectors, str | re.Pattern) or callable(selectors) else list(selectors)


def _known_types(types: list[str]) -> set[str]:
    for each in types:
        if each not in MODIFIER_TYPES:
            raise UnknownName("modifier type", each, MODIFIER_TYPES)
    return set(types)


def _selected(kind: str, selectors: list[Selector], names: Iterable[str]) -> set[str]:
    """The names that at least one of the selectors takes; every selector takes one."""
    names, found = list(dict.fromkeys(names)), set()
    for selector in selectors:
        taken = {name for name in names if _takes(selector, name)}
        if not taken and isinstance(selector, str):
            raise UnknownName(kind, selector, names)
        if not taken:
            shown = selector.pattern if isinstance(selector, re.Pattern) else selector
            raise InvalidOperation("nothing to remove", [f"no {kind} is selected by {shown!r}"])
        found |= taken
    return found


def _takes(selector: Selector, name: str) -> bool:
    if isinstance(selector, str):
        return selector == name
    return bool(selector.fullmatch(name) if isinstance(selector, re.Pattern) else selector(name))


def _less(channel: Channel, samples: set[str], modifiers: set[str], types: set[str]) -> Channel:
    """The channel without these samples and modifiers."""
    kept = [each for each in channel.samples if each.name not in samples]
    return replace(
        channel,
        samples=tuple(
            replace(each, modifiers=tuple(m for m in each.modifiers if m.name not in modifiers and m.type not in types))
            for each in kept
        ),
    )


def _without_settings(measurement: Measurement, gone: set[str]) -> Measurement:
    return replace(measurement, parameters=tuple(each for each in measurement.parameters if each.name not in gone))


def _check_something_is_left(workspace: Workspace) -> None:
    lines = [f"no {part} would be left" for part in ("channels", "measurements") if not getattr(workspace, part)]
    lines += [
        f"no samples would be left in channel {channel.name!r}: remove the channel"
        for channel in workspace.channels
        if not channel.samples
    ]
    if lines:
        raise InvalidOperation("too much is removed", lines)


def _removed(old: Workspace, new: Workspace, names: dict[str, set[str]]) -> list[Change]:
    """What is not there any more, in words."""
    changes = [
        Change("removed", kind, each.name)
        for kind, part in (("measurement", old.measurements), ("channel", old.channels))
        for each in part
        if each.name in names[kind]
    ]
    left = {channel.name: channel for channel in new.channels}
    rest = [channel for channel in old.channels if channel.name in left]
    samples = [
        (each.name, channel.name) for channel in rest for each in channel.samples if each.name in names["sample"]
    ]
    changes += [Change("removed", "sample", sample, f"of channel {channel!r}") for sample, channel in samples]
    before, after = _occurrences(rest, names["sample"]), _occurrences(new.channels, set())
    for name, number in before.items():
        lost = number - after.get(name, 0)
        if lost:
            changes.append(Change("removed", "modifier", name, f"from {lost} sample{'s' if lost > 1 else ''}"))
    settings = {each.name: {config.name for config in each.parameters} for each in new.measurements}
    return changes + [
        Change("removed", "parameter settings", config.name, f"of measurement {measurement.name!r}")
        for measurement in old.measurements
        if measurement.name in settings
        for config in measurement.parameters
        if config.name not in settings[measurement.name]
    ]


def _occurrences(channels: Iterable[Channel], without: set[str]) -> dict[str, int]:
    """How many modifiers there are of each name."""
    counts: dict[str, int] = {}
    for channel in channels:
        for sample in channel.samples:
            for modifier in sample.modifiers if sample.name not in without else ():
                counts[modifier.name] = counts.get(modifier.name, 0) + 1
    return counts
