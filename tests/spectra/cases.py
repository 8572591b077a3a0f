"""Spectra for the tests."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

import histjax
from histjax import counting
from histjax.spectra import Background, Response, SpectralModel, Spectrum

# reference of the statistics: counts, background counts, source rates and exposures of bayspec's published test
COUNTS, OFF = np.array([12.0, 0.0, 7.0, 30.0, 3.0]), np.array([40.0, 5.0, 0.0, 90.0, 20.0])
RATES = np.array([0.8, 0.05, 0.6, 1.9, 0.01])
EXPOSURE, OFF_EXPOSURE = 10.0, 50.0


def steps(rates: np.ndarray):
    """A model that is `scale` times these numbers in the energy bins [0, 1], [1, 2], ... keV."""

    def function(energy, scale):
        return scale * jnp.asarray(rates)[jnp.floor(energy).astype(int)]

    return SpectralModel(function, {"scale": histjax.NewParameter(1.0, (0.0, 10.0))})


def counting_spectrum(statistic, chosen=slice(None)) -> tuple[Spectrum, SpectralModel]:
    """The reference counts behind an ideal instrument, and the model that predicts the reference rates."""
    on, off = COUNTS[chosen], OFF[chosen]
    root, off_root = (np.sqrt(np.maximum(each, 1.0)) for each in (on, off))
    background = {
        counting.pstat: None,
        counting.ppstat: Background(off, 10.0, OFF_EXPOSURE / 10.0),
        counting.pgstat: Background(off, OFF_EXPOSURE, sigma=off_root),
        counting.gstat: Background(off, OFF_EXPOSURE, sigma=off_root),
    }[statistic]
    sigma = root if statistic is counting.gstat else None
    response = Response.diagonal(np.arange(on.size + 1.0))
    return Spectrum(on, EXPOSURE, response, background, statistic, sigma), steps(RATES[chosen])


def smeared(n_energies: int, n_channels: int, area: float, low: float = 10.0, high: float = 1000.0) -> Response:
    """A response with Gaussian resolution of 15 % and one photon in five in a flat tail below its energy."""
    energies, channels = np.geomspace(low, high, n_energies + 1), np.geomspace(low, high, n_channels + 1)
    centre = np.sqrt(energies[:-1] * energies[1:])[:, None]
    below = special.ndtr((channels - centre) / (0.15 * centre))
    peak = np.diff(below, axis=1)
    tail = np.diff(np.minimum(channels, centre) / centre, axis=1)
    return Response(energies, 0.8 * peak + 0.2 * tail, np.full(n_energies, area), channels)


def power_law_model(norm: float = 0.01, index: float = 1.7) -> SpectralModel:
    """A power law around 100 keV."""
    parameters = {"norm": histjax.NewParameter(norm, (0.0, 10.0)), "index": histjax.NewParameter(index, (-2.0, 6.0))}
    return SpectralModel(hundred, parameters)


def hundred(energy, norm, index):
    """A power law with its norm at 100 keV."""
    return histjax.spectra.power_law(energy, norm, index, pivot=100.0)


def joint_spectra(n_energies: int = 12, n_channels: int = 8) -> dict[str, Spectrum]:
    """Two instruments, simulated with an index of 1.7 and norms of 0.01 and 0.012."""
    made = {}
    for number, (name, area, norm) in enumerate((("a", 100.0, 0.01), ("b", 40.0, 0.012))):
        response = smeared(n_energies, n_channels, area)
        empty = Background(np.zeros(n_channels), 10.0, 4.0)
        template = Spectrum(np.zeros(n_channels), 10.0, response, empty)
        background = 20.0 * np.linspace(1.5, 0.5, n_channels) / n_channels
        key = jax.random.key(number + 10)
        made[name] = histjax.spectra.simulate(
            key, template, power_law_model(), {"norm": norm}, background_rate=background
        )
    return made


def files_in(folder: Path) -> Path:
    """The file of the spectrum of `tests.spectra.files`, with those that it names."""
    from astropy.io import fits

    from tests.spectra import files

    return files.write_all(fits, folder)["pha"]
