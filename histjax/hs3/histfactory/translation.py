"""The `histfactory_dist`s of a likelihood as a workspace of ours, so that `histjax.compile` makes the model.

Where ROOT 6.40, PyHS3 and the text of the standard (0.2.9) disagree, ROOT is followed, with three exceptions that lose
nothing: the `parameter` of a normfactor, the interpolation of a histosys, and the type of a staterror that only the
modifiers state are taken as written (ROOT ignores all three). Two oddities of ROOT 6.40 are not followed: it *adds* the
normsys of codes 0 and 2 to what the ones before have made of a sample, where every normsys is a factor here; and it
takes the root of the contents for the first errors of a sample that are 0. `Options` has what other writers mean. What
is taken one way and could be meant otherwise is told in `Translation.doubts`.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from histjax.hs3.histfactory.channels import read_channels
from histjax.hs3.histfactory.findings import LARGEST, Findings
from histjax.hs3.histfactory.gammas import GammaSet, gamma_sets
from histjax.hs3.histfactory.interpolations import choose
from histjax.hs3.histfactory.lookup import Lookup
from histjax.hs3.histfactory.options import Options
from histjax.hs3.histfactory.settings import gamma_settings, scalar_settings
from histjax.hs3.histfactory.terms import Terms
from histjax.hs3.histfactory.uses import ChannelUses, Factor, Gammas, Interpolated, SampleUses
from histjax.interpolation import code0, code2
from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Measurement,
    Modifier,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    Workspace,
)
from histjax.spec.check import check
from histjax.spec.constraints import Constraint, Normal, Uniform

ADDITIVE = (code0, code2)
LUMI = ("Lumi", "lumi")


@dataclass(frozen=True)
class WantedFactor:
    """A function of the document that multiplies samples: make it a `histjax.Factor` with this place."""

    function: str
    samples: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Translation:
    """The HistFactory part of one likelihood.

    **Fields:**

    - `workspace`: one measurement, named like the likelihood.
    - `constraints`, `interpolation`, `normsys`, `histosys`, `clip_sample_data`: arguments of `histjax.compile`.
    - `factors`: functions of the document that multiply samples; the caller makes the `histjax.Factor`s.
    - `names`: component of ours for every parameter of the document, `{"gamma_stat_SR_bin_0": "stat_SR[0]"}`.
    - `channels`: channel of ours for every `histfactory_dist` of the likelihood.
    - `used`: distributions that became constraint terms: not to be counted again.
    - `remaining`: distributions that constrain parameters of the model in a way that no term of ours can say; the
      caller has to add their log densities. Their parameters have no term here.
    - `doubts`: what is doubtful but usable, in sentences.
    """

    workspace: Workspace
    constraints: dict[str, Constraint]
    interpolation: dict[str, Callable]
    normsys: Callable
    histosys: Callable
    clip_sample_data: float | None
    factors: tuple[WantedFactor, ...]
    names: dict[str, str]
    channels: dict[str, str]
    used: tuple[str, ...]
    remaining: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `histjax.compile` that go with the workspace; `factors` have to be added."""
        names = ("constraints", "interpolation", "normsys", "histosys", "clip_sample_data")
        return {name: getattr(self, name) for name in names}


def translate(
    document: dict,
    *,
    likelihood: str,
    point: Mapping[str, float],
    fixed: Collection[str] = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    pois: Sequence[str] = (),
    options: Options | None = None,
    source: str = "HS3 document",
) -> Translation:
    """Translate the `histfactory_dist`s of a likelihood.

    **Arguments:**

    - `document`: a parsed HS3 document whose names are unique and whose references exist.
    - `likelihood`: its name; distributions of other types in it are left out.
    - `point`: values of the parameters, global observables included; `fixed`: which are constant; `bounds`: ranges.
    - `pois`: parameters of interest; the first that is a scalar of the model is the measurement's.
    - `options`: conventions (`Options`); `source`: what to call the document in messages.

    **Raises:** `InvalidDocument` with all problems and their JSON paths.

    >>> axes = [{"name": "x", "min": 0, "max": 1, "nbins": 1}]
    >>> document = {
    ...     "distributions": [{"name": "model_SR", "type": "histfactory_dist", "axes": axes, "samples": [
    ...         {"name": "s", "data": {"contents": [5]}, "modifiers": [{"type": "normfactor", "name": "mu"}]}]}],
    ...     "data": [{"name": "observed", "type": "binned", "axes": axes, "contents": [6]}],
    ...     "likelihoods": [{"name": "L", "distributions": ["model_SR"], "data": ["observed"]}],
    ... }
    >>> translate(document, likelihood="L", point={"mu": 1.0}).workspace.channels[0].samples[0].modifiers
    (NormFactor(name='mu'),)
    """
    options, findings, terms = options or Options(), Findings(), Terms()
    lookup = Lookup(document, point, fixed, bounds or {})
    channels = read_channels(lookup, likelihood, options, terms, findings)
    findings.check(source)
    _auxiliary(lookup, likelihood, channels, terms)
    scalars = _scalars(channels, lookup)
    sets = gamma_sets(channels, {*scalars, *lookup.functions}, lookup, findings)
    normsys, histosys, interpolation = choose(_wanted_codes(channels), findings)
    _sums_of_root(channels, findings)
    findings.check(source)
    lumi = {name for name in LUMI if isinstance(terms.constraints.get(name), Normal) and scalars.get(name) == "factor"}
    configs, constraints = _settings(scalars, sets, lumi, terms, lookup, findings)
    poi = next((name for name in pois if name in scalars), None)
    workspace = Workspace(
        channels=tuple(_channel(each, sets, lumi, lookup) for each in channels),
        observations=tuple(Observation(each.name, each.observed) for each in channels),
        measurements=(Measurement(likelihood, poi, tuple(configs)),),
    )
    _check(workspace, channels, lookup.likelihoods[likelihood][0], findings)
    findings.check(source)
    return Translation(
        workspace=workspace,
        constraints=constraints,
        interpolation=interpolation,
        normsys=normsys,
        histosys=histosys,
        clip_sample_data=options.clip_sample_data,
        factors=_factors(channels, lookup),
        names={name: name for name in scalars} | {k: v for each in sets.values() for k, v in each.names.items()},
        channels={each.distribution: each.name for each in channels},
        used=tuple(terms.used),
        remaining=tuple(terms.remaining),
        doubts=tuple(findings.doubts),
    )


def _auxiliary(lookup: Lookup, likelihood: str, channels: tuple[ChannelUses, ...], terms: Terms) -> None:
    """Auxiliary distributions of the likelihood that are a constraint of a factor without one become its term."""
    free = [name for name, kind in _scalars(channels, lookup).items() if kind == "factor"]
    for name in lookup.likelihoods[likelihood][1].get("aux_distributions", ()):
        for parameter in free:
            known = parameter in terms.constraints or name in (*terms.used, *terms.remaining)
            if not known and name in lookup.distributions and terms.add(name, parameter, lookup):
                break
            if not known and name in terms.remaining:
                terms.remaining.remove(name)


def _scalars(channels: tuple[ChannelUses, ...], lookup: Lookup) -> dict[str, str]:
    """The scalar parameters in the order of the document, and whether they interpolate: alpha or factor."""
    kinds: dict[str, str] = {}
    for use in _uses(channels):
        if isinstance(use, Interpolated):
            kinds[use.parameter] = "alpha"
        elif isinstance(use, Factor) and use.name not in lookup.functions:
            kinds.setdefault(use.name, "factor")
    return kinds


def _uses(channels: tuple[ChannelUses, ...]):
    return (use for channel in channels for sample in channel.samples for use in sample.uses)


def _wanted_codes(channels: tuple[ChannelUses, ...]) -> dict[str, dict[str, dict[Callable, str]]]:
    wanted: dict[str, dict[str, dict[Callable, str]]] = {}
    for use in _uses(channels):
        if isinstance(use, Interpolated):
            wanted.setdefault(use.parameter, {}).setdefault(use.kind, {}).setdefault(use.code, use.path)
    return wanted


def _sums_of_root(channels: tuple[ChannelUses, ...], findings: Findings) -> None:
    """Samples on which ROOT adds what is multiplied here."""
    for channel in channels:
        for sample in channel.samples:
            factors = [each for each in sample.uses if isinstance(each, Interpolated) and each.kind == "normsys"]
            if len(factors) > 1 and any(each.code in ADDITIVE for each in factors):
                findings.doubt(f"{sample.path}: ROOT 6.40 adds normsys of codes 0 and 2; here they multiply the sample")


def _settings(
    scalars: dict[str, str],
    sets: dict[tuple[str, ...], GammaSet],
    lumi: set[str],
    terms: Terms,
    lookup: Lookup,
    findings: Findings,
) -> tuple[list[ParameterConfig], dict[str, Constraint]]:
    """Settings of all parameters, and the terms that our modifiers do not bring."""
    configs, constraints = [], {}
    for name, kind in scalars.items():
        term = terms.constraints.get(name)
        own = term if isinstance(term, Normal) and (kind == "alpha" or name in lumi) else None
        configs.append(scalar_settings(name, kind, lookup, findings, own))
        if term is not None and own is None:
            constraints[name] = term
        elif term is None and kind == "alpha":  # a term that we cannot say takes the place of the unit Gaussian
            constraints[name] = Uniform(*configs[-1].bounds[0])
    for each in sets.values():
        configs += gamma_settings(each, lookup, findings)
        term = each.term(lookup)
        if term is not None:
            constraints[each.name] = term
    return configs, constraints


def _channel(channel: ChannelUses, sets: dict[tuple[str, ...], GammaSet], lumi: set[str], lookup: Lookup) -> Channel:
    return Channel(channel.name, tuple(_sample(channel, each, sets, lumi, lookup) for each in channel.samples))


def _sample(
    channel: ChannelUses,
    sample: SampleUses,
    sets: dict[tuple[str, ...], GammaSet],
    lumi: set[str],
    lookup: Lookup,
) -> Sample:
    modifiers: list[Modifier] = []
    for use in sample.uses:
        match use:
            case Factor(name=name):
                if name not in lookup.functions:
                    modifiers.append(Lumi(name) if name in lumi else NormFactor(name))
            case Interpolated(kind="normsys"):
                modifiers.append(NormSys(use.parameter, use.lo, use.hi))
            case Interpolated():
                modifiers.append(HistoSys(use.parameter, use.lo, use.hi))
            case Gammas():
                gammas = sets[use.gammas]
                member = next(each for each in gammas.members if each.use is use)
                modifiers += gammas.modifiers(member)
    return Sample(sample.name, sample.nominal_yields, tuple(_merged(modifiers, sample.nominal_yields)))


def _merged(modifiers: list[Modifier], nominal: tuple[float, ...]) -> list[Modifier]:
    """Several histosys of one parameter add up: their variations do."""
    merged: list[Modifier] = []
    for modifier in modifiers:
        same = [i for i, each in enumerate(merged) if isinstance(each, HistoSys) and each.name == modifier.name]
        if not isinstance(modifier, HistoSys) or not same:
            merged.append(modifier)
            continue
        first = merged[same[0]]
        ends = {
            key: tuple(a + b - n for a, b, n in zip(getattr(first, key), getattr(modifier, key), nominal, strict=True))
            for key in ("lo", "hi")
        }
        merged[same[0]] = replace(first, **ends)
    return merged


def _factors(channels: tuple[ChannelUses, ...], lookup: Lookup) -> tuple[WantedFactor, ...]:
    places: dict[tuple[str, str], list[str]] = {}
    for channel in channels:
        for sample in channel.samples:
            for use in sample.uses:
                if isinstance(use, Factor) and use.name in lookup.functions:
                    places.setdefault((use.name, channel.name), []).append(sample.name)
    return tuple(WantedFactor(name, tuple(samples), (channel,)) for (name, channel), samples in places.items())


def _check(workspace: Workspace, channels: tuple[ChannelUses, ...], path: str, findings: Findings) -> None:
    """The rules for workspaces, with the paths of the document."""
    measurement = workspace.measurements[0]
    finite = replace(measurement, parameters=tuple(_finite(each) for each in measurement.parameters))
    for problem in check(replace(workspace, measurements=(finite,))):
        place = _document_path(problem.path, workspace, channels, path)
        if problem.is_warning:
            findings.doubt(f"{place}: {problem.message}")
        else:
            findings.problem(place, problem.message)


def _finite(config: ParameterConfig) -> ParameterConfig:
    """Bounds at infinity are legal in HS3."""
    ends = (tuple(math.copysign(LARGEST, e) if math.isinf(e) else e for e in pair) for pair in config.bounds)
    return replace(config, bounds=tuple(ends))


def _document_path(path: str, workspace: Workspace, channels: tuple[ChannelUses, ...], likelihood: str) -> str:
    """Where in the document a path of the workspace is."""
    part, *rest = path.strip("/").split("/")
    if part == "observations" and rest:
        return f"{channels[int(rest[0])].observed_path}/contents"
    if part != "channels" or not rest:
        return likelihood
    channel = channels[int(rest[0])]
    if len(rest) < 3:
        return channel.path
    sample = channel.samples[int(rest[2])]
    return f"{sample.path}/modifiers" if rest[3:4] == ["modifiers"] else "/".join([sample.path, *rest[3:]])
