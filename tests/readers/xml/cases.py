"""HistFactory XML of our own: small models that have one of everything, and published ones that we write. Put in a
folder by

    python -m tests.readers.xml.cases FOLDER

for `tests/reference/root_xml.py`, which tells what ROOT makes of them (`tests/reference/root_xml.json`).
"""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import uproot
from uproot.writing.identify import to_TAxis, to_TH1x

import histjax
from histjax.errors import DocumentWarning
from histjax.readers.xml import ConstraintTerm, XMLConfiguration, write_xml
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Measurement,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.constraints import Normal, Poisson
from tests.reference.corpus import CORPUS

HISTOGRAMS = {
    "data": ([60, 70, 45], None),
    "sig": ([5, 8, 3], [0.5, 0.8, 0.3]),
    "bkg": ([50, 60, 40], [2, 9, 4]),
    "bkg2": ([10, 4, 5], [1, 0.5, 1]),
    "rel": ([0.02, 0.2, 0.1], None),
    "up": ([55, 63, 40], None),
    "dn": ([47, 52, 38], None),
    "four": ([1, 2, 3, 4], None),
}
TERMS = {"Gamma": 0.5, "LogNormal": 0.5, "Uniform": 0.5, "NoConstraint": 1}


def measurements(lumi: float = 2.0, terms: dict[str, float] | None = None) -> str:
    """A plain measurement, and one for each constraint term."""
    texts = [f'<Measurement Name="Plain" Lumi="{lumi}" LumiRelErr="0.1"><POI>mu</POI></Measurement>']
    texts += [
        f'<Measurement Name="{kind}" Lumi="1" LumiRelErr="0.1"><POI>mu</POI><ParamSetting Const="True">Lumi'
        f'</ParamSetting><ConstraintTerm Type="{kind}" RelativeUncertainty="{r}">s1</ConstraintTerm></Measurement>'
        for kind, r in (terms or {}).items()
    ]
    return "\n".join(texts)


CHANNEL = """<Channel Name="c" InputFile="./data/in.root">
<Data HistoName="data"/>{config}
<Sample Name="signal" HistoName="sig">
<NormFactor Name="mu" Val="1" Low="0" High="5"/><StatError Activate="True"/></Sample>
<Sample Name="bkg" HistoName="bkg"><OverallSys Name="s1" Low="0.8" High="1.3"/><StatError Activate="True"/>
<HistoSys Name="h" HistoNameHigh="up" HistoNameLow="dn"/></Sample>
<Sample Name="b2" HistoName="bkg2"><ShapeSys Name="sh" HistoName="rel" {shape}/></Sample></Channel>"""
HANDMADE = {
    "defaults": ("", "", measurements(terms=TERMS)),
    "threshold": ('<StatErrorConfig RelErrorThreshold="0.1"/>', 'ConstraintType="Pois"', measurements()),
    "gaussian": (
        '<StatErrorConfig RelErrorThreshold="0" ConstraintType="Gaussian"/>',
        'ConstraintType="Poisson"',
        measurements(),
    ),
}
"""By name: the StatErrorConfig, the constraint type of the ShapeSys, the measurements."""


def histogram(values, errors=None):
    """A TH1D."""
    squares = np.pad(np.asarray(errors, float) ** 2, 1) if errors is not None else np.zeros(0)
    padded, total = np.pad(np.asarray(values, float), 1), float(np.sum(values))
    axis = to_TAxis("xaxis", "", len(values), 0.0, float(len(values)))
    return to_TH1x("", "", padded, total, total, total, 0.0, 0.0, squares, axis)


def write_root(path: Path) -> None:
    """The ROOT file of the handmade cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with uproot.recreate(path) as file:
        for name, (values, errors) in HISTOGRAMS.items():
            file[name] = histogram(values, errors)
        file["folder/bkg"] = histogram([51, 61, 41], [1, 2, 3])


def write_handmade(folder: Path, channel: str, driver: str) -> Path:
    """Write a channel and a Combination of it; returns the path of the Combination."""
    write_root(folder / "data" / "in.root")
    (folder / "channel.xml").write_text(channel)
    path = folder / "top.xml"
    path.write_text(f'<Combination OutputFilePrefix="r"><Input>./channel.xml</Input>{driver}</Combination>')
    return path


def handmade(folder: Path, name: str) -> Path:
    """Write one of the handmade cases."""
    config, shape, driver = HANDMADE[name]
    return write_handmade(folder, CHANNEL.format(config=config, shape=shape), driver)


def workspace(lumi: float = 1.0, *settings: ParameterConfig) -> Workspace:
    """Two channels that share parameters; one of everything."""
    signal = Sample(
        "signal",
        (5.0, 8.0, 3.0),
        (NormFactor("mu"), Lumi("lumi"), NormSys("s1", 0.9, 1.1), StatError("staterror_SR", (0.5, 0.8, 0.3))),
    )
    background = Sample(
        "background",
        (50.0, 60.0, 40.0),
        (
            Lumi("lumi"),
            NormSys("s1", 0.8, 1.3),
            HistoSys("h", (47.0, 52.0, 38.0), (55.0, 63.0, 40.0)),
            StatError("staterror_SR", (2.0, 9.0, 4.0)),
        ),
    )
    control = Sample("background", (30.0, 7.0), (Lumi("lumi"), ShapeSys("sh", (3.0, 2.0)), NormSys("s2", 0.7, 1.2)))
    free = Sample("free", (10.0, 12.0), (Lumi("lumi"), ShapeFactor("shape"), NormFactor("norm")))
    given = ParameterConfig(
        "lumi", inits=(lumi,), bounds=((0.5 * lumi, 1.5 * lumi),), auxdata=(lumi,), sigmas=(0.1 * lumi,)
    )
    ranges = ParameterConfig("mu", inits=(1.0,), bounds=((0.0, 5.0),)), ParameterConfig("norm", (1.0,), ((0.0, 10.0),))
    return Workspace(
        (Channel("SR", (signal, background)), Channel("CR", (control, free))),
        (Observation("SR", (60.0, 70.0, 45.0)), Observation("CR", (41.0, 20.0))),
        (Measurement("M", "mu", (given, *ranges, *settings)),),
    )


PLAIN = workspace()
TWO_MEASUREMENTS = replace(PLAIN, measurements=(*PLAIN.measurements, replace(PLAIN.measurements[0], name="N")))
SETTINGS = (
    ParameterConfig("s1", inits=(0.5,)),
    ParameterConfig("s2", fixed=True),
    ParameterConfig("sh", inits=(1.0, 1.0), fixed=True),
)
WRITTEN = {
    "plain": workspace(),
    "settings": workspace(2.5, *SETTINGS),
    "poisson": XMLConfiguration(workspace(), {"M": {"staterror_SR": Poisson(), "sh": Normal(centre=1.0)}}, {}),
    "lognormal": XMLConfiguration(
        workspace(), {"M": {"h": Normal(100.0, 0.0)}}, {"M": {"s1": ConstraintTerm("LogNormal", 0.25)}}
    ),
    "gamma": XMLConfiguration(workspace(), {}, {"M": {"s2": ConstraintTerm("Gamma", 0.5)}}),
}
"""What `write_xml` is given."""


PUBLISHED = ("pyhf_tutorial_2_bin_1_channel_76c0", "agc_ttbar", "litehf_single_channel_big", "pyhf_tutorial_bkg_only")
"""Of the corpus: two bins with a shapesys; 22 bins with histosys, normsys and staterrors; one bin with 179
histosys; 855 histosys."""


def write_published(folder: Path, name: str) -> Path:
    """Write a model of the corpus as XML; returns the path of the Combination.

    ROOT takes no first channel whose name begins with a digit, so all get a letter; and it multiplies all samples by
    the luminosity, also those that have none, so that is held.
    """
    with warnings.catch_warnings(action="ignore", category=DocumentWarning):
        workspace = histjax.read(CORPUS / "models" / f"{name}.json")
        workspace = histjax.rename(workspace, channels={c.name: f"c {c.name}" for c in workspace.channels}).workspace
        first = workspace.measurements[0]
        settings = tuple(replace(each, fixed=True) if each.name == "lumi" else each for each in first.parameters)
        held = replace(workspace, measurements=(replace(first, parameters=settings),))
        return write_xml(held, folder, prefix="top")


def main(folder: Path) -> None:
    """Write all cases."""
    for name in HANDMADE:
        handmade(folder / name, name)
    for name, each in WRITTEN.items():
        write_xml(each, folder / name, prefix="top")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    (Path(sys.argv[1]) / "written").mkdir()
    for model in PUBLISHED:
        write_published(Path(sys.argv[1]) / "written" / model, model)
