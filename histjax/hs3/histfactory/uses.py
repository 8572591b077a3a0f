"""What the modifiers of `histfactory_dist`s do, each a small record, before they become modifiers of ours."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Factor:
    """A parameter, or a function of the document, that multiplies a sample."""

    path: str
    name: str


@dataclass(frozen=True)
class Interpolated:
    """A parameter that interpolates: `kind` is normsys, with numbers `lo` and `hi`, or histosys, with absolute ones
    per bin.
    """

    path: str
    kind: str
    parameter: str
    lo: float | tuple[float, ...]
    hi: float | tuple[float, ...]
    code: Callable


@dataclass(frozen=True)
class Gammas:
    """One parameter for each bin.

    **Fields:** `kind` is shapesys, staterror or shapefactor; `name` that of the modifier; `gammas` `(bins,)` the
    parameters; `uncertainties` `(bins,)`: relative ones of a shapesys, absolute ones of a staterror; `constraint` is
    Gauss, Poisson, or none.
    """

    path: str
    kind: str
    name: str
    gammas: tuple[str, ...]
    uncertainties: tuple[float, ...]
    constraint: str


Use = Factor | Interpolated | Gammas


@dataclass(frozen=True)
class SampleUses:
    """A sample: nominal yields `(bins,)` and what its modifiers do."""

    path: str
    name: str
    nominal_yields: tuple[float, ...]
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class ChannelUses:
    """A `histfactory_dist` with the observed counts that a likelihood gives it.

    `threshold` is the relative uncertainty below which ROOT holds the gammas of a staterror.
    """

    path: str
    distribution: str
    name: str
    samples: tuple[SampleUses, ...]
    observed: tuple[float, ...]
    observed_path: str
    threshold: float
