"""From what users of Spey have to a `Workspace`: a background and a signal patch, arrays of yields, two workspaces."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from histjax.errors import InvalidModel
from histjax.pipeline import read
from histjax.readers import Patch, write_workspace
from histjax.spec import Measurement, ParameterConfig, Workspace


def patched_workspace(signal_patch: Any, background_only_model: Any, workspace: Any) -> Workspace:
    """The workspace with the signal in it, read and checked.

    **Arguments:**

    - `signal_patch`: a JSON Patch (list of operations, path, file) or a `histjax.Patch` of a patch set; `None` where
      the workspace has a signal already.
    - `background_only_model`, `workspace`: one of them, the other `None`: a path, an open file, a parsed document or a
      `Workspace`.

    **Raises:** as `histjax.read`; `InvalidModel` where not exactly one workspace is given.
    """
    if (background_only_model is None) == (workspace is None):
        raise InvalidModel(
            f"found {'no workspace' if workspace is None else 'two workspaces'}, expected one: background_only_model "
            "with its signal_patch, or workspace, which has the signal in it"
        )
    if background_only_model is not None and signal_patch is None:
        raise InvalidModel(
            "background_only_model needs its signal_patch; a workspace that has the signal in it is given as workspace"
        )
    source = background_only_model if workspace is None else workspace
    source = write_workspace(source) if isinstance(source, Workspace) else source
    return read(source, patches=[] if signal_patch is None else [_operations(signal_patch)])


def _operations(patch: Any) -> Any:
    return list(patch.operations) if isinstance(patch, Patch) else patch


def counting_workspace(
    signal_yields: Sequence[float],
    background_yields: Sequence[float],
    data: Sequence[float],
    absolute_uncertainties: Sequence[float],
) -> Workspace:
    """One channel with a signal and a background whose bins have uncertainties of their own (a `shapesys`).

    **Arguments:** one number per bin each; lists, arrays, or numbers for a single bin.

    **Raises:** `InvalidModel` where the lengths differ or something is not a number, `InvalidDocument` for numbers
    that cannot be yields.

    >>> counting_workspace([12.0], [50.0], [51], [3.0]).observations
    (Observation(name='singlechannel', data=(51.0,)),)
    """
    given = {
        "signal_yields": signal_yields,
        "background_yields": background_yields,
        "data": data,
        "absolute_uncertainties": absolute_uncertainties,
    }
    signal, background, counts, uncertainties = (_bins(name, values) for name, values in given.items())
    if len({len(signal), len(background), len(counts), len(uncertainties)}) != 1:
        lengths = ", ".join(f"{name} has {np.size(values)}" for name, values in given.items())
        raise InvalidModel(f"the same number of bins is expected everywhere: {lengths}")
    strength = {"name": "mu", "type": "normfactor", "data": None}
    width = {"name": "uncorr_bkguncrt", "type": "shapesys", "data": uncertainties}
    samples = [
        {"name": "signal", "data": signal, "modifiers": [strength]},
        {"name": "background", "data": background, "modifiers": [width]},
    ]
    document = {
        "channels": [{"name": "singlechannel", "samples": samples}],
        "observations": [{"name": "singlechannel", "data": counts}],
        "measurements": [{"name": "Measurement", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return read(document)


def _bins(name: str, values: Any) -> list[float]:
    """The numbers of all bins."""
    try:
        numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InvalidModel(f"{name}: expected one number per bin; {error}") from None
    if numbers.ndim != 1:
        raise InvalidModel(f"{name}: expected one number per bin, found an array of shape {numbers.shape}")
    return numbers.tolist()


def united_workspace(one: Workspace, other: Workspace, measurements: tuple[Measurement, Measurement]) -> Workspace:
    """The channels of two workspaces in one, with one measurement; parameters of the same name are one parameter.

    **Arguments:** the workspaces, and the measurement of each that holds.

    **Returns:** a workspace that is not checked.

    **Raises:** `InvalidModel` where both have a channel of the same name, which would be counted twice, or settings of
    one parameter that differ.
    """
    shared = sorted({each.name for each in one.channels} & {each.name for each in other.channels})
    if shared:
        raise InvalidModel(
            f"both models have {'channels' if len(shared) > 1 else 'a channel'} {', '.join(map(repr, shared))}, and "
            "its data would count twice; rename it in one of them if they are different"
        )
    first, second = measurements
    measurement = Measurement(first.name, first.poi, _united_settings(first.parameters, second.parameters))
    return Workspace(one.channels + other.channels, one.observations + other.observations, (measurement,), one.version)


def _united_settings(one: tuple[ParameterConfig, ...], other: tuple[ParameterConfig, ...]) -> tuple:
    known = {each.name: each for each in one}
    for each in other:
        if known.setdefault(each.name, each) != each:
            raise InvalidModel(
                f"the measurements of the two models have different settings of parameter {each.name!r}: "
                f"{known[each.name]} and {each}; make them agree, or rename the parameter in one of the models"
            )
    return tuple(known.values())
