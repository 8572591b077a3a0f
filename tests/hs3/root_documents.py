"""Documents that ROOT (and where it can, PyHS3) reads as well: each density alone, mixtures, products, two channels.

The standard library alone, so that the scripts of `tests/reference` run with any interpreter.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "../shared/corpus/hs3_samples/bench_1ch.json"

ROOT_TWO_PI = math.sqrt(2 * math.pi)
Point = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A document and the points where its likelihood is compared.

    **Fields:** `pyhs3`: whether PyHS3 0.4.2 reads it and is right; `tolerance`: of differences of -ln L, where ROOT's
    numerical integral allows no better; `offset`: what ROOT adds to -ln L besides: N ln n_channels for N events, and
    constraints that are no factors of a product lack their constant.
    """

    slug: str
    document: dict
    points: tuple[Point, ...]
    binned: str = "integrals"
    pyhs3: bool = False
    tolerance: float = 1e-8
    offset: float = 0.0


def axis(name: str, low: float, high: float, **more) -> dict:
    """A range of a variable."""
    return {"name": name, "min": low, "max": high, **more}


def unbinned(name: str, axes: list[dict], rows: list[list[float]], **more) -> dict:
    """Events."""
    return {"name": name, "type": "unbinned", "axes": axes, "entries": rows, **more}


def document(
    distributions: list[dict],
    pairs: list[tuple[str, dict]],
    values: Point,
    *,
    functions: list[dict] | None = None,
    aux: list[str] | None = None,
    constant: tuple[str, ...] = (),
    ranges: dict[str, tuple[float, float]] | None = None,
    auxiliary: tuple[str, ...] = (),
) -> dict:
    """A whole document of distributions and data in pairs; parameters range over +-100 unless `ranges` has them.

    ROOT normalises constraints over the global observables that have a domain of their own, `auxiliary`.
    """
    data = [datum for _, datum in pairs]
    observed = {each["name"]: (each["min"], each["max"]) for datum in data for each in datum["axes"]}
    limits = dict.fromkeys(values, (-100.0, 100.0)) | observed | (ranges or {})
    domains = {"default_domain": {name: each for name, each in limits.items() if name not in auxiliary}}
    if auxiliary:
        domains["default_domain_global_observables"] = {name: limits[name] for name in auxiliary}
    likelihood = {"name": "L", "distributions": [name for name, _ in pairs], "data": [each["name"] for each in data]}
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "functions": functions or [],
        "data": data,
        "likelihoods": [likelihood | ({"aux_distributions": aux} if aux else {})],
        "domains": [
            {"name": name, "type": "product_domain", "axes": [axis(each, *limits[each]) for each in names]}
            for name, names in domains.items()
        ],
        "parameter_points": [
            {
                "name": "default_values",
                "parameters": [
                    {"name": name, "value": value} | ({"const": True} if name in constant else {})
                    for name, value in values.items()
                ],
            }
        ],
        "analyses": [
            {
                "name": "L",
                "likelihood": "L",
                "domains": list(domains),
                "parameters_of_interest": [name for name in values if name not in constant][:1],
                "init": "default_values",
            }
        ],
    }


def spread(low: float, high: float) -> list[list[float]]:
    """Events all over a range, its ends included."""
    return [[low + (high - low) * part] for part in (0.0, 0.004, 0.13, 0.31, 0.5, 0.77, 0.87, 0.999, 1.0)]


def alone(slug: str, entry: dict, limits: tuple[float, float], points: list[Point], **more) -> Case:
    """One distribution of x on events."""
    rows = more.pop("rows", spread(*limits))
    data = unbinned("d", [axis("x", *limits)], rows)
    functions = more.pop("functions", None)
    values = points[0]
    return Case(
        slug, document([{"name": "pdf"} | entry], [("pdf", data)], values, functions=functions), tuple(points), **more
    )


def points(*rows: tuple[float, ...], names: str) -> list[Point]:
    """Points from rows of values."""
    return [dict(zip(names.split(), map(float, row), strict=True)) for row in rows]


GAUSSIAN = {"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"}
SIDES = {"sigma_L": "sl", "sigma_R": "sr", "alpha_L": "al", "alpha_R": "ar", "n_L": "nl", "n_R": "nr"}
COUNTS = [[0.0], [1.0], [3.0], [4.0], [4.0], [9.0], [17.0]]

ALONE = [
    alone("gaussian", GAUSSIAN, (-2, 5), points((1, 1.3), (-2, 0.4), (9, 2.5), (1, 40), names="m s"), pyhs3=True),
    alone("normal", GAUSSIAN | {"type": "normal_dist"}, (-2, 5), points((1, 1.3), (-2, 0.4), (9, 2.5), names="m s")),
    alone(
        "lognormal",
        {"type": "lognormal_dist", "x": "x", "mu": "mu", "sigma": "k"},
        (0.2, 6),
        points((0.4, 0.5), (-1, 0.3), (2, 1.9), (0.1, 8), names="mu k"),
        pyhs3=True,
    ),
    alone(
        "exponential",
        {"type": "exponential_dist", "x": "x", "c": "c"},
        (0, 5),
        points((0.7,), (-1.3,), (1e-3,), (12,), names="c"),
        pyhs3=True,
    ),
    alone(
        "poisson",
        {"type": "poisson_dist", "x": "x", "mean": "l", "integer": True},
        (0, 20),
        points((4.2,), (0.1,), (15,), names="l"),
        rows=COUNTS,
    ),
    alone(
        "argus",
        {"type": "ARGUS_dist", "mass": "x", "resonance": "m0", "slope": "c", "power": "p"},
        (5.2, 5.28),
        points((5.291, -20, 0.5), (5.2801, -40, 0.5), (5.3, 3, 1.2), names="m0 c p"),
        rows=spread(5.2, 5.279),
        tolerance=1e-3,
    ),
    alone(
        "crystal_ball",
        {"type": "crystalball_dist", "m": "x", "m0": "m0", "sigma": "s", "alpha": "a", "n": "n"},
        (-6, 4),
        points((0, 1, 1.5, 3), (1, 0.4, 0.2, 1.5), (-1, 2, -1.2, 9), (0, 1, 5, 1.01), names="m0 s a n"),
    ),
    alone(
        "double_crystal_ball",
        {"type": "crystalball_doublesided_dist", "m": "x", "m0": "m0"} | SIDES,
        (-6, 6),
        points(
            (0.1, 1, 1.2, 1.5, 1.7, 3, 4),
            (-2, 0.5, 2, 0.3, 3, 1.2, 20),
            (0, 1, 1, 2, 2, 1, 5),
            names="m0 sl sr al ar nl nr",
        ),
    ),
    alone(
        "polynomial",
        {"type": "polynomial_dist", "x": "x", "coefficients": ["a0", "a1", "a2"]},
        (0, 3),
        points((1, 0.5, 0.25), (0.1, 3, -0.9), (5, -2, 0.3), names="a0 a1 a2"),
        pyhs3=True,
    ),
    alone(
        "chebychev",
        {"type": "chebychev_dist", "x": "x", "coefficients": ["a1", "a2"]},
        (-1, 4),
        points((0.3, -0.2), (-0.5, 0.3), (0.99, 0.01), names="a1 a2"),
    ),
    alone(
        "bernstein",
        {"type": "bernstein_poly_dist", "x": "x", "coefficients": ["a0", "a1", "a2"]},
        (1, 4),
        points((1, 0.5, 2), (0.01, 3, 0.02), (7, 0, 1), names="a0 a1 a2"),
        rows=spread(1, 4)[:-1],  # at the upper end RooBernstein is not a number
    ),
    alone(
        "bernstein_unit",
        {"type": "bernstein_poly_dist", "x": "x", "coefficients": ["a0", "a1", "a2"]},
        (0, 1),
        points((1, 0.5, 2), (0.01, 3, 0.02), (7, 0, 1), names="a0 a1 a2"),
        rows=spread(0, 1)[:-1],
        pyhs3=True,
    ),
    alone(
        "landau",
        {"type": "landau_dist", "x": "x", "mean": "m", "sigma": "s"},
        (-2, 20),
        points((1, 0.8), (3, 2.5), (0, 4), names="m s"),
        tolerance=5e-7,
    ),
    alone("uniform", {"type": "uniform_dist", "x": ["x"]}, (1, 4), [{}]),
    alone(
        "generic",
        {"type": "generic_dist", "x": "x", "expression": "exp(-x/tau)*(1+q*x)"},
        (0, 5),
        points((2, 0.3), (0.2, 5), (50, 0), names="tau q"),
        pyhs3=True,
        tolerance=1e-7,
    ),
    alone(
        "generic_power",
        {"type": "generic_dist", "x": "x", "expression": "pow(x,2)*exp(-c*x) + 0.01*sqrt(abs(c))"},
        (0, 5),
        points((1.1,), (0.1,), (-0.5,), names="c"),
        pyhs3=True,
        tolerance=2e-7,
    ),
    alone(
        "generic_choice",
        {"type": "generic_dist", "x": "x", "expression": "x < 2 ? 1.0 : c"},
        (0, 5),
        points((0.5,), (3,), (0.01,), names="c"),
        tolerance=1e-3,
    ),
    alone(
        "bifurcated",
        {"type": "bifurkated_gaussian_dist", "x": "x", "mean": "m", "sigmaL": "sl", "sigmaR": "sr"},
        (-4, 6),
        points((0.5, 1, 2), (-5, 1, 3), (5.9, 4, 0.2), names="m sl sr"),
    ),
    alone(
        "gamma",
        {"type": "gamma_dist", "x": "x", "gamma": "g", "beta": "b", "mu": "mu"},
        (0.1, 10),
        points((2.5, 1.2, 0), (1.01, 4, -1), (30, 0.2, 0.05), names="g b mu"),
    ),
    alone(
        "power_sum",
        {"type": "power_sum_dist", "x": "x", "coefficients": ["c0", "c1"], "exponents": ["e0", "e1"]},
        (0.5, 4),
        points((1, 2, -0.5, 2), (0.1, 1, -3, 0), (3, 0.2, 1, -2), names="c0 c1 e0 e1"),
    ),
    alone(
        "exponential_polynomial",
        {"type": "legacy_exp_poly_dist", "x": "x", "coefficients": ["1.0", "a1", "a2"]},
        (-1, 4),
        points((0.5, -0.3), (-1, 0.1), (2, -1), names="a1 a2"),
        tolerance=1e-7,
    ),
    alone(
        "histogram",
        {"type": "histogram_dist", "data": {"axes": [axis("x", 0, 3, nbins=3)], "contents": [1.0, 4.0, 2.0]}},
        (0, 3),
        [{}],
        rows=[[0.2], [0.9], [1.5], [2.8]],
    ),
]


def histogram_of_unequal_bins() -> Case:
    """Contents are counts."""
    entry = {"type": "histogram_dist", "data": {"axes": [{"name": "x", "edges": [0, 1, 3, 4]}], "contents": [1, 4, 2]}}
    return alone("unequal_histogram", entry, (0, 4), [{}], rows=[[0.2], [0.9], [1.5], [2.8], [3.7]])


ROWS = [[-1.7, 0.2], [0.3, 1.5], [0.9, 4.9], [4.1, 0.01], [1.0, 2.0]]


def two_observables() -> Case:
    """A product of densities of x and y."""
    parts = [
        {"name": "f"} | GAUSSIAN,
        {"name": "g", "type": "exponential_dist", "x": "y", "c": "c"},
        {"name": "pdf", "type": "product_dist", "factors": ["f", "g"]},
    ]
    found = points((1, 1.3, 0.7), (-1, 0.5, -0.4), (4, 3, 5), names="m s c")
    data = unbinned("d", [axis("x", -2, 5), axis("y", 0, 5)], ROWS)
    return Case("two_observables", document(parts, [("pdf", data)], found[0]), tuple(found), pyhs3=True)


def normal_of_two() -> Case:
    """A correlated normal density, far from the ends of the range."""
    entry = {
        "name": "pdf",
        "type": "multivariate_normal_dist",
        "x": ["x", "y"],
        "mean": ["mx", "my"],
        "covariances": [[1.0, 0.3], [0.3, 0.5]],
    }
    found = points((0.5, 2), (0.2, 2.2), (-1, 1), names="mx my")
    data = unbinned("d", [axis("x", -30, 30), axis("y", -30, 30)], ROWS)
    return Case("multivariate_normal", document([entry], [("pdf", data)], found[0]), tuple(found))


def product_with_constraint() -> Case:
    """A constraint as a factor: it counts once, not once for each event."""
    parts = [
        {"name": "f"} | GAUSSIAN,
        {"name": "c", "type": "gaussian_dist", "x": "m0", "mean": "m", "sigma": 0.5},
        {"name": "pdf", "type": "product_dist", "factors": ["f", "c"]},
    ]
    found = points((1, 1.3, 0.8), (0, 0.8, 0.8), (2, 3, 0.8), names="m s m0")
    data = unbinned("d", [axis("x", -2, 5)], spread(-2, 5))
    whole = document(parts, [("pdf", data)], found[0], constant=("m0",), auxiliary=("m0",))
    return Case("product_with_constraint", whole, tuple(found), pyhs3=True)


MASSES = [[110.0 + 40 * ((0.618 * i) % 1)] for i in range(25)] + [[125.0 + 0.3 * (i - 7)] for i in range(15)]
SIGNAL = {"name": "s", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "w"}
BACKGROUND = {"name": "b", "type": "exponential_dist", "x": "x", "c": "c"}
PLATEAU = {"name": "u", "type": "uniform_dist", "x": ["x"]}


def mixture(slug: str, entry: dict, found: list[Point], data: dict | None = None, **more) -> Case:
    """A signal over background."""
    data = data or unbinned("d", [axis("x", 110, 150)], MASSES)
    parts = [SIGNAL, BACKGROUND, PLATEAU, {"name": "pdf", "type": "mixture_dist"} | entry]
    binned = more.pop("binned", "integrals")
    limits = {"ns": (0, 1000), "nb": (0, 1000), "m": (100, 160), "w": (0.1, 30)}
    ranges = {name: limits[name] for name in found[0] if name in limits}
    return Case(slug, document(parts, [("pdf", data)], found[0], ranges=ranges), tuple(found), binned, **more)


YIELDS = points(
    (15, 25, 125, 2, 0.01), (0.5, 40, 112, 8, -0.02), (80, 3, 149, 0.9, 0.2), (0, 30, 125, 2, 0.05), names="ns nb m w c"
)
EXTENDED = {"summands": ["s", "b"], "coefficients": ["ns", "nb"], "extended": True}
FRACTION = {"summands": ["s", "b"], "coefficients": ["f"], "extended": False}
FRACTIONS = points((0.3, 125, 2, 0.01), (0.01, 112, 8, -0.02), (0.99, 130, 6, 0.2), names="f m w c")
TWO = {"summands": ["s", "b", "u"], "coefficients": ["f", "g"], "extended": False}
TWICE = points((0.3, 0.2, 125, 2, 0.01), (0.01, 0.98, 112, 8, -0.02), (0.5, 0, 130, 6, 0.2), names="f g m w c")
BINS = {
    "name": "d",
    "type": "binned",
    "axes": [axis("x", 110, 150, nbins=8)],
    "contents": [5.0, 4.0, 9.0, 14.0, 3.0, 0.0, 3.0, 2.0],
}


def two_channels() -> Case:
    """Two channels that share the mass, each with its own background, and a constraint of the width."""
    parts = [
        {"name": "s1", "type": "gaussian_dist", "x": "x1", "mean": "m", "sigma": "w"},
        {"name": "b1", "type": "exponential_dist", "x": "x1", "c": "c"},
        {
            "name": "p1",
            "type": "mixture_dist",
            "summands": ["s1", "b1"],
            "coefficients": ["n1", "k1"],
            "extended": True,
        },
        {"name": "s2", "type": "gaussian_dist", "x": "x2", "mean": "m", "sigma": "w2"},
        {"name": "b2", "type": "polynomial_dist", "x": "x2", "coefficients": ["one", "a"]},
        {
            "name": "p2",
            "type": "mixture_dist",
            "summands": ["s2", "b2"],
            "coefficients": ["n2", "k2"],
            "extended": True,
        },
        {"name": "constraint", "type": "gaussian_dist", "x": "w0", "mean": "w", "sigma": 0.3},
    ]
    functions = [
        {"name": "n1", "type": "product", "factors": ["mu", "e1"]},
        {"name": "n2", "type": "product", "factors": ["mu", 7.0]},
        {"name": "k2", "type": "sum", "summands": ["k1", "e1"]},
        {"name": "w2", "type": "generic_function", "expression": "w*(1+0.1*m/125)"},
    ]
    names = "mu e1 k1 m w c a w0 one"
    found = points(
        (1, 12, 20, 125, 2, 0.01, 0.002, 2, 1),
        (0.1, 12, 35, 118, 2.9, -0.02, 0.02, 2, 1),
        (4, 3, 5, 131, 1.2, 0.1, 0, 2, 1),
        names=names,
    )
    data = [
        unbinned("d1", [axis("x1", 110, 150)], MASSES[::2]),
        unbinned("d2", [axis("x2", 105, 160)], MASSES[1::2]),
    ]
    limits = {"m": (100, 160), "w": (0.1, 30), "w0": (-50, 50), "mu": (0, 10), "k1": (0, 100)}
    whole = document(
        parts,
        [("p1", data[0]), ("p2", data[1])],
        found[0],
        functions=functions,
        aux=["constraint"],
        constant=("w0", "one"),
        auxiliary=("w0",),
        ranges=limits,
    )
    offset = len(MASSES) * math.log(2) - math.log(0.3 * ROOT_TWO_PI)
    return Case("two_channels", whole, tuple(found), pyhs3=True, offset=offset)


def functions() -> Case:
    """A mixture whose yields and shapes are functions of parameters, of every kind that both have."""
    functions = [
        {"name": "ns", "type": "product", "factors": ["mu", "e"]},
        {"name": "nb", "type": "sum", "summands": ["k", "ns"]},
        {"name": "m", "type": "generic_function", "expression": "125 + 2*t + 0.1*pow(t,3)"},
        {
            "name": "e",
            "type": "interpolation0d",
            "vars": ["t", "u"],
            "nom": 10.0,
            "low": [8.0, 9.5],
            "high": [13.0, 10.2],
            "interpolationCodes": [4, 4],
        },
        {"name": "c", "type": "polynomial", "x": "u", "coefficients": [0.01, 0.005, 0.001]},
    ]
    parts = [SIGNAL, BACKGROUND, {"name": "pdf", "type": "mixture_dist"} | EXTENDED]
    found = points((1, 20, 0, 0, 2), (2.2, 5, 0.6, -0.4, 1.2), (0.3, 30, -1.7, 2.3, 4), names="mu k t u w")
    data = unbinned("d", [axis("x", 110, 150)], MASSES)
    return Case("functions", document(parts, [("pdf", data)], found[0], functions=functions), tuple(found))


def interpolations() -> list[Case]:
    """`interpolation0d` by code: the mean of a Gaussian, whose normalisation tells every digit."""
    found = points(*((t, u) for t, u in ((0, 0), (0.4, -0.3), (-1, 1), (1.8, -2.2), (-0.9, 0.2))), names="t u")
    made = []
    for code in (0, 1, 2, 4, 5):
        function = {"name": "m", "type": "interpolation0d", "vars": ["t", "u"], "nom": 3.0}
        function |= {"low": [2.4, 3.3], "high": [3.5, 2.8], "interpolationCodes": [code, code]}
        parts = [GAUSSIAN | {"name": "pdf", "sigma": 1.1}]
        data = unbinned("d", [axis("x", 0, 7)], spread(0, 7))
        whole = document(parts, [("pdf", data)], found[0], functions=[function])
        made.append(Case(f"interpolation_{code}", whole, tuple(found)))
    return made


def physics() -> dict:
    """The physics document of PyHS3's tutorial with as many bins as contents: two densities of the same bins, with the
    names that ROOT asks for.
    """
    from tests.hs3.documents import physics

    whole = json.loads(json.dumps(physics()))
    whole["domains"][0]["name"] = "default_domain"
    whole["parameter_points"][0]["name"] = "default_values"
    whole["analyses"][0] |= {"domains": ["default_domain"], "init": "default_values"}
    return whole


def extended_density() -> Case:
    """`extend_pdf`: a rate times a density."""
    parts = [{"name": "f"} | GAUSSIAN, {"name": "pdf", "type": "extend_pdf", "pdf": "f", "norm": "n"}]
    found = points((1, 1.3, 9), (-2, 0.4, 0.5), (3, 2.5, 80), names="m s n")
    data = unbinned("d", [axis("x", -2, 5)], spread(-2, 5))
    return Case("extended_density", document(parts, [("pdf", data)], found[0]), tuple(found))


def benchmark() -> list[Case]:
    """The sample of the corpus, where it is."""
    if not BENCHMARK.exists():
        return []
    found = [
        {},
        {"mu_sig": 2.5, "alpha_sigma": 0.7, "nbkg_ch0": 8.0, "tau_ch0": 0.25},
        {"mu_sig": 0.3, "alpha_sigma": -1.2, "nbkg_ch0": 6.0, "tau_ch0": 0.5},
    ]
    return [
        Case("benchmark", json.loads(BENCHMARK.read_text()), tuple(found), pyhs3=True, offset=-math.log(ROOT_TWO_PI))
    ]


WEIGHTED = unbinned("d", [axis("x", 110, 150)], MASSES, weights=[0.5 + math.cos(i) ** 2 for i in range(len(MASSES))])

CASES = [
    *ALONE,
    histogram_of_unequal_bins(),
    two_observables(),
    normal_of_two(),
    product_with_constraint(),
    extended_density(),
    mixture("extended_mixture", EXTENDED, YIELDS, pyhs3=True),
    mixture("fraction", FRACTION, FRACTIONS, pyhs3=True),
    mixture("two_fractions", TWO, TWICE, pyhs3=True),
    mixture("weighted_mixture", EXTENDED, YIELDS, WEIGHTED, pyhs3=True),
    mixture("weighted_fraction", FRACTION, FRACTIONS, WEIGHTED, pyhs3=True),
    mixture("binned_mixture", EXTENDED, YIELDS, BINS, binned="centres"),
    mixture("binned_fraction", FRACTION, FRACTIONS, BINS, binned="centres"),
    two_channels(),
    functions(),
    *interpolations(),
    *benchmark(),
]
BY_SLUG = {case.slug: case for case in CASES}
