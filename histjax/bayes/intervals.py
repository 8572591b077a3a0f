"""Credible intervals of draws, column by column."""

import numpy as np
from jaxtyping import Float

from histjax.errors import InvalidModel


def central_interval(
    draws: Float[np.ndarray, "draws parameters"], probability: float
) -> tuple[Float[np.ndarray, "parameters"], Float[np.ndarray, "parameters"]]:
    """The ends between which a draw lies with this probability, and beyond each of which with the same.

    >>> print(*central_interval(np.arange(101.0)[:, None], 0.8))
    [10.] [90.]
    """
    _check(probability)
    low, high = np.quantile(draws, [0.5 - probability / 2, 0.5 + probability / 2], axis=0)
    return low, high


def highest_density_interval(
    draws: Float[np.ndarray, "draws parameters"], probability: float
) -> tuple[Float[np.ndarray, "parameters"], Float[np.ndarray, "parameters"]]:
    """The shortest interval with this fraction of the draws.

    >>> print(*highest_density_interval(np.arange(100.0)[:, None] ** 2, 0.5))
    [0.] [2500.]
    """
    _check(probability)
    ordered = np.sort(draws, axis=0)
    n = len(ordered)
    span = min(max(int(np.floor(probability * n)), 1), n - 1)
    start = np.argmin(ordered[span:] - ordered[: n - span], axis=0)
    columns = np.arange(ordered.shape[1])
    return ordered[start, columns], ordered[start + span, columns]


def _check(probability: float) -> None:
    if not 0 < probability < 1:
        raise InvalidModel(f"the probability of an interval lies between 0 and 1, found {probability:g}")
