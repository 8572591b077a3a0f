"""OGIP files, written with astropy by the memos: what is read, and what is said of bad ones."""

import sys

import numpy as np
import pytest

from histjax import counting
from histjax.errors import DocumentWarning, InvalidSpectrum, MissingExtra
from histjax.spectra import read_ogip, read_response
from tests.spectra import files

fits = pytest.importorskip("astropy.io.fits")

# the DRM that bayspec 0.3.13 makes of the same files: Redistribution.from_rmf(...) * Auxiliary.from_arf(...)
BAYSPEC_DRM = [
    [37.5, 6.25, 0.0, 0.0],
    [15.0, 37.5, 0.0, 0.0],
    [8.75, 35.0, 17.5, 0.0],
    [10.0, 0.0, 40.0, 20.0],
    [0.0, 11.25, 22.5, 45.0],
    [0.0, 0.0, 0.0, 0.0],
]


@pytest.mark.parametrize("first", [0, 1])
def test_a_spectrum_and_the_files_that_it_names(tmp_path, first):
    """Counts, exposures, flags and response; the background region is 4 times as large, and twice as long exposed."""
    spectrum = read_ogip(files.write_all(fits, tmp_path, first)["pha"])
    assert spectrum.statistic is counting.ppstat
    np.testing.assert_array_equal(spectrum.counts, files.COUNTS)
    np.testing.assert_array_equal(spectrum.background.counts, files.OFF)
    np.testing.assert_array_equal(spectrum.exposure, 10.0)
    np.testing.assert_array_equal(spectrum.background.exposure * spectrum.background.scale, 80.0)
    np.testing.assert_allclose(spectrum.response.drm, BAYSPEC_DRM, rtol=1e-14)
    np.testing.assert_allclose(spectrum.response.energies[:, 0], files.ENERGIES[:-1], rtol=1e-7)
    np.testing.assert_array_equal(spectrum.response.channels[:, 1], files.CHANNELS[1:])
    assert list(spectrum.channel_numbers) == [first, first + 1, first + 2, first + 3]
    # the fourth channel has quality 2, the second continues the first
    bins = spectrum.bins()
    np.testing.assert_array_equal(bins.counts, [44, 22])
    np.testing.assert_array_equal(bins.off, [76, 20])
    np.testing.assert_array_equal(bins.channels, [[5, 25], [25, 50]])


@pytest.mark.parametrize("variable", [True, False])
@pytest.mark.parametrize(("first", "minimum"), [(0, True), (1, True), (1, False)])
def test_forms_of_a_matrix(tmp_path, variable, first, minimum):
    """Arrays of variable and of fixed length; the first channel by TLMIN, by default 1."""
    table = files.matrix_table(
        fits, files.matrix(64.0), first, variable=variable, minimum=minimum, name="SPECRESP MATRIX"
    )
    path = files.write(fits, tmp_path / "a.rsp", table, files.bounds_table(fits, first))
    np.testing.assert_array_equal(read_response(path).drm, files.matrix(64.0))


def test_one_group_in_each_row(tmp_path):
    """F_CHAN and N_CHAN are plain numbers where no row has a gap."""
    dense = np.delete(files.matrix(), 3, axis=0)
    edges = np.delete(files.ENERGIES, 6)
    columns = [
        ("ENERG_LO", "E", 1e3 * edges[:-1], "eV"),
        ("ENERG_HI", "E", 1e3 * edges[1:], "eV"),
        ("N_GRP", "I", [1, 1, 1, 1, 0]),
        ("F_CHAN", "I", [1, 1, 1, 2, 1]),
        ("N_CHAN", "I", [2, 2, 3, 3, 0]),
        ("MATRIX", "3E", [[0.75, 0.125, 0], [0.25, 0.625, 0], [0.125, 0.5, 0.25], [0.125, 0.25, 0.5], [9, 9, 9]]),
    ]
    path = files.write(fits, tmp_path / "a.rmf", files.table(fits, "MATRIX", columns), files.bounds_table(fits, 1))
    response = read_response(path)
    np.testing.assert_array_equal(response.matrix, dense)
    np.testing.assert_allclose(response.energies[:, 1], edges[1:], rtol=1e-6)


def test_rates_errors_and_scales_of_channels(tmp_path):
    """RATE times exposure; a background with errors is Gaussian; AREASCAL and BACKSCAL for each channel."""
    made = files.write_all(fits, tmp_path)
    rate, error = ("RATE", "E", files.OFF / 20.0), ("STAT_ERR", "E", np.array([0.5, 0.25, 0.25, 0.125]))
    scale = ("AREASCAL", "E", np.array([1.0, 1.0, 0.5, 1.0]))
    background = files.spectrum_table(fits, files.OFF, columns=[rate, error], POISSERR=False, EXPOSURE=20.0)
    background.columns.del_col("COUNTS")
    files.write(fits, made["bak"], background)
    files.write(fits, made["pha"], files.spectrum_table(fits, files.COUNTS, columns=[scale], BACKSCAL=2.0))
    spectrum = read_ogip(made["pha"], made["rmf"], made["arf"], made["bak"])
    assert spectrum.statistic is counting.pgstat
    np.testing.assert_allclose(spectrum.background.counts, files.OFF, rtol=1e-6)
    np.testing.assert_array_equal(spectrum.background.sigma, [10.0, 5.0, 5.0, 2.5])
    np.testing.assert_array_equal(spectrum.background.scale, 0.5)
    np.testing.assert_array_equal(spectrum.exposure, [10.0, 10.0, 5.0, 10.0])


def test_gaussian_counts(tmp_path):
    """Of a spectrum that a background was subtracted from, errors are taken with the systematic ones."""
    made = files.write_all(fits, tmp_path)
    columns = [("STAT_ERR", "E", np.array([3.0, 4.0, 5.0, 3.0])), ("SYS_ERR", "E", np.array([0.0, 0.1, 0.0, 0.0]))]
    files.write(
        fits, made["pha"], files.spectrum_table(fits, files.COUNTS, columns=columns, POISSERR=False, HDUCLAS2="NET")
    )
    with pytest.raises(InvalidSpectrum, match="use gstat"):
        read_ogip(made["pha"], made["rmf"])
    spectrum = read_ogip(made["pha"], made["rmf"], statistic=counting.gstat)
    np.testing.assert_allclose(spectrum.sigma, [3.0, 5.0, 5.0, 3.0], rtol=1e-7)
    with pytest.raises(InvalidSpectrum, match="Poisson numbers, without errors"):
        read_ogip(made["bak"], made["rmf"], statistic=counting.gstat)


def test_doubts_are_warned_of(tmp_path):
    """Channels that are numbered otherwise, and an area that the matrix already has."""
    made = files.write_all(fits, tmp_path)
    table = files.matrix_table(fits, files.matrix(), 1)
    table.header["HDUCLAS3"] = "FULL"
    files.write(fits, made["rmf"], table, files.bounds_table(fits, 1))
    with pytest.warns(DocumentWarning, match="contains the effective area"):
        read_response(made["rmf"], made["arf"])
    files.write(fits, made["pha"], files.spectrum_table(fits, files.COUNTS, 0))
    with pytest.warns(DocumentWarning, match="channels start at 0, those of the response at 1"):
        read_ogip(made["pha"], made["rmf"])


def _column(name: str, value):
    def change(made):
        with fits.open(made["pha"], mode="update") as file:
            file["SPECTRUM"].data[name][1] = value

    return change


def _keyword(file: str, extension: str, name: str, value):
    def change(made):
        with fits.open(made[file], mode="update") as opened:
            opened[extension].header[name] = value

    return change


def _written(file: str, *make):
    def change(made):
        files.write(fits, made[file], *(each() for each in make))

    return change


BAD = {
    "no such file": (lambda made: made["rmf"].unlink(), "there is no such file"),
    "text": (lambda made: made["pha"].write_text("counts 1 2 3\n"), "no FITS file, or a damaged one"),
    "cut off": (lambda made: made["rmf"].write_bytes(made["rmf"].read_bytes()[:6000]), "rmf"),
    "other file": (
        lambda made: made["pha"].write_bytes(made["rmf"].read_bytes()),
        "no spectrum: expected an",
    ),
    "no response": (_keyword("pha", "SPECTRUM", "RESPFILE", "none"), "RESPFILE names none"),
    "no exposure": (_keyword("pha", "SPECTRUM", "EXPOSURE", 0.0), "EXPOSURE must be positive, found 0"),
    "text for a number": (_keyword("pha", "SPECTRUM", "EXPOSURE", "long"), "EXPOSURE must be a number, found 'long'"),
    "no background scale": (_keyword("pha", "SPECTRUM", "BACKSCAL", 0.0), "BACKSCAL must be positive"),
    "grouping": (_column("GROUPING", 7), "GROUPING must be 1, 0 or -1, found 7 in row 2"),
    "negative counts": (_column("COUNTS", -3), "counts must be finite numbers >= 0, found -3 at"),
    "channels": (_column("CHANNEL", 9), "CHANNEL must count up by one"),
    "first channel": (_keyword("rmf", "MATRIX", "TLMIN4", 3), "TLMIN of F_CHAN"),
    "unit": (_keyword("rmf", "MATRIX", "TUNIT1", "Angstrom"), "unit 'Angstrom', expected one of keV"),
    "few areas": (
        _written("arf", lambda: files.area_table(fits, np.ones(4), files.ENERGIES[:5])),
        "expected the 6 energy bins of",
    ),
    "other energies": (
        _written("arf", lambda: files.area_table(fits, np.ones(6), 1.1 * files.ENERGIES)),
        "row 1 is of 11 to",
    ),
    "few channels": (
        _written("bak", lambda: files.spectrum_table(fits, files.OFF[:3])),
        "has 3 channels, the spectrum 4",
    ),
    "no column": (
        _written("bak", lambda: files.table(fits, "SPECTRUM", [("CHANNEL", "I", [1])], {"EXPOSURE": 1.0})),
        "neither column COUNTS nor column RATE",
    ),
    "two matrices": (
        _written(
            "rmf", *[lambda: files.matrix_table(fits, files.matrix(), 1)] * 2, lambda: files.bounds_table(fits, 1)
        ),
        "expected one response matrix, found 2",
    ),
    "type II": (
        _written("pha", lambda: files.table(fits, "SPECTRUM", [("COUNTS", "4J", np.ones((2, 4)))], {"EXPOSURE": 1.0})),
        "type II",
    ),
}


@pytest.mark.parametrize("slug", BAD)
def test_bad_files(tmp_path, slug):
    """One clear message each, that names the file."""
    change, message = BAD[slug]
    made = files.write_all(fits, tmp_path)
    change(made)
    with pytest.raises(InvalidSpectrum, match=message):
        read_ogip(made["pha"])


def test_damaged_bytes(tmp_path, rng):
    """A file with a few wrong bytes is read, or refused with a message; it never ends in another exception."""
    made = files.write_all(fits, tmp_path)
    whole, outcomes = {name: path.read_bytes() for name, path in made.items()}, set()
    for trial in range(60):
        name = ("rmf", "pha")[trial % 2]
        damaged = bytearray(whole[name])
        for place in rng.integers(2880, len(damaged), 40):
            damaged[place] = int(rng.integers(256))
        made[name].write_bytes(bytes(damaged))
        try:
            read_ogip(made["pha"])
            outcomes.add("read")
        except InvalidSpectrum:
            outcomes.add("refused")
        made[name].write_bytes(whole[name])
    assert "refused" in outcomes


def test_without_astropy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    with pytest.raises(MissingExtra, match=r"histjax\[spectra\]"):
        read_ogip(tmp_path / "a.pha")
