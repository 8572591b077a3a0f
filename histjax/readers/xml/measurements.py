"""Measurement elements: the parameter of interest, the settings of the parameters and their constraint terms."""

from dataclasses import dataclass, field

from histjax.readers.xml.channels import FactorSettings, Parts
from histjax.readers.xml.configuration import ConstraintTerm
from histjax.readers.xml.elements import TRUTH, Node
from histjax.readers.xml.names import Component
from histjax.spec import Measurement, ParameterConfig
from histjax.spec.constraints import Constraint, Normal, Poisson

TERMS = {"Gamma": "Gamma", "LogNormal": "LogNormal", "Uniform": "Uniform", "NoConstraint": "NoConstraint"}
UNIFORM_WIDTH = 100.0
"""ROOT's uniform term is a Gaussian of this width in alpha."""
LARGEST_TAU = 10.0
"""ROOT cuts the nominal count 1/r^2 of a gamma term off here."""


@dataclass
class MeasurementReader:
    """Reads measurements of the channels in `parts`.

    **Fields:** `names` are the parameters by ROOT's names; `with_factor` and `with_templates` the names that an
    OverallSys or a HistoSys has. `constraints` and `terms` are filled, by measurement.
    """

    parts: Parts
    names: dict[str, Component]
    sizes: dict[str, int]
    with_factor: set[str]
    with_templates: set[str]
    constraints: dict[str, dict[str, Constraint]] = field(default_factory=dict)
    terms: dict[str, dict[str, ConstraintTerm]] = field(default_factory=dict)

    def read(self, node: Node) -> Measurement:
        """One measurement."""
        name = node.text("Name")
        pois = [word for child in node.all("POI") for word in child.words()]
        if not pois:
            node.wrong(f"{name!r} has no POI; name the parameter of interest, e.g. <POI>mu</POI>")
        elif len(pois) > 1:
            node.doubt(f"{name!r} has the parameters of interest {', '.join(pois)}; the first is the one")
        for attribute in ("BinLow", "BinHigh", "Mode"):
            if node.text(attribute):
                node.doubt(f"{name!r}: {attribute} is ignored, as by ROOT")
        for child in node.all("Asimov"):
            child.doubt(f"{child.text('Name')!r} is not read; make Asimov data of the model with histjax.asimov_data")
        self.constraints[name] = {each: Poisson() for each in self.parts.poisson_staterrors}
        self.constraints[name] |= {each: Normal(centre=1.0) for each in self.parts.gaussian_shapesys}
        self.terms[name] = {}
        for child in node.all("ConstraintTerm"):
            self._constraint_term(child, name)
        return Measurement(name, (pois or [None])[0], tuple(self._parameters(node, name)))

    def _parameters(self, node: Node, measurement: str) -> list[ParameterConfig]:
        settings = self._lumi(node) | {name: _factor_config(each) for name, each in self.parts.factors.items()}
        constant: dict[str, set[int]] = {}
        for child in node.all("ParamSetting"):
            is_constant, value = child.choice("Const", TRUTH, "False"), child.number("Val")
            for word in child.words():
                name, component = self._component(word, measurement)
                if name is None:
                    if word != "Lumi":  # which ROOT has in every model
                        child.doubt(f"measurement {measurement!r}: the model has no parameter {word!r}; it is ignored")
                    continue
                found = settings.setdefault(name, {})
                if child.text("Val"):
                    inits = list(found.get("inits") or (1.0,) * self.sizes[name])
                    inits[component or 0] = value
                    found["inits"] = tuple(inits)
                if is_constant:
                    constant.setdefault(name, set()).add(component or 0)
        for name, components in constant.items():
            settings[name]["fixed"] = True
            if len(components) < self.sizes[name]:
                node.wrong(
                    f"{measurement!r}: only bins {', '.join(map(str, sorted(components)))} of {name!r} are constant; "
                    "expected all bins or none"
                )
        return [ParameterConfig(name, **each) for name, each in settings.items() if each]

    def _component(self, word: str, measurement: str) -> tuple[str | None, int | None]:
        known = self.names.get(word)
        if known is None and word.startswith("beta_") and word[5:] in self.terms[measurement]:
            return word[5:], None
        return known or (None, None)

    def _lumi(self, node: Node) -> dict[str, dict]:
        value, relative = node.number("Lumi"), node.number("LumiRelErr")
        if value <= 0 or relative < 0:
            node.wrong(f"Lumi is {value:g} and LumiRelErr {relative:g}, expected positive numbers")
        if "Lumi" not in self.names:
            return {}
        sigma = value * relative
        bounds = (value - 5 * sigma, value + 5 * sigma)
        return {"lumi": {"inits": (value,), "bounds": (bounds,), "auxdata": (value,), "sigmas": (sigma,)}}

    def _constraint_term(self, node: Node, measurement: str) -> None:
        kind, relative = node.choice("Type", TERMS, "Uniform"), node.number("RelativeUncertainty", 0.0)
        if kind != "NoConstraint" and relative <= 0:
            node.wrong(f"{kind} has RelativeUncertainty {relative:g}, expected a positive number")
        for word in node.words():
            owner = f"measurement {measurement!r}: {kind} of {word!r}"
            if word not in self.with_factor | self.with_templates:
                node.doubt(f"{owner} is ignored: there is no OverallSys or HistoSys of that name")
            elif kind == "Uniform":
                self.constraints[measurement][word] = Normal(UNIFORM_WIDTH, 0.0)
                node.doubt(f"{owner} is a Gaussian of width {UNIFORM_WIDTH:g} in alpha, as in ROOT; {_ONLY_XML}")
            elif word not in self.with_factor:
                node.doubt(f"{owner} is ignored, as by ROOT: only a HistoSys has that name")
            else:
                self.terms[measurement][word] = ConstraintTerm(kind, relative)
                node.doubt(f"{owner}: {_ONLY_XML}")
                if kind == "Gamma" and relative**-2 > LARGEST_TAU:
                    node.doubt(f"{owner}: ROOT 6.40 cuts 1/r^2 = {relative**-2:.4g} off at 10, which moves its centre")


_ONLY_XML = "a workspace cannot say so, only histjax.compile_xml knows"


def _factor_config(settings: FactorSettings) -> dict:
    given = {
        "inits": settings.inits,
        "bounds": None if settings.bounds is None else (settings.bounds,),
        "fixed": settings.fixed or None,
    }
    return {key: value for key, value in given.items() if value is not None}
