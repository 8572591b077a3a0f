"""A table of small workspaces, written by hand, with what makes each of them hard and numbers from outside.

Every behaviour runs over the whole table; a newcomer joins by adding one entry. The table itself is
tested, in `tests/model/test_table.py`.
"""

import math
from dataclasses import dataclass, field

import numpy as np

import histjax

TAGS = {
    "zero bin": "a bin in which nothing is expected",
    "shared parameter": "one parameter drives several modifiers",
    "one-sided variation": "both templates of a variation lie on the same side of nominal",
    "parameter at bound": "the best fit lies on a bound",
    "hole": "a component of a bin-wise set that a rule on empty bins holds fixed",
    "several channels": "channels that the document does not list in alphabetical order",
    "several measurements": "more than one measurement in the document",
    "overrides": "a measurement that sets inits, bounds, auxdata, sigmas, factors or fixed",
    "no poi": "no parameter of interest",
    "negative yields": "a sample with a negative nominal yield",
    "negative expectation": "points within the bounds at which a total expectation is negative",
    "ratio not positive": "a normsys factor that has no logarithm",
    "real data": "observed counts that are not integer",
    "product": "several factors multiply one cell",
    "flat": "a direction in which the likelihood does not change",
    "large numbers": "counts at which a textbook Poisson density loses digits",
    "nothing free": "every parameter is fixed",
}


@dataclass(frozen=True)
class Case:
    """One workspace.

    **Fields:**

    - `document`: the workspace as parsed JSON; `measurement` is the one to use (the first where `None`).
    - `logpdf_init`, `twice_nll`, `best_fit`: log density at the initial point, minimum of -2 ln L, best-fit values by
      name; `None` and empty where no source outside this project gives them.
    - `origin`: where these numbers come from.
    - `without_pyhf`: why pyhf cannot be compared with; empty where it can.
    """

    slug: str
    tags: tuple[str, ...]
    document: dict
    logpdf_init: float | None
    twice_nll: float | None
    best_fit: dict[str, float | list[float]] = field(default_factory=dict)
    origin: str = ""
    measurement: str | None = None
    without_pyhf: str = ""

    def __str__(self) -> str:
        return self.slug

    @property
    def modifier_types(self) -> set[str]:
        """The modifier types of the document."""
        samples = [sample for channel in self.document["channels"] for sample in channel["samples"]]
        return {modifier["type"] for sample in samples for modifier in sample["modifiers"]}


# --- the words of the documents --------------------------------------------------------------------------------------


def mu(name: str = "mu") -> dict:
    """A normfactor."""
    return {"name": name, "type": "normfactor", "data": None}


def normsys(name: str, lo: float, hi: float) -> dict:
    """A normsys."""
    return {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}


def histosys(name: str, lo: list, hi: list) -> dict:
    """A histosys."""
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}


def shapesys(name: str, uncertainty: list) -> dict:
    """A shapesys."""
    return {"name": name, "type": "shapesys", "data": uncertainty}


def staterror(name: str, uncertainty: list) -> dict:
    """A staterror."""
    return {"name": name, "type": "staterror", "data": uncertainty}


def shapefactor(name: str) -> dict:
    """A shapefactor."""
    return {"name": name, "type": "shapefactor", "data": None}


LUMI = {"name": "lumi", "type": "lumi", "data": None}


def sample(name: str, data: list, *modifiers: dict) -> dict:
    """A sample."""
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def workspace(channels: dict, data: dict, *settings: dict, poi: str = "mu", measurements: list | None = None) -> dict:
    """A workspace of `{channel: [samples]}` and `{channel: counts}`; one measurement with `settings` unless given."""
    return {
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [{"name": name, "data": counts} for name, counts in data.items()],
        "measurements": measurements or [measurement("measurement", poi, *settings)],
        "version": "1.0.0",
    }


def measurement(name: str, poi: str, *settings: dict) -> dict:
    """A measurement."""
    return {"name": name, "config": {"poi": poi, "parameters": list(settings)}}


def counting(signal: list, background: list, uncertainty: list, data: list, *settings: dict) -> dict:
    """pyhf's `uncorrelated_background` as a workspace: signal with `mu`, background with a shapesys."""
    samples = [
        sample("signal", signal, mu()),
        sample("background", background, shapesys("uncorr_bkguncrt", uncertainty)),
    ]
    return workspace({"singlechannel": samples}, {"singlechannel": data}, *settings)


# --- closed forms ----------------------------------------------------------------------------------------------------


def log_poisson(n: float, nu: float) -> float:
    """ln Pois(n | nu) in double precision, by the textbook formula; good to 1e-12 below a thousand counts."""
    return (n * math.log(nu) if n else 0.0) - nu - math.lgamma(n + 1)


def log_gauss(x: float, mean: float, sigma: float) -> float:
    """ln Gauss(x | mean, sigma)."""
    return -0.5 * ((x - mean) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)


UNIT_GAUSS = log_gauss(0, 0, 1)

_LUMI_SETTINGS = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.1], "bounds": [[0.5, 1.5]], "inits": [1.0]}
_EXAMPLE_CHANNEL = [
    sample("signal", [20.0, 10.0], normsys("syst1", 0.95, 1.05), mu("SigXsecOverSM"), LUMI),
    sample(
        "background1", [100.0, 0.0], LUMI, staterror("staterror_channel1", [5.0, 0.0]), normsys("syst2", 0.95, 1.05)
    ),
    sample(
        "background2", [0.0, 100.0], LUMI, staterror("staterror_channel1", [0.0, 10.0]), normsys("syst3", 0.95, 1.05)
    ),
]
_EVERYTHING = {
    "zeta": [
        sample(
            "signal",
            [6.0, 9.0],
            mu(),
            LUMI,
            normsys("jes", 0.93, 1.08),
            histosys("tilt", [5.5, 10.0], [6.5, 8.2]),
            staterror("stat_zeta", [0.5, 0.6]),
        ),
        sample(
            "background",
            [40.0, 30.0],
            LUMI,
            histosys("jes", [38.0, 28.0], [43.0, 31.0]),
            normsys("xsec", 0.9, 1.12),
            shapesys("uncorrelated", [4.0, 2.0]),
            staterror("stat_zeta", [2.0, 1.5]),
        ),
    ],
    "alpha": [
        sample("fake", [12.0, 7.0], shapefactor("fakes"), normsys("jes", 0.98, 1.03)),
        sample("background", [80.0, 60.0], LUMI, normsys("xsec", 0.9, 1.12), staterror("stat_alpha", [3.0, 2.5])),
    ],
}
_OVERRIDES = [
    {"name": "mu", "inits": [0.5], "bounds": [[-2.0, 5.0]]},
    {"name": "uncorr_bkguncrt", "inits": [1.1, 0.95], "factors": [200.0, 60.0], "auxdata": [210.0, 55.0]},
    {"name": "stat", "sigmas": [0.05, 0.02], "auxdata": [1.02, 0.99], "bounds": [[0.5, 1.5], [0.8, 1.2]]},
    {"name": "syst", "auxdata": [0.3], "inits": [0.2], "bounds": [[-3.0, 3.0]]},
    {"name": "held", "inits": [1.3], "fixed": True},
]

TABLE = [
    Case(
        "two-bins",
        ("parameter at bound",),
        counting([12.0, 11.0], [50.0, 52.0], [3.0, 7.0], [51.0, 48.0]),
        logpdf_init=-15.387627173157341,
        twice_nll=24.98393520034108,
        best_fit={"mu": 0.0, "uncorr_bkguncrt": [1.0030508474576271, 0.9626808831497556]},
        origin="pyhf 0.7.6 (documentation of pyhf.infer.mle, minimum polished); at mu = 0 gamma = (n + tau)/(b + tau)",
    ),
    Case(
        "correlated-background",
        ("parameter at bound",),
        workspace(
            {
                "single_channel": [
                    sample("signal", [12.0, 11.0], mu()),
                    sample(
                        "background", [50.0, 52.0], histosys("correlated_bkg_uncertainty", [55.0, 47.0], [45.0, 57.0])
                    ),
                ]
            },
            {"single_channel": [51.0, 48.0]},
        ),
        logpdf_init=-9.64813426184306,
        twice_nll=13.538895058686572,
        best_fit={"mu": 0.0, "correlated_bkg_uncertainty": -0.24822979418125926},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "shared-shapefactor",
        ("shared parameter", "several channels"),
        workspace(
            {
                "signal": [
                    sample("sig", [20.0, 20.0], mu()),
                    sample("bkg1", [100.0, 70.0], shapefactor("coupled_shapefactor")),
                ],
                "control": [sample("background", [100.0, 100.0], shapefactor("coupled_shapefactor"))],
            },
            {"signal": [220.0, 230.0], "control": [200.0, 300.0]},
        ),
        logpdf_init=sum(log_poisson(n, nu) for n, nu in ((220, 120), (230, 90), (200, 100), (300, 100))),
        twice_nll=-2 * sum(log_poisson(n, n) for n in (220, 230, 200, 300)),
        best_fit={"mu": 1.0, "coupled_shapefactor": [2.0, 3.0]},
        origin="closed form: mu = 1, gamma = (2, 3) describes the data exactly",
    ),
    Case(
        "coupled-histosys",
        ("shared parameter", "several channels", "parameter at bound"),
        workspace(
            {
                "signal": [
                    sample("signal", [30.0, 35.0], mu()),
                    sample("bkg1", [100.0, 100.0], histosys("coupled", [90.0, 90.0], [110.0, 110.0])),
                    sample("bkg2", [50.0, 120.0], histosys("coupled", [45.0, 45.0], [55.0, 55.0])),
                ],
                "control": [sample("background", [105.0, 100.0], histosys("coupled", [95.0, 90.0], [110.0, 115.0]))],
            },
            {"signal": [110.0, 105.0], "control": [170.0, 220.0]},
        ),
        logpdf_init=-157.5728914369483,
        twice_nll=137.6762806672754,
        best_fit={"mu": 0.0, "coupled": 2.216580171967972},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "same-name",
        ("shared parameter",),
        workspace(
            {
                "SR": [
                    sample("signal", [5.0, 8.0], mu(), normsys("jes", 0.9, 1.15)),
                    sample(
                        "background",
                        [40.0, 35.0],
                        histosys("jes", [37.0, 33.5], [44.0, 36.0]),
                        normsys("jes", 0.95, 1.02),
                    ),
                ]
            },
            {"SR": [52.0, 40.0]},
        ),
        logpdf_init=-7.205960455241742,
        twice_nll=14.168663125631408,
        best_fit={"mu": 0.8492641267347122, "jes": 0.4446137880516355},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "one-sided",
        ("one-sided variation",),
        workspace(
            {
                "SR": [
                    sample("signal", [6.0, 4.0], mu(), normsys("scale", 1.1, 1.1)),
                    sample(
                        "background",
                        [30.0, 50.0],
                        histosys("shape", [30.0, 50.0], [33.0, 52.0]),
                        normsys("side", 1.0, 1.08),
                    ),
                ]
            },
            {"SR": [41.0, 55.0]},
        ),
        logpdf_init=-8.800073791767804,
        twice_nll=16.98964868158344,
        best_fit={"mu": 1.7016404371288247, "side": -0.03176287755790471, "scale": 0.0, "shape": 0.0},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "zero-bin",
        ("zero bin",),
        workspace(
            {"SR": [sample("signal", [5.0, 0.0], mu()), sample("background", [50.0, 0.0], normsys("one", 1.0, 1.0))]},
            {"SR": [52.0, 0.0]},
        ),
        logpdf_init=log_poisson(52, 55) + UNIT_GAUSS,
        twice_nll=-2 * (log_poisson(52, 52) + UNIT_GAUSS),
        best_fit={"mu": 0.4, "one": 0.0},
        origin="closed form: 50 + 5 mu = 52; the empty bin contributes nothing (pyhf issue 293)",
    ),
    Case(
        "shapesys-hole",
        ("hole", "parameter at bound"),
        counting([20.0, 10.0], [100.0, 10.0], [10.0, 0.0], [100.0, 10.0]),
        logpdf_init=-14.359648071648811,
        twice_nll=-2 * (log_poisson(100, 100) + log_poisson(10, 10) + log_poisson(100, 100) + log_poisson(1, 1)),
        best_fit={"mu": 0.0, "uncorr_bkguncrt": [1.0, 1.0]},
        origin="closed form: mu = 0 describes the data exactly; pyhf keeps Pois(1 | 1) for the hole",
    ),
    Case(
        "staterror",
        ("hole", "zero bin"),
        workspace(
            {
                "SR": [
                    sample("signal", [4.0, 0.0, 3.0], mu(), staterror("stat", [0.8, 0.0, 0.5])),
                    sample("top", [30.0, 0.0, 20.0], staterror("stat", [2.0, 0.0, 1.0])),
                    sample("other", [10.0, 5.0, 8.0]),
                ]
            },
            {"SR": [48.0, 6.0, 27.0]},
        ),
        logpdf_init=-4.769218881315496,
        twice_nll=9.48111613101504,
        best_fit={"mu": 0.93222890506, "stat": [1.011874348788, 1.0, 0.993584450132]},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "staterror-two-channels",
        ("shared parameter", "several channels"),
        workspace(
            {
                "SR": [
                    sample("background", [20.0, 15.0], staterror("stat", [1.5, 1.2])),
                    sample("signal", [5.0, 6.0], mu()),
                ],
                "CR": [sample("background", [90.0], staterror("stat", [4.0]), normsys("norm", 0.9, 1.1))],
            },
            {"SR": [27.0, 18.0], "CR": [85.0]},
        ),
        logpdf_init=-3.9709550711186647,
        twice_nll=7.672786052505909,
        best_fit={
            "mu": 0.820995989986,
            "norm": -0.245860069765,
            "stat": [0.995330911137, 1.012244039874, 0.991293127201],
        },
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "lumi",
        ("overrides",),
        workspace(
            {"SR": [sample("signal", [20.0], mu()), sample("background", [100.0], LUMI)]},
            {"SR": [112.0]},
            {"name": "lumi", "auxdata": [1.0], "sigmas": [0.1], "bounds": [[0.5, 1.5]], "inits": [1.0]},
        ),
        logpdf_init=log_poisson(112, 120) + log_gauss(1, 1, 0.1),
        twice_nll=-2 * (log_poisson(112, 112) + log_gauss(1, 1, 0.1)),
        best_fit={"mu": 0.6, "lumi": 1.0},
        origin="closed form: 20 mu + 100 = 112",
    ),
    Case(
        "several-measurements",
        ("several measurements", "overrides", "hole", "zero bin", "several channels"),
        workspace(
            {"channel1": _EXAMPLE_CHANNEL},
            {"channel1": [122.0, 112.0]},
            measurements=[
                measurement("other", "SigXsecOverSM", _LUMI_SETTINGS),
                measurement(
                    "GaussExample",
                    "SigXsecOverSM",
                    _LUMI_SETTINGS | {"fixed": True},
                    {"name": "SigXsecOverSM", "bounds": [[0.0, 3.0]], "inits": [1.0]},
                ),
            ],
        ),
        logpdf_init=-4.547940322678508,
        twice_nll=9.030157810665914,
        best_fit={"SigXsecOverSM": 1.115381350691},
        origin="HistFactory's example.xml, minimum of pyhf 0.7.6 polished to a gradient below 1e-13",
        measurement="GaussExample",
    ),
    Case(
        "overrides",
        ("overrides", "product"),
        workspace(
            {
                "SR": [
                    sample("signal", [12.0, 11.0], mu(), normsys("syst", 0.9, 1.1)),
                    sample("background", [50.0, 52.0], shapesys("uncorr_bkguncrt", [3.0, 7.0]), mu("held")),
                    sample("top", [20.0, 30.0], staterror("stat", [1.0, 2.0])),
                ]
            },
            {"SR": [95.0, 99.0]},
            *_OVERRIDES,
        ),
        logpdf_init=-9.295375325895657,
        twice_nll=17.568843146475302,
        best_fit={
            "mu": 0.563438532369,
            "held": 1.3,
            "syst": 0.3,
            "stat": [1.019742059132, 0.990067533609],
            "uncorr_bkguncrt": [1.048242500226, 0.922516022983],
        },
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "no-poi",
        ("no poi",),
        workspace({"CR": [sample("background", [30.0], normsys("norm", 0.8, 1.25))]}, {"CR": [30.0]}, poi=""),
        logpdf_init=log_poisson(30, 30) + UNIT_GAUSS,
        twice_nll=-2 * (log_poisson(30, 30) + UNIT_GAUSS),
        best_fit={"norm": 0.0},
        origin="closed form: the nominal model describes the data exactly",
    ),
    Case(
        "negative-yields",
        ("negative yields",),
        workspace(
            {
                "SR": [
                    sample("interference", [-3.0, -1.0], mu("sqrt"), normsys("scale", 0.9, 1.1)),
                    sample("background", [40.0, 20.0], staterror("stat", [2.0, 1.0])),
                ]
            },
            {"SR": [35.0, 22.0]},
            poi="sqrt",
        ),
        logpdf_init=-2.212923523818804,
        twice_nll=4.391729018751045,
        best_fit={"sqrt": 0.993089203436, "scale": 0.0, "stat": [0.995049982433, 1.00742502635]},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "negative-rate",
        ("negative expectation", "one-sided variation"),
        workspace(
            {"SR": [sample("signal", [3.0], mu()), sample("background", [10.0], histosys("shape", [25.0], [-5.0]))]},
            {"SR": [12.0]},
        ),
        logpdf_init=log_poisson(12, 13) + UNIT_GAUSS,
        twice_nll=-2 * (log_poisson(12, 12) + UNIT_GAUSS),
        best_fit={"mu": 2 / 3, "shape": 0.0},
        origin="closed form: 10 + 3 mu = 12 with alpha = 0 (template of pyhf issue 2093)",
    ),
    Case(
        "normsys-zero",
        ("ratio not positive",),
        workspace(
            {"SR": [sample("signal", [5.0], mu()), sample("background", [20.0], normsys("full", 0.0, 2.0))]},
            {"SR": [27.0]},
        ),
        logpdf_init=log_poisson(27, 25) + UNIT_GAUSS,
        twice_nll=-2 * (log_poisson(27, 27) + UNIT_GAUSS),
        best_fit={"mu": 1.4, "full": 0.0},
        origin="closed form: exactly nominal at alpha = 0",
        without_pyhf="NaN for all |alpha| < 1 (pyhf issue 2379)",
    ),
    Case(
        "real-data",
        ("real data",),
        counting([5.0, 10.0], [50.0, 60.0], [5.0, 12.0], [52.25, 63.5]),
        logpdf_init=-12.029902247461699,
        twice_nll=23.29872045839619,
        best_fit={"mu": 0.390158921163, "uncorr_bkguncrt": [1.001944230175, 0.995364490075]},
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "alpha-width",
        ("overrides",),
        workspace(
            {"SR": [sample("signal", [5.0], mu()), sample("background", [20.0], normsys("norm", 0.8, 1.3))]},
            {"SR": [26.0]},
            {"name": "norm", "sigmas": [0.5], "auxdata": [0.0]},
        ),
        logpdf_init=log_poisson(26, 25) + log_gauss(0, 0, 0.5),
        twice_nll=-2 * (log_poisson(26, 26) + log_gauss(0, 0, 0.5)),
        best_fit={"mu": 1.2, "norm": 0.0},
        origin="closed form: 20 + 5 mu = 26",
        without_pyhf="it rejects sigmas of a normsys",
    ),
    Case(
        "everything",
        ("shared parameter", "several channels", "product", "overrides"),
        workspace(
            _EVERYTHING,
            {"zeta": [50.0, 37.0], "alpha": [95.0, 64.0]},
            _LUMI_SETTINGS | {"sigmas": [0.02], "bounds": [[0.9, 1.1]]},
        ),
        logpdf_init=-9.676209272628423,
        twice_nll=18.96593161027752,
        best_fit={
            "mu": 0.8925314468341313,
            "jes": 0.10279842322308946,
            "tilt": 0.053162863482189626,
            "lumi": 1.0004603911127523,
            "xsec": 0.1282297709033911,
            "fakes": [1.1487446440886022, 0.44398845569584594],
            "uncorrelated": [1.0225952159935723, 0.9950754936998462],
            "stat_alpha": [1.0, 1.0],
            "stat_zeta": [1.0051012768132788, 0.9975896191557384],
        },
        origin="pyhf 0.7.6, its JAX gradient and Hessian polished to a gradient below 1e-13",
    ),
    Case(
        "flat",
        ("flat",),
        workspace(
            {"SR": [sample("signal", [0.0], mu()), sample("background", [20.0], mu("norm"))]},
            {"SR": [26.0]},
        ),
        logpdf_init=log_poisson(26, 20),
        twice_nll=-2 * log_poisson(26, 26),
        best_fit={"norm": 1.3},
        origin="closed form: 20 norm = 26; mu does nothing",
    ),
    Case(
        "two-factors",
        ("product", "parameter at bound"),
        workspace(
            {"SR": [sample("signal", [5.0, 7.0], mu(), mu("kappa")), sample("background", [50.0, 40.0], mu("norm"))]},
            {"SR": [60.0, 30.0]},
            {"name": "kappa", "inits": [2.0], "fixed": True},
        ),
        logpdf_init=log_poisson(60, 60) + log_poisson(30, 54),
        twice_nll=-2 * (log_poisson(60, 50) + log_poisson(30, 40)),
        best_fit={"mu": 0.0, "norm": 1.0},
        origin="closed form: at mu = 0 norm = 90/90; the slope in mu there is 10 (1 - 60/50) + 14 (1 - 30/40) > 0",
    ),
    Case(
        "large-yields",
        ("large numbers", "parameter at bound"),
        counting(
            [4000.0, 9386.207],
            [5e6, 1612950.8],
            [1000000.1, 322590.16],
            [5e6, 1612950.8],
            {"name": "mu", "bounds": [[0.0, 100.0]]},
        ),
        logpdf_init=None,
        twice_nll=None,
        best_fit={"mu": 0.0, "uncorr_bkguncrt": [1.0, 1.0]},
        origin="closed form: mu = 0 describes the data exactly (pyhf issue 2232)",
    ),
    Case(
        "easy-minimum",
        ("parameter at bound",),
        workspace(
            {"SR": [sample("signal", [7.0], mu()), sample("background", [50.0], histosys("shape", [60.0], [40.0]))]},
            {"SR": [50.0]},
        ),
        logpdf_init=log_poisson(50, 57) + UNIT_GAUSS,
        twice_nll=-2 * (log_poisson(50, 50) + UNIT_GAUSS),
        best_fit={"mu": 0.0, "shape": 0.0},
        origin="closed form: mu = alpha = 0 describes the data exactly (pyhf issue 1591)",
    ),
    Case(
        "nothing-seen",
        ("parameter at bound", "zero bin"),
        workspace({"SR": [sample("signal", [3.0], mu())]}, {"SR": [0.0]}),
        logpdf_init=-3.0,
        twice_nll=0.0,
        best_fit={"mu": 0.0},
        origin="closed form: ln Pois(0 | 3 mu) = -3 mu (pyhf issue 1040)",
    ),
    Case(
        "precise-background",
        ("large numbers",),
        counting([5.0], [2000.0], [2000.0 / math.sqrt(2e11)], [2004.0]),
        logpdf_init=None,
        twice_nll=None,
        best_fit={"mu": 0.8, "uncorr_bkguncrt": [1.0]},
        origin="closed form: 2000 + 5 mu = 2004",
        without_pyhf="its log density loses 1e-3 where tau = 2e11",
    ),
    Case(
        "nothing-free",
        ("nothing free", "overrides"),
        workspace(
            {"SR": [sample("signal", [5.0], mu())]},
            {"SR": [6.0]},
            {"name": "mu", "inits": [1.0], "fixed": True},
        ),
        logpdf_init=log_poisson(6, 5),
        twice_nll=-2 * log_poisson(6, 5),
        best_fit={"mu": 1.0},
        origin="closed form",
    ),
]

BY_SLUG = {case.slug: case for case in TABLE}
WITH_PYHF = [case for case in TABLE if not case.without_pyhf]
MODIFIER_TYPES = {"histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"}


def points(case: Case, parameters: "histjax.model.parameters.Parameters", count: int = 3) -> np.ndarray:
    """The initial point and `count` random ones near it, `(count + 1, parameters)`, within the bounds.

    They are the same in every run. A displacement is half a prefit width, or a third of the value of a free parameter.
    """
    generator = np.random.default_rng([ord(letter) for letter in case.slug])
    init, widths = np.asarray(parameters.init), np.asarray(parameters.widths)
    spread = np.where(np.isnan(widths), 0.3 * np.maximum(np.abs(init), 0.5), 0.5 * widths)
    drawn = init + spread * generator.normal(size=(count, init.size))
    drawn = np.clip(drawn, np.asarray(parameters.lower), np.asarray(parameters.upper))
    return np.vstack([init, np.where(np.asarray(parameters.fixed), init, drawn)])
