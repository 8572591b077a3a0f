"""`goodness_of_fit`: whether the best fit describes the data at all, against the saturated model."""

import dataclasses
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import gammaincc, gammaln
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax.fitting.fit import fit, fit_problem
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.asymptotic import Asymptotic
from histjax.inference.toys.calculator import Toys, throw_for_goodness
from histjax.inference.toys.p_values import toys_in_words
from histjax.inference.toys.slices import SliceResult
from histjax.model.likelihood import Likelihood

TERMS = 100
"""Terms of the continued fraction for the far tail, where it converges to 1e-15 with a tenth of them."""


class GoodnessOfFit(eqx.Module):
    """Saturated-model test of a fit.

    **Fields:**

    - `statistic`: -2 ln [L(best fit) / L(saturated)], the fit's `deviance`, constraint terms included.
    - `n_degrees`: unmasked bins minus free parameters without constraint term; NaN where the likelihood does not say
      how many observations it has. (A constrained parameter brings one auxiliary measurement and takes it again.)
    - `p_value`, `log_p_value`: probability of a larger statistic, chi-squared with `n_degrees`, asymptotic; its
      logarithm is good far below the smallest number. NaN where there is no degree of freedom. With toys, the
      fraction of them whose statistic is at least the observed one.
    - `channels`: contributions of the channels, `{channel: ()}`; `constraints`: of the constraint terms,
      `{parameter: ()}`. Together they are the statistic.
    - `fit`: the fit.
    - `toys`: with `calculator=Toys(...)`, their tally (`toys.tally.p_uncertainty`); `None` if asymptotic.
    """

    statistic: Float[Array, ""]
    n_degrees: Float[Array, ""]
    p_value: Float[Array, ""]
    log_p_value: Float[Array, ""]
    channels: dict[str, Float[Array, ""]]
    constraints: dict[str, Float[Array, ""]]
    fit: FitResult
    toys: SliceResult | None = None

    @property
    def message(self) -> str:
        """Whether there is a p-value, in words."""
        if not self.fit.converged:
            return self.fit.message
        if self.toys is not None:
            return f"converged; {toys_in_words(self.toys.tally)}"
        if jnp.isnan(self.n_degrees):
            return "no p-value: the likelihood does not say how many observations it has"
        if self.n_degrees <= 0:
            return (
                f"no p-value: {int(self.n_degrees)} degrees of freedom, the model has as many free parameters as bins"
            )
        return "converged"

    def __str__(self) -> str:
        from histjax.inference.ranking_printing import goodness_table

        return goodness_table(self)

    __repr__ = __str__


def goodness_of_fit(
    likelihood: Likelihood,
    data=None,
    *,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    calculator: Asymptotic | Toys = Asymptotic(),
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> GoodnessOfFit:
    """Goodness of fit by the saturated model, asymptotic or by counting toys thrown at the best fit.

    R. D. Cousins, 2013, http://www.physics.ucla.edu/~cousins/stats/cousins_saturated.pdf; S. Baker, R. D. Cousins,
    Nucl. Instrum. Meth. 221 (1984) 437.

    The saturated likelihood is analytic: every expected count equals the observed one and every constraint term is at
    its maximum for the auxiliary data given, so no second fit is made. Parameters on a bound count as free, those on
    which nothing depends (of a masked channel) do not. A parameter with constraint term that is held at a value other
    than its centre leaves its term in the statistic, and no degree of freedom. A channel is taken out by weight 0
    (`model.with_weights`); that is the same program.

    Not checked: whether counts are large enough for the asymptotic distribution; if not, `calculator=Toys(key, n_toys)`
    needs none. Other arguments as for `fit`.

    **Raises:** `FailedFit`. **Warns:** `FailedToys`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.goodness_of_fit(model)
    >>> print(f"{result.statistic:.4f} {result.n_degrees:.0f} {result.p_value:.4f}")
    0.1816 1 0.6700
    """
    if isinstance(calculator, Toys):
        calculator.check(likelihood, data, fixed, init, bounds)
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    likelihood = likelihood.conditioned_on(data)
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    result = _judged(likelihood, data, fit(likelihood, data, **settings, differentiable_hessian=False))
    if not isinstance(calculator, Toys):
        return result
    problem = fit_problem(likelihood.parameters, fixed or {}, result.fit, bounds or {})
    asked = likelihood, data, result.fit.vector, problem, float(result.statistic)
    return _counted(result, throw_for_goodness(*asked, minimiser, calculator))


def _counted(result: GoodnessOfFit, toys: SliceResult) -> GoodnessOfFit:
    """With the p-value of the toys in place of the asymptotic one."""
    p_value = jnp.asarray(toys.tally.p_value)
    return dataclasses.replace(result, p_value=p_value, log_p_value=jnp.log(p_value), toys=toys)


@eqx.filter_jit
def _judged(likelihood: Likelihood, data, result: FitResult) -> GoodnessOfFit:
    # a parameter that nothing depends on, such as one of a masked channel, describes nothing
    acts = jnp.abs(result.curvatures) > 1e-12
    free = ~result.parameters.constrained & ~result.fixed & acts
    n_degrees = likelihood.n_observations - jnp.sum(free)
    terms = likelihood.deviance_terms(result.params, data)
    log_p_value = log_chi2_survival(result.deviance, n_degrees)
    probability = jnp.exp(log_p_value)
    return GoodnessOfFit(result.deviance, n_degrees, probability, log_p_value, terms.main, terms.constraints, result)


@jax.jit
def log_chi2_survival(value: Float[Array, ""], n_degrees: Float[Array, ""]) -> Float[Array, ""]:
    r"""ln of the probability that a chi-squared variable exceeds `value`: \(\ln Q(n/2, x/2)\); NaN for n <= 0.

    Far in the tail by the continued fraction of the incomplete gamma function (Abramowitz and Stegun, 6.5.31).

    >>> print(f"{log_chi2_survival(4.0, 2.0):.6f} {log_chi2_survival(4000.0, 2.0):.6f}")
    -2.000000 -2000.000000
    """
    defined = n_degrees > 0
    a, x = jnp.where(defined, n_degrees, 2.0) / 2, jnp.maximum(value, 0.0) / 2
    direct = gammaincc(a, x)
    is_far = direct < 1e-100
    near = jnp.log(jnp.where(is_far, 1.0, direct))
    far = _log_tail(a, jnp.where(is_far, x, a + 1.0))
    return jnp.where(defined, jnp.where(is_far, far, near), jnp.nan)


def _log_tail(a, x):
    def term(k, fraction):
        n = TERMS - k
        return x + 2 * n - 1 - a - n * (n - a) / fraction

    # x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...)), from the inside out
    fraction = jax.lax.fori_loop(0, TERMS, term, x + 2 * TERMS + 1 - a)
    return a * jnp.log(x) - x - gammaln(a) - jnp.log(fraction)
