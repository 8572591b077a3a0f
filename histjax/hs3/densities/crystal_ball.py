"""The Crystal Ball line shape: a Gaussian core with power-law tails."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.intervals import log_normal_part, log_sinhc, log_sum, positive
from histjax.hs3.nodes import Argument, Distribution, Point, argument


@dataclass(frozen=True, kw_only=True)
class CrystalBall(Distribution):
    r"""Crystal Ball: with z = (m - m0)/sigma, \(f = e^{-z^2/2}\) for z > -alpha and
    \(f = e^{-\alpha^2/2} (1 + \frac{\alpha}{n} (-\alpha - z))^{-n}\) below: the tail of HS3's "CrystalBall
    distribution", written so that no power overflows (M. Oreglia, SLAC-R-236, appendix D; RooCBShape).

    Keys `m` (or `x`), `m0`, `sigma`, `alpha`, `n`, each `sigma`, `alpha` and `n` also with `_L` and `_R` for the sides.

    - `alpha` alone is one tail, on the left for alpha > 0 and on the right for alpha < 0, as ROOT has it. The text of
      the standard makes it two equal tails: write `alpha_L` and `alpha_R`, or use `crystalball_doublesided_dist`, for
      that.
    - `alpha_L` and `alpha_R` are two tails, one of them alone is one.

    Closed integral, smooth through n = 1 and alpha = 0; `+inf` on an infinite range for n <= 1. ROOT's is 1e-11 away,
    PyHS3's numerical one 3e-6.
    """

    types = ("crystalball_dist",)
    x: Argument = argument("m", "x")
    m0: Argument = argument("m0")
    sigma: Argument | None = argument("sigma", default=None)
    sigma_L: Argument | None = argument("sigma_L", default=None)
    sigma_R: Argument | None = argument("sigma_R", default=None)
    alpha: Argument | None = argument("alpha", default=None)
    alpha_L: Argument | None = argument("alpha_L", default=None)
    alpha_R: Argument | None = argument("alpha_R", default=None)
    n: Argument | None = argument("n", default=None)
    n_L: Argument | None = argument("n_L", default=None)
    n_R: Argument | None = argument("n_R", default=None)

    @staticmethod
    def check(found: dict) -> list[str]:
        """Each of the three either for both sides or by side."""
        problems = []
        for key in ("sigma", "alpha", "n"):
            sides = [side for side in ("L", "R") if found[f"{key}_{side}"] is not None]
            if found[key] is not None and sides:
                problems.append(f"{key!r} and '{key}_{sides[0]}' exclude each other")
            elif found[key] is None and not sides:
                problems.append(f"lacks {key!r}, or '{key}_L' and '{key}_R'")
        if not problems:
            one_tail = found["alpha"] is not None
            needed = ["sigma_L", "sigma_R"] if found["sigma"] is None else []
            if found["n"] is None:
                needed += [f"n_{side}" for side in ("L", "R") if found[f"alpha_{side}"] is not None or one_tail]
            problems += [f"lacks {key!r}" for key in needed if found[key] is None]
        return problems

    def log_density(self, at: Point) -> Array:
        """-z^2/2, or the logarithm of the tail."""
        return _log_density(at(self.x) - at(self.m0), *self._sides(at))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the sum of the core and the tails."""
        return _log_integral(at, self.m0, self._sides(at), at.limits(self.x)) if over == (self.x,) else None

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """Where the tails begin, and points in the core and the tails."""
        return _breaks(at, self.m0, self._sides(at)) if observable == self.x else ()

    def _sides(self, at: Point):
        """(sigma, alpha, n) of the left and of the right side; alpha is infinite where there is no tail."""
        if self.alpha is not None:
            alpha = at(self.alpha)
            size, endless = jnp.abs(alpha), jnp.full_like(alpha, jnp.inf)
            alphas = jnp.where(alpha < 0, endless, size), jnp.where(alpha < 0, size, endless)
        else:
            alphas = tuple(jnp.inf if each is None else not_negative(at(each)) for each in (self.alpha_L, self.alpha_R))
        sigmas = [at(side if self.sigma is None else self.sigma) for side in (self.sigma_L, self.sigma_R)]
        powers = [self.n if side is None else side for side in (self.n_L, self.n_R)]
        powers = [1.0 if each is None else at(each) for each in powers]
        powers = [positive(jnp.asarray(each)) for each in powers]
        return tuple(zip(map(positive, sigmas), map(jnp.asarray, alphas), powers, strict=True))


@dataclass(frozen=True, kw_only=True)
class CrystalBallDoubleSided(Distribution):
    """Crystal Ball with two tails and two widths (HS3 "CrystalBall distribution"; RooCrystalBall).

    Keys `m` (or `x`), `m0`, `sigma_L`, `sigma_R`, `alpha_L`, `alpha_R`, `n_L`, `n_R`; `sigma`, `alpha` and `n` stand
    for both sides. All but m0 are positive (alpha may be 0). Formula and integral as of `crystalball_dist`.
    """

    types = ("crystalball_doublesided_dist",)
    x: Argument = argument("m", "x")
    m0: Argument = argument("m0")
    sigma_L: Argument = argument("sigma_L", "sigma")
    sigma_R: Argument = argument("sigma_R", "sigma")
    alpha_L: Argument = argument("alpha_L", "alpha")
    alpha_R: Argument = argument("alpha_R", "alpha")
    n_L: Argument = argument("n_L", "n")
    n_R: Argument = argument("n_R", "n")

    def log_density(self, at: Point) -> Array:
        """-z^2/2, or the logarithm of the tail."""
        return _log_density(at(self.x) - at(self.m0), *self._sides(at))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the sum of the core and the tails."""
        return _log_integral(at, self.m0, self._sides(at), at.limits(self.x)) if over == (self.x,) else None

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """Where the tails begin, and points in the core and the tails."""
        return _breaks(at, self.m0, self._sides(at)) if observable == self.x else ()

    def _sides(self, at: Point):
        sides = (self.sigma_L, self.alpha_L, self.n_L), (self.sigma_R, self.alpha_R, self.n_R)
        return tuple((positive(at(s)), not_negative(at(a)), positive(at(n))) for s, a, n in sides)


def not_negative(parameter: Array) -> Array:
    """A parameter that has to be 0 or above: not a number where it is not."""
    return jnp.where(parameter >= 0, parameter, jnp.nan)


def _log_density(distance: Array, left, right) -> Array:
    is_left = distance < 0
    sigma, alpha, n = (jnp.where(is_left, a, b) for a, b in zip(left, right, strict=True))
    z = jnp.where(is_left, -distance, distance) / sigma
    in_tail = z > alpha
    alpha_ = jnp.where(in_tail, alpha, 0.0)
    tail = -0.5 * alpha_ * alpha_ - n * jnp.log1p(alpha_ / n * jnp.where(in_tail, z - alpha_, 0.0))
    invalid = jnp.isnan(alpha) | jnp.isnan(n)
    return jnp.where(invalid, jnp.nan, jnp.where(in_tail, tail, -0.5 * jnp.square(jnp.where(in_tail, 0.0, z))))


def _log_integral(at: Point, m0, sides, limits) -> Array:
    """ln of the integrals of the core and of the tail of both sides, which are one formula, seen in a mirror.

    `lo` and `hi` are distances from m0, (sides, ...).
    """
    (lo, hi), m0 = limits, at(m0)
    lo, hi, m0, *sides = jnp.broadcast_arrays(lo, hi, m0, *sides[0], *sides[1])
    lo, hi = (jnp.maximum(jnp.stack(each), 0.0) for each in ((m0 - hi, lo - m0), (m0 - lo, hi - m0)))
    sigma, alpha, n = (jnp.stack(each) for each in zip(sides[:3], sides[3:], strict=True))
    invalid, has_tail = jnp.isnan(alpha) | jnp.isnan(n), jnp.isfinite(alpha)
    alpha = jnp.where(has_tail, alpha, 0.0)
    start = alpha * sigma
    core = log_normal_part(lo, jnp.where(has_tail, jnp.minimum(hi, start), hi), jnp.zeros_like(sigma), sigma)
    near, empty = jnp.maximum(lo, start), ~has_tail | (jnp.maximum(lo, start) >= hi)
    near, far = (jnp.where(empty, start + i * sigma, each) for i, each in enumerate((near, hi)))
    near, far = (_scaled(each, start, sigma) for each in (near, far))
    tail = jnp.log(sigma) - 0.5 * alpha * alpha + log_power_integral(alpha / n, n, near, far)
    tail = jnp.where(invalid, jnp.nan, jnp.where(empty, -jnp.inf, tail))
    return log_sum(jnp.concatenate([core, tail]))


def _scaled(distance: Array, start: Array, sigma: Array) -> Array:
    """(distance - start)/sigma, infinite for an infinite distance."""
    infinite = jnp.isinf(distance)
    return jnp.where(infinite, jnp.inf, (jnp.where(infinite, start, distance) - start) / sigma)


def log_power_integral(k: Array, n: Array, near: Array, far: Array) -> Array:
    """ln of the integral of (1 + k d)^-n over 0 <= near < d < far; smooth through n = 1 and k = 0."""
    infinite = jnp.isinf(far)
    end = jnp.where(infinite, near + 1.0, far)
    span = (end - near) / (1 + k * near)
    log_near, log_width = jnp.log1p(k * near), jnp.log1p(k * span)
    mean_log = log_near + 0.5 * log_width  # of 1 + k d, in the middle of the range of its logarithm
    finite = jnp.log(span) + log_log1p_ratio(k * span) + (1 - n) * mean_log + log_sinhc(0.5 * (1 - n) * log_width)
    converges = (n > 1) & (k > 0)
    k_, more = jnp.where(converges, k, 1.0), jnp.where(converges, n - 1, 1.0)
    endless = (1 - n) * log_near - jnp.log(k_ * more)
    return jnp.where(infinite, jnp.where(converges, endless, jnp.inf), finite)


def log_log1p_ratio(q: Array) -> Array:
    """ln(ln(1 + q)/q) for q >= 0, smooth at 0."""
    small = q < 3e-3
    q_, series = jnp.where(small, q, 0.0), 0.0
    for k in (7, 6, 5, 4, 3, 2):
        series = -q_ * (1 / k + series)
    big = jnp.where(small, 1.0, q)
    return jnp.where(small, jnp.log1p(series), jnp.log(jnp.log1p(big) / big))


def _breaks(at: Point, m0, sides) -> tuple[Array, ...]:
    points = [at(m0)]
    for sign, (sigma, alpha, _) in zip((-1.0, 1.0), sides, strict=True):
        begin = jnp.where(jnp.isfinite(alpha), alpha, 6.0)
        shifts = [0.5 * begin, begin, *(begin + step for step in (1.0, 3.0, 9.0, 27.0, 81.0, 243.0))]
        points += [at(m0) + sign * sigma * shift for shift in shifts]
    return tuple(jax.lax.stop_gradient(points))
