"""`significance`: how unlikely the data are without a signal."""

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float

from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.inference.asymptotic import N_SIGMA, Asymptotic, safe_sqrt
from histjax.inference.hypotest import HypotestResult, hypotest
from histjax.inference.statistics import q0
from histjax.inference.toys.calculator import Toys
from histjax.model.likelihood import Likelihood


class Significance(eqx.Module):
    """Discovery significance, observed and expected.

    **Fields:** `z` = sqrt(q0) in standard deviations and `p0` = 1 - Phi(z) (arXiv:1007.1727, equations 52 and 53);
    `z_expected`, `p0_expected` `(5,)` for a signal of strength 1 at -2 ... +2 sigma; `best` the best-fit value;
    `test` the whole test. With toys p0 is counted, and z = -Phi^-1(p0), but 0 where p0 is above one half (without an
    excess q0 = 0 and p0 = 1), and infinite where no toy was counted: `test.toys.tested.p_interval()` then says how
    small p0 is.
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
    likelihood: Likelihood,
    data=None,
    *,
    poi: str | None = None,
    calculator: Asymptotic | Toys = Asymptotic(),
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Significance:
    """Observed and expected discovery significance from `q0`, asymptotic or by counting toys.

    Expected: for the Asimov data of a signal of strength 1 (or toys of it), nuisance parameters at their conditional
    best fit to `data`.

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
        calculator=calculator,
        minimiser=minimiser,
        throw=throw,
    )
    return _significance(test) if test.toys is None else _counted(test)


def _counted(test: HypotestResult) -> Significance:
    z, z_expected = (jnp.maximum(-ndtri(p), 0.0) for p in (test.CLsb, test.CLsb_expected[::-1]))
    return Significance(z, test.CLsb, z_expected, test.CLsb_expected[::-1], test.best, test)


@eqx.filter_jit
def _significance(test: HypotestResult) -> Significance:
    expected = safe_sqrt(test.statistic_asimov) + jnp.asarray(N_SIGMA, test.statistic.dtype)
    # more signal is a smaller p-value: the band of p0 is ordered by the outcome, like that of z
    return Significance(safe_sqrt(test.statistic), test.CLsb, expected, test.CLsb_expected[::-1], test.best, test)
