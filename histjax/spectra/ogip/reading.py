"""`read_ogip`: a spectrum with its response and background from OGIP files."""

import os
import warnings
from collections.abc import Callable

import numpy as np

from histjax.counting import gstat, pgstat, pstat
from histjax.errors import DocumentWarning, InvalidSpectrum
from histjax.spectra.ogip.responses import response_of
from histjax.spectra.ogip.spectra import Measured, groups_of, measured
from histjax.spectra.response import Response
from histjax.spectra.spectrum import Background, Spectrum

File = str | os.PathLike


def read_response(rmf: File, arf: File | None = None) -> Response:
    """A response from an RMF file, or one that contains the effective area (RSP), and an ARF file.

    **Raises:** `InvalidSpectrum` for a file that cannot be read or makes no sense, `MissingExtra` without astropy.
    """
    return response_of(rmf, arf)


def read_ogip(
    pha: File,
    rmf: File | None = None,
    arf: File | None = None,
    background: File | None = None,
    *,
    statistic: Callable | None = None,
) -> Spectrum:
    """A spectrum from a PHA file of type I.

    **Arguments:**

    - `pha`: the file of the spectrum.
    - `rmf`, `arf`, `background`: files of response, effective area and background; by default those that the keywords
      RESPFILE, ANCRFILE and BACKFILE name, beside `pha`.
    - `statistic`: as for `Spectrum`; by default `ppstat` where background counts are Poisson numbers (POISSERR), and
      `pgstat` where they have errors. Errors are those of STAT_ERR, with SYS_ERR of the counts added in quadrature.
      With `pstat` BACKFILE is not read.

    Channels with QUALITY other than 0 are ignored, and GROUPING is followed. Source counts are exposed EXPOSURE *
    AREASCAL, and the background region is AREASCAL BACKSCAL / BACKSCAL(source) times as large.

    **Raises:** `InvalidSpectrum` for a file that cannot be read or makes no sense; `MissingExtra` without astropy.
    **Warns:** `DocumentWarning` of what is in the files and is not used.
    """
    source = measured(pha)
    rmf = rmf or source.file("RESPFILE")
    arf = arf or source.file("ANCRFILE")
    if background is None and statistic is not pstat:
        background = source.file("BACKFILE")
    if rmf is None:
        raise InvalidSpectrum(str(source.table), ["no response: RESPFILE names none; give rmf=..."])
    response = response_of(rmf, arf)
    _check(source, response, statistic)
    off = None if background is None else measured(background)
    found = None if off is None else _background(source, off, statistic)
    good = source.quality == 0
    if not np.any(good):
        raise InvalidSpectrum(str(source.table), ["every channel is flagged by QUALITY; give one quality 0"])
    return Spectrum(
        source.counts,
        source.exposure * source.area_scale,
        response,
        found,
        statistic,
        _errors(source) if statistic is gstat else None,
        good,
        groups_of(source),
    )


def _check(source: Measured, response: Response, statistic: Callable | None) -> None:
    """That spectrum and response belong together; doubts are warned of."""
    n = source.counts.size
    if n != response.n_channels:
        raise InvalidSpectrum(str(source.table), [f"it has {n} channels, the response {response.n_channels}"])
    doubts = []
    if source.first_channel != response.first_channel:
        doubts.append(f"channels start at {source.first_channel}, those of the response at {response.first_channel}")
    if source.file("CORRFILE") is not None:
        doubts.append("the correction file (CORRFILE) is not used")
    if statistic is not gstat:
        if source.table.text("HDUCLAS2").upper() == "NET":
            message = "a background was subtracted (HDUCLAS2 = NET), so that counts are no Poisson numbers: use gstat"
            raise InvalidSpectrum(str(source.table), [message])
        if np.any(source.systematic):
            doubts.append("systematic errors (SYS_ERR) are used with gstat only")
    for doubt in doubts:
        warnings.warn(f"{source.table}: {doubt}", DocumentWarning, stacklevel=4)


def _background(source: Measured, off: Measured, statistic: Callable | None) -> Background:
    if off.counts.size != source.counts.size:
        message = f"it has {off.counts.size} channels, the spectrum {source.counts.size}"
        raise InvalidSpectrum(str(off.table), [message])
    if np.any(source.back_scale <= 0):
        raise InvalidSpectrum(str(source.table), ["BACKSCAL must be positive where there is a background"])
    needs_errors = statistic in (gstat, pgstat) or (statistic is None and off.errors is not None)
    sigma = _errors(off) if needs_errors else None
    return Background(off.counts, off.exposure, off.area_scale * off.back_scale / source.back_scale, sigma)


def _errors(spectrum: Measured) -> np.ndarray:
    """Statistical and systematic errors of the counts."""
    if spectrum.errors is None:
        message = "counts are Poisson numbers, without errors (STAT_ERR, POISSERR): use ppstat or pstat"
        raise InvalidSpectrum(str(spectrum.table), [message])
    return np.hypot(spectrum.errors, spectrum.systematic * spectrum.counts)
