"""Limits and intervals of one Poisson count with a known background, by sums of probabilities: no fit, no toys."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import poisson

import histjax
from tests.workspaces import mu, sample, workspace

N_SIGMA = (-2, -1, 0, 1, 2)


def model_of(n: int, b: float, s: float = 1.0) -> histjax.Model:
    """n events observed, b expected without and b + s mu with a signal."""
    samples = [sample("signal", [s], mu())] + ([sample("background", [b])] if b else [])
    return histjax.compile(histjax.read(workspace({"SR": samples}, {"SR": [float(n)]})))


def cls_limit(n: int, b: float, s: float = 1.0, level: float = 0.05) -> float:
    """CLs = P(<= n | b + s mu) / P(<= n | b): fewer events are more like background, whatever the statistic."""
    return brentq(lambda at: poisson.cdf(n, b + s * at) / poisson.cdf(n, b) - level, 0.0, 1e3, xtol=1e-12)


def cls_band(b: float, s: float = 1.0) -> list[float]:
    """Limits of the outcomes at the quantiles Phi(-2) ... Phi(2) of the background."""
    return [cls_limit(int(poisson.ppf(ndtr(k), b)), b, s) for k in N_SIGMA]


def p_value(n: int, b: float, at: float) -> float:
    """P(R <= R(n)) with R = L(mu) / L(mu-best), mu-best = max(n - b, 0): the ordering of Feldman and Cousins."""
    counts = np.arange(0, 120)
    ratio = poisson.logpmf(counts, at + b) - poisson.logpmf(counts, np.maximum(counts, b))
    return float(np.sum(poisson.pmf(counts, at + b)[ratio <= ratio[n] + 1e-9]))


def feldman_cousins(n: int, b: float, level: float, step: float = 2.5e-3) -> tuple[float, float]:
    """First and last value of a fine grid that is not excluded."""
    grid = np.arange(0.0, n + 15.0, step)
    inside = grid[[p_value(n, b, at) > 1 - level for at in grid]]
    return float(inside[0]), float(inside[-1])
