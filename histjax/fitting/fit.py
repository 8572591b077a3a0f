"""`fit`: the best-fit point of a likelihood for a dataset."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import is_traced, on_host, replaced
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.arrow import factorised, scaled
from histjax.fitting.diagnosis import diagnose
from histjax.fitting.implicit import minimum, with_curvature
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser, Problem, active
from histjax.fitting.result import FitResult, Status
from histjax.model.curvature import Curvature, Structure
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters

CERTIFIED_EDM = 1e-8
"""Largest EDM (in units of twice the negative log likelihood) of a fit that is called converged."""


def fit(
    likelihood: Likelihood,
    data=None,
    *,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
    differentiable_hessian: bool = True,
) -> FitResult:
    """Maximise the likelihood.

    **Arguments:**

    - `likelihood`, `data`: any `Likelihood` and a dataset of its kind; the likelihood's own data by default.
    - `fixed`: values of parameters to hold, by name (`{"mu": 1.0}`, also one component: `{"gamma[2]": 1.0}`), besides
      those that the measurement fixes. A fixed value may lie outside the bounds.
    - `init`: starting values of some or all parameters by name, or the result of a fit nearby. A result is trusted to
      lie in the right valley: the minimiser does not look for others.
    - `bounds`: `{name: (lower, upper)}` in place of the model's bounds.
    - `minimiser`: `Newton()`, or `LBFGS()` and other `Optax(...)` where second derivatives are too dear.
    - `differentiable_hessian`: whether derivatives with respect to the model reach covariance and uncertainties;
      without it a derivative of the fit compiles in a third of the time.
    - `throw`: raise `FailedFit` with the text of `diagnose` where the fit did not converge; inside a trace nothing is
      raised and `status` tells.

    Values may be traced: a scan over `fixed` values, bounds or starting points is one executable, and so is another
    choice of fixed parameters. The result is differentiable with respect to likelihood, data and fixed values.

    **Raises:** `FailedFit`, `UnknownName` for a parameter that is not there, `InvalidModel` for a wrong shape or
    crossed bounds.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.fit(model, model.data, fixed={"mu": 1.0})
    >>> print(f"{result.twice_nll:.6f}", bool(result.converged))
    28.922180 True
    """
    data = likelihood.data if data is None else data
    problem = fit_problem(likelihood.parameters, fixed or {}, init or {}, bounds or {})
    # outside a trace nothing is differentiated, and both choices are one program
    wanted = differentiable_hessian and is_traced(likelihood, data, problem)
    result = solve(likelihood, likelihood.ravel_data(data), problem, minimiser, wanted)
    if throw and not is_traced(result.status) and not np.all(result.converged):
        raise FailedFit(str(diagnose(likelihood, data, result)), result)
    return result


def fit_problem(parameters: Parameters, fixed: Mapping, init: Mapping | FitResult, bounds: Mapping) -> Problem:
    """Start, bounds and fixed mask as flat vectors; on the host unless a value is traced."""
    start, lower, upper, mask = (
        on_host(x) for x in (parameters.init, parameters.lower, parameters.upper, parameters.fixed)
    )
    trusted = isinstance(init, FitResult)
    if trusted:
        start, init = on_host(init.vector), {}
    for name, value in init.items():
        start = _assign(start, parameters, name, value)
    for name, (low, high) in bounds.items():
        lower, upper = _assign(lower, parameters, name, low), _assign(upper, parameters, name, high)
    for name, value in fixed.items():
        start, mask = _assign(start, parameters, name, value), _assign(mask, parameters, name, True)
    if not is_traced(lower, upper) and np.any(lower > upper):
        crossed = parameters.component_names[int(np.argmax(lower > upper))]
        raise InvalidModel(f"the lower bound of {crossed!r} is above its upper bound")
    return Problem(start, lower, upper, mask, _spread(parameters), np.array(trusted))


def _assign(vector, parameters: Parameters, name: str, value):
    place = parameters.index(name)
    size = place.stop - place.start
    if np.size(value) not in (1, size):
        raise InvalidModel(f"parameter {name!r} has {size} components, found a value of shape {np.shape(value)}")
    return replaced(vector, place, jnp.reshape(value, -1) if is_traced(value) else np.reshape(value, -1))


def _spread(parameters: Parameters):
    """How far a restart is displaced: a prefit width, most of the initial value of a free parameter, or, where a
    function may have minima anywhere, half of the range that the model gives the parameter.
    """
    widths, init, lower, upper = (
        on_host(x) for x in (parameters.widths, parameters.init, parameters.lower, parameters.upper)
    )
    xp = jnp if is_traced(widths, init, lower, upper) else np
    spread = xp.where(xp.isnan(widths), xp.where(init == 0, 1.0, 0.75 * xp.abs(init)), widths)
    half = 0.5 * (upper - lower)
    return xp.where(np.array(parameters.in_functions, bool) & xp.isfinite(half), half, spread)


@eqx.filter_jit
def solve(
    likelihood: Likelihood, data, problem: Problem, minimiser: Minimiser, differentiable_hessian: bool
) -> FitResult:
    """Minimise and certify, for flat `data`: one program for every choice of start, bounds, fixed parameters and data.

    Where nobody asks for derivatives of uncertainties, their program can be spared: `differentiable_hessian`.
    """
    problem = jax.tree.map(jnp.asarray, problem)
    found = minimum(likelihood, data, problem, minimiser)
    if differentiable_hessian:
        found = with_curvature(likelihood, data, found)
    held = active(problem, found)
    edm, kkt, is_definite, is_flat = certificate(likelihood.structure, found.curvature, found.gradient, held)
    capped = found.iterations >= minimiser.max_iterations
    unfinished = jnp.where(capped, Status.MAX_ITERATIONS, Status.STALLED)
    verdicts = [
        (~jnp.isfinite(found.value), Status.NOT_FINITE),
        (likelihood.is_impossible(found.x, data), Status.IMPOSSIBLE),
        (~(is_definite | is_flat), jnp.where(capped, Status.MAX_ITERATIONS, Status.SADDLE)),
        (~jnp.isfinite(edm) | (edm > CERTIFIED_EDM), unfinished),
        (is_flat, Status.FLAT),
    ]
    conditions, statuses = zip(*verdicts, strict=True)
    margin = 1e-10 * jnp.where(problem.spread > 0, problem.spread, 1.0)
    return FitResult(
        vector=found.x,
        twice_nll=2 * (found.value - likelihood.saturated_logpdf(data)),
        deviance=2 * found.value,
        edm=edm,
        kkt=kkt,
        status=jnp.select(conditions, statuses, Status.CONVERGED).astype(jnp.int32),
        n_iterations=found.iterations,
        fixed=problem.fixed,
        active=held & ~problem.fixed,
        on_bound=~problem.fixed & ((found.x - problem.lower <= margin) | (problem.upper - found.x <= margin)),
        gradient=found.gradient,
        structure=likelihood.structure,
        curvature=found.curvature,
        parameters=likelihood.parameters,
    )


def certificate(structure: Structure, curvature: Curvature, gradient: Float[Array, "parameters"], held: Array):
    """EDM (of twice the negative log likelihood), KKT residual, and whether the free Hessian is definite or flat.

    Both verdicts are on the Hessian scaled to unit diagonal: *definite* if it stays positive definite when 1e-9 is
    taken off its diagonal, *flat* if not that but positive definite with 1e-9 added.
    """
    system = scaled(structure, curvature, held)
    slope = jnp.where(held, 0.0, gradient) / system.scale
    margin = 1e-9 if slope.dtype == jnp.float64 else 1e-4
    is_definite, factor = factorised(system, -margin).exists, factorised(system, margin)
    is_flat = ~is_definite & factor.exists
    edm = jnp.where(factor.exists, slope @ factor.solve(slope), jnp.nan)
    return edm, jnp.max(jnp.abs(slope), initial=0.0), is_definite, is_flat
