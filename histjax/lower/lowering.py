"""Lower a checked workspace: spec -> `Layout` (static) + `Templates` and `Tables` (arrays)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from histjax.errors import InvalidModel
from histjax.lower.constraints import Requests, constrained_sets, constrained_settings, correlated_places
from histjax.lower.functions import Action, marked, new_settings, with_new
from histjax.lower.functions import actions as resolve
from histjax.lower.layout import ChannelBins, Layout, ParameterSet, Row
from histjax.lower.modifiers import Actions, collect, padded
from histjax.lower.parameters import Settings, parameter_sets, settings, sorted_rows
from histjax.lower.structure import narrow_parameters, piece_of, structure_tables
from histjax.lower.templates import Tables, Templates
from histjax.spec import Measurement, Workspace
from histjax.spec.functions import Factor, NewParameter


def lower(
    workspace: Workspace,
    measurement: Measurement,
    *,
    normsys: Callable,
    histosys: Callable,
    additive: tuple[Callable, ...],
    piecewise: tuple[Callable, ...],
    interpolation: Mapping[str, Callable],
    constraints: Requests,
    factors: Sequence[Factor],
    new_parameters: Mapping[str, NewParameter],
    float_negative_staterror: bool,
    clip_sample_data: float | None,
    clip_bin_data: float | None,
) -> tuple[Layout, Templates, Tables, tuple[Action, ...]]:
    """Lower `workspace` for `measurement`; arrays are NumPy, in the order that `Layout` describes.

    `normsys` and `histosys` are the interpolation codes, `interpolation` overrides them by parameter name; `additive`
    are the codes that a histosys can use, `piecewise` those with a kink. Raises `InvalidModel`.
    """
    channels, rows = _axes(workspace)
    sets = constrained_sets(marked(with_new(parameter_sets(workspace), new_parameters), factors), constraints)
    if not sets:
        raise InvalidModel("the model has no parameters: give at least one sample a modifier")
    actions = collect(workspace, rows, sets)
    codes = _Codes(sets, normsys, histosys, additive, interpolation)
    order = codes.normsys_order(actions)
    normsys_parameter = actions.normsys.column("parameter", np.int32)[order]
    histosys_parameter = actions.histosys.column("parameter", np.int32)
    alphas = np.union1d(histosys_parameter, normsys_parameter)
    scalars = np.unique(actions.factor.column("parameter", np.int32))
    locals_ = np.unique(actions.local.column("parameter", np.int32))
    correlated, bin_of_cell = correlated_places(sets, constraints), _bin_of_cell(channels, rows)
    barred = {int(each) for group in (alphas, scalars, correlated) for each in group} | _arguments(sets)
    cell, parameter = (actions.local.column(name, np.int32) for name in ("cell", "parameter"))
    narrow = narrow_parameters(cell, parameter, bin_of_cell, barred)
    layout = Layout(
        channels=channels,
        rows=rows,
        parameters=sets,
        poi=measurement.poi if measurement.poi in {each.name for each in sets} else None,
        alphas=tuple(alphas.tolist()),
        histosys_codes=tuple(codes.of_template(index) for index in alphas),
        normsys_codes=codes.normsys_runs(normsys_parameter),
        factors=tuple(scalars.tolist()),
        locals_=tuple(locals_.tolist()),
        narrow=tuple(narrow.tolist()),
        piece=piece_of(rows[-1].stop, sum(each.size for each in sets) - len(narrow)),
        kinks=codes.kinks(histosys_parameter, normsys_parameter, piecewise),
        n_modifiers=sum(len(sample.modifiers) for _, sample in sorted_rows(workspace)),
        float_negative_staterror=float_negative_staterror,
        clip_sample_data=clip_sample_data,
        clip_bin_data=clip_bin_data,
    )
    given = new_settings(settings(parameter_sets(workspace), measurement), new_parameters)
    chosen, covariance = constrained_settings(sets, given, constraints)
    templates = _templates(workspace, layout, actions, order, chosen, covariance)
    tables = _tables(layout, actions, order, bin_of_cell, alphas, scalars, locals_, correlated)
    return layout, templates, tables, resolve(factors, sets, rows)


class _Codes:
    """Which interpolation code each parameter uses."""

    def __init__(
        self, sets: tuple[ParameterSet, ...], normsys: Callable, histosys: Callable, additive, by_name: Mapping
    ):
        self.normsys, self.histosys, self.by_name = normsys, histosys, dict(by_name)
        self.names = {index: each.name for each in sets for index in range(each.start, each.start + each.size)}
        self.with_templates = {each.name for each in sets if "histosys" in each.modifiers}
        known = self.with_templates | {each.name for each in sets if "normsys" in each.modifiers}
        for name in self.by_name:
            if name not in known:
                raise InvalidModel(
                    f"interpolation is given for {name!r}, which is no normsys or histosys parameter of the model"
                )
        for name in sorted(self.with_templates):
            code = self.by_name.get(name, histosys)
            if code not in additive:
                names = ", ".join(each.__name__ for each in additive)
                raise InvalidModel(f"histosys {name!r} cannot be interpolated with {code.__name__}; use one of {names}")

    def of_template(self, parameter: int) -> Callable:
        """The code of a parameter's histosys templates."""
        name = self.names[int(parameter)]
        return self.by_name.get(name, self.histosys) if name in self.with_templates else self.histosys

    def of_factor(self, parameter: int) -> Callable:
        """The code of a parameter's normsys factors."""
        return self.by_name.get(self.names[int(parameter)], self.normsys)

    def kinks(self, histosys: np.ndarray, normsys: np.ndarray, piecewise: tuple[Callable, ...]) -> tuple[int, ...]:
        """The flat indices of parameters that interpolate with one of the codes `piecewise`."""
        templates = {int(each) for each in histosys if self.of_template(each) in piecewise}
        return tuple(sorted(templates | {int(each) for each in normsys if self.of_factor(each) in piecewise}))

    def normsys_order(self, actions: Actions) -> np.ndarray:
        """Order of the normsys entries in which equal codes stand together."""
        parameter = actions.normsys.column("parameter", np.int32)
        codes = [self.of_factor(each).__name__ for each in parameter]
        return np.argsort(np.array(codes, dtype=str), kind="stable") if codes else np.zeros(0, int)

    def normsys_runs(self, parameter: np.ndarray) -> tuple[tuple[Callable, int, int], ...]:
        """Runs `(code, start, stop)` over the ordered entries."""
        codes = [self.of_factor(each) for each in parameter]
        edges = [0, *(i for i in range(1, len(codes)) if codes[i] is not codes[i - 1]), len(codes)]
        return tuple((codes[a], a, b) for a, b in pairwise(edges) if b > a)


def _axes(workspace: Workspace) -> tuple[tuple[ChannelBins, ...], tuple[Row, ...]]:
    channels, start = [], 0
    for channel in sorted(workspace.channels, key=lambda each: each.name):
        channels.append(ChannelBins(channel.name, start, start + channel.n_bins))
        start += channel.n_bins
    rows, start = [], 0
    for channel, sample in sorted_rows(workspace):
        rows.append(Row(channel.name, sample.name, start, start + channel.n_bins))
        start += channel.n_bins
    return tuple(channels), tuple(rows)


def _templates(
    workspace: Workspace, layout: Layout, actions: Actions, order, chosen: Settings, covariance: np.ndarray
) -> Templates:
    return Templates(
        nominal_yields=np.concatenate(
            [np.asarray(sample.nominal_yields, float) for _, sample in sorted_rows(workspace)]
        ),
        histosys_lo=actions.histosys.column("lo", float),
        histosys_hi=actions.histosys.column("hi", float),
        normsys_lo=actions.normsys.column("lo", float)[order],
        normsys_hi=actions.normsys.column("hi", float)[order],
        shapesys_uncertainty=actions.shapesys.column("uncertainty", float),
        staterror_uncertainty=actions.staterror.column("uncertainty", float),
        observations=np.concatenate([np.asarray(workspace.observation(c.name).data, float) for c in layout.channels]),
        weights=np.ones(layout.n_bins),
        covariance=covariance,
        **vars(chosen),
    )


def _bin_of_cell(channels: tuple[ChannelBins, ...], rows: tuple[Row, ...]) -> np.ndarray:
    start = {each.name: each.start for each in channels}
    return np.concatenate([np.arange(r.stop - r.start) + start[r.channel] for r in rows]).astype(np.int32)


def _arguments(sets: tuple[ParameterSet, ...]) -> set[int]:
    """Flat indices of the parameters on which functions depend."""
    return {i for each in sets if "function" in each.modifiers for i in range(each.start, each.start + each.size)}


def _tables(
    layout: Layout, actions: Actions, order, bin_of_cell, alphas, factors, locals_, correlated: np.ndarray
) -> Tables:
    def integers(entries, name):
        return entries.column(name, np.int32)

    normsys_row = integers(actions.normsys, "row")[order]
    factor_row, factor_parameter = integers(actions.factor, "row"), integers(actions.factor, "parameter")
    local_cell, local_parameter = integers(actions.local, "cell"), integers(actions.local, "parameter")
    n_rows, n_cells, n_parameters = len(layout.rows), layout.n_cells, layout.n_parameters
    table = dict(
        row_of_cell=np.concatenate([np.full(r.stop - r.start, i) for i, r in enumerate(layout.rows)]).astype(np.int32),
        bin_of_cell=bin_of_cell,
        histosys_cell=integers(actions.histosys, "cell"),
        histosys_alpha=_positions(alphas, integers(actions.histosys, "parameter")),
        normsys_row=normsys_row,
        normsys_alpha=_positions(alphas, integers(actions.normsys, "parameter")[order]),
        normsys_of_row=padded(normsys_row, n_rows, np.arange(normsys_row.size), padding=normsys_row.size),
        factor_row=factor_row,
        factor_factor=_positions(factors, factor_parameter),
        factors_of_row=padded(factor_row, n_rows, factor_parameter, padding=n_parameters),
        local_cell=local_cell,
        local_local=_positions(locals_, local_parameter),
        locals_of_cell=padded(local_cell, n_cells, local_parameter, padding=n_parameters),
        shapesys_cell=integers(actions.shapesys, "cell"),
        shapesys_parameter=integers(actions.shapesys, "parameter"),
        staterror_cell=integers(actions.staterror, "cell"),
        staterror_parameter=integers(actions.staterror, "parameter"),
        alpha_parameter=alphas.astype(np.int32),
        factor_parameter=factors.astype(np.int32),
        local_parameter=locals_.astype(np.int32),
    )
    return Tables(**table, **structure_tables(layout, table), **_constraint_tables(layout, correlated))


def _positions(sorted_values: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.searchsorted(sorted_values, values).astype(np.int32)


def _constraint_tables(layout: Layout, correlated: np.ndarray) -> dict[str, np.ndarray]:
    """Flat parameter index and place in the auxiliary data of every constraint term, by kind.

    Gamma terms are Poisson terms in other units; `correlated` gives the order of the covariance.
    """
    constrained = layout.constrained
    parameter = np.array([i for each in constrained for i in range(each.start, each.start + each.size)], np.int32)
    kind = np.array([each.constraint for each in constrained for _ in range(each.size)], str)
    place = {index: auxiliary for auxiliary, index in enumerate(parameter.tolist())}
    table = {"poisson_is_gamma": kind[np.isin(kind, ("poisson", "gamma"))] == "gamma", "auxiliary_parameter": parameter}
    for name, kinds in {"normal": ["normal"], "poisson": ["poisson", "gamma"], "lognormal": ["lognormal"]}.items():
        table[f"{name}_auxiliary"] = np.flatnonzero(np.isin(kind, kinds)).astype(np.int32)
        table[f"{name}_parameter"] = parameter[table[f"{name}_auxiliary"]]
    table["correlated_parameter"] = correlated.astype(np.int32)
    table["correlated_auxiliary"] = np.array([place[index] for index in correlated.tolist()], np.int32)
    return table
