"""The log density of a published likelihood with tau = 2e11, where double precision loses 1e-3, against 60 digits.

`ATLAS-SUSY-2018-06` (four channels, one bin each) is evaluated here from the JSON document by the formulas of
CERN-OPEN-2012-016 in mpmath, independently of the package: code4 and code4p, additive before multiplicative.
"""

import json

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from tests.reference.corpus import CORPUS, ENTRIES, published

NAME = "atlas_susy_2018_06_3L_eRJR"
pytestmark = pytest.mark.skipif(NAME not in ENTRIES, reason="the corpus of published models is not here")
mp = mpmath.mp.clone()
mp.dps = 60

# powers 1 ... 6 by (r+ - 1, r- - 1, r+ ln r+, -r- ln r-, r+ ln^2 r+, r- ln^2 r-) / 16
POLYNOMIAL = [
    [15, -15, -7, -7, 1, -1],
    [24, 24, -9, 9, 1, 1],
    [-10, 10, 10, 10, -2, 2],
    [-24, -24, 14, -14, -2, -2],
    [3, -3, -3, -3, 1, -1],
    [8, 8, -5, 5, 1, 1],
]


def code4(alpha, lo, hi):
    """Factor of a normsys."""
    if alpha >= 1:
        return hi**alpha
    if alpha <= -1:
        return lo**-alpha
    log_lo, log_hi = mp.log(lo), mp.log(hi)
    matching = [hi - 1, lo - 1, hi * log_hi, -lo * log_lo, hi * log_hi**2, lo * log_lo**2]
    powers = [sum(c * m for c, m in zip(row, matching, strict=True)) / 16 for row in POLYNOMIAL]
    return 1 + sum(power * alpha ** (k + 1) for k, power in enumerate(powers))


def code4p(alpha, lo, nominal, hi):
    """Shift of a histosys."""
    above, below = hi - nominal, nominal - lo
    if alpha > 1:
        return alpha * above
    if alpha < -1:
        return alpha * below
    return alpha * ((above + below) / 2 + alpha * (above - below) / 16 * (15 - 10 * alpha**2 + 3 * alpha**4))


def log_poisson(n, nu):
    """ln Pois(n | nu) for real n."""
    return n * mp.log(nu) - nu - mp.loggamma(n + 1)


def log_gauss(x, mean, sigma):
    """ln Gauss(x | mean, sigma)."""
    return -(((x - mean) / sigma) ** 2) / 2 - mp.log(sigma) - mp.log(2 * mp.pi) / 2


def log_density(document: dict, point: dict):
    """ln L of a document at `{parameter: [values]}`."""
    mpf = mp.mpf
    observed = {each["name"]: each["data"] for each in document["observations"]}
    settings = {each["name"]: each for each in document["measurements"][0]["config"]["parameters"]}
    total, constraints = mpf(0), {}
    stat_b, stat_u = {}, {}
    for channel in document["channels"]:
        n_bins = len(channel["samples"][0]["data"])
        rates = [mpf(0)] * n_bins
        for sample in channel["samples"]:
            for b in range(n_bins):
                nominal = mpf(sample["data"][b])
                shift, factor = mpf(0), mpf(1)
                for modifier in sample["modifiers"]:
                    name, data, kind = modifier["name"], modifier["data"], modifier["type"]
                    value = [mpf(each) for each in point[name]]
                    if kind == "histosys":
                        shift += code4p(value[0], mpf(data["lo_data"][b]), nominal, mpf(data["hi_data"][b]))
                        constraints[name, 0] = log_gauss(0, value[0], 1)
                    elif kind == "normsys":
                        factor *= code4(value[0], mpf(data["lo"]), mpf(data["hi"]))
                        constraints[name, 0] = log_gauss(0, value[0], 1)
                    elif kind in ("normfactor", "lumi"):
                        factor *= value[0]
                        if kind == "lumi":
                            centre, sigma = settings[name]["auxdata"][0], settings[name]["sigmas"][0]
                            constraints[name, 0] = log_gauss(mpf(centre), value[0], mpf(sigma))
                    elif kind == "shapesys":
                        factor *= value[b]
                        valid = nominal > 0 and data[b] > 0
                        tau = (nominal / mpf(data[b])) ** 2 if valid else mpf(1)
                        constraints[name, b] = log_poisson(tau, tau * value[b])
                    elif kind == "staterror":
                        factor *= value[b]
                        key = name, b
                        assert constraints.setdefault((name, "channel"), channel["name"]) == channel["name"]
                        stat_b[key] = stat_b.get(key, 0) + nominal
                        stat_u[key] = stat_u.get(key, 0) + mpf(data[b]) ** 2
                rates[b] += (nominal + shift) * factor
        total += sum(log_poisson(mpf(n), nu) for n, nu in zip(observed[channel["name"]], rates, strict=True))
    for (name, b), yields in stat_b.items():
        valid = yields > 0 and stat_u[name, b] > 0
        constraints[name, b] = log_gauss(1, mpf(point[name][b]), mp.sqrt(stat_u[name, b]) / yields if valid else mpf(1))
    return total + sum(term for (_, place), term in constraints.items() if place != "channel")


@pytest.mark.parametrize("which", ["init", "p1"])
def test_log_density_to_twelve_digits(which):
    """Where pyhf's own value is off by 1e-3."""
    case = published(NAME)
    document = json.loads((CORPUS / case.entry["file"]).read_text())
    vector = jnp.asarray(case.reference[which], float)
    params = case.model.unravel(vector)
    point = {name: np.atleast_1d(value).tolist() for name, value in params.items()}
    expected = float(log_density(document, point))
    assert float(case.model.logpdf(params, case.model.data)) == pytest.approx(expected, rel=1e-12)
