"""A workspace in pyhf's sense as an HS3 document that ROOT 6.40 reads to the same likelihood.

How its conventions are met, each measured on ROOT 6.40: the type of a staterror stands at the channel, where ROOT looks
for it; errors are exact; a Gaussian set of gammas that ROOT cannot make itself (a second staterror in a channel, widths
that a measurement gives, a bin without yield, errors that begin with 0) is a Gaussian shapesys on all its samples, with
the same parameters; `vals` are relative and come with a `constraint_type`; gammas that pyhf holds are constant; global
observables have wide ranges, over which ROOT normalises; names have letters, digits and underscores. ROOT clamps the
yields of every sample with a histosys at 0, which pyhf does only with `clip_sample_data=0`: where they become negative,
the two differ. PyHS3 0.4.2 accepts all of it but a Gaussian shapesys.

What HS3 has no word for is under `misc.histjax`: the measurements as written, and absolute uncertainties.
"""

from itertools import takewhile
from typing import Any

from histjax.hs3.histfactory.components import Components, Names, components
from histjax.hs3.histfactory.writing_settings import Written, analyses, domains, points
from histjax.lower.parameters import Settings
from histjax.readers.pyhf import write_workspace
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Modifier,
    NormFactor,
    NormSys,
    Observation,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)

VERSION = "0.2.9"
"""Of the standard."""


def document_of(workspace: Workspace) -> dict:
    """The HS3 document of a workspace.

    The likelihood is that of the first measurement; every measurement whose constraint terms are the same is an
    analysis with its own values and domains, the others are under `misc.histjax` only. `workspace_of` undoes it
    exactly.

    **Arguments:**

    - `workspace`: a workspace that has been checked, as `histjax.read` returns it.

    **Returns:** a new JSON document in which lists keep their order.

    >>> import histjax
    >>> document = document_of(histjax.read(histjax.examples.path("two_bins")))
    >>> [each["name"] for each in document["distributions"]]
    ['model_singlechannel']
    """
    names = Names()
    parts = components(workspace, names)
    chosen = parts.settings(workspace.measurements[0])
    written = Written(
        parts,
        distributions={each.name: names.take(f"model_{each.name}") for each in workspace.channels},
        data={each.name: names.take(f"obsData_{each.name}") for each in workspace.observations},
        likelihood=names.take("likelihood"),
    )
    axes = {each.name: _axes(names, each.name, each.n_bins) for each in workspace.channels}
    for each in workspace.observations:  # one without a channel is kept
        axes.setdefault(each.name, _axes(names, each.name, len(each.data)))
    channels = [_distribution(each, axes[each.name], written, chosen) for each in workspace.channels]
    data = [_data(each, axes[each.name], written) for each in workspace.observations]
    paired = [each.name for each in workspace.channels]
    return {
        "metadata": {"hs3_version": VERSION},
        "distributions": channels + _constraints(parts, chosen),
        "data": data,
        "likelihoods": [
            {
                "name": written.likelihood,
                "distributions": [written.distributions[name] for name in paired],
                "data": [written.data[name] for name in paired],
            }
        ],
        "domains": domains(workspace, written),
        "parameter_points": points(workspace, written),
        "analyses": analyses(workspace, written),
        "misc": {"ROOT_internal": _root(workspace, written), "histjax": _own(workspace, written)},
    }


def _axes(names: Names, channel: str, size: int) -> list[dict]:
    return [{"name": names.take(f"obs_x_{channel}"), "min": 0.0, "max": float(size), "nbins": size}]


def _distribution(channel: Channel, axes: list[dict], written: Written, chosen: Settings) -> dict:
    plain = _plain(channel, written.parts, chosen)
    entry = {
        "name": written.distributions[channel.name],
        "type": "histfactory_dist",
        "axes": axes,
        "samples": [_sample(channel, sample, plain, written.parts, chosen) for sample in channel.samples],
    }
    if plain is not None:
        entry["staterror"] = {"constraint_type": "Gauss", "relThreshold": 0.0}
    return entry


def _plain(channel: Channel, parts: Components, chosen: Settings) -> str | None:
    """The staterror of a channel that ROOT makes by itself from the errors: one at most.

    Not where a bin has no yield. And not where the first errors of a sample are 0: until it meets one that is not, ROOT
    takes the root of the contents instead.
    """
    yields: dict[str, list] = {}
    void: set[str] = set()
    for sample in channel.samples:
        for modifier in sample.modifiers:
            if isinstance(modifier, StatError):
                yields.setdefault(modifier.name, []).append(sample.nominal_yields)
                pairs = zip(modifier.uncertainty, sample.nominal_yields, strict=True)
                if any(content for _, content in takewhile(lambda pair: pair[0] == 0, pairs)):
                    void.add(modifier.name)
    for name, carried in yields.items():
        start = parts.offsets[name, channel.name]
        derived = parts.relative[name][start : start + channel.n_bins].tolist()
        positive = all(sum(map(float, each)) > 0 for each in zip(*carried, strict=True))
        if positive and name not in void and parts.widths(name, channel, chosen) == derived:
            return name
    return None


def _sample(channel: Channel, sample: Sample, plain: str | None, parts: Components, chosen: Settings) -> dict:
    data = {"contents": list(sample.nominal_yields)}
    for modifier in sample.modifiers:
        if isinstance(modifier, StatError) and modifier.name == plain:
            data["errors"] = list(modifier.uncertainty)
    modifiers = [_modifier(channel, each, plain, parts, chosen) for each in sample.modifiers]
    return {"name": sample.name, "data": data, "modifiers": modifiers}


def _modifier(channel: Channel, modifier: Modifier, plain: str | None, parts: Components, chosen: Settings) -> dict:
    name, entry = modifier.name, {"name": modifier.name, "type": modifier.type}
    match modifier:
        case NormFactor() | Lumi():  # ROOT takes the name of the modifier for its parameter
            parameter = parts.names[name][0]
            named = {"constraint_name": parts.constraints[name]} if isinstance(modifier, Lumi) else {}
            return {"name": parameter, "type": "normfactor", "parameter": parameter} | named
        case NormSys(lo=lo, hi=hi):
            return entry | _alpha(name, parts) | {"data": {"lo": lo, "hi": hi}}
        case HistoSys(lo=lo, hi=hi):
            ends = {"lo": {"contents": list(lo)}, "hi": {"contents": list(hi)}}
            return entry | _alpha(name, parts) | {"data": ends}
    entry["parameters"] = parts.gammas(name, channel)
    match modifier:
        case ShapeFactor():
            return entry
        case StatError() if name == plain:
            return entry | _typed("Gauss")
        case StatError():
            kind = "Gauss"
        case ShapeSys():
            kind = "Poisson"
    return entry | {"type": "shapesys"} | _typed(kind) | {"data": {"vals": parts.widths(name, channel, chosen)}}


def _alpha(name: str, parts: Components) -> dict:
    return {"parameter": parts.names[name][0], "constraint": "Gauss", "constraint_name": parts.constraints[name]}


def _typed(kind: str) -> dict:
    """ROOT's key and that of the standard."""
    return {"constraint": kind, "constraint_type": kind}


def _constraints(parts: Components, chosen: Settings) -> list[dict]:
    """The Gaussian terms of scalar parameters, as ROOT writes them."""
    entries = []
    for each in parts.sets:
        if each.name in parts.constraints:
            sigma = float(chosen.sigmas[each.start])
            entries.append(
                {
                    "name": parts.constraints[each.name],
                    "type": "gaussian_dist",
                    "x": parts.names[each.name][0],
                    "mean": parts.nominals[each.name][0],
                    "sigma": 1.0 if sigma != sigma else sigma,
                }
            )
    return entries


def _data(observation: Observation, axes: list[dict], written: Written) -> dict:
    contents = list(observation.data)
    return {"name": written.data[observation.name], "type": "binned", "axes": axes, "contents": contents}


def _root(workspace: Workspace, written: Written) -> dict:
    """What ROOT needs to make its combined dataset and model, and to take the likelihood as a binned one."""
    labels = [written.data[each.name].removeprefix("obsData_") for each in workspace.channels]
    index = {"index_cat": "channelCat", "indices": list(range(len(labels))), "labels": labels}
    listed = [each.name for each in workspace.measurements if written.is_said(workspace, each)]
    config = {"pdfName": "simPdf"}
    models = {
        name: config | {"mcName": "ModelConfig" if i == 0 else f"ModelConfig_{name}"} for i, name in enumerate(listed)
    }
    pdf = {"distributions": list(written.distributions.values())} | index
    tags = {"tags": ["BinnedLikelihood", "GenerateBinned"]}
    return {
        "ModelConfigs": models,
        "combined_datasets": {"obsData": index},
        "combined_distributions": {"simPdf": pdf},
        "attributes": {f"{name.removeprefix('model_')}_model": tags for name in written.distributions.values()},
    }


def _own(workspace: Workspace, written: Written) -> dict[str, Any]:
    """What `workspace_of` needs beyond HS3."""
    uncertainties: dict[str, dict[str, dict[str, list]]] = {}
    for channel in workspace.channels:
        for sample in channel.samples:
            for modifier in sample.modifiers:
                if isinstance(modifier, ShapeSys | StatError):
                    of_sample = uncertainties.setdefault(channel.name, {}).setdefault(sample.name, {})
                    of_sample[modifier.name] = list(modifier.uncertainty)

    return {
        "version": workspace.version,
        "measurements": write_workspace(workspace)["measurements"],
        "channels": {distribution: channel for channel, distribution in written.distributions.items()},
        "observations": {data: name for name, data in written.data.items()},
        "factors": {written.parts.names[name][0]: name for name in _factors(written.parts)},
        "uncertainties": uncertainties,
    }


def _factors(parts: Components) -> list[str]:
    """Parameters whose modifiers are not called as in pyhf."""
    factors = (each.name for each in parts.sets if {"normfactor", "lumi"} & set(each.modifiers))
    return [name for name in factors if parts.names[name] != (name,)]
