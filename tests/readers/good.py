"""Good documents: small, made by hand, and between them with everything that the format has."""

import copy


def everything() -> dict:
    """Two channels, all seven modifiers, two measurements, and every setting that a parameter can have."""
    return copy.deepcopy(_EVERYTHING)


def minimal() -> dict:
    """One bin, one parameter, no parameter of interest."""
    return {
        "channels": [_channel("SR", [_sample("signal", [5], [_free("mu")])])],
        "measurements": [{"name": "M", "config": {"poi": "", "parameters": []}}],
        "observations": [{"name": "SR", "data": [6]}],
        "version": "1.0.0",
    }


def unicode_names() -> dict:
    """Names that are not ASCII, or look like paths."""
    document = minimal()
    document["channels"][0]["samples"][0]["name"] = 'tt̄ → W/b ~1 "quoted"'
    document["channels"][0]["samples"][0]["modifiers"].append(_free("μ/γ"))
    return document


def patchset_for(document_digest: str) -> dict:
    """A set of two patches that put a signal into `minimal`."""
    return {
        "metadata": {
            "description": "two signals",
            "digests": {"sha256": document_digest},
            "labels": ["mass", "width"],
            "references": {"hepdata": "ins1234567"},
        },
        "patches": [_patch("M100", [100, 1.5], 2), _patch("M200", [200, 1.5], 3)],
        "version": "1.0.0",
    }


def _patch(name: str, values: list, count: int) -> dict:
    operation = {"op": "replace", "path": "/channels/0/samples/0/data/0", "value": count}
    return {"metadata": {"name": name, "values": values}, "patch": [operation]}


def _channel(name: str, samples: list[dict]) -> dict:
    return {"name": name, "samples": samples}


def _sample(name: str, data: list, modifiers: list[dict]) -> dict:
    return {"name": name, "data": data, "modifiers": modifiers}


def _free(name: str) -> dict:
    return {"name": name, "type": "normfactor", "data": None}


def _lumi() -> dict:
    return {"name": "lumi", "type": "lumi", "data": None}


_EVERYTHING = {
    "channels": [
        _channel(
            "SR",
            [
                _sample("signal", [5, 10.5], [_free("mu"), _lumi()]),
                _sample(
                    "ttbar",
                    [50.0, 60.0],
                    [
                        {"name": "jes", "type": "histosys", "data": {"lo_data": [48, 57], "hi_data": [52.0, 66.0]}},
                        {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
                        {"name": "stat_SR", "type": "staterror", "data": [5.0, 6.0]},
                    ],
                ),
                _sample("fakes", [4, 0], [{"name": "fake_rate", "type": "shapesys", "data": [1.0, 0.5]}]),
            ],
        ),
        _channel(
            "CR",
            [
                _sample(
                    "ttbar",
                    [100, 90, 80],
                    [
                        {"name": "jes", "type": "normsys", "data": {"lo": 0.95, "hi": 1.05}},
                        {"name": "shape", "type": "shapefactor", "data": None},
                        _lumi(),
                    ],
                )
            ],
        ),
    ],
    "measurements": [
        {
            "name": "nominal",
            "config": {
                "poi": "mu",
                "parameters": [
                    {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.9, 1.1]], "inits": [1.0]},
                    {"name": "mu", "inits": [1], "bounds": [[-5, 20]], "fixed": False},
                    {"name": "fake_rate", "auxdata": [16.0, 1.0], "factors": [16.0, 1.0]},
                    {"name": "jes", "fixed": True, "inits": [0.5], "sigmas": [2.0]},
                    {"name": "shape", "inits": [1, 1.5, 2], "bounds": [[0, 5], [0, 5], [0, 5]]},
                ],
            },
        },
        {"name": "other", "config": {"poi": "", "parameters": [{"name": "lumi", "auxdata": [1], "sigmas": [0.1]}]}},
    ],
    "observations": [{"name": "SR", "data": [55, 72.5]}, {"name": "CR", "data": [101, 88, 79]}],
    "version": "1.0.0",
}
