"""The elements of HistFactory XML: which attributes and children each has, and how their texts become values.

The vocabulary is that of CERN-OPEN-2012-016, appendix A, with what ROOT 6.40 reads besides. What is wrong is noted, not
raised, and a stand-in is returned, so that a reader goes on and finds everything.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from histjax.errors import Problem
from histjax.readers.xml.parsing import Element

Value = TypeVar("Value")
_PLACE = ("InputFile", "HistoPath", "HistoName")


@dataclass(frozen=True)
class Kind:
    """What an element may have: attributes that it must have, others, and children; `None` where it holds text."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    children: tuple[str, ...] | None = ()


KINDS = {
    "Combination": Kind((), ("OutputFilePrefix", "Mode"), ("Function", "Input", "Measurement")),
    "Function": Kind(("Name", "Expression", "Dependents")),
    "Input": Kind(children=None),
    "Measurement": Kind(
        ("Name", "Lumi", "LumiRelErr"),
        ("BinLow", "BinHigh", "Mode", "ExportOnly"),
        ("POI", "ParamSetting", "ConstraintTerm", "Asimov"),
    ),
    "POI": Kind(children=None),
    "ParamSetting": Kind((), ("Val", "Const"), None),
    "ConstraintTerm": Kind(("Type",), ("RelativeUncertainty",), None),
    "Asimov": Kind((), ("Name", "FixParams")),
    "Channel": Kind(("Name",), _PLACE, ("Data", "StatErrorConfig", "Sample")),
    "Data": Kind((), (*_PLACE, "Name")),
    "StatErrorConfig": Kind((), ("RelErrorThreshold", "ConstraintType")),
    "Sample": Kind(
        ("Name",),
        (*_PLACE, "NormalizeByTheory"),
        ("StatError", "HistoSys", "OverallSys", "ShapeSys", "NormFactor", "ShapeFactor", "HistoFactor"),
    ),
    "StatError": Kind(("Activate",), _PLACE),
    "HistoSys": Kind(
        ("Name",),
        (*_PLACE, *(f"Histo{part}{end}" for end in ("High", "Low") for part in ("File", "Path", "Name"))),
    ),
    "OverallSys": Kind(("Name", "High", "Low")),
    "ShapeSys": Kind(("Name", "HistoName"), ("HistoPath", "InputFile", "ConstraintType")),
    "NormFactor": Kind(("Name", "Val", "High", "Low"), ("Const",)),
    "ShapeFactor": Kind(("Name",), (*_PLACE, "Const")),
    "HistoFactor": Kind(("Name",), ("HistoNameHigh", "HistoNameLow")),
}
TRUTH = {"True": True, "true": True, "False": False, "false": False}
CONSTRAINTS = {"Gaussian": "Gaussian", "Gauss": "Gaussian", "Poisson": "Poisson", "Pois": "Poisson"}


@dataclass
class Notes:
    """What was found wrong (`is_warning=False`) or doubtful, in the order of the files; nothing twice."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, element: Element, message: str, is_warning: bool) -> None:
        """Take note of something about an element."""
        if all(message != each.message for each in self.problems):
            self.problems.append(Problem(element.place, message, is_warning))

    @property
    def errors(self) -> list[Problem]:
        """What makes the document unusable."""
        return [each for each in self.problems if not each.is_warning]


@dataclass(frozen=True)
class Node:
    """An element together with the notes that are taken about it."""

    element: Element
    notes: Notes

    def wrong(self, message: str) -> None:
        """Note an error."""
        self.notes.add(self.element, f"{self.element.tag}: {message}", is_warning=False)

    def doubt(self, message: str) -> None:
        """Note a doubt."""
        self.notes.add(self.element, f"{self.element.tag}: {message}", is_warning=True)

    def check(self) -> "Node":
        """Note the attributes and children that are missing or unknown, here and below."""
        kind, found = KINDS[self.element.tag], self.element.attributes
        for name in kind.required:
            if not found.get(name, "").strip():
                self.wrong(f"the attribute {name!r} is missing")
        known = (*kind.required, *kind.optional)
        for name in found:
            if name not in known:
                self.wrong(f"unknown attribute {name!r}; expected {', '.join(known) or 'none'}")
        for child in self.element.children:
            if child.tag in (kind.children or ()):
                Node(child, self.notes).check()
            else:
                expected = ", ".join(kind.children or ()) or "none"
                Node(child, self.notes).wrong(f"is not expected in {self.element.tag}; expected {expected}")
        if kind.children is None and not self.element.text.strip():
            self.wrong("there is no text in it")
        return self

    def all(self, tag: str) -> list["Node"]:
        """The children of one kind."""
        return [Node(each, self.notes) for each in self.element.all(tag)]

    def text(self, name: str, default: str = "") -> str:
        """An attribute as it is; an empty one is one that is not there."""
        return self.element.attributes.get(name, "").strip() or default

    def number(self, name: str, default: float = math.nan) -> float:
        """An attribute that is a finite number."""
        text = self.text(name)
        if not text:
            return default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.wrong(f"{name} is {text!r}, expected a finite number")
        return number

    def choice(self, name: str, values: Mapping[str, Value], default: str) -> Value:
        """An attribute that is one of some words."""
        text = self.text(name, default)
        if text not in values:
            self.wrong(f"{name} is {text!r}, expected one of {', '.join(values)}")
        return values.get(text, values[default])

    def words(self) -> list[str]:
        """The names in the text, which stand apart by blanks or commas."""
        return [word for word in re.split(r"[\s,]+", self.element.text) if word]
