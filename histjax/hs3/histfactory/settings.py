"""Starting values, bounds, constants and auxiliary data of the parameters, as the settings of a measurement."""

from histjax.hs3.histfactory.findings import Findings
from histjax.hs3.histfactory.gammas import SMALLEST, GammaSet
from histjax.hs3.histfactory.lookup import Lookup
from histjax.spec import ParameterConfig
from histjax.spec.constraints import Normal

DEFAULTS = {"alpha": (0.0, (-5.0, 5.0)), "factor": (1.0, (0.0, 10.0)), "gamma": (1.0, (SMALLEST, 10.0))}
"""Starting value and bounds where the document has none: pyhf's."""


def scalar_settings(
    name: str, kind: str, lookup: Lookup, findings: Findings, term: Normal | None = None
) -> ParameterConfig:
    """The settings of an alpha or a factor; `term` is its Gaussian constraint where our modifier brings it."""
    init, bounds = DEFAULTS[kind]
    centre, width = (None, None) if term is None else (term.centre, term.sigma)
    init = lookup.point.get(name, init if centre is None or kind == "alpha" else centre)
    bounds = lookup.bounds.get(name, bounds)
    held = name in lookup.fixed
    return ParameterConfig(
        name=name,
        inits=(init if held else _inside(name, init, bounds, findings),),
        bounds=(tuple(bounds),),
        auxdata=None if centre is None or (kind == "alpha" and centre == 0) else (centre,),
        sigmas=None if width is None or (kind == "alpha" and width == 1) else (width,),
        fixed=True if held else None,
    )


def gamma_settings(each: GammaSet, lookup: Lookup, findings: Findings) -> list[ParameterConfig]:
    """The settings of a set of gammas, and of its companion."""
    sets = [_set_settings(each, each.name, _alone(each), lookup, findings)]
    if each.has_companion:
        sets.append(_set_settings(each, each.companion, each.free, lookup, findings))
    return sets


def _alone(each: GammaSet) -> tuple[bool, ...]:
    """Which components the first set moves."""
    return tuple(not (each.has_companion and free) for free in each.free)


def _set_settings(
    each: GammaSet, name: str, own: tuple[bool, ...], lookup: Lookup, findings: Findings
) -> ParameterConfig:
    """One set; components that it does not move stand at 1.

    Held components of a set are held by their uncertainty of 0 where our modifier has one, else by equal bounds.
    """
    is_companion = name != each.name
    by_uncertainty = each.is_natural and not is_companion
    inits, bounds = [], []
    for gamma, moves, held in zip(each.gammas, own, each.held, strict=True):
        init, box = DEFAULTS["gamma"]
        init, box = (lookup.point.get(gamma, init), lookup.bounds.get(gamma, box)) if moves else (init, box)
        if each.constraint == "Poisson" and not is_companion:
            box = (max(box[0], SMALLEST), box[1])
        stands = held or not moves
        inits.append(init if stands else _inside(gamma, init, box, findings))
        bounds.append((init, init) if stands and not by_uncertainty and not all(each.held) else _around(init, box))
    centres = each.centres(lookup) if by_uncertainty and each.term(lookup) is None else None
    if centres is not None and each.constraint == "Poisson":
        centres = [centre / (width or 1.0) ** 2 for centre, width in zip(centres, each.relative, strict=True)]
    return ParameterConfig(
        name=name,
        inits=tuple(inits),
        bounds=tuple(bounds),
        auxdata=None if centres is None else tuple(centres),
        fixed=True if all(each.held) else None,
    )


def _around(init: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Bounds that hold the value of a component that does not move."""
    return min(init, bounds[0]), max(init, bounds[1])


def _inside(name: str, init: float, bounds: tuple[float, float], findings: Findings) -> float:
    """A starting value outside its domain is moved to the nearest end, as ROOT does."""
    low, high = bounds
    if low <= init <= high or low > high:
        return init
    findings.doubt(f"parameter {name!r} starts at {init}, outside its domain [{low}, {high}]; the nearest end is taken")
    return min(max(init, low), high)
