"""Names are unique, lengths agree, every channel has an observation, and numbers are numbers."""

import math
import sys
from collections.abc import Iterable, Iterator

from histjax.errors import Problem
from histjax.spec.measurement import ParameterConfig
from histjax.spec.modifiers import HistoSys, Modifier, NormSys, ShapeSys, StatError
from histjax.spec.rules.places import count, modifier_places, sample_places
from histjax.spec.workspace import Workspace


def emptiness(workspace: Workspace) -> Iterator[Problem]:
    """There is something everywhere; where there is not, no other rule can be tried."""
    for part in ("channels", "observations", "measurements"):
        if not getattr(workspace, part):
            yield Problem(f"/{part}", f"the workspace has no {part}")
    for i, channel in enumerate(workspace.channels):
        if not channel.samples:
            yield Problem(f"/channels/{i}/samples", f"channel {channel.name!r} has no samples")
    for place in sample_places(workspace):
        if not place.sample.nominal_yields:
            yield Problem(f"{place.path}/data", f"{place}: there are no bins")


def names(workspace: Workspace) -> Iterator[Problem]:
    """No two things of one kind in one place have the same name."""
    for part in ("channels", "observations", "measurements"):
        yield from _repeated(f"/{part}", f"{part[:-1]} ", [each.name for each in getattr(workspace, part)])
    for i, channel in enumerate(workspace.channels):
        yield from _repeated(
            f"/channels/{i}/samples", f"channel {channel.name!r}, sample ", [each.name for each in channel.samples]
        )
    for place in sample_places(workspace):
        keys = [f"{each.name!r} ({each.type})" for each in place.sample.modifiers]
        yield from _repeated(f"{place.path}/modifiers", f"{place}, modifier ", keys, show=str)
    for i, measurement in enumerate(workspace.measurements):
        path, owner = f"/measurements/{i}/config/parameters", f"measurement {measurement.name!r}, parameter "
        yield from _repeated(path, owner, [each.name for each in measurement.parameters])


def _repeated(path: str, owner: str, keys: list[str], show=repr) -> Iterator[Problem]:
    if len(set(keys)) == len(keys):
        return
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        if first.setdefault(key, index) != index:
            yield Problem(f"{path}/{index}", f"{owner}{show(key)} occurs twice, first at {path}/{first[key]}")


def lengths(workspace: Workspace) -> Iterator[Problem]:
    """All that is said bin by bin has one number for each bin."""
    for place in sample_places(workspace):
        found, expected = len(place.sample.nominal_yields), place.channel.n_bins
        if found != expected:
            first = place.channel.samples[0].name
            message = f"{place}: data has {count(found, 'bin')}, the channel's first sample {first!r} has {expected}"
            yield Problem(f"{place.path}/data", message)
    for place in modifier_places(workspace):
        for key, values in _binned(place.modifier):
            expected = len(place.sample.nominal_yields)
            if len(values) != expected:
                name = key.rpartition("/")[2]
                message = f"{place}: {name} has {count(len(values), 'bin')}, the sample has {expected}"
                yield Problem(f"{place.path}/{key}", message)
    bins = {channel.name: channel.n_bins for channel in workspace.channels}
    for index, each in enumerate(workspace.observations):
        if len(each.data) != bins.get(each.name, len(each.data)):
            message = f"observation {each.name!r} has {count(len(each.data), 'bin')}, its channel has {bins[each.name]}"
            yield Problem(f"/observations/{index}/data", message)


def _binned(modifier: Modifier) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """The arrays of a modifier that have a number for each bin, with the place where they are written."""
    match modifier:
        case HistoSys(lo=lo, hi=hi):
            return ("data/lo_data", lo), ("data/hi_data", hi)
        case ShapeSys(uncertainty=uncertainty) | StatError(uncertainty=uncertainty):
            return (("data", uncertainty),)
        case _:
            return ()


def observations(workspace: Workspace) -> Iterator[Problem]:
    """Every channel has an observation; one that belongs to no channel is ignored, with a warning."""
    observed = {each.name for each in workspace.observations}
    channels = {each.name for each in workspace.channels}
    for channel in workspace.channels:
        if channel.name not in observed:
            yield Problem("/observations", f"channel {channel.name!r} has no observation")
    for index, each in enumerate(workspace.observations):
        if each.name not in channels:
            message = f"observation {each.name!r} is ignored: there is no channel of that name"
            yield Problem(f"/observations/{index}", message, is_warning=True)


def finite_numbers(workspace: Workspace) -> Iterator[Problem]:
    """Every number is finite, and within the range of a double."""
    for place in sample_places(workspace):
        yield from _not_finite(f"{place.path}/data", place, place.sample.nominal_yields)
    for place in modifier_places(workspace):
        for key, values in _binned(place.modifier):
            if not _surely_finite(values):
                yield from _not_finite(f"{place.path}/{key}", place, values)
        if isinstance(place.modifier, NormSys) and not _surely_finite((place.modifier.lo, place.modifier.hi)):
            for key in ("lo", "hi"):
                yield from _not_finite(f"{place.path}/data/{key}", place, (getattr(place.modifier, key),))
    for index, each in enumerate(workspace.observations):
        yield from _not_finite(f"/observations/{index}/data", f"observation {each.name!r}", each.data)
    for i, measurement in enumerate(workspace.measurements):
        for j, settings in enumerate(measurement.parameters):
            owner = f"measurement {measurement.name!r}, parameter {settings.name!r}"
            for key, values in _numbers(settings):
                yield from _not_finite(f"/measurements/{i}/config/parameters/{j}/{key}", owner, values)


def _numbers(settings: ParameterConfig) -> Iterator[tuple[str, Iterable[float]]]:
    for key in ("inits", "auxdata", "factors", "sigmas"):
        yield key, getattr(settings, key) or ()
    yield "bounds", [end for pair in settings.bounds or () for end in pair]


def _surely_finite(values: Iterable[float]) -> bool:
    """A quick yes for almost all arrays: a sum is not finite if one of the numbers is not."""
    try:
        return math.isfinite(sum(map(float, values)))
    except OverflowError:  # an integer of any size
        return False


def _not_finite(path: str, owner: object, values: Iterable[float]) -> Iterator[Problem]:
    """At most one problem for an array. Comparing, unlike `math.isfinite`, serves integers of any size."""
    largest = sys.float_info.max
    if all(-largest <= value <= largest for value in values):
        return
    wrong = [(index, value) for index, value in enumerate(values) if not -largest <= value <= largest]
    if wrong:
        index, value = wrong[0]
        shown = repr(value) if isinstance(value, float) else "an integer beyond the range of a double"
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield Problem(path, f"{owner}: entry {index} is {shown}, expected a finite number{more}")
