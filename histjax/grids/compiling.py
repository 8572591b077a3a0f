"""`compile_grid`: all signals of a patch set as models of one layout."""

import warnings
from collections.abc import Sequence
from typing import Any

import histjax.pipeline as pipeline
from histjax.errors import DocumentWarning, HistjaxError, InvalidModel, Problem
from histjax.grids.grid import Grid, Point
from histjax.grids.templates import stacked_templates
from histjax.readers import Patch, PatchSet, Variant, load_json, read_patchset, read_variants
from histjax.spec import Measurement
from histjax.spec.union import Union, unite

MOST_SHOWN = 5
"""How many of the patches that failed are named where all did."""


def compile_grid(
    source: Any,
    patchset: Any,
    *,
    measurement: str | None = None,
    verify: bool = True,
    names: Sequence | None = None,
    document_name: str | None = None,
    **options,
) -> Grid:
    """Read a background workspace and its patch set, and compile all patches to models of one layout.

    Every patched workspace is checked as by `read`. Then they are padded to a neutral union: what a patch lacks is
    there without effect, so that all of them share one program, and log densities and fits are those of the patched
    workspace by itself. Samples and parameters that have another name in each patch, as signals have, share one place,
    which is called by a pattern (`signal_*`).

    **Arguments:**

    - `source`: the workspace that the patches are for: a path, `"-"`, an open file or a parsed document.
    - `patchset`: a `PatchSet`, or a source of one.
    - `measurement`: name of the measurement; the first one by default. The patches must agree on the parameter of
      interest.
    - `verify`: whether to compare the digests of the patch set with that of the document.
    - `names`: which patches, by name or values, and in which order; all by default.
    - `document_name`: what to call the workspace in messages; by default where it came from.
    - `options`: as for `compile`. Constraint terms given in Python other than `Normal` and `Poisson` contribute a
      constant where a patch does not have the parameter.

    **Returns:** a `Grid`. A patch that cannot be applied or read is a point of it with a message.

    **Raises:** `InvalidPatch` where the patch set is for another document, and what is wrong where no patch can be
    read; `UnknownName`, `InvalidModel`.

    >>> import histjax
    >>> grid = compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
    >>> grid
    Grid: 3 patches (mass, width), 3 of them with a model
      layout: 1 channels, 2 bins, 2 samples, 4 parameters, poi 'mu'
    >>> print(grid.hypotest(poi_value=1.0).observed.round(4))
    [0.051  0.0744 0.2529]
    """
    document, name = load_json(source)
    name = name if document_name is None else document_name
    patchset = patchset if isinstance(patchset, PatchSet) else read_patchset(patchset)
    if verify:
        patchset.verify(document)
    patches = patchset.patches if names is None else [patchset[each] for each in names]
    if not patches:
        raise InvalidModel(f"{patchset.source}: no patch to compile a model of")
    doubts, variants = read_variants(document, patchset, patches, name)
    _say(name, doubts, variants)
    usable = [each for each in variants if each.workspace is not None]
    if not usable:
        raise _nothing_left(patchset, variants)
    return _grid(patchset.labels, variants, usable, measurement, options)


def _say(name: str, doubts: list[Problem], variants: Sequence[Variant]) -> None:
    """What is doubtful, once: about the document, then about patches."""
    for doubt in doubts:
        warnings.warn(f"{name}: {doubt}", DocumentWarning, stacklevel=3)
    said: set[str] = set()
    for each in variants:
        for doubt in each.doubts:
            if doubt.message not in said:
                said.add(doubt.message)
                warnings.warn(f"{name}, patch {each.patch.name!r}: {doubt}", DocumentWarning, stacklevel=3)


def _nothing_left(patchset: PatchSet, variants: Sequence[Variant]) -> HistjaxError:
    if len(variants) == 1:
        return variants[0].error
    messages = [str(each.error) for each in variants]
    shown = "\n".join(messages[:MOST_SHOWN])
    more = f"\nand {len(messages) - MOST_SHOWN} more" if len(messages) > MOST_SHOWN else ""
    return InvalidModel(f"{patchset.source}: none of the {len(messages)} patches can be used:\n{shown}{more}")


def _grid(
    labels: tuple[str, ...], variants: Sequence[Variant], usable: list[Variant], measurement: str | None, options: dict
) -> Grid:
    measurements = [each.workspace.measurement(measurement) for each in usable]
    poi = _common_poi([each.patch for each in usable], measurements)
    union = unite([each.workspace for each in usable], _mentioned(poi, options))
    model, templates = stacked_templates(union, measurements, lambda workspace: pipeline.compile(workspace, **options))
    return Grid(
        labels,
        _points(variants, usable, union),
        model.layout,
        model.tables,
        model.functions,
        templates,
    )


def _common_poi(patches: list[Patch], measurements: list[Measurement]) -> str | None:
    """The parameter of interest of all measurements; raises `InvalidModel` where they do not agree."""
    first = measurements[0].poi
    for patch, measurement in zip(patches, measurements, strict=True):
        if measurement.poi != first:
            raise InvalidModel(
                f"the parameter of interest is {first!r} in patch {patches[0].name!r} and {measurement.poi!r} in patch "
                f"{patch.name!r}; compile the patches in groups that agree (names=...)"
            )
    return first


def _mentioned(poi: str | None, options: dict) -> set[str]:
    """Names that must stay as they are, because the options or the measurement speak of them."""
    keys = [key for option in ("interpolation", "constraints") for key in options.get(option) or ()]
    found = {name for key in keys for name in ((key,) if isinstance(key, str) else key)}
    for factor in options.get("factors", ()):
        found |= {*factor.samples, *factor.parameters}
    return found | {poi} if poi else found


def _points(variants: Sequence[Variant], usable: list[Variant], union: Union) -> tuple[Point, ...]:
    parts = {each.patch.name: part for each, part in zip(usable, union.parts, strict=True)}
    points = []
    for each in variants:
        part = parts.get(each.patch.name)
        labels = {} if part is None else dict(part.labels)
        points.append(Point(each.patch.name, each.patch.values, labels, each.doubts, each.error))
    return tuple(points)
