"""A counting experiment of one bin without nuisance parameters: every statistic in closed form, every p-value a sum.

n ~ Poisson(mu s + b). With mu-hat = (n - b) / s, and 2 [nu - n ln nu] for -2 ln L. No fit, no histjax.
"""

import math
from dataclasses import dataclass

from tests.workspaces import mu, sample, workspace

MOST = 400
"""Counts above it have no weight."""


@dataclass(frozen=True)
class OneBin:
    """Signal `s`, background `b`, observed `n`."""

    s: float
    b: float
    n: int

    def document(self) -> dict:
        """The workspace."""
        samples = [sample("signal", [self.s], mu()), sample("background", [self.b])]
        return workspace({"SR": samples}, {"SR": [float(self.n)]})

    def deviance(self, n: int, strength: float) -> float:
        """-2 ln L, without the term that depends on n alone."""
        nu = strength * self.s + self.b
        return 2 * (nu - (n * math.log(nu) if n else 0.0))

    def best(self, n: int) -> float:
        """mu-hat, with no bounds but those of the mathematics (an expectation of 0)."""
        return (n - self.b) / self.s

    def statistic(self, name: str, n: int, tested: float) -> float:
        """q for n counts: equations 11 to 16 of arXiv:1007.1727."""
        hat = self.best(n)
        if name == "q0":
            return 0.0 if hat <= 0 else self.deviance(n, 0.0) - self.deviance(n, hat)
        if name in ("qmu", "qmu_tilde") and hat > tested:
            return 0.0
        bounded = max(hat, 0.0) if name.endswith("tilde") else hat
        return max(self.deviance(n, tested) - self.deviance(n, bounded), 0.0)

    def weights(self, strength: float) -> list[float]:
        """Probabilities of the counts 0 ... MOST."""
        nu = strength * self.s + self.b
        return [math.exp(n * math.log(nu) - nu - math.lgamma(n + 1)) for n in range(MOST)]

    def p_value(self, name: str, tested: float, truth: float, q: float | None = None) -> float:
        """P(statistic >= q | truth), by default for the observed statistic."""
        q = self.statistic(name, self.n, tested) if q is None else q
        values = (self.statistic(name, n, tested) for n in range(MOST))
        return sum(w for w, value in zip(self.weights(truth), values, strict=True) if value >= q - 1e-9)

    def quantile(self, name: str, tested: float, truth: float, probability: float) -> float:
        """The largest value that is reached or exceeded with at least this probability."""
        values = sorted({self.statistic(name, n, tested) for n in range(MOST)}, reverse=True)
        return next(q for q in values if self.p_value(name, tested, truth, q) >= probability)
