"""What a measurement says of the parameters fits the parameters that it says it of."""

from collections.abc import Iterator
from typing import NamedTuple

from histjax.errors import Problem
from histjax.spec.measurement import Measurement, ParameterConfig
from histjax.spec.rules.parameters import ParameterKind, parameter_kinds
from histjax.spec.rules.places import count, modifier_places
from histjax.spec.workspace import Workspace

_ALLOWED = {
    "none": ("inits", "bounds"),
    "Gaussian": ("inits", "bounds", "auxdata", "sigmas"),
    "Poisson": ("inits", "bounds", "auxdata", "factors"),
}
_ARRAYS = ("inits", "bounds", "auxdata", "sigmas", "factors")


class _Place(NamedTuple):
    """The settings of one parameter and where they are."""

    path: str
    measurement: Measurement
    settings: ParameterConfig
    kind: ParameterKind

    def __str__(self) -> str:
        return f"measurement {self.measurement.name!r}, parameter {self.settings.name!r} ({self.kind.type})"


def _places(workspace: Workspace) -> Iterator[_Place]:
    """The settings of every parameter that the model has and shares legally."""
    kinds = parameter_kinds(workspace)
    for i, measurement in enumerate(workspace.measurements):
        for j, settings in enumerate(measurement.parameters):
            if settings.name in kinds:
                path = f"/measurements/{i}/config/parameters/{j}"
                yield _Place(path, measurement, settings, kinds[settings.name])


def lumi(workspace: Workspace) -> Iterator[Problem]:
    """A measurement gives the central value and the width of a luminosity that the model has: there are no defaults."""
    names = {place.modifier.name for place in modifier_places(workspace) if place.modifier.type == "lumi"}
    for i, measurement in enumerate(workspace.measurements):
        given = {settings.name: settings for settings in measurement.parameters}
        for name in sorted(names):
            settings = given.get(name, ParameterConfig(name))
            missing = [key for key in ("auxdata", "sigmas") if getattr(settings, key) is None]
            if missing:
                message = f"measurement {measurement.name!r}: the lumi modifier has no {' and no '.join(missing)};"
                hint = f' add for example {{"name": "{name}", "auxdata": [1.0], "sigmas": [0.02]}} to the parameters'
                yield Problem(f"/measurements/{i}/config/parameters", message + hint)


def attributes(workspace: Workspace) -> Iterator[Problem]:
    """The settings are for a parameter that is there, and are such as it can have."""
    known = {place.modifier.name for place in modifier_places(workspace)}
    for i, measurement in enumerate(workspace.measurements):
        for j, settings in enumerate(measurement.parameters):
            if settings.name not in known:
                message = f"measurement {measurement.name!r}: settings for a parameter {settings.name!r} are ignored:"
                path = f"/measurements/{i}/config/parameters/{j}"
                yield Problem(path, f"{message} the model has none of that name", is_warning=True)
    for place in _places(workspace):
        for key in _ARRAYS:
            if getattr(place.settings, key) is not None and key not in _ALLOWED[place.kind.constraint]:
                constraint = {"none": "no"}.get(place.kind.constraint, f"a {place.kind.constraint}")
                allowed = ", ".join((*_ALLOWED[place.kind.constraint], "fixed"))
                message = f"{place} has {constraint} constraint and takes no {key}; expected only {allowed}"
                yield Problem(f"{place.path}/{key}", message)


def components(workspace: Workspace) -> Iterator[Problem]:
    """Each array has one entry for each component of the parameter, and bounds are pairs."""
    for place in _places(workspace):
        for key in _ARRAYS:
            values = getattr(place.settings, key)
            if values is not None and len(values) != place.kind.n_components:
                size = count(place.kind.n_components, "component")
                message = f"{place}: {key} has {len(values)}, the parameter has {size}"
                yield Problem(f"{place.path}/{key}", message)
        for index, pair in enumerate(place.settings.bounds or ()):
            path = f"{place.path}/bounds/{index}"
            if len(pair) != 2:
                yield Problem(path, f"{place}: found {count(len(pair), 'number')}, expected a lower and an upper bound")
            elif pair[0] > pair[1]:
                yield Problem(path, f"{place}: the lower bound {pair[0]} is above the upper bound {pair[1]}")


def ranges(workspace: Workspace) -> Iterator[Problem]:
    """Widths and rates are positive; a parameter that is not fixed starts within its bounds."""
    for place in _places(workspace):
        for key in ("sigmas", "factors"):
            for index, value in enumerate(getattr(place.settings, key) or ()):
                if value <= 0:
                    message = f"{place}: found {value} in {key}, expected a positive number"
                    yield Problem(f"{place.path}/{key}/{index}", message)
        if place.kind.constraint == "Poisson" and any(value < 0 for value in place.settings.auxdata or ()):
            yield Problem(f"{place.path}/auxdata", f"{place}: the auxdata of a Poisson constraint are negative")
        if not place.settings.fixed:
            yield from _starts(place)


def _starts(place: _Place) -> Iterator[Problem]:
    """Starting values outside the bounds, whichever of the two are defaults."""
    settings, kind = place.settings, place.kind
    inits = settings.inits or ((kind.init,) * kind.n_components if kind.init is not None else settings.auxdata or ())
    bounds = settings.bounds or ((kind.bounds,) * kind.n_components if kind.bounds is not None else ())
    if settings.inits is None and settings.bounds is None:
        return
    for index, (init, pair) in enumerate(zip(inits, bounds, strict=False)):
        if len(pair) == 2 and pair[0] <= pair[1] and not pair[0] <= init <= pair[1]:
            given = "inits" if settings.inits is not None else "bounds"
            message = f"{place}: component {index} starts at {init}, outside its bounds [{pair[0]}, {pair[1]}]"
            yield Problem(f"{place.path}/{given}", message)
