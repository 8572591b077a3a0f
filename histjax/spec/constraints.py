r"""Constraint terms that a user may ask for in place of those that HistFactory implies (`histjax.constraints`).

Each is the density of an auxiliary measurement `a` of the parameter theta, so that toys and Asimov data know what to
do with it. Widths and covariances are prefit uncertainties in units of the parameter; they may be arrays, one entry
per component of a bin-wise set.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Normal:
    r"""\(a \sim Gauss(\theta, \sigma)\).

    `sigma` is the width, by default the one that a staterror or shapesys implies; the auxiliary datum is `centre`, by
    default the initial value of the parameter.
    """

    sigma: Any = None
    centre: Any = None


@dataclass(frozen=True, eq=False)
class LogNormal:
    r"""\(\ln a \sim Gauss(\ln \theta, \ln \kappa)\) with density in a: theta is the median and stays positive.

    `kappa` > 1 is the factor that one standard deviation is worth (1.2 for 20 %); `centre` as for `Normal`.
    """

    kappa: Any
    centre: Any = None


@dataclass(frozen=True, eq=False)
class Poisson:
    r"""\(a \sim Pois(\tau \theta)\), a counting experiment with nominal count tau.

    `tau` is by default the one that a staterror or shapesys implies, 1 / (relative uncertainty)^2.
    """

    tau: Any = None


@dataclass(frozen=True, eq=False)
class Gamma:
    r"""Density of theta after a counting experiment of rate \(\tau = 1/r^2\) that gave \(\tau a\):
    \(\tau (\tau\theta)^{\tau a} e^{-\tau\theta} / \Gamma(\tau a + 1)\), ROOT's `Gamma` constraint.

    The same function of theta as `Poisson`; the datum a is in units of theta. `relative_uncertainty` is r, by default
    the one that a staterror or shapesys implies; `centre` as for `Normal`.
    """

    relative_uncertainty: Any = None
    centre: Any = None


@dataclass(frozen=True, eq=False)
class Uniform:
    """No preference between `lower` and `upper`, which become the bounds of the parameter: the term adds nothing.

    The prefit uncertainty is that of a flat density, (upper - lower) / sqrt(12).
    """

    lower: Any
    upper: Any


@dataclass(frozen=True, eq=False)
class MultivariateNormal:
    """A Gaussian for several parameters with their `covariance`, `(parameters, parameters)` in the order of the names.

    `centre` is `(parameters,)`, by default the initial values.
    """

    covariance: Any
    centre: Any = None


Constraint = Normal | LogNormal | Poisson | Gamma | Uniform | MultivariateNormal
