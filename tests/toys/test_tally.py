"""A tally counts what an array would, in constant memory, and merges exactly."""

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy.stats import chi2, norm

from histjax.errors import InvalidModel
from histjax.inference.toys.p_values import count_p_values
from histjax.inference.toys.tally import N_BINS, Tally, bins_of, value_of, wilson_interval


def values(seed: int, size: int = 1000) -> np.ndarray:
    """Chi-squared numbers, half of them 0."""
    generator = np.random.default_rng(seed)
    return generator.chisquare(1, size) * generator.integers(0, 2, size)


def same(first: Tally, second: Tally) -> bool:
    """Field by field."""
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in first.__dataclass_fields__)


def test_merging_is_counting_together():
    """Whatever the cuts and the order."""
    x = values(1)
    whole = Tally.of(x, 1.3, n_iterations=1000)
    parts = [Tally.of(x[i : i + 100], 1.3, n_iterations=100) for i in range(0, 1000, 100)]
    assert same(sum(parts, Tally.empty(1.3)), whole)
    assert same(sum(parts[::-1], Tally.empty(1.3)), whole)
    assert whole.n_at_least == np.count_nonzero(x >= 1.3) and whole.counts.sum() == 1000


def test_failed_toys_are_counted_apart():
    """They are in no bin, whatever their statistic is, and in no p-value."""
    x, failed = np.array([0.0, 5.0, np.nan, 9.0]), np.array([False, False, True, True])
    tally = Tally.of(x, 4.0, failed)
    assert (tally.n_toys, tally.n_failed, tally.n_good, tally.n_at_least) == (4, 2, 2, 1)
    assert tally.counts.sum() == 2 and tally.p_value == 0.5


def test_ties_count():
    """Counting experiments repeat the observed value, to within the certificate of the fits."""
    q = 3.938244933375
    assert Tally.of(np.array([q - 1e-9, q, q + 1e-9, q - 1e-5]), q).n_at_least == 3
    assert Tally.of(np.array([0.0, 1e-12, 2.0]), 0.0).p_value == 1.0


def test_memory_is_constant():
    """A hundred times the toys, not a byte more; and what is sent elsewhere is small."""
    tracemalloc.start()
    total = Tally.empty(1.0)
    for seed in range(3):
        total += Tally.of(values(seed, 10_000), 1.0)
    _, few = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    for seed in range(100):
        total += Tally.of(values(seed, 10_000), 1.0)
    _, many = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert many < few + 50_000
    assert total.counts.shape == (N_BINS,) and total.n_toys == 1_030_000
    sent = pickle.dumps(Tally.of(values(1), 1.0))
    assert len(sent) < 20_000 and same(pickle.loads(sent), Tally.of(values(1), 1.0))


def test_other_observations_do_not_mix():
    """Counts above different values cannot be added."""
    with pytest.raises(InvalidModel, match="different observed statistics"):
        Tally.empty(1.0) + Tally.empty(1.1)


@pytest.mark.parametrize("probability", [0.0228, 0.1587, 0.5])
def test_quantiles(probability):
    """Of a chi-squared law: within the width of a bin of NumPy's, and near the true one."""
    x = np.random.default_rng(3).chisquare(1, 100_000)
    found = Tally.of(x, 1.0).quantile(probability)
    exact = np.quantile(x, 1 - probability, method="inverted_cdf")
    assert abs(np.sqrt(found) - np.sqrt(exact)) < 1e-3
    assert found == pytest.approx(chi2.isf(probability, 1), rel=0.03)


def test_edges():
    """The first bin is 0 to within the certificate, the last has no end."""
    np.testing.assert_array_equal(bins_of(np.array([0.0, 1e-8, 2e-7, 0.0009**2, 0.0011**2])), [0, 0, 1, 1, 2])
    assert bins_of(np.array([1601.0, 1e300]))[0] == N_BINS - 1
    assert value_of(0) == 0.0 and value_of(N_BINS - 1) == np.inf
    assert Tally.empty(1.0).quantile(0.5) == 0.0 and np.isnan(Tally.empty(1.0).p_value)


def test_uncertainty_is_never_zero():
    """None of 99, and all of them: one sigma of Wilson's interval, z^2 / (n + z^2)."""
    none, every = Tally.of(np.zeros(99), 1.0), Tally.of(np.ones(99), 1.0)
    assert (none.p_value, none.p_uncertainty) == (0.0, 0.01)
    assert (every.p_value, every.p_uncertainty) == (1.0, 0.01)
    assert none.p_interval(2.0)[1] == pytest.approx(4 / 103)


def test_wilson_published():
    """Ends solve (p - k/n)^2 = z^2 p (1 - p) / n, the equation of the paper."""
    k, n, z = 7, 40, norm.isf(0.025)
    for p in wilson_interval(k, n, z):
        assert (p - k / n) ** 2 == pytest.approx(z**2 * p * (1 - p) / n, rel=1e-12)


def test_uncertainty_of_cls():
    """Spread of CLs and of its band over repeated pseudo-data, against what one of them quotes."""
    generator = np.random.default_rng(5)
    quoted, found = [], []
    for _ in range(150):
        tested = Tally.of(generator.chisquare(1, 2000), 2.0)
        other = Tally.of(generator.noncentral_chisquare(1, 3.0, 2000), 2.0)
        observed, expected = count_p_values(tested, other, False)
        found.append([observed.CLs, *expected.CLs])
        quoted.append([observed.CLs_uncertainty, *expected.CLs_uncertainty])
    ratio = np.std(found, axis=0) / np.mean(quoted, axis=0)
    # of 150, a spread is known to 6 %; the band is quoted with the larger of two uncertainties, too large far out
    assert np.all((ratio > 0.5) & (ratio < 1.2)) and np.all(ratio[[0, 2, 3, 4, 5]] > 0.8), ratio


def test_nothing_reaches_the_data():
    """CLs of 0/0 is not a number."""
    observed, _ = count_p_values(Tally.of(np.zeros(50), 9.0), Tally.of(np.zeros(50), 9.0), False)
    assert np.isnan(observed.CLs) and observed.CLsb == 0.0 and observed.CLsb_uncertainty > 0
