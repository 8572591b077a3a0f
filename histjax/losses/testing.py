"""Losses from tests of a hypothesis: CLs of a signal, and the significance of its discovery."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import log_ndtr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax.fitting.fit import solve
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.asymptotic import safe_sqrt
from histjax.losses.asimov import Loss, Outcome, Point, WarmStart, judged, point, started
from histjax.model.likelihood import Likelihood

FAILED = "the fit of the Asimov data did not converge; params=... makes them elsewhere, histjax.fit on them tells more"


@Loss
def expected_log_cls(
    likelihood: Likelihood,
    poi_value: ArrayLike = 1.0,
    *,
    n_sigma: ArrayLike = 0.0,
    poi: str | None = None,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
    init: WarmStart | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Outcome:
    r"""ln CLs of a signal of strength `poi_value` that is expected without signal, from `qmu_tilde`.

    \[ \ln \mathrm{CLs} = \ln \Phi(N - \sqrt{q_A}) - \ln \Phi(N) \]

    with \(q_A\) the statistic on the background-only Asimov data (arXiv:1007.1727, equation 89), which is one
    conditional fit: where they were made, its deviance is 0. Exact far in the tails, where CLs underflows.

    **Arguments:** `poi_value`, the tested value, may be traced; `n_sigma`: N, an outcome of the background-only
    hypothesis at N standard deviations (+1 is an excess, harder to exclude) instead of the median. The others are
    those of all losses (`Loss`).

    **Returns:** a scalar, to be minimised. Where nothing at all is expected from the signal it is 0, and so are its
    derivatives: start with one that is seen.

    **Raises:** `MissingPOI`, `FailedFit`, `UnknownName`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.expected_log_cls(model, 1.0):.6f}")
    -2.717967
    """
    at = point(likelihood, poi, 0.0, params, systematics)
    value, sigma = (jnp.asarray(each, at.problem.start.dtype) for each in (poi_value, n_sigma))
    fit, excess = conditional(at, value, init, minimiser)
    return judged(_outcome(fit, _log_cls(excess, sigma)), throw)


@Loss
def expected_cls(likelihood: Likelihood, poi_value: ArrayLike = 1.0, **settings) -> Outcome:
    """CLs itself, with the arguments of `expected_log_cls`: between 0 and 1, and flat where it is near 0.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.expected_cls(model, 1.0):.6f}")
    0.066009
    """
    outcome = expected_log_cls.outcome(likelihood, poi_value, **settings)
    return outcome._replace(value=jnp.exp(outcome.value))


@Loss
def discovery_significance(
    likelihood: Likelihood,
    signal_strength: ArrayLike = 1.0,
    *,
    poi: str | None = None,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
    init: WarmStart | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Outcome:
    r"""Standard deviations \(Z = \sqrt{q_{0,A}}\) with which a signal is expected to be discovered.

    \(q_{0,A}\) is the statistic on the Asimov data of a signal of strength `signal_strength`, which should be positive
    (arXiv:1007.1727, equations 52 and 97): one fit without signal.

    **Arguments:** those of all losses (`Loss`). **Returns:** a scalar, to be maximised; 0, with derivatives of 0, where
    nothing is expected from the signal.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.discovery_significance(model):.6f}")
    1.823697
    """
    at = point(likelihood, poi, signal_strength, params, systematics)
    fit, excess = conditional(at, jnp.zeros_like(at.problem.start[0]), init, minimiser)
    return judged(_outcome(fit, safe_sqrt(excess)), throw)


@eqx.filter_jit
def conditional(
    at: Point, value: Float[Array, ""], init: WarmStart | None, minimiser: Minimiser
) -> tuple[FitResult, Float[Array, ""]]:
    """The fit of the Asimov data with the parameter of interest at `value`, and how much less likely it makes them
    than the point of which they are the data, in -2 ln L.
    """
    data = at.data
    fit = solve(at.likelihood, data, started(at, value, init), minimiser, False)
    return fit, fit.deviance - 2 * at.likelihood.least_asimov_nll(at.problem.start, data)


@eqx.filter_jit
def _log_cls(q_asimov, n_sigma):
    return log_ndtr(n_sigma - safe_sqrt(q_asimov)) - log_ndtr(n_sigma)


def _outcome(fit: FitResult, value) -> Outcome:
    return Outcome(value, fit.vector, fit.converged, FAILED)
