"""A measurement: the parameter of interest and the settings of the parameters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParameterConfig:
    """What a measurement says of one parameter set; `None` where it says nothing and the default holds.

    Each tuple has one entry per component of the parameter set: `inits`, `bounds` (pairs lower, upper), `auxdata`
    (centres of the constraint term), `sigmas` (widths of a Gaussian constraint), `factors` (rates of a Poisson
    constraint). `fixed` holds the whole set at `inits`.
    """

    name: str
    inits: tuple[float, ...] | None = None
    bounds: tuple[tuple[float, float], ...] | None = None
    auxdata: tuple[float, ...] | None = None
    factors: tuple[float, ...] | None = None
    sigmas: tuple[float, ...] | None = None
    fixed: bool | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A named choice of parameter of interest (`None`: none) and parameter settings."""

    name: str
    poi: str | None
    parameters: tuple[ParameterConfig, ...] = ()
