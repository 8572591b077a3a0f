"""The seven HistFactory modifiers: a closed union of records.

The name of a modifier is the name of the parameter that drives it: equal names mean one shared parameter.
Yields and uncertainties are absolute expected counts per bin, exactly as written in the document. See
Cranmer et al., CERN-OPEN-2012-016, section 4, and table 1 of the pyhf documentation.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HistoSys:
    """Correlated shape: a template interpolated between `lo` (alpha = -1) and `hi` (alpha = +1), each `(bins,)`."""

    type: ClassVar[str] = "histosys"
    name: str
    lo: tuple[float, ...]
    hi: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NormSys:
    """Normalisation uncertainty: a factor interpolated between `lo` (alpha = -1) and `hi` (alpha = +1)."""

    type: ClassVar[str] = "normsys"
    name: str
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class NormFactor:
    """A free factor on all bins of the sample."""

    type: ClassVar[str] = "normfactor"
    name: str


@dataclass(frozen=True, slots=True)
class ShapeFactor:
    """A free factor per bin."""

    type: ClassVar[str] = "shapefactor"
    name: str


@dataclass(frozen=True, slots=True)
class ShapeSys:
    """Uncorrelated shape: a factor per bin with a Poisson constraint; `uncertainty` `(bins,)` is absolute."""

    type: ClassVar[str] = "shapesys"
    name: str
    uncertainty: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StatError:
    """Monte Carlo statistics: a factor per bin shared by the samples of a channel, with a Gaussian constraint."""

    type: ClassVar[str] = "staterror"
    name: str
    uncertainty: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Lumi:
    """Luminosity: a factor on all bins with a Gaussian constraint that the measurement configures."""

    type: ClassVar[str] = "lumi"
    name: str


Modifier = HistoSys | NormSys | NormFactor | ShapeFactor | ShapeSys | StatError | Lumi
