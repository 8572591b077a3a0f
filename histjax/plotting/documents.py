"""From the JSON that commands write to what the plots need: which plot it is for, and the fields that it reads.

A plot reads attributes and asks for no class, so that a namespace with the fields of a record will do.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import SimpleNamespace as Fields
from typing import Any

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import numbers


class Kind(StrEnum):
    """Plots that can be made of a JSON document."""

    BRAZIL = "brazil"
    P_VALUES = "p-values"
    LIMITS = "limits"
    LIMIT_BAND = "limit-band"
    EXCLUSION = "exclusion"
    PULLS = "pulls"
    RANKING = "ranking"
    CORRELATION = "correlation"
    SCAN = "scan"
    CONTOUR = "contour"
    YIELDS = "yields"
    PREFIT_YIELDS = "prefit-yields"
    TOYS = "toys"
    GOODNESS = "gof"


SOURCES = {
    Kind.BRAZIL: "histjax limit --plot, histjax limit --toys, or several files of histjax cls",
    Kind.P_VALUES: "histjax cls",
    Kind.LIMITS: "histjax limit",
    Kind.LIMIT_BAND: "histjax patchset limit or cls",
    Kind.EXCLUSION: "histjax patchset limit or cls",
    Kind.PULLS: "histjax fit --pulls",
    Kind.RANKING: "histjax ranking",
    Kind.CORRELATION: "histjax fit --correlation",
    Kind.SCAN: "histjax scan",
    Kind.CONTOUR: "histjax contour",
    Kind.YIELDS: "histjax fit --yields",
    Kind.PREFIT_YIELDS: "histjax fit --prefit",
    Kind.TOYS: "histjax toys --slice 1/1 (histjax cls --toys --plot draws them at once)",
    Kind.GOODNESS: "histjax gof",
}
"""What writes a document for each plot."""


def kind_of(documents: Sequence[Mapping[str, Any]]) -> Kind:
    """The plot that the keys of the documents suggest; raises `InvalidPlot` where they suggest none.

    >>> kind_of([{"pulls": {}}]), kind_of([{"CLs_obs": 0.1, "CLs_exp": []}])
    (<Kind.PULLS: 'pulls'>, <Kind.P_VALUES: 'p-values'>)
    """
    document = documents[0]
    if "points" in document and "labels" in document:
        return Kind.EXCLUSION if len(_varying(document)) == 2 else Kind.LIMIT_BAND
    if "CLs_obs" in document and len(documents) > 1:
        return Kind.BRAZIL
    for kind, keys in _KEYS:
        if all(key in document for key in keys):
            return kind
    listed = "; ".join(f"{kind}: {source}" for kind, source in SOURCES.items())
    raise InvalidPlot(
        f"nothing in this document can be drawn (its keys: {', '.join(map(str, document)) or 'none'}); plots are of "
        f"what these commands write: {listed}"
    )


_KEYS = (
    (Kind.TOYS, ("tallies",)),
    (Kind.BRAZIL, ("observed", "tests")),
    (Kind.P_VALUES, ("CLs_obs", "CLs_exp")),
    (Kind.LIMITS, ("observed", "expected", "confidence_level")),
    (Kind.RANKING, ("impacts",)),
    (Kind.CONTOUR, ("contours",)),
    (Kind.SCAN, ("values", "delta")),
    (Kind.GOODNESS, ("statistic", "n_degrees", "channels")),
    (Kind.PULLS, ("pulls",)),
    (Kind.YIELDS, ("yields",)),
    (Kind.PREFIT_YIELDS, ("prefit_yields",)),
    (Kind.CORRELATION, ("correlation",)),
)


def _varying(document: Mapping) -> list[str]:
    """The labels with more than one value."""
    columns = zip(*(point["values"] for point in document["points"]), strict=True)
    return [label for label, column in zip(document["labels"], columns, strict=True) if len(set(column)) > 1]


def read(document: Mapping[str, Any], kind: Kind) -> Fields:
    """The fields that a plot of this kind reads; raises `InvalidPlot` where they are not there."""
    try:
        return _READERS[kind](document)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        missing = f"no key {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise InvalidPlot(
            f"this document has not what the plot {kind.value!r} needs ({missing}); write it with {SOURCES[kind]}"
        ) from None


def _test(document: Mapping) -> Fields:
    names = {"CLs": "CLs_obs", "CLsb": "CLsb", "CLb": "CLb"}
    names |= {f"{name}_expected": f"{name}_exp" for name in names}
    fields = {name: numbers(document[key]) for name, key in names.items()}
    fields |= {name: numbers(document.get(name)) for name in ("statistic", "statistic_asimov", "poi_value")}
    return Fields(poi=document["poi"], statistic_name=document["statistic_name"], toys=_toys(document), **fields)


def _toys(document: Mapping) -> Fields | None:
    """Uncertainty and tallies of toys, as far as they were written."""
    from histjax.inference.toys.parts import tally_of

    if "toys" not in document and "tallies" not in document:
        return None
    uncertainty = document.get("toys", {}).get("uncertainties", {}).get("CLs_obs", np.nan)
    tallies = {name: tally_of(each) for name, each in document.get("tallies", {}).items()}
    return Fields(observed=Fields(CLs_uncertainty=numbers(uncertainty)), **tallies)


def _tallies(document: Mapping) -> Fields:
    toys = _toys({"tallies": document["tallies"]})
    fields = {name: numbers(document.get(name)) for name in ("statistic", "statistic_asimov", "poi_value")}
    return Fields(poi=document["poi"], statistic_name=document["statistic_name"], toys=toys, **fields)


def _limit(document: Mapping) -> Fields:
    names = ("observed", "expected", "uncertainty", "expected_uncertainty", "confidence_level", "best")
    return Fields(poi=document["poi"], toys=None, **{name: numbers(document[name]) for name in names})


def _brazil(document: Mapping) -> Fields:
    """Tests of several values, and the limit that they belong to."""
    if "tests" in document:
        tests = [
            {"poi": document["poi"], "statistic_name": document["statistic_name"]} | each for each in document["tests"]
        ]
        return Fields(tests=[_test(each) for each in tests], limit=_limit(document))
    if "points" not in document.get("toys", {}):
        raise KeyError("tests")
    rows = document["toys"]["points"]
    words = {"CLs_expected": "CLs_exp", "poi_values": "poi_value"}
    names = ("poi_values", "CLs", "CLs_expected", "CLs_uncertainty")
    points = Fields(**{name: numbers([row[words.get(name, name)] for row in rows]) for name in names})
    limit = _limit(document)
    return Fields(tests=Fields(poi=limit.poi, toys=Fields(points=points)), limit=limit)


def _grid(document: Mapping) -> Fields:
    points = document["points"]
    quantity = "CLs" if "poi_value" in document else "upper limit"
    observed, expected = ("CLs_obs", "CLs_exp") if quantity == "CLs" else ("observed", "expected")
    return _Sized(
        quantity=quantity,
        labels=tuple(document["labels"]),
        poi=document["poi"],
        values=tuple(tuple(point["values"]) for point in points),
        observed=numbers([point[observed] for point in points]),
        expected=numbers([point[expected] for point in points]).reshape(len(points), 5),
        converged=np.array([point["converged"] for point in points], bool),
    )


class _Sized(Fields):
    """Fields of a grid, which knows how many patches it has."""

    def __len__(self) -> int:
        return len(self.values)


def _pulls(document: Mapping) -> Fields:
    rows = document["pulls"]
    columns = {name: numbers([row[name] for row in rows.values()]) for name in ("pull", "width_ratio", "held")}
    return Fields(names=tuple(rows), **columns)


def _ranking(document: Mapping) -> Fields:
    rows = document["impacts"]
    names = ("prefit_up", "prefit_down", "postfit_up", "postfit_down", "pull", "width_ratio")
    columns = {name: numbers([row[name] for row in rows]) for name in names}
    return Fields(poi=document["poi"], names=tuple(row["name"] for row in rows), order=np.arange(len(rows)), **columns)


def _correlation(document: Mapping) -> Fields:
    parameters = Fields(component_names=tuple(document["components"]))
    return Fields(correlation=numbers(document["correlation"]), parameters=parameters)


def _scan(document: Mapping) -> Fields:
    names = tuple(document["parameters"])
    status = np.asarray(document["status"], object)
    return Fields(
        names=names,
        values=tuple(numbers(document["values"][name]) for name in names),
        delta=numbers(document["delta"]),
        best=numbers([document["best"][name] for name in names]),
        converged=np.isin(status, ["converged", "flat"]),
    )


def _contour(document: Mapping) -> Fields:
    curves = document["contours"]
    return Fields(
        names=tuple(document["parameters"]),
        best=numbers(document["best"]),
        points=numbers([curve["points"] for curve in curves]),
        confidence_levels=numbers([curve["confidence_level"] for curve in curves]),
        degrees_of_freedom=document["degrees_of_freedom"],
    )


def _yields(document: Mapping, key: str) -> Fields:
    channels = document[key]

    def table(number: str) -> Fields:
        samples = {
            name: {sample: numbers(each[number]) for sample, each in channel["samples"].items()}
            for name, channel in channels.items()
        }
        return Fields(bins={name: numbers(each[number]) for name, each in channels.items()}, sample_bins=samples)

    observed = {name: numbers(each["observed"]) for name, each in channels.items()}
    expected, uncertainty = table("expected"), table("uncertainty")
    return Fields(expected=expected, uncertainty=uncertainty, observed=observed, is_postfit=key == "yields")


def _goodness(document: Mapping) -> Fields:
    fields = {name: numbers(document[name]) for name in ("statistic", "n_degrees", "p_value")}
    parts = {
        name: {key: numbers(value) for key, value in document[name].items()} for name in ("channels", "constraints")
    }
    return Fields(toys=None, **fields, **parts)


_READERS = {
    Kind.BRAZIL: _brazil,
    Kind.P_VALUES: _test,
    Kind.LIMITS: _limit,
    Kind.LIMIT_BAND: _grid,
    Kind.EXCLUSION: _grid,
    Kind.PULLS: _pulls,
    Kind.RANKING: _ranking,
    Kind.CORRELATION: _correlation,
    Kind.SCAN: _scan,
    Kind.CONTOUR: _contour,
    Kind.YIELDS: lambda document: _yields(document, "yields"),
    Kind.PREFIT_YIELDS: lambda document: _yields(document, "prefit_yields"),
    Kind.TOYS: _tallies,
    Kind.GOODNESS: _goodness,
}
