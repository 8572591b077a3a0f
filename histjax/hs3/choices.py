"""What of a document is compiled: a likelihood, with the starting values and ranges of its analysis."""

import math
from dataclasses import dataclass
from typing import Any

from histjax.errors import InvalidModel
from histjax.hs3.records import AnalysisRecord, LikelihoodRecord
from histjax.hs3.workspace import Workspace

DEFAULT_DOMAIN, DEFAULT_POINT = "default_domain", "default_values"


@dataclass(frozen=True)
class Choice:
    """What of a document is compiled: a likelihood, with starting values, ranges and parameters of interest."""

    likelihood: LikelihoodRecord
    values: dict[str, float]
    constant: frozenset[str]
    ranges: dict[str, tuple[float | None, float | None]]
    pois: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The same as `histjax.hs3.histfactory.translate` takes it."""
        bounds = {
            name: (-math.inf if low is None else low, math.inf if high is None else high)
            for name, (low, high) in self.ranges.items()
        }
        return {
            "likelihood": self.likelihood.name,
            "point": self.values,
            "fixed": self.constant,
            "bounds": bounds,
            "pois": self.pois,
        }


def choose(
    workspace: Workspace,
    analysis: str | None = None,
    likelihood: str | None = None,
    domain: str | None = None,
    parameter_point: str | None = None,
) -> Choice:
    """The likelihood of an analysis, the first one by default, with what the analysis says of parameters.

    Where an analysis names no starting point it is `default_values`, or else the first parameter point. Ranges that its
    domains do not give are looked up in `default_domain`. `likelihood`, `domain` and `parameter_point` are chosen in
    place of those of the analysis.
    """
    record = None
    if analysis is not None or (likelihood is None and len(workspace.analyses)):
        record = workspace.analyses[0 if analysis is None else analysis]
    if record is None and not len(workspace.likelihoods):
        raise InvalidModel(f"{workspace.source}: the document has no likelihood, so that there is nothing to compile")
    name = likelihood or (record.likelihood if record else workspace.likelihoods[0].name)
    values, constant = _point(workspace, parameter_point or (record.init if record else None))
    ranges = _ranges(workspace, domain, record)
    pois = record.parameters_of_interest if record else ()
    return Choice(workspace.likelihoods[name], values, constant, ranges, pois)


def _point(workspace: Workspace, name: str | None) -> tuple[dict[str, float], frozenset[str]]:
    """Values and constants; other points give the values that the chosen one lacks (global observables, in ROOT's)."""
    points = workspace.parameter_points
    if name is None:
        name = DEFAULT_POINT if DEFAULT_POINT in points else points[0].name if len(points) else None
    if name is None:
        return {}, frozenset()
    order = [points[name], *(each for each in points if each.name != name)]
    values: dict[str, float] = {}
    constant: set[str] = set()
    for each in order:
        constant |= {name for name in each.constant if name not in values}
        values = each.values | values
    return values, frozenset(constant)


def _ranges(workspace: Workspace, domain: str | None, record: AnalysisRecord | None) -> dict:
    names = [domain] if domain is not None else list(record.domains if record else ())
    if DEFAULT_DOMAIN in workspace.domains:
        names.append(DEFAULT_DOMAIN)
    if not names and len(workspace.domains):
        names = [workspace.domains[0].name]
    found: dict[str, tuple[float | None, float | None]] = {}
    for name in names:
        found = {axis.name: (axis.min, axis.max) for axis in workspace.domains[name].axes} | found
    return found
