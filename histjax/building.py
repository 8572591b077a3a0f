"""The way back: from a model and a dataset to the workspace that says them."""

from collections.abc import Iterator

import numpy as np

from histjax.errors import InvalidDocument, InvalidOperation
from histjax.lower.layout import ParameterSet
from histjax.lower.parameters import CONSTRAINTS
from histjax.model.data import Data
from histjax.model.histfactory import Model
from histjax.model.interpolation import code4, code4p
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


def build_workspace(model: Model, data: Data | None = None, *, measurement: str = "measurement") -> Workspace:
    """The workspace that `compile` would make this model of, with this dataset as its observations.

    Everything that the format has a place for is written, for every parameter: initial values, bounds, what is fixed,
    and the auxiliary data and widths that do not follow from the modifiers (those of a luminosity among them).

    **Arguments:**

    - `model`: a compiled model, e.g. with other yields (`Model.with_yields`).
    - `data`: a dataset of the model; its own by default. Auxiliary data that differ from the model's are written, too.
    - `measurement`: name of the one measurement.

    **Returns:** a checked `Workspace`, sorted by name, whose model has the same `logpdf`.

    **Raises:** `InvalidOperation` with all that the format has no place for: constraint terms, interpolation codes,
    floors and factors that were given to `compile`, channels that are left out; `InvalidDocument` where the numbers
    make no model.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> toy = histjax.asimov_data(model, poi_value=1.0)
    >>> workspace = histjax.build_workspace(model, toy)
    >>> again = histjax.compile(workspace)
    >>> print(again.logpdf(again.init, again.data) - model.logpdf(model.init, toy))
    0.0
    """
    problems = list(_unspeakable(model))
    if problems:
        raise InvalidOperation("this model has no workspace", problems)
    data = model.data if data is None else data
    flat, own = np.asarray(model.ravel_data(data), float), np.asarray(model.ravel_data(model.data), float)
    bins, auxiliary = flat[: model.layout.n_bins], flat[model.layout.n_bins :]
    changed = auxiliary != own[model.layout.n_bins :]
    workspace = Workspace(
        channels=tuple(_channels(model)),
        observations=tuple(Observation(c.name, _numbers(bins[c.start : c.stop])) for c in model.layout.channels),
        measurements=(Measurement(measurement, model.layout.poi, tuple(_settings(model, auxiliary, changed))),),
    )
    errors = [problem for problem in check(workspace) if not problem.is_warning]
    if errors:
        raise InvalidDocument("the workspace of the model", errors)
    return workspace


def _unspeakable(model: Model) -> Iterator[str]:
    """What the model has and the format has no place for."""
    layout = model.layout
    if model.functions:
        yield "it has factors that are functions of parameters"
    for each in layout.parameters:
        if each.modifiers and each.constraint != CONSTRAINTS.get(each.modifiers[0], each.constraint):
            yield f"parameter {each.name!r} has a constraint term of another kind ({each.constraint}) than its modifier"
        if len(set(np.asarray(model.templates.fixed)[each.slice].tolist())) > 1:
            yield f"parameter {each.name!r}: some components are fixed and others are not"
    codes = {*layout.histosys_codes} - {code4p} | {code for code, _, _ in layout.normsys_codes} - {code4}
    if codes:
        yield f"it interpolates with {', '.join(sorted(code.__name__ for code in codes))}"
    if np.any(np.asarray(model.templates.weights) != 1):
        yield "some of its bins are left out of the likelihood or weighted"
    if layout.clip_sample_data is not None or layout.clip_bin_data is not None:
        yield "it has a floor on expected yields"
    if layout.float_negative_staterror:
        yield "it lets a staterror component of a negative total float"


def _channels(model: Model) -> Iterator[Channel]:
    modifiers = _modifiers(model)
    yields = np.asarray(model.templates.nominal_yields, float)
    for channel in model.layout.channels:
        rows = [(index, row) for index, row in enumerate(model.layout.rows) if row.channel == channel.name]
        samples = [
            Sample(
                row.sample,
                _numbers(yields[row.start : row.stop]),
                tuple(sorted(modifiers[index], key=lambda each: (each.name, each.type))),
            )
            for index, row in rows
        ]
        yield Channel(channel.name, tuple(samples))


def _modifiers(model: Model) -> dict[int, list[Modifier]]:
    """The modifiers of every row."""
    layout, templates, tables = model.layout, model.templates, model.tables
    owner = {index: each for each in layout.parameters for index in range(each.start, each.start + each.size)}
    found: dict[int, list[Modifier]] = {index: [] for index in range(len(layout.rows))}
    lo, hi = np.asarray(templates.normsys_lo, float), np.asarray(templates.normsys_hi, float)
    for entry, (row, alpha) in enumerate(zip(tables.normsys_row.tolist(), tables.normsys_alpha.tolist(), strict=True)):
        found[row].append(NormSys(owner[layout.alphas[alpha]].name, float(lo[entry]), float(hi[entry])))
    for row, factor in zip(tables.factor_row.tolist(), tables.factor_factor.tolist(), strict=True):
        parameter = owner[layout.factors[factor]]
        found[row].append((Lumi if "lumi" in parameter.modifiers else NormFactor)(parameter.name))
    row_of_cell = np.asarray(tables.row_of_cell)
    for row, parameter, entries in _binned(
        row_of_cell, tables.histosys_cell, tables.histosys_alpha, layout.alphas, owner
    ):
        lo, hi = (_numbers(np.asarray(each)[entries]) for each in (templates.histosys_lo, templates.histosys_hi))
        found[row].append(HistoSys(parameter.name, lo=lo, hi=hi))
    for kind, name in ((ShapeSys, "shapesys"), (StatError, "staterror")):
        cells, parameters = getattr(tables, f"{name}_cell"), getattr(tables, f"{name}_parameter")
        uncertainty = np.asarray(getattr(templates, f"{name}_uncertainty"), float)
        for row, parameter, entries in _binned(row_of_cell, cells, parameters, None, owner):
            found[row].append(kind(parameter.name, _numbers(uncertainty[entries])))
    for row, parameter, _ in _binned(row_of_cell, tables.local_cell, tables.local_local, layout.locals_, owner):
        if "shapefactor" in parameter.modifiers:
            found[row].append(ShapeFactor(parameter.name))
    return found


def _binned(row_of_cell, cells, positions, places, owner) -> Iterator[tuple[int, ParameterSet, np.ndarray]]:
    """The bin-wise modifiers of a table: row, parameter set, and the entries of its bins in their order."""
    cells, positions = np.asarray(cells), np.asarray(positions)
    flat = positions if places is None else np.asarray(places, int)[positions]
    groups: dict[tuple[int, str], list[int]] = {}
    for entry, (cell, parameter) in enumerate(zip(cells.tolist(), flat.tolist(), strict=True)):
        groups.setdefault((int(row_of_cell[cell]), owner[parameter].name), []).append(entry)
    for (row, _), entries in groups.items():
        yield row, owner[int(flat[entries[0]])], np.array(sorted(entries, key=lambda entry: cells[entry]))


def _settings(model: Model, auxiliary: np.ndarray, changed: np.ndarray) -> Iterator[ParameterConfig]:
    """What the measurement says of every parameter; NaN stands for what follows from the modifiers."""
    templates, places = model.templates, model.layout.auxiliary_places
    init, lower, upper, fixed = (np.asarray(getattr(templates, name)) for name in ("init", "lower", "upper", "fixed"))
    for each in model.layout.parameters:
        given = {
            name: _given(np.asarray(getattr(templates, name), float)[each.slice])
            for name in ("auxdata", "sigmas", "factors")
        }
        if each.name in places and changed[places[each.name][0]].any():
            given["auxdata"] = _numbers(auxiliary[places[each.name][0]])
        bounds = zip(_numbers(lower[each.slice]), _numbers(upper[each.slice]), strict=True)
        yield ParameterConfig(
            each.name,
            inits=_numbers(init[each.slice]),
            bounds=tuple(bounds),
            fixed=bool(fixed[each.slice].all()),
            **given,
        )


def _given(values: np.ndarray) -> tuple[float, ...] | None:
    return None if np.isnan(values).all() else _numbers(values)


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(np.asarray(values, float).tolist())
