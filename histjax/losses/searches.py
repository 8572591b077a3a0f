"""Losses from where a profile likelihood reaches a level: upper limits, and widths of intervals."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax.fitting.fit import solve
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import Profile
from histjax.fitting.result import FitResult
from histjax.inference.intervals import ONE_SIGMA, IntervalKind, first_widths
from histjax.inference.intervals import n_sigma as interval_sigma
from histjax.inference.rays import Crossings, End, Rays, crossings
from histjax.losses.asimov import Loss, Outcome, Point, WarmStart, freed, is_usable, judged, point, point_for
from histjax.model.likelihood import Likelihood


@Loss
def expected_limit(
    likelihood: Likelihood,
    *,
    confidence_level: ArrayLike = 0.95,
    n_sigma: ArrayLike = 0.0,
    poi: str | None = None,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
    init: WarmStart | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Outcome:
    r"""The CLs upper limit that is expected without signal.

    It lies where \(\sqrt{q_A}(\mu) = N - \Phi^{-1}(\alpha \Phi(N))\), with \(\alpha\) = 1 - confidence level
    (arXiv:1007.1727, equation 89), on the background-only Asimov data; not limited by the bounds of the parameter of
    interest.

    **Arguments:** `n_sigma`: N, for an outcome at N standard deviations instead of the median; it and
    `confidence_level` may be traced. The others are those of all losses (`Loss`).

    **Returns:** a scalar, to be minimised; infinite, with derivatives of 0, where the signal changes nothing.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.expected_limit(model):.6f}")
    1.068779
    """
    at = point(likelihood, poi, 0.0, params, systematics)
    level, sigma = (jnp.asarray(each, at.problem.start.dtype) for each in (confidence_level, n_sigma))
    found = _walked(at, sigma - ndtri((1 - level) * ndtr(sigma)), (1,), init, minimiser)
    message = (
        f"no expected limit was found: does {likelihood.poi if poi is None else poi!r} change the expected yields?"
    )
    return judged(Outcome(found.length[0], found.vector[0], found.status[0] == End.FOUND, message), throw)


@Loss
def interval_width(
    likelihood: Likelihood,
    parameter: str | None = None,
    *,
    confidence_level: ArrayLike = ONE_SIGMA,
    signal_strength: ArrayLike = 1.0,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
    init: WarmStart | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Outcome:
    """The width, upper end less lower end, of the profile-likelihood interval that is expected for a parameter.

    The Asimov data have a signal of strength `signal_strength`. Bounds of `parameter` do not end the interval: where
    one were met, the width would no longer tell one analysis from another.

    **Arguments:** `parameter`: a name or a component (`"gamma[2]"`), by default the parameter of interest. The others
    are those of `histjax.interval` and of all losses (`Loss`).

    **Returns:** a scalar, to be minimised; infinite where the likelihood never falls to the level.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.interval_width(model):.6f}")
    1.134667
    """
    at = point_for(likelihood, parameter, signal_strength, params, systematics)
    target = jnp.asarray(interval_sigma(confidence_level, IntervalKind.TWO_SIDED), at.problem.start.dtype)
    found = _walked(at, target, (-1, 1), init, minimiser)
    name = likelihood.parameters.component_names[at.place]
    message = f"an end of the interval of {name!r} was not found: does it change the expected yields?"
    return judged(Outcome(jnp.sum(found.length), found.vector[1], jnp.all(found.status == End.FOUND), message), throw)


@eqx.filter_jit
def _walked(
    at: Point, target: Float[Array, ""], signs: tuple[int, ...], init: WarmStart | None, minimiser: Minimiser
) -> Crossings:
    """Where sqrt(-2 Delta ln L) reaches `target`, from the point in the direction of each sign."""
    problem, places = freed(at), jnp.full((len(signs), 1), at.place, jnp.int32)
    data, still = at.data, jax.lax.stop_gradient(problem.start[at.place])
    # the point is the best fit of its own data: one evaluation
    best = solve(at.likelihood, data, problem._replace(trusted=jnp.asarray(True)), minimiser, False)
    profile = Profile(at.likelihood, data, problem, best, best.covariance, minimiser)
    guess = jax.lax.stop_gradient(first_widths(profile, places[0])[0] * target)
    if init is not None:
        before = jnp.abs(jax.lax.stop_gradient(init.vector[at.place]) - still)
        guess = jnp.where(is_usable(init) & (before > 0), before, guess)
    direction = jnp.array(signs, guess.dtype)[:, None]
    ones = jnp.ones(len(signs), guess.dtype)
    return crossings(profile, Rays(still * ones[:, None], direction, target * ones, places, guess * ones))
