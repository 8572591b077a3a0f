"""Combine, prune, rename and sort: pyhf 0.7.6 does the same with the documents, and what it does wrong is done right.

pyhf is run beside, on the documents of the same workspaces (`pyhf.Workspace` with its class methods).
"""

import copy
import json
import re

import pyhf
import pytest

import histjax
from histjax.errors import InvalidDocument, InvalidOperation, UnknownName
from histjax.readers import digest, read_workspace, write_workspace
from tests.workspaces import TABLE, WITH_PYHF

SIGNAL = {"name": "signal", "data": [2.0, 3.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}


def background(name: str, yields: list[float], *modifiers: dict) -> dict:
    """A sample."""
    return {"name": name, "data": yields, "modifiers": list(modifiers)}


def normsys(name: str, hi: float = 1.1) -> dict:
    """A normalisation uncertainty."""
    return {"name": name, "type": "normsys", "data": {"lo": 0.9, "hi": hi}}


def workspace(
    channels: dict[str, list[dict]], measurement: str = "M", poi: str = "mu", parameters=(), data=None
) -> dict:
    """A document of channels; the observed counts are the yields of the last sample, unless given."""
    return {
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [
            {"name": name, "data": (data or {}).get(name, samples[-1]["data"])} for name, samples in channels.items()
        ],
        "measurements": [{"name": measurement, "config": {"poi": poi, "parameters": list(parameters)}}],
        "version": "1.0.0",
    }


SR = [SIGNAL, background("b", [10.0, 12.0], normsys("jes"))]
CR = [background("b", [50.0, 60.0], normsys("jes", 1.2), normsys("jer"))]
MU_TEN, MU_FIVE = ({"name": "mu", "bounds": [[0.0, top]]} for top in (10.0, 5.0))
DOCUMENTS = {
    "SR": workspace({"SR": SR}, parameters=[MU_TEN]),
    "SR again": workspace({"SR": SR}, parameters=[MU_TEN]),
    "SR, integers": workspace({"SR": [SIGNAL, background("b", [10, 12], normsys("jes"))]}, parameters=[MU_TEN]),
    "SR, other yields": workspace({"SR": [SIGNAL, background("b", [11.0, 12.0], normsys("jes"))]}),
    "SR, other data": workspace({"SR": SR}, data={"SR": [9.0, 9.0]}),
    "SR, more samples": workspace({"SR": [background("c", [1.0, 1.0], normsys("jes"))]}, "N"),
    "CR": workspace({"CR": CR}, "N"),
    "CR, same measurement": workspace({"CR": CR}),
    "CR, other settings": workspace({"CR": CR}, parameters=[MU_FIVE]),
    "CR, more settings": workspace({"CR": CR}, parameters=[{"name": "jer", "inits": [0.5]}]),
    "CR, other poi": workspace({"CR": [SIGNAL | {"name": "s2"}, *CR]}, poi="jer"),
    "both": workspace({"SR": SR, "CR": CR}, parameters=[MU_TEN]),
}
PAIRS = [(left, right) for left in DOCUMENTS for right in DOCUMENTS if left != right]


def read(name: str) -> histjax.Workspace:
    """One of the workspaces above; a parameter of interest without a modifier is only a doubt."""
    return read_workspace(copy.deepcopy(DOCUMENTS[name]))[0]


@pytest.mark.parametrize("merge", [False, True], ids=["apart", "merged"])
@pytest.mark.parametrize("join", list(histjax.Join))
def test_combine_as_pyhf(join, merge):
    """Every pair, every join: the same document, or both refuse; the order of lists is the same."""
    refused = 0
    for left, right in PAIRS:
        pair = [pyhf.Workspace(copy.deepcopy(DOCUMENTS[each])) for each in (left, right)]
        try:
            expected = pyhf.Workspace.combine(*pair, join=join.value, merge_channels=merge)
        except (pyhf.exceptions.InvalidWorkspaceOperation, ValueError):
            refused += 1
            with pytest.raises(InvalidOperation):
                histjax.combine(read(left), read(right), join=join, merge_channels=merge)
            continue
        found, _ = histjax.combine(read(left), read(right), join=join, merge_channels=merge)
        assert write_workspace(found) == dict(expected), (left, right)
    everything = merge and join is histjax.Join.NONE
    assert refused == len(PAIRS) if everything else refused < len(PAIRS)


def test_combine_says_all_that_is_wrong():
    """Not only the first conflict."""
    with pytest.raises(InvalidOperation) as caught:
        histjax.combine(read("SR"), read("SR, other yields"))
    assert caught.value.problems == (
        "channel 'SR' is in workspace 2 and before; rename it or choose a join",
        "observation 'SR' is in workspace 2 and before; rename it or choose a join",
        "measurement 'M' is in workspace 2 and before; rename it or choose a join",
    )
    with pytest.raises(InvalidOperation, match="settings of parameter 'mu' in workspace 2 differ") as caught:
        histjax.combine(read("SR"), read("CR, other settings"), join=histjax.Join.OUTER)
    assert len(caught.value.problems) == 1


def test_combine_reports_what_it_drops_and_shares():
    """Nothing goes silently."""
    left, right = read("SR"), read("SR, other yields")
    _, report = histjax.combine(left, right, join="left outer")
    assert [str(each) for each in report] == [
        "dropped channel 'SR' of workspace 2",
        "dropped observation 'SR' of workspace 2",
        "dropped measurement 'M' of workspace 2",
        "shared parameter 'mu' by workspaces 1, 2",
        "shared parameter 'jes' by workspaces 1, 2",
    ]
    _, report = histjax.combine(left, right, join="right outer", merge_channels=True)
    assert "dropped sample 'b' of channel 'SR' of the workspaces before" in map(str, report)


def test_combine_several_with_a_map():
    """Three workspaces; parameters are correlated and kept apart as the map says, and the likelihood is the product.

    Closed form: the log density of independent channels is the sum of theirs, constraint terms of shared parameters
    counted once; here nothing is shared but `mu`, which has none.
    """
    parts = [
        histjax.rename(read("SR"), channels={"SR": f"SR{k}"}, measurements={"M": f"M{k}"}).workspace for k in range(3)
    ]
    names = {f"jes{k}": tuple("jes" if k == j else None for j in range(3)) for k in range(3)}
    whole, report = histjax.combine(*parts, correlated=names)
    assert [str(each) for each in report][-1] == "shared parameter 'mu' by workspaces 1, 2, 3"
    models = [histjax.compile(each) for each in (*parts, whole)]
    values = [float(model.logpdf(model.init, model.data)) for model in models]
    assert values[-1] == pytest.approx(sum(values[:-1]), rel=1e-13)
    shared, _ = histjax.combine(*parts)
    assert {name for name in histjax.compile(shared).init} == {"mu", "jes"}


@pytest.mark.parametrize(
    "names, message",
    [
        ({"x": ("jes",)}, "'x' names 1 parameters, expected 2"),
        ({"jer": ("jes", None)}, "'jer' is a parameter of workspace 2, too"),
        ({"jer": (None, "jes")}, "'jes' and modifier 'jer' would both be called 'jer'"),
    ],
)
def test_combine_with_a_map_that_is_wrong(names, message):
    """The map must say what happens to every parameter it names."""
    with pytest.raises(InvalidOperation, match=re.escape(message)):
        histjax.combine(read("SR"), read("CR"), correlated=names)
    with pytest.raises(UnknownName, match="no modifier named 'nothing'"):
        histjax.combine(read("SR"), read("CR"), correlated={"x": ("nothing", "jes")})


def test_combine_refuses_what_no_model_can_be():
    """A parameter shared by modifiers of two sizes: each workspace is sound, the combination is not."""
    one = workspace({"A": [background("b", [9.0], {"name": "g", "type": "shapefactor", "data": None})]}, "MA", "")
    two = workspace({"B": [background("b", [9.0, 9.0], {"name": "g", "type": "shapefactor", "data": None})]}, "MB", "")
    with pytest.raises(InvalidDocument, match="the combined workspace"):
        histjax.combine(read_workspace(one)[0], read_workspace(two)[0])
    with pytest.raises(InvalidOperation, match="expected one of 'none', 'outer'"):
        histjax.combine(read("SR"), read("CR"), join="inner")
    with pytest.raises(InvalidOperation, match="found 1 workspace"):
        histjax.combine(read("SR"))


REQUESTS = [
    {"modifiers": ["jes"]},
    {"modifiers": ["mu"]},
    {"modifier_types": ["normsys"]},
    {"samples": ["signal"]},
    {"channels": ["CR"]},
    {"channels": ["SR"], "modifiers": ["jer"]},
    {"modifier_types": ["normfactor"], "channels": ["CR"]},
]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_prune_as_pyhf(request_):
    """The same document, but for settings of parameters that nothing uses any more, which pyhf keeps in some cases."""
    expected = dict(pyhf.Workspace(copy.deepcopy(DOCUMENTS["both"])).prune(**request_))
    found = write_workspace(histjax.prune(read("both"), **request_).workspace)
    left = {m["name"] for c in found["channels"] for s in c["samples"] for m in s["modifiers"]}
    for measurement in expected["measurements"]:
        config = measurement["config"]
        config["parameters"] = [each for each in config["parameters"] if each["name"] in left]
    assert found == expected


def test_prune_types_of_a_shared_name():
    """pyhf 0.7.6 refuses to prune `histosys` where a `normsys` has the same name: it looks types up by name."""
    shape = {"name": "jes", "type": "histosys", "data": {"lo_data": [9.0, 9.0], "hi_data": [11.0, 13.0]}}
    document = workspace({"SR": [SIGNAL, background("b", [10.0, 12.0], normsys("jes"), shape)]})
    new, report = histjax.prune(read_workspace(document)[0], modifier_types=["histosys"])
    assert [m.type for m in new.channels[0].samples[1].modifiers] == ["normsys"]
    assert [str(each) for each in report] == ["removed modifier 'jes' from 1 sample"]


def test_prune_by_expression_and_function():
    """Regular expressions match whole names."""
    both = read("both")
    expected = histjax.prune(both, modifiers=["jes", "jer"])
    assert histjax.prune(both, modifiers=[re.compile("je.")]) == expected
    assert histjax.prune(both, modifiers=lambda name: name.startswith("je")) == expected
    with pytest.raises(InvalidOperation, match="no modifier is selected by 'j'"):
        histjax.prune(both, modifiers=[re.compile("j")])


@pytest.mark.parametrize(
    "request_, message",
    [
        ({"modifiers": ["nothing"]}, "no modifier named 'nothing'"),
        ({"modifier_types": ["normsyst"]}, "no modifier type named 'normsyst'"),
        ({"channels": ["SR", "XR"]}, "no channel named 'XR'"),
        ({"samples": "b"}, "no samples would be left in channel 'CR'"),
        ({"channels": ["SR", "CR"]}, "no channels would be left"),
        ({"measurements": ["M"]}, "no measurements would be left"),
    ],
)
def test_prune_that_cannot_be(request_, message):
    """Names that are not there, and nothing left."""
    with pytest.raises((UnknownName, InvalidOperation), match=message):
        histjax.prune(read("both"), **request_)


RENAMES = [
    {"modifiers": {"mu": "signal_strength"}},
    {"modifiers": {"jes": "jer", "jer": "jes"}},
    {"samples": {"b": "ttbar"}, "channels": {"SR": "a region"}, "measurements": {"M": "my measurement"}},
]


@pytest.mark.parametrize("request_", RENAMES, ids=str)
def test_rename_as_pyhf(request_):
    """The same document; and back again."""
    expected = pyhf.Workspace(copy.deepcopy(DOCUMENTS["both"])).rename(**request_)
    new, report = histjax.rename(read("both"), **request_)
    assert write_workspace(new) == dict(expected)
    assert len(report) == sum(map(len, request_.values()))
    back = {kind: {new: old for old, new in names.items()} for kind, names in request_.items()}
    assert histjax.rename(new, **back).workspace == read("both")


@pytest.mark.parametrize(
    "request_, message",
    [
        ({"modifiers": {"mu": "jes"}}, "modifier 'mu' and modifier 'jes' would both be called 'jes'"),
        ({"modifiers": {"jes": "x", "jer": "x"}}, "modifier 'jes' and modifier 'jer' would both be called 'x'"),
        ({"samples": {"b": "signal"}}, "sample 'signal' and sample 'b' would both be called 'signal'"),
        ({"channels": {"SR": "CR"}}, "channel 'SR' and channel 'CR' would both be called 'CR'"),
        ({"channels": {"XR": "CR"}}, "no channel named 'XR'"),
    ],
)
def test_rename_collisions(request_, message):
    """pyhf 0.7.6 makes one parameter of two without a word."""
    with pytest.raises((UnknownName, InvalidOperation), match=message):
        histjax.rename(read("both"), **request_)


@pytest.mark.parametrize("case", WITH_PYHF, ids=str)
def test_sort_as_pyhf(case):
    """The same digest, whatever the order was."""
    expected = pyhf.Workspace.sorted(pyhf.Workspace(copy.deepcopy(case.document)))
    new, _ = histjax.sort(histjax.read(case.document))
    assert digest(write_workspace(new)) == pyhf.utils.digest(expected)
    assert histjax.sort(new) == (new, ())


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_nothing_to_do(case):
    """Operations that select nothing change nothing, and the original stays as it was."""
    original = histjax.read(case.document)
    before = json.dumps(write_workspace(original))
    assert histjax.prune(original) == histjax.rename(original) == (original, ())
    histjax.sort(original)
    assert json.dumps(write_workspace(original)) == before
