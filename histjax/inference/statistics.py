r"""Test statistics from profile likelihood ratios (Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727).

With \(t_\mu = -2 \ln [L(\mu, \hat{\hat\theta}) / L(\hat\mu, \hat\theta)]\):

| statistic | definition | equation |
|---|---|---|
| `tmu` | t_mu | 8 |
| `tmu_tilde` | t_mu, with L(0) in the denominator where mu-hat < 0 | 11 |
| `qmu` | t_mu where mu-hat <= mu, else 0 | 14 |
| `qmu_tilde` | t~_mu where mu-hat <= mu, else 0 | 16 |
| `q0` | t_0 where mu-hat >= 0, else 0 | 12 |

A statistic is what its definition says, whatever bounds the model puts on the parameter of interest: mu-hat has no
upper bound, and for `tmu` and `qmu` no lower one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import is_traced, on_host
from histjax.errors import InvalidModel
from histjax.fitting.fit import fit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.model.likelihood import Likelihood


@dataclass(frozen=True)
class Statistic:
    """A test statistic; call it for its value, or pass it as `statistic=`.

    **Fields:** `bounded`: mu-hat below 0 is replaced by 0; `one_sided`: 0 where mu-hat is above the tested value;
    `discovery`: tests mu = 0 and is 0 where mu-hat is below it.
    """

    name: str
    bounded: bool = False
    one_sided: bool = False
    discovery: bool = False

    @property
    def asimov_poi(self) -> float:
        """The value of the other hypothesis: 0 for limits, 1 for a discovery."""
        return 1.0 if self.discovery else 0.0

    def check_value(self, poi_value) -> None:
        """Raise `InvalidModel` where the tested value is not the statistic's business."""
        if self.discovery and not is_traced(poi_value) and jnp.ndim(poi_value) == 0 and float(poi_value) != 0.0:
            raise InvalidModel(f"q0 tests the absence of a signal: poi_value must be 0, found {float(poi_value)}")

    def free_bounds(self, likelihood: Likelihood, poi: str) -> dict[str, tuple[Array, Array]]:
        """Bounds on the parameter of interest in the fit of the best value."""
        if not (self.bounded or self.discovery):
            return {poi: (-np.inf, np.inf)}
        parameters = likelihood.parameters
        lower = on_host(parameters.lower)[parameters.index(poi)]
        return {poi: ((jnp if is_traced(lower) else np).minimum(lower, 0.0), np.inf)}

    def tests_zero(self, poi_value) -> bool:
        """Whether the tested value is known to be 0, so that one fit serves as both `at_poi` and `at_zero`."""
        return self.discovery or (not is_traced(poi_value) and np.ndim(poi_value) == 0 and float(poi_value) == 0.0)

    def denominator(self, best, deviances: "Deviances") -> Float[Array, ""]:
        """Deviance in the denominator of the likelihood ratio; `best` is mu-hat."""
        return jnp.where(best < 0, deviances.at_zero, deviances.free) if self.bounded else deviances.free

    def of_fits(self, poi_value, best, deviances: "Deviances") -> Float[Array, ""]:
        """The value from the deviances of the fits behind it; `best` is mu-hat."""
        ratio = deviances.at_poi - self.denominator(best, deviances)
        value = jnp.where(ratio > 0, ratio, 0.0)
        if self.one_sided:
            value = jnp.where(best > poi_value, 0.0, value)
        if self.discovery:
            value = jnp.where(best <= 0, 0.0, value)  # at 0 both fits are one, and their difference rounding
        return value

    def __call__(
        self,
        likelihood: Likelihood,
        data=None,
        *,
        poi_value=0.0,
        poi: str | None = None,
        minimiser: Minimiser = Newton(),
    ) -> Float[Array, ""]:
        """The value of the statistic for `data`; raises `FailedFit` where a fit did not converge.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> print(f"{histjax.qmu_tilde(model, model.data, poi_value=1.0):.6f}")
        3.938245
        """
        poi = poi_name(likelihood, poi)
        self.check_value(poi_value)
        fits = observed_fits(likelihood, data, poi, poi_value, self, minimiser, with_zero=self.bounded)
        best = fits.free.vector[likelihood.parameters.index(poi)]
        # an array, or another value would be another program
        return _value(self, jnp.asarray(poi_value, best.dtype), best, fits.deviances)


tmu = Statistic("tmu")
tmu_tilde = Statistic("tmu_tilde", bounded=True)
qmu = Statistic("qmu", one_sided=True)
qmu_tilde = Statistic("qmu_tilde", bounded=True, one_sided=True)
q0 = Statistic("q0", discovery=True)


class Deviances(NamedTuple):
    """Deviances of the free fit, at the tested value, and at 0."""

    free: Float[Array, ""]
    at_poi: Float[Array, ""]
    at_zero: Float[Array, ""]


class ObservedFits(NamedTuple):
    """The fits behind one value of a statistic: free, at the tested value, and at 0."""

    free: FitResult
    at_poi: FitResult
    at_zero: FitResult

    @property
    def deviances(self) -> Deviances:
        """What the statistic needs of them."""
        return Deviances(*(each.deviance for each in self))


@eqx.filter_jit
def _value(statistic: Statistic, poi_value, best, deviances: Deviances) -> Float[Array, ""]:
    return statistic.of_fits(poi_value, jnp.reshape(best, ()), deviances)


def observed_fits(
    likelihood: Likelihood,
    data,
    poi: str,
    poi_value,
    statistic: Statistic,
    minimiser: Minimiser,
    throw: bool = True,
    with_zero: bool = True,
) -> ObservedFits:
    """Fit freely, at the tested value and at 0, each starting from the one before.

    Without `with_zero`, for a statistic that does not ask, the fit at 0 is left out (where nothing but signal is
    expected there is none) and the one at the tested value stands in its place.

    A conditional fit that ends *below* the free one proves that the free fit is not the global minimum: it is then
    repeated from there.
    """
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    settings = dict(minimiser=minimiser, throw=throw, differentiable_hessian=False)
    bounds = statistic.free_bounds(likelihood, poi)
    free = fit(likelihood, data, bounds=bounds, **settings)
    at_poi = fit(likelihood, data, fixed={poi: poi_value}, init=free, **settings)
    if statistic.tests_zero(poi_value) or not with_zero:
        at_zero = at_poi
    else:
        at_zero = fit(likelihood, data, fixed={poi: 0.0}, init=free, **settings)
    return ObservedFits(lowest_fit(likelihood, data, free, (at_poi, at_zero), bounds, settings), at_poi, at_zero)


def lowest_fit(
    likelihood: Likelihood, data, free: FitResult, conditional: tuple[FitResult, ...], bounds, settings
) -> FitResult:
    """`free`, or a better fit that starts from a conditional one below it (only where all values are known)."""
    for other in conditional:
        if is_traced(free.deviance, other.deviance):
            continue
        if float(other.deviance) < float(free.deviance) - 1e-7:
            free = fit(likelihood, data, bounds=bounds, init=other, **settings)
    return free
