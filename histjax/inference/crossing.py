r"""Where CLs crosses a level: the root finding behind `upper_limit`.

Expected limits need no scan: the band of CLs depends on \(\sqrt{q_A}(\mu)\) alone, so that the limit at N sigma is
where \(\sqrt{q_A}(\mu) = -\Phi^{-1}(\alpha \Phi(N)) + N\) (arXiv:1007.1727, equation 89). All six limits are roots of
smooth, almost linear functions of mu whose slopes the envelope theorem gives for free; a safeguarded Newton iteration
finds each in a few conditional fits, every one started from the one before. The bracket grows by itself.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float

from histjax.fitting.implicit import minimum
from histjax.fitting.problem import Minimiser, Problem
from histjax.inference.asymptotic import N_SIGMA, log_p_values, safe_sqrt
from histjax.inference.statistics import Statistic
from histjax.model.likelihood import Likelihood

ROUNDS = 60
TOLERANCE = 1e-9
GROWTH = 3.0
OBSERVED = 5
"""Place of the observed limit among the six; the expected ones come first, in the order of `N_SIGMA`."""


class Question(NamedTuple):
    """What the six limits depend on, differentiably.

    `datasets` are the Asimov data and the data, flat and stacked on a leading axis; `lowest_asimov` and `lowest` are
    their deviances in the denominator of the statistic; `best` is mu-hat; `alpha` is 1 - confidence level.
    """

    likelihood: Likelihood
    datasets: object
    lowest_asimov: Float[Array, ""]
    lowest: Float[Array, ""]
    best: Float[Array, ""]
    alpha: Float[Array, ""]


class Search(NamedTuple):
    """How to look for them: fixed mask and starting points of the conditional fits, a guess of the uncertainty,
    settings.
    """

    problem: Problem
    starts: Float[Array, "2 parameters"]
    scale: Float[Array, ""]
    minimiser: Minimiser
    statistic: Statistic
    place: int


def targets(alpha: Float[Array, ""], dtype) -> Float[Array, "n_sigma"]:
    """The values of sqrt(q_A) at which the expected CLs of the band reach alpha."""
    n_sigma = jnp.asarray(N_SIGMA, dtype)
    return n_sigma - ndtri(alpha * ndtr(n_sigma))


@eqx.filter_custom_jvp
def crossings(question: Question, search: Search) -> tuple[Float[Array, "6"], Bool[Array, "6"]]:
    """The six limits and whether each was found; differentiable with respect to `question`."""
    aims = targets(question.alpha, search.starts.dtype)
    first = search.scale * aims[0]

    def one(carry, index):
        guess, starts = carry
        found, starts, converged = _find(question, search, index, guess, starts)
        aim, next_aim = aims[jnp.minimum(index, 4)], aims[jnp.minimum(index + 1, 4)]
        # the uncertainty that the last limit implies is the first guess of the next
        after = jnp.where(index == OBSERVED - 1, _observed_guess(question, found, aim), found * next_aim / aim)
        after = jnp.where(converged, after, guess)
        return (after, starts), (found, converged)

    _, (values, converged) = jax.lax.scan(one, (first, search.starts), jnp.arange(6))
    return values, converged


@crossings.def_jvp
def _crossings_jvp(primals, tangents):
    question, search = primals
    question_dot, _ = tangents
    values, converged = crossings(question, search)

    def residuals(question):
        return jax.lax.map(
            lambda each: residual(question, search, *each, search.starts, True)[:2], (jnp.arange(6), values)
        )

    (_, slopes), (residuals_dot, _) = eqx.filter_jvp(residuals, (question,), (question_dot,))
    return (values, converged), (-residuals_dot / slopes, None)


def residual(
    question: Question, search: Search, index: Array, mu: Array, starts: Array, differentiable_slope: bool = False
):
    """How far mu is past crossing `index` (negative below the limit), its slope, and the two fitted points."""

    def conditional(each):
        dataset, start, needed = each
        return _profile(question.likelihood, dataset, search, mu, start, needed, differentiable_slope)

    needed = jnp.array([True, False]) | (index == OBSERVED)
    deviance, slope, points = jax.lax.map(conditional, (question.datasets, starts, needed))
    q_asimov = deviance[0] - question.lowest_asimov
    root = safe_sqrt(q_asimov)
    expected = (
        root - targets(question.alpha, mu.dtype)[jnp.minimum(index, 4)],
        slope[0] / (2 * jnp.where(root > 0, root, 1.0)),
    )
    above = question.best > mu
    q = jnp.where(above, 0.0, deviance[1] - question.lowest)

    def log_excess(q, q_asimov):
        log_CLsb, log_CLb = log_p_values(search.statistic, jnp.where(q > 0, q, 0.0), q_asimov)
        return jnp.log(question.alpha) - (log_CLsb - log_CLb)

    observed = jax.jvp(log_excess, (q, q_asimov), (jnp.where(above, 0.0, slope[1]), slope[0]))
    value, steepness = (jnp.where(index == OBSERVED, a, b) for a, b in zip(observed, expected, strict=True))
    return value, steepness, points


def _profile(likelihood: Likelihood, dataset, search: Search, mu, start, needed, differentiable_slope: bool):
    """Deviance at the conditional best fit at mu, its slope (envelope theorem) and the point; not fitted unless
    `needed`.
    """
    problem = search.problem
    start, fixed = start.at[search.place].set(mu), problem.fixed.at[search.place].set(True)
    problem = problem._replace(start=start, fixed=fixed | ~needed)
    found = minimum(likelihood, dataset, problem, search.minimiser)
    slope = found.gradient[search.place]
    if differentiable_slope:
        _, slope = jax.jvp(
            lambda at: likelihood.nll(found.x.at[search.place].set(at), dataset), (mu,), (jnp.ones_like(mu),)
        )
    return 2 * found.value, 2 * slope, found.x


class Bracket(NamedTuple):
    """Where the root finding stands."""

    mu: Float[Array, ""]
    below: Float[Array, ""]
    above: Float[Array, ""]
    starts: Float[Array, "2 parameters"]
    rounds: Array
    done: Bool[Array, ""]


def _find(question: Question, search: Search, index: Array, guess: Array, starts: Array):
    """One crossing from a first guess: Newton steps kept inside a bracket that grows until it holds the root."""

    def narrow(state: Bracket) -> Bracket:
        value, slope, points = residual(question, search, index, state.mu, state.starts)
        below = jnp.where(value < 0, state.mu, state.below)
        above = jnp.where(value < 0, state.above, state.mu)
        step = state.mu - value / jnp.where(slope > 0, slope, 1.0)
        sensible = (slope > 0) & (step > below) & (step < jnp.minimum(above, GROWTH * state.mu))
        retreat = jnp.where(jnp.isfinite(above), 0.5 * (below + above), GROWTH * state.mu)
        mu = jnp.where(sensible, step, retreat)
        done = jnp.abs(mu - state.mu) <= TOLERANCE * jnp.abs(mu)
        return Bracket(mu, below, above, points, state.rounds + 1, done)

    def unfinished(state: Bracket) -> Bool[Array, ""]:
        return ~state.done & (state.rounds < ROUNDS)

    zero = jnp.zeros_like(guess)
    state = Bracket(guess, zero, zero + jnp.inf, starts, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    state = jax.lax.while_loop(unfinished, narrow, state)
    return state.mu, state.starts, state.done


def _observed_guess(question: Question, median_side: Array, aim: Array) -> Float[Array, ""]:
    """The limit that a Gaussian estimator would have: best + sigma Phi^-1(1 - alpha Phi(best / sigma))."""
    sigma = median_side / aim
    best = jnp.clip(question.best / sigma, -8.0, None)
    return sigma * jnp.maximum(best - ndtri(question.alpha * ndtr(best)), 0.1)
