"""Fits and Asimov data on flat vectors, which is what Spey gives and takes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.diagnosis import diagnose
from histjax.fitting.fit import fit_problem, solve
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Problem
from histjax.fitting.result import FitResult
from histjax.model.likelihood import Likelihood


class Settings(NamedTuple):
    """Where a fit starts, `(parameters,)`, and its bounds, pairs for all parameters; `None` for the model's own."""

    init: Sequence[float] | None = None
    bounds: Sequence[tuple[float | None, float | None]] | None = None

    @property
    def key(self) -> tuple:
        """The same for equal numbers."""
        bounds = None if self.bounds is None else tuple(map(tuple, self.bounds))
        return None if self.init is None else tuple(np.ravel(self.init).tolist()), bounds


class Fits:
    """The fits of one likelihood. What is given is never changed, and the answer does not depend on earlier calls.

    **Arguments:** `likelihood`, and the flat index of its parameter of interest.
    """

    def __init__(self, likelihood: Likelihood, poi_index: int):
        self.likelihood = likelihood
        self.poi_index = poi_index
        self._problem = fit_problem(likelihood.parameters, {}, {}, {})
        self._asimov: dict[tuple, Array] = {}

    def conditional(self, data, values: Mapping[int, float], settings: Settings) -> FitResult:
        """The best fit with some parameters held, `{flat index: value}`; a value may lie outside the bounds.

        **Raises:** `FailedFit`.
        """
        return self._solved(data, _held(self._given(settings), values))

    def free(self, data, lower: float, settings: Settings, values: Mapping[int, float]) -> FitResult:
        """The best fit with the parameter of interest above `lower`, and no upper bound on it but one that is given;
        `values` are held.

        **Raises:** `FailedFit`.
        """
        problem = self._given(settings)
        if settings.bounds is None:
            problem.lower[self.poi_index], problem.upper[self.poi_index] = lower, np.inf
        return self._solved(data, _held(problem, values))

    def asimov(self, name: str, data, poi_value: float, settings: Settings) -> Array:
        """Flat data expected at the best fit of `data` with the parameter of interest at a value.

        They are kept under the `name` of the data: each tested value asks for the same ones again.
        """
        key = name, poi_value, settings.key
        if key not in self._asimov:
            at = self.conditional(data, {self.poi_index: poi_value}, settings)
            self._asimov[key] = self.likelihood.expected_flat(at.vector)
        return self._asimov[key]

    def _given(self, settings: Settings) -> Problem:
        """A problem of one's own, to be written to."""
        problem = Problem(*(np.array(each) for each in self._problem))
        if settings.init is not None:
            problem.start[:] = self.vector("init_pars", settings.init)
        if settings.bounds is not None:
            problem.lower[:], problem.upper[:] = self._limits(settings.bounds)
        return problem

    def _limits(self, bounds: Sequence) -> tuple[np.ndarray, np.ndarray]:
        if len(bounds) != self._problem.start.size or any(len(pair) != 2 for pair in bounds):
            raise InvalidModel(
                f"par_bounds: expected {self._problem.start.size} pairs (lower, upper), found {bounds!r}"
            )
        lower = np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float)
        upper = np.array([np.inf if high is None else high for _, high in bounds], dtype=float)
        if np.any(lower > upper):
            crossed = self.likelihood.parameters.component_names[int(np.argmax(lower > upper))]
            raise InvalidModel(f"par_bounds: the lower bound of {crossed!r} is above its upper bound")
        return lower, upper

    def vector(self, name: str, values) -> np.ndarray:
        """Values of all parameters as a flat array; raises `InvalidModel` where there are more or fewer."""
        vector = np.array(values, dtype=self._problem.start.dtype)
        if vector.shape != self._problem.start.shape:
            raise InvalidModel(
                f"{name}: expected the values of {self._problem.start.size} parameters, found shape {vector.shape}"
            )
        return vector

    def _solved(self, data, problem: Problem) -> FitResult:
        result = solve(self.likelihood, jnp.asarray(data), problem, Newton(), False)
        if not bool(result.converged):
            raise FailedFit(str(diagnose(self.likelihood, jnp.asarray(data), result)), result)
        return result


def _held(problem: Problem, values: Mapping[int, float]) -> Problem:
    """The problem with some parameters held; it is written to."""
    for index, value in values.items():
        problem.start[index], problem.fixed[index] = value, True
    return problem
