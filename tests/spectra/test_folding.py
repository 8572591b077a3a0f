"""From photons to counts: closed forms, bayspec's numbers, and the shapes."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

import histjax
from histjax import counting, spectra
from histjax.errors import InvalidModel
from histjax.spectra import Response, SpectralModel, Spectrum, gauss_legendre, trapezoid
from tests.spectra.cases import files_in


def source_counts(spectrum, function, parameters, rule=None):
    """Expected counts of the source at the starting values."""
    likelihood = spectra.compile({"s": (spectrum, SpectralModel(function, parameters))}, rule=rule)
    return np.asarray(likelihood.source_counts(likelihood.init)["s"])


@pytest.mark.parametrize("index", [-1.0, 0.5, 2.0, 3.5])
def test_a_power_law_through_an_ideal_instrument(index):
    """t A N (E_2^(1 - index) - E_1^(1 - index)) / (1 - index) counts between E_1 and E_2."""
    edges, area = np.array([1.0, 1.2, 1.5, 1.6]), np.array([10.0, 20.0, 5.0])
    spectrum = Spectrum(np.zeros(3), 100.0, Response.diagonal(edges, area))
    found = source_counts(spectrum, spectra.power_law, {"norm": 0.3, "index": index})
    expected = 100.0 * area * 0.3 * np.diff(edges ** (1 - index)) / (1 - index)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_what_bayspec_folds(tmp_path):
    """Rates and statistics of bayspec 0.3.13 for the same files: `pl` with alpha = -1.7, log A = 0.5, cstat; its
    integral is the trapezoid on 5 points.
    """
    pytest.importorskip("astropy")
    spectrum = spectra.read_ogip(files_in(tmp_path))
    parameters = {"norm": 10**0.5, "index": 1.7}
    found = source_counts(spectrum, spectra.power_law, parameters, trapezoid(5)) / 10.0
    # bayspec keeps the energies in single precision
    np.testing.assert_allclose(found, [25.097024947094727, 7.6249002251970115], rtol=1e-6)
    likelihood = spectra.compile({"s": (spectrum, SpectralModel(spectra.power_law, parameters))}, rule=trapezoid(5))
    statistic = 2 * likelihood.nll(likelihood.parameters.init, likelihood.observed)
    np.testing.assert_allclose(statistic, 332.91841643393445, rtol=2e-6)


def test_grouped_channels_add_up():
    """Counts of a bin are the sum of those of its channels."""
    rng = np.random.default_rng(1)
    response = Response(np.linspace(1.0, 5.0, 5), rng.uniform(size=(4, 6)), first_channel=0)
    spectrum = Spectrum(np.arange(6.0), 2.0, response)
    model = spectra.power_law, {"norm": 1.0, "index": 2.0}
    single = source_counts(spectrum, *model)
    grouped = spectrum.ignored(channels=(0, 0)).grouped([(1, 2), (4, 5)])
    expected = single[1] + single[2], single[3], single[4] + single[5]
    np.testing.assert_allclose(source_counts(grouped, *model), expected)
    np.testing.assert_array_equal(grouped.bins().counts, [3.0, 3.0, 9.0])


def test_a_dictionary_of_parameters_and_functions_with_arrays():
    """The three ways to write a model are the same."""
    import equinox as eqx

    class Table(eqx.Module):
        values: object

        def __call__(self, energy, norm):
            return norm * self.values[jnp.floor(energy).astype(int)]

    def whole(energy, params):
        return params["norm"] * jnp.array([3.0, 5.0])[jnp.floor(energy).astype(int)]

    spectrum = Spectrum(np.zeros(2), 1.0, Response.diagonal([0.0, 1.0, 2.0]))
    for function in (whole, Table(jnp.array([3.0, 5.0]))):
        np.testing.assert_allclose(source_counts(spectrum, function, {"norm": 2.0}), [6.0, 10.0], rtol=1e-14)


def test_a_model_of_another_shape():
    """What is no number for each energy is refused before anything is fitted."""
    spectrum = Spectrum(np.zeros(2), 1.0, Response.diagonal([1.0, 2.0, 3.0]))
    with pytest.raises(InvalidModel, match=r"returned shape \(3,\) for 10 energies: expected \(10,\)"):
        source_counts(spectrum, lambda energy, norm: norm * jnp.ones(3), {"norm": 1.0})


@pytest.mark.parametrize(("rule", "exact"), [(gauss_legendre(3), 5), (trapezoid(4), 1)])
def test_rules(rule, exact):
    """Polynomials up to the order of the rule are integrated exactly, the next one is not."""
    for power in range(exact + 2):
        error = abs(rule.weights @ rule.nodes**power - 1 / (power + 1))
        assert (error < 1e-14) == (power <= exact)
    for make in (gauss_legendre, trapezoid):
        with pytest.raises(InvalidModel, match="whole number of nodes"):
            make(0)


def test_shapes():
    """Properties that define them: Band's peak of E² N(E) and its slope at the break, Wien's law, the cutoff."""
    energy = jnp.geomspace(10.0, 1e4, 20001)
    spectrum = spectra.band(energy, 1.0, -0.8, -2.4, 300.0)
    np.testing.assert_allclose(energy[jnp.argmax(energy**2 * spectrum)], 300.0, rtol=1e-3)
    breaking = (2.4 - 0.8) * 300.0 / 1.2
    below, above = (spectra.band(jnp.array([breaking * (1 + e)]), 1.0, -0.8, -2.4, 300.0)[0] for e in (-1e-6, 1e-6))
    np.testing.assert_allclose(jnp.log(above / below) / 2e-6, -2.4, rtol=1e-4)
    # Wien's law for photons: the peak of x^2 / (e^x - 1) is at x = 1.5936
    grid = jnp.linspace(0.1, 30.0, 200001)
    np.testing.assert_allclose(grid[jnp.argmax(spectra.black_body(grid, 1.0, 2.0))], 2 * 1.59362, rtol=1e-4)
    # all of it: 2 zeta(3) kT^3
    total = integrate.quad(lambda x: float(spectra.black_body(x, 1.0, 2.0)), 1e-9, 100.0)[0]
    np.testing.assert_allclose(total, 2 * 1.2020569031595942 * 8.0, rtol=1e-8)
    np.testing.assert_allclose(spectra.cutoff_power_law(2.0, 3.0, 1.0, 4.0), 1.5 * np.exp(-0.5), rtol=1e-14)


def test_simulation():
    """Simulated counts are those expected, source and background; the exposures and the choice of channels stay."""
    import jax

    response = Response.diagonal([1.0, 2.0, 4.0], area=[1e3, 1e3])
    background = spectra.Background([0.0, 0.0], 100.0, 5.0)
    spectrum = Spectrum([0.0, 0.0], 10.0, response, background).grouped([(1, 2)])
    model = SpectralModel(spectra.power_law, {"norm": histjax.NewParameter(9.0), "index": 2.0})
    made = spectra.simulate(jax.random.key(0), spectrum, model, {"norm": 2.0}, background_rate=[30.0, 10.0])
    # 2 * 1000 * 10 * (1/2, 1/4) + 10 * (30, 10); 500 * (30, 10)
    np.testing.assert_allclose(made.counts, [10300.0, 5100.0], rtol=0.06)
    np.testing.assert_allclose(made.background.counts, [15000.0, 5000.0], rtol=0.06)
    assert made.statistic is counting.ppstat and made.bins().counts.size == 1
    with pytest.raises(histjax.errors.UnknownName, match="norms"):
        spectra.simulate(jax.random.key(0), spectrum, model, {"norms": 2.0})
