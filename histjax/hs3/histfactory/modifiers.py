"""Read the modifiers of one sample; spellings and defaults of ROOT 6.40, PyHS3 and the standard's text."""

import math
import sys
from dataclasses import dataclass
from typing import Any

from histjax.hs3.histfactory.findings import Findings, shown
from histjax.hs3.histfactory.interpolations import code_of
from histjax.hs3.histfactory.lookup import Lookup
from histjax.hs3.histfactory.options import Options
from histjax.hs3.histfactory.terms import Terms
from histjax.hs3.histfactory.uses import Factor, Gammas, Interpolated, Use
from histjax.interpolation import code4

GAMMA_CONSTRAINTS = {
    "Gauss": "Gauss",
    "Gaussian": "Gauss",
    "Poisson": "Poisson",
    "Pois": "Poisson",
    "Const": "none",
}
TYPES = ("normfactor", "normsys", "histosys", "shapesys", "staterror", "shapefactor", "custom")


@dataclass(frozen=True)
class Sample:
    """Where modifiers are read: the entries around them, the yields `(bins,)`, and ROOT's name of the channel."""

    channel: dict
    channel_name: str
    nominal_yields: tuple[float, ...]
    errors: tuple[float, ...] | None
    lookup: Lookup
    options: Options
    terms: Terms
    findings: Findings

    def read(self, entry: Any, path: str) -> Use | None:
        """The use that a modifier makes of its parameters, or `None` with problems."""
        if not isinstance(entry, dict) or entry.get("type") not in TYPES:
            found = entry.get("type") if isinstance(entry, dict) else entry
            self.findings.choice(found, TYPES, f"{path}/type", "type of a modifier")
            return None
        for key in ("name", "parameter"):
            if not isinstance(entry.get(key, ""), str):
                self.findings.problem(f"{path}/{key}", f"expected a name, found {shown(entry[key])}")
                return None
        if not entry.get("name") and not entry.get("parameter") and not entry.get("parameters"):
            self.findings.problem(path, f"this {entry['type']} has neither a name nor a parameter")
            return None
        match entry["type"]:
            case "normfactor" | "custom":
                return self._factor(entry, path)
            case "normsys":
                return self._normsys(entry, path)
            case "histosys":
                return self._histosys(entry, path)
            case "staterror":
                return self._staterror(entry, path)
            case _:
                return self._shapesys(entry, path)

    def _factor(self, entry: dict, path: str) -> Factor:
        name, own = entry.get("parameter") or entry["name"], entry.get("name")
        if own and own != name:
            self.findings.doubt(f"{path}: normfactor {own!r} is driven by {name!r}; ROOT 6.40 takes {own!r} instead")
        if name not in self.lookup.functions:
            self.terms.read(entry, name, self.lookup, path, self.findings, implied=False)
        elif "constraint_name" in entry or "constraint_type" in entry:
            self.findings.problem(path, f"normfactor {name!r} is a function, and only a parameter can be constrained")
        return Factor(path, name)

    def _normsys(self, entry: dict, path: str) -> Interpolated | None:
        parameter, data = self.lookup.alpha(entry), entry.get("data")
        if not isinstance(data, dict):
            self.findings.problem(f"{path}/data", f"normsys {parameter!r}: expected lo and hi, found {shown(data)}")
            return None
        ends = [
            self.findings.number(data.get(key), f"{path}/data/{key}", f"normsys {parameter!r}, {key}")
            for key in ("lo", "hi")
        ]
        code = code_of(entry, self.channel, "normsys", path, self.findings)
        self.terms.read(entry, parameter, self.lookup, path, self.findings)
        if None in ends:
            return None
        lo, hi = (self._positive(each, path) if code is code4 else each for each in ends)
        return Interpolated(path, "normsys", parameter, lo, hi, code)

    def _positive(self, value: float, path: str) -> float:
        if value > 0:
            return value
        self.findings.doubt(f"{path}: a factor of {value} has no logarithm; as in ROOT 6.40, 2.2e-16 takes its place")
        return sys.float_info.epsilon

    def _histosys(self, entry: dict, path: str) -> Interpolated | None:
        parameter, data, size = self.lookup.alpha(entry), entry.get("data"), len(self.nominal_yields)
        if not isinstance(data, dict):
            self.findings.problem(f"{path}/data", f"histosys {parameter!r}: expected lo and hi, found {shown(data)}")
            return None
        ends = []
        for key in ("lo", "hi"):
            value, place = data.get(key), f"{path}/data/{key}"
            if isinstance(value, dict):
                value, place = value.get("contents"), f"{place}/contents"
            ends.append(self.findings.numbers(value, place, f"histosys {parameter!r}, {key}", size))
        code = code_of(entry, self.channel, "histosys", path, self.findings)
        self.terms.read(entry, parameter, self.lookup, path, self.findings)
        if None in ends:
            return None
        if self.options.histosys == "delta":
            ends = [tuple(n + d for n, d in zip(self.nominal_yields, each, strict=True)) for each in ends]
        return Interpolated(path, "histosys", parameter, *ends, code)

    def _staterror(self, entry: dict, path: str) -> Gammas | None:
        name, errors = f"stat_{self.channel_name}", self.errors
        gammas = self._gammas(entry, path, name)
        if errors is None:
            message = "a sample with a staterror needs the uncertainties of its contents in data/errors"
            self.findings.problem(path.split("/modifiers")[0] + "/data", message)
        constraint = self._staterror_constraint(entry, path)
        if gammas is None or errors is None or constraint is None:
            return None
        return Gammas(path, "staterror", name, gammas, errors, constraint)

    def _staterror_constraint(self, entry: dict, path: str) -> str | None:
        if self.options.staterror != "auto":
            return self.options.staterror
        of_channel = self.channel.get("staterror")
        if isinstance(of_channel, dict) and "constraint_type" in of_channel:
            place = path.split("/samples")[0] + "/staterror/constraint_type"
            return self._kind(of_channel["constraint_type"], place)
        for key in ("constraint_type", "constraint"):
            if key in entry:
                kind = self._kind(entry[key], f"{path}/{key}")
                if kind == "Gauss":
                    message = "its staterror is Gaussian as its modifiers say, for which ROOT 6.40 takes Poisson"
                    self.findings.doubt(f"channel {self.channel_name!r}: {message}")
                return kind
        message = "nothing says how its staterror is constrained: Poisson is assumed, as in ROOT (pyhf has Gauss)"
        self.findings.doubt(f"channel {self.channel_name!r}: {message}")
        return "Poisson"

    def _kind(self, value: Any, place: str) -> str | None:
        word = self.findings.choice(value, list(GAMMA_CONSTRAINTS), place, "constraint of bin-wise factors")
        return GAMMA_CONSTRAINTS[word] if word else None

    def _shapesys(self, entry: dict, path: str) -> Gammas | None:
        """A shapesys or a shapefactor; one without `vals` is free."""
        name, size = entry.get("name") or entry.get("parameter", "shape"), len(self.nominal_yields)
        gammas = self._gammas(entry, path, name)
        data = entry.get("data") if isinstance(entry.get("data"), dict) else {}
        values = data.get("vals")
        if entry["type"] == "shapefactor" or values is None:
            if entry["type"] == "shapesys" and not entry.get("parameters"):
                self.findings.problem(f"{path}/data/vals", f"shapesys {name!r} has no vals")
                return None
            return Gammas(path, "shapefactor", name, gammas, (0.0,) * size, "none") if gammas else None
        values = self.findings.numbers(values, f"{path}/data/vals", f"shapesys {name!r}, vals", size)
        constraint = self._shapesys_constraint(entry, path)
        if gammas is None or values is None or constraint is None:
            return None
        if any(each < 0 for each in values):
            self.findings.problem(f"{path}/data/vals", f"shapesys {name!r}: an uncertainty is negative")
            return None
        relative = self._relative(entry, name, values, path) if constraint != "none" else (0.0,) * size
        return relative and Gammas(path, "shapesys", name, gammas, relative, constraint)

    def _shapesys_constraint(self, entry: dict, path: str) -> str | None:
        for key in ("constraint_type", "constraint"):
            if key in entry:
                return self._kind(entry[key], f"{path}/{key}")
        self.findings.doubt(f"{path}: this shapesys has no constraint_type; it is Gaussian, as in ROOT 6.40")
        return "Gauss"

    def _relative(self, entry: dict, name: str, values: tuple[float, ...], path: str) -> tuple[float, ...] | None:
        """The uncertainties relative to the yields, by the convention of the document."""
        convention = self.options.shapesys
        if convention == "auto" and ("constraint_type" in entry or self.lookup.is_from_root):
            convention = "relative"
        elif convention == "auto" and any(values) and "constraint" not in entry:
            message = "nothing says whether vals are relative (ROOT) or absolute (PyHS3)"
            hint = "choose with Options(shapesys='relative') or 'absolute'"
            self.findings.problem(f"{path}/data/vals", f"shapesys {name!r}: {message}; {hint}")
            return None
        elif convention == "auto" and any(values):
            convention = "absolute"
            self.findings.doubt("the vals of shapesys modifiers are absolute, as in PyHS3; ROOT takes them as relative")
        if convention == "relative":
            return values
        pairs = zip(values, self.nominal_yields, strict=True)
        return tuple(value / nominal if nominal > 0 else 0.0 for value, nominal in pairs)

    def _gammas(self, entry: dict, path: str, name: str) -> tuple[str, ...] | None:
        size = len(self.nominal_yields)
        for key in ("parameters", "parameter"):
            if entry.get(key):
                return self.findings.names(entry[key], f"{path}/{key}", f"{entry['type']} {name!r}", size)
        return tuple(f"gamma_{name}_bin_{i}" for i in range(size))


def bins_of(axes: Any) -> int | None:
    """The number of bins of the product of some axes, or `None` if they do not say."""
    if not isinstance(axes, list) or not axes:
        return None
    sizes = [_bins(axis) for axis in axes]
    return None if None in sizes else math.prod(sizes)


def _bins(axis: Any) -> int | None:
    if not isinstance(axis, dict):
        return None
    for key in ("edges", "bounds"):
        if isinstance(axis.get(key), list):
            return len(axis[key]) - 1
    return axis.get("nbins") if isinstance(axis.get("nbins"), int) else None
