"""Distributions of a test statistic: asymptotic, and from toys."""

from dataclasses import dataclass

import numpy as np
from jax.scipy.special import ndtr

from histjax.interop.pyhf.vectors import shown


def _float(value) -> np.ndarray:
    """An integer would be taken for single precision."""
    return np.asarray(value, float)


@dataclass(frozen=True)
class AsymptoticTestStatDistribution:
    """A normal law of width 1 around `shift`, of the statistic as pyhf transforms it: it grows with the distance of the
    best fit from the tested value, in standard deviations. Below `cutoff` it has no values.
    """

    shift: float
    cutoff: float = -np.inf

    def cdf(self, value):
        """Probability of at most `value`."""
        return shown(ndtr(_float(value) - self.shift))

    def pvalue(self, value):
        """Probability of at least `value`; NaN below the cutoff."""
        return np.where(_float(value) >= self.cutoff, shown(ndtr(self.shift - _float(value))), np.nan)

    def expected_value(self, nsigma):
        """The value `nsigma` standard deviations from the centre, or the cutoff."""
        return np.maximum(self.shift + nsigma, self.cutoff)


@dataclass(frozen=True, eq=False)
class EmpiricalDistribution:
    """The statistics of toys.

    >>> EmpiricalDistribution(np.array([0.0, 1.0, 2.0, 3.0])).pvalue(1.0)
    np.float64(0.75)
    """

    samples: np.ndarray

    def pvalue(self, value):
        """Fraction of at least `value`."""
        return np.mean(np.asarray(self.samples) >= value)

    def expected_value(self, nsigma):
        """The quantile at `nsigma` standard deviations of a normal law."""
        return np.percentile(np.asarray(self.samples), 100 * shown(ndtr(np.asarray(nsigma, float))))
