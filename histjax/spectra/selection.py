"""Which channels are in a range, and which of them make a bin."""

from collections.abc import Sequence

import numpy as np

from histjax.errors import InvalidSpectrum
from histjax.spectra.response import Response

Ranges = tuple[float, float] | Sequence[tuple[float, float]]
"""One range `(low, high)`, or several; both ends belong to it."""

ROUNDING = 1e-6
"""Relative error of an edge in a file of single precision: by so much a channel may stick out of a range."""


def chosen(response: Response, energies: Ranges | None, channels: Ranges | None, *, whole: bool) -> np.ndarray:
    """Which channels are in any of the ranges: as a `whole`, or with any part."""
    inside = np.zeros(response.n_channels, bool)
    numbers = response.first_channel + np.arange(response.n_channels)
    for low, high in _ranges("channels", channels):
        inside |= (numbers >= low) & (numbers <= high)
    if energies is None:
        return inside
    if response.channels is None:
        raise InvalidSpectrum(
            "energy range", ["the response does not say which energies its channels have; give channels=(first, last)"]
        )
    lower, upper = response.channels.T
    for low, high in _ranges("energies", energies):
        slack_low, slack_high = ROUNDING * low, ROUNDING * high
        if whole:
            inside |= (lower >= low - slack_low) & (upper <= high + slack_high)
        else:
            inside |= (upper > low + slack_low) & (lower < high - slack_high)
    return inside


def _ranges(name: str, ranges: Ranges | None) -> np.ndarray:
    if ranges is None:
        return np.zeros((0, 2))
    try:
        array = np.atleast_2d(np.asarray(ranges, float))
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.ndim != 2 or array.shape[1] != 2 or np.any(~(array[:, 0] <= array[:, 1])):
        raise InvalidSpectrum(name, [f"expected (low, high) or a list of them with low <= high, found {ranges!r}"])
    return array


def by_ranges(response: Response, ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Numbers of the bins where every range of channel numbers is one, and every other channel its own."""
    groups, taken, problems = np.arange(response.n_channels), np.zeros(response.n_channels, bool), []
    for first, last in _ranges("grouped", ranges):
        inside = chosen(response, None, (first, last), whole=True)
        if not np.any(inside):
            problems.append(f"no channel is in the range {first:g} to {last:g}")
        elif np.any(taken & inside):
            problems.append(f"the range {first:g} to {last:g} overlaps with one before it")
        else:
            groups[inside] = np.flatnonzero(inside)[0]
        taken |= inside
    if problems:
        raise InvalidSpectrum("grouped", problems)
    return groups


def by_counts(noticed: np.ndarray, columns: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """Numbers of the bins where each has at least so many counts of every column, `(counts, least)`."""
    groups = np.arange(noticed.size)
    for run in _runs(noticed):
        start, sums, last_start = run[0], np.zeros(len(columns)), None
        for channel in run:
            sums += [counts[channel] for counts, _ in columns]
            groups[channel] = start
            if all(total >= least for total, (_, least) in zip(sums, columns, strict=True)):
                start, sums, last_start = channel + 1, np.zeros(len(columns)), start
        if start <= run[-1] and last_start is not None:
            groups[start : run[-1] + 1] = last_start
    return groups


def _runs(noticed: np.ndarray) -> list[np.ndarray]:
    """Channels that follow each other without a gap."""
    places = np.flatnonzero(noticed)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if run.size]
