"""Documents that are wrong in one or several places: one message with all of it, and the JSON path of each."""

import copy

import pytest

from histjax.errors import InvalidDocument
from histjax.hs3 import Workspace
from tests.hs3 import documents


def problems_of(document) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        Workspace.from_document(document, "d.json")
    return [str(each) for each in caught.value.problems]


def changed(change) -> dict:
    document = copy.deepcopy(documents.physics())
    change(document)
    return document


def gauss(name, **fields):
    return {"name": name, "type": "gaussian_dist", "x": "x", "mean": 0.0, "sigma": 1.0} | fields


def chain(length):
    """Each function refers to the next."""
    return [{"name": f"f{i}", "type": "sum", "summands": [f"f{i + 1}"]} for i in range(length)]


WRONG = {
    "structure": (lambda d: d.update(distributions={}), ["/distributions: found an object, expected an array"]),
    "no name": (lambda d: d["distributions"][0].pop("name"), ["distribution", "'name' is missing"]),
    "unknown type": (
        lambda d: d["distributions"][0].update(type="gauss"),
        ["/distributions/0/type", "'gauss' is not known"],
    ),
    "lacking field": (lambda d: d["distributions"][0].pop("mean"), ["'signal' lacks 'mean'"]),
    "wrong field": (
        lambda d: d["distributions"][0].update(mean=[1]),
        ["/distributions/0/mean: expected the name of something or a number, found [1]"],
    ),
    "infinite": (lambda d: d["distributions"][0].update(mean=float("inf")), ["/distributions/0/mean", "found inf"]),
    "twice": (
        lambda d: d["functions"].append(d["functions"][0]),
        ["/functions/1/name: 'total_events' is also the name"],
    ),
    "shared name": (
        lambda d: d["functions"][0].update(name="signal"),
        ["'signal' is also the name of /distributions/0"],
    ),
    "missing distribution": (
        lambda d: d["likelihoods"][0].update(distributions=["signal", "other"]),
        ["/likelihoods/0/distributions/1: there is no 'other' in 'distributions'"],
    ),
    "missing data": (
        lambda d: d["likelihoods"][0].update(data=["a", "b"]),
        ["/likelihoods/0/data/0", "/likelihoods/0/data/1", "observed_mass_spectrum"],
    ),
    "lengths": (lambda d: d["likelihoods"][0]["data"].pop(), ["has 1 data for 2 distributions"]),
    "analysis": (
        lambda d: d["analyses"][0].update(likelihood="l", domains=["d"], init="i"),
        ["/analyses/0/likelihood", "/analyses/0/domains/0", "/analyses/0/init"],
    ),
    "itself": (
        lambda d: d["functions"].extend(
            [{"name": "a", "type": "sum", "summands": ["b"]}, {"name": "b", "type": "product", "factors": ["a"]}]
        ),
        ["'a' depends on itself: a -> b -> a"],
    ),
    "deep": (lambda d: d["functions"].extend(chain(5000)), ["depends on a chain of 5000 others, expected at most 200"]),
    "no distribution": (
        lambda d: d["distributions"].append(
            {"name": "m", "type": "product_dist", "factors": ["signal", "total_events"]}
        ),
        ["'m' refers to 'total_events', which is not a distribution"],
    ),
    "coefficients": (
        lambda d: d["distributions"].append(
            {"name": "m", "type": "mixture_dist", "summands": ["signal", "background"], "coefficients": [1, 2, 3]}
        ),
        ["needs 2 or 1 coefficients, found 3"],
    ),
    "domain": (lambda d: d["domains"][0]["axes"][0].update(min=200.0), ["has min 200, which is not below max 140"]),
    "nbins": (
        lambda d: d["data"][0].update(axes=[{"name": "mass", "min": 0, "max": 1, "nbins": 2.5}]),
        ["has 2.5 bins, expected a whole number"],
    ),
    "both": (lambda d: d["data"][0]["axes"][0].update(nbins=3), ["has both of 'nbins' and 'edges'"]),
    "falling": (
        lambda d: d["data"][0]["axes"][0].update(edges=[1, 0, 2, 3]),
        ["are not at least two increasing numbers"],
    ),
    "sigma": (lambda d: d["data"][0]["uncertainty"].update(sigma=[1]), ["found 1 values, expected 3 numbers"]),
    "correlation": (
        lambda d: d["data"][0]["uncertainty"].update(correlation=[[1]]),
        ["/data/0/uncertainty/correlation: expected 0 or a matrix of 3 x 3"],
    ),
    "events": (
        lambda d: d["data"].append(
            {"name": "u", "type": "unbinned", "axes": [{"name": "x"}], "entries": [[1], [1, 2]]}
        ),
        ["/data/1/entries/1: event 1 of 'u' has 2 values for 1 axes"],
    ),
    "weights": (
        lambda d: d["data"].append(
            {"name": "u", "type": "unbinned", "axes": [{"name": "x"}], "entries": [[1]], "weights": [1, 2]}
        ),
        ["found 2 weights for 1 events"],
    ),
    "kind of data": (lambda d: d["data"][0].update(type="histogram"), ["expected one of point, unbinned, binned"]),
    "shadowed word": (
        lambda d: d["parameter_points"][0]["parameters"].append({"name": "exp", "value": 1.0}),
        ["/distributions/1/expression", "exp"],
    ),
    "nested expression": (
        lambda d: d["distributions"][1].update(expression="(" * 10_000 + "mass" + ")" * 10_000),
        ["/distributions/1/expression"],
    ),
    "huge power": (lambda d: d["distributions"][1].update(expression="mass ^^ 2"), ["/distributions/1/expression"]),
    "python": (
        lambda d: d["distributions"][1].update(expression="__import__('os').system('true')"),
        ["/distributions/1/expression"],
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_documents(case):
    change, words = WRONG[case]
    found = "\n".join(problems_of(changed(change)))
    for word in words:
        assert word in found


def test_all_problems_at_once():
    """Of one stage: fields, names, references and numbers together."""

    def change(document):
        document["distributions"][0].pop("sigma")
        document["likelihoods"][0]["distributions"] = ["signal", "nothing"]
        document["data"][0]["contents"] = [1.0]
        document["data"][0].pop("uncertainty")
        document["parameter_points"].append(document["parameter_points"][0])

    found = problems_of(changed(change))
    assert [each.split(":")[0] for each in found] == [
        "/parameter_points/1/name",
        "/likelihoods/0/distributions/1",
        "/data/0/contents",
        "/distributions/0",
    ]


def test_doubts_are_warnings():
    document = {"distributions": [gauss("g", colour="red")]}
    with pytest.warns(UserWarning) as caught:
        Workspace.from_document(document, "d.json")
    text = "\n".join(str(each.message) for each in caught)
    assert "'metadata' with 'hs3_version' is missing" in text
    assert "/distributions/0/colour: gaussian_dist has no 'colour'; it is ignored" in text
