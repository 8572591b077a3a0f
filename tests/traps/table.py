"""The table of traps: models on which the tools of today fail, mislead or give NaN, and what is wanted instead.

`T01` ... `T50` are tested one by one in this folder, by tests that bear their names. A document is as small as the bug
report allows, with the numbers of the report. `threads` name the report as `project#number`.
"""

from dataclasses import dataclass, field

import mpmath
import numpy as np

from tests.inference.closed_form import Counting, best, deviance
from tests.workspaces import counting, histosys, log_gauss, mu, normsys, sample, shapesys, staterror, workspace

UNIT_GAUSS = log_gauss(0, 0, 1)


@dataclass(frozen=True)
class Trap:
    """One trap.

    **Fields:**

    - `wanted`: what has to happen, in a sentence.
    - `documents`: workspaces by name, the one of the report first; empty where the trap needs none, or a published one.
    - `twice_nll`: the smallest -2 ln L of that first document, from outside histjax; `None` where nothing is fitted.
    - `origin`: where `twice_nll` comes from.
    """

    id: str
    title: str
    threads: str
    wanted: str
    documents: dict[str, dict] = field(default_factory=dict)
    twice_nll: float | None = None
    origin: str = ""

    def __str__(self) -> str:
        return self.id

    @property
    def document(self) -> dict:
        """The workspace of the report."""
        return next(iter(self.documents.values()))


# --- independent numbers ---------------------------------------------------------------------------------------------


def saturated(*counts: float) -> float:
    """-2 sum ln Pois(n | n) by mpmath: what a model reaches that describes all its counts exactly."""
    with mpmath.workdps(40):
        terms = [n * mpmath.log(n) - n - mpmath.loggamma(n + 1) if n else 0 for n in map(mpmath.mpf, counts)]
        return float(-2 * sum(terms))


def counting_minimum(case: Counting) -> float:
    """Smallest -2 ln L of a counting model, mu >= 0, in closed form."""
    s, b, tau, n = case.arrays
    hat = best(s, b, tau, n, tau, 0.0)
    return float(deviance(hat, s, b, tau, n, tau)) + saturated(*n, *tau)


def counting_document(case: Counting, *settings: dict) -> dict:
    """The same model as a workspace."""
    return counting(*map(list, (case.s, case.b, case.u, case.n)), *settings)


def one_bin(n: float, *samples: dict, settings: tuple = (), poi: str = "mu") -> dict:
    """A workspace of one bin."""
    return workspace({"singlechannel": list(samples)}, {"singlechannel": [n]}, *settings, poi=poi)


def one_bounded_in(lower: float, upper: float) -> dict:
    """Bounds on mu."""
    return {"name": "mu", "bounds": [[lower, upper]]}


# --- counting models -------------------------------------------------------------------------------------------------

LARGE = Counting((4000, 9386.207), (5e6, 1612950.8), (1000000.1, 322590.16), (5e6, 1612950.8))
_TEN_BINS = (
    (11153054.0, 5122485.5, 1612950.8, 623655.0, 288350.78, 133780.98, 68429.08, 29384.553, 16960.21, 7732.061),
    (2230610.8, 1024497.1, 322590.16, 124731.0, 57670.156, 26756.197, 13685.815, 5876.9106, 3392.0422, 1546.4122),
)
TEN_BINS = {
    "first": (1868621.6, 524542.7, 147379.1, 47125.387, 17630.66, 6192.0015, 2552.428, 1039.878, 567.20624, 94.53437),
    "second": (231463.62, 190822.11, 72307.73, 24744.96, 9013.512, 3147.5251, 1226.3401, 441.045, 175.23, 120.825005),
}
TEN_BINS = {name: Counting(signal, *_TEN_BINS, _TEN_BINS[0]) for name, signal in TEN_BINS.items()}
HELLO = Counting((12, 11), (50, 52), (3, 7), (51, 48))
EXCESS = Counting((12, 11), (50, 52), (3, 7), (62, 66))
TINY_SIGNAL = Counting((0.005,), (28,), (5,), (28,))
FAR_LIMIT = Counting((0.1,), (50,), (5,), (50,))
NEAR_LIMIT = Counting((1e4,), (50,), (5,), (45,))
HUGE_SIGNAL = Counting((93.2, 802.6), (0.49, 0.69), (0.1, 0.2), (1, 0))
DISCOVERY = Counting((25,), (50,), (7,), (80,))

# --- other models ----------------------------------------------------------------------------------------------------

INVERTED = histosys("bkguncrt", [60.0], [40.0])
SIGNAL = sample("signal", [7.0], mu())
NEGATIVE_RATE = sample("background", [10.0], histosys("shape", [25.0], [-5.0]))
TOYS = one_bin(
    17.352095513005104,
    sample("signal", [1.0], mu()),
    sample("background", [16.69251820997423], histosys("shape", [15.514643568862834], [17.87039285108563])),
    settings=(one_bounded_in(-10.0, 10.0),),
)


def measured_normalisation(yields: float) -> dict:
    """A free signal strength and a log-normal normalisation of 2.6 % on one sample."""
    return one_bin(yields, sample("signal", [yields], mu(), normsys("norm", 1 / 1.026, 1.026)))


def interference(init: float) -> dict:
    """A signal mu l + mu^2 q on a background; the square comes with a factor in Python."""
    samples = [
        sample("background", [40.0, 60.0]),
        sample("linear", [2.0, 6.0], mu()),
        sample("quadratic", [4.0, 3.0]),
    ]
    settings = {"name": "mu", "bounds": [[-10.0, 10.0]], "inits": [init]}
    return workspace({"SR": samples}, {"SR": [75.0, 64.0]}, settings)


def many_bins(n_bins: int, scale: float = 1.0) -> dict:
    """A falling spectrum with a peak, two shapes, a normalisation and a statistical uncertainty in every bin."""
    x = np.linspace(0.0, 1.0, n_bins)
    background = scale * 1e3 * np.exp(-3 * x)
    signal = scale * 60 * np.exp(-0.5 * ((x - 0.6) / 0.05) ** 2)
    tilt = 0.05 * (x - 0.5)
    samples = [
        sample("signal", signal.tolist(), mu(), normsys("lumi_norm", 0.97, 1.03)),
        sample(
            "background",
            background.tolist(),
            histosys("tilt", (background * (1 - tilt)).tolist(), (background * (1 + tilt)).tolist()),
            histosys("bend", (background * (1 - tilt**2)).tolist(), (background * (1 + 2 * tilt**2)).tolist()),
            normsys("lumi_norm", 0.97, 1.03),
            normsys("xsec", 0.9, 1.1),
            staterror("stat", (0.02 * background).tolist()),
        ),
    ]
    observed = np.round(background * (1 + 0.3 * tilt) + 0.7 * signal)
    return workspace({"spectrum": samples}, {"spectrum": observed.tolist()})


TABLE = [
    Trap(
        "T01",
        "large yields, weak signal: a wrong CLs without an error",
        "pyhf#2232",
        "CLs = 0.7218095 with mu-hat = 0, continuous in mu to 1e-8",
        {"two bins": counting_document(LARGE, one_bounded_in(0.0, 100.0))},
        saturated(*LARGE.n, *LARGE.arrays[2]),
        "closed form: mu = 0 describes the data exactly",
    ),
    Trap(
        "T02",
        "ten bins from 1e7 to 8e3 events, two signals",
        "pyhf#2232",
        "both limits are found and nothing is raised",
        {name: counting_document(case) for name, case in TEN_BINS.items()},
        saturated(*TEN_BINS["first"].n, *TEN_BINS["first"].arrays[2]),
        "closed form: mu = 0 describes the data exactly",
    ),
    Trap(
        "T03",
        "a trivial minimum that is missed",
        "pyhf#1591",
        "mu = 0 and alpha = 0 to 1e-8, and mu is flagged as lying on its bound",
        {"one bin": one_bin(50.0, SIGNAL, sample("background", [50.0], INVERTED))},
        saturated(50) - 2 * UNIT_GAUSS,
        "closed form: mu = alpha = 0 describes the data exactly",
    ),
    Trap(
        "T04",
        "nothing observed, and a rate that goes to zero with mu",
        "pyhf#1040",
        "at mu = 0 the value is 0 and the gradient finite; the fit ends at mu = 0",
        {"one bin": one_bin(0.0, sample("signal", [3.0], mu()))},
        0.0,
        "closed form: ln Pois(0 | 3 mu) = -3 mu",
    ),
    Trap(
        "T05",
        "a bin that is empty in all samples and in the data",
        "pyhf#293, pyhf#180, pyhf#1852",
        "it contributes exactly 0 to value, gradient and Hessian",
        {
            "with": workspace(
                {"singlechannel": [sample("signal", [5.0, 0.0], mu()), sample("background", [50.0, 0.0])]},
                {"singlechannel": [52.0, 0.0]},
            ),
            "without": one_bin(52.0, sample("signal", [5.0], mu()), sample("background", [50.0])),
        },
        saturated(52),
        "closed form: 50 + 5 mu = 52",
    ),
    Trap(
        "T06",
        "an event in a bin that is empty in all samples",
        "pyhf#1852",
        "an error that names channel and bin",
        {
            "two bins": workspace(
                {"singlechannel": [sample("signal", [5.0, 0.0], mu()), sample("background", [50.0, 0.0])]},
                {"singlechannel": [52.0, 1.0]},
            )
        },
    ),
    Trap(
        "T07",
        "a normsys of 100 %, lo = 0",
        "pyhf#2379, root#13749",
        "exactly nominal at alpha = 0, finite everywhere, constant below alpha = -1",
        {
            "one bin": one_bin(
                27.0, sample("signal", [5.0], mu()), sample("background", [20.0], normsys("full", 0.0, 2.0))
            )
        },
        saturated(27) - 2 * UNIT_GAUSS,
        "closed form: 20 + 5 mu = 27 with alpha = 0",
    ),
    Trap(
        "T08",
        "a histosys that drives the total rate below zero",
        "pyhf#2093, pyhf#1845, cabinetry#404",
        "a finite value whose gradient pushes back; the rate may be clipped on request",
        {"one bin": one_bin(12.0, sample("signal", [3.0], mu()), NEGATIVE_RATE)},
        saturated(12) - 2 * UNIT_GAUSS,
        "closed form: 10 + 3 mu = 12 with alpha = 0",
    ),
    Trap(
        "T09",
        "variations of a negative total, given as factors",
        "cabinetry#404",
        "the document is rejected, with the names of sample and modifier",
        {
            "one bin": one_bin(
                12.0, sample("signal", [3.0], mu()), sample("background", [10.0], normsys("shape_norm", -0.2, -0.1))
            )
        },
    ),
    Trap(
        "T10",
        "a log-normal that blows up from a tiny nominal yield",
        "rabbit#146",
        "a warning that names sample and modifier",
        {
            "one bin": one_bin(
                12.0,
                sample("signal", [3.0], mu()),
                sample("background", [10.0]),
                sample("residual", [1e-6], normsys("blowup", float(np.exp(-40.0)), float(np.exp(40.0)))),
            )
        },
    ),
    Trap(
        "T11",
        "a staterror that is partly fixed",
        "pyhf#1944, cabinetry#340, cabinetry#396",
        "bin by bin: the component without yield is held at 1, the other floats",
        {
            "two bins": workspace(
                {"SR": [sample("sample_1", [0.0, 1.0], staterror("staterror_SR", [0.1, 0.1]))]},
                {"SR": [0.0, 1.0]},
                poi="",
            )
        },
        saturated(1) - 2 * (UNIT_GAUSS + log_gauss(1, 1, 0.1)),
        "closed form: gamma = 1 describes the data exactly",
    ),
    Trap(
        "T12",
        "a staterror on a sample of negative yield",
        "pyhf#2577",
        "held, with a warning, as pyhf does; floating with width sqrt(sum u^2)/|sum b| on request",
        {
            "one bin": one_bin(
                450.0,
                sample("signal", [-50.0], staterror("staterror_SR", [10.0])),
                sample("background", [500.0]),
                poi="",
            )
        },
        saturated(450) - 2 * UNIT_GAUSS,
        "closed form: 500 - 50 = 450",
    ),
    Trap(
        "T13",
        "a staterror that leaks to other samples",
        "pyhf#1720, pyhf#1945, pyhf#1965",
        "gamma multiplies the samples that carry it and no other",
        {
            "two bins": workspace(
                {
                    "SR": [
                        sample("signal", [10.0, 8.0], mu()),
                        sample("background", [50.0, 60.0], staterror("staterror_SR", [5.0, 12.0])),
                    ]
                },
                {"SR": [60.0, 68.0]},
            )
        },
        saturated(60, 68) - 2 * (log_gauss(1, 1, 0.1) + log_gauss(1, 1, 0.2)),
        "closed form: mu = 1 describes the data exactly",
    ),
    Trap(
        "T14",
        "a shapesys without uncertainty or without yield in a bin",
        "pyhf#775, pyhf#766, pyhf#1525, pyhf#1740",
        "held at 1 with width 0; its constraint is a constant, pyhf's Pois(1 | 1)",
        {"two bins": counting([1.0, 1.0], [5.0, 5.0], [0.0, 1.0], [5.0, 5.0])},
        saturated(5, 5, 1, 25),
        "closed form: mu = 0 describes the data exactly",
    ),
    Trap(
        "T15",
        "a shapesys shared between samples",
        "pyhf#1967",
        "an error that says so and names both samples",
        {
            "one bin": one_bin(
                60.0,
                sample("signal", [5.0], mu(), shapesys("shared", [1.0])),
                sample("background", [50.0], shapesys("shared", [5.0])),
            )
        },
    ),
    Trap(
        "T16",
        "auxiliary counts that are not integer",
        "pyhf#2545",
        "a Poisson term with Gamma(n + 1) for n!",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T17",
        "the test statistic as mu goes to 0",
        "pyhf#1278, cabinetry#197",
        "never negative, smooth in mu, and right to 1e-8",
        {"two bins": counting_document(EXCESS)},
        counting_minimum(EXCESS),
        "closed form of the counting model",
    ),
    Trap(
        "T18",
        "a division by sqrt(q) = 0",
        "pyhf#529, pyhf#1992, pyhf#1993",
        "CLs is that of the closed form, and its gradient finite where q vanishes",
        {"one bin": counting_document(TINY_SIGNAL)},
        counting_minimum(TINY_SIGNAL),
        "closed form of the counting model",
    ),
    Trap(
        "T19",
        "q~ where mu-hat < 0 and a second minimum lies above 0",
        "pyhf#2352",
        "equation 16 of arXiv:1007.1727 to the letter: L(0) in the denominator",
        {"from above": interference(init=1.0), "from below": interference(init=-2.0)},
    ),
    Trap(
        "T20",
        "a limit beyond the bound of the parameter of interest",
        "pyhf#2228, pyhf#762, pyhf#620",
        "the limit is found",
        {"one bin": counting_document(FAR_LIMIT)},
        counting_minimum(FAR_LIMIT),
        "closed form of the counting model",
    ),
    Trap(
        "T21",
        "a bracket that is excluded at its lower edge",
        "cabinetry#495",
        "the search goes down",
        {"one bin": counting_document(NEAR_LIMIT)},
        counting_minimum(NEAR_LIMIT),
        "closed form of the counting model",
    ),
    Trap(
        "T22",
        "a fixed parameter outside its bounds",
        "pyhf#1123",
        "the value is used as given: tests of 6 and 7 differ with bounds of [0, 5]",
        {
            "one bin": one_bin(
                65.0,
                sample("signal", [10.0], mu()),
                sample("background", [50.0]),
                settings=(one_bounded_in(0.0, 5.0),),
            )
        },
        saturated(65),
        "closed form: 50 + 10 mu = 65",
    ),
    Trap(
        "T23",
        "a signal a thousand times the background",
        "pyhf#1850",
        "CLs underflows, its logarithm does not",
        {"two bins": counting_document(HUGE_SIGNAL)},
        counting_minimum(HUGE_SIGNAL),
        "closed form of the counting model",
    ),
    Trap(
        "T24",
        "NaN at a grid point of high CLs",
        "pyhf#1857, pyhf#1320",
        "ATLAS-SUSY-2018-06 with a signal at mu = 0.999: finite",
    ),
    Trap(
        "T25",
        "a hypothesis test that never ends",
        "pyhf#1037",
        "ATLAS-SUSY-2019-08 with the signal of the report: it ends, and an iteration limit ends in a status",
    ),
    Trap(
        "T26",
        "a profile at large negative mu",
        "pyhf#1886",
        "ATLAS-SUSY-2019-08 at mu = -1.08 and -1.09: the minimum, from a cold start and from the neighbour",
    ),
    Trap(
        "T27",
        "code2 jumps at |alpha| = 1",
        "pyhf#2729, pyhf#2668",
        "ROOT's continuous form; pyhf's form by its own name",
        {"one bin": one_bin(2.0, sample("background", [2.0], histosys("shape", [1.0], [3.5])), poi="")},
        saturated(2) - 2 * UNIT_GAUSS,
        "closed form: alpha = 0 describes the data exactly",
    ),
    Trap(
        "T28",
        "the kinks of code0 and code1",
        "cabinetry#92",
        "a fit whose minimum is the kink converges with alpha = 0; the default codes are smooth",
        {
            "code0": one_bin(
                60.0, sample("signal", [5.0], mu()), sample("background", [50.0], histosys("kink", [40.0], [45.0]))
            ),
            "code1": one_bin(
                60.0, sample("signal", [5.0], mu()), sample("background", [50.0], normsys("kink", 0.8, 0.9))
            ),
        },
        saturated(60) - 2 * UNIT_GAUSS,
        "closed form: 50 + 5 mu = 60 with alpha = 0",
    ),
    Trap(
        "T29",
        "the constants of the polynomial interpolation",
        "HS3#103",
        "code4p is the one polynomial of sixth degree that meets the linear parts with two derivatives",
    ),
    Trap(
        "T30",
        "single precision",
        "pyhf#981, pyhf#271, pyhf#1145",
        "double precision by default; with float32 the errors stay below a stated budget",
        {"120 bins": many_bins(120)},
    ),
    Trap(
        "T31",
        "a likelihood of 1e7 that has to be resolved to 1e-2",
        "root#11939, root#13986, pyhf#254",
        "the objective is 0 for Asimov data whatever the yields, and its differences keep their digits",
        {"120 bins": many_bins(120, scale=1e6)},
    ),
    Trap(
        "T32",
        "a Hessian that depends on what was evaluated before",
        "root#7659",
        "the same numbers at the same point, bit by bit",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T33",
        "a constraint that the Hessian gives a width other than 1",
        "combine#498",
        "sigma = 1 to 1e-10 for 1e3 to 1e8 events",
        {f"{yields:g} events": measured_normalisation(yields) for yields in (1e3, 1.5e5, 1e8)},
        saturated(1e3) - 2 * UNIT_GAUSS,
        "closed form: the nominal model describes the data exactly",
    ),
    Trap(
        "T34",
        "a Hessian with a parameter on its bound",
        "combine#481, pyhf#1294",
        "the covariance is that of the free parameters, and the held one is flagged",
        {"one bin": one_bin(45.0, SIGNAL, sample("background", [50.0], INVERTED))},
    ),
    Trap(
        "T35",
        "a floating parameter without effect",
        "combine#481, rabbit#177",
        "the fit says that the likelihood is flat and names the parameter",
        {"one bin": one_bin(26.0, sample("signal", [0.0], mu("unused")), sample("background", [20.0], mu()))},
        saturated(26),
        "closed form: 20 mu = 26",
    ),
    Trap(
        "T36",
        "frozen parameters in the Hessian",
        "rabbit#177",
        "they leave the reduced system, which converges in a few steps",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T37",
        "nothing floats",
        "pyhf#2637, combine#641, combine#723",
        "-2 ln L and a covariance of zeros",
        {
            "one bin": one_bin(
                6.0, sample("signal", [5.0], mu()), settings=({"name": "mu", "inits": [1.0], "fixed": True},)
            )
        },
        float(-2 * (6 * np.log(5.0) - 5.0 - np.log(720.0))),
        "closed form: -2 ln Pois(6 | 5)",
    ),
    Trap(
        "T38",
        "a batch of fits",
        "pyhf#2060",
        "`vmap` over datasets is the loop over them",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T39",
        "a toy that fails takes the batch with it",
        "pyhf#1427, pyhf#2529, optimistix#66",
        "a status per toy: a broken one is counted and the others stay as they are",
        {"one bin": TOYS},
        saturated(17.352095513005104) - 2 * UNIT_GAUSS,
        "closed form: mu is free and describes the data exactly",
    ),
    Trap(
        "T40",
        "toys from the wrong nuisance parameters",
        "pyhf#1610",
        "data are generated at the conditional best fit, auxiliary data too",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T41",
        "q0 of toys differs from the asymptotic q0",
        "pyhf#1792",
        "one definition for one dataset, mapped over toys",
        {"one bin": counting_document(DISCOVERY)},
        counting_minimum(DISCOVERY),
        "closed form of the counting model",
    ),
    Trap(
        "T42",
        "the expected band with outcomes above the tested value",
        "pyhf#993, pyhf#1159, pyhf#966",
        "both conventions, by name",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T43",
        "a toy limit that stops at an error of 100 %",
        "combine#1232, combine#1266",
        "it stops on the relative error, which is part of the result",
        {"two bins": counting_document(HELLO)},
    ),
    Trap(
        "T44",
        "Asimov data that change between toys",
        "combine#466",
        "pure functions: drawing and fitting toys changes nothing",
        {"two bins": counting_document(HELLO)},
        counting_minimum(HELLO),
        "closed form of the counting model",
    ),
    Trap(
        "T45",
        "a ranking that steps outside the physical range",
        "cabinetry#512",
        "the step stays inside the bounds and is flagged",
        {"one bin": counting([5.0], [1.0], [1.5], [7.0])},
        counting_minimum(Counting((5,), (1,), (1.5,), (7,))),
        "closed form of the counting model",
    ),
    Trap(
        "T46",
        "correlations between staterrors missing in the band of a channel",
        "cabinetry#323, cabinetry#324",
        "the uncertainty of a sum of bins follows from the whole covariance",
        {
            "two bins": workspace(
                {
                    "SR": [
                        sample("signal", [10.0, 8.0], mu()),
                        sample("background", [50.0, 60.0], staterror("staterror_SR", [5.0, 12.0])),
                    ]
                },
                {"SR": [60.0, 68.0]},
            )
        },
        saturated(60, 68) - 2 * (log_gauss(1, 1, 0.1) + log_gauss(1, 1, 0.2)),
        "closed form: mu = 1 describes the data exactly",
    ),
    Trap(
        "T47",
        "goodness of fit with auxiliary data moved, or with none",
        "cabinetry#378, cabinetry#208",
        "the saturated model describes main and auxiliary data exactly, wherever they lie",
        {
            "two bins": workspace(
                {
                    "SR": [
                        sample("signal", [10.0, 8.0], mu()),
                        sample("background", [50.0, 60.0], histosys("norm", [45.0, 54.0], [55.0, 66.0])),
                    ]
                },
                {"SR": [70.0, 58.0]},
            ),
            "without auxiliary data": workspace(
                {"SR": [sample("signal", [10.0, 8.0], mu()), sample("background", [50.0, 60.0])]},
                {"SR": [70.0, 58.0]},
            ),
        },
    ),
    Trap(
        "T48",
        "several minima within a unit of 2 NLL",
        "rabbit#150",
        "all of them are found and reported, the lowest first",
        {"one bin": one_bin(60.0, sample("background", [50.0], histosys("shape", [60.0], [55.0])), poi="")},
    ),
    Trap(
        "T49",
        "a term of the Hessian lost where parameters are profiled away",
        "rabbit#132",
        "the uncertainty of mu is the curvature of its profile, with all gammas free",
        {"two bins": counting_document(EXCESS)},
        counting_minimum(EXCESS),
        "closed form of the counting model",
    ),
    Trap(
        "T50",
        "large arrays captured by compiled programs",
        "jax#10596, jax#14655",
        "no program of the package holds a constant of more than 1 kB",
        {"120 bins": many_bins(120)},
    ),
]

TRAPS = {trap.id: trap for trap in TABLE}

SHORTFALLS: dict[str, str] = {
    "T50_jit_of_a_method": "jax.jit of a bound method makes constants of the model",
}
"""What is not met yet, with the reason: a trap, or one of its tests by the beginning of its name (without `test_`).

These tests *have to fail*: one that passes fails the run until it is taken off the list.
"""
