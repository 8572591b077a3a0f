"""`write_xml`: a workspace as HistFactory XML with its histograms in a ROOT file."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from histjax.errors import DocumentWarning, InvalidDocument, Problem
from histjax.readers.xml.configuration import XMLConfiguration
from histjax.readers.xml.expressible import norm_factor, problems
from histjax.readers.xml.folders import check_prefix, replacing
from histjax.readers.xml.histograms import uproot
from histjax.readers.xml.names import root_names
from histjax.readers.xml.schema import NAME as SCHEMA
from histjax.readers.xml.schema import schema
from histjax.readers.xml.writing_histograms import HistogramWriter, slug, unique
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Measurement,
    Modifier,
    NormFactor,
    NormSys,
    ParameterConfig,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.check import check
from histjax.spec.constraints import Constraint, Normal, Poisson

DATA = "data/data.root"
NO_LUMI = ParameterConfig("", inits=(1.0,), auxdata=(1.0,), sigmas=(0.1,), fixed=True)
"""ROOT has a luminosity in every model; where the workspace has none it is held at 1. (The name is
that of no parameter: a normsys may be called lumi.)"""


def write_xml(
    workspace: Workspace | XMLConfiguration,
    directory: str | os.PathLike,
    *,
    prefix: str = "FitConfig",
    overwrite: bool = False,
) -> Path:
    """Write a workspace as HistFactory XML, such that reading it again gives the same workspace.

    In `directory` there are then `PREFIX.xml` with the Combination, `config/PREFIX_CHANNEL.xml` for each channel, the
    document type `config/HistFactorySchema.dtd` and `data/data.root`. Paths in the files are relative to `directory`,
    so ROOT is to be started there, and `histjax.read_xml` given it as the root directory.

    Yields are doubles. Statistical uncertainties are the errors of the nominal histograms, other uncertainties are
    relative, with 0 where the yield is 0. A parameter that is held, or that starts elsewhere than by default, has a
    ParamSetting; ROOT wants one gamma term for each bin, so those are written bin by bin.

    **Arguments:**

    - `workspace`: what `histjax.read` gave, or `histjax.read_xml`, with the constraint terms that only XML has.
    - `prefix`: beginning of the names of the files: letters, digits and `_.-`.
    - `overwrite`: put it in the place of what an earlier call wrote. A folder that holds anything else is never
      touched.

    The folder is complete or not there: it is made under another name beside `directory` and then renamed.

    **Returns:** the path of the Combination.

    **Raises:** `InvalidDocument` with all that XML cannot say; `CannotWriteFolder`; `MissingExtra` without uproot. What
    is written otherwise than it was given (fit ranges, names of staterrors) is a `DocumentWarning`.
    """
    files = xml_files(workspace, prefix)
    with replacing(Path(directory), prefix, overwrite) as folder:
        (folder / "config").mkdir()
        (folder / DATA).parent.mkdir()
        (folder / f"{prefix}.xml").write_text(files.combination, encoding="utf-8")
        for name, text in (files.channels | {SCHEMA: schema()}).items():
            (folder / "config" / name).write_text(text, encoding="utf-8")
        files.histograms.write(folder / DATA)
    for doubt in files.doubts:
        warnings.warn(f"{os.fspath(directory)}: {doubt}", DocumentWarning, stacklevel=2)
    return Path(directory) / f"{prefix}.xml"


@dataclass(frozen=True)
class Layout:
    """What the files call each other: the folder of the channels, the histograms, and the document type as the
    Combination and as the channels name it.
    """

    channels: str = "./config"
    data: str = f"./{DATA}"
    schema: str = f"config/{SCHEMA}"
    channel_schema: str = SCHEMA


@dataclass(frozen=True)
class XMLFiles:
    """The text of the Combination, those of the channels by name of the file, the histograms and what is doubtful."""

    combination: str
    channels: dict[str, str]
    histograms: HistogramWriter
    doubts: list[Problem]


def xml_files(workspace: Workspace | XMLConfiguration, prefix: str, layout: Layout | None = None) -> XMLFiles:
    """All that `write_xml` writes; nothing is written here. Raises what it raises."""
    uproot()
    check_prefix(prefix)
    given = workspace if isinstance(workspace, XMLConfiguration) else XMLConfiguration(workspace, {}, {})
    errors = [each for each in check(given.workspace) if not each.is_warning]
    found = errors or problems(given)
    errors = [each for each in found if not each.is_warning]
    if errors:
        raise InvalidDocument("the workspace cannot be written as XML", errors)
    writer, channels = _Writer(given, prefix, layout or Layout()), {}
    combination = writer.combination(channels)
    return XMLFiles(combination, channels, writer.histograms, found)


@dataclass
class _Writer:
    """Makes the texts of one configuration, and collects its histograms."""

    given: XMLConfiguration
    prefix: str
    layout: Layout
    histograms: HistogramWriter = field(default_factory=HistogramWriter)

    def combination(self, channels: dict[str, str]) -> str:
        """The text of the Combination; those of the channels are put into `channels`."""
        top = Element("Combination", OutputFilePrefix=f"./results/{self.prefix}")
        taken: set[str] = set()
        for channel in self.given.workspace.channels:
            name = f"{unique(f'{self.prefix}_{slug(channel.name)}', taken)}.xml"
            SubElement(top, "Input").text = f"{self.layout.channels}/{name}"
            channels[name] = _document(self._channel(channel), self.layout.channel_schema)
        top.extend([self._measurement(each) for each in self.given.workspace.measurements])
        return _document(top, self.layout.schema)

    @property
    def _binwise(self) -> dict[str, Constraint]:
        """Constraint terms in place of those that the workspace implies: for bin-wise sets they are the same in all
        measurements.
        """
        return dict(self.given.constraints.get(self.given.workspace.measurements[0].name, {}))

    def _channel(self, channel: Channel) -> Element:
        element = Element("Channel", Name=channel.name, InputFile=self.layout.data)
        data = self.given.workspace.observation(channel.name).data
        SubElement(element, "Data", HistoName=self.histograms.add(channel.name, "data", contents=data))
        errors = [m.name for s in channel.samples for m in s.modifiers if isinstance(m, StatError)]
        if errors:
            kind = "Poisson" if isinstance(self._binwise.get(errors[0]), Poisson) else "Gaussian"
            SubElement(element, "StatErrorConfig", RelErrorThreshold="0", ConstraintType=kind)
        # a list: of a generator, `extend` would make any exception, an interrupt too, a TypeError
        element.extend([self._sample(channel, each) for each in channel.samples])
        return element

    def _sample(self, channel: Channel, sample: Sample) -> Element:
        errors = next((m.uncertainty for m in sample.modifiers if isinstance(m, StatError)), None)
        key = self.histograms.add(channel.name, sample.name, contents=sample.nominal_yields, errors=errors)
        by_theory = any(isinstance(each, Lumi) for each in sample.modifiers)
        element = Element("Sample", Name=sample.name, HistoName=key, NormalizeByTheory=str(by_theory))
        for modifier in sample.modifiers:
            if not isinstance(modifier, Lumi):
                element.append(self._modifier(channel, sample, modifier))
        return element

    def _modifier(self, channel: Channel, sample: Sample, modifier: Modifier) -> Element:
        place, name = (channel.name, sample.name, modifier.name), modifier.name
        match modifier:
            case NormSys(lo=lo, hi=hi):
                return Element("OverallSys", Name=name, High=_text(hi), Low=_text(lo))
            case HistoSys(lo=lo, hi=hi):
                high, low = (
                    self.histograms.add(*place, end, contents=each) for end, each in (("High", hi), ("Low", lo))
                )
                return Element("HistoSys", Name=name, HistoNameHigh=high, HistoNameLow=low)
            case NormFactor():
                value, (low, high) = norm_factor(self.given.workspace.measurements[0], name)
                return Element("NormFactor", Name=name, Val=_text(value), High=_text(high), Low=_text(low))
            case ShapeSys(uncertainty=uncertainty):
                pairs = zip(uncertainty, sample.nominal_yields, strict=True)
                relative = tuple(each / nominal if nominal else 0.0 for each, nominal in pairs)
                kind = "Gaussian" if isinstance(self._binwise.get(name), Normal) else "Poisson"
                key = self.histograms.add(*place, contents=relative)
                return Element("ShapeSys", Name=name, HistoName=key, ConstraintType=kind)
            case ShapeFactor():
                return Element("ShapeFactor", Name=name)
            case StatError():
                return Element("StatError", Activate="True")

    def _measurement(self, measurement: Measurement) -> Element:
        settings = {each.name: each for each in measurement.parameters}
        names = root_names(self.given.workspace)
        if "Lumi" not in names:
            names, settings = names | {"Lumi": (NO_LUMI.name, None)}, settings | {NO_LUMI.name: NO_LUMI}
        lumi = settings[names["Lumi"][0]]
        centre, sigma = lumi.auxdata[0], lumi.sigmas[0]
        element = Element(
            "Measurement",
            Name=measurement.name,
            Lumi=_text(centre),
            LumiRelErr=_text(sigma / centre),
            ExportOnly="True",
        )
        SubElement(element, "POI").text = measurement.poi
        terms = self.given.terms.get(measurement.name, {})
        gammas = {f"alpha_{name}": f"beta_{name}" for name, term in terms.items() if term.kind == "Gamma"}
        constant = []
        for root_name, (name, index) in names.items():
            chosen, shown = settings.get(name, ParameterConfig(name)), gammas.get(root_name, root_name)
            if chosen.fixed:
                constant.append(shown)
            value = chosen.inits[index or 0] if chosen.inits is not None else None
            if value is not None and value != self._usual(root_name, name, centre):
                SubElement(element, "ParamSetting", Val=_text(value)).text = shown
        if constant:
            SubElement(element, "ParamSetting", Const="True").text = " ".join(constant)
        element.extend(list(self._constraint_terms(measurement.name)))
        return element

    def _usual(self, root_name: str, name: str, lumi: float) -> float:
        """Where a parameter starts if nothing is said."""
        if root_name == "Lumi":
            return lumi
        if root_name == name:
            return norm_factor(self.given.workspace.measurements[0], name)[0]
        return 0.0 if root_name.startswith("alpha_") else 1.0

    def _constraint_terms(self, measurement: str) -> Iterator[Element]:
        for name, term in self.given.terms.get(measurement, {}).items():
            element = Element("ConstraintTerm", Type=term.kind, RelativeUncertainty=_text(term.relative_uncertainty))
            element.text = name
            yield element
        for name, constraint in self.given.constraints.get(measurement, {}).items():
            if isinstance(constraint, Normal) and constraint.sigma is not None:
                element = Element("ConstraintTerm", Type="Uniform", RelativeUncertainty="1")
                element.text = name
                yield element


def _document(element: Element, schema_file: str) -> str:
    """The text of a file."""
    indent(element)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {element.tag} SYSTEM "{schema_file}">\n'
    return head + tostring(element, encoding="unicode") + "\n"


def _text(number: float) -> str:
    """A number with all its digits."""
    return repr(float(number))
