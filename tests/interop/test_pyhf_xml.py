"""`readxml` and `writexml` of the bridge beside those of pyhf 0.7.6: each reads what the other wrote."""

import copy
import io
import warnings
from xml.etree import ElementTree

import numpy as np
import pyhf
import pyhf.readxml
import pyhf.writexml
import pytest

import histjax.interop.pyhf as bridge
from histjax import errors
from histjax.readers.xml.folders import CannotWriteFolder
from tests.workspaces import histosys, mu, normsys, sample, shapesys, staterror, workspace

pytestmark = pytest.mark.filterwarnings(
    "ignore:jsonschema.RefResolver:DeprecationWarning", "ignore::histjax.errors.DocumentWarning"
)

INPUTS = {
    "multibin_histfactory/config/example.xml": "same",
    "multichan_coupledhistosys_histfactory/config/example.xml": "same",
    "multichannel_histfactory/config/example.xml": "same",
    "shared_nuispar_across_types/config/example.xml": "lumi",
    "xmlimport_input/config/example.xml": "same",
    "xmlimport_input/config/examples/example_ShapeSys.xml": "same",
    "xmlimport_input3/config/examples/example_ShapeSys.xml": "same",
}
"""What pyhf says more: nothing, or settings of a luminosity that no sample has."""


def document() -> dict:
    """A workspace with all that both can write; a yield is 0."""
    channels = {
        "SR": [
            sample("signal", [5.0, 10.0], mu()),
            sample("background", [50.0, 60.0], normsys("n", 0.9, 1.1), shapesys("gamma", [5.0, 12.0])),
            sample("other", [20.0, 0.0], histosys("h", [18.0, 0.0], [23.0, 0.0])),
        ],
        "CR": [sample("background", [100.0, 110.0], normsys("n", 0.8, 1.1), staterror("staterror_CR", [8.0, 9.0]))],
    }
    return workspace(channels, {"SR": [50, 60], "CR": [101, 99]})


def write(module, given: dict, folder, prefix: str = "FitConfig"):
    """The path of a Combination that a module wrote, and its root."""
    for each in ("config", "data"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    text = module.writexml.writexml(copy.deepcopy(given), folder / "config", folder / "data", prefix)
    (folder / f"{prefix}.xml").write_bytes(text)
    return folder / f"{prefix}.xml", ElementTree.fromstring(text)


@pytest.mark.parametrize("writer", [pyhf, bridge], ids=["pyhf writes", "histjax writes"])
@pytest.mark.parametrize("reader", [pyhf, bridge], ids=["pyhf reads", "histjax reads"])
def test_round_trip(writer, reader, tmp_path):
    """The workspace that was written, to the single rounding of relative uncertainties."""
    given = document()
    path, _ = write(writer, given, tmp_path)
    found, expected = (
        bridge.Workspace.sorted(bridge.Workspace(each)) for each in (reader.readxml.parse(path, tmp_path), given)
    )
    assert found.observations == expected.observations and found.modifiers == expected.modifiers
    ours, theirs = (bridge.Workspace.model(each) for each in (found, expected))
    vector = np.array(theirs.config.suggested_init()) * 1.05 + 0.01
    data = expected.data(theirs)
    assert ours.config.par_names == theirs.config.par_names
    np.testing.assert_allclose(ours.expected_data(vector), theirs.expected_data(vector), rtol=1e-12)
    np.testing.assert_allclose(ours.logpdf(vector, data), theirs.logpdf(vector, data), rtol=1e-12)


def test_files(tmp_path):
    """The same places, and the same elements but for statistical uncertainties, which are those of the histogram."""
    (_, theirs), (_, ours) = (write(each, document(), tmp_path / each.__name__) for each in (pyhf, bridge))
    for name in ("config/FitConfig_SR.xml", "config/FitConfig_CR.xml", "data/data.root", "HistFactorySchema.dtd"):
        assert all((tmp_path / each.__name__ / name).is_file() for each in (pyhf, bridge)), name
    paths = [each.find("Input").text for each in (theirs, ours)]
    assert paths[1] == paths[0].replace(str(tmp_path / "pyhf"), str(tmp_path / bridge.__name__))
    roots = [ElementTree.parse(path).getroot() for path in paths]
    elements = [
        [(each.tag, each.get("Name")) for each in root.iter() if each.tag != "StatErrorConfig"] for root in roots
    ]
    assert elements[0] == elements[1]
    for attribute in ("Val", "Low", "High"):
        found = [[float(each.get(attribute)) for each in root.iter("NormFactor")] for root in roots]
        assert found[0] == found[1]


def test_what_was_there_is_replaced(tmp_path):
    """Only files of the same names, and no other file stays behind."""
    write(bridge, document(), tmp_path)
    (tmp_path / "config" / "mine.xml").write_text("mine")
    other = document()
    other["observations"][0]["data"] = [7, 8]
    path, _ = write(bridge, other, tmp_path)
    assert bridge.readxml.parse(path, tmp_path)["observations"][0]["data"] == [7.0, 8.0]
    assert (tmp_path / "config" / "mine.xml").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "FitConfig.xml",
        "HistFactorySchema.dtd",
        "config",
        "data",
    ]


def test_relative_paths(tmp_path, monkeypatch):
    """They start from the working directory, as in pyhf."""
    monkeypatch.chdir(tmp_path)
    for folder in ("config", "data"):
        (tmp_path / folder).mkdir()
    text = bridge.writexml.writexml(document(), "config", "data", "Fit")
    assert b"<Input>config/Fit_SR.xml</Input>" in text
    for stream in (io.BytesIO(text), io.StringIO(text.decode())):
        assert bridge.readxml.parse(stream, ".")["observations"][0]["data"] == [50.0, 60.0]


def test_refusals(tmp_path):
    """One clear sentence: no folder, a prefix that leads out, a document that is none, an open file that is none."""
    with pytest.raises(CannotWriteFolder, match="No such file"):
        bridge.writexml.writexml(document(), tmp_path / "no" / "config", tmp_path, "Fit")
    with pytest.raises(CannotWriteFolder, match="prefix"):
        bridge.writexml.writexml(document(), tmp_path, tmp_path, "../Fit")
    with pytest.raises(bridge.exceptions.InvalidSpecification, match="observations"):
        bridge.writexml.writexml(
            {key: value for key, value in document().items() if key != "observations"}, ".", ".", "F"
        )
    for stream in (io.BytesIO(b""), io.StringIO("{}"), io.BytesIO(b"\xff\xfe\xfd")):
        with pytest.raises(errors.InvalidDocument, match="<stream>"):
            bridge.readxml.parse(stream, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", INPUTS)
def test_published_inputs(name, corpus):
    """Document by document; nothing is cached."""
    root = corpus / "xmlroot" / name.split("/")[0]
    theirs, ours = (module.readxml.parse(corpus / "xmlroot" / name, root) for module in (pyhf, bridge))
    if INPUTS[name] == "lumi":
        for measurement in theirs["measurements"]:
            settings = measurement["config"]["parameters"]
            assert "lumi" not in dict(bridge.Workspace(ours).modifiers) and settings.pop(0)["name"] == "lumi"
    by_name = [bridge.Workspace.sorted(bridge.Workspace(each)) for each in (theirs, ours)]
    assert by_name[0] == by_name[1]
    bridge.readxml.clear_filecache()


def test_what_a_workspace_cannot_say_is_announced(corpus):
    """pyhf reads four measurements with different constraint terms as if they were one."""
    root = corpus / "xmlroot" / "xmlimport_input"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", errors.DocumentWarning)
        bridge.readxml.parse(root / "config" / "example.xml", root)
    said = " ".join(str(each.message) for each in caught if each.category is errors.DocumentWarning)
    assert all(f"{kind} of 'syst" in said for kind in ("Gamma", "LogNormal"))
