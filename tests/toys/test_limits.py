"""Upper limits of toys against sums of Poisson probabilities, and whether their uncertainty is what it says."""

import jax
import numpy as np
import pytest

import histjax
from histjax import Batched, StopRule, Toys
from histjax.errors import HistjaxError, ImpreciseLimit, InvalidModel
from histjax.inference.toys.regression import Curve, falling_crossing
from tests.inference.closed_form import Counting, upper_limit
from tests.toys.poisson import cls_band, cls_limit, model_of

SMALL = Batched(1024)
OBSERVED_ONLY = StopRule(0.1, expected=False)


def toys(seed: int, n_toys: int = 1024, **settings) -> Toys:
    """So many at a time, in programs of that size."""
    return Toys(jax.random.key(seed), n_toys, loop=SMALL, **settings)


@pytest.fixture(scope="module")
def few_events():
    """2 events where 3 are expected."""
    return model_of(2, 3.0)


def test_nothing_observed():
    """CLs = exp(-s mu) whatever the background: the limit is ln 20 / s, and all outcomes up to the median the same."""
    limit = histjax.upper_limit(model_of(0, 0.5, s=2.0), calculator=toys(1, 4096), stop_rule=StopRule(0.03))
    exact = np.log(20) / 2
    assert limit.toys.precise.all() and np.all(limit.converged)
    assert abs(limit.observed - exact) < 4 * limit.uncertainty
    assert np.all(np.abs(limit.expected[:3] - exact) < 4 * limit.expected_uncertainty[:3])
    np.testing.assert_array_less(limit.expected_uncertainty, 0.03 * limit.expected)


def test_few_events(few_events):
    """Where the asymptotic limits (3.86 observed) are off by 13 %, those of toys are right, all six."""
    limit = histjax.upper_limit(few_events, calculator=toys(2), stop_rule=StopRule(0.05))
    assert abs(limit.observed - cls_limit(2, 3.0)) < 4 * limit.uncertainty
    assert np.all(np.abs(limit.expected - np.array(cls_band(3.0))) < 4 * limit.expected_uncertainty)
    points = limit.toys.points
    assert np.all(np.diff(points.poi_values) > 0)
    assert points.n_toys.sum() == limit.toys.n_toys and limit.toys.n_failed == 0
    assert "all relative errors at most 5 %" in limit.message
    assert "+-" in str(limit) and "toys CLs" in str(limit)


def test_many_events():
    """With 1000 events the asymptotic limit of the closed form is that of toys."""
    case = Counting((50.0,), (1000.0,), (30.0,), (1010.0,))
    model = histjax.compile(histjax.read(case.document()))
    limit = histjax.upper_limit(model, calculator=toys(3, 2048), stop_rule=StopRule(0.03, expected=False))
    assert abs(limit.observed - upper_limit(case)) < 4 * limit.uncertainty + 0.01 * limit.observed


def test_uncertainty(few_events):
    """Over 20 keys the limits scatter by what each says of itself."""
    exact = cls_limit(2, 3.0)
    limits = [histjax.upper_limit(few_events, calculator=toys(key), stop_rule=OBSERVED_ONLY) for key in range(20)]
    pulls = np.array([float((each.observed - exact) / each.uncertainty) for each in limits])
    assert abs(pulls.mean()) < 3.5 / np.sqrt(20)
    assert 0.6 < np.sqrt(np.mean(pulls**2)) < 1.5


def test_the_loop_changes_nothing(few_events):
    """One seed, one answer: other programs, the same toys, so the same search and the same numbers."""
    first = histjax.upper_limit(few_events, calculator=toys(4), stop_rule=OBSERVED_ONLY)
    other = Toys(jax.random.key(4), 1024, loop=histjax.Sequential(512))
    second = histjax.upper_limit(few_events, calculator=other, stop_rule=OBSERVED_ONLY)
    assert float(first.observed) == float(second.observed)
    assert first.toys.n_toys == second.toys.n_toys


def test_too_few_toys(few_events):
    """Where they end, the limit is as uncertain as it says; a limit that was not found is not a number."""
    with pytest.warns(ImpreciseLimit, match="were not enough for a relative error of 0.1 %"):
        limit = histjax.upper_limit(few_events, calculator=toys(5), stop_rule=StopRule(1e-3, most_toys=20_000))
    assert limit.toys.n_toys <= 20_000
    assert not limit.toys.precise.any()
    assert abs(limit.observed - cls_limit(2, 3.0)) < 4 * limit.uncertainty
    lost = ~np.asarray(limit.converged)[:5]
    assert np.all(np.isnan(limit.expected[lost])) and np.all(np.isinf(limit.expected_uncertainty[lost]))


def test_asymptotic_limits_have_no_uncertainty_of_toys(few_events):
    limit = histjax.upper_limit(few_events)
    assert limit.toys is None
    assert float(limit.uncertainty) == 0 and not np.any(limit.expected_uncertainty)


def test_progress_counts_up(few_events):
    """The toys done never become fewer, and the last report is of all of them."""
    reports = []
    calculator = toys(6, progress=lambda done, total: reports.append((done, total)))
    limit = histjax.upper_limit(few_events, calculator=calculator, stop_rule=OBSERVED_ONLY)
    done = [each for each, _ in reports]
    assert done == sorted(done) and reports[-1] == (limit.toys.n_toys, limit.toys.n_toys)


@pytest.mark.parametrize("wrong", [{"relative_error": 0.0}, {"relative_error": np.nan}, {"most_toys": 0}])
def test_stop_rules_that_are_wrong(wrong):
    with pytest.raises(InvalidModel, match=next(iter(wrong))):
        StopRule(**wrong)


def test_no_limit_inside_a_trace(few_events):
    with pytest.raises(HistjaxError, match="cannot be part of a jit"):
        jax.jit(lambda data: histjax.upper_limit(few_events, data, calculator=toys(0)).observed)(few_events.data)


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_regression_without_noise(slope):
    """Points of p = exp(-k mu) with many toys: the crossing is ln 20 / k; a curve in z that is all but straight."""
    at = np.log(20) / slope * np.array([0.8, 1.0, 1.25])
    n, one = np.full(3, 1e8), np.ones(3)
    crossing = falling_crossing(Curve(at, np.exp(-slope * at), one, n, 0 * one), 0.05)
    assert crossing.value == pytest.approx(np.log(20) / slope, rel=2e-3)
    outside = falling_crossing(Curve(at, np.exp(-slope * at), one, n, 0 * one), 1e-3)
    assert not outside.bracketed and outside.value == at[-1]
