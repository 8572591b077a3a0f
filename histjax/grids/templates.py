r"""The templates of every workspace of a union, without lowering each of them.

The union is lowered once, with numbers that are their own names: where a name ends up among the templates, there goes
the number that it names. A parameter that a workspace does not have is held where it has no effect, and its constraint
term contributes nothing to the log density: a Gaussian of width \((2\pi)^{-1/2}\) is 1 at its centre, and
\(Pois(0 | \nu)\) is 1 for a rate that vanishes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from histjax._typing import float_dtype
from histjax.errors import InvalidModel
from histjax.lower.layout import Layout, ParameterSet
from histjax.lower.templates import Templates
from histjax.model.histfactory import Model
from histjax.spec import Measurement, Workspace
from histjax.spec.union import Union
from histjax.spec.union.rows import RowKey
from histjax.spec.union.structure import Part

AS_WRITTEN = (
    "nominal_yields",
    "histosys_lo",
    "histosys_hi",
    "normsys_lo",
    "normsys_hi",
    "shapesys_uncertainty",
    "staterror_uncertainty",
    "observations",
)
"""The templates that are numbers of samples and data; the others are settings of the parameters."""

UNIT_WIDTH = (2 * pi) ** -0.5
"""Width of a Gaussian whose density at its centre is 1."""

NO_RATE = 1e-30
"""A rate that vanishes, and whose logarithm exists."""


@dataclass(frozen=True)
class Addresses:
    """Where the numbers of the union go: `model` has its layout, `sources` for each template the place of every entry
    among the numbers of rows and channels.
    """

    model: Model
    sources: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, union: Union, measurement: Measurement, compile: Callable[[Workspace], Model]) -> "Addresses":
        """Lower the union with numbers that are their places, counted from 1."""
        values, start = {}, 1
        for key, row in union.rows.items():
            values[key] = range(start, start + row.n_numbers)
            start += row.n_numbers
        observed = {}
        for name, n_bins in union.channels.items():
            observed[name] = range(start, start + n_bins)
            start += n_bins
        model = compile(union.workspace(values, observed, measurement))
        found = {name: np.asarray(getattr(model.templates, name)).astype(np.int64) - 1 for name in AS_WRITTEN}
        return cls(model, found)


def stacked_templates(
    union: Union, measurements: Sequence[Measurement], compile: Callable[[Workspace], Model]
) -> tuple[Model, Templates]:
    """The templates of all workspaces of a union on a leading axis, as NumPy arrays, and a model of their layout.

    **Arguments:**

    - `measurements`: that of each workspace.
    - `compile`: from a workspace to a model. It is called once for each set of settings among the measurements.
    """
    known: list[tuple[Measurement, Addresses]] = []
    rows: dict[tuple[RowKey, int], np.ndarray] = {}
    stack = []
    for part, measurement in zip(union.parts, measurements, strict=True):
        settings = union.measurement(part, measurement)
        addresses = next((each for other, each in known if other == settings), None)
        if addresses is None:
            addresses = Addresses.of(union, settings, compile)
            known.append((settings, addresses))
        stack.append(_templates(union, part, addresses, rows))
    fields = {name: np.stack([each[name] for each in stack]) for name in stack[0]}
    return known[0][1].model, Templates(**fields)


def _templates(union: Union, part: Part, addresses: Addresses, rows: dict) -> dict[str, np.ndarray]:
    """The templates of one workspace; `rows` keeps the numbers of rows that others have, too."""
    dtype, layout = float_dtype(), addresses.model.layout
    for key in union.rows:
        place = key, id(part.samples.get(key))
        if place not in rows:
            rows[place] = np.array(union.row_numbers(key, part.samples.get(key)), dtype)
    numbers = [rows[key, id(part.samples.get(key))] for key in union.rows]
    numbers = np.concatenate([*numbers, *(np.array(each, dtype) for each in union.observed(part).values())])
    written = {name: numbers[source] for name, source in addresses.sources.items()}
    settings = {
        name: np.array(value) for name, value in vars(addresses.model.templates).items() if name not in AS_WRITTEN
    }
    settings["weights"] = np.concatenate(
        [np.full(each.n_bins, each.name in part.observed, dtype) for each in layout.channels]
    )
    for each in layout.parameters:
        if each.name in union.groups:  # not one that only a function in Python has
            _silence(settings, each, ~np.array(union.components(part, each.name)), union.groups[each.name])
    _refuse_floors(layout, union, part)
    return written | settings


def _silence(settings: dict[str, np.ndarray], parameter: ParameterSet, absent: np.ndarray, group: str) -> None:
    """Hold absent components where they have no effect, and let their constraint terms be 1."""
    place = np.flatnonzero(absent) + parameter.start
    neutral = 0.0 if group == "alpha" else 1.0
    for name, value in (("init", neutral), ("lower", neutral - 1), ("upper", neutral + 1), ("fixed", True)):
        settings[name][place] = value
    if parameter.constraint == "normal":
        settings["auxdata"][place], settings["sigmas"][place] = neutral, UNIT_WIDTH
    if parameter.constraint == "poisson":
        settings["auxdata"][place], settings["factors"][place] = 0.0, NO_RATE


def _refuse_floors(layout: Layout, union: Union, part: Part) -> None:
    if (layout.clip_sample_data or 0.0) > 0 and len(part.samples) < len(union.rows):
        raise InvalidModel(
            "clip_sample_data above 0 gives yields to the samples that some of the patches do not have; "
            "compile these patches one by one"
        )
