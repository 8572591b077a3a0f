"""Reads and writes workspaces in pyhf's JSON format, schema version 1.0.0."""

from collections.abc import Mapping
from typing import Any

from histjax.errors import InvalidDocument, Problem
from histjax.readers.foreign import recognise
from histjax.readers.validation import validate
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Measurement,
    Modifier,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.check import check

_SETTINGS = ("inits", "bounds", "auxdata", "factors", "sigmas", "fixed")


def read_workspace(document: Any, source: str = "workspace") -> tuple[Workspace, list[Problem]]:
    """The workspace that a parsed document describes.

    The document is first held to the schema, and if it is sound the workspace is checked for all that a schema cannot
    see (`histjax.spec.check`); each stage reports everything that it finds.

    **Arguments:**

    - `document`: parsed JSON, as `load_json` returns it.
    - `source`: what to call the document in messages.

    **Returns:** the workspace, with every number as written, and the warnings.

    **Raises:** `InvalidDocument` with all errors of the stage that failed.

    >>> document = {
    ...     "channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5], "modifiers": [
    ...         {"name": "mu", "type": "normfactor", "data": None}]}]}],
    ...     "observations": [{"name": "SR", "data": [6]}],
    ...     "measurements": [{"name": "M", "config": {"poi": "mu", "parameters": []}}],
    ...     "version": "1.0.0",
    ... }
    >>> workspace, warnings = read_workspace(document)
    >>> workspace.channels[0].samples[0].modifiers
    (NormFactor(name='mu'),)
    >>> write_workspace(workspace) == document
    True
    """
    foreign = recognise(document)
    problems = [Problem("", foreign)] if foreign else validate(document, "workspace")
    if problems:
        raise InvalidDocument(source, problems)
    workspace = workspace_of(document)
    problems = check(workspace)
    errors = [problem for problem in problems if not problem.is_warning]
    if errors:
        raise InvalidDocument(source, errors)
    return workspace, problems


def write_workspace(workspace: Workspace) -> dict:
    """The document of a workspace: `write_workspace(read_workspace(document)[0]) == document`.

    **Arguments:**

    - `workspace`: any workspace; it is not checked here.

    **Returns:** a new JSON document in which lists keep their order. No parameter of interest is written as `""`.
    """
    return {
        "channels": [_channel_entry(channel) for channel in workspace.channels],
        "measurements": [_measurement_entry(measurement) for measurement in workspace.measurements],
        "observations": [{"name": each.name, "data": list(each.data)} for each in workspace.observations],
        "version": workspace.version,
    }


def workspace_of(document: dict, known: Mapping[int, Sample] | None = None) -> Workspace:
    """The records of a document that satisfies the schema; what the schema cannot see is not checked.

    `known` are records that exist already, by the identity of their entries in the document.
    """
    known = known or {}
    return Workspace(
        channels=tuple(_channel(entry, known) for entry in document["channels"]),
        observations=tuple(Observation(each["name"], tuple(each["data"])) for each in document["observations"]),
        measurements=tuple(_measurement(entry) for entry in document["measurements"]),
        version=document["version"],
    )


def _channel(entry: dict, known: Mapping[int, Sample]) -> Channel:
    return Channel(entry["name"], tuple(known.get(id(each)) or _sample(each) for each in entry["samples"]))


def _sample(entry: dict) -> Sample:
    return Sample(entry["name"], tuple(entry["data"]), tuple(_modifier(each) for each in entry["modifiers"]))


def _modifier(entry: dict) -> Modifier:
    name, data = entry["name"], entry["data"]
    match entry["type"]:
        case "histosys":
            return HistoSys(name, lo=tuple(data["lo_data"]), hi=tuple(data["hi_data"]))
        case "normsys":
            return NormSys(name, lo=data["lo"], hi=data["hi"])
        case "normfactor":
            return NormFactor(name)
        case "shapefactor":
            return ShapeFactor(name)
        case "shapesys":
            return ShapeSys(name, tuple(data))
        case "staterror":
            return StatError(name, tuple(data))
        case "lumi":
            return Lumi(name)


def _measurement(entry: dict) -> Measurement:
    config = entry["config"]
    return Measurement(entry["name"], config["poi"] or None, tuple(_settings(each) for each in config["parameters"]))


def _settings(entry: dict) -> ParameterConfig:
    return ParameterConfig(**{key: _frozen(value) for key, value in entry.items()})


def _frozen(value: Any) -> Any:
    """Lists as tuples, at every level."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _channel_entry(channel: Channel) -> dict:
    return {"name": channel.name, "samples": [_sample_entry(sample) for sample in channel.samples]}


def _sample_entry(sample: Sample) -> dict:
    return {
        "name": sample.name,
        "data": list(sample.nominal_yields),
        "modifiers": [
            {"name": modifier.name, "type": modifier.type, "data": _modifier_data(modifier)}
            for modifier in sample.modifiers
        ],
    }


def _modifier_data(modifier: Modifier) -> Any:
    match modifier:
        case HistoSys(lo=lo, hi=hi):
            return {"lo_data": list(lo), "hi_data": list(hi)}
        case NormSys(lo=lo, hi=hi):
            return {"lo": lo, "hi": hi}
        case ShapeSys(uncertainty=uncertainty) | StatError(uncertainty=uncertainty):
            return list(uncertainty)
        case NormFactor() | ShapeFactor() | Lumi():
            return None


def _measurement_entry(measurement: Measurement) -> dict:
    parameters = [_settings_entry(settings) for settings in measurement.parameters]
    return {"name": measurement.name, "config": {"poi": measurement.poi or "", "parameters": parameters}}


def _settings_entry(settings: ParameterConfig) -> dict:
    given = {key: getattr(settings, key) for key in _SETTINGS if getattr(settings, key) is not None}
    return {"name": settings.name} | {key: _thawed(value) for key, value in given.items()}


def _thawed(value: Any) -> Any:
    """Tuples as lists, at every level."""
    return [_thawed(each) for each in value] if isinstance(value, tuple) else value
