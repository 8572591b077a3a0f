"""What one analysis of a document says of its parameters: values, constants, ranges, parameters of interest."""

import math
from dataclasses import dataclass

from histjax.errors import UnknownName

DEFAULT_POINT, DEFAULT_DOMAIN = "default_values", "default_domain"
"""ROOT's names of the parameter point and the domain that always hold."""


@dataclass(frozen=True)
class AnalysisSettings:
    """The arguments of `translate` but the document."""

    likelihood: str
    point: dict[str, float]
    fixed: frozenset[str]
    bounds: dict[str, tuple[float, float]]
    pois: tuple[str, ...]


def analysis_settings(document: dict, name: str | None = None) -> AnalysisSettings:
    """The settings of an analysis, by default the first one.

    Values are those of `default_values` (or, without it, of the first parameter point), overridden by the point that
    the analysis names as `init`; ranges are those of `default_domain` (or the first domain), overridden by the domains
    of the analysis. Raises `UnknownName`.
    """
    analyses = {each["name"]: each for each in document.get("analyses", ())}
    if not analyses or name not in (None, *analyses):
        raise UnknownName("analysis", name, analyses)
    analysis = analyses[name] if name is not None else next(iter(analyses.values()))
    points = {each["name"]: each for each in document.get("parameter_points", ())}
    domains = {each["name"]: each for each in document.get("domains", ())}
    named = analysis.get("domains", analysis.get("domain", ()))
    point, fixed = _values([*_default(points, DEFAULT_POINT), analysis.get("init")], points)
    bounds = _ranges([*_default(domains, DEFAULT_DOMAIN), *([named] if isinstance(named, str) else named)], domains)
    pois = tuple(analysis.get("parameters_of_interest") or ())
    return AnalysisSettings(analysis["likelihood"], point, frozenset(fixed), bounds, pois)


def _default(entries: dict[str, dict], name: str) -> list[str]:
    """The name of the entry that always holds, or of the first one."""
    return [name] if name in entries else list(entries)[:1]


def _values(names: list[str | None], points: dict[str, dict]) -> tuple[dict[str, float], set[str]]:
    values, fixed = {}, set()
    for name in names:
        for entry in points[name]["parameters"] if name in points else ():
            values[entry["name"]] = entry.get("value", values.get(entry["name"], 0.0))
            (fixed.add if entry.get("const") else fixed.discard)(entry["name"])
    return values, fixed


def _ranges(names: list[str], domains: dict[str, dict]) -> dict[str, tuple[float, float]]:
    axes = (axis for name in names if name in domains for axis in domains[name].get("axes", ()))
    return {axis["name"]: (axis.get("min", -math.inf), axis.get("max", math.inf)) for axis in axes}
