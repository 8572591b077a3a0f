"""`hypotest`: test a value of the parameter of interest, CLs and its expected band."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import is_traced
from histjax.fitting.fit import fit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.asymptotic import Asymptotic, expected_log_p_values, log_p_values
from histjax.inference.poi import poi_name
from histjax.inference.statistics import Statistic, observed_fits, qmu_tilde
from histjax.inference.toys.calculator import Toys, throw_for_test
from histjax.inference.toys.p_values import ToyOutcome
from histjax.model.likelihood import Likelihood


class HypotestFits(eqx.Module):
    """The fits of a hypothesis test.

    **Fields:** `free` (best fit), `at_poi` (parameter of interest at the tested value), `at_other` (at the other
    hypothesis: where the Asimov data are made), `asimov_at_poi` (the Asimov data at the tested value). The free fit
    of the Asimov data is `at_other`.
    """

    free: FitResult
    at_poi: FitResult
    at_other: FitResult
    asimov_at_poi: FitResult

    @property
    def converged(self):
        """Whether all of them converged."""
        return self.free.converged & self.at_poi.converged & self.at_other.converged & self.asimov_at_poi.converged


class HypotestResult(eqx.Module):
    """The outcome of a hypothesis test.

    **Fields:**

    - `CLsb`, `CLb`: probabilities of a statistic at least as large as observed, under the tested hypothesis and under
      the other one (background only); `CLs` their ratio. For `q0` the tested hypothesis is background only, `CLsb` is
      p0, and `CLs` is p0 too.
    - `CLs_expected`, `CLsb_expected`, `CLb_expected`: `(5,)`, for outcomes at -2, -1, 0, +1, +2 sigma of the other
      hypothesis.
    - `log_CLs`: ln CLs, finite where CLs underflows.
    - `statistic`, `statistic_asimov`: the statistic on the data and on the Asimov data of the other hypothesis.
    - `best`: best-fit value of the parameter of interest; `poi_value`: the tested one.
    - `fits`: the fits behind it; `poi` and `statistic_name` say of what.
    - `toys`: with `calculator=Toys(...)`, uncertainties, tallies and failures of the toys; `None` if asymptotic.
    """

    CLs: Float[Array, ""]
    CLsb: Float[Array, ""]
    CLb: Float[Array, ""]
    CLs_expected: Float[Array, "n_sigma"]
    CLsb_expected: Float[Array, "n_sigma"]
    CLb_expected: Float[Array, "n_sigma"]
    log_CLs: Float[Array, ""]
    statistic: Float[Array, ""]
    statistic_asimov: Float[Array, ""]
    best: Float[Array, ""]
    poi_value: Float[Array, ""]
    fits: HypotestFits
    poi: str = eqx.field(static=True)
    statistic_name: str = eqx.field(static=True)
    toys: ToyOutcome | None = None

    def __str__(self) -> str:
        from histjax.inference.printing import hypotest_table

        return hypotest_table(self)

    __repr__ = __str__


def hypotest(
    likelihood: Likelihood,
    data=None,
    *,
    poi_value,
    poi: str | None = None,
    statistic: Statistic = qmu_tilde,
    calculator: Asymptotic | Toys = Asymptotic(),
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> HypotestResult:
    """Test `poi_value` of the parameter of interest.

    **Arguments:**

    - `likelihood`, `data`: any likelihood and dataset; its own data by default.
    - `poi_value`, `poi`: the tested value, of the likelihood's parameter of interest or another scalar parameter or
      component.
    - `statistic`: `qmu_tilde` (default), `qmu`, `q0`, `tmu`, `tmu_tilde`.
    - `calculator`: `Asymptotic()`, or `Toys(key, n_toys)`, which cannot be part of a trace.
    - `throw`: raise where a fit did not converge (never inside a trace).

    Differentiable with respect to the likelihood's numbers, the data and `poi_value`; may be mapped over any of them.

    **Raises:** `MissingPOI`, `FailedFit`, `UnknownName`. **Warns:** `FailedToys`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.hypotest(model, model.data, poi_value=1.0).CLs:.8f}")
    0.05251553
    """
    poi = poi_name(likelihood, poi)
    statistic.check_value(poi_value)
    if isinstance(calculator, Toys):
        calculator.check(likelihood, data, poi_value)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    likelihood = likelihood.conditioned_on(data)
    observed = observed_fits(likelihood, data, poi, poi_value, statistic, minimiser, throw)
    settings = dict(minimiser=minimiser, throw=throw, differentiable_hessian=False)
    if statistic.discovery:
        at_other = fit(likelihood, data, fixed={poi: statistic.asimov_poi}, init=observed.free, **settings)
    else:
        at_other = observed.at_zero
    asimov = likelihood.expected_flat(at_other.vector)
    asimov_at_poi = fit(likelihood, asimov, fixed={poi: poi_value}, init=at_other, **settings)
    fits = HypotestFits(observed.free, observed.at_poi, at_other, asimov_at_poi)
    best = fits.free.vector[likelihood.parameters.index(poi)]
    asymptotic = calculator if isinstance(calculator, Asymptotic) else Asymptotic()
    # an array and not a number of Python, which would be part of the program
    value = poi_value if is_traced(poi_value) else np.asarray(poi_value, best.dtype)
    q_asimov = asimov_at_poi.deviance
    if not likelihood.describes_asimov:
        q_asimov = q_asimov - _least(likelihood, at_other.vector, asimov)
    numbers = _numbers(statistic, asymptotic, value, best, observed.deviances, q_asimov)
    result = HypotestResult(**numbers, fits=fits, poi=poi, statistic_name=statistic.name)
    if not isinstance(calculator, Toys):
        return result
    vectors = fits.at_poi.vector, fits.at_other.vector
    asked = poi, poi_value, statistic, float(result.statistic)
    return _counted(result, throw_for_test(likelihood, data, *asked, vectors, minimiser, calculator))


def _counted(result: HypotestResult, toys: ToyOutcome) -> HypotestResult:
    """The test with the p-values of the toys in place of the asymptotic ones."""
    names = "CLsb", "CLb", "CLs"
    p_values = {name: jnp.asarray(getattr(toys.observed, name)) for name in names}
    p_values |= {f"{name}_expected": jnp.asarray(getattr(toys.expected, name)) for name in names}
    return dataclasses.replace(result, **p_values, log_CLs=jnp.log(p_values["CLs"]), toys=toys)


@eqx.filter_jit
def _least(likelihood: Likelihood, vector, asimov) -> Float[Array, ""]:
    return 2 * likelihood.least_asimov_nll(vector, asimov)


@eqx.filter_jit
def _numbers(statistic, calculator, poi_value, best, deviances, q_asimov) -> dict[str, Array]:
    best = jnp.reshape(best, ())
    value = statistic.of_fits(poi_value, best, deviances)
    # the Asimov data are described best where they were made
    q_asimov = jnp.where(q_asimov > 0, q_asimov, 0.0)
    log_CLsb, log_CLb = log_p_values(statistic, value, q_asimov)
    expected_log_CLsb, expected_log_CLb = expected_log_p_values(statistic, q_asimov, calculator)
    ratio = 0.0 if statistic.discovery else 1.0
    log_CLs = log_CLsb - ratio * log_CLb
    return {
        "CLs": jnp.exp(log_CLs),
        "CLsb": jnp.exp(log_CLsb),
        "CLb": jnp.exp(log_CLb),
        "CLs_expected": jnp.exp(expected_log_CLsb - ratio * expected_log_CLb),
        "CLsb_expected": jnp.exp(expected_log_CLsb),
        "CLb_expected": jnp.exp(expected_log_CLb),
        "log_CLs": log_CLs,
        "statistic": value,
        "statistic_asimov": q_asimov,
        "best": best,
        "poi_value": jnp.asarray(poi_value, value.dtype),
    }
