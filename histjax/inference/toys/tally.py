"""A tally: what is remembered of a statistic over any number of toys, in a fixed amount of memory.

Tallies of different toys are merged by adding integers: exact, and in any order.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from histjax.errors import InvalidModel

BIN_WIDTH = 1e-3
"""Width of the bins of the square root of the statistic."""
LARGEST_ROOT = 40.0
"""Square root of the statistic from which on toys share the overflow bin."""
ZERO = 1e-7
"""A statistic below it is 0 to within the certificate of the fits (first bin)."""
TIE = 1e-7
"""A toy counts as at least as large as `observed` if it is above `observed - TIE (1 + observed)`: counting experiments
give equal values again and again, and fits reproduce them to within their certificate only.
"""
N_BINS = round(LARGEST_ROOT / BIN_WIDTH) + 2
"""First bin (0), the bins of the square root, overflow."""


@dataclass(frozen=True, eq=False)
class Tally:
    """How the statistic of some toys is distributed, and how many exceed the observed one.

    **Fields:**

    - `observed`: the statistic that toys are compared with.
    - `counts` `(N_BINS,)`: toys by the square root of their statistic: 0, then bins of 0.001 up to 40, then overflow.
    - `n_toys`: toys fitted; `n_failed`: those without a certified fit, which are in none of the other counts.
    - `n_at_least`: toys whose statistic is at least `observed`; ties, to within the accuracy of fits, count.
    - `n_iterations`: iterations of all fits; `n_rescued`: toys that needed a second start.

    >>> tally = Tally.of(np.array([0.0, 0.5, 1.5, 4.0]), observed=1.5)
    >>> tally.n_at_least, tally.p_value
    (2, 0.5)
    >>> (tally + tally).n_toys
    8
    """

    observed: float
    counts: Int[np.ndarray, "statistic_bins"] = field(repr=False)
    n_toys: int = 0
    n_failed: int = 0
    n_at_least: int = 0
    n_iterations: int = 0
    n_rescued: int = 0

    @classmethod
    def empty(cls, observed: float) -> "Tally":
        """No toys yet."""
        return cls(float(observed), np.zeros(N_BINS, np.int64))

    @classmethod
    def of(cls, statistic: Float[np.ndarray, "toys"], observed: float, failed=None, **sums: int) -> "Tally":
        """The tally of an array of statistics; `failed` says which to leave out, `sums` gives the other fields."""
        failed = np.zeros(np.shape(statistic), bool) if failed is None else np.asarray(failed, bool)
        good = np.asarray(statistic)[~failed]
        counts = np.bincount(bins_of(good), minlength=N_BINS).astype(np.int64)
        at_least = int(np.count_nonzero(good >= observed - TIE * (1 + abs(observed))))
        return cls(float(observed), counts, failed.size, int(np.count_nonzero(failed)), at_least, **sums)

    def __add__(self, other: "Tally") -> "Tally":
        """The tally of both sets of toys; raises `InvalidModel` where they were compared with different values."""
        if abs(self.observed - other.observed) > TIE * (1 + abs(self.observed)):
            raise InvalidModel(
                f"these toys were compared with different observed statistics, {self.observed} and {other.observed}; "
                "merge only toys of the same test of the same data"
            )
        sums = {name: getattr(self, name) + getattr(other, name) for name in SUMMED}
        return Tally(self.observed, self.counts + other.counts, **sums)

    @property
    def n_good(self) -> int:
        """Toys with a certified statistic."""
        return self.n_toys - self.n_failed

    @property
    def p_value(self) -> float:
        """Fraction of the certified toys at least as large as `observed`; NaN without any."""
        return fraction(self.n_at_least, self.n_good)

    @property
    def p_uncertainty(self) -> float:
        """Binomial uncertainty of `p_value`."""
        return binomial_uncertainty(self.n_at_least, self.n_good)

    def p_interval(self, n_sigma: float = 1.0) -> tuple[float, float]:
        """Wilson interval of the p-value: neither end leaves [0, 1], and it has a width where no toy was counted."""
        return wilson_interval(self.n_at_least, self.n_good, n_sigma)

    def first_bin_of(self, probability: float) -> int:
        """The last bin from which on there is at least this fraction of the toys: the quantile of the upper tail."""
        if not self.n_good:
            return 0
        wanted = np.clip(probability * self.n_good, 0.5, self.n_good)  # half a toy: the bin holds one
        return int(np.flatnonzero(self._tails() >= wanted)[-1])

    def n_from(self, bin_number: int) -> int:
        """Toys in this bin and above."""
        return int(self.counts[bin_number:].sum())

    def quantile(self, probability: float) -> float:
        """The statistic that this fraction of the toys reaches or exceeds, to within the width of a bin; infinite in
        the overflow.
        """
        return value_of(self.first_bin_of(probability))

    def _tails(self) -> Int[np.ndarray, "statistic_bins"]:
        return np.cumsum(self.counts[::-1])[::-1]

    def __getstate__(self) -> dict:
        """Few bins are filled: only those are sent from process to process."""
        filled = np.flatnonzero(self.counts).astype(np.int32)
        return {**self.__dict__, "counts": (filled, self.counts[filled])}

    def __setstate__(self, state: dict) -> None:
        counts = np.zeros(N_BINS, np.int64)
        filled, values = state["counts"]
        counts[filled] = values
        self.__dict__.update({**state, "counts": counts})


SUMMED = ("n_toys", "n_failed", "n_at_least", "n_iterations", "n_rescued")
"""Fields of a tally that merging adds."""


def bins_of(statistic: Float[np.ndarray, "toys"]) -> Int[np.ndarray, "toys"]:
    """The bin of each value."""
    root = np.sqrt(np.clip(statistic, 0.0, LARGEST_ROOT**2))
    inner = 1 + np.floor(root / BIN_WIDTH).astype(np.int64)
    return np.where(statistic < ZERO, 0, np.minimum(inner, N_BINS - 1))


def value_of(bin_number: int) -> float:
    """The statistic in the middle of a bin."""
    if bin_number in (0, N_BINS - 1):
        return np.inf if bin_number else 0.0
    return float(((bin_number - 0.5) * BIN_WIDTH) ** 2)


def fraction(count: int, total: int) -> float:
    """count / total, NaN for 0/0."""
    return count / total if total else np.nan


def binomial_uncertainty(count: int, total: int) -> float:
    """sqrt(p (1 - p) / n); where that is 0, because none or all were counted, the Wilson interval's 1 / (n + 1)."""
    if not total:
        return np.nan
    p = count / total
    return float(np.sqrt(p * (1 - p) / total)) if 0 < count < total else 1 / (total + 1)


def wilson_interval(count: int, total: int, n_sigma: float = 1.0) -> tuple[float, float]:
    """Interval of a binomial probability (E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209).

    >>> low, high = wilson_interval(0, 99)
    >>> print(low, round(high, 6))
    0.0 0.01
    """
    if not total:
        return 0.0, 1.0
    z2 = n_sigma**2
    centre = (count + z2 / 2) / (total + z2)
    half = n_sigma / (total + z2) * np.sqrt(count * (total - count) / total + z2 / 4)
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)
