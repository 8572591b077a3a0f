"""Conditional fits around a best fit: what scans, intervals, contours and rankings are made of."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced, on_host, replaced
from histjax.fitting.fit import fit, fit_problem, solve
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser, Problem
from histjax.fitting.result import FitResult, Status
from histjax.model.likelihood import Likelihood


class ConditionalFits(NamedTuple):
    """What is kept of many conditional fits, one on each place of the leading axis `fits`."""

    vector: Float[Array, "fits parameters"]
    deviance: Float[Array, "fits"]
    gradient: Float[Array, "fits parameters"]
    edm: Float[Array, "fits"]
    status: Int[Array, "fits"]

    @classmethod
    def of(cls, result: FitResult) -> "ConditionalFits":
        """What is kept of one."""
        return cls(result.vector, result.deviance, result.gradient, result.edm, result.status)

    @property
    def converged(self) -> Bool[Array, "fits"]:
        """Which of them are minima to within their certificate."""
        return self.status <= Status.FLAT


class Profile(NamedTuple):
    """A likelihood and a dataset with their best fit, to be fitted again with some components held.

    **Fields:** `data` is flat; `problem` has bounds and fixed components of the free fit, whose result is `best`;
    `covariance` is the one of `best`, on the host where its values are known.

    Every conditional fit is the program of the free fit: nothing is compiled for another component, another number of
    held components, other values or a masked channel.
    """

    likelihood: Likelihood
    data: object
    problem: Problem
    best: FitResult
    covariance: Float[Array, "parameters parameters"]
    minimiser: Minimiser

    @classmethod
    def of(
        cls,
        likelihood: Likelihood,
        data=None,
        *,
        fixed: Mapping[str, ArrayLike] | None = None,
        init: Mapping[str, ArrayLike] | FitResult | None = None,
        bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
        minimiser: Minimiser = Newton(),
        throw: bool = True,
        differentiable_hessian: bool = False,
    ) -> "Profile":
        """Fit freely; arguments as for `histjax.fit`."""
        data = likelihood.ravel_data(likelihood.data if data is None else data)
        fixed, bounds = fixed or {}, bounds or {}
        settings = dict(fixed=fixed, bounds=bounds, minimiser=minimiser, throw=throw)
        best = fit(likelihood, data, init=init, **settings, differentiable_hessian=differentiable_hessian)
        problem = fit_problem(likelihood.parameters, fixed, best, bounds)
        return cls(likelihood, data, problem, best, on_host(best.covariance), minimiser)

    def refitted(self, start: Float[Array, "parameters"]) -> "Profile":
        """The same around another best fit: the one that a free descent from `start` ends in."""
        inside = np.where(self.problem.fixed, self.problem.start, start)
        best = solve(self.likelihood, self.data, self.problem._replace(start=inside), self.minimiser, False)
        problem = self.problem._replace(start=on_host(best.vector))
        return self._replace(problem=problem, best=best, covariance=on_host(best.covariance))

    def predicted(self, place: int | Int[Array, ""], value: Float[Array, ""]) -> Float[Array, "parameters"]:
        """Where the conditional best fit with one component at `value` would be if the likelihood were Gaussian."""
        best, covariance = on_host(self.best.vector), self.covariance
        xp = jnp if is_traced(best, covariance, place, value) else np
        column = xp.asarray(covariance)[:, place]
        best = xp.asarray(best)
        variance = column[place]
        usable = xp.isfinite(variance) & (variance > 0)
        direction = xp.where(xp.isfinite(column) & usable, column / xp.where(usable, variance, 1.0), 0.0)
        moved = xp.clip(best + direction * (value - best[place]), self.problem.lower, self.problem.upper)
        return replaced(xp.where(self.problem.fixed, best, moved), place, value)

    def at(
        self,
        places: Int[Array, "held"],
        values: Float[Array, "held"],
        start: Float[Array, "parameters"] | None = None,
    ) -> FitResult:
        """The conditional fit with the components `places` held at `values`.

        It starts from the vector `start`, by default from the best fit.
        """
        start = replaced(self.problem.start if start is None else on_host(start), places, values)
        mask = replaced(self.problem.fixed, places, True)
        problem = self.problem._replace(start=start, fixed=mask)
        return solve(self.likelihood, self.data, problem, self.minimiser, False)

    def each(
        self,
        places: Int[Array, "fits held"],
        values: Float[Array, "fits held"],
        starts: Float[Array, "fits parameters"],
    ) -> ConditionalFits:
        """Many conditional fits, one after the other: a loop over one program, inside a trace part of that trace."""

        def one(each):
            return ConditionalFits.of(self.at(*each))

        given = places, values, starts
        if is_traced(self, given):
            return jax.lax.map(one, jax.tree.map(jnp.asarray, given))
        found = [jax.device_get(one(each)) for each in zip(*given, strict=True)]
        return jax.tree.map(lambda *parts: np.stack(parts), *found)
