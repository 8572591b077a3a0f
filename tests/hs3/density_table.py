"""The densities of one variable, each with its formula in arbitrary precision and parameters that make it hard.

The formulae are those of the papers and of the text of the standard, written a second time with mpmath.
"""

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

inf = float("inf")


@dataclass(frozen=True)
class Case:
    """A density: its entry, its formula f(x, parameters, domain), boxes of random parameters, and hard points."""

    slug: str
    entry: dict
    formula: Callable
    box: dict[str, tuple[float, float]]
    range: tuple[float, float]
    hard: tuple[tuple[dict[str, float], tuple[float, float]], ...] = ()
    outside: tuple[float, ...] = ()
    x: str = "x"

    @property
    def middle(self) -> dict[str, float]:
        """The middle of the box."""
        return {name: 0.5 * (lo + hi) for name, (lo, hi) in self.box.items()}


def _gauss(x, p, domain):
    return mp.exp(-(((x - p["m"]) / p["s"]) ** 2) / 2)


def _bifurcated(x, p, domain):
    return mp.exp(-(((x - p["m"]) / (p["sl"] if x < p["m"] else p["sr"])) ** 2) / 2)


def _general_normal(x, p, domain):
    return mp.exp(-((abs(x - p["m"]) / p["a"]) ** mp.mpf(p["b"])))


def _lognormal(x, p, domain):
    return mp.exp(-(((mp.log(x) - p["mu"]) / p["k"]) ** 2) / 2) / x if x > 0 else mp.mpf(0)


def _exponential(x, p, domain):
    return mp.exp(-p["c"] * x)


def _gamma(x, p, domain):
    d = x - p["mu"]
    return d ** (mp.mpf(p["g"]) - 1) * mp.exp(-d / p["b"]) if d > 0 else mp.mpf(0)


def _argus(x, p, domain):
    u = 1 - (x / p["m0"]) ** 2
    return x * u ** mp.mpf(p["p"]) * mp.exp(p["c"] * u) if 0 < x < p["m0"] else mp.mpf(0)


def _tail(z, alpha, n):
    """The standard's A (B + z)^-n."""
    n, alpha = mp.mpf(n), mp.mpf(alpha)
    return (n / alpha) ** n * mp.exp(-(alpha**2) / 2) * (n / alpha - alpha + z) ** -n


def _crystal_ball(x, p, domain):
    z = (x - p["m0"]) / p["s"]
    z = -z if p["a"] < 0 else z
    return _tail(-z, abs(p["a"]), p["n"]) if z < -abs(p["a"]) else mp.exp(-(z**2) / 2)


def _double_crystal_ball(x, p, domain):
    side = "l" if x < p["m0"] else "r"
    z = abs(x - p["m0"]) / p["s" + side]
    return _tail(z, p["a" + side], p["n" + side]) if z > p["a" + side] else mp.exp(-(z**2) / 2)


def _landau(x, p, domain):
    """On the right the integral of the definition; on the left Bromwich's, along the vertical through the saddle point,
    which does not cancel there."""
    lam = (x - p["m"]) / mp.mpf(p["s"])
    if lam > 1:
        on_axis = lambda t: mp.exp(-lam * t - t * mp.log(t)) * mp.sin(mp.pi * t)  # noqa: E731
        ends = [k / lam for k in (0, mp.mpf("1e-6"), mp.mpf("1e-3"), mp.mpf("0.05"), 0.5, 1, 2, 4, 8, 16, 32, 64)]
        return mp.quad(on_axis, ends) / mp.pi
    start = mp.exp(-lam - 1)
    path = lambda y: mp.exp(lam * mp.mpc(start, y) + mp.mpc(start, y) * mp.log(mp.mpc(start, y)) + start).real  # noqa: E731
    width = mp.sqrt(start)
    ends = sorted({mp.mpf(0), *(width * k for k in (1, 2, 4, 7, 12, 25)), *(mp.mpf(k) for k in (1, 3, 7, 15, 40))})
    return mp.exp(-start) * mp.quad(path, ends) / mp.pi


def _polynomial(x, p, domain):
    return p["a0"] + p["a1"] * x + p["a2"] * x**2


def _chebychev(x, p, domain):
    z = 2 * (x - domain[0]) / (mp.mpf(domain[1]) - domain[0]) - 1
    return 1 + p["a1"] * z + p["a2"] * (2 * z**2 - 1) + p["a3"] * (4 * z**3 - 3 * z)


def _bernstein(x, p, domain):
    z = (x - domain[0]) / (mp.mpf(domain[1]) - domain[0])
    return sum(p[f"c{i}"] * mp.binomial(3, i) * z**i * (1 - z) ** (3 - i) for i in range(4))


def _power_sum(x, p, domain):
    return p["c0"] * x ** mp.mpf(p["e0"]) + p["c1"] * x ** mp.mpf(p["e1"]) if x > 0 else mp.mpf(0)


def _exp_poly(x, p, domain):
    return mp.exp(p["a1"] * x + p["a2"] * x**2)


def _breit_wigner(x, p, domain):
    def width(gamma, m1, m2, l, size):  # noqa: E741
        if x <= m1 + m2:
            return mp.mpf(0)
        q = mp.sqrt((x**2 - (m1 + m2) ** 2) * (x**2 - (m1 - m2) ** 2)) / (2 * x)
        z = q * size
        factor = {0: 1, 1: z**2 / (1 + z**2), 2: z**4 / (9 + 3 * z**2 + z**4)}[l]
        return gamma * factor * 2 * q / x

    first = width(p["g1"], mp.mpf("0.135"), mp.mpf("0.495"), 1, 3)
    total = first + width(p["g2"], mp.mpf("0.5"), mp.mpf("0.55"), 0, 3) + width(mp.mpf("0.01"), 0, 0, 2, p["r"])
    return x * first / ((p["m0"] ** 2 - x**2) ** 2 + (p["m0"] * total) ** 2)


def _steps(x, p, domain):
    return mp.mpf(2) if x < 1 else (mp.mpf(0) if x < 2 else mp.mpf(1))


def entry(kind: str, **keys) -> dict:
    """An entry of a document."""
    return {"type": kind, **keys}


MASS = ("m0", "s", "a", "n")
CASES = [
    Case(
        "gaussian",
        entry("gaussian_dist", x="x", mean="m", sigma="s"),
        _gauss,
        {"m": (-2, 5), "s": (0.3, 4)},
        (-2, 5),
        (
            ({"m": 0.0, "s": 1.0}, (-inf, inf)),
            ({"m": 0.0, "s": 1.0}, (30, 31)),
            ({"m": 0.0, "s": 1.0}, (-inf, -12)),
            ({"m": 40.0, "s": 0.5}, (-2, 5)),
            ({"m": 1.0, "s": 1e-3}, (-2, 5)),
            ({"m": 1.0, "s": 1e4}, (-2, 5)),
            ({"m": 1.0, "s": 1.0}, (1, 1 + 1e-6)),
        ),
    ),
    Case(
        "generalized_normal",
        entry("generalized_normal_dist", x="x", mean="m", alpha="a", beta="b"),
        _general_normal,
        {"m": (-1, 1), "a": (0.5, 2), "b": (1, 9)},
        (-3, 3),
        (
            ({"m": 0.0, "a": 1.0, "b": 2.0}, (-inf, inf)),
            ({"m": 0.0, "a": 1.0, "b": 0.6}, (-2, 9)),
            ({"m": 0.0, "a": 1.0, "b": 60.0}, (-2, 2)),
            ({"m": 0.0, "a": 1.0, "b": 4.0}, (2, 3)),
        ),
    ),
    Case(
        "lognormal",
        entry("lognormal_dist", x="x", mu="mu", sigma="k"),
        _lognormal,
        {"mu": (-1, 1), "k": (0.2, 2)},
        (0.2, 6),
        (({"mu": 0.0, "k": 1.0}, (0, inf)), ({"mu": 0.5, "k": 0.7}, (-1, 4)), ({"mu": 0.0, "k": 0.1}, (3, 6))),
        (0.0, -0.5),
    ),
    Case(
        "exponential",
        entry("exponential_dist", x="x", c="c"),
        _exponential,
        {"c": (-2, 2)},
        (0, 5),
        (
            ({"c": 0.0}, (0, 5)),
            ({"c": 1e-9}, (0, 5)),
            ({"c": 0.3}, (2, inf)),
            ({"c": -0.3}, (-inf, 2)),
            ({"c": 400.0}, (1, 9)),
        ),
    ),
    Case(
        "gamma",
        entry("gamma_dist", x="x", gamma="g", beta="b", mu="mu"),
        _gamma,
        {"g": (1.2, 9), "b": (0.3, 2), "mu": (-1, 0.05)},
        (0.1, 10),
        (
            ({"g": 0.3, "b": 1.0, "mu": 0.0}, (0.01, inf)),
            ({"g": 2.5, "b": 1.0, "mu": 0.5}, (0, 4)),
            ({"g": 400.0, "b": 0.02, "mu": 0.0}, (0, 40)),
            ({"g": 2.5, "b": 0.01, "mu": 0.0}, (5, 6)),
        ),
        (-1.5,),
    ),
    Case(
        "argus",
        entry("argus_dist", mass="x", resonance="m0", slope="c", power="p"),
        _argus,
        {"m0": (5.285, 5.295), "c": (-40, 5), "p": (0.2, 2)},
        (5.2, 5.28),
        (
            ({"m0": 5.29, "c": -20.0, "p": 0.5}, (5.2, 5.3)),
            ({"m0": 5.29, "c": 0.0, "p": 0.5}, (0, inf)),
            ({"m0": 1.0, "c": -300.0, "p": 3.0}, (0.1, 0.9)),
        ),
        (5.295, 5.4, -1.0),
    ),
    Case(
        "crystal_ball",
        entry("crystalball_dist", m="x", m0="m0", sigma="s", alpha="a", n="n"),
        _crystal_ball,
        {"m0": (-1, 1), "s": (0.5, 2), "a": (0.3, 3), "n": (1.1, 9)},
        (-6, 4),
        (
            ({"m0": 0.0, "s": 1.0, "a": -1.2, "n": 2.5}, (-4, 6)),
            ({"m0": 0.0, "s": 1.0, "a": 1.2, "n": 1.0}, (-60, 6)),
            ({"m0": 0.0, "s": 1.0, "a": 1.2, "n": 3.0}, (-inf, inf)),
            ({"m0": 0.0, "s": 1.0, "a": 1.2, "n": 500.0}, (-9, -2)),
            ({"m0": 0.0, "s": 1.0, "a": 4.0, "n": 2.0}, (-3, 3)),
        ),
    ),
    Case(
        "double_crystal_ball",
        entry(
            "crystalball_doublesided_dist",
            **{"m": "x", "m0": "m0", "sigma_L": "sl", "sigma_R": "sr"},
            **{"alpha_L": "al", "alpha_R": "ar", "n_L": "nl", "n_R": "nr"},
        ),
        _double_crystal_ball,
        {
            **{"m0": (-1, 1), "sl": (0.5, 2), "sr": (0.5, 2), "al": (0.3, 2)},
            **{"ar": (0.3, 2), "nl": (1.1, 9), "nr": (1.1, 9)},
        },
        (-6, 6),
    ),
    Case(
        "bifurcated",
        entry("bifurkated_gaussian_dist", x="x", mean="m", sigmaL="sl", sigmaR="sr"),
        _bifurcated,
        {"m": (-1, 1), "sl": (0.5, 2), "sr": (0.5, 2)},
        (-4, 6),
        (({"m": 0.0, "sl": 1.0, "sr": 2.0}, (-inf, inf)), ({"m": 0.0, "sl": 0.1, "sr": 2.0}, (-9, -2))),
    ),
    Case(
        "landau",
        entry("landau_dist", x="x", mean="m", sigma="s"),
        _landau,
        {"m": (0, 2), "s": (0.7, 3)},
        (-2, 20),
    ),
    Case(
        "uniform",
        entry("uniform_dist", x="x"),
        lambda x, p, domain: mp.mpf(1),
        {},
        (1, 4),
    ),
    Case(
        "polynomial",
        entry("polynomial_dist", x="x", coefficients=["a0", "a1", "a2"]),
        _polynomial,
        {"a0": (0.5, 2), "a1": (-0.1, 1), "a2": (0.1, 1)},
        (0, 3),
        (({"a0": 0.0, "a1": 1.0, "a2": 0.0}, (0, 3)), ({"a0": 1.0, "a1": 0.0, "a2": 1.0}, (1e3, 1e3 + 1e-3))),
    ),
    Case(
        "chebychev",
        entry("chebychev_dist", x="x", coefficients=["a1", "a2", "a3"]),
        _chebychev,
        {"a1": (-0.3, 0.3), "a2": (-0.3, 0.3), "a3": (-0.3, 0.3)},
        (-1, 4),
        (({"a1": 1.0, "a2": 0.0, "a3": 0.0}, (-1, 4)),),
    ),
    Case(
        "bernstein",
        entry("bernstein_poly_dist", x="x", coefficients=["c0", "c1", "c2", "c3"]),
        _bernstein,
        {f"c{i}": (0.1, 2) for i in range(4)},
        (1, 4),
        (({"c0": 0.0, "c1": 1.0, "c2": 2.0, "c3": 0.0}, (1, 4)),),
    ),
    Case(
        "power_sum",
        entry("power_sum_dist", x="x", coefficients=["c0", "c1"], exponents=["e0", "e1"]),
        _power_sum,
        {"c0": (0.1, 2), "c1": (0.1, 2), "e0": (-3, 3), "e1": (-3, 3)},
        (0.5, 4),
        (
            ({"c0": 1.0, "c1": 2.0, "e0": -1.0, "e1": 0.0}, (0.5, 4)),
            ({"c0": 2.0, "c1": -1.0, "e0": 1.0, "e1": 2.0}, (0, 1.5)),
        ),
        (-0.5,),
    ),
    Case(
        "exp_poly",
        entry("legacy_exp_poly_dist", x="x", coefficients=["1.0", "a1", "a2"]),
        _exp_poly,
        {"a1": (-1, 1), "a2": (-1, 0.2)},
        (-1, 4),
    ),
    Case(
        "breit_wigner",
        entry(
            "relativistic_breit_wigner_dist",
            x="x",
            mass="m0",
            channels=[
                {"name": "observed", "Gamma": "g1", "m1": 0.135, "m2": 0.495, "l": 1},
                {"Gamma": "g2", "m1": 0.5, "m2": 0.55},
                {"Gamma": 0.01, "l": 2, "R": "r"},
            ],
        ),
        _breit_wigner,
        {"m0": (0.85, 1.2), "g1": (0.03, 0.2), "g2": (0.03, 0.2), "r": (1, 4)},
        (0.6, 1.6),
        (({"m0": 0.9, "g1": 1e-3, "g2": 1e-3, "r": 3.0}, (0.7, 1.4)),),
        (0.5, 0.0),
    ),
    Case(
        "histogram",
        entry("histogram_dist", data={"axes": [{"name": "x", "edges": [0, 1, 2, 4]}], "contents": [2, 0, 2]}),
        _steps,
        {},
        (0.3, 3.8),
        (({}, (0.0, 4.0)), ({}, (-1.0, 1.7))),
        (1.5, -1.0, 5.0),
    ),
]
BY_SLUG = {case.slug: case for case in CASES}
