"""A channel file: samples, their modifiers and the observed counts, with what only XML can say of their parameters."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from histjax.readers.xml.elements import CONSTRAINTS, TRUTH, Node
from histjax.readers.xml.histograms import Histogram, HistogramFiles, UnreadableHistogram
from histjax.readers.xml.places import Outside, Places
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Modifier,
    NormFactor,
    NormSys,
    Observation,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
)

DEFAULT_THRESHOLD = 0.05
"""ROOT's `RelErrorThreshold` where the channel does not say."""


@dataclass(frozen=True)
class Source:
    """Where the histograms of an element are, unless its children say otherwise."""

    file: str
    folder: str

    def of(self, node: Node, file: str = "InputFile", folder: str = "HistoPath") -> "Source":
        """With what an element says of itself."""
        return Source(node.text(file, self.file), node.text(folder, self.folder))


@dataclass(frozen=True)
class FactorSettings:
    """What a NormFactor or ShapeFactor says of its parameter."""

    node: Node
    inits: tuple[float, ...] | None
    bounds: tuple[float, float] | None
    fixed: bool


@dataclass
class Parts:
    """What the channel files have said so far.

    **Fields:** channels and observations; `factors` the settings of NormFactors and ShapeFactors by name;
    `poisson_staterrors` and `gaussian_shapesys` the names of the sets whose constraint terms are not those that pyhf's
    format implies.
    """

    channels: list[Channel] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    factors: dict[str, FactorSettings] = field(default_factory=dict)
    poisson_staterrors: list[str] = field(default_factory=list)
    gaussian_shapesys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ChannelReader:
    """Reads channels into `parts`; `normalised` is what a Sample without `NormalizeByTheory` is."""

    places: Places
    files: HistogramFiles
    parts: Parts
    normalised: bool

    def read(self, node: Node) -> None:
        """Add one channel."""
        source = Source("", "").of(node)
        name = node.text("Name")
        samples = tuple(self._sample(each, source, name) for each in node.all("Sample"))
        if not samples:
            node.wrong(f"channel {name!r} has no Sample")
        self.parts.channels.append(self._with_statistics(node, Channel(name, samples)))
        self.parts.observations.append(Observation(name, self._data(node, source, name)))

    def _data(self, node: Node, source: Source, name: str) -> tuple[float, ...]:
        data = node.all("Data")
        if not data:
            node.wrong(f"channel {name!r} has no Data; ROOT would make up Asimov data, here the counts are needed")
            return ()
        if len(data) > 1:
            node.doubt(f"channel {name!r}: only the first of {len(data)} Data elements is read")
        return self._histogram(data[0], source.of(data[0]), data[0].text("HistoName")).contents

    def _sample(self, node: Node, source: Source, channel: str) -> Sample:
        source = source.of(node)
        nominal = self._histogram(node, source, node.text("HistoName"))
        modifiers = [each for child in self._children(node) for each in self._modifier(child, source, nominal, channel)]
        if node.choice("NormalizeByTheory", TRUTH, str(self.normalised)):
            modifiers.insert(0, Lumi("lumi"))
        return Sample(node.text("Name"), nominal.contents, tuple(modifiers))

    def _children(self, node: Node) -> Iterator[Node]:
        return (Node(each, node.notes) for each in node.element.children)

    def _modifier(self, node: Node, source: Source, nominal: Histogram, channel: str) -> Iterator[Modifier]:
        name = node.text("Name")
        match node.element.tag:
            case "OverallSys":
                yield NormSys(name, lo=node.number("Low"), hi=node.number("High"))
            case "HistoSys":
                lo, hi = (self._variation(node, source.of(node), end, nominal) for end in ("Low", "High"))
                yield HistoSys(name, lo=lo, hi=hi)
            case "NormFactor":
                self._norm_factor(node, name)
                yield NormFactor(name)
            case "ShapeFactor":
                self._shape_factor(node, name, source.of(node))
                yield ShapeFactor(name)
            case "ShapeSys":
                yield ShapeSys(name, self._relative(node, source.of(node), nominal))
                if node.choice("ConstraintType", CONSTRAINTS, "Gaussian") == "Gaussian":
                    self.parts.gaussian_shapesys.append(name)
            case "StatError" if node.choice("Activate", TRUTH, "False"):
                absolute = self._relative(node, source.of(node), nominal) if node.text("HistoName") else nominal.errors
                yield StatError(f"staterror_{channel}", absolute)
            case "HistoFactor":
                node.wrong(f"{name!r} is not supported, and neither is it by ROOT")

    def _variation(self, node: Node, source: Source, end: str, nominal: Histogram) -> tuple[float, ...]:
        source = source.of(node, f"HistoFile{end}", f"HistoPath{end}")
        found = self._histogram(node, source, node.text(f"HistoName{end}", node.text("HistoName")), f"HistoName{end}")
        return self._sized(node, found, nominal).contents

    def _relative(self, node: Node, source: Source, nominal: Histogram) -> tuple[float, ...]:
        """Relative uncertainties, made absolute."""
        found = self._sized(node, self._histogram(node, source, node.text("HistoName")), nominal)
        return tuple(relative * value for relative, value in zip(found.contents, nominal.contents, strict=False))

    def _sized(self, node: Node, found: Histogram, nominal: Histogram) -> Histogram:
        sizes = len(found.contents), len(nominal.contents)
        if 0 not in sizes and sizes[0] != sizes[1]:
            node.wrong(f"{node.text('Name') or 'its'} histogram has {sizes[0]} bins, the sample has {sizes[1]}")
        return found

    def _histogram(self, node: Node, source: Source, name: str, attribute: str = "HistoName") -> Histogram:
        """A histogram; one without bins where there is none, which is noted."""
        for word, text in ((attribute, name), ("InputFile", source.file)):
            if not text:
                node.wrong(f"{node.text('Name') or 'it'} has no {word}, and nothing above it has")
                return Histogram((), ())
        try:
            return self.files.histogram(self.places.find(source.file), source.folder, name)
        except (Outside, UnreadableHistogram) as error:
            node.wrong(str(error))
            return Histogram((), ())

    def _norm_factor(self, node: Node, name: str) -> None:
        value, low, high = (node.number(each) for each in ("Val", "Low", "High"))
        if low >= high or not low <= value <= high:
            node.wrong(f"{name!r} has Val {value:g}, Low {low:g} and High {high:g}, expected Low <= Val <= High")
        fixed = node.choice("Const", TRUTH, "False")
        if fixed:
            node.doubt(f"{name!r} is held constant; ROOT ignores Const here and wants a ParamSetting")
        self._factor(name, FactorSettings(node, (value,), (low, high), fixed))

    def _shape_factor(self, node: Node, name: str, source: Source) -> None:
        shape = self._histogram(node, source, node.text("HistoName")).contents if node.text("HistoName") else None
        self._factor(name, FactorSettings(node, shape, None, node.choice("Const", TRUTH, "False")))

    def _factor(self, name: str, settings: FactorSettings) -> None:
        first = self.parts.factors.setdefault(name, settings)
        if (first.inits, first.bounds) != (settings.inits, settings.bounds):
            here, there = (f"Val {each.inits}, range {each.bounds}" for each in (settings, first))
            settings.node.doubt(f"{name!r}: {here} differ from {there} at {first.node.element.place}, which count")
        if settings.fixed and not first.fixed:
            self.parts.factors[name] = replace(first, fixed=True)

    def _with_statistics(self, node: Node, channel: Channel) -> Channel:
        """The channel without the statistical uncertainties below the threshold; notes the kind of constraint."""
        configs = node.all("StatErrorConfig")
        kinds = [each.choice("ConstraintType", CONSTRAINTS, "Poisson") for each in configs] or ["Poisson"]
        thresholds = [each.number("RelErrorThreshold", DEFAULT_THRESHOLD) for each in configs] or [DEFAULT_THRESHOLD]
        carriers = [(s, m) for s in channel.samples for m in s.modifiers if isinstance(m, StatError)]
        if (
            not carriers
            or len({len(s.nominal_yields) for s, _ in carriers} | {len(m.uncertainty) for _, m in carriers}) > 1
        ):
            return channel
        if kinds[-1] == "Poisson":
            self.parts.poisson_staterrors.append(f"staterror_{channel.name}")
        small = [b for b in range(channel.n_bins) if 0 < _relative_error(carriers, b) < thresholds[-1]]
        if small:
            node.doubt(
                f"channel {channel.name!r}: the statistical uncertainty is below RelErrorThreshold {thresholds[-1]:g} "
                f"in bin {', '.join(map(str, small))} (counted from 0); as in ROOT there is none there"
            )
        return replace(channel, samples=tuple(_cleared(sample, set(small)) for sample in channel.samples))


def _relative_error(carriers: list[tuple[Sample, StatError]], b: int) -> float:
    total = sum(sample.nominal_yields[b] for sample, _ in carriers)
    return math.hypot(*(modifier.uncertainty[b] for _, modifier in carriers)) / total if total > 0 else 0.0


def _cleared(sample: Sample, bins: set[int]) -> Sample:
    """The sample with no statistical uncertainty in some bins."""
    modifiers = tuple(
        replace(each, uncertainty=tuple(0.0 if b in bins else u for b, u in enumerate(each.uncertainty)))
        if isinstance(each, StatError)
        else each
        for each in sample.modifiers
    )
    return replace(sample, modifiers=modifiers)
