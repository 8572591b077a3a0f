"""What a document must fulfil beyond its structure: names that exist, and nothing that depends on itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from histjax.errors import Problem
from histjax.hs3.composites import Composite
from histjax.hs3.nodes import Distribution, Node

DEEPEST = 200
"""Longest chain of references that is followed."""

COLLECTIONS = ("distributions", "functions", "domains", "parameter_points", "data", "likelihoods", "analyses")
HISTFACTORY = "histfactory_dist"


def unique_names(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Names that two entries of a collection bear, or a distribution and a function."""
    for key in COLLECTIONS:
        yield from _repeated(document.get(key, ()), f"/{key}", {})
    names = {each["name"]: f"/distributions/{i}" for i, each in enumerate(document.get("distributions", ()))}
    for i, each in enumerate(document.get("functions", ())):
        if each["name"] in names:
            yield Problem(f"/functions/{i}/name", f"{each['name']!r} is also the name of {names[each['name']]}")
    for key in ("domains", "parameter_points"):
        inner = "axes" if key == "domains" else "parameters"
        for i, each in enumerate(document.get(key, ())):
            yield from _repeated(each[inner], f"/{key}/{i}/{inner}", {})


def _repeated(entries: Sequence[Mapping], path: str, seen: dict[str, int]) -> Iterator[Problem]:
    for i, each in enumerate(entries):
        name = each["name"]
        if not name:
            yield Problem(f"{path}/{i}/name", "the name is empty")
        elif name in seen:
            yield Problem(f"{path}/{i}/name", f"{name!r} is also the name of entry {seen[name]}")
        seen.setdefault(name, i)


def references(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Names in likelihoods and analyses that nothing bears."""
    names = {key: {each["name"] for each in document.get(key, ())} for key in COLLECTIONS}

    def known(key: str, name: Any, path: str) -> Iterator[Problem]:
        if name not in names[key]:
            listed = ", ".join(sorted(names[key])[:8]) or "none"
            yield Problem(path, f"there is no {name!r} in '{key}'; there are: {listed}")

    for i, each in enumerate(document.get("likelihoods", ())):
        path = f"/likelihoods/{i}"
        for key in ("distributions", "aux_distributions"):
            for j, name in enumerate(each.get(key, ())):
                yield from known("distributions", name, f"{path}/{key}/{j}")
        for j, name in enumerate(each["data"]):
            if isinstance(name, str):
                yield from known("data", name, f"{path}/data/{j}")
            elif isinstance(name, bool) or not isinstance(name, int | float):
                yield Problem(f"{path}/data/{j}", "expected the name of data or a number")
        found, expected = len(each["data"]), len(each["distributions"])
        if found != expected:
            yield Problem(f"{path}/data", f"likelihood {each['name']!r} has {found} data for {expected} distributions")
    for i, each in enumerate(document.get("analyses", ())):
        path = f"/analyses/{i}"
        yield from known("likelihoods", each["likelihood"], f"{path}/likelihood")
        for j, name in enumerate(each.get("domains", ())):
            yield from known("domains", name, f"{path}/domains/{j}")
        for key, collection in (("domain", "domains"), ("init", "parameter_points"), ("prior", "distributions")):
            if key in each:
                yield from known(collection, each[key], f"{path}/{key}")


def dependencies(nodes: Mapping[str, Node], paths: Mapping[str, str], histfactory: frozenset[str]) -> Iterator[Problem]:
    """Components that are no distributions, and nodes that depend on themselves or on too long a chain."""
    for name, node in nodes.items():
        for each in node.components if isinstance(node, Composite) else ():
            if each in histfactory:
                yield Problem(
                    paths[name], f"{name!r} refers to the {HISTFACTORY} {each!r}, which can only be in a likelihood"
                )
            elif not isinstance(nodes.get(each), Distribution):
                yield Problem(paths[name], f"{name!r} refers to {each!r}, which is not a distribution of the document")
    yield from _cycles(nodes, paths)


def _cycles(nodes: Mapping[str, Node], paths: Mapping[str, str]) -> Iterator[Problem]:
    """One problem for each cycle that is met, without recursion."""
    depth: dict[str, int] = {}
    for start in nodes:
        chain, todo = [start], [iter(_inner(nodes, start))]
        if start in depth:
            continue
        while todo:
            child = next(todo[-1], None)
            if child is None:
                name = chain.pop()
                depth[name] = 1 + max((depth.get(each, 0) for each in _inner(nodes, name)), default=0)
                todo.pop()
            elif child in chain:
                cycle = " -> ".join([*chain[chain.index(child) :], child])
                yield Problem(paths[child], f"{child!r} depends on itself: {_cut(cycle)}")
            elif child not in depth:
                chain.append(child)
                todo.append(iter(_inner(nodes, child)))
        if depth[start] > DEEPEST:
            yield Problem(
                paths[start], f"{start!r} depends on a chain of {depth[start]} others, expected at most {DEEPEST}"
            )
            return


def _inner(nodes: Mapping[str, Node], name: str) -> list[str]:
    return [each for each in nodes[name].depends if each in nodes]


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."
