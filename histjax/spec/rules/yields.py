"""Yields, counts and uncertainties that no model can have, or that make one doubtful."""

from collections.abc import Iterator

from histjax.errors import Problem
from histjax.spec.modifiers import HistoSys, NormSys, ShapeSys, StatError
from histjax.spec.rules.places import modifier_places
from histjax.spec.workspace import Channel, Sample, Workspace

LARGEST_FACTOR = 1000
"""A normsys that changes a yield by more has no events behind one of its templates."""


def observed_counts(workspace: Workspace) -> Iterator[Problem]:
    """No observed count is negative."""
    for index, each in enumerate(workspace.observations):
        bins = _bins_where(value < 0 for value in each.data)
        if bins:
            message = f"observation {each.name!r}: the observed count is negative in {_listed(bins)}"
            yield Problem(f"/observations/{index}/data", message)


def uncertainties(workspace: Workspace) -> Iterator[Problem]:
    """No uncertainty is negative."""
    for place in modifier_places(workspace):
        if isinstance(place.modifier, ShapeSys | StatError):
            bins = _bins_where(value < 0 for value in place.modifier.uncertainty)
            if bins:
                yield Problem(f"{place.path}/data", f"{place}: the uncertainty is negative in {_listed(bins)}")


def normsys_factors(workspace: Workspace) -> Iterator[Problem]:
    """The factors of a normsys are positive, and of a size that templates with events behind them have."""
    for place in modifier_places(workspace):
        if not isinstance(place.modifier, NormSys):
            continue
        low, high = sorted((place.modifier.lo, place.modifier.hi))
        found = f"{place}: found lo = {place.modifier.lo} and hi = {place.modifier.hi}, expected positive factors"
        if low < 0:
            message = f"{found}; do its varied templates have a negative sum?"
            yield Problem(f"{place.path}/data", message)
        elif low == 0:
            message = f"{found}; the interpolation drops the logarithm of one that is not, as ROOT does"
            yield Problem(f"{place.path}/data", message, is_warning=True)
        elif not 1 / LARGEST_FACTOR <= low <= high <= LARGEST_FACTOR:
            message = f"{found} between 1/{LARGEST_FACTOR} and {LARGEST_FACTOR}; is the nominal template almost empty?"
            yield Problem(f"{place.path}/data", message, is_warning=True)


def channel_totals(workspace: Workspace) -> Iterator[Problem]:
    """The total yield of a bin is not negative, and not zero for ever where something was observed."""
    observed = {each.name: (index, each.data) for index, each in enumerate(workspace.observations)}
    for i, channel in enumerate(workspace.channels):
        if not _is_even(channel):
            continue
        yields = zip(*(sample.nominal_yields for sample in channel.samples), strict=True)
        totals = [sum(map(float, each)) for each in yields]  # integers could overflow in a sum with floats
        bins = _bins_where(total < 0 for total in totals)
        if bins:
            message = f"channel {channel.name!r}: the total nominal yield is negative in {_listed(bins)}"
            yield Problem(f"/channels/{i}", message, is_warning=True)
        index, data = observed.get(channel.name, (0, ()))
        bins = _bins_where(count > 0 and _is_dead(channel, b) for b, count in enumerate(data[: channel.n_bins]))
        if bins:
            message = f"channel {channel.name!r}: something was observed where no sample has any yield, in"
            yield Problem(f"/observations/{index}/data", f"{message} {_listed(bins)}: such data are impossible")


def staterror_totals(workspace: Workspace) -> Iterator[Problem]:
    """A staterror has a positive yield to be relative to; where it has not, its parameter is held fixed."""
    for i, channel in enumerate(workspace.channels):
        if not _is_even(channel):
            continue
        names = dict.fromkeys(
            each.name for sample in channel.samples for each in sample.modifiers if isinstance(each, StatError)
        )
        for name in names:
            bins = _bins_where(_staterror_is_void(channel, name))
            if bins:
                message = f"channel {channel.name!r}, staterror {name!r}: the uncertainty is positive but the total"
                message += f" yield of its samples is not, in {_listed(bins)}; the parameter is held fixed there"
                yield Problem(f"/channels/{i}", message, is_warning=True)


def _staterror_is_void(channel: Channel, name: str) -> Iterator[bool]:
    """For each bin, whether the named staterror has an uncertainty there but no positive yield."""
    carriers = [
        (sample.nominal_yields, each.uncertainty)
        for sample in channel.samples
        for each in sample.modifiers
        if isinstance(each, StatError) and each.name == name
    ]
    for b in range(channel.n_bins):
        yield sum(float(yields[b]) for yields, _ in carriers) <= 0 < max(uncertainty[b] for _, uncertainty in carriers)


def _is_even(channel: Channel) -> bool:
    """Whether all lengths in the channel agree; where they do not, `structure.lengths` says so."""
    return all(
        len(values) == channel.n_bins
        for sample in channel.samples
        for values in (sample.nominal_yields, *_templates(sample))
    )


def _templates(sample: Sample) -> Iterator[tuple[float, ...]]:
    for modifier in sample.modifiers:
        if isinstance(modifier, HistoSys):
            yield from (modifier.lo, modifier.hi)
        elif isinstance(modifier, ShapeSys | StatError):
            yield modifier.uncertainty


def _is_dead(channel: Channel, b: int) -> bool:
    """Whether bin `b` has no yield whatever the parameters are: nothing nominal and no histosys that adds some."""
    return not any(
        sample.nominal_yields[b] != 0
        or any(isinstance(each, HistoSys) and (each.lo[b] != 0 or each.hi[b] != 0) for each in sample.modifiers)
        for sample in channel.samples
    )


def _bins_where(flags) -> list[int]:
    return [b for b, flag in enumerate(flags) if flag]


def _listed(bins: list[int]) -> str:
    """Bins in words, counted from 0."""
    shown = ", ".join(map(str, bins[:8])) + (f", ... ({len(bins)} in all)" if len(bins) > 8 else "")
    return f"{'bin' if len(bins) == 1 else 'bins'} {shown}"
