"""The `histfactory_dist`s of one likelihood and the counts that are paired with them."""

import math
from typing import Any

from histjax.hs3.histfactory.findings import Findings, shown
from histjax.hs3.histfactory.lookup import Lookup
from histjax.hs3.histfactory.modifiers import Sample, bins_of
from histjax.hs3.histfactory.options import Options
from histjax.hs3.histfactory.terms import Terms
from histjax.hs3.histfactory.uses import ChannelUses, SampleUses

TYPE = "histfactory_dist"


def read_channels(
    lookup: Lookup, likelihood: str, options: Options, terms: Terms, findings: Findings
) -> tuple[ChannelUses, ...]:
    """The channels of a likelihood in its order; its other distributions are left out."""
    if likelihood not in lookup.likelihoods:
        known = ", ".join(lookup.likelihoods) or "none"
        findings.problem("/likelihoods", f"there is no likelihood {likelihood!r}; there are: {known}")
        return ()
    path, entry = lookup.likelihoods[likelihood]
    names, data = entry.get("distributions", []), entry.get("data", [])
    if len(names) != len(data):
        findings.problem(path, f"likelihood {likelihood!r} has {len(names)} distributions and {len(data)} data")
        return ()
    pairs = [
        (name, datum, f"{path}/data/{index}")
        for index, (name, datum) in enumerate(zip(names, data, strict=True))
        if name in lookup.distributions and lookup.distributions[name][1].get("type") == TYPE
    ]
    for name in sorted({name for name, *_ in pairs if [each[0] for each in pairs].count(name) > 1}):
        findings.problem(path, f"likelihood {likelihood!r} has {name!r} more than once, with different data")
    if not pairs:
        findings.problem(path, f"likelihood {likelihood!r} has no {TYPE}")
    channels = channel_names([name for name, *_ in pairs])
    read = [_channel(lookup, *pair, channels[pair[0]], options, terms, findings) for pair in pairs]
    return tuple(each for each in read if each is not None)


def channel_names(distributions: list[str]) -> dict[str, str]:
    """The channel of every distribution: its name without ROOT's prefix `model_`, if that leaves all names different.

    >>> channel_names(["model_SR", "CR"])
    {'model_SR': 'SR', 'CR': 'CR'}
    """
    short = {name: name.removeprefix("model_") or name for name in distributions}
    return short if len(set(short.values())) == len(short) else {name: name for name in distributions}


def _channel(
    lookup: Lookup, name: str, datum: Any, place: str, channel: str, options: Options, terms: Terms, findings: Findings
) -> ChannelUses | None:
    path, entry = lookup.distributions[name]
    samples = entry.get("samples")
    if not isinstance(samples, list) or not samples:
        findings.problem(f"{path}/samples", f"{TYPE} {name!r} has no samples")
        return None
    read = [
        _sample(lookup, entry, channel, sample, f"{path}/samples/{index}", options, terms, findings)
        for index, sample in enumerate(samples)
    ]
    observed = _observed(lookup, datum, place, channel, findings)
    if None in read or observed is None:
        return None
    data_path, counts = observed
    for size, what in ((bins_of(entry.get("axes")), "its axes have"), (len(counts), "its data have")):
        found = len(read[0].nominal_yields)
        if size is not None and size != found:
            findings.problem(path, f"{TYPE} {name!r}: the first sample has {found} bins, {what} {size}")
            return None
    threshold = entry["staterror"].get("relThreshold", 0) if isinstance(entry.get("staterror"), dict) else 0
    threshold = findings.number(threshold, f"{path}/staterror/relThreshold", "relThreshold") or 0.0
    return ChannelUses(path, name, channel, tuple(read), counts, data_path, threshold)


def _sample(
    lookup: Lookup, channel: dict, name: str, entry: Any, path: str, options: Options, terms: Terms, findings: Findings
) -> SampleUses | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        findings.problem(path, f"expected a sample with a name, found {shown(entry)}")
        return None
    data, owner = entry.get("data"), f"channel {name!r}, sample {entry['name']!r}"
    contents = data.get("contents") if isinstance(data, dict) else data
    yields = findings.numbers(contents, f"{path}/data/contents", f"{owner}, contents")
    modifiers = entry.get("modifiers", [])
    if yields is None or not isinstance(modifiers, list):
        if not isinstance(modifiers, list):
            findings.problem(f"{path}/modifiers", f"{owner}: expected a list, found {shown(modifiers)}")
        return None
    errors = data.get("errors") if isinstance(data, dict) else None
    if errors is not None:
        errors = findings.numbers(errors, f"{path}/data/errors", f"{owner}, errors", len(yields))
    sample = Sample(channel, name, yields, errors, lookup, options, terms, findings)
    uses = [sample.read(each, f"{path}/modifiers/{index}") for index, each in enumerate(modifiers)]
    return SampleUses(path, entry["name"], yields, tuple(each for each in uses if each is not None))


def _observed(lookup: Lookup, datum: Any, place: str, channel: str, findings: Findings):
    """Path and counts of the data that a likelihood pairs with a channel."""
    if not isinstance(datum, str) or datum not in lookup.data:
        findings.problem(place, f"channel {channel!r}: expected the name of binned data, found {shown(datum)}")
        return None
    path, entry = lookup.data[datum]
    if entry.get("type", "binned") != "binned":
        findings.problem(path, f"channel {channel!r} needs binned data, {datum!r} are {shown(entry.get('type'))}")
        return None
    if "uncertainty" in entry:
        findings.doubt(f"{path}: the uncertainty of data {datum!r} is not used: counts are Poisson")
    counts = findings.numbers(entry.get("contents"), f"{path}/contents", f"data {datum!r}, contents")
    if counts is None or any(math.isnan(each) for each in counts):
        return None
    return path, counts
