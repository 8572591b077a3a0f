"""pyhf's operations on workspaces through the bridge: the same calls, the same documents (pyhf 0.7.6, run beside)."""

import copy

import numpy as np
import pyhf
import pytest

import histjax.interop.pyhf as bridge
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
