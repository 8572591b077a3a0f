"""The parameters that a workspace has, and whether the modifiers that share one may do so.

Modifiers of one name share one parameter set. They must agree on what it is: its number of components, and its
constraint. Only histosys and normsys do among the types: both have one alpha with a unit Gaussian.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from histjax.errors import Problem
from histjax.spec.modifiers import HistoSys, Lumi, Modifier, NormFactor, NormSys, ShapeFactor, ShapeSys, StatError
from histjax.spec.rules.places import ModifierPlace, count, modifier_places
from histjax.spec.workspace import Workspace

SHARING_GROUP = {
    HistoSys: "alpha",
    NormSys: "alpha",
    NormFactor: "normfactor",
    ShapeFactor: "shapefactor",
    ShapeSys: "shapesys",
    StatError: "staterror",
    Lumi: "lumi",
}
SHARED_FREELY = {"alpha", "normfactor", "lumi"}


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """What the settings of a parameter set must fit: its modifier type, constraint, size and defaults.

    `init` and `bounds` are the defaults of each component; a lumi has none, and they are `None`.
    """

    type: str
    constraint: Literal["none", "Gaussian", "Poisson"]
    n_components: int
    init: float | None
    bounds: tuple[float, float] | None


def parameter_kinds(workspace: Workspace) -> dict[str, ParameterKind]:
    """The parameter sets by name, in the order of the document; those that are shared illegally are left out."""
    return {name: _kind(places) for name, places in _users(workspace).items() if not any(_clashes(name, places))}


def existence(workspace: Workspace) -> Iterator[Problem]:
    """The model has a parameter."""
    if not any(sample.modifiers for channel in workspace.channels for sample in channel.samples):
        yield Problem("/channels", "the model has no parameters: no sample has a modifier")


def sharing(workspace: Workspace) -> Iterator[Problem]:
    """Modifiers of one name agree on what their parameter is."""
    for name, places in _users(workspace).items():
        yield from _clashes(name, places)


def poi(workspace: Workspace) -> Iterator[Problem]:
    """The parameter of interest exists and is one number; a background model may name one that a signal brings."""
    known, kinds = _users(workspace), parameter_kinds(workspace)
    for i, measurement in enumerate(workspace.measurements):
        path, owner = f"/measurements/{i}/config/poi", f"measurement {measurement.name!r}: the parameter of interest"
        if measurement.poi is None:
            continue
        if measurement.poi not in known:
            yield Problem(path, f"{owner} {measurement.poi!r} is not in the model", is_warning=True)
        elif measurement.poi in kinds and kinds[measurement.poi].n_components > 1:
            size = kinds[measurement.poi].n_components
            yield Problem(path, f"{owner} {measurement.poi!r} has {size} components, expected one", is_warning=True)


def _users(workspace: Workspace) -> dict[str, list[ModifierPlace]]:
    """The modifiers that drive each parameter; of those that may always share it, the first stands for all.

    (Keeping all of the ten thousand that a large workspace has would set off the garbage collector again and again.)
    """
    users: dict[str, list[ModifierPlace]] = {}
    for place in modifier_places(workspace):
        known = users.setdefault(place.modifier.name, [])
        group = SHARING_GROUP[type(place.modifier)]
        if not known or group not in SHARED_FREELY or group != SHARING_GROUP[type(known[0].modifier)]:
            known.append(place)
    return users


def _clashes(name: str, places: list[ModifierPlace]) -> Iterator[Problem]:
    """What is wrong between the first modifier of a name and the others."""
    first = places[0]
    groups = {SHARING_GROUP[type(first.modifier)]}
    for place in places[1:]:
        group = SHARING_GROUP[type(place.modifier)]
        if group not in groups:
            groups.add(group)
            message = f"{place}: shares its name with a {first.modifier.type} in channel {first.channel.name!r},"
            yield Problem(place.path, f"{message} whose parameter is of another kind; rename one of them")
        elif group == "shapesys":
            message = f"{place}: a shapesys cannot be shared; {first} has the same name; rename one of them"
            yield Problem(place.path, message)
        elif group == "shapefactor" and place.channel.n_bins != first.channel.n_bins:
            found = f"{count(place.channel.n_bins, 'bin')}, and {first.channel.n_bins} in {first.channel.name!r}"
            yield Problem(place.path, f"{place}: a shapefactor is shared by channels of different size: {found}")


def _kind(places: list[ModifierPlace]) -> ParameterKind:
    modifier: Modifier = places[0].modifier
    n_bins = places[0].channel.n_bins
    match modifier:
        case HistoSys() | NormSys():
            return ParameterKind(modifier.type, "Gaussian", 1, 0.0, (-5.0, 5.0))
        case NormFactor():
            return ParameterKind(modifier.type, "none", 1, 1.0, (0.0, 10.0))
        case Lumi():
            return ParameterKind(modifier.type, "Gaussian", 1, None, None)
        case ShapeFactor():
            return ParameterKind(modifier.type, "none", n_bins, 1.0, (0.0, 10.0))
        case ShapeSys():
            return ParameterKind(modifier.type, "Poisson", n_bins, 1.0, (1e-10, 10.0))
        case StatError():
            bins = {place.channel.name: place.channel.n_bins for place in places}
            return ParameterKind(modifier.type, "Gaussian", sum(bins.values()), 1.0, (1e-10, 10.0))
