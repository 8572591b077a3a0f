"""Tables of posteriors: cells against numbers that are known."""

import dataclasses

import numpy as np

from histjax import tables
from tests.bayes.test_samples import samples_of


def test_values():
    """Of numbers at equal distances from 0 to 1, with a standard deviation of 12^-1/2 = 0.29."""
    table = tables.samples_table(samples_of(np.arange(1002) / 1001.0))
    assert table.rows[0] == ("mu", "0.50 ± 0.29", "0.16", "0.50", "0.84", "0.25")
    assert table.rows[1][:2] == ("gamma[0]", "1.0 ± 0.6")


def test_criteria():
    """-2 ln L is 10 and 14; with equally many parameters all criteria differ by 4; one sampler gives ln Z."""
    draws = np.arange(1002) / 1001.0
    one, other = (samples_of(draws, max_logpdf=best, n_observations=10.0) for best in (-5.0, -7.0))
    other = dataclasses.replace(other, log_evidence=-12.34, log_evidence_uncertainty=0.21)
    table = tables.criteria_table({"signal": one, "none": other})
    assert table.columns == ("model", "-2 ln L", "parameters", "ΔAIC", "ΔAICc", "ΔBIC", "ln Z")
    assert table.rows == (
        ("signal", "10.00", "2", "0.00", "0.00", "0.00", ""),
        ("none", "14.00", "2", "4.00", "4.00", "4.00", "-12.34 ± 0.21"),
    )
    few = samples_of(draws, max_logpdf=-5.0, n_observations=3.0)
    assert tables.criteria_table({"few": few}).rows[0][4] == ""
