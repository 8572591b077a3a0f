"""`upper_limit`: the value of the parameter of interest at which CLs falls to 1 - confidence level."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from histjax._typing import is_traced
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.covariance import covariance_matrix
from histjax.fitting.fit import fit_problem
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.asymptotic import N_SIGMA, Asymptotic
from histjax.inference.crossing import OBSERVED, Question, Search, crossings
from histjax.inference.poi import poi_name
from histjax.inference.statistics import Statistic, observed_fits, qmu_tilde
from histjax.inference.toys.calculator import Toys
from histjax.inference.toys.limits import ToyLimits, toy_limits
from histjax.inference.toys.search import StopRule
from histjax.inference.toys.values import Scanner
from histjax.model.likelihood import Likelihood


class UpperLimit(eqx.Module):
    """Upper limits on the parameter of interest.

    **Fields:** `observed`; `expected` `(5,)` at -2, -1, 0, +1, +2 sigma of the background-only hypothesis;
    `uncertainty` and `expected_uncertainty` `(5,)`: one standard deviation from the number of toys, 0 for asymptotic
    limits; `converged` `(6,)`: whether there is a limit, for the expected limits, then the observed one; `best` the
    best-fit value; `confidence_level`; `free`, `background` the fits at the best value and without signal; `toys`:
    with `calculator=Toys(...)`, the values tested, and whether the relative error asked for was reached
    (`toys.precise`); `None` if asymptotic.
    """

    observed: Float[Array, ""]
    expected: Float[Array, "n_sigma"]
    uncertainty: Float[Array, ""]
    expected_uncertainty: Float[Array, "n_sigma"]
    converged: Bool[Array, "six"]
    best: Float[Array, ""]
    confidence_level: Float[Array, ""]
    free: FitResult
    background: FitResult
    poi: str = eqx.field(static=True)
    statistic_name: str = eqx.field(static=True)
    toys: ToyLimits | None = None

    @property
    def message(self) -> str:
        """What happened, in words."""
        if self.toys is not None:
            return self.toys.message
        if bool(jnp.all(self.converged)):
            return "converged"
        names = [*(f"expected at {n:+.0f} sigma" for n in N_SIGMA), "observed"]
        lost = ", ".join(name for name, good in zip(names, self.converged, strict=True) if not good)
        return f"no crossing found for the limit ({lost}): does {self.poi!r} change the expected yields?"

    def __str__(self) -> str:
        from histjax.inference.printing import limit_table

        return limit_table(self)

    __repr__ = __str__


def upper_limit(
    likelihood: Likelihood,
    data=None,
    *,
    confidence_level: float = 0.95,
    poi: str | None = None,
    statistic: Statistic = qmu_tilde,
    calculator: Asymptotic | Toys = Asymptotic(),
    stop_rule: StopRule = StopRule(),
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> UpperLimit:
    """Observed and expected CLs upper limits.

    **Arguments:** as for `hypotest`; `statistic` is `qmu_tilde` or `qmu`. The search is not limited by the bounds of
    the parameter of interest.

    - `calculator`: `Asymptotic()`, where a clipped band would give the same limits, since it differs where CLs is
      above one half; or `Toys(key, n_toys)`: so many toys are thrown at a time at each of a few values, independent of
      each other, and more where a limit needs them.
    - `stop_rule`: with toys, `StopRule(relative_error=0.05, most_toys=2_000_000, expected=True)`.

    Asymptotic limits are differentiable through the crossing (implicit function theorem), traceable, and to be mapped
    over models and data.

    **Raises:** `MissingPOI`; `FailedFit` where a fit did not converge or no crossing exists (never inside a trace).
    **Warns:** `ImpreciseLimit` where the toys ended before the relative error was reached (a limit for which they did
    not suffice at all is NaN, its uncertainty infinite); `FailedToys`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.upper_limit(model, model.data).observed:.6f}")
    1.011572
    """
    if not statistic.one_sided:
        raise InvalidModel(f"an upper limit needs a one-sided statistic, qmu_tilde or qmu; found {statistic.name}")
    poi = poi_name(likelihood, poi)
    if isinstance(calculator, Toys):
        calculator.check(likelihood, data)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    likelihood = likelihood.conditioned_on(data)
    fits = observed_fits(likelihood, data, poi, 0.0, statistic, minimiser, throw)
    result = _limit(likelihood, data, fits, confidence_level, statistic, minimiser, poi)
    if isinstance(calculator, Toys):
        scanner = Scanner(likelihood, data, poi, statistic, minimiser, calculator, throw, with_other=True)
        return _counted(result, scanner, stop_rule, throw)
    if throw and not is_traced(result.converged) and not bool(jnp.all(result.converged)):
        raise FailedFit(result.message, result)
    return result


def _counted(result: UpperLimit, scanner: Scanner, stop_rule: StopRule, throw: bool) -> UpperLimit:
    """The limits from toys, which are first thrown at the asymptotic ones."""
    guesses = np.append(result.expected, result.observed)
    usable = np.isfinite(guesses) & (guesses > 0) & np.asarray(result.converged)
    if not usable.any():
        if throw:
            raise FailedFit(result.message, result)
        return result
    starts = np.where(usable, guesses, np.median(guesses[usable]))
    toys = toy_limits(scanner, 1 - float(result.confidence_level), starts, stop_rule)
    limits, uncertainty, found = (jnp.asarray(each) for each in (toys.values, toys.uncertainty, toys.found))
    return dataclasses.replace(
        result,
        observed=limits[OBSERVED],
        expected=limits[:OBSERVED],
        uncertainty=uncertainty[OBSERVED],
        expected_uncertainty=uncertainty[:OBSERVED],
        converged=found,
        toys=toys,
    )


@eqx.filter_jit
def _limit(likelihood, data, fits, confidence_level, statistic, minimiser, poi) -> UpperLimit:
    free, background = fits.free, fits.at_zero
    place = likelihood.parameters.index(poi).start
    best = free.vector[place]
    asimov = likelihood.expected_flat(background.vector)
    both = likelihood.equal_shapes(asimov, data)
    datasets = jax.tree.map(lambda a, b: jnp.stack([a, b.astype(a.dtype)]), *both)
    lowest = 2 * likelihood.least_asimov_nll(background.vector, asimov), statistic.denominator(best, fits.deviances)
    question = Question(likelihood, datasets, *lowest, best, 1 - confidence_level)
    problem = jax.tree.map(jnp.asarray, fit_problem(likelihood.parameters, {poi: 0.0}, background, {}))
    starts = jnp.stack([background.vector, background.vector])
    # the answer does not depend on where the search starts
    guesses = jax.lax.stop_gradient((starts, _uncertainty(background, place)))
    values, converged = crossings(question, Search(problem, *guesses, minimiser, statistic, place))
    limits, exact = (values[OBSERVED], values[:OBSERVED]), jnp.zeros_like(values)
    fields = converged, best, confidence_level, free, background, poi, statistic.name
    return UpperLimit(*limits, exact[OBSERVED], exact[:OBSERVED], *fields)


def _uncertainty(background: FitResult, place: int) -> Float[Array, ""]:
    """A first guess of the uncertainty of the parameter of interest, from the fit without signal."""
    released = (background.fixed | background.active).at[place].set(False)
    variance = covariance_matrix(background.structure, background.curvature, released)[place, place]
    usable = jnp.isfinite(variance) & (variance > 0)
    return jnp.where(usable, jnp.sqrt(jnp.where(usable, variance, 1.0)), 1.0)
