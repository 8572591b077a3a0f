"""Axes and data of a document, and all that can be wrong with their numbers."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from histjax.errors import Problem
from histjax.hs3.records import (
    Axis,
    BinnedData,
    Datum,
    GaussianUncertainty,
    PointData,
    UnbinnedData,
    is_increasing,
)

KINDS = ("point", "unbinned", "binned")


def read_axis(entry: Mapping[str, Any]) -> Axis:
    """The axis of an entry; `bounds` is an older spelling of `min` and `max`, and edges imply them."""
    edges = tuple(map(float, entry["edges"])) if "edges" in entry else None
    low, high = edges[0 :: len(edges) - 1] if edges and len(edges) > 1 else entry.get("bounds", (None, None))[:2]
    low, high = entry.get("min", low), entry.get("max", high)
    nbins = entry.get("nbins")
    return Axis(
        entry["name"],
        None if low is None else float(low),
        None if high is None else float(high),
        None if nbins is None else int(nbins),
        edges,
        entry.get("const", False),
    )


def axis_problems(entry: Mapping[str, Any], path: str, binned: bool) -> Iterator[Problem]:
    """What is wrong with an axis; `binned` where the data are."""
    name, edges, nbins = entry["name"], entry.get("edges"), entry.get("nbins")
    if len(entry.get("bounds", (0, 1))) != 2:
        yield Problem(f"{path}/bounds", f"axis {name!r} has {len(entry['bounds'])} bounds, expected 2")
        return
    if edges is not None and (len(edges) < 2 or not is_increasing(edges)):
        yield Problem(f"{path}/edges", f"edges of axis {name!r} are not at least two increasing numbers")
        return
    if nbins is not None and (int(nbins) != nbins or not 1 <= nbins <= 10**8):
        yield Problem(f"{path}/nbins", f"axis {name!r} has {nbins} bins, expected a whole number of at least 1")
        return
    axis = read_axis(entry)
    if axis.min is not None and axis.max is not None and not axis.min < axis.max:
        yield Problem(path, f"axis {name!r} has min {axis.min:g}, which is not below max {axis.max:g}")
    if edges is not None and (axis.min, axis.max) != (edges[0], edges[-1]):
        yield Problem(
            path, f"axis {name!r} goes from {axis.min:g} to {axis.max:g}, its edges from {edges[0]:g} to {edges[-1]:g}"
        )
    if binned and (edges is None) == (nbins is None):
        found = "neither" if edges is None else "both"
        yield Problem(path, f"axis {name!r} has {found} of 'nbins' and 'edges', expected exactly one of them")
    if binned and edges is None and nbins is not None and None in (axis.min, axis.max):
        yield Problem(path, f"axis {name!r} has 'nbins' and lacks 'min' or 'max'")


def datum_problems(entry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What is wrong with data of one name."""
    kind = entry["type"]
    needs = {"point": ("value",), "unbinned": ("entries", "axes"), "binned": ("contents", "axes")}.get(kind)
    if needs is None:
        yield Problem(f"{path}/type", f"data {entry['name']!r} are {kind!r}, expected one of {', '.join(KINDS)}")
        return
    yield from (Problem(path, f"{kind} data {entry['name']!r} lack {key!r}") for key in needs if key not in entry)
    axes = [
        problem
        for i, each in enumerate(entry.get("axes", ()))
        for problem in axis_problems(each, f"{path}/axes/{i}", kind == "binned")
    ]
    yield from axes
    if not axes and all(key in entry for key in needs):
        yield from (_binned if kind == "binned" else _unbinned if kind == "unbinned" else _point)(entry, path)


def _point(entry, path) -> Iterator[Problem]:
    if entry.get("uncertainty") is not None and not _is_number(entry["uncertainty"]):
        yield Problem(f"{path}/uncertainty", f"the uncertainty of point data {entry['name']!r} is not a number")


def _binned(entry, path) -> Iterator[Problem]:
    shape = [read_axis(each).n_bins for each in entry["axes"]]
    contents = len(entry["contents"])
    if contents != prod(shape):
        bins = " x ".join(map(str, shape)) if len(shape) > 1 else str(prod(shape))
        yield Problem(
            f"{path}/contents",
            f"binned data {entry['name']!r}: contents array length ({contents}) must match expected number of bins "
            f"({bins})",
        )
    uncertainty = entry.get("uncertainty")
    if uncertainty is None:
        return
    if not isinstance(uncertainty, dict) or uncertainty.get("type") != "gaussian_uncertainty":
        yield Problem(f"{path}/uncertainty", "expected an object with type 'gaussian_uncertainty' and 'sigma'")
        return
    sigma, correlation = uncertainty.get("sigma"), uncertainty.get("correlation", 0)
    if not _is_numbers(sigma) or len(sigma) != contents:
        found = f"{len(sigma)} values" if isinstance(sigma, list) else type(sigma).__name__
        yield Problem(f"{path}/uncertainty/sigma", f"found {found}, expected {contents} numbers, one for each bin")
    rows = correlation if isinstance(correlation, list) else []
    square = len(rows) == contents and all(_is_numbers(row) and len(row) == contents for row in rows)
    if not square and not (_is_number(correlation) and correlation == 0):
        yield Problem(f"{path}/uncertainty/correlation", f"expected 0 or a matrix of {contents} x {contents} numbers")


def _unbinned(entry, path) -> Iterator[Problem]:
    n_axes, n_events = len(entry["axes"]), len(entry["entries"])
    for key in ("entries", "entries_uncertainties"):
        for i, row in enumerate(entry.get(key, ())):
            if len(row) != n_axes:
                yield Problem(
                    f"{path}/{key}/{i}", f"event {i} of {entry['name']!r} has {len(row)} values for {n_axes} axes"
                )
                break
    for key in ("weights", "entries_uncertainties"):
        if key in entry and len(entry[key]) != n_events:
            yield Problem(f"{path}/{key}", f"found {len(entry[key])} {key} for {n_events} events")


def read_datum(entry: Mapping[str, Any]) -> Datum:
    """The record of data in which there are no problems."""
    name, axes = entry["name"], tuple(map(read_axis, entry.get("axes", ())))
    if entry["type"] == "point":
        return PointData(name, float(entry["value"]), entry.get("uncertainty"), axes)
    if entry["type"] == "binned":
        found = entry.get("uncertainty")
        uncertainty = found and GaussianUncertainty(tuple(map(float, found["sigma"])), found.get("correlation", 0))
        return BinnedData(name, tuple(map(float, entry["contents"])), axes, uncertainty or None)
    arrays = {
        key: np.asarray(entry[key], float) for key in ("weights", "entries_uncertainties") if entry.get(key) is not None
    }
    return UnbinnedData(name, np.asarray(entry["entries"], float).reshape(-1, len(axes)), axes, **arrays)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_numbers(found: Any) -> bool:
    return isinstance(found, list) and all(map(_is_number, found))
