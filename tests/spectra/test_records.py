"""Responses, spectra and models: what is refused, and which channels are chosen and grouped."""

import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import counting, spectra
from histjax.errors import InvalidModel, InvalidSpectrum
from histjax.spectra import Background, Response, SpectralModel, Spectrum


def refused(message: str, make, *arguments, **settings):
    """The record cannot be made, and the message says why."""
    with pytest.raises(InvalidSpectrum, match=message) as found:
        make(*arguments, **settings)
    return found.value.problems


def test_responses():
    matrix = np.ones((2, 3))
    refused(r"matrix has shape \(2, 3\), expected \(3, n\)", Response, [1, 2, 3, 4], matrix)
    refused(r"energies must have lower ends below upper ones, found 3 to 2 at \[1\]", Response, [1, 3, 2], matrix)
    refused("two edges or more, found 1", Response, [1.0], matrix)
    refused(r"matrix must be finite numbers >= 0, found -1 at \[0, 1\]", Response, [1, 2, 3], [[0, -1, 0], [0, 0, 0]])
    refused("area must be numbers, found 'large'", Response, [1, 2, 3], matrix, "large")
    refused("there are 2 channels, the matrix has 3 columns", Response, [1, 2, 3], matrix, None, [1, 2, 3])
    problems = refused("response", Response, [1, 2, 3], -matrix, [1.0])
    assert len(problems) == 2  # all of them
    pairs = Response([[1.0, 2.0], [2.0, 3.0]], matrix)
    np.testing.assert_array_equal(pairs.energies, Response([1.0, 2.0, 3.0], matrix).energies)
    with pytest.raises(ValueError, match="read-only"):
        pairs.matrix[0, 0] = 2.0
    np.testing.assert_array_equal(pairs.with_area([2.0, 3.0]).drm, [[2.0] * 3, [3.0] * 3])


def test_spectra():
    response, counts, off = Response.diagonal([1.0, 2.0, 3.0]), [3.0, 4.0], Background([5.0, 6.0], 10.0)
    errors = Background([5.0, 6.0], 10.0, sigma=[2.0, 2.0])
    refused(r"counts has shape \(3,\), expected \(2,\)", Spectrum, [1, 2, 3], 1.0, response)
    refused("counts must be finite numbers >= 0, found -1", Spectrum, [1, -1], 1.0, response)
    refused("exposure must be finite numbers >= 0", Spectrum, counts, -1.0, response)
    refused(
        "background scale must be finite numbers > 0", Spectrum, counts, 1.0, response, Background(counts, 1.0, 0.0)
    )
    refused("found 'cstat'", Spectrum, counts, 1.0, response, None, "cstat")
    refused("pstat knows no background", Spectrum, counts, 1.0, response, off, counting.pstat)
    refused("ppstat needs a background", Spectrum, counts, 1.0, response, None, counting.ppstat)
    refused("leave out its sigma", Spectrum, counts, 1.0, response, errors, counting.ppstat)
    refused("pgstat needs the sigma", Spectrum, counts, 1.0, response, off, counting.pgstat)
    refused("gstat needs the sigma of the counts", Spectrum, counts, 1.0, response, errors, counting.gstat)
    refused("pstat makes no use of sigma", Spectrum, counts, 1.0, response, sigma=counts)
    refused("noticed_channels must be 2 flags", Spectrum, counts, 1.0, response, noticed_channels=[1, 0])
    assert Spectrum(counts, 1.0, response).statistic is counting.pstat
    assert Spectrum(counts, 1.0, response, off).statistic is counting.ppstat
    assert Spectrum(counts, 1.0, response, errors).statistic is counting.pgstat


@pytest.fixture
def ten():
    """Channels 0 to 9 of 1 keV from 10 keV on, with as many counts as their number."""
    edges = np.arange(10.0, 21.0)
    response = Response(edges, np.eye(10), None, edges, first_channel=0)
    return Spectrum(np.arange(10.0), 1.0, response, Background(np.full(10, 2.0), 1.0))


def test_noticed_and_ignored(ten):
    """Numbers and energies, both ends included; a channel that sticks out of a range is left out both times."""

    def numbers(spectrum):
        return list(spectrum.channel_numbers[spectrum.noticed_channels])

    assert numbers(ten.noticed(channels=(2, 4))) == [2, 3, 4]
    assert numbers(ten.noticed(energies=(12.0, 15.0))) == [2, 3, 4]
    assert numbers(ten.noticed(energies=(12.5, 15.5))) == [3, 4]
    assert numbers(ten.noticed(energies=(12.00000001, 15.0))) == [2, 3, 4]  # single precision
    assert numbers(ten.ignored(energies=(12.5, 15.5))) == [0, 1, 6, 7, 8, 9]
    assert numbers(ten.ignored(energies=(12.0, 15.0))) == [0, 1, 5, 6, 7, 8, 9]
    assert numbers(ten.noticed(channels=[(0, 1), (8, 20)])) == [0, 1, 8, 9]
    assert numbers(ten.noticed(channels=(2, 6)).ignored(channels=(4, 4))) == [2, 3, 5, 6]
    assert numbers(ten.ignored(channels=(2, 6)).noticed()) == list(range(10))
    refused("no channel would be left", ten.noticed, energies=(30.0, 40.0))
    refused("nothing to ignore", ten.ignored)
    refused(r"expected \(low, high\)", ten.noticed, channels=(4, 2))
    blind = Spectrum([1.0], 1.0, Response([1.0, 2.0], [[1.0]]))
    refused("does not say which energies its channels have", blind.noticed, energies=(1.0, 2.0))


def test_grouped(ten):
    """By ranges, and by least counts; a run of noticed channels keeps what is left in its last bin."""

    def counts(spectrum):
        return spectrum.bins().counts.tolist()

    assert counts(ten.grouped([(0, 3), (5, 9)])) == [6, 4, 35]
    assert counts(ten.grouped(min_counts=6)) == [6, 9, 6, 7, 8, 9]
    assert counts(ten.grouped(min_counts=20)) == [21, 24]
    assert counts(ten.ignored(channels=(3, 5)).grouped(min_counts=13)) == [3, 13, 17]
    assert ten.grouped(min_counts=3, min_background_counts=6).bins().off.tolist() == [6, 6, 8]
    # the order does not matter to ranges
    first, second = (ten.grouped([(0, 3)]).ignored(channels=(1, 1)), ten.ignored(channels=(1, 1)).grouped([(0, 3)]))
    assert counts(first) == counts(second) == [5, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(first.bins().channels[0], [10.0, 14.0])
    refused("overlaps with one before it", ten.grouped, [(0, 3), (3, 4)])
    refused("no channel is in the range 20 to 30", ten.grouped, [(20, 30)])
    refused("give either ranges", ten.grouped)


def test_errors_add_in_quadrature():
    """And channels of one bin have one exposure, or it is refused."""
    response = Response.diagonal([1.0, 2.0, 3.0], first_channel=5)
    background = Background([1.0, 2.0], [2.0, 2.0], 3.0, [3.0, 4.0])
    bins = Spectrum([5.0, 6.0], 2.0, response, background).grouped([(5, 6)]).bins()
    assert (bins.off_sigma.item(), bins.off_exposure.item(), bins.off.item()) == (5.0, 6.0, 3.0)
    uneven = Spectrum([5.0, 6.0], [1.0, 2.0], response)
    assert uneven.bins().exposure.tolist() == [1.0, 2.0]
    refused(r"channel 6 has another exposure \(2\)", uneven.grouped([(5, 6)]).bins)


def test_models():
    new = histjax.NewParameter
    refused("must be callable", SpectralModel, 3.0, {"norm": 1.0})
    refused("no argument 'slope' after the energy; it has: norm, index, pivot", SpectralModel, spectra.power_law, {
        "norm": 1.0, "index": 1.0, "slope": 2.0
    })  # fmt: skip
    refused("the function needs 'index'", SpectralModel, spectra.power_law, {"norm": 1.0})
    refused("starts at 3, outside of its bounds", SpectralModel, spectra.power_law, {
        "norm": new(3.0, (0.0, 1.0)), "index": 1.0
    })  # fmt: skip
    refused("must be a histjax.NewParameter or a number", SpectralModel, spectra.power_law, {"norm": "1", "index": 1.0})
    refused("has a dot in its name", SpectralModel, lambda energy, **values: energy, {"a.b": 1.0})
    refused("at least one parameter", SpectralModel, lambda energy: energy, {})


def test_compile_needs_pairs(ten):
    model = SpectralModel(spectra.power_law, {"norm": 1.0, "index": 1.0})
    refused(r"'a' must be a pair \(Spectrum, SpectralModel\)", spectra.compile, {"a": (model, ten)})
    refused("there are none", spectra.compile, {})
    refused("has a dot in its name", spectra.compile, {"a.b": (ten, model)})
    with pytest.raises(histjax.errors.UnknownName, match=r"'a\.flux'"):
        spectra.compile({"a": (ten, model)}, poi="a.flux")
    with pytest.raises(InvalidModel, match="have 3 values for spectrum 'a', the model has 10"):
        spectra.compile({"a": (ten, model)}).ravel_data(histjax.Data({"a": jnp.zeros(3)}, {"a": jnp.zeros(10)}))
