"""pyhf's operations on workspaces through the bridge: the same calls, the same documents (pyhf 0.7.6, run beside)."""

import copy

import numpy as np
import pyhf
import pytest

import histjax.interop.pyhf as bridge
from histjax import errors
from tests.workspaces import BY_SLUG, WITH_PYHF

DOCUMENT = BY_SLUG["two-bins"].document
MEASUREMENT = DOCUMENT["measurements"][0]["name"]
RENAMED = {
    "channels": {"singlechannel": "other"},
    "measurements": {MEASUREMENT: "M2"},
    "modifiers": {"uncorr_bkguncrt": "stat"},
}
CALLS = {
    "combine": lambda module, ws: module.Workspace.combine(ws, ws.rename(**RENAMED)),
    "outer": lambda module, ws: module.Workspace.combine(ws, ws, join="outer"),
    "merge": lambda module, ws: module.Workspace.combine(ws, ws, join="left outer", merge_channels=True),
    "prune": lambda module, ws: ws.prune(modifiers=["uncorr_bkguncrt"]),
    "prune types": lambda module, ws: ws.prune(modifier_types=["shapesys"]),
    "rename": lambda module, ws: ws.rename(samples={"signal": "s"}, modifiers={"mu": "strength"}),
    "sorted": lambda module, ws: module.Workspace.sorted(ws),
}


@pytest.mark.parametrize("call", CALLS)
def test_same_documents(call):
    """And digests."""
    theirs, ours = (CALLS[call](module, module.Workspace(copy.deepcopy(DOCUMENT))) for module in (pyhf, bridge))
    assert isinstance(ours, bridge.Workspace)
    assert dict(ours) == dict(theirs)


@pytest.mark.parametrize("module", [pyhf, bridge], ids=["pyhf", "histjax"])
def test_refusals(module):
    """The same `except` clauses."""
    workspace = module.Workspace(copy.deepcopy(DOCUMENT))
    with pytest.raises(module.exceptions.InvalidWorkspaceOperation):
        module.Workspace.combine(workspace, workspace)
    for request in ({"samples": ["nothing"]}, {"channels": ["nothing"]}, {"modifiers": ["nothing"]}):
        with pytest.raises(module.exceptions.InvalidWorkspaceOperation):
            workspace.prune(**request)
    with pytest.raises(module.exceptions.InvalidWorkspaceOperation):
        workspace.rename(channels={"nothing": "x"})


@pytest.mark.parametrize("case", WITH_PYHF, ids=str)
def test_build(case):
    """The workspace of a model has the model's log density; pyhf loses the settings of a luminosity here."""
    name = case.measurement or case.document["measurements"][0]["name"]
    workspace = bridge.Workspace(copy.deepcopy(case.document))
    model = workspace.model(measurement_name=name)
    data = workspace.data(model)
    built = bridge.Workspace.build(model, data, name="built")
    again = built.model()
    assert built.measurement_names == ["built"]
    np.testing.assert_array_equal(built.data(again), data)
    point = np.asarray(model.config.suggested_init())
    np.testing.assert_array_equal(again.logpdf(point, data), model.logpdf(point, data))


@pytest.mark.parametrize("module", [pyhf, bridge], ids=["pyhf", "histjax"])
def test_what_is_changed_counts(module):
    """A workspace is a dictionary: operations act on what is in it, and `get_measurement` gives it away."""
    workspace = module.Workspace(copy.deepcopy(DOCUMENT))
    assert module.Workspace.valid_joins == ["none", "outer", "left outer", "right outer"]
    other = module.Workspace(workspace)
    other.get_measurement()["config"]["parameters"] = [{"name": "mu", "inits": [2.0]}]
    other["observations"][0]["data"][0] = 7
    assert dict(workspace) == DOCUMENT and other.observations["singlechannel"][0] == 7
    assert other.model().config.suggested_init()[0] == 2.0
    assert module.Workspace.sorted(other)["observations"] == other.rename()["observations"] == other["observations"]
    with pytest.raises(module.exceptions.InvalidWorkspaceOperation, match="singlechannel"):
        module.Workspace.combine(workspace, other, join="outer")
    other["version"] = "1.2.0"
    with pytest.raises(module.exceptions.InvalidWorkspaceOperation, match=r"1\.2\.0"):
        module.Workspace.combine(workspace, other, join="outer")


@pytest.mark.parametrize(("join", "winner"), [("left outer", 0), ("right outer", 1)])
def test_joins_say_what_they_drop(join, winner):
    """pyhf has one warning for all such joins; the result is the same."""
    documents = [copy.deepcopy(DOCUMENT) for _ in range(2)]
    documents[1]["observations"][0]["data"][0] = 7
    theirs = pyhf.Workspace.combine(*map(pyhf.Workspace, documents), join=join)
    with pytest.warns(errors.HistjaxWarning, match="dropped observation 'singlechannel'"):
        ours = bridge.Workspace.combine(*map(bridge.Workspace, documents), join=join)
    assert dict(ours) == dict(theirs) and ours["observations"] == documents[winner]["observations"]


def test_joins_that_are_none():
    """pyhf raises `ValueError`; and where nothing would be left, what it raises for a document."""
    workspace = bridge.Workspace(copy.deepcopy(DOCUMENT))
    for request in ({"join": "sideways"}, {"join": "none", "merge_channels": True}):
        with pytest.raises(errors.InvalidOperation, match=request["join"]):
            bridge.Workspace.combine(workspace, workspace, **request)
    for module in (pyhf, bridge):
        with pytest.raises(module.exceptions.InvalidSpecification):
            module.Workspace(copy.deepcopy(DOCUMENT)).prune(channels=["singlechannel"])


def test_build_without_auxiliary_data():
    """As in pyhf; the auxiliary data are the model's."""
    theirs, ours = (module.Workspace(copy.deepcopy(DOCUMENT)) for module in (pyhf, bridge))
    found = bridge.Workspace.build(ours.model(), [51, 48])
    assert found.observations == pyhf.Workspace.build(theirs.model(), [51, 48]).observations
    again = bridge.Workspace.build(found.model(), found.data(found.model()))
    assert bridge.utils.digest(again) == bridge.utils.digest(found)
