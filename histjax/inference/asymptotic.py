r"""p-values from the asymptotic distributions of the test statistics (arXiv:1007.1727, section 3).

Everything is a function of the square roots of the observed statistic and of the one on the Asimov dataset of the other
hypothesis, \(\sqrt{q_A} = |\mu - \mu'| / \sigma\). Logarithms of p-values are exact far in the tails.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr
from jaxtyping import Array, Float

from histjax.inference.statistics import Statistic

N_SIGMA = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""The five points of an expected band, in the order of every `expected` array."""


@dataclass(frozen=True)
class Asymptotic:
    """Calculator: p-values from asymptotic formulae.

    **Fields:** `clipped_normal`: in the expected band, outcomes with mu-hat above the tested value count as a
    statistic of 0 (the truth for one-sided statistics) instead of the plain normal law, which is the default as in
    pyhf. Only the +1, +2 sigma ends of the band change.
    """

    clipped_normal: bool = False


def safe_sqrt(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Square root whose derivative at 0 (and below) is 0 instead of infinity."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def log_p_values(statistic: Statistic, q: Float[Array, "..."], q_asimov: Float[Array, "..."]) -> tuple[Array, Array]:
    """ln CLsb and ln CLb: probabilities of a value of the statistic of at least `q` under the tested and the other
    hypothesis.

    Equations 35, 43 (`tmu`, `tmu_tilde`), 57, 65 (`qmu`, `qmu_tilde`), 50 (`q0`) of arXiv:1007.1727.
    """
    root, root_asimov = safe_sqrt(q), safe_sqrt(q_asimov)
    if statistic.one_sided or statistic.discovery:
        shifted = root - root_asimov
        if statistic.bounded:
            shifted = jnp.where((q > q_asimov) & (q_asimov > 0), _beyond(q, q_asimov, root_asimov), shifted)
        return log_ndtr(-(shifted + root_asimov)), log_ndtr(-shifted)
    upper_tested, upper_other = root, root - root_asimov
    if statistic.bounded:
        beyond = (q > q_asimov) & (q_asimov > 0)
        upper_tested = jnp.where(beyond, _beyond(q, q_asimov, root_asimov) + root_asimov, upper_tested)
        upper_other = jnp.where(beyond, _beyond(q, q_asimov, root_asimov), upper_other)
    tested = jnp.logaddexp(log_ndtr(-upper_tested), log_ndtr(-root))
    other = jnp.logaddexp(log_ndtr(-upper_other), log_ndtr(-(root + root_asimov)))
    return jnp.minimum(tested, 0.0), jnp.minimum(other, 0.0)


def _beyond(q: Array, q_asimov: Array, root_asimov: Array) -> Array:
    """Past q_A, where mu-hat < 0, q~ is linear in mu-hat: (q - q_A) / (2 sqrt(q_A))."""
    return (q - q_asimov) / (2 * jnp.where(q_asimov > 0, root_asimov, 1.0))


def expected_log_p_values(
    statistic: Statistic, q_asimov: Float[Array, ""], calculator: Asymptotic
) -> tuple[Array, Array]:
    """ln CLsb and ln CLb, each `(5,)`, for outcomes at `N_SIGMA` of the other hypothesis (equation 89).

    The order is that of the resulting CLs, from the most to the least excluding outcome.
    """
    root = safe_sqrt(q_asimov)
    shift = -jnp.asarray(N_SIGMA, root.dtype)
    if statistic.one_sided or statistic.discovery:
        if calculator.clipped_normal:
            shift = jnp.maximum(shift, -root)
        return log_ndtr(-(shift + root)), log_ndtr(-shift)
    # two-sided: the statistic of an outcome whose mu-hat lies N sigma from the other hypothesis
    outcome = root + shift
    q = outcome**2
    if statistic.bounded:
        q = jnp.where(shift > 0, q_asimov + 2 * root * shift, q)
    return jax.vmap(lambda each: log_p_values(statistic, each, q_asimov))(q)
