"""Which parameter sets a workspace has, in pyhf's order, with their settings.

Order: by the type of the modifier that brings the set (histosys, lumi, normfactor, normsys, shapefactor, shapesys,
staterror); within a type in order of first sight, walking sorted channels, sorted samples, sorted (name, type)
modifiers; staterror sets by name. Defaults (initial value, bounds) are pyhf's.
"""

from dataclasses import dataclass

import numpy as np

from histjax.lower.layout import Constraint, ParameterSet
from histjax.spec import Measurement, Workspace

ORDER = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")
CONSTRAINTS: dict[str, Constraint] = {
    "histosys": "normal",
    "normsys": "normal",
    "lumi": "normal",
    "staterror": "normal",
    "shapesys": "poisson",
    "normfactor": "none",
    "shapefactor": "none",
}
SCALAR = ("histosys", "normsys", "normfactor", "lumi")
DEFAULTS = {  # initial value, lower bound, upper bound
    "histosys": (0.0, -5.0, 5.0),
    "normsys": (0.0, -5.0, 5.0),
    "normfactor": (1.0, 0.0, 10.0),
    "shapefactor": (1.0, 0.0, 10.0),
    "shapesys": (1.0, 1e-10, 10.0),
    "staterror": (1.0, 1e-10, 10.0),
    "lumi": (np.nan, np.nan, np.nan),  # the measurement says
}


def sorted_rows(workspace: Workspace):
    """Yield `(channel, sample)` for sorted channels and, within each, sorted samples."""
    for channel in sorted(workspace.channels, key=lambda each: each.name):
        for sample in sorted(channel.samples, key=lambda each: each.name):
            yield channel, sample


def sorted_modifiers(sample):
    """The modifiers of a sample sorted by (name, type)."""
    return sorted(sample.modifiers, key=lambda each: (each.name, each.type))


def parameter_sets(workspace: Workspace) -> tuple[ParameterSet, ...]:
    """The parameter sets of a checked workspace, in the flat order."""
    seen: dict[str, dict[str, dict[str, int]]] = {kind: {} for kind in ORDER}  # type -> name -> channel -> bins
    for channel, sample in sorted_rows(workspace):
        for modifier in sorted_modifiers(sample):
            seen[modifier.type].setdefault(modifier.name, {})[channel.name] = channel.n_bins
    types: dict[str, list[str]] = {}
    for kind in ORDER:
        for name in sorted(seen[kind]) if kind == "staterror" else seen[kind]:
            types.setdefault(name, []).append(kind)
    sets, start = [], 0
    for name, kinds in types.items():
        size = _size(kinds[0], seen[kinds[0]][name])
        sets.append(ParameterSet(name, start, size, kinds[0] in SCALAR, CONSTRAINTS[kinds[0]], tuple(kinds)))
        start += size
    return tuple(sets)


def _size(kind: str, bins_by_channel: dict[str, int]) -> int:
    if kind in SCALAR:
        return 1
    if kind == "staterror":  # one component per bin of every channel that carries the name
        return sum(bins_by_channel.values())
    return next(iter(bins_by_channel.values()))


@dataclass(frozen=True)
class Settings:
    """The settings of all parameters as flat arrays `(parameters,)`; NaN in the last three means "derive it"."""

    init: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    fixed: np.ndarray
    auxdata: np.ndarray
    sigmas: np.ndarray
    factors: np.ndarray


def settings(sets: tuple[ParameterSet, ...], measurement: Measurement) -> Settings:
    """Defaults overridden by what the measurement says."""
    configs = {each.name: each for each in measurement.parameters}
    size = sum(each.size for each in sets)
    table = {name: np.full(size, np.nan) for name in ("init", "lower", "upper", "auxdata", "sigmas", "factors")}
    fixed = np.zeros(size, bool)
    for each in sets:
        place, config = each.slice, configs.get(each.name)
        default = DEFAULTS[each.modifiers[0]]
        table["init"][place], table["lower"][place], table["upper"][place] = default
        if config is None:
            continue
        fixed[place] = bool(config.fixed)
        for name in ("auxdata", "sigmas", "factors"):
            if getattr(config, name) is not None:
                table[name][place] = getattr(config, name)
        if "lumi" in each.modifiers:
            _lumi_defaults(table, place)
        if config.inits is not None:
            table["init"][place] = config.inits
        if config.bounds is not None:
            table["lower"][place], table["upper"][place] = np.asarray(config.bounds, float).T
    return Settings(fixed=fixed, **table)


def _lumi_defaults(table: dict[str, np.ndarray], place: slice) -> None:
    """Without `inits` and `bounds` the luminosity starts at its auxiliary datum, within five widths (HistFactory's
    XML rule).
    """
    centre, sigma = table["auxdata"][place], table["sigmas"][place]
    table["init"][place] = centre
    table["lower"][place] = np.maximum(centre - 5 * sigma, 0.0)
    table["upper"][place] = centre + 5 * sigma
