"""p-values by counting, with their binomial uncertainties: observed, and for the outcomes of an expected band."""

import equinox as eqx
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Float

from histjax.inference.asymptotic import N_SIGMA
from histjax.inference.toys.tally import Tally, binomial_uncertainty, fraction
from histjax.inference.toys.throwing import Toy

FAILURES_TO_WARN = 1e-3
"""Fraction of failed toys from which on a warning is given."""


class Ratio(eqx.Module):
    """CLsb, CLb and CLs, each with its uncertainty: `()` or `(5,)`."""

    CLsb: Float[np.ndarray, "..."]
    CLb: Float[np.ndarray, "..."]
    CLs: Float[np.ndarray, "..."]
    CLsb_uncertainty: Float[np.ndarray, "..."]
    CLb_uncertainty: Float[np.ndarray, "..."]
    CLs_uncertainty: Float[np.ndarray, "..."]


class ToyOutcome(eqx.Module):
    """What toys say of a test.

    **Fields:**

    - `observed`: `Ratio` of the observed statistic; `expected`: of the outcomes at -2 ... +2 sigma of the other
      hypothesis, `(5,)`.
    - `tested`, `other`: tallies of the toys of the two hypotheses; `tested_toys`, `other_toys`: the columns of all
      toys where they were kept.
    """

    observed: Ratio
    expected: Ratio
    tested: Tally
    other: Tally
    tested_toys: Toy | None = None
    other_toys: Toy | None = None

    @property
    def CLs_uncertainty(self) -> float:
        """Binomial uncertainty of CLs."""
        return float(self.observed.CLs_uncertainty)

    @property
    def CLsb_uncertainty(self) -> float:
        """Binomial uncertainty of CLsb."""
        return float(self.observed.CLsb_uncertainty)

    @property
    def CLb_uncertainty(self) -> float:
        """Binomial uncertainty of CLb."""
        return float(self.observed.CLb_uncertainty)

    @property
    def CLs_expected_uncertainty(self) -> Float[np.ndarray, "n_sigma"]:
        """Uncertainty of the expected CLs, that of the quantile included."""
        return self.expected.CLs_uncertainty

    @property
    def n_toys(self) -> tuple[int, int]:
        """Toys of the tested and of the other hypothesis."""
        return self.tested.n_toys, self.other.n_toys

    @property
    def n_failed(self) -> tuple[int, int]:
        """Toys without a certified fit, which are in none of the fractions."""
        return self.tested.n_failed, self.other.n_failed

    @property
    def message(self) -> str:
        """How many toys there were and how many failed, in words."""
        return f"{toys_in_words(self.tested)} of the tested hypothesis, {toys_in_words(self.other)} of the other"


def toys_in_words(tally: Tally) -> str:
    """How many toys, and how many of them failed."""
    failed = f" ({tally.n_failed} failed)" if tally.n_failed else ""
    return f"{tally.n_toys} toys{failed}"


def count_p_values(tested: Tally, other: Tally, discovery: bool) -> tuple[Ratio, Ratio]:
    """Observed p-values and those of the expected band; for a discovery CLs is CLsb.

    The band: the statistic that a fraction Phi(N) of the toys of the other hypothesis reaches or exceeds, N = -2 ...
    +2, and the p-values at it.
    """
    observed = _ratio(tested.n_at_least, tested.n_good, other.n_at_least, other.n_good, discovery)
    band = [_at_quantile(tested, other, float(ndtr(n)), discovery) for n in N_SIGMA]
    names = Ratio.__dataclass_fields__
    return observed, Ratio(*(np.array([getattr(each, name) for each in band]) for name in names))


def _at_quantile(tested: Tally, other: Tally, probability: float, discovery: bool) -> Ratio:
    """The p-values where `probability` of the toys of the other hypothesis are at least as large.

    CLb is then `probability` by construction and what is uncertain is where, if the statistic is continuous; if it
    is not, what is uncertain is CLb. The larger of the two goes into the uncertainty of CLs.
    """
    place = other.first_bin_of(probability)
    ratio = _ratio(tested.n_from(place), tested.n_good, other.n_from(place), other.n_good, discovery)
    if not (tested.n_good and other.n_good):
        return ratio
    shift = np.sqrt(probability * (1 - probability) / other.n_good)
    ends = [tested.n_from(other.first_bin_of(p)) for p in (probability - shift, probability + shift)]
    by_place = abs(ends[1] - ends[0]) / 2 / tested.n_good
    by_count = 0.0 if discovery else float(ratio.CLs * ratio.CLb_uncertainty)
    scale = 1.0 if discovery else float(ratio.CLb)
    total = np.sqrt(ratio.CLsb_uncertainty**2 + max(by_place, by_count) ** 2) / scale
    return eqx.tree_at(lambda each: each.CLs_uncertainty, ratio, np.asarray(total))


def _ratio(n_tested: int, tested: int, n_other: int, other: int, discovery: bool) -> Ratio:
    CLsb, CLb = fraction(n_tested, tested), fraction(n_other, other)
    errors = binomial_uncertainty(n_tested, tested), binomial_uncertainty(n_other, other)
    if discovery:
        CLs, error = CLsb, errors[0]
    elif CLb > 0:
        CLs, error = CLsb / CLb, np.hypot(errors[0], CLsb / CLb * errors[1]) / CLb
    else:
        CLs, error = np.nan, np.nan
    return Ratio(*map(np.asarray, (CLsb, CLb, CLs, *errors, error)))
