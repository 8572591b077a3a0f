"""Densities of one peak: log-normal, generalised normal, bifurcated Gaussian, gamma and ARGUS."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from histjax.hs3.intervals import (
    inside,
    log_gamma_integral,
    log_normal_integral,
    log_normal_part,
    log_sum,
    positive,
    standardised,
)
from histjax.hs3.nodes import Argument, Distribution, Point, argument


@dataclass(frozen=True, kw_only=True)
class LogNormal(Distribution):
    r"""Log-normal: \(f = \frac{1}{x} \exp(-(\ln x - \mu)^2 / 2\sigma^2)\), x > 0 (HS3 "Log-Normal distribution";
    RooLognormal, whose m0 and k are \(e^\mu\) and \(e^\sigma\)).

    Keys `x`, `mu`, `sigma` > 0. Closed integral, as of the normal distribution in ln x.
    """

    types = ("lognormal_dist",)
    x: Argument = argument("x")
    mu: Argument = argument("mu")
    sigma: Argument = argument("sigma")

    def log_density(self, at: Point) -> Array:
        """-z^2/2 - ln x with z = (ln x - mu)/sigma."""
        x = at(self.x)
        log_x = jnp.log(jnp.where(x > 0, x, 1.0))
        return inside(x > 0, -0.5 * jnp.square((log_x - at(self.mu)) / positive(at(self.sigma))) - log_x)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of sigma times the integral of exp(-z^2/2)."""
        if over != (self.x,):
            return None
        sigma = positive(at(self.sigma))
        lo, hi = (standardised(log_limit(each), at(self.mu), sigma) for each in at.limits(self.x))
        return jnp.log(sigma) + log_normal_integral(lo, hi)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """Points that are a few sigma apart in ln x."""
        if observable != self.x:
            return ()
        return tuple(jnp.exp(at(self.mu) + shift * at(self.sigma)) for shift in (-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0))


@dataclass(frozen=True, kw_only=True)
class GeneralizedNormal(Distribution):
    r"""Generalised normal: \(f = \exp(-(|x - \mu| / \alpha)^\beta)\) (HS3 "Generalised Normal distribution", whose text
    names the type `gennormal_dist`; neither ROOT nor PyHS3 has it).

    Keys `x`, `mean`, `alpha` > 0, `beta` > 0. With t = (|x - mu|/alpha)^beta each side is a gamma integral of power
    1/beta. At the mean the derivative in x is taken as 0, which it is for beta > 1.
    """

    types = ("generalized_normal_dist", "gennormal_dist")
    x: Argument = argument("x")
    mean: Argument = argument("mean")
    alpha: Argument = argument("alpha")
    beta: Argument = argument("beta")

    def log_density(self, at: Point) -> Array:
        """-(|x - mean|/alpha)^beta."""
        z = (at(self.x) - at(self.mean)) / positive(at(self.alpha))
        return -_power(jnp.abs(z), positive(at(self.beta)))

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of alpha/beta times the gamma integrals of both sides."""
        if over != (self.x,):
            return None
        alpha, beta = positive(at(self.alpha)), positive(at(self.beta))
        lo, hi = (standardised(each, at(self.mean), alpha) for each in at.limits(self.x))
        near, far = (jnp.maximum(jnp.stack(each), 0.0) for each in ((lo, -hi), (hi, -lo)))
        empty = near >= far
        near, far = _power(jnp.where(empty, 0.0, near), beta), _power(jnp.where(empty, 1.0, far), beta)
        sides = jnp.where(empty, -jnp.inf, log_gamma_integral(1 / beta, jnp.ones_like(beta), near, far))
        return jnp.log(alpha / beta) + log_sum(sides)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The mean, and points where the logarithm has dropped by 1/16, 1, 6, 20 and 40."""
        if observable != self.x:
            return ()
        drops = jnp.asarray([-40.0, -20.0, -6.0, -1.0, -0.0625, 0.0, 0.0625, 1.0, 6.0, 20.0, 40.0])
        shifts = jnp.sign(drops) * _power(jnp.abs(drops), 1 / at(self.beta))
        return tuple(at(self.mean) + at(self.alpha) * shifts)


@dataclass(frozen=True, kw_only=True)
class BifurcatedGaussian(Distribution):
    r"""Two half Gaussians: \(f = \exp(-(x - \mu)^2 / 2\sigma^2)\), sigma = sigma_L below the mean and sigma_R above
    (RooBifurGauss; PDG, "asymmetric errors").

    Keys `x`, `mean`, `sigmaL` > 0, `sigmaR` > 0 (ROOT's spelling, and `sigma_L`, `sigma_R`). Closed integral.
    """

    types = ("bifurkated_gaussian_dist", "bifurcated_gaussian_dist")
    x: Argument = argument("x")
    mean: Argument = argument("mean")
    sigma_L: Argument = argument("sigmaL", "sigma_L")
    sigma_R: Argument = argument("sigmaR", "sigma_R")

    def log_density(self, at: Point) -> Array:
        """-z^2/2 of the side where x is."""
        distance = at(self.x) - at(self.mean)
        sigma = jnp.where(distance < 0, positive(at(self.sigma_L)), positive(at(self.sigma_R)))
        return -0.5 * jnp.square(distance / sigma)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the sum of both sides."""
        if over != (self.x,):
            return None
        (lo, hi), mean = at.limits(self.x), at(self.mean)
        left, right = positive(at(self.sigma_L)), positive(at(self.sigma_R))
        lo, hi, mean, left, right = jnp.broadcast_arrays(lo, hi, mean, left, right)
        starts, ends = jnp.stack([lo, jnp.maximum(lo, mean)]), jnp.stack([jnp.minimum(hi, mean), hi])
        return log_sum(log_normal_part(starts, ends, mean, jnp.stack([left, right])))

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The mean, and points that are a few sigma apart."""
        if observable != self.x:
            return ()
        left, right = at(self.sigma_L), at(self.sigma_R)
        shifts = (-9 * left, -6 * left, -3 * left, 0.0 * left, 3 * right, 6 * right, 9 * right)
        return tuple(at(self.mean) + shift for shift in shifts)


@dataclass(frozen=True, kw_only=True)
class Gamma(Distribution):
    r"""Gamma: \(f = (x - \mu)^{\gamma - 1} e^{-(x - \mu)/\beta}\), x >= mu (RooGamma; PDG "Statistics", gamma
    distribution).

    Keys `x`, `gamma` > 0, `beta` > 0, `mu`. A gamma integral to 1e-14. At x = mu the density is 0, 1 or (for
    gamma < 1) infinite; its derivatives there are taken as 0.
    """

    types = ("gamma_dist",)
    x: Argument = argument("x")
    gamma: Argument = argument("gamma")
    beta: Argument = argument("beta")
    mu: Argument = argument("mu", default=0.0)

    def log_density(self, at: Point) -> Array:
        """(gamma - 1) ln(x - mu) - (x - mu)/beta."""
        distance, power = at(self.x) - at(self.mu), positive(at(self.gamma)) - 1
        above = distance > 0
        powers = power * jnp.log(jnp.where(above, distance, 1.0))
        start = jnp.where(power > 0, -jnp.inf, jnp.where(power < 0, jnp.inf, 0.0))
        value = jnp.where(above, powers - distance / positive(at(self.beta)), jnp.where(distance == 0, start, -jnp.inf))
        return jnp.where(jnp.isnan(power), jnp.nan, value)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the gamma integral."""
        if over != (self.x,):
            return None
        lo, hi = (jnp.maximum(each - at(self.mu), 0.0) for each in at.limits(self.x))
        return log_gamma_integral(positive(at(self.gamma)), 1 / positive(at(self.beta)), lo, hi)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The start, the mode, and points around it."""
        if observable != self.x:
            return ()
        mode, width = jnp.maximum(at(self.gamma) - 1, 0.0), jnp.sqrt(at(self.gamma)) + 1
        shifts = (-6, -3, -1, 0, 1, 3, 6, 12, 24, 40)
        steps = [0.0 * mode, *(jnp.maximum(mode + shift * width, 0.0) for shift in shifts)]
        return tuple(at(self.mu) + at(self.beta) * step for step in steps)


@dataclass(frozen=True, kw_only=True)
class Argus(Distribution):
    r"""ARGUS background: \(f = m\,u^p\,e^{c u}\), u = 1 - (m/m0)^2, 0 <= m < m0 (HS3 "Argus distribution"; H. Albrecht
    et al., Phys. Lett. B 241 (1990) 278; RooArgusBG).

    Keys `mass` (or `x`, `m`), `resonance` (`m0`) > 0, `slope` (`c`), `power` (`p`) > -1, 1/2 where it is absent. In u
    it is a gamma integral of either sign of c, to 1e-14 (ROOT integrates numerically, 1e-4 away for a range next to m0,
    and knows the name `ARGUS_dist` only; PyHS3 has `argus_dist`).
    """

    types = ("argus_dist", "ARGUS_dist")
    x: Argument = argument("mass", "x", "m")
    resonance: Argument = argument("resonance", "m0")
    slope: Argument = argument("slope", "c")
    power: Argument = argument("power", "p", default=0.5)

    def log_density(self, at: Point) -> Array:
        """ln m + p ln u + c u."""
        m, end, power = at(self.x), positive(at(self.resonance)), _above_minus_one(at(self.power))
        support = (m > 0) & (m < end)
        m = jnp.where(support, m, 0.5 * end)
        u = (1 - m / end) * (1 + m / end)
        return inside(support, jnp.log(m) + power * jnp.log(u) + at(self.slope) * u)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of m0^2/2 times the gamma integral in u."""
        if over != (self.x,):
            return None
        end, power = positive(at(self.resonance)), _above_minus_one(at(self.power))
        upper, lower = (_argus_variable(each, end) for each in at.limits(self.x))
        return jnp.log(0.5 * end * end) + log_gamma_integral(power + 1, -at(self.slope), lower, upper)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The end, and points that approach it."""
        if observable != self.x:
            return ()
        return tuple(at(self.resonance) * (1 - 0.25**step) for step in range(1, 20))


def log_limit(limit: Array) -> Array:
    """ln of a limit: `-inf` at 0 and below, `inf` at infinity, with zero derivatives there."""
    regular = (limit > 0) & jnp.isfinite(limit)
    return jnp.where(regular, jnp.log(jnp.where(regular, limit, 1.0)), jnp.where(limit > 0, jnp.inf, -jnp.inf))


def _power(base: Array, exponent: Array) -> Array:
    """base^exponent for base >= 0, with zero derivatives at 0 and from e^80 on, where it stays."""
    logarithm = jnp.minimum(exponent * jnp.log(jnp.where(base > 0, base, 1.0)), 80.0)
    return jnp.where(base > 0, jnp.exp(logarithm), 0.0 * exponent)


def _argus_variable(limit: Array, end: Array) -> Array:
    regular = (limit > 0) & (limit < end)
    ratio = jnp.where(regular, limit, 0.5) / jnp.where(regular, end, 1.0)
    return jnp.where(regular, (1 - ratio) * (1 + ratio), jnp.where(limit > 0, 0.0, 1.0))


def _above_minus_one(power: Array) -> Array:
    return jnp.where(power > -1, power, jnp.nan)
