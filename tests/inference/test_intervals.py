"""Profile-likelihood intervals: closed forms, bounds, kinks of the search, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtri

import histjax
from histjax import End, IntervalKind
from histjax.errors import FailedFit, InvalidModel, MissingPOI, UnknownName
from tests.fitting.likelihoods import double_well, wells
from tests.fitting.test_compilations import nothing_compiled
from tests.fitting.test_derivatives import difference
from tests.inference.closed_form import best, deviance
from tests.inference.profiles import CENTRE, COVARIANCE, estimates, single_bin, single_bin_end
from tests.inference.test_cls import HELLO, model_of
from tests.workspaces import counting

GAMMAS = "uncorr_bkguncrt"
WIDE = {"mu": (-5.99999, 300.0)}


def z_of(kind: IntervalKind, confidence_level: float) -> float:
    """Standard deviations of a confidence level."""
    return ndtri((1 + confidence_level) / 2 if kind is IntervalKind.TWO_SIDED else confidence_level)


@pytest.mark.parametrize("kind", IntervalKind)
@pytest.mark.parametrize("confidence_level", [0.6826894921370859, 0.95, 0.9999])
@pytest.mark.parametrize("case", [(5.0, 50.0, 53.0), (2.0, 12.0, 18.0), (0.1, 0.6, 1.0)], ids=str)
def test_single_bin(case, kind, confidence_level):
    """The profile of a Poisson mean, at several levels."""
    result = histjax.interval(single_bin(*case), confidence_level=confidence_level, kind=kind, bounds=WIDE)
    z, found = z_of(kind, confidence_level), result["mu"]
    for asked, sign, value, bound in (
        (kind is not IntervalKind.UPPER, -1, found.lower, WIDE["mu"][0]),
        (kind is not IntervalKind.LOWER, 1, found.upper, WIDE["mu"][1]),
    ):
        expected = single_bin_end(*case, z, sign) if asked else bound
        assert float(value) == pytest.approx(expected, rel=1e-8, abs=1e-9)
    assert float(result.level) == pytest.approx(z**2, rel=1e-12)


def test_nothing_observed():
    """n = 0: the best fit lies on the bound, the deviance rises linearly, mu = z^2 / (2 s)."""
    result = histjax.interval(single_bin(5.0, 2.0, 0.0))
    assert result.lower[0] == 0 and result.status[0, 0] == End.AT_BOUND
    assert float(result.upper[0]) == pytest.approx(0.1, rel=1e-10)


def test_gaussian():
    """Best fit and standard deviation, whatever the correlations; a few conditional fits each."""
    result = histjax.interval(estimates(), parameters=["b", "a"], confidence_level=0.9544997361036416)
    assert result.names == ("b[0]", "b[1]", "a")
    order = [1, 2, 0]
    np.testing.assert_allclose(result.plus, 2 * np.sqrt(np.diagonal(COVARIANCE))[order], rtol=1e-9)
    np.testing.assert_allclose(result.lower, (CENTRE - 2 * np.sqrt(np.diagonal(COVARIANCE)))[order], rtol=1e-9)
    assert np.all(result.n_fits <= 2) and np.all(result.status == End.FOUND)
    assert float(result["b[1]"].best) == pytest.approx(CENTRE[2])


def test_profiled():
    """Nuisance parameters follow: the closed form of two bins with uncertain backgrounds. mu-hat is on its bound."""
    s, b, tau, n = HELLO.arrays
    lowest = deviance(0.0, s, b, tau, n, tau)
    upper = brentq(lambda x: deviance(x, s, b, tau, n, tau) - lowest - 1, 0, 5, xtol=1e-14)
    result = histjax.interval(model_of("hello"))
    assert best(s, b, tau, n, tau, 0.0) == 0 and result.status[0].tolist() == [End.AT_BOUND, End.FOUND]
    assert float(result.lower[0]) == 0 and float(result.upper[0]) == pytest.approx(upper, rel=1e-8)


def test_bound_before_the_crossing():
    """The bound is the end and is marked."""
    result = histjax.interval(single_bin(5.0, 50.0, 53.0), bounds={"mu": (0.5, 0.8)})
    assert (result.lower[0], result.upper[0]) == (0.5, 0.8)
    assert np.all(result.status == End.AT_BOUND) and np.all(result.n_fits == 1)


def test_flat_direction():
    """A parameter without effect reaches to its bounds, and to infinity where it has none."""
    model = single_bin(0.0, 50.0, 53.0)
    result = histjax.interval(model)
    assert (result.lower[0], result.upper[0]) == (0, 10) and np.all(result.status == End.AT_BOUND)
    result = histjax.interval(model, bounds={"mu": (0, np.inf)})
    assert result.upper[0] == np.inf and result.status[0, 1] == End.UNBOUNDED


def test_fixed_parameter():
    """It has no interval."""
    result = histjax.interval(model_of("hello"), parameters=model_of("hello").parameters, fixed={f"{GAMMAS}[0]": 1.1})
    assert result.lower[1] == result.upper[1] == result.best[1] == 1.1 and np.all(result.status[1] == End.FIXED)
    assert np.all(result.converged)


def test_a_lower_minimum_on_the_way():
    """The free fit fell into the wrong well: the search for two standard deviations goes over the summit, finds out
    and starts again. At one standard deviation it never gets there.
    """
    lowest, higher = wells(0.2)
    near = histjax.interval(double_well(0.2), parameters="x")
    assert float(near.best[0]) == pytest.approx(higher[0], rel=1e-7)
    far = histjax.interval(double_well(0.2), parameters="x", confidence_level=0.9544997361036416)
    assert float(far.best[0]) == pytest.approx(lowest[0], rel=1e-7)
    for end in (far.lower[0], far.upper[0]):
        assert 2 * float((end**2 - 1) ** 2 + 0.2 * end) - lowest[1] == pytest.approx(4, rel=1e-8)


def test_errors():
    """Wrong requests are refused before any fit."""
    model = model_of("hello")
    with pytest.raises(InvalidModel, match="'two-sided', 'upper', 'lower'; found 'central'"):
        histjax.interval(model, kind="central")
    with pytest.raises(InvalidModel, match=r"between 0\.5 and 1"):
        histjax.interval(model, kind="upper", confidence_level=0.4)
    with pytest.raises(UnknownName):
        histjax.interval(model, parameters=["mu", "nu"])
    with pytest.raises(InvalidModel, match="at least one"):
        histjax.interval(model, parameters=[])
    with pytest.raises(MissingPOI):
        histjax.interval(double_well(0.2))


def test_a_failed_search_says_so():
    """Where conditional fits do not converge the end is NaN, and the exception names the parameter."""
    profile_fails = histjax.Newton(max_iterations=2, restarts=0)
    start = histjax.fit(model_of("hello"))
    settings = dict(init=start, minimiser=profile_fails, confidence_level=0.9999999, parameters=f"{GAMMAS}[0]")
    with pytest.raises(FailedFit, match=r"conditional fits fail .*uncorr_bkguncrt\[0\]") as caught:
        histjax.interval(model_of("hello"), **settings)
    result = caught.value.result
    failed = np.asarray(result.status[0]) == End.FAILED
    assert np.any(failed) and not np.any(result.converged)
    np.testing.assert_array_equal(np.isnan([result.lower[0], result.upper[0]]), failed)


def test_nothing_is_compiled():
    """Intervals, scans and contours of anything run the program of the free fit."""
    bins = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    document = counting([*bins], [*10 * bins], [*bins], [*np.round(10.5 * bins)])
    model = histjax.compile(histjax.read(document))
    histjax.fit(model).covariance.block_until_ready()
    with nothing_compiled():
        histjax.interval(model, parameters=model.parameters)
        histjax.interval(model, parameters=f"{GAMMAS}[1]", kind="upper", confidence_level=0.9, fixed={"mu": 1.0})
        histjax.scan(model, values={"mu": np.linspace(-1, 2, 5), f"{GAMMAS}[2]": [0.9, 1.1]})
        histjax.contour(model, parameters=("mu", f"{GAMMAS}[0]"), n_points=5)


def test_printed():
    """First whether it worked, then the table."""
    lines = str(histjax.interval(model_of("hello"), parameters=model_of("hello").parameters)).splitlines()
    assert lines[0].split() == ["status", "converged"]
    assert "two-sided, 68.27 % confidence level" in lines[1]
    assert lines[-3].split() == ["mu", "0.0", "0.0", "0.5", "0", "...", "0.46343", "lower", "at", "bound"]
    assert lines[-1].split()[1:4] == ["0.96", "0.10", "0.10"]


# --- derivatives -----------------------------------------------------------------------------------------------------


def ends(numbers, lower_bound):
    """Both ends of all parameters as a function of signal yields, counts, auxiliary data and the confidence level."""
    numbers = jnp.asarray(numbers)
    model = model_of("hello").with_yields({("singlechannel", "signal"): numbers[:2]})
    data = histjax.Data({"singlechannel": numbers[2:4]}, {GAMMAS: numbers[4:6]})
    settings = dict(parameters=model.parameters, bounds={"mu": (lower_bound, 10.0)}, confidence_level=numbers[6])
    result = histjax.interval(model, data, **settings)
    return jnp.stack([jnp.asarray(result.lower), jnp.asarray(result.upper)])


@pytest.fixture(scope="module")
def numbers():
    """As in the workspace."""
    model = model_of("hello")
    return np.concatenate([[12.0, 11.0], [51.0, 48.0], model.data.aux[GAMMAS], [0.9]])


def test_derivatives(numbers):
    """All ends with respect to all numbers, mapped over the bound of mu: at -10 everything is free, at 0 mu-hat is held
    by its bound, while the intervals of the others are searched and at its own lower end.

    Central differences are of the search on the host, so that both ways of running it are compared, too.
    """
    bounds = np.array([-10.0, 0.0])

    def value_and_slopes(bound):
        return ends(jnp.asarray(numbers), bound), jax.jacfwd(ends, argnums=(0, 1))(jnp.asarray(numbers), bound)

    values, (slopes, by_bound) = jax.jit(jax.vmap(value_and_slopes))(jnp.asarray(bounds))
    steps = np.where(np.arange(7) < 6, 1e-2, 1e-4)
    for bound, value, slope in zip(bounds, values, slopes, strict=True):
        np.testing.assert_allclose(value, ends(numbers, bound), rtol=1e-9, atol=1e-10)
        expected = difference(lambda x, bound=bound: ends(np.asarray(x) * steps, bound), numbers / steps, 1.0) / steps
        np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-8)
    assert float(by_bound[1, 0, 0]) == 1.0  # the lower end of mu is the bound
    expected = difference(lambda bound: ends(numbers, float(bound)), 0.0, 1e-3)
    np.testing.assert_allclose(by_bound[1], expected, rtol=1e-5, atol=1e-8)
    assert np.all(by_bound[0] == 0)


def test_second_derivative(numbers):
    """Of an upper end along a direction in the counts, against second differences of the search on the host."""
    model = model_of("hello")

    def upper(t):
        counts = jnp.asarray(numbers[2:4] + t * np.array([1.0, 2.0]))
        data = histjax.Data({"singlechannel": counts}, model.data.aux)
        return histjax.interval(model, data, bounds=WIDE).upper[0]

    def second(h):
        return float(upper(h) - 2 * upper(0.0) + upper(-h)) / h**2

    expected = (4 * second(0.5) - second(1.0)) / 3
    assert float(jax.jit(jax.jacfwd(jax.grad(upper)))(0.0)) == pytest.approx(expected, rel=1e-4)
