"""A counting spectrum: counts per channel, how long was counted, what is known of the background, and the response."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from histjax.counting import gstat, pgstat, ppstat, pstat
from histjax.errors import InvalidSpectrum
from histjax.spectra.binning import Bins, binned
from histjax.spectra.checking import Problems, constant
from histjax.spectra.response import Response
from histjax.spectra.selection import Ranges, by_counts, by_ranges, chosen

STATISTICS = gstat, pstat, ppstat, pgstat


@dataclass(frozen=True, eq=False)
class Background:
    """A background measurement.

    **Fields:**

    - `counts`: `(channels,)`.
    - `exposure`: in seconds, a number or `(channels,)`.
    - `scale`: how much larger its region is than that of the source, with every factor of area and efficiency: a number
      or `(channels,)`. A background rate of b in the region of the source gives `exposure * scale * b` counts here.
    - `sigma`: standard deviations of the counts, `(channels,)`, where they come from a fit or a subtraction; `None`
      where they were counted.
    """

    counts: np.ndarray
    exposure: np.ndarray
    scale: np.ndarray = 1.0
    sigma: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Counts in the channels of a response.

    **Fields:**

    - `counts`: `(channels,)`, real numbers.
    - `exposure`: in seconds, a number or `(channels,)`.
    - `response`: the `Response`.
    - `background`: a `Background`, or `None`.
    - `statistic`: a function of `histjax.counting`; by default `pstat` without background, `ppstat` with one that was
      counted, `pgstat` with one that has a `sigma`.
    - `sigma`: standard deviations of the counts, for `gstat` only.
    - `noticed_channels`: which channels are fitted, `(channels,)`; all by default. See `noticed` and `ignored`.
    - `groups`: number of the bin that each channel belongs to, `(channels,)`; by default its own. See `grouped`.

    **Raises:** `InvalidSpectrum` with all problems.

    >>> response = Response.diagonal([1.0, 2.0, 4.0, 8.0])
    >>> spectrum = Spectrum([12, 0, 7], 10.0, response, Background([40, 5, 0], 10.0, scale=5.0))
    >>> print(spectrum)
    Spectrum(3 of 3 channels in 3 bins, 19 counts in 10 s, ppstat)
    >>> print(spectrum.ignored(energies=(4.0, 8.0)).grouped(min_counts=10))
    Spectrum(2 of 3 channels in 1 bins, 12 counts in 10 s, ppstat)
    """

    counts: np.ndarray
    exposure: np.ndarray
    response: Response
    background: Background | None = None
    statistic: Callable | None = None
    sigma: np.ndarray | None = None
    noticed_channels: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __post_init__(self):
        problems, n = Problems("spectrum"), self.response.n_channels
        statistic = _statistic(self.statistic, self.background)
        arrays = dict(
            counts=problems.array("counts", self.counts, (n,), positive="" if statistic is gstat else ">= 0"),
            exposure=problems.per_channel("exposure", self.exposure, n, positive=">= 0"),
            background=None if self.background is None else _checked(problems, self.background, n, statistic),
            statistic=statistic,
            sigma=None if self.sigma is None else problems.array("sigma", self.sigma, (n,), positive=">= 0"),
            noticed_channels=_numbers(problems, "noticed_channels", self.noticed_channels, np.ones(n, bool)),
            groups=_numbers(problems, "groups", self.groups, np.arange(n)),
        )
        _check_statistic(problems, self, statistic)
        problems.raise_any()
        for name, value in arrays.items():
            object.__setattr__(self, name, value)

    # --- which channels ----------------------------------------------------------------------------------------------

    @property
    def channel_numbers(self) -> np.ndarray:
        """Numbers of the channels as the instrument counts them."""
        return self.response.first_channel + np.arange(self.response.n_channels)

    def noticed(self, *, energies: Ranges | None = None, channels: Ranges | None = None) -> "Spectrum":
        """Only the channels in the ranges, of those that were noticed before; without ranges all channels again.

        **Arguments:** `energies` in keV, or `channels` by number, as one range or a list of them, `(low, high)` with
        both ends. A channel is in a range of energies if all of it is.

        **Raises:** `InvalidSpectrum` where nothing is left, and for energies where those of channels are not known.
        """
        if energies is None and channels is None:
            return replace(self, noticed_channels=None)
        inside = chosen(self.response, energies, channels, whole=True)
        return self._left(self.noticed_channels & inside, "noticed")

    def ignored(self, *, energies: Ranges | None = None, channels: Ranges | None = None) -> "Spectrum":
        """Without the channels in the ranges, given as for `noticed`; a channel goes if any of it is in one."""
        if energies is None and channels is None:
            raise InvalidSpectrum("ignored", ["nothing to ignore: give energies=(low, high) or channels=(first, last)"])
        inside = chosen(self.response, energies, channels, whole=False)
        return self._left(self.noticed_channels & ~inside, "ignored")

    def _left(self, noticed: np.ndarray, what: str) -> "Spectrum":
        if not np.any(noticed):
            raise InvalidSpectrum(what, ["no channel would be left; what was noticed before stays as it is"])
        return replace(self, noticed_channels=noticed)

    def grouped(
        self,
        ranges: Sequence[tuple[int, int]] | None = None,
        *,
        min_counts: float = 0,
        min_background_counts: float = 0,
    ) -> "Spectrum":
        """The channels grouped to bins anew, those that are not noticed left out.

        **Arguments:** `ranges` of channel numbers, `(first, last)` with both ends, each a bin; channels in none stay as
        they are. Or the least counts of a bin, source and background: channels are taken in order until a bin has
        enough, and what is left at the end of a run of noticed channels joins the last bin of it.

        Grouping by observed counts is a choice made with the data: the statistic of sparse bins is not improved by it.

        **Raises:** `InvalidSpectrum` for overlapping or empty ranges, and where neither or both ways are asked for.
        """
        if (ranges is None) == (min_counts <= 0 and min_background_counts <= 0):
            raise InvalidSpectrum("grouped", ["give either ranges of channels, or min_counts or min_background_counts"])
        if ranges is not None:
            return replace(self, groups=by_ranges(self.response, ranges))
        if min_background_counts > 0 and self.background is None:
            raise InvalidSpectrum("grouped", ["min_background_counts needs a background, and there is none"])
        columns = [(self.counts, min_counts)]
        if self.background is not None:
            columns.append((self.background.counts, min_background_counts))
        return replace(self, groups=by_counts(self.noticed_channels, columns))

    def bins(self) -> Bins:
        """What a likelihood needs: noticed channels, grouped.

        **Raises:** `InvalidSpectrum` where channels with different exposures are in one bin.
        """
        return binned(self)

    def __repr__(self) -> str:
        kept = self.noticed_channels
        return (
            f"Spectrum({kept.sum()} of {kept.size} channels in {np.unique(self.groups[kept]).size} bins, "
            f"{self.counts[kept].sum():.10g} counts in {np.max(self.exposure):g} s, {self.statistic.__name__})"
        )


def _statistic(statistic, background: Background | None) -> Callable:
    if statistic is not None:
        return statistic
    if background is None:
        return pstat
    return ppstat if background.sigma is None else pgstat


def _checked(problems: Problems, background: Background, n: int, statistic) -> Background | None:
    """The background with arrays for all channels."""
    if not isinstance(background, Background):
        problems.add(True, f"the background must be a Background, found {type(background).__name__}")
        return None
    sign = ">= 0" if statistic is ppstat else ""
    sigma = background.sigma
    return Background(
        problems.array("background counts", background.counts, (n,), positive=sign),
        problems.per_channel("background exposure", background.exposure, n, positive=">= 0"),
        problems.per_channel("background scale", background.scale, n, positive="> 0"),
        None if sigma is None else problems.array("background sigma", sigma, (n,), positive=">= 0"),
    )


def _numbers(problems: Problems, name: str, value, default: np.ndarray) -> np.ndarray | None:
    """Flags or whole numbers, one for each channel."""
    array = default if value is None else np.asarray(value)
    if array.shape != default.shape or array.dtype.kind not in ("b" if default.dtype.kind == "b" else "iu"):
        kind = "flags" if default.dtype.kind == "b" else "whole numbers"
        problems.add(True, f"{name} must be {default.size} {kind}, found shape {array.shape} of {array.dtype}")
        return None
    return constant(array)


def _check_statistic(problems: Problems, spectrum: Spectrum, statistic) -> None:
    """That what the statistic needs is there, and that nothing is there that it would ignore."""
    known = ", ".join(each.__name__ for each in STATISTICS)
    if statistic not in STATISTICS:
        problems.add(True, f"the statistic must be one of histjax.counting ({known}), found {statistic!r}")
        return
    name, background = statistic.__name__, spectrum.background
    errors = background is not None and background.sigma is not None
    problems.add(statistic is pstat and background is not None, f"{name} knows no background: leave it out")
    problems.add(statistic in (ppstat, pgstat) and background is None, f"{name} needs a background, and there is none")
    problems.add(statistic is ppstat and errors, "ppstat is for a background that was counted: leave out its sigma")
    needs_errors = background is not None and statistic in (pgstat, gstat) and not errors
    problems.add(needs_errors, f"{name} needs the sigma of the background counts")
    problems.add(statistic is gstat and spectrum.sigma is None, "gstat needs the sigma of the counts")
    problems.add(statistic is not gstat and spectrum.sigma is not None, f"{name} makes no use of sigma: leave it out")
