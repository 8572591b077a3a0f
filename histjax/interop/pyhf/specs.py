"""From pyhf's model specification, `{"channels": ..., "parameters": ...}`, to a compiled model."""

import dataclasses
from collections.abc import Callable, Mapping

from histjax.errors import InvalidModel, UnknownName
from histjax.inference.poi import poi_name
from histjax.model.histfactory import Model
from histjax.model.interpolation import code0, code1, code2, code4, code4p
from histjax.pipeline import compile, read
from histjax.spec import Workspace

CODES = {
    "normsys": {"code1": code1, "code4": code4},
    "histosys": {"code0": code0, "code2": code2, "code4p": code4p},
}
DEFAULTS = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
LEFT_OUT = {"normsys": "code1", "histosys": "code0"}
"""Codes of a modifier type that `modifier_settings` leave out: they replace the defaults, in pyhf, as a whole."""


def workspace_of_spec(spec: Mapping, poi: str | None) -> Workspace:
    """Read and check a model specification; it observes nothing in any bin.

    **Raises:** `InvalidDocument` with everything that is wrong; `InvalidModel` where it is no specification at all.
    """
    if not isinstance(spec, Mapping):
        raise InvalidModel(f"expected a specification with 'channels' and 'parameters', found {type(spec).__name__}")
    config = {"poi": "", "parameters": spec.get("parameters", [])}
    document = {key: value for key, value in spec.items() if key != "parameters"}
    document |= {
        "observations": _nothing(spec.get("channels")),
        "measurements": [{"name": "model", "config": config}],
        "version": "1.0.0",
    }
    workspace = read(document)
    measurement = dataclasses.replace(workspace.measurements[0], poi=poi)
    return dataclasses.replace(workspace, measurements=(measurement,))


def _nothing(channels) -> list[dict]:
    """An observation of 0 for every bin; what is not a channel is left to the schema to complain of."""
    found = []
    for channel in channels if isinstance(channels, list) else []:
        try:
            found.append({"name": channel["name"], "data": [0] * len(channel["samples"][0]["data"])})
        except (KeyError, IndexError, TypeError):
            continue
    return found


def codes_of(modifier_settings: Mapping | None) -> dict[str, Callable]:
    """The interpolation of each type, as arguments of `histjax.compile`; raises `UnknownName`.

    >>> codes_of({"histosys": {"interpcode": "code2"}})["normsys"].__name__
    'code1'
    """
    settings = DEFAULTS if modifier_settings is None else modifier_settings
    codes = {}
    for kind, known in CODES.items():
        name = settings.get(kind, {}).get("interpcode", LEFT_OUT[kind])
        if name not in known:
            raise UnknownName(f"interpolation code of {kind}", name, known)
        codes[kind] = known[name]
    for kind in settings:
        if kind not in codes and settings[kind]:
            raise UnknownName("modifier type with settings", kind, codes)
    return codes


def compile_spec(
    workspace: Workspace, modifier_settings: Mapping | None, clip_sample_data: float | None, clip_bin_data: float | None
) -> Model:
    """Compile; raises `MissingPOI` or `InvalidModel` where the parameter of interest is not there or has components."""
    codes = codes_of(modifier_settings)
    model = compile(workspace, **codes, clip_sample_data=clip_sample_data, clip_bin_data=clip_bin_data)
    if not model.parameters.names:
        raise InvalidModel("the model has no parameters: give some sample a modifier")
    wanted = workspace.measurements[0].poi
    if wanted is not None:
        poi_name(model, wanted)
    return model
