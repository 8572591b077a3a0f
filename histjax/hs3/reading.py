"""From a parsed document to records: structure, numbers, names and references, each stage with all of its problems."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from histjax.errors import InvalidDocument, InvalidExpression, Problem
from histjax.hs3.checking import HISTFACTORY, dependencies, references, unique_names
from histjax.hs3.composites import COMPOSITES
from histjax.hs3.expressions import names, parse
from histjax.hs3.kinds import DISTRIBUTIONS, FUNCTIONS
from histjax.hs3.nodes import Node, read_node
from histjax.hs3.reading_data import axis_problems, datum_problems, read_axis, read_datum
from histjax.hs3.records import (
    AnalysisRecord,
    Collection,
    Definition,
    LikelihoodRecord,
    Metadata,
    ParameterPoint,
    ParameterSet,
    ProductDomain,
)
from histjax.readers.validation import validate


class Records(NamedTuple):
    """Everything that a document says."""

    metadata: Metadata
    distributions: Collection[Definition]
    functions: Collection[Definition]
    domains: Collection[ProductDomain]
    parameter_points: Collection[ParameterSet]
    data: Collection
    likelihoods: Collection[LikelihoodRecord]
    analyses: Collection[AnalysisRecord]


def read_records(document: Any, source: str) -> tuple[Records, list[Problem]]:
    """The records of a parsed document, and what is doubtful in it.

    **Raises:** `InvalidDocument` with all problems of the first stage that has any: structure, then numbers and names,
    then what depends on what.
    """
    _raise(source, validate(document, "hs3", "hs3-0.2"))
    nodes, doubts, problems = _nodes(document)
    if "metadata" not in document:
        doubts.insert(0, Problem("", "'metadata' with 'hs3_version' is missing, which the standard requires", True))
    _raise(source, [*unique_names(document), *references(document), *_data_problems(document), *problems])
    paths = {each["name"]: f"/{key}/{i}" for key in nodes for i, each in enumerate(document.get(key, ()))}
    merged = {name: node for part in nodes.values() for name, node in part.items() if node is not None}
    histfactory = frozenset(name for name, node in nodes["distributions"].items() if node is None)
    _raise(source, list(dependencies(merged, paths, histfactory)))
    return _records(document, nodes), doubts


def _raise(source: str, problems: list[Problem]) -> None:
    if problems:
        raise InvalidDocument(source, problems)


def _nodes(document: Mapping[str, Any]) -> tuple[dict[str, dict[str, Node | None]], list[Problem], list[Problem]]:
    """The nodes of distributions and functions by name, doubts, and problems."""
    found: dict[str, dict[str, Node | None]] = {"distributions": {}, "functions": {}}
    said: list[Problem] = []
    for key, kinds in (("distributions", DISTRIBUTIONS | COMPOSITES), ("functions", FUNCTIONS)):
        for i, entry in enumerate(document.get(key, ())):
            node = None
            if entry["type"] != HISTFACTORY or key == "functions":
                node, problems = read_node(entry, kinds, f"/{key}/{i}")
                said += problems
            found[key][entry["name"]] = node
    said += _shadowed_words(document, found)
    return found, [each for each in said if each.is_warning], [each for each in said if not each.is_warning]


def _shadowed_words(document: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Node | None]]) -> Iterator[Problem]:
    """Expressions with a word such as `PI` or `exp` that is also a name of the document."""
    parts = [document.get(key, ()) for key in ("distributions", "functions", "data")]
    parts += [each["axes"] for each in document.get("domains", ())]
    parts += [each["parameters"] for each in document.get("parameter_points", ())]
    known = {entry["name"] for part in parts for entry in part}
    for key, found in nodes.items():
        for i, entry in enumerate(document.get(key, ())):
            expression = getattr(found[entry["name"]], "expression", None)
            if expression is not None:
                try:
                    parse(entry["expression"], known=known | set(names(expression)))
                except InvalidExpression as error:
                    yield Problem(f"/{key}/{i}/expression", str(error))


def _data_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    for i, entry in enumerate(document.get("data", ())):
        yield from datum_problems(entry, f"/data/{i}")
    for i, domain in enumerate(document.get("domains", ())):
        for j, axis in enumerate(domain["axes"]):
            yield from axis_problems(axis, f"/domains/{i}/axes/{j}", binned=False)


def _records(document: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Node | None]]) -> Records:
    def collection(key: str, kind: str, record: Callable[[Mapping], Any]) -> Collection:
        return Collection(kind, tuple(map(record, document.get(key, ()))))

    def definition(key: str) -> Callable[[Mapping], Definition]:
        return lambda entry: Definition(entry["name"], entry["type"], entry, nodes[key][entry["name"]])

    return Records(
        _metadata(document.get("metadata", {"hs3_version": "of unknown version"})),
        collection("distributions", "distribution", definition("distributions")),
        collection("functions", "function", definition("functions")),
        collection("domains", "domain", _domain),
        collection("parameter_points", "parameter point", _parameter_set),
        collection("data", "data", read_datum),
        collection("likelihoods", "likelihood", _likelihood),
        collection("analyses", "analysis", _analysis),
    )


def _metadata(entry: Mapping[str, Any]) -> Metadata:
    lists = (tuple(entry.get(key, ())) for key in ("packages", "authors", "publications"))
    return Metadata(entry["hs3_version"], *lists, entry.get("description"))


def _domain(entry: Mapping[str, Any]) -> ProductDomain:
    return ProductDomain(entry["name"], Collection("axis", tuple(map(read_axis, entry["axes"]))))


def _parameter_set(entry: Mapping[str, Any]) -> ParameterSet:
    points = (
        ParameterPoint(each["name"], float(each["value"]), each.get("const", False)) for each in entry["parameters"]
    )
    return ParameterSet(entry["name"], Collection("parameter", tuple(points)))


def _likelihood(entry: Mapping[str, Any]) -> LikelihoodRecord:
    data = tuple(each if isinstance(each, str) else float(each) for each in entry["data"])
    return LikelihoodRecord(
        entry["name"], tuple(entry["distributions"]), data, tuple(entry.get("aux_distributions", ()))
    )


def _analysis(entry: Mapping[str, Any]) -> AnalysisRecord:
    domains = entry.get("domains", (entry["domain"],) if "domain" in entry else ())
    pois = tuple(entry.get("parameters_of_interest", ()))
    return AnalysisRecord(
        entry["name"], entry["likelihood"], pois, tuple(domains), entry.get("init"), entry.get("prior")
    )
