r"""Where a p-value crosses a level: a regression through the toys counted at a few values.

\(z = \Phi^{-1}(p)\) is a straight line in the tested value where the estimator is Gaussian, and bends little where it
is not. The curve that is fitted is a parabola in z whose curvature a prior holds at \(0 \pm\) `CURVATURE`; it is fitted
to the counts themselves with the variance that it implies (quasi-likelihood by iterated weighted least squares: R. W.
M. Wedderburn, Biometrika 61 (1974) 439), so that points without a single toy count for what they say. Where the points
scatter by more than their variances, the result is widened by the scale factor of the Particle Data Group.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

WINDOW = 0.6
"""Points closer to the level than this in z take part."""
FEWEST = 3
"""Points that take part whatever their distance."""
CURVATURE = 0.2
"""Standard deviation of the coefficient c in z = z0 + u + c u^2: for one Poisson count near p = 0.003 it is -0.14."""
LARGEST_Z = 30.0
ROUNDS = 50


class Curve(NamedTuple):
    """A probability, or a ratio of two, as counted at some values, in ascending order.

    **Fields:** `poi_values`; `ratio`: what was counted; `scale`, `n_toys`: `ratio` is a fraction of `n_toys` toys,
    divided by `scale`; `extra`: variance of `ratio` beyond that of this fraction.
    """

    poi_values: Float[np.ndarray, "points"]
    ratio: Float[np.ndarray, "points"]
    scale: Float[np.ndarray, "points"]
    n_toys: Float[np.ndarray, "points"]
    extra: Float[np.ndarray, "points"]

    def taken(self, chosen) -> "Curve":
        """Some of the points."""
        return Curve(*(each[chosen] for each in self))

    def variance(self, expected: Float[np.ndarray, "points"]) -> Float[np.ndarray, "points"]:
        """Variance of `ratio` where its expectation is known."""
        p = np.clip(expected * self.scale, 1e-15, 1.0)
        return np.maximum(p * (1 - p), 1e-15) / (self.n_toys * self.scale**2) + self.extra

    @property
    def n_counted(self) -> float:
        """Toys that `ratio` was made of."""
        return float(np.sum(self.ratio * self.scale * self.n_toys))

    def floored(self) -> Float[np.ndarray, "points"]:
        """`ratio`, half a toy more or less where none or all were counted."""
        half = 0.5 / (self.n_toys * self.scale)
        return np.clip(self.ratio, half, np.maximum(1 / self.scale - half, half))


class Crossing(NamedTuple):
    """Where the curve falls to the level.

    **Fields:** `value`, `uncertainty`; `slope` of z there; `bracketed`: whether points lie on both sides; `n_toys`:
    toys of the points that took part, `n_counted`: those of them that make up p; `scatter`: chi2 of the points about
    the curve, by degree of freedom.
    """

    value: float
    uncertainty: float
    slope: float
    bracketed: bool
    n_toys: float
    n_counted: float
    scatter: float = 1.0

    @property
    def found(self) -> bool:
        """Whether there is a crossing between points, with an uncertainty."""
        return bool(self.bracketed and np.isfinite(self.value) and np.isfinite(self.uncertainty))


def falling_crossing(curve: Curve, level: float) -> Crossing:
    """Where a curve that is above `level` at small values falls to it.

    Not bracketed: `value` is the first or last point, and the crossing beyond it; NaN without any point.
    """
    if not curve.ratio.size:
        return Crossing(np.nan, np.inf, np.nan, False, 0.0, 0.0)
    above = _above(curve, level)
    if not above.any() or above[-1]:
        end = curve.poi_values[-1 if above.any() else 0]
        return Crossing(float(end), np.inf, np.nan, False, 0.0, 0.0)
    place = int(np.flatnonzero(above)[-1])
    pair = curve.taken([place, place + 1])
    value, slope = _secant(pair, level)
    best = Crossing(value, np.inf, slope, True, float(pair.n_toys.sum()), pair.n_counted)
    for _ in range(3):  # the points that take part follow from the curve that they give
        found = _fitted(curve.taken(_near(curve, best)), level, best)
        if found is None:
            break
        best = found
    return best


def _above(curve: Curve, level: float) -> Bool[np.ndarray, "points"]:
    """Which points are above the level by the falling sequence closest to them: one count that is off is no end."""
    ratio = curve.floored()
    return falling(np.log(ratio), ratio**2 / curve.variance(ratio)) > np.log(level)


def falling(values: Float[np.ndarray, "points"], weights: Float[np.ndarray, "points"]) -> Float[np.ndarray, "points"]:
    """The non-increasing sequence closest to `values` (pool adjacent violators).

    >>> falling(np.array([3.0, 1.0, 2.0, 0.0]), np.ones(4)).tolist()
    [3.0, 1.5, 1.5, 0.0]
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        block = float(value), float(weight), 1
        while blocks and blocks[-1][0] < block[0]:
            mean, total, length = blocks.pop()
            weight = total + block[1]
            block = (mean * total + block[0] * block[1]) / weight, weight, length + block[2]
        blocks.append(block)
    return np.concatenate([np.full(length, mean) for mean, _, length in blocks])


def _secant(pair: Curve, level: float) -> tuple[float, float]:
    """Crossing and slope of the line through two points, made to fall."""
    x, scale = pair.poi_values, np.mean(pair.scale)
    y, target = quantile(pair.floored() * scale), quantile(level * scale)
    slope = min((y[1] - y[0]) / (x[1] - x[0]), -0.05 / (x[1] - x[0]))
    return float(np.clip(x[0] + (target - y[0]) / slope, *x)), float(slope)


def quantile(p: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
    """Phi^-1, without JAX, which would compile it for every number of points."""
    inside = np.clip(p, 1e-300, 1 - 1e-16)
    return np.vectorize(NormalDist().inv_cdf, otypes=[float])(inside)


def probability(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Phi, good far in the lower tail.

    >>> float(quantile(probability(np.array(-8.0)))).__round__(9)
    -8.0
    """
    return np.vectorize(lambda each: math.erfc(-each / math.sqrt(2)) / 2, otypes=[float])(z)


def _near(curve: Curve, rough: Crossing) -> Bool[np.ndarray, "points"]:
    distance = np.abs((curve.poi_values - rough.value) * rough.slope)
    farthest = np.sort(distance)[min(FEWEST, distance.size) - 1]
    return distance <= max(WINDOW, farthest)


def _fitted(curve: Curve, level: float, rough: Crossing) -> Crossing | None:
    """The crossing of the regression curve; `None` where it has none that falls close by."""
    scale = float(np.average(curve.scale, weights=curve.n_toys))
    u = (curve.poi_values - rough.value) * abs(rough.slope)
    fit = _regression(curve, u, scale)
    if fit is None:
        return None
    (z0, z1, z2), covariance, scatter = fit
    place = _root((z2, z1, z0 - float(quantile(level * scale))))
    if place is None or abs(place) > 1 + np.max(np.abs(u)):
        return None
    slope, row = z1 + 2 * z2 * place, np.array([1.0, place, place**2])
    spread = np.sqrt(row @ covariance @ row) / abs(slope)
    values = rough.value + place / abs(rough.slope), spread / abs(rough.slope), slope * abs(rough.slope)
    return Crossing(*map(float, values), True, float(curve.n_toys.sum()), curve.n_counted, scatter)


def _regression(curve: Curve, u: Float[np.ndarray, "points"], scale: float):
    """Coefficients of 1, u, u^2, their covariance, scale factor included, and chi2 by degree of freedom; or `None`."""
    design = u[:, None] ** np.arange(3)
    prior = np.array([[0.0, 0.0, 1 / CURVATURE]])
    eta = quantile(np.clip(curve.floored() * scale, 1e-15, 1 - 1e-15))
    for _ in range(ROUNDS):
        expected = probability(eta) / scale
        slope = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi) / scale
        variance = curve.variance(expected)
        root = slope / np.sqrt(variance)
        rows = np.concatenate([design * root[:, None], prior])
        working = np.append((eta + (curve.ratio - expected) / slope) * root, 0.0)
        coefficients, *_ = np.linalg.lstsq(rows, working, rcond=None)
        before, eta = eta, np.clip(design @ coefficients, -LARGEST_Z, LARGEST_Z)
        if np.allclose(eta, before, rtol=1e-10, atol=1e-10):
            break
    information = rows.T @ rows
    if not np.all(np.isfinite(information)) or np.linalg.cond(information) > 1e14:
        return None
    chi2 = np.sum((curve.ratio - expected) ** 2 / variance) + (coefficients[2] / CURVATURE) ** 2
    scatter = float(chi2) / max(u.size - 2, 1)
    return coefficients, np.linalg.inv(information) * max(scatter, 1.0), scatter


def _root(coefficients: tuple[float, float, float]) -> float | None:
    """Where a parabola falls through 0, closest to the origin."""
    roots = np.roots(coefficients)
    real = roots[np.isreal(roots)].real
    falls = real[np.polyval(np.polyder(coefficients), real) < 0]
    return float(falls[np.argmin(np.abs(falls))]) if falls.size else None
