"""Schemas through the bridge: what pyhf 0.7.6 accepts and refuses, run beside it, and folders of one's own."""

import copy
import json

import numpy as np
import pyhf
import pytest

import histjax.interop.pyhf as bridge
from histjax import errors
from tests.workspaces import BY_SLUG

pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")

WORKSPACE = BY_SLUG["two-bins"].document
MODEL = {"channels": WORKSPACE["channels"]}
MEASUREMENT = WORKSPACE["measurements"][0]
PLACE = "/channels/0"
PATCHSET = {
    "metadata": {"references": {"hepdata": "ins1234567"}, "description": "d", "digests": {"md5": 32 * "0"}},
    "patches": [{"metadata": {"name": "M1", "values": [1]}, "patch": [{"op": "remove", "path": PLACE}]}],
    "version": "1.0.0",
}
PATCHSET["metadata"]["labels"] = ["mass"]


def without(document: dict, key: str) -> dict:
    """The document without a key."""
    return {name: value for name, value in document.items() if name != key}


def with_metadata(**changes) -> dict:
    """The patch set with other metadata."""
    return PATCHSET | {"metadata": PATCHSET["metadata"] | changes}


CASES = [
    ("workspace.json", WORKSPACE),
    ("workspace.json", without(WORKSPACE, "observations")),
    ("workspace.json", WORKSPACE | {"version": "2.0.0"}),
    ("model.json", MODEL),
    ("model.json", MODEL | {"parameters": {"name": "mu"}}),
    ("model.json", MODEL | {"unknown": 1}),
    ("measurement.json", MEASUREMENT),
    ("measurement.json", without(MEASUREMENT, "config")),
    ("patchset.json", PATCHSET),
    ("patchset.json", without(PATCHSET, "version")),
    ("patchset.json", PATCHSET | {"patches": []}),
    ("patchset.json", with_metadata(labels=["bad label"])),
    ("patchset.json", with_metadata(digests={"crc32": "0"})),
    ("patchset.json", with_metadata(references={"hepdata": "wrong"})),
    ("jsonpatch.json", [{"op": "add", "path": PLACE, "value": None}]),
    ("jsonpatch.json", [{"op": "move", "path": PLACE, "from": PLACE}]),
    ("jsonpatch.json", [{"path": PLACE}]),
    ("jsonpatch.json", [{"op": "add", "path": PLACE}]),
    ("jsonpatch.json", [{"op": "copy", "path": PLACE}]),
    ("jsonpatch.json", [{"op": "remove"}]),
]


@pytest.mark.parametrize(("name", "document"), CASES, ids=range(len(CASES)))
def test_same_verdict(name, document):
    """One passes where the other does; with the same `except` clause where not."""
    verdicts = []
    for module in (pyhf, bridge):
        try:
            verdicts.append(module.schema.validate(copy.deepcopy(document), name))
        except module.exceptions.InvalidSpecification:
            verdicts.append("invalid")
    assert verdicts[0] == verdicts[1]


def test_both_verdicts_occur():
    """The table above tells nothing if all of it is invalid."""
    passed = [name for name, document in CASES if bridge_passes(name, document)]
    assert set(passed) == {name for name, _ in CASES} and len(passed) == 6


def bridge_passes(name: str, document) -> bool:
    """Whether the bridge takes a document."""
    try:
        bridge.schema.validate(document, name)
    except errors.InvalidDocument:
        return False
    return True


@pytest.mark.parametrize("name", ["defs", "workspace", "model", "measurement", "patchset", "jsonpatch"])
def test_same_schemas(name):
    """File by file; what is returned is the caller's to change."""
    schema_id = f"{pyhf.schema.version}/{name}.json"
    assert bridge.schema.load_schema(schema_id) == pyhf.schema.load_schema(schema_id)
    bridge.schema.load_schema(schema_id).clear()
    assert bridge.schema.load_schema(schema_id)["$id"].endswith(schema_id)
    assert bridge.schema.version == pyhf.schema.version


@pytest.mark.parametrize("module", [pyhf, bridge], ids=["pyhf", "histjax"])
@pytest.mark.parametrize("name", ["fake.json", "1.0.0/fake.json", "0.0.0/defs.json", "../../secret.json"])
def test_schemas_that_are_not_there(module, name):
    """Under pyhf's name, and as the `OSError` that it is there."""
    with pytest.raises(module.exceptions.SchemaNotFound):
        module.schema.load_schema(name)
    with pytest.raises(OSError, match=name):
        module.schema.load_schema(name)


def test_every_problem_is_listed():
    """Not the first one alone; a version that is not there is called so."""
    with pytest.raises(errors.InvalidDocument, match="4 problems"):
        bridge.schema.validate({"channels": []}, "workspace.json")
    with pytest.raises(bridge.exceptions.SchemaNotFound, match=r"1\.0\.0/workspace\.json"):
        bridge.schema.validate(WORKSPACE, "workspace.json", version="9.9.9")


@pytest.mark.parametrize("kind", [int, float, np.float32])
def test_arrays_are_lists(kind):
    """In a validated document on request, and in models, workspaces and digests always."""
    document = copy.deepcopy(WORKSPACE)
    sample = document["channels"][0]["samples"][0]
    sample["data"] = np.array(sample["data"], kind)
    spec = {"channels": document["channels"]}
    for module in (pyhf, bridge):
        assert module.schema.validate(spec, "model.json") is None
        with pytest.raises(module.exceptions.InvalidSpecification):
            module.schema.validate(spec, "model.json", allow_tensors=False)
    vector = bridge.Model(MODEL).config.suggested_init()
    found = bridge.Model(spec).expected_data(vector)
    np.testing.assert_array_equal(found, pyhf.Model(MODEL).expected_data(vector))
    workspace = bridge.Workspace(document)
    assert json.loads(json.dumps(workspace)) == WORKSPACE
    listed = document | {"channels": bridge.Workspace(document)["channels"]}
    assert bridge.utils.digest(document) == pyhf.utils.digest(listed)
    model = bridge.simplemodels.uncorrelated_background(*(np.array(each, kind) for each in ([5], [9], [3])))
    assert model.config.auxdata == [9.0]


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_digests(algorithm):
    """pyhf's."""
    assert bridge.utils.digest(WORKSPACE, algorithm) == pyhf.utils.digest(WORKSPACE, algorithm)
    with pytest.raises(errors.UnknownName, match="crc32"):
        bridge.utils.digest(WORKSPACE, "crc32")
    with pytest.raises(errors.InvalidModel, match="JSON"):
        bridge.utils.digest({1, 2}, algorithm)


@pytest.fixture
def folder(tmp_path):
    """Schemas of a version that nobody else has, with relative and with absolute identifiers."""
    for version, base in (("1.1.0", ""), ("1.2.0", "https://scikit-hep.org/pyhf/schemas/")):
        (tmp_path / version).mkdir()
        for name in ("defs", "workspace"):
            schema = json.dumps(pyhf.schema.load_schema(f"1.0.0/{name}.json"))
            schema = schema.replace("https://scikit-hep.org/pyhf/schemas/1.0.0", f"{base}{version}")
            (tmp_path / version / f"{name}.json").write_text(schema.replace("1.0.0", version))
    return tmp_path


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
@pytest.mark.parametrize("module", [pyhf, bridge], ids=["pyhf", "histjax"])
def test_a_folder_of_ones_own(module, version, folder):
    """Within the context it holds; outside it, or for a document of another version, it does not."""
    document, before = WORKSPACE | {"version": version}, module.schema.path
    for error in (ZeroDivisionError, None):
        try:
            with module.schema(folder):
                assert module.schema.path == folder
                assert module.schema.validate(document, "workspace.json", version=version) is None
                with pytest.raises(module.exceptions.InvalidSpecification):
                    module.schema.validate(WORKSPACE, "workspace.json", version=version)
                if error:
                    raise error
        except ZeroDivisionError:
            pass
        assert module.schema.path == before
    with pytest.raises(module.exceptions.SchemaNotFound):
        module.schema.validate(document, "workspace.json", version=version)


def test_a_folder_without_a_context(folder):
    """Until another one is chosen; workspaces are those of version 1.0.0 all the same."""
    before = bridge.schema.path
    bridge.schema(str(folder))
    try:
        assert bridge.schema.path == folder
        assert list(bridge.Workspace(WORKSPACE)) == list(WORKSPACE)
        with pytest.raises(errors.InvalidDocument, match=r"found '1\.1\.0', expected '1\.0\.0'"):
            bridge.Workspace(WORKSPACE | {"version": "1.1.0"})
    finally:
        bridge.schema(before)
    assert bridge.schema.load_schema("1.0.0/model.json")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("{", errors.InvalidDocument, "cut off"),
        ('{"type": 3}', errors.InvalidDocument, "not valid under any"),
        ('{"$ref": "else.json"}', bridge.exceptions.SchemaNotFound, r"else\.json"),
        ('{"$ref": "../../else.json"}', bridge.exceptions.SchemaNotFound, r"else\.json"),
        ('{"$ref": "http://localhost:1/else.json"}', bridge.exceptions.SchemaNotFound, "localhost"),
    ],
    ids=["no JSON", "no schema", "reference", "outside", "network"],
)
def test_schemas_of_no_use(text, error, words, tmp_path):
    """One clear sentence, and nothing is fetched."""
    (tmp_path / "schemas" / "1.0.0").mkdir(parents=True)
    (tmp_path / "schemas" / "1.0.0" / "workspace.json").write_text(text)
    (tmp_path / "else.json").write_text("{}")
    with bridge.schema(tmp_path / "schemas"), pytest.raises(error, match=words):
        bridge.schema.validate(WORKSPACE, "workspace.json")
