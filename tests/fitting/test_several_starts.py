"""Several starts: which minima there are, against the roots of a cubic and a published model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import Newton
from histjax.errors import FailedFit, UnknownName
from tests.cli.running import run
from tests.fitting.likelihoods import double_well, wells
from tests.workspaces import BY_SLUG

KEY = jax.random.key(7)


def test_two_wells():
    """Both minima of (x^2 - 1)^2 + 0.3 x, the roots of its slope, with 2 delta NLL between them."""
    expected = wells(0.3)
    minima = histjax.find_minima(double_well(0.3), key=KEY, n_starts=12)
    np.testing.assert_allclose([float(each.params["x"]) for each in minima.fits], [x for x, _ in expected], rtol=1e-8)
    np.testing.assert_allclose(minima.delta, [0.0, expected[1][1] - expected[0][1]], rtol=1e-10)
    assert sum(minima.n_found) + minima.n_failed + minima.n_above == minima.n_starts == 12
    assert all(n > 0 for n in minima.n_found)
    assert "x: 0.96" in str(minima) and "instead of -1.03" in str(minima)


def test_wells_of_one_depth():
    """Two minima with the same value are two."""
    minima = histjax.find_minima(double_well(0.0, start=0.5), key=KEY, n_starts=12)
    assert sorted(float(each.params["x"]) for each in minima.fits) == pytest.approx([-1.0, 1.0])
    np.testing.assert_allclose(minima.delta, 0.0, atol=1e-12)


def test_only_those_of_interest():
    """The upper well, 2.4 higher, is counted and not reported."""
    assert wells(0.6)[1][1] - wells(0.6)[0][1] > 2.0
    minima = histjax.find_minima(double_well(0.6), key=KEY, n_starts=12, within=2.0)
    assert (len(minima.fits), len(minima.delta), len(minima.n_found)) == (1, 1, 1)
    assert minima.n_above > 0


def test_one_key_one_answer():
    """The same key gives the same numbers, bit by bit, and draws other starts than another."""
    first, again = (histjax.find_minima(double_well(0.3), key=KEY, n_starts=8) for _ in range(2))
    assert first.n_found == again.n_found
    for one, other in zip(first.fits, again.fits, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
    found = {histjax.find_minima(double_well(0.3), key=jax.random.key(i), n_starts=8).n_found for i in range(6)}
    assert len(found) > 1


def test_one_start_is_the_given_one():
    """From x = 1 with one start, the upper well: no start is added behind the user's back."""
    (fit,) = histjax.find_minima(double_well(0.3), key=KEY, n_starts=1).fits
    assert float(fit.params["x"]) == pytest.approx(wells(0.3)[1][0], rel=1e-8)
    (fit,) = histjax.find_minima(double_well(0.3), key=KEY, n_starts=1, init={"x": -0.5}).fits
    assert float(fit.params["x"]) == pytest.approx(wells(0.3)[0][0], rel=1e-8)


def test_bounds_and_fixed(compile_case):
    """Starts lie inside the bounds and a fixed parameter stays where it is: only one well is left."""
    (fit,) = histjax.find_minima(double_well(0.3), key=KEY, n_starts=8, bounds={"x": (0.2, 3.0)}).fits
    assert float(fit.params["x"]) == pytest.approx(wells(0.3)[1][0], rel=1e-8)
    model = compile_case("two-bins")
    minima = histjax.find_minima(model, key=KEY, n_starts=4, fixed={"mu": 12.0})
    assert minima.n_found == (4,)
    assert float(minima.fits[0].params["mu"]) == 12.0


def test_a_flat_direction_is_one_minimum(compile_case):
    """Every start ends elsewhere along it."""
    minima = histjax.find_minima(compile_case("flat"), key=KEY, n_starts=6)
    assert minima.n_found == (6,)


def test_failures_are_counted():
    """Without steps nothing is certified: an exception, or a record that says so."""
    lazy = Newton(max_iterations=0)
    with pytest.raises(FailedFit, match="none of 3 starts led to a minimum: not converged"):
        histjax.find_minima(double_well(0.3), key=KEY, n_starts=3, minimiser=lazy)
    minima = histjax.find_minima(double_well(0.3), key=KEY, n_starts=3, minimiser=lazy, throw=False)
    assert (minima.fits, minima.n_failed) == ((), 3)
    assert str(minima) == "0 minima from 3 starts; 3 failed, 0 ended more than 10 above the lowest"


def test_wrong_arguments():
    """Names as for `fit`; not in a trace."""
    with pytest.raises(UnknownName, match="no parameter named 'y'"):
        histjax.find_minima(double_well(0.3), key=KEY, init={"y": 1.0})
    with pytest.raises(ValueError, match="outside a trace"):
        jax.jit(lambda tilt: histjax.find_minima(double_well(0.3), tilt, key=KEY).delta)(jnp.array(0.1))
    with pytest.raises(ValueError, match="at least one start"):
        histjax.find_minima(double_well(0.3), key=KEY, n_starts=0)


def test_coupled_histosys(compile_case):
    """Two valleys, at alpha above and below 0: the lowest is that of the table."""
    case, model = BY_SLUG["coupled-histosys"], compile_case("coupled-histosys")
    minima = histjax.find_minima(model, key=KEY, n_starts=16, within=1e3)
    assert float(minima.fits[0].twice_nll) == pytest.approx(case.twice_nll, rel=1e-12)
    assert len(minima.fits) > 1 and float(minima.fits[1].params["coupled"]) < 0
    assert minima.differences[1].startswith("coupled: ")


def test_published_model(corpus):
    """One published model has a second minimum 0.858 above; a single descent from its nominal start ends there."""
    model = histjax.compile(histjax.read(corpus / "models" / "p2c_converted_workspace_6a07.json"))
    single = histjax.fit(model, minimiser=Newton(restarts=0))
    minima = histjax.find_minima(model, key=KEY)
    assert float(single.twice_nll - minima.fits[0].twice_nll) == pytest.approx(minima.delta[1], abs=1e-6)
    assert minima.delta[1] > 0.5
    assert float(minima.fits[0].twice_nll) <= float(histjax.fit(model).twice_nll) + 1e-6


def test_command_line():
    """`--starts`: the minima besides the lowest fit; one seed, one answer."""
    document = BY_SLUG["coupled-histosys"].document
    found = run("fit", document, "--starts", 6, "--seed", 3).json
    assert found == run("fit", document, "--starts", 6, "--seed", 3).json
    assert found["minima"][0]["parameters"] == found["parameters"]
    assert found["minima"][0]["delta"] == 0.0
    starts = found["starts"]
    assert sum(each["n_found"] for each in found["minima"]) + starts["n_failed"] + starts["n_above"] == 6
    assert "minima" not in run("fit", document).json
    assert "'--starts'" in run("fit", document, "--starts", 0).error


def test_a_start_that_was_far_away(corpus):
    """ttbar without signal: from the free fit a valley that ends 134 higher lies nearer.

    L-BFGS-B of SciPy 1.17 ends there, at 98473.493, from the free fit as well as from the initial values.
    """
    model = histjax.compile(histjax.read(corpus / "models" / "atlas_ttbar_ljets_xsec.json"))
    held = {model.poi: 0.0}
    nearby = histjax.fit(model, fixed=held, init=histjax.fit(model))
    assert float(nearby.deviance) < 98473.493 - 134
    assert float(nearby.deviance) == pytest.approx(float(histjax.fit(model, fixed=held).deviance), rel=1e-10)
