"""What a document has by name, and the values of its parameters at one point."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Lookup:
    """A document with the values, constants and ranges that one analysis gives to its parameters."""

    document: dict
    point: Mapping[str, float]
    fixed: Collection[str]
    bounds: Mapping[str, tuple[float, float]]

    @cached_property
    def distributions(self) -> dict[str, tuple[str, dict]]:
        """Path and entry of every distribution, by name."""
        return _by_name(self.document, "distributions")

    @cached_property
    def functions(self) -> dict[str, tuple[str, dict]]:
        """Path and entry of every function, by name."""
        return _by_name(self.document, "functions")

    @cached_property
    def data(self) -> dict[str, tuple[str, dict]]:
        """Path and entry of all data, by name."""
        return _by_name(self.document, "data")

    @cached_property
    def likelihoods(self) -> dict[str, tuple[str, dict]]:
        """Path and entry of every likelihood, by name."""
        return _by_name(self.document, "likelihoods")

    @cached_property
    def parameters(self) -> set[str]:
        """Names that parameter points and domains speak of."""
        points = (each.get("parameters", ()) for each in self.document.get("parameter_points", ()))
        domains = (each.get("axes", ()) for each in self.document.get("domains", ()))
        return {each["name"] for group in (*points, *domains) for each in group} | set(self.point) | set(self.bounds)

    @cached_property
    def is_from_root(self) -> bool:
        """Whether the metadata name ROOT as the writer."""
        packages = self.document.get("metadata", {}).get("packages", ())
        return any(isinstance(each, dict) and each.get("name") == "ROOT" for each in packages)

    def value(self, entry: Any) -> float | None:
        """A number, or the value of a parameter at the point; `None` for anything else."""
        if isinstance(entry, str):
            return self.point.get(entry)
        return entry if isinstance(entry, int | float) and not isinstance(entry, bool) else None

    def constant(self, entry: Any) -> float | None:
        """A number, or the value of a parameter that is held constant; `None` for anything else."""
        return None if isinstance(entry, str) and entry not in self.fixed else self.value(entry)

    def alpha(self, entry: dict) -> str:
        """The parameter of a normsys or histosys: the one that is named, else `alpha_<name>` as in ROOT, unless only
        `<name>` is a parameter of the document.
        """
        if "parameter" in entry:
            return entry["parameter"]
        name = entry.get("name", "")
        return name if name in self.parameters and f"alpha_{name}" not in self.parameters else f"alpha_{name}"


def _by_name(document: dict, part: str) -> dict[str, tuple[str, dict]]:
    return {each["name"]: (f"/{part}/{index}", each) for index, each in enumerate(document.get(part, ()))}
