"""Values, domains and analyses of the measurements of a workspace."""

from dataclasses import dataclass

import numpy as np

from histjax.hs3.choices import DEFAULT_DOMAIN, DEFAULT_POINT
from histjax.hs3.histfactory.components import Components
from histjax.lower.layout import ParameterSet
from histjax.lower.parameters import Settings
from histjax.spec import Measurement, Workspace

WIDE = 100.0
"""Half of the range of a global observable, in widths of its term: nothing of the density is cut off."""


@dataclass(frozen=True)
class Written:
    """The names of a document: of parameters, of the distribution of each channel and the data of each observation, and
    of the likelihood.
    """

    parts: Components
    distributions: dict[str, str]
    data: dict[str, str]
    likelihood: str

    def is_said(self, workspace: Workspace, measurement: Measurement) -> bool:
        """Whether a measurement has the constraint terms of the first one: HS3 has them in the distributions."""
        first, other = (self.parts.settings(each) for each in (workspace.measurements[0], measurement))
        pairs = ((getattr(first, key), getattr(other, key)) for key in ("auxdata", "sigmas", "factors"))
        return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)

    def poi(self, measurement: Measurement) -> str | None:
        """The parameter of interest, if the model has it and it is one number."""
        names = self.parts.names.get(measurement.poi, ()) if measurement.poi is not None else ()
        return names[0] if len(names) == 1 else None


def points(workspace: Workspace, written: Written) -> list[dict]:
    """The default values, those of the first measurement, and the ones of others that are analyses."""
    first, *others = workspace.measurements
    said = [each for each in others if written.is_said(workspace, each)]
    entries = [{"name": DEFAULT_POINT, "parameters": _values(written.parts, first)}]
    return entries + [{"name": f"{each.name}_values", "parameters": _values(written.parts, each)} for each in said]


def domains(workspace: Workspace, written: Written) -> list[dict]:
    """The default domain, and ROOT's three domains of every analysis."""
    first, parts = workspace.measurements[0], written.parts
    nominals = _nominal_axes(parts, parts.settings(first))
    entries = [_domain(DEFAULT_DOMAIN, _axes(parts, first) | nominals)]
    for measurement in workspace.measurements:
        if written.is_said(workspace, measurement):
            axes, poi = _axes(parts, measurement), written.poi(measurement)
            named = _domain_names(measurement)
            entries += [
                _domain(named[0], {name: axis for name, axis in axes.items() if name != poi}),
                _domain(named[1], nominals),
                _domain(named[2], {name: axis for name, axis in axes.items() if name == poi}),
            ]
    return entries


def analyses(workspace: Workspace, written: Written) -> list[dict]:
    """An analysis for every measurement that HS3 can say."""
    entries = []
    for index, measurement in enumerate(workspace.measurements):
        if written.is_said(workspace, measurement):
            poi = written.poi(measurement)
            entries.append(
                {
                    "name": measurement.name,
                    "likelihood": written.likelihood,
                    "parameters_of_interest": [] if poi is None else [poi],
                    "domains": list(_domain_names(measurement)),
                    "init": f"{measurement.name}_values" if index else DEFAULT_POINT,
                }
            )
    return entries


def _domain_names(measurement: Measurement) -> tuple[str, str, str]:
    kinds = ("nuisance_parameters", "global_observables", "parameters_of_interest")
    return tuple(f"{measurement.name}_{kind}" for kind in kinds)


def _domain(name: str, axes: dict[str, dict]) -> dict:
    return {"name": name, "type": "product_domain", "axes": [{"name": key} | axis for key, axis in axes.items()]}


def _axes(parts: Components, measurement: Measurement) -> dict[str, dict]:
    """Bounds of all parameters. Fixed ones get bounds around their value: ROOT moves values into their range."""
    chosen, axes = parts.settings(measurement), {}
    for each in parts.sets:
        for index, name in enumerate(parts.names[each.name], start=each.start):
            init, low, high = (float(values[index]) for values in (chosen.init, chosen.lower, chosen.upper))
            axes[name] = {"min": min(low, init), "max": max(high, init)}
    return axes


def _nominal_axes(parts: Components, chosen: Settings) -> dict[str, dict]:
    axes: dict[str, dict] = {}
    for each in parts.sets:
        for index, name in enumerate(parts.nominals.get(each.name, ())):
            centre, width = _datum(parts, chosen, each, index)
            if each.constraint == "poisson":
                axes[name] = {"min": 0.0}
            else:
                axes[name] = {"min": centre - WIDE * width, "max": centre + WIDE * width}
    return axes


def _values(parts: Components, measurement: Measurement) -> list[dict]:
    """Values of the parameters, constant where the measurement or a rule of pyhf holds them, and global observables."""
    chosen, entries = parts.settings(measurement), []
    for each in parts.sets:
        relative = parts.relative.get(each.name)
        for index, name in enumerate(parts.names[each.name]):
            held = bool(chosen.fixed[each.start + index])
            held |= each.constraint != "none" and relative is not None and relative[index] == 0
            constant = {"const": True} if held else {}
            entries.append({"name": name, "value": float(chosen.init[each.start + index])} | constant)
        for index, name in enumerate(parts.nominals.get(each.name, ())):
            entries.append({"name": name, "value": _datum(parts, chosen, each, index)[0], "const": True})
    return entries


def _datum(parts: Components, chosen: Settings, each: ParameterSet, index: int) -> tuple[float, float]:
    """The auxiliary datum of a component, and the width of its term."""
    place = each.start + index
    given, sigma, rate = (float(getattr(chosen, key)[place]) for key in ("auxdata", "sigmas", "factors"))
    relative = parts.relative[each.name][index] if each.name in parts.relative else 1.0
    width = sigma if not np.isnan(sigma) else float(relative) or 1.0
    if each.constraint == "poisson":
        rate = rate if not np.isnan(rate) else 1.0 / width / width
        return (rate if np.isnan(given) else given), width
    centre = 0.0 if each.is_scalar else 1.0
    return (centre if np.isnan(given) else given), width
