"""Small patch sets whose patches differ in structure, each in one respect."""

import copy
from dataclasses import dataclass
from typing import Any

from histjax.readers import digest


def background() -> dict:
    """Two channels of two and one bins, without signal, and all modifiers that a signal may meet."""
    return copy.deepcopy(_BACKGROUND)


@dataclass(frozen=True)
class Case:
    """A patch set: for each patch a list of operations. `same_rows`: every sample has one row in the union."""

    slug: str
    patches: tuple[list[dict], ...]
    n_rows: int = 4

    @property
    def patchset(self) -> dict:
        """The document of the set, for `background`."""
        return patchset(dict(zip("ABCD", self.patches, strict=False)))


def patchset(patches: dict[str, list[dict]], labels: tuple[str, ...] = ("mass",)) -> dict:
    """A patch set for `background`; the values are 100, 200, ... in order."""
    entries = [
        {"metadata": {"name": name, "values": [100.0 * (i + 1)] * len(labels)}, "patch": operations}
        for i, (name, operations) in enumerate(patches.items())
    ]
    metadata = {
        "description": "signals",
        "digests": {"sha256": digest(background())},
        "labels": list(labels),
        "references": {"hepdata": "ins1234567"},
    }
    return {"metadata": metadata, "patches": entries, "version": "1.0.0"}


def add(path: str, value: Any) -> dict:
    """An operation."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> dict:
    """An operation."""
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> dict:
    """An operation."""
    return {"op": "remove", "path": path}


def free(name: str) -> dict:
    """A normfactor."""
    return {"name": name, "type": "normfactor", "data": None}


def normsys(name: str, lo: float, hi: float) -> dict:
    """A normsys."""
    return {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}


def histosys(name: str, lo: list, hi: list) -> dict:
    """A histosys."""
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}


def per_bin(name: str, kind: str, uncertainty: list) -> dict:
    """A staterror or shapesys."""
    return {"name": name, "type": kind, "data": uncertainty}


def sample(name: str, data: list, *modifiers: dict) -> dict:
    """A sample."""
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def signal(data: list, *modifiers: dict, name: str = "signal", channel: int = 0, at: str = "-") -> dict:
    """The operation that adds a signal to the SR (0) or the CR (1)."""
    return add(f"/channels/{channel}/samples/{at}", sample(name, data, free("mu"), *modifiers))


LUMI = {"name": "lumi", "type": "lumi", "data": None}

_BACKGROUND = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                sample(
                    "bkg",
                    [50.0, 40.0],
                    free("bkg_norm"),
                    histosys("jes", [48.0, 37.5], [52.0, 43.0]),
                    per_bin("stat_SR", "staterror", [3.0, 2.5]),
                    LUMI,
                ),
                sample("fakes", [6.0, 4.0], per_bin("fake_rate", "shapesys", [1.5, 1.0])),
            ],
        },
        {
            "name": "CR",
            "samples": [
                sample(
                    "bkg", [210.0], free("bkg_norm"), normsys("jes", 0.97, 1.04), per_bin("stat_CR", "staterror", [9.0])
                )
            ],
        },
    ],
    "measurements": [
        {
            "name": "nominal",
            "config": {
                "poi": "mu",
                "parameters": [
                    {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.9, 1.1]], "inits": [1.0]},
                    {"name": "mu", "inits": [1.0], "bounds": [[0, 10]]},
                ],
            },
        },
        {
            "name": "other",
            "config": {"poi": "bkg_norm", "parameters": [{"name": "lumi", "auxdata": [1], "sigmas": [0.1]}]},
        },
    ],
    "observations": [{"name": "SR", "data": [59.0, 46.0]}, {"name": "CR", "data": [204.0]}],
    "version": "1.0.0",
}

SR, PARAMETERS = "/channels/0/samples", "/measurements/0/config/parameters"
OWN_SHAPES = per_bin("mc_100_SR", "shapesys", [1.0, 0.0]), per_bin("mc_200_SR", "shapesys", [0.5, 0.8])

CASES = (
    Case("same-structure", ([signal([8.0, 5.0])], [signal([2.0, 9.0])])),
    Case("channels-of-the-signal", ([signal([8.0, 5.0])], [signal([8.0, 5.0]), signal([3.0], channel=1)]), 5),
    Case(
        "own-names",
        (
            [signal([8.0, 5.0], OWN_SHAPES[0], normsys("theory_100", 0.9, 1.2), name="signal_100")],
            [signal([4.0, 7.0], OWN_SHAPES[1], normsys("theory_200", 0.8, 1.1), name="signal_200")],
            [signal([4.0, 7.0], name="signal_300")],
        ),
    ),
    Case(
        "modifiers-of-some",
        (
            [signal([8.0, 5.0], normsys("xs", 0.9, 1.15))],
            [signal([8.0, 5.0], histosys("jes", [7.5, 5.5], [8.8, 4.4]), normsys("xs", 0.9, 1.15))],
            [signal([8.0, 5.0], normsys("jes", 1.1, 0.9))],
        ),
    ),
    Case(
        "channel-removed",
        ([signal([8.0, 5.0])], [signal([4.0, 7.0]), remove("/channels/1"), remove("/observations/1")]),
    ),
    Case(
        "normfactor-of-some",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0]), add(f"{SR}/1/modifiers/-", free("fake_norm"))]),
    ),
    Case(
        "normfactor-shared-further",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0]), add(f"{SR}/1/modifiers/-", free("bkg_norm"))]),
        5,
    ),
    Case(
        "lumi-of-some",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0], LUMI)], [signal([8.0, 5.0]), remove(f"{SR}/0/modifiers/3")]),
        5,
    ),
    Case(
        "no-lumi-in-one",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0]), remove(f"{SR}/0/modifiers/3"), remove(f"{PARAMETERS}/0")]),
    ),
    Case(
        "staterror-of-the-channel",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0], per_bin("stat_SR", "staterror", [1.0, 2.0]))]),
        5,
    ),
    Case(
        "staterror-of-its-own",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0], per_bin("stat_signal", "staterror", [1.0, 2.0]))]),
    ),
    Case(
        "staterror-in-another-channel",
        (
            [signal([8.0, 5.0])],
            [signal([8.0, 5.0]), signal([2.0], per_bin("stat_SR", "staterror", [0.4]), channel=1)],
        ),
        5,
    ),
    Case(
        "staterror-without-uncertainty",
        (
            [signal([8.0, 5.0], per_bin("stat_signal", "staterror", [1.0, 0.0]))],
            [signal([8.0, 0.0], per_bin("stat_signal", "staterror", [1.0, 1.0]))],
        ),
    ),
    Case(
        "shapesys-of-some",
        ([signal([8.0, 5.0])], [signal([8.0, 5.0], per_bin("mc", "shapesys", [1.0, 2.0]))]),
    ),
    Case(
        "shapesys-of-another-sample",
        (
            [signal([8.0, 5.0], per_bin("mc", "shapesys", [1.0, 2.0]))],
            [signal([8.0, 5.0]), replace(f"{SR}/1/modifiers/0/name", "mc")],
        ),
    ),
    Case(
        "shapefactor-of-some",
        (
            [signal([8.0, 5.0])],
            [signal([8.0, 5.0]), add(f"{SR}/1/modifiers/-", {"name": "sf", "type": "shapefactor", "data": None})],
        ),
    ),
    Case(
        "kinds-of-one-name",
        (
            [signal([8.0, 5.0], normsys("extra", 0.9, 1.1))],
            [signal([8.0, 5.0], per_bin("extra", "shapesys", [1.0, 2.0]))],
            [
                signal([8.0, 5.0], free("extra")),
                add(f"{PARAMETERS}/-", {"name": "extra", "inits": [0.7], "fixed": True}),
            ],
        ),
    ),
    Case(
        "settings",
        (
            [signal([8.0, 5.0])],
            [signal([8.0, 5.0]), add(f"{PARAMETERS}/-", {"name": "jes", "inits": [0.3], "fixed": True})],
            [signal([8.0, 5.0]), replace(f"{PARAMETERS}/0/sigmas", [0.1])],
            [
                signal([8.0, 5.0], per_bin("stat_signal", "staterror", [1.0, 2.0])),
                add(f"{PARAMETERS}/-", {"name": "stat_signal", "inits": [1.1, 0.9], "sigmas": [0.2, 0.3]}),
            ],
        ),
    ),
    Case(
        "another-order",
        (
            [signal([8.0, 5.0], at="0"), signal([3.0], channel=1, at="0")],
            [
                {"op": "move", "from": "/channels/1", "path": "/channels/0"},
                signal([3.0]),
                signal([8.0, 5.0], channel=1),
            ],
        ),
        5,
    ),
    Case(
        "another-binning",
        (
            [signal([8.0, 5.0])],
            [
                replace("/channels/1/samples/0", sample("bkg", [110.0, 90.0], free("bkg_norm"))),
                replace("/observations/1/data", [120.0, 88.0]),
                signal([8.0, 5.0]),
            ],
        ),
        5,
    ),
    Case(
        "another-background",
        (
            [signal([8.0, 5.0])],
            [
                remove(f"{SR}/1"),
                signal([8.0, 5.0]),
                add(f"{SR}/-", sample("multijet", [7.0, 2.0], normsys("qcd", 0.7, 1.4))),
            ],
        ),
    ),
    Case(
        "several-signals",
        (
            [signal([4.0, 1.0], name="ggF_1"), signal([4.0, 4.0], normsys("xs_VBF_1", 0.8, 1.2), name="VBF_1")],
            [signal([3.0, 1.0], name="ggF_2"), signal([2.0, 4.0], normsys("xs_VBF_2", 0.8, 1.2), name="VBF_2")],
            [signal([8.0, 5.0], name="ggF_3")],
        ),
        5,
    ),
    Case("observed", ([signal([8.0, 5.0])], [signal([8.0, 5.0]), replace("/observations/0/data", [70.0, 40.0])])),
    Case("one-patch", ([signal([8.0, 5.0], per_bin("mc_1", "shapesys", [1.0, 2.0]))],)),
)
BY_SLUG = {case.slug: case for case in CASES}
