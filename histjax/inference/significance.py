"""`significance`: how unlikely the data are without a signal."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.inference.asymptotic import N_SIGMA, Asymptotic, safe_sqrt
from histjax.inference.hypotest import HypotestResult, hypotest
from histjax.inference.statistics import q0
from histjax.model.likelihood import Likelihood


class Significance(eqx.Module):
    """Discovery significance, observed and expected.

    **Fields:** `z` = sqrt(q0) in standard deviations and `p0` = 1 - Phi(z) (arXiv:1007.1727, equations 52 and 53);
    `z_expected`, `p0_expected` `(5,)` for a signal of strength 1 at -2 ... +2 sigma; `best` the best-fit value;
    `test` the whole test.
    """

    z: Float[Array, ""]
    p0: Float[Array, ""]
    z_expected: Float[Array, "n_sigma"]
    p0_expected: Float[Array, "n_sigma"]
    best: Float[Array, ""]
    test: HypotestResult

    def __str__(self) -> str:
        from histjax.inference.printing import significance_table

        return significance_table(self)

    __repr__ = __str__


def significance(
    likelihood: Likelihood, data=None, *, poi: str | None = None, minimiser: Minimiser = Newton(), throw: bool = True
) -> Significance:
    """Observed and expected discovery significance from `q0`, asymptotic.

    Expected: for the Asimov data of a signal of strength 1, nuisance parameters at their conditional best fit to
    `data`.

    **Raises:** `MissingPOI`, `FailedFit`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.significance(model, model.data)
    >>> print(f"{result.z:.3f} {result.p0:.3f}")
    0.000 0.500
    """
    test = hypotest(
        likelihood,
        data,
        poi_value=0.0,
        poi=poi,
        statistic=q0,
        calculator=Asymptotic(),
        minimiser=minimiser,
        throw=throw,
    )
    return _significance(test)


@eqx.filter_jit
def _significance(test: HypotestResult) -> Significance:
    expected = safe_sqrt(test.statistic_asimov) + jnp.asarray(N_SIGMA, test.statistic.dtype)
    # more signal is a smaller p-value: the band of p0 is ordered by the outcome, like that of z
    return Significance(safe_sqrt(test.statistic), test.CLsb, expected, test.CLsb_expected[::-1], test.best, test)
