"""CLs of counting models with one `shapesys` background in closed form: no fit, no histjax, no pyhf.

At fixed mu the nuisance parameter of a bin solves the quadratic gamma^2 b (b + tau) + gamma [(b + tau) mu s - b (n +
a)] - a mu s = 0 (the derivative of the log density set to 0), and mu-hat is a root of one increasing function.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr


@dataclass(frozen=True)
class Counting:
    """Signal `s`, background `b` +- `u`, observed `n`, per bin."""

    s: tuple[float, ...]
    b: tuple[float, ...]
    u: tuple[float, ...]
    n: tuple[float, ...]

    def document(self) -> dict:
        """The workspace."""
        signal = {
            "name": "signal",
            "data": list(self.s),
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        }
        shapesys = {"name": "uncorr_bkguncrt", "type": "shapesys", "data": list(self.u)}
        background = {"name": "background", "data": list(self.b), "modifiers": [shapesys]}
        return {
            "channels": [{"name": "singlechannel", "samples": [signal, background]}],
            "observations": [{"name": "singlechannel", "data": list(self.n)}],
            "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0",
        }

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """s, b, tau, n."""
        s, b, u, n = (np.asarray(each, float) for each in (self.s, self.b, self.u, self.n))
        return s, b, (b / u) ** 2, n


def gammas(mu, s, b, tau, n, a):
    """Conditional best fit of the background factors."""
    p, q, r = b * (b + tau), (b + tau) * mu * s - b * (n + a), -a * mu * s
    return (-q + np.sqrt(q * q - 4 * p * r)) / (2 * p)


def deviance(mu, s, b, tau, n, a):
    """-2 ln of the profile likelihood over that of the saturated model, without cancellation at large counts."""
    gamma = gammas(mu, s, b, tau, n, a)
    return 2 * (half_deviance(n, mu * s + gamma * b) + half_deviance(a, gamma * tau))


def half_deviance(n, expected):
    """Sum of n ln(n / nu) - n + nu."""
    filled = np.where(n > 0, n, 1.0)
    excess = (expected - filled) / filled
    return np.sum(np.where(n > 0, filled * (excess - np.log1p(excess)), expected))


def best(s, b, tau, n, a, lower):
    """mu-hat above `lower`."""

    def slope(mu):
        expected = mu * s + gammas(mu, s, b, tau, n, a) * b
        return np.sum(s - n * s / expected)

    if slope(lower) >= 0:
        return lower
    upper = lower + 1.0
    while slope(upper) < 0:
        upper *= 2
    return brentq(slope, lower, upper, xtol=1e-14, rtol=1e-14)


def q_tilde(mu, s, b, tau, n, a):
    """q~_mu."""
    hat = best(s, b, tau, n, a, 0.0)
    return 0.0 if hat > mu else max(deviance(mu, s, b, tau, n, a) - deviance(hat, s, b, tau, n, a), 0.0)


def cls(case: Counting, mu: float = 1.0) -> dict:
    """q~_mu, q_A, CLs, CLsb, CLb and the band, with arXiv:1007.1727."""
    s, b, tau, n = case.arrays
    q = q_tilde(mu, s, b, tau, n, tau)
    background = gammas(0.0, s, b, tau, n, tau)
    q_asimov = q_tilde(mu, s, b, tau, background * b, background * tau)
    root, root_asimov = np.sqrt(q), np.sqrt(q_asimov)
    shift = root - root_asimov if q <= q_asimov or q_asimov == 0 else (q - q_asimov) / (2 * root_asimov)
    CLsb, CLb = ndtr(-(shift + root_asimov)), ndtr(-shift)
    band = np.array([ndtr(-(k + root_asimov)) / ndtr(-k) for k in (2, 1, 0, -1, -2)])
    return {"q": q, "q_asimov": q_asimov, "CLs": CLsb / CLb, "CLsb": CLsb, "CLb": CLb, "band": band}


def upper_limit(case: Counting, level: float = 0.05) -> float:
    """The observed limit, by bisection on the closed form."""
    upper = 1.0
    while cls(case, upper)["CLs"] > level:
        upper *= 2
    return brentq(lambda mu: cls(case, mu)["CLs"] - level, 1e-9 * upper, upper, xtol=1e-13, rtol=1e-13)
