"""Workspaces that are written as HS3 and read by ROOT: some of the table, and one with what ROOT has no word for."""

from tests.workspaces import (
    BY_SLUG,
    histosys,
    measurement,
    mu,
    normsys,
    sample,
    shapefactor,
    shapesys,
    staterror,
    workspace,
)

TWO_STATERRORS = workspace(
    {
        "SR": [
            sample("signal", [12, 11, 5], mu(), {"name": "lumi", "type": "lumi", "data": None}),
            sample(
                "one",
                [50, 52, 0.0],
                staterror("one", [2, 3, 1]),
                normsys("norm", 0.9, 1.2),
                staterror("all", [3, 2, 0]),
            ),
            sample("two", [20, 21, 3.0], staterror("two", [1.5, 1.2, 0.2]), staterror("all", [1, 1, 0])),
            sample("three", [5, 6, 7], shapesys("dd", [0.5, 0, 0.7]), histosys("shape", [4.5, 6.5, 6], [5.2, 5, 8])),
        ],
        "CR": [
            sample("one", [150, 152], staterror("all", [10, 8]), normsys("norm", 0.95, 1.1), shapefactor("sf")),
        ],
    },
    {"SR": [90, 91, 16], "CR": [160, 149]},
    measurements=[
        measurement(
            "first",
            "mu",
            {"name": "lumi", "auxdata": [1.02], "sigmas": [0.03], "inits": [1.01], "bounds": [[0.5, 1.5]]},
            {"name": "two", "sigmas": [0.1, 0.05, 0.07], "auxdata": [1.0, 1.1, 0.95], "inits": [1.0, 1.0, 1.0]},
            {"name": "dd", "factors": [80.0, 1.0, 90.0], "auxdata": [90.0, 1.0, 95.0]},
            {"name": "norm", "sigmas": [0.8], "auxdata": [0.1]},
            {"name": "mu", "inits": [2], "bounds": [[-1, 20]]},
        ),
        measurement(
            "second", "mu", {"name": "lumi", "auxdata": [1.0], "sigmas": [0.1]}, {"name": "sf", "fixed": False}
        ),
    ],
)

LEADING_ZERO = workspace(
    {
        "SR 1": [
            sample("signal b", [12, 11], mu("1 mu")),
            sample("one", [50, 52], staterror("stat-SR", [0, 3])),
            sample("two", [20, 21], staterror("stat-SR", [1, 2]), normsys("b-tag 1", 0.9, 1.2)),
        ]
    },
    {"SR 1": [90, 91]},
    poi="1 mu",
)

SLUGS = (
    "two-bins",
    "shared-shapefactor",
    "coupled-histosys",
    "same-name",
    "zero-bin",
    "shapesys-hole",
    "staterror",
    "staterror-two-channels",
    "lumi",
    "several-measurements",
    "overrides",
    "alpha-width",
    "everything",
)

WORKSPACES = {slug: BY_SLUG[slug].document for slug in SLUGS} | {
    "two_staterrors": TWO_STATERRORS,
    "leading_zero": LEADING_ZERO,
}
