"""The Asimov data of a model at a point of its own, and what a loss on them is made of."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from histjax._typing import is_traced
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.fit import fit_problem
from histjax.fitting.problem import Problem
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.model.likelihood import Likelihood
from histjax.model.profiled import ProfiledModel


class WarmStart(eqx.Module):
    """Where the fit behind a loss ended: where the one of the next step may start.

    **Fields:** `vector`: the fitted point, flat, at the tested value or at the limit; `converged`: whether it is one. A
    start that is not is not used, so that the first step, from `WarmStart.of(model)`, is the program of all others.
    """

    vector: Float[Array, "parameters"]
    converged: Bool[Array, ""]

    @classmethod
    def of(cls, likelihood: Likelihood) -> "WarmStart":
        """Nothing is known yet.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> bool(WarmStart.of(model).converged)
        False
        """
        return cls(jnp.asarray(likelihood.parameters.init), jnp.asarray(False))


class Outcome(NamedTuple):
    """The value of a loss and how its last fit ended; `message` tells why where it did not converge."""

    value: Float[Array, ""]
    vector: Float[Array, "parameters"]
    converged: Bool[Array, ""]
    message: str


class Loss:
    """A function of a model that gives a scalar; made from one that gives an `Outcome`.

    **Arguments** that all losses have:

    - `likelihood`: a `Model`, e.g. `model.with_yields({...}).with_variations({...})`, or any other likelihood; its
      numbers may be traced. Parameters that `histjax.profiled` has eliminated have their initial values in the Asimov
      data; densities of HS3 that are not extended expect as many events as their data have.
    - `poi`: the parameter of interest, by default the likelihood's own.
    - `params`: where the Asimov data are made, values by name or the result of a fit (of a control region, say); by
      default at the initial values. The parameter of interest is set by the loss.
    - `systematics`: without them, all parameters with a constraint term are held there; free ones are still fitted.
    - `init`: the `WarmStart` of a step before. What its fit is the start of is trusted: other minima are not looked
      for.
    - `minimiser`: as for `fit`.
    - `throw`: raise `FailedFit` where a fit did not converge. Inside a trace nothing is raised: `warm` tells.

    The value is that of the Asimov data: the median of what is expected, to first order.
    """

    def __init__(self, function: Callable[..., Outcome]):
        functools.update_wrapper(self, function)
        self.outcome = function

    def __call__(self, likelihood: Likelihood, *args, **settings) -> Float[Array, ""]:
        """The loss, `()`."""
        return self.outcome(likelihood, *args, **settings).value

    def warm(self, likelihood: Likelihood, *args, init: WarmStart, **settings) -> tuple[Float[Array, ""], WarmStart]:
        """The loss, with where its fit ended: for `jax.value_and_grad(..., has_aux=True)`.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> loss = histjax.losses.expected_log_cls
        >>> value, start = loss.warm(model, init=WarmStart.of(model))
        >>> again, start = loss.warm(model, init=start)
        >>> print(f"{value:.6f} {again:.6f}", bool(start.converged))
        -2.717967 -2.717967 True
        """
        outcome = self.outcome(likelihood, *args, init=init, **settings)
        return outcome.value, WarmStart(*jax.lax.stop_gradient((outcome.vector, outcome.converged)))


class Point(NamedTuple):
    """A likelihood with the point at which its Asimov data are made: `problem.start`; `place` of the parameter in
    question.
    """

    likelihood: Likelihood
    problem: Problem
    place: int

    @property
    def data(self):
        """The Asimov data, flat; no point describes them better than this one."""
        return self.likelihood.asimov_flat(self.problem.start)


def point(
    likelihood: Likelihood,
    poi: str | None,
    value: ArrayLike,
    params: Mapping[str, ArrayLike] | FitResult | None,
    systematics: bool,
) -> Point:
    """The point with the parameter of interest at `value`, where it is free; raises `MissingPOI`, `UnknownName`."""
    name = poi_name(likelihood, poi)
    return Point(likelihood, _problem(likelihood, {name: value}, params, systematics), _place(likelihood, name))


def point_for(
    likelihood: Likelihood,
    parameter: str | None,
    value: ArrayLike,
    params: Mapping[str, ArrayLike] | FitResult | None,
    systematics: bool,
) -> Point:
    """The point with the likelihood's parameter of interest at `value`, if it has one, and another one in question."""
    at_value = {} if likelihood.poi is None else {likelihood.poi: value}
    name = poi_name(likelihood, parameter)
    return Point(likelihood, _problem(likelihood, at_value, params, systematics), _place(likelihood, name))


def _place(likelihood: Likelihood, name: str) -> int:
    return likelihood.parameters.place(name)


def _problem(likelihood: Likelihood, at_value: Mapping, params, systematics: bool) -> Problem:
    if not systematics and isinstance(likelihood, ProfiledModel):
        raise InvalidModel(
            "eliminated parameters cannot be held: for systematics=False give the model itself, `profile.model`"
        )
    parameters = likelihood.parameters
    problem = fit_problem(parameters, at_value, {} if params is None else params, {})
    held = parameters.fixed if systematics else parameters.fixed | parameters.constrained
    return jax.tree.map(jnp.asarray, problem._replace(fixed=held, trusted=np.array(False)))


def freed(at: Point) -> Problem:
    """The problem with the parameter in question free and without bounds."""
    place, problem = at.place, at.problem
    lower, upper = problem.lower.at[place].set(-jnp.inf), problem.upper.at[place].set(jnp.inf)
    return problem._replace(lower=lower, upper=upper, fixed=problem.fixed.at[place].set(False))


def started(at: Point, value: ArrayLike, init: WarmStart | None) -> Problem:
    """The problem with the parameter in question held at `value`, started from `init` where that is usable."""
    problem, place = at.problem, at.place
    fixed = problem.fixed.at[place].set(True)
    start = problem.start.at[place].set(jnp.asarray(value, problem.start.dtype))
    if init is None:
        return problem._replace(start=start, fixed=fixed)
    usable = is_usable(init)
    inside = jnp.clip(jax.lax.stop_gradient(init.vector), problem.lower, problem.upper)
    start = jnp.where(fixed | ~usable, start, jnp.where(usable, inside, 0.0))
    return problem._replace(start=start, fixed=fixed, trusted=usable)


def is_usable(init: WarmStart) -> Bool[Array, ""]:
    """Whether there is anything to start from."""
    return init.converged & jnp.all(jnp.isfinite(init.vector))


def judged(outcome: Outcome, throw: bool) -> Outcome:
    """The outcome; raises `FailedFit` where its fit did not converge, outside a trace."""
    if throw and not is_traced(outcome.converged) and not np.all(outcome.converged):
        raise FailedFit(outcome.message, outcome)
    return outcome
