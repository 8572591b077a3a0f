"""Several starts: which minima a likelihood has, and how far above the lowest they lie."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray

from histjax._typing import is_traced
from histjax.errors import FailedFit
from histjax.fitting.diagnosis import diagnose
from histjax.fitting.fit import fit_problem, solve
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser, Problem
from histjax.fitting.result import FitResult
from histjax.model.likelihood import Likelihood

DISTINCT = 0.1
"""Minima that differ by more, in post-fit standard deviations of some component, are two."""


class Minima(NamedTuple):
    """The distinct minima that were found, the lowest first.

    **Fields:**

    - `fits`: the certified fit of each minimum.
    - `delta`: `(minima,)`, -2 ln L above the lowest one.
    - `n_found`: how many starts ended in each.
    - `n_starts`, `n_failed`, `n_above`: how many starts there were, how many ended without a certificate, and how many
      in a minimum more than `within` above the lowest.
    - `differences`: for each minimum the component that differs most from the lowest, in words; empty for the lowest.
    """

    fits: tuple[FitResult, ...]
    delta: Float[Array, "minima"]
    n_found: tuple[int, ...]
    n_starts: int
    n_failed: int
    n_above: int
    within: float
    differences: tuple[str, ...]

    def __str__(self) -> str:
        from histjax.fitting.printing import minima_table  # printing knows results, not the other way round

        return minima_table(self)

    __repr__ = __str__


def find_minima(
    likelihood: Likelihood,
    data=None,
    *,
    key: PRNGKeyArray,
    n_starts: int = 16,
    within: float = 10.0,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Minima:
    """Fit from many starting points and report the distinct minima.

    The first start is the one that `fit` would take; the others are drawn around it with twice the prefit widths (a
    parameter without a width: 1.5 times its initial value), inside the bounds. Each is one descent of the program
    that `fit` runs, so nothing is compiled anew. There is no promise that all minima are found.

    **Arguments:**

    - `key`: of `jax.random`; one key, one answer.
    - `n_starts`: how many starting points, the first included.
    - `within`: minima further above the lowest, in -2 ln L, are counted but not reported.
    - `throw`: raise `FailedFit` where no start led to a certified minimum.
    - the others as for `fit`.

    Two fits are the same minimum if no component differs by more than a tenth of its post-fit standard deviation;
    along a flat direction this is always so.

    **Raises:** as `fit`; `ValueError` inside a trace, since the number of minima is not known there.

    >>> import histjax, jax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> minima = histjax.find_minima(model, key=jax.random.key(0), n_starts=4)
    >>> len(minima.fits), minima.n_found, minima.n_failed
    (1, (4,), 0)
    """
    data = likelihood.data if data is None else data
    problem = fit_problem(likelihood.parameters, fixed or {}, init or {}, bounds or {})
    if is_traced(likelihood, data, problem, key) or n_starts < 1:
        raise ValueError("find_minima works outside a trace, with at least one start; inside one use fit(init=...)")
    flat, trusted = likelihood.ravel_data(data), np.array(True)
    fits = [
        solve(likelihood, flat, problem._replace(start=start, trusted=trusted), minimiser, False)
        for start in starting_points(key, problem, n_starts)
    ]
    if throw and not any(bool(each.converged) for each in fits):
        raise FailedFit(f"none of {n_starts} starts led to a minimum: {diagnose(likelihood, data, fits[0])}", fits[0])
    return sorted_out(fits, problem, within)


def starting_points(key: PRNGKeyArray, problem: Problem, n_starts: int) -> Float[Array, "starts parameters"]:
    """The given start, and points of a normal distribution around it, two spreads wide and cut at the bounds."""
    start, lower, upper = (np.asarray(each) for each in (problem.start, problem.lower, problem.upper))
    width = np.where(problem.spread > 0, 2 * problem.spread, 1.0)
    centre = np.clip(start, lower, upper)
    shape = (n_starts - 1, start.size)
    low, high = (lower - centre) / width, (upper - centre) / width
    normal = np.asarray(jax.random.truncated_normal(key, low, high, shape, start.dtype))
    drawn = np.where(problem.fixed, start, np.clip(centre + width * normal, lower, upper))
    return np.concatenate([start[None], drawn])


def sorted_out(fits: list[FitResult], problem: Problem, within: float) -> Minima:
    """The distinct certified fits within `within` of the lowest."""
    certified = sorted((each for each in fits if bool(each.converged)), key=lambda each: float(each.deviance))
    distinct: list[FitResult] = []
    counts: list[int] = []
    for each in certified:
        same = [i for i, other in enumerate(distinct) if np.max(distances(each, other, problem), initial=0) <= DISTINCT]
        if same:
            counts[same[0]] += 1
        else:
            distinct.append(each)
            counts.append(1)
    delta = np.array([float(each.deviance - distinct[0].deviance) for each in distinct])
    n = int(np.sum(delta <= within))
    return Minima(
        fits=tuple(distinct[:n]),
        delta=delta[:n],
        n_found=tuple(counts[:n]),
        n_starts=len(fits),
        n_failed=len(fits) - len(certified),
        n_above=sum(counts[n:]),
        within=within,
        differences=tuple(_difference(each, distinct[0], problem) for each in distinct[:n]),
    )


def distances(one: FitResult, other: FitResult, problem: Problem) -> Float[Array, "parameters"]:
    """How far apart two minima are, component by component, in the larger of the two post-fit standard deviations;
    where both are on a bound, in spreads.
    """
    sigmas = [np.sqrt(np.diagonal(np.asarray(each.covariance))) for each in (one, other)]
    sigma = np.maximum(*sigmas)
    scale = np.where(sigma > 0, sigma, np.where(problem.spread > 0, problem.spread, 1.0))
    return np.abs(np.asarray(one.vector) - np.asarray(other.vector)) / scale


def _difference(one: FitResult, lowest: FitResult, problem: Problem) -> str:
    if one is lowest:
        return ""
    apart = distances(one, lowest, problem)
    i = int(np.argmax(apart))
    values = f"{float(one.vector[i]):.4g} instead of {float(lowest.vector[i]):.4g}"
    return f"{one.parameters.component_names[i]}: {values} ({apart[i]:.2g} sigma)"
