"""HistFactory XML as it is read: against pyhf 0.7.6, what ROOT 6.40 holds constant, and the document."""

import json
from pathlib import Path

import numpy as np
import pytest

from histjax.errors import DocumentWarning, InvalidDocument
from histjax.readers import write_workspace
from histjax.readers.xml import ConstraintTerm, read_xml
from histjax.spec import HistoSys, Lumi, NormFactor, NormSys, ParameterConfig, ShapeFactor, ShapeSys, StatError
from tests.readers.xml import cases

ROOT = json.loads((Path(__file__).parents[2] / "reference" / "root_xml.json").read_text())["models"]
PUBLISHED = [
    "multibin_histfactory/config/example.xml",
    "multichan_coupledhistosys_histfactory/config/example.xml",
    "multichannel_histfactory/config/example.xml",
    "shared_nuispar_across_types/config/example.xml",
    "xmlimport_input/config/example.xml",
    "xmlimport_input/config/examples/example_DataDriven.xml",
    "xmlimport_input3/config/examples/example_ShapeSys.xml",
]
SAMPLE = '<Sample Name="b" HistoName="bkg">{}</Sample>'
CHANNEL = '<Channel Name="c" InputFile="data/in.root"><Data HistoName="data"/>{}</Channel>'
DRIVER = '<Measurement Name="M" Lumi="1" LumiRelErr="0.1"><POI>mu</POI>{}</Measurement>'
MU = '<NormFactor Name="mu" Val="1" Low="0" High="5"/>'


def read(folder, channel: str, driver: str = DRIVER.format(""), **settings):
    """Read one channel."""
    path = cases.write_handmade(folder, channel, driver)
    return read_xml(path, **{"root_directory": folder} | settings)


def read_sample(folder, modifiers: str, driver: str = DRIVER.format("")):
    """Read one sample with some modifiers besides mu."""
    configuration = read(folder, CHANNEL.format(SAMPLE.format(MU + modifiers)), driver)
    return configuration, configuration.workspace.channels[0].samples[0]


def staterrors(document: dict) -> list[list[float]]:
    """The uncertainties of the staterrors of a document, which are taken out of it."""
    samples = (each for channel in document["channels"] for each in channel["samples"])
    return [m.pop("data") for sample in samples for m in sample["modifiers"] if m["type"] == "staterror"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_pyhf_reads_it(name, corpus):
    """Channels and observations are pyhf's, parameters of interest and fixed parameters, too.

    pyhf takes a sample without NormalizeByTheory to be without luminosity; none of these is below a threshold. It makes
    the errors of a TH1F in single precision: 4.4721360206604 for sqrt(20).
    """
    readxml = pytest.importorskip("pyhf.readxml")
    model, _, path = name.partition("/")
    root = corpus / "xmlroot" / model
    found = write_workspace(read_xml(root / path, root_directory=root, normalise_by_theory=False).workspace)
    theirs = readxml.parse(str(root / path), str(root))
    errors = []
    for document in (found, theirs):
        for sample in (each for channel in document["channels"] for each in channel["samples"]):
            sample["modifiers"].sort(key=lambda each: (each["type"], each["name"]))
        errors.append(np.ravel(staterrors(document)))
    np.testing.assert_allclose(*errors, rtol=1e-7)
    assert found["channels"] == theirs["channels"]
    assert found["observations"] == theirs["observations"]
    for ours, other in zip(found["measurements"], theirs["measurements"], strict=True):
        assert (ours["name"], ours["config"]["poi"]) == (other["name"], other["config"]["poi"])
        mine, peer = ({each["name"]: each for each in m["config"]["parameters"]} for m in (ours, other))
        known = {m["name"] for channel in found["channels"] for s in channel["samples"] for m in s["modifiers"]}
        fixed = {key for key, each in peer.items() if each.get("fixed")} & known
        assert {key for key, each in mine.items() if each.get("fixed")} == fixed
        for key in known & peer.keys() & mine.keys():
            for part in ("inits", "bounds", "auxdata", "sigmas"):
                if part in peer[key]:
                    np.testing.assert_allclose(mine[key][part], peer[key][part], rtol=1e-12)


def test_below_the_threshold(tmp_path):
    """Relative uncertainties of bins 0 to 2: 0.037, 0.133, 0.093 (closed form); ROOT 6.40 holds small ones constant."""
    for name, small in (("defaults", [0]), ("threshold", [0, 2]), ("gaussian", [])):
        workspace = read_xml(cases.handmade(tmp_path / name, name), root_directory=tmp_path / name).workspace
        errors = [m for s in workspace.channels[0].samples for m in s.modifiers if isinstance(m, StatError)]
        assert [[b for b in range(3) if each.uncertainty[b] == 0] for each in errors] == [small, small]
        assert {f"gamma_stat_c_bin_{b}" for b in small} == {
            each for each in ROOT[name]["Plain"]["constant"] if each.startswith("gamma_stat")
        }


def test_modifiers(tmp_path):
    """One of each."""
    _, sample = read_sample(
        tmp_path,
        '<OverallSys Name="o" Low="0.9" High="1.2"/>'
        '<HistoSys Name="h" HistoNameLow="dn" HistoNameHigh="bkg" HistoPathHigh="folder"'
        ' HistoFileLow="./data/in.root"/>'
        '<ShapeSys Name="s" HistoName="rel"/><ShapeFactor Name="f" HistoName="sig"/>'
        '<StatError Activate="True" HistoName="rel"/>',
    )
    kinds = {type(each): each for each in sample.modifiers}
    assert kinds[NormSys] == NormSys("o", 0.9, 1.2)
    assert kinds[HistoSys] == HistoSys("h", lo=(47.0, 52.0, 38.0), hi=(51.0, 61.0, 41.0))
    relative = (0.02 * 50, 0.2 * 60, 0.1 * 40)
    assert kinds[ShapeSys] == ShapeSys("s", relative)
    assert kinds[StatError].uncertainty == (0.0, *relative[1:])  # 2 % are below 5 %
    assert {Lumi, NormFactor, ShapeFactor} < set(kinds)


def test_settings(tmp_path):
    """Lumi, NormFactors and ParamSettings by ROOT's names."""
    driver = DRIVER.format(
        '<ParamSetting Const="True">Lumi, alpha_o gamma_s_bin_0 gamma_s_bin_1 gamma_s_bin_2</ParamSetting>'
        '<ParamSetting Val="0.5">alpha_o</ParamSetting><ParamSetting Val="1.5">gamma_s_bin_1</ParamSetting>'
    ).replace('Lumi="1"', 'Lumi="2"')
    configuration, _ = read_sample(
        tmp_path, '<OverallSys Name="o" Low="0.9" High="1.2"/><ShapeSys Name="s" HistoName="rel"/>', driver
    )
    assert configuration.workspace.measurements[0].parameters == (
        ParameterConfig(
            "lumi", inits=(2.0,), bounds=((1.0, 3.0),), auxdata=(2.0,), sigmas=(pytest.approx(0.2),), fixed=True
        ),
        ParameterConfig("mu", inits=(1.0,), bounds=((0.0, 5.0),)),
        ParameterConfig("o", inits=(0.5,), fixed=True),
        ParameterConfig("s", inits=(1.0, 1.5, 1.0), fixed=True),
    )


def test_what_a_workspace_cannot_say(tmp_path):
    with pytest.warns(DocumentWarning) as caught:
        configuration = read_xml(cases.handmade(tmp_path, "defaults"), root_directory=tmp_path)
    assert configuration.terms["LogNormal"] == {"s1": ConstraintTerm("LogNormal", 0.5)}
    assert set(configuration.constraints["Uniform"]) == {"staterror_c", "sh", "s1"}
    said = "\n".join(str(each.message) for each in caught)
    for words in (
        "staterror_c: the constraint is Poisson",
        "sh: the constraint is Gaussian",
        "Uniform of 's1' is a Gaussian of width 100 in alpha",
        "measurement 'Gamma': Gamma of 's1': a workspace cannot say so",
        "below RelErrorThreshold 0.05 in bin 0 (counted from 0)",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("modifiers", "driver", "words"),
    [
        (MU.replace("/>", ' Const="True"/>').replace("mu", "k"), DRIVER.format(""), "ROOT ignores Const here"),
        ("", DRIVER.format("").replace("<POI>mu", "<POI>mu k"), "the first is the one"),
        ("", DRIVER.format("").replace('Lumi="1"', 'Lumi="1" BinHigh="2"'), "BinHigh is ignored, as by ROOT"),
        ("", DRIVER.format('<Asimov Name="a" FixParams="mu=1"/>'), "make Asimov data of the model"),
        ("", DRIVER.format('<ParamSetting Const="True">alpha_x</ParamSetting>'), "no parameter 'alpha_x'"),
        ("", '<Function Name="f" Expression="mu*mu" Dependents="mu[0,3]"/>' + DRIVER.format(""), "'f' is ignored"),
        (
            '<HistoSys Name="h" HistoNameLow="dn" HistoNameHigh="up"/>',
            DRIVER.format('<ConstraintTerm Type="Gamma" RelativeUncertainty="0.5">h</ConstraintTerm>'),
            "is ignored, as by ROOT: only a HistoSys has that name",
        ),
    ],
    ids=str,
)
def test_doubts(modifiers, driver, words, tmp_path):
    """What is read all the same, and said."""
    configuration, _ = read_sample(tmp_path, modifiers, driver)
    assert any(words in each.message and each.is_warning for each in configuration.doubts)


@pytest.mark.parametrize(
    ("channel", "driver", "words"),
    [
        (CHANNEL.format(""), DRIVER.format(""), "channel 'c' has no Sample"),
        (
            CHANNEL.format(SAMPLE.format(MU)).replace("<Data", "<Dato"),
            DRIVER.format(""),
            "Dato: is not expected in Channel",
        ),
        (CHANNEL.format(SAMPLE.format(MU)).replace('<Data HistoName="data"/>', ""), DRIVER.format(""), "has no Data"),
        (CHANNEL.format(SAMPLE.format(MU)), DRIVER.format("").replace("<POI>mu</POI>", ""), "'M' has no POI"),
        (CHANNEL.format(SAMPLE.format(MU)), "", "there is no Measurement"),
        (CHANNEL.format(SAMPLE.format(MU.replace('Val="1"', ""))), DRIVER.format(""), "the attribute 'Val' is missing"),
        (
            CHANNEL.format(SAMPLE.format(MU.replace('"1"', '"one"'))),
            DRIVER.format(""),
            "Val is 'one', expected a finite",
        ),
        (CHANNEL.format(SAMPLE.format(MU.replace('"1"', '"9"'))), DRIVER.format(""), "expected Low <= Val <= High"),
        (CHANNEL.format(SAMPLE.format(MU.replace("Val", "Start"))), DRIVER.format(""), "unknown attribute 'Start'"),
        (
            CHANNEL.format(SAMPLE.format("")).replace("bkg", "bgk"),
            DRIVER.format(""),
            "no histogram 'bgk'; there are: data, sig",
        ),
        (CHANNEL.format(SAMPLE.format("")).replace("in.root", "on.root"), DRIVER.format(""), "there is no file"),
        (
            CHANNEL.format(SAMPLE.format("")).replace(' InputFile="data/in.root"', ""),
            DRIVER.format(""),
            "has no InputFile",
        ),
        (
            CHANNEL.format(SAMPLE.format('<ShapeSys Name="s" HistoName="four"/>')),
            DRIVER.format(""),
            "s histogram has 4 bins, the sample has 3",
        ),
        (
            CHANNEL.format(SAMPLE.format(MU + '<ShapeSys Name="s" HistoName="rel"/>')),
            DRIVER.format('<ParamSetting Const="True">gamma_s_bin_1</ParamSetting>'),
            "only bins 1 of 's' are constant",
        ),
        (
            CHANNEL.format(SAMPLE.format(MU)),
            '<Function Name="mu" Expression="k*k" Dependents="k[0,3]"/>' + DRIVER.format(""),
            "the NormFactor 'mu' is the expression 'k*k', which is not supported",
        ),
        (
            CHANNEL.format(SAMPLE.format(MU)),
            DRIVER.format('<ConstraintTerm Type="Beta">s</ConstraintTerm>'),
            "Type is 'Beta', expected one of Gamma, LogNormal, Uniform, NoConstraint",
        ),
        (CHANNEL.format(SAMPLE.format(MU * 2)), DRIVER.format(""), "'mu' (normfactor) occurs twice"),
        (
            CHANNEL.format(SAMPLE.format(MU)),
            DRIVER.format("").replace('"0.1"', '"-1"'),
            "LumiRelErr -1, expected positive",
        ),
    ],
    ids=str,
)
def test_errors(channel, driver, words, tmp_path):
    """Each is one message, with file and line but for what only the whole shows."""
    with pytest.raises(InvalidDocument) as caught:
        read(tmp_path, channel, driver)
    assert any(words in str(each) for each in caught.value.problems), caught.value


def test_all_problems_at_once(tmp_path):
    channel = CHANNEL.format("\n" + SAMPLE.format('\n<OverallSys Name="o" Low="x"/>').replace("bkg", "none"))
    with pytest.raises(InvalidDocument) as caught:
        read(tmp_path, channel, DRIVER.format("").replace("<POI>mu</POI>", ""))
    assert [each.path.removeprefix(f"{tmp_path}/") for each in caught.value.problems] == [
        "./channel.xml:3",  # High is missing
        "./channel.xml:2",  # no such histogram
        "./channel.xml:3",  # Low is no number
        "top.xml:1",  # no POI
    ]


@pytest.mark.parametrize("name", ["xmlimport_missingPOI", "xmlimport_noChannelData"])
def test_published_inputs_that_are_broken(name, corpus):
    root = corpus / "xmlroot" / name
    with pytest.raises(InvalidDocument, match="has no POI" if "POI" in name else "has no Data"):
        read_xml(root / "config" / "example.xml", root_directory=root)


def test_root_directory_and_mounts(tmp_path):
    """Relative paths start from the root directory, absolute ones from a mount; a hint tells where a file was found."""
    inside = tmp_path / "inside"
    path = cases.write_handmade(inside, CHANNEL.format(SAMPLE.format(MU)), DRIVER.format(""))
    with pytest.raises(InvalidDocument, match=f"it is in {inside}: give that as the root directory"):
        read_xml(path, root_directory=tmp_path)
    text = (inside / "channel.xml").read_text()
    (inside / "channel.xml").write_text(text.replace("data/in.root", "/eos/inputs/in.root"))
    with pytest.raises(InvalidDocument, match=r"'/eos/inputs/in\.root' is outside the root directory"):
        read_xml(path, root_directory=inside)
    (inside / "data").rename(tmp_path / "elsewhere")
    mounts = [(tmp_path / "no", "/eos/inputs/old"), (tmp_path / "elsewhere", "/eos/inputs")]
    configuration = read_xml(path, root_directory=inside, mounts=mounts)
    assert configuration.workspace.observations[0].data == (60.0, 70.0, 45.0)


def test_normalise_by_theory(tmp_path):
    """What a sample without the attribute is, can be chosen; the attribute goes before."""
    channel = CHANNEL.format(SAMPLE.format(MU) + SAMPLE.format("").replace('"b"', '"b2" NormalizeByTheory="True"'))
    for normalised, expected in ((True, [True, True]), (False, [False, True])):
        samples = read(tmp_path, channel, normalise_by_theory=normalised).workspace.channels[0].samples
        assert [any(isinstance(m, Lumi) for m in sample.modifiers) for sample in samples] == expected
