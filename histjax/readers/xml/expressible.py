"""What of a workspace HistFactory XML cannot say, or says in another way; all of it is reported at once.

Only what changes the likelihood is an error. Fit ranges are doubts: ROOT has its own for all but NormFactors.
"""

from collections.abc import Iterable, Iterator

from histjax.errors import Problem
from histjax.readers.xml.configuration import XMLConfiguration
from histjax.readers.xml.measurements import UNIFORM_WIDTH
from histjax.readers.xml.names import root_names
from histjax.spec import Measurement, ParameterConfig, StatError, Workspace
from histjax.spec.constraints import Constraint, Normal, Poisson
from histjax.spec.rules.parameters import ParameterKind, parameter_kinds
from histjax.spec.rules.places import modifier_places, sample_places

_CENTRES = {"histosys": 0.0, "normsys": 0.0, "staterror": 1.0}
NORM_FACTOR = (1.0, (0.0, 10.0))
"""Initial value and bounds of a normfactor of which a measurement says nothing."""


def problems(configuration: XMLConfiguration) -> list[Problem]:
    """All that XML cannot say of a workspace that has been checked, errors and doubts."""
    workspace = configuration.workspace
    found = [*_names(workspace), *_root_names(workspace), *_staterrors(workspace), *_shapesys(workspace)]
    found += [*_luminosity(workspace), *_observations(workspace)]
    found += [*_constraints(configuration), *_terms(configuration)]
    kinds = parameter_kinds(workspace)
    for i, measurement in enumerate(workspace.measurements):
        path = f"/measurements/{i}/config"
        if measurement.poi is None:
            found.append(
                Problem(f"{path}/poi", f"measurement {measurement.name!r} has no parameter of interest: XML wants one")
            )
        terms = (*configuration.terms.get(measurement.name, ()), *configuration.constraints.get(measurement.name, ()))
        found += _listed(measurement, path, terms)
        for j, settings in enumerate(measurement.parameters):
            place = f"{path}/parameters/{j}"
            owner = f"measurement {measurement.name!r}, parameter {settings.name!r}"
            if settings.name in kinds:
                found += _settings(place, owner, settings, kinds[settings.name])
            else:
                found.append(Problem(place, f"{owner} is left out: the model has none of that name", is_warning=True))
    return found + list(_ranges(workspace, kinds))


def _names(workspace: Workspace) -> Iterator[Problem]:
    """Names are whole lines of text, as an attribute can hold them."""
    named = [(f"/channels/{i}/name", "channel", each.name) for i, each in enumerate(workspace.channels)]
    named += [(f"/measurements/{i}/name", "measurement", each.name) for i, each in enumerate(workspace.measurements)]
    named += [(f"{each.path}/name", "sample", each.sample.name) for each in sample_places(workspace)]
    named += [(f"{each.path}/name", "modifier", each.modifier.name) for each in modifier_places(workspace)]
    for path, kind, name in named:
        if not name or name != name.strip() or not name.isprintable():
            yield Problem(
                path,
                f"{kind} {name!r}: XML takes no empty name, no blank at its ends, no control characters",
            )
        if kind == "channel" and ("," in name or ";" in name):
            yield Problem(path, f"{kind} {name!r}: ROOT takes no comma and no semicolon in the name of a channel")
    first = workspace.channels[0].name
    if first[:1].isdigit():
        message = f"channel {first!r}: ROOT 6.40 takes no first channel that begins with a digit; put another one first"
        yield Problem("/channels/0/name", message, is_warning=True)


def _listed(measurement: Measurement, path: str, terms: Iterable[str]) -> Iterator[Problem]:
    """Names in lists, which blanks and commas separate; `terms` are those that constraint terms are of."""
    set_ = [each.name for each in measurement.parameters if each.fixed or each.inits]
    for name in dict.fromkeys([*([measurement.poi] if measurement.poi else []), *set_, *terms]):
        if any(each.isspace() or each == "," for each in name):
            yield Problem(
                path,
                f"measurement {measurement.name!r} names {name!r}: blanks and commas separate names in XML; rename it",
            )


def _root_names(workspace: Workspace) -> Iterator[Problem]:
    """No two parameters have one name in ROOT."""
    seen = {}
    for place in modifier_places(workspace):
        name, kind = place.modifier.name, place.modifier.type
        if kind == "lumi" and name != "lumi":
            yield Problem(place.path, f"{place}: the luminosity has the name 'lumi' in XML; rename it")
        if kind == "normfactor":
            seen[name] = place
    for root_name, (name, _) in root_names(workspace).items():
        if root_name in seen and root_name != name:
            yield Problem(
                seen[root_name].path,
                f"{seen[root_name]}: ROOT gives that name to the parameter {name!r}, too; rename one",
            )


def _staterrors(workspace: Workspace) -> Iterator[Problem]:
    """A channel has one staterror, and XML gives it the channel's name."""
    for i, channel in enumerate(workspace.channels):
        names = list(dict.fromkeys(m.name for s in channel.samples for m in s.modifiers if isinstance(m, StatError)))
        if len(names) > 1:
            yield Problem(
                f"/channels/{i}",
                f"channel {channel.name!r} has the staterrors {', '.join(names)}: XML has one for each channel",
            )
        for name in names:
            if name != f"staterror_{channel.name}":
                message = f"channel {channel.name!r}: the staterror {name!r} will be read as 'staterror_{channel.name}'"
                yield Problem(f"/channels/{i}", message, is_warning=True)


def _shapesys(workspace: Workspace) -> Iterator[Problem]:
    """Uncertainties are relative to the yields."""
    for place in modifier_places(workspace):
        if place.modifier.type == "shapesys":
            pairs = enumerate(zip(place.sample.nominal_yields, place.modifier.uncertainty, strict=True))
            bins = [str(b) for b, (nominal, uncertainty) in pairs if uncertainty > 0 and nominal == 0]
            if bins:
                message = (
                    f"{place}: the uncertainty of a zero yield is left out in bin {', '.join(bins)}; it has no effect"
                )
                yield Problem(place.path, message, is_warning=True)


def _luminosity(workspace: Workspace) -> Iterator[Problem]:
    """In ROOT 6.40 all samples have the luminosity, whatever `NormalizeByTheory` is (measured)."""
    has = [any(m.type == "lumi" for m in place.sample.modifiers) for place in sample_places(workspace)]
    floats = any("lumi" not in {p.name for p in m.parameters if p.fixed} for m in workspace.measurements)
    if any(has) and not all(has) and floats:
        yield Problem(
            "/channels", "only some samples have a lumi modifier; ROOT 6.40 scales all of them", is_warning=True
        )


def _observations(workspace: Workspace) -> Iterator[Problem]:
    names = {each.name for each in workspace.channels}
    for i, each in enumerate(workspace.observations):
        if each.name not in names:
            yield Problem(
                f"/observations/{i}", f"observation {each.name!r} is left out: it has no channel", is_warning=True
            )


def _settings(path: str, owner: str, settings: ParameterConfig, kind: ParameterKind) -> Iterator[Problem]:
    """Constraint terms are as HistFactory implies them; ranges are ROOT's."""
    if kind.type == "lumi":
        if min(settings.auxdata or (1.0,)) <= 0:
            yield Problem(f"{path}/auxdata", f"{owner}: a luminosity is positive in XML, found {settings.auxdata}")
        elif settings.bounds is not None and _differ(settings.bounds[0], _lumi_bounds(settings)):
            yield Problem(f"{path}/bounds", f"{owner}: the bounds are left out", is_warning=True)
        return
    centre = _CENTRES.get(kind.type)
    if settings.auxdata is not None and any(each != centre for each in settings.auxdata):
        yield Problem(
            f"{path}/auxdata",
            f"{owner} ({kind.type}): XML has no auxdata other than {centre}, found {settings.auxdata}",
        )
    if settings.sigmas is not None and not (centre == 0.0 and set(settings.sigmas) == {1.0}):
        yield Problem(f"{path}/sigmas", f"{owner} ({kind.type}): XML has no sigmas of its own, found {settings.sigmas}")
    if settings.factors is not None:
        yield Problem(f"{path}/factors", f"{owner} ({kind.type}): XML has no factors, found {settings.factors}")
    if kind.type != "normfactor" and settings.bounds is not None and set(settings.bounds) != {kind.bounds}:
        yield Problem(
            f"{path}/bounds", f"{owner} ({kind.type}): the bounds are left out, ROOT has its own", is_warning=True
        )


def _lumi_bounds(settings: ParameterConfig) -> tuple[float, float]:
    centre, sigma = (settings.auxdata or (1.0,))[0], (settings.sigmas or (0.0,))[0]
    return centre - 5 * sigma, centre + 5 * sigma


def _differ(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return any(abs(x - y) > 1e-12 * max(abs(x), abs(y)) for x, y in zip(a, b, strict=True))


def norm_factor(measurement: Measurement, name: str) -> tuple[float, tuple[float, float]]:
    """Initial value and bounds of a normfactor in a measurement."""
    settings = next((each for each in measurement.parameters if each.name == name), ParameterConfig(name))
    init = settings.inits[0] if settings.inits else NORM_FACTOR[0]
    return init, settings.bounds[0] if settings.bounds else NORM_FACTOR[1]


def _ranges(workspace: Workspace, kinds: dict[str, ParameterKind]) -> Iterator[Problem]:
    """The range of a NormFactor holds its values, and is the same in all measurements."""
    for name in (name for name, kind in kinds.items() if kind.type == "normfactor"):
        _, (low, high) = norm_factor(workspace.measurements[0], name)
        for i, measurement in enumerate(workspace.measurements):
            path, owner = (
                f"/measurements/{i}/config/parameters",
                f"measurement {measurement.name!r}, parameter {name!r}",
            )
            value, bounds = norm_factor(measurement, name)
            if low >= high or not low <= value <= high:
                yield Problem(
                    path,
                    f"{owner}: ROOT wants an initial value between its bounds, found {value} in [{low}, {high}]",
                )
            elif tuple(bounds) != (low, high):
                message = f"{owner}: the bounds {list(bounds)} are left out: XML has one range for all, [{low}, {high}]"
                yield Problem(path, message, is_warning=True)


def _constraints(configuration: XMLConfiguration) -> Iterator[Problem]:
    """Only the terms that reading makes can be written, and those of bin-wise sets are the same in all measurements."""
    kinds = parameter_kinds(configuration.workspace)
    names = [each.name for each in configuration.workspace.measurements]
    for name in names:
        for parameter, constraint in configuration.constraints.get(name, {}).items():
            kind = kinds[parameter].type if parameter in kinds else "none"
            if not is_expressible(constraint, kind):
                yield Problem(
                    "", f"measurement {name!r}, parameter {parameter!r} ({kind}): XML cannot say {constraint}"
                )
    bin_wise = {name for name, kind in kinds.items() if kind.type in ("staterror", "shapesys")}
    sets = [bin_wise & configuration.constraints.get(name, {}).keys() for name in names]
    if any(each != sets[0] for each in sets[1:]):
        yield Problem(
            "", "the constraint terms of staterrors and shapesys differ between measurements: XML has one for all"
        )


def _terms(configuration: XMLConfiguration) -> Iterator[Problem]:
    """A term that changes how an OverallSys acts belongs to one, in a measurement that is there."""
    measurements = [each.name for each in configuration.workspace.measurements]
    for name in dict.fromkeys([*configuration.constraints, *configuration.terms]):
        if name not in measurements:
            yield Problem("", f"constraint terms are for a measurement {name!r}; there is {', '.join(measurements)}")
    modifiers = (each.modifier for each in modifier_places(configuration.workspace))
    factors = {each.name for each in modifiers if each.type == "normsys"}
    for name, terms in configuration.terms.items():
        for parameter, term in terms.items():
            owner = f"measurement {name!r}, {term.kind} of {parameter!r}"
            if parameter not in factors:
                yield Problem("", f"{owner}: no normsys has that name")
            if term.kind != "NoConstraint" and not term.relative_uncertainty > 0:
                yield Problem("", f"{owner}: the relative uncertainty is {term.relative_uncertainty}, expected above 0")


def is_expressible(constraint: Constraint, kind: str) -> bool:
    """Whether a constraint term of a parameter is one that XML has."""
    match constraint, kind:
        case Poisson(tau=None), "staterror":
            return True
        case Normal(sigma=None, centre=centre), "shapesys":
            return centre in (None, 1.0)
        case Normal(sigma=sigma, centre=centre), "normsys" | "histosys":
            return (sigma, centre) == (UNIFORM_WIDTH, 0.0)
        case _:
            return False
