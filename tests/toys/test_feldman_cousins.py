"""Feldman-Cousins intervals of one Poisson count against the exact construction and the published table."""

import jax
import numpy as np
import pytest

import histjax
from histjax import Batched, End, StopRule, Toys
from histjax.errors import ImpreciseLimit, InvalidModel
from tests.toys.poisson import feldman_cousins, model_of

# 90 % confidence level, table IV of Phys. Rev. D 57 (1998) 3873; the last place is rounded. Only entries that the
# construction itself gives: for few events the paper lengthens intervals so that they do not shrink with b (n = 0,
# b = 3: 0.95 becomes 1.08)
PUBLISHED = {
    (0, 0.0): (0.00, 2.44),
    (1, 0.0): (0.11, 4.36),
    (3, 3.0): (0.00, 4.42),
    (5, 3.0): (0.00, 6.99),
    (5, 0.0): (1.84, 9.99),
}


def toys(seed: int, n_toys: int = 4096) -> Toys:
    """So many at a time."""
    return Toys(jax.random.key(seed), n_toys, loop=Batched(2048))


@pytest.mark.parametrize("case", PUBLISHED, ids=str)
def test_the_exact_construction_is_that_of_the_paper(case):
    np.testing.assert_allclose(feldman_cousins(*case, 0.9), PUBLISHED[case], atol=6e-3)


@pytest.mark.parametrize("case", [(0, 3.0), (1, 0.0), (5, 0.0), (5, 3.0)], ids=str)
def test_one_count(case):
    """Both ends, within their uncertainties: smooth crossings, steps, and the bound."""
    exact = feldman_cousins(*case, 0.9)
    result = histjax.feldman_cousins(model_of(*case), toys=toys(1), confidence_level=0.9, stop_rule=StopRule(0.02))
    found = np.array([result.lower, result.upper])
    assert result.precise.all()
    # the ends of the zone in doubt are 1.73 standard deviations from its middle
    assert np.all(np.abs(found - exact) <= 3.5 * np.asarray(result.uncertainty) + 2.5e-3), (result, exact)
    at_bound = exact[0] == 0
    assert result.status.tolist() == [End.AT_BOUND if at_bound else End.FOUND, End.FOUND]
    assert float(result.best) == pytest.approx(max(case[0] - case[1], 0.0), abs=1e-6)


def test_large_counts():
    """With 400 events p is smooth, and the interval of 68.27 % is MINOS's: 100 -19.67 +20.33."""
    result = histjax.feldman_cousins(
        model_of(400, 300.0), toys=toys(2), confidence_level=0.6826895, stop_rule=StopRule(0.02)
    )
    assert float(result.lower) == pytest.approx(80.33, abs=3 * float(result.uncertainty[0]) + 0.5)
    assert float(result.upper) == pytest.approx(120.33, abs=3 * float(result.uncertainty[1]) + 0.5)
    assert "Feldman-Cousins" in str(result) and "all uncertainties" in result.message


def test_too_few_toys():
    rule = StopRule(1e-3, most_toys=30_000)
    with pytest.warns(ImpreciseLimit, match="upper end"):
        result = histjax.feldman_cousins(model_of(5, 3.0), toys=toys(3, 2048), confidence_level=0.9, stop_rule=rule)
    assert result.n_toys <= 30_000 and not bool(result.precise[1])
    assert abs(float(result.upper) - 6.985) < 3.5 * float(result.uncertainty[1])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"statistic": histjax.qmu}, "two-sided statistic"), ({"confidence_level": 1.0}, "between 0 and 1, found 1.0")],
)
def test_wrong_questions(wrong, words):
    with pytest.raises(InvalidModel, match=words):
        histjax.feldman_cousins(model_of(5, 3.0), toys=toys(0), **wrong)
