"""Small HS3 documents with `histfactory_dist`s, one for each thing that a document can say: plain dictionaries.

Widths are such that ROOT's normalisation of a constraint over the range of its global observable is constant: that
range is [-10, 10] for an alpha and [0, 10] for a gamma.
"""

GAUSS = {"constraint_type": "Gauss"}
MU = {"type": "normfactor", "name": "mu", "parameter": "mu"}


def sample(name: str, contents: list, *modifiers: dict, errors: list | None = None) -> dict:
    data = {"contents": contents} | ({} if errors is None else {"errors": errors})
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def channel(name: str, *samples: dict, **more) -> dict:
    size = len(samples[0]["data"]["contents"])
    axes = [{"name": f"obs_x_{name}", "min": 0.0, "max": float(size), "nbins": size}]
    return {"name": f"model_{name}", "type": "histfactory_dist", "axes": axes, "samples": list(samples)} | more


def gaussian(name: str, x, mean, sigma) -> dict:
    return {"name": name, "type": "gaussian_dist", "x": x, "mean": mean, "sigma": sigma}


def normsys(name: str, lo: float, hi: float, **more) -> dict:
    return {"type": "normsys", "name": name, "data": {"lo": lo, "hi": hi}} | more


def histosys(name: str, lo: list, hi: list, **more) -> dict:
    return {"type": "histosys", "name": name, "data": {"lo": {"contents": lo}, "hi": {"contents": hi}}} | more


def shapesys(name: str, vals: list, kind: str | None = "Poisson", **more) -> dict:
    typed = {} if kind is None else {"constraint_type": kind}
    return {"type": "shapesys", "name": name, "data": {"vals": vals}} | typed | more


def document(*distributions: dict, counts: dict, values=(), constants=(), ranges=(), functions=()) -> dict:
    """A document with one likelihood of all channels; `values` and `constants` are pairs, `ranges` triples."""
    channels = [each for each in distributions if each["type"] == "histfactory_dist"]
    data = [
        {"name": f"obsData_{name}", "type": "binned", "axes": each["axes"], "contents": contents}
        for each, (name, contents) in zip(channels, counts.items(), strict=True)
    ]
    parameters = [{"name": name, "value": value} for name, value in values]
    parameters += [{"name": name, "value": value, "const": True} for name, value in constants]
    axes = [{"name": name, "min": low, "max": high} for name, low, high in ranges]
    likelihood = {"name": "L", "distributions": [each["name"] for each in channels]}
    return {
        "metadata": {"hs3_version": "0.2.9"},
        "distributions": list(distributions),
        "functions": list(functions),
        "data": data,
        "likelihoods": [likelihood | {"data": [each["name"] for each in data]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": axes}],
        "parameter_points": [{"name": "default_values", "parameters": parameters}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu"], "domains": ["default_domain"]}],
    }


def signal(*bins: float) -> dict:
    return sample("signal", list(bins), MU)


SHARED = {"parameters": ["shared_0", "shared_1"]}
FREE = [("mu", 1.0)]
WIDE_MU = [("mu", -3.0, 10.0)]

DOCUMENTS = {
    "codes": document(
        channel(
            "SR",
            signal(12, 11),
            sample("linear", [50, 52], normsys("zero", 0.7, 1.2, interpolation=0)),
            sample("parabolic", [50, 52], normsys("two", 0.7, 1.2, interpolation=2)),
            sample(
                "factors",
                [50, 52],
                normsys("one", 0.7, 1.2, interpolation=1),
                normsys("four", 0.7, 1.2, interpolation=4),
                normsys("five", 0.7, 1.2, interpolation=5),
                normsys("none", 0.7, 1.2),
                histosys("shape", [43, 45], [58, 54]),
            ),
        ),
        counts={"SR": [160, 161]},
        values=FREE,
        ranges=WIDE_MU,
    ),
    "void_factor": document(
        channel(
            "SR", signal(12, 11), sample("background", [50, 52], normsys("void", 0.0, 1.2), normsys("a", 0.9, 1.1))
        ),
        counts={"SR": [60, 61]},
        values=FREE,
        ranges=WIDE_MU,
    ),
    "gaussians": document(
        channel(
            "SR",
            signal(12, 11),
            sample(
                "background",
                [50, 52],
                normsys("first", 0.9, 1.2, parameter="alpha_first", constraint_name="firstConstraint"),
                normsys("second", 0.8, 1.1, parameter="alpha_second", constraint_name="secondConstraint"),
                normsys("third", 0.8, 1.1, parameter="alpha_third", constraint_name="thirdConstraint"),
                {"type": "normfactor", "name": "Lumi", "parameter": "Lumi", "constraint_name": "lumiConstraint"},
                {"type": "normfactor", "name": "k", "parameter": "k", "constraint_name": "kConstraint"},
                {"type": "normfactor", "name": "held", "parameter": "held", "constraint_name": "heldConstraint"},
            ),
        ),
        gaussian("firstConstraint", "alpha_first", "nom_first", 1.0),
        gaussian("secondConstraint", "nom_second", "alpha_second", 0.5),
        gaussian("thirdConstraint", "alpha_third", "nom_third", "width"),
        gaussian("lumiConstraint", "Lumi", "nominalLumi", 0.02),
        gaussian("kConstraint", "nom_k", "k", 0.1),
        gaussian("heldConstraint", "held", "nom_held", 0.1),
        counts={"SR": [60, 61]},
        values=[*FREE, ("alpha_first", 0.0), ("alpha_second", 0.1), ("alpha_third", 0.0), ("Lumi", 1.0), ("k", 1.1)],
        constants=[
            ("nom_first", 0.3),
            ("nom_second", -0.2),
            ("nom_third", 0.25),
            ("width", 0.4),
            ("nominalLumi", 1.01),
            ("nom_k", 1.2),
            ("held", 1.05),
            ("nom_held", 1.0),
        ],
        ranges=[
            *WIDE_MU,
            *((f"alpha_{name}", -5.0, 5.0) for name in ("first", "second", "third")),
            *(
                (name, -100.0, 100.0)
                for name in ("nom_first", "nom_second", "nom_third", "nominalLumi", "nom_k", "nom_held")
            ),
            *((name, 0.0, 10.0) for name in ("Lumi", "k", "held", "width")),
        ],
    ),
    "counts": document(
        channel(
            "SR",
            signal(12, 11),
            sample("one", [50, 52], {"type": "normfactor", "name": "k", "parameter": "k", "constraint_name": "kTerm"}),
            sample("two", [5, 4], {"type": "normfactor", "name": "b", "parameter": "b", "constraint_name": "bTerm"}),
        ),
        {"name": "kTerm", "type": "poisson_dist", "x": "nom_k", "mean": "k", "integer": False},
        {"name": "bTerm", "type": "poisson_dist", "x": "nom_b", "mean": "b_mean", "integer": False},
        counts={"SR": [60, 61]},
        values=[*FREE, ("k", 1.1), ("b", 1.0)],
        constants=[("nom_k", 2.0), ("nom_b", 25.0), ("b_tau", 25.0)],
        ranges=[*WIDE_MU, ("k", 0.0, 10.0), ("b", 0.0, 10.0), ("nom_k", 0.0, 1e3), ("nom_b", 0.0, 1e4)],
        functions=[{"name": "b_mean", "type": "product", "factors": ["b", "b_tau"]}],
    ),
    "shapesys": document(
        channel(
            "SR",
            signal(12, 11, 10),
            sample("poisson", [50, 52, 54], shapesys("dd", [0.1, 0.2, 0.3])),
            sample("gauss", [20, 21, 22], shapesys("mc", [0.1, 0.05, 0.08], "Gauss")),
            sample("mixed", [10, 11, 12], shapesys("part", [0.1, 0.0, 0.0])),
            sample("empty", [9, 0, 8], shapesys("gap", [0.1, 0.1, 0.1]), histosys("fill", [8, 1, 7], [10, 2, 9])),
            sample("free", [3, 3, 3], {"type": "shapefactor", "name": "sf", "parameters": ["sf_0", "sf_1", "sf_2"]}),
        ),
        counts={"SR": [90, 91, 95]},
        values=[*FREE, ("gamma_part_bin_1", 1.0)],
        constants=[("nom_gamma_dd_bin_1", 30.0), ("nom_gamma_mc_bin_0", 1.05)],
        ranges=[
            *WIDE_MU,
            ("gamma_part_bin_1", 0.0, 5.0),
            ("nom_gamma_dd_bin_1", 0.0, 1e4),
            ("nom_gamma_mc_bin_0", 0.0, 10.0),
        ],
    ),
    "shared": document(
        channel(
            "SR",
            signal(12, 11),
            sample("one", [50, 52], shapesys("one", [0.1, 0.08], "Gauss", **SHARED)),
            sample("two", [5, 4], shapesys("two", [0.1, 0.12], "Gauss", **SHARED)),
            sample("norm", [9, 8], {"type": "shapefactor", "name": "transfer", "parameters": ["t_0", "t_1"]}),
        ),
        channel(
            "CR",
            sample("one", [150, 151], shapesys("one", [0.1, 0.08], "Gauss", **SHARED)),
            sample("norm", [99, 98], {"type": "shapefactor", "name": "transfer", "parameters": ["t_0", "t_1"]}),
        ),
        counts={"SR": [80, 70], "CR": [250, 255]},
        values=FREE,
        ranges=WIDE_MU,
    ),
    "staterror": document(
        channel(
            "SR",
            signal(12, 11, 10),
            sample("one", [50, 52, 53], {"type": "staterror", "name": "mcstat"}, errors=[5, 3, 0]),
            sample("two", [20, 22, 23], {"type": "staterror", "name": "mcstat"}, errors=[1, 2, 0]),
            staterror={"constraint_type": "Gauss"},
        ),
        channel(
            "CR",
            sample("one", [150, 152], {"type": "staterror", "name": "mcstat"}, errors=[15, 11]),
            sample("two", [10, 12], {"type": "staterror", "name": "mcstat"}, errors=[1, 0]),
        ),
        channel(
            "VR",
            sample("one", [150, 152], {"type": "staterror", "name": "mcstat"}, errors=[15, 1]),
            staterror={"constraint_type": "Gauss", "relThreshold": 0.05},
        ),
        counts={"SR": [90, 91, 92], "CR": [155, 157], "VR": [140, 155]},
        values=FREE,
        ranges=WIDE_MU,
    ),
    "clamped": document(
        channel(
            "SR",
            signal(12, 11),
            sample("background", [5, 52], histosys("shape", [-3, 45], [14, 54])),
            sample("c", [9, 9]),
        ),
        counts={"SR": [30, 61]},
        values=FREE,
        ranges=WIDE_MU,
    ),
}
"""By what they are about."""
