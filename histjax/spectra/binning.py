"""A spectrum as the bins of a likelihood: channels that belong together added up, the others left out."""

from typing import NamedTuple

import numpy as np

from histjax.errors import InvalidSpectrum

SAME = 1e-9
"""Relative difference of the exposures of one bin that is none."""


class Bins(NamedTuple):
    """Arrays of a spectrum, `(bins,)`; `matrix` is the response in cm², `(energies, bins)`, and `channels` the energies
    of the bins, `(bins, 2)`, NaN where they are not known. Without background, its counts and exposure are 0; without
    errors, the sigmas are.
    """

    counts: np.ndarray
    exposure: np.ndarray
    sigma: np.ndarray
    off: np.ndarray
    off_exposure: np.ndarray
    off_sigma: np.ndarray
    matrix: np.ndarray
    channels: np.ndarray


def binned(spectrum) -> Bins:
    """The bins of a `Spectrum`, in the order of their first channels.

    Counts are added, errors in quadrature. Rates of one bin add up as they are because its exposures are the same, so
    that the background of a bin is profiled as that of a channel is.
    """
    kept = spectrum.noticed_channels
    first, member = np.unique(spectrum.groups[kept], return_inverse=True)
    sums = np.zeros((first.size, kept.size))
    sums[member, np.flatnonzero(kept)] = 1.0
    background, zero = spectrum.background, np.zeros(kept.size)
    off = zero if background is None else background.counts
    off_exposure = zero if background is None else background.exposure * background.scale
    off_sigma = zero if background is None or background.sigma is None else background.sigma
    sigma = zero if spectrum.sigma is None else spectrum.sigma
    return Bins(
        counts=sums @ spectrum.counts,
        exposure=_common("exposure", sums, spectrum.exposure, spectrum),
        sigma=np.sqrt(sums @ sigma**2),
        off=sums @ off,
        off_exposure=_common("background exposure", sums, off_exposure, spectrum),
        off_sigma=np.sqrt(sums @ off_sigma**2),
        matrix=spectrum.response.drm @ sums.T,
        channels=_energies(spectrum.response.channels, sums),
    )


def _common(name: str, sums: np.ndarray, values: np.ndarray, spectrum) -> np.ndarray:
    """The value that all channels of each bin have."""
    common = np.array([values[row > 0][0] for row in sums])
    apart = np.abs(values - common @ sums) * sums.sum(axis=0) > SAME * np.abs(values)
    if np.any(apart):
        channel = int(np.flatnonzero(apart)[0])
        raise InvalidSpectrum(
            "bins",
            [
                f"channel {spectrum.channel_numbers[channel]} has another {name} ({values[channel]:g}) than the "
                f"channels that it is grouped with ({(common @ sums)[channel]:g}): group channels of equal exposure"
            ],
        )
    return common


def _energies(channels: np.ndarray | None, sums: np.ndarray) -> np.ndarray:
    if channels is None:
        return np.full((len(sums), 2), np.nan)
    return np.array([[channels[row > 0, 0].min(), channels[row > 0, 1].max()] for row in sums])
