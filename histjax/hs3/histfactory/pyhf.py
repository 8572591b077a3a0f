"""An HS3 document as a workspace in pyhf's sense: exactly for a document of ours, else as far as pyhf's JSON goes."""

import math
import warnings
from dataclasses import replace
from typing import Any

from histjax.errors import DocumentWarning, InvalidDocument, Problem
from histjax.hs3.choices import choose
from histjax.hs3.histfactory.options import Options
from histjax.hs3.histfactory.translation import Translation, translate
from histjax.hs3.histfactory.writing import document_of
from histjax.hs3.workspace import Workspace as Document
from histjax.interpolation import code4, code4p
from histjax.readers.pyhf import read_workspace
from histjax.spec import Lumi, Measurement, Workspace

TYPE = "histfactory_dist"


def workspace_of(
    document: dict, analysis: str | None = None, *, options: Options | None = None, source: str = "HS3 document"
) -> Workspace:
    """The workspace of an HS3 document: `workspace_of(document_of(workspace)) == workspace`.

    A document that `document_of` has written and nobody has changed gives back its workspace with all measurements;
    `analysis` then chooses the one that stands first. Of any other document the analysis (by default the first) becomes
    the one measurement.

    **Arguments:**

    - `document`: a parsed HS3 document whose names are unique and whose references exist.
    - `analysis`: its name.
    - `options`: conventions of a document of other origin; `source`: what to call the document in messages.

    **Raises:** `InvalidDocument` with all that pyhf's JSON cannot say; `UnknownName`. What is doubtful is a
    `DocumentWarning`.

    >>> import histjax
    >>> workspace = histjax.read(histjax.examples.path("two_bins"))
    >>> workspace_of(document_of(workspace)) == workspace
    True
    """
    own = _own(document)
    if own is not None:
        return own if analysis is None else _with_first(own, analysis)
    chosen = choose(Document.from_document(document, source), analysis)
    translated = translate(document, **chosen.settings, options=options, source=source)
    for doubt in translated.doubts:
        warnings.warn(f"{source}: {doubt}", DocumentWarning, stacklevel=2)
    unsaid = _unsaid(document, chosen.likelihood.name, translated)
    if unsaid:
        raise InvalidDocument(source, unsaid)
    return _renamed(translated.workspace, analysis or document["analyses"][0]["name"])


def _with_first(workspace: Workspace, name: str) -> Workspace:
    first = workspace.measurement(name)
    others = tuple(each for each in workspace.measurements if each is not first)
    return replace(workspace, measurements=(first, *others))


def _unsaid(document: dict, likelihood: str, translated: Translation) -> list[Problem]:
    """What pyhf's JSON has no words for."""
    found = [
        f"the constraint of {name!r} is {type(term).__name__}, which pyhf has not for a modifier of this type"
        for name, term in translated.constraints.items()
    ]
    found += [f"the constraint {name!r} has no form that a modifier implies" for name in translated.remaining]
    found += [f"the function {each.function!r} multiplies {', '.join(each.samples)}" for each in translated.factors]
    found += [
        f"parameter {name!r} is interpolated by {code.__name__}" for name, code in translated.interpolation.items()
    ]
    for kind, code, default in (("normsys", translated.normsys, code4), ("histosys", translated.histosys, code4p)):
        if code is not default and any(kind == each.type for each in _modifiers(translated.workspace)):
            found.append(f"a {kind} is interpolated by {code.__name__}, not by {default.__name__}")
    if translated.clip_sample_data is not None:
        found.append("yields are clipped per sample; give the option of pyhf instead")
    types = {each["name"]: each["type"] for each in document["distributions"]}
    entry = next(each for each in document["likelihoods"] if each["name"] == likelihood)
    others = [each for each in entry["distributions"] if types.get(each) != TYPE]
    others += [each for each in entry.get("aux_distributions", ()) if each not in translated.used]
    found += [f"the likelihood has {name!r}, a {types.get(name)}" for name in others]
    for config in translated.workspace.measurements[0].parameters:
        if any(math.isinf(end) for pair in config.bounds or () for end in pair):
            found.append(f"parameter {config.name!r} has no finite bounds")
    return [Problem(f"/likelihoods/{likelihood}", f"not in pyhf's format: {each}") for each in found]


def _modifiers(workspace: Workspace):
    return (each for channel in workspace.channels for sample in channel.samples for each in sample.modifiers)


def _renamed(workspace: Workspace, measurement: str) -> Workspace:
    """With the name of the analysis, and the luminosity under the only name that pyhf's schema allows."""
    names = {each.name for each in _modifiers(workspace) if isinstance(each, Lumi)}
    known = {each.name for each in _modifiers(workspace)}
    new = {name: "lumi" for name in names if "lumi" not in known}

    def modifier(each):
        return replace(each, name=new[each.name]) if isinstance(each, Lumi) and each.name in new else each

    def sample(each):
        return replace(each, modifiers=tuple(map(modifier, each.modifiers)))

    channels = tuple(replace(each, samples=tuple(map(sample, each.samples))) for each in workspace.channels)
    first = workspace.measurements[0]
    parameters = tuple(replace(each, name=new.get(each.name, each.name)) for each in first.parameters)
    poi = new.get(first.poi, first.poi)
    return replace(workspace, channels=channels, measurements=(Measurement(measurement, poi, parameters),))


def _own(document: dict) -> Workspace | None:
    """The workspace of a document of ours, if writing it again gives the same document."""
    notes = (document.get("misc") or {}).get("histjax")
    parts = ("measurements", "channels", "observations", "factors", "uncertainties", "version")
    if not isinstance(notes, dict) or any(part not in notes for part in parts):
        return None
    candidate = _pyhf_document(document, notes)
    if candidate is not None:
        try:
            workspace, _ = read_workspace(candidate)
        except InvalidDocument:
            workspace = None
        if workspace is not None and _same(document_of(workspace), document):
            return workspace
    message = "the document was changed since histjax wrote it: it is read as any other, without misc.histjax"
    warnings.warn(message, DocumentWarning, stacklevel=3)
    return None


def _same(written: dict, document: dict) -> bool:
    """Whether two documents say the same; metadata aside."""
    return all(written[key] == document.get(key) for key in written if key != "metadata")


def _pyhf_document(document: dict, notes: dict) -> dict | None:
    """pyhf's JSON of a document of ours, or `None` if it cannot be one."""
    channels, observations = notes["channels"], notes["observations"]
    if not isinstance(channels, dict) or not isinstance(observations, dict):
        return None
    found = {each["name"]: each for each in document["distributions"] if each.get("type") == TYPE}
    data = {each["name"]: each.get("contents") for each in document.get("data", ())}
    if set(found) != set(channels) or set(data) != set(observations):
        return None
    samples = {name: _samples(entry, channels[name], notes) for name, entry in found.items()}
    return {
        "channels": [{"name": channels[name], "samples": each} for name, each in samples.items()],
        "observations": [{"name": observations[name], "data": each} for name, each in data.items()],
        "measurements": notes["measurements"],
        "version": notes["version"],
    }


def _at(entry: Any, *keys: Any) -> Any:
    """What is under some keys of nested records; `None` where there is none, for pyhf's schema to complain about."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) and isinstance(key, str) else None
    return entry


def _listed(entry: Any, key: str) -> list:
    found = _at(entry, key)
    return found if isinstance(found, list) else []


def _samples(entry: dict, channel: Any, notes: dict) -> list[dict]:
    uncertainties = _at(notes, "uncertainties", channel)
    return [
        {
            "name": _at(sample, "name"),
            "data": _at(sample, "data", "contents"),
            "modifiers": [
                _modifier(each, _at(uncertainties, _at(sample, "name")), notes["factors"])
                for each in _listed(sample, "modifiers")
            ],
        }
        for sample in _listed(entry, "samples")
    ]


def _modifier(entry: Any, uncertainties: Any, factors: Any) -> dict:
    name, kind, data = (_at(entry, key) for key in ("name", "type", "data"))
    if kind == "normfactor":
        kind = "normfactor" if _at(entry, "constraint_name") is None else "lumi"
        name = _at(factors, name) or name
    elif kind == "histosys":
        data = {f"{end}_data": _at(data, end, "contents") for end in ("lo", "hi")}
    elif kind in ("shapesys", "staterror"):
        kind = "shapesys" if _at(entry, "constraint_type") == "Poisson" else "staterror"
        data = _at(uncertainties, name)
    return {"name": name, "type": kind, "data": data}
