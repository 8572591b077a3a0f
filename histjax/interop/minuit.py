"""iminuit on a likelihood of ours: its algorithms, our values, gradients and Hessians."""

import warnings
from collections.abc import Mapping

import equinox as eqx
import jax
import numpy as np
from jax.typing import ArrayLike

from histjax._typing import is_traced
from histjax.fitting.fit import CERTIFIED_EDM, fit_problem
from histjax.fitting.result import FitResult
from histjax.model.likelihood import Likelihood


def minuit(
    likelihood: Likelihood,
    data=None,
    *,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    hessian: bool = False,
):
    """An `iminuit.Minuit` that is ready for `migrad()`, `hesse()` and `minos()`.

    It minimises the deviance, -2 ln L + 2 ln L(saturated), so that `fval` is `FitResult.deviance` and an increase of 1
    (`errordef`) is one standard deviation. The gradient is exact. Names are those of the components (`"mu"`,
    `"gamma[2]"`), first steps are prefit widths, and `tol` asks for the EDM at which `histjax.fit` certifies a minimum.

    **Arguments:** as for `histjax.fit`. A fixed parameter has no limits, since Minuit would move its value inside.

    - `hessian`: give it the exact Hessian, too. HESSE then needs one call instead of the square of the number of
      parameters. But Minuit2 leaves out what the curvature of its transformation of limited variables adds to it, and
      calls a minimum on a limit invalid: only for minima inside all limits.

    Of variables with limits, `covariance` compares with ours; `errors` are wider or narrower by the transformation
    (alpha between -5 and 5: 0.7 %). On a limit neither means anything.

    **Raises:** `ImportError` where iminuit is not installed; `ValueError` inside a trace; otherwise as `histjax.fit`.

    >>> import histjax
    >>> from histjax.interop.minuit import minuit
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> found = minuit(model, fixed={"mu": 1.0}).migrad()
    >>> found.valid, f"{found.values['uncorr_bkguncrt[1]']:.6f}"
    (True, '0.875536')
    """
    data = likelihood.ravel_data(likelihood.data if data is None else data)
    problem = fit_problem(likelihood.parameters, fixed or {}, init or {}, bounds or {})
    if is_traced(likelihood, data, problem):
        raise ValueError("minuit works outside a trace; inside one use histjax.fit")

    def deviance(x):
        return 2 * float(_value(likelihood, data, x))

    def gradient(x):
        return 2 * np.asarray(_gradient(likelihood, data, x))

    def curvature(x):
        return 2 * np.asarray(_hessian(likelihood, data, x))

    names = likelihood.parameters.component_names
    start = np.where(problem.fixed, problem.start, np.clip(problem.start, problem.lower, problem.upper))
    second = dict(hessian=curvature, g2=lambda x: np.diagonal(curvature(x))) if hessian else {}
    with warnings.catch_warnings():
        # "passing g2 has no effect": without it iminuit 2.33 ends in a TypeError where Minuit2 asks for the diagonal
        warnings.filterwarnings("ignore", "hessian overrides g2")
        found = _class()(deviance, start, grad=gradient, name=names, **second)
    found.errordef, found.tol = 1.0, CERTIFIED_EDM / EDM_PER_TOLERANCE
    found.errors = np.where(problem.spread > 0, problem.spread, 1.0)
    found.limits = [
        (None, None) if held else (low, high)
        for held, low, high in zip(problem.fixed, problem.lower, problem.upper, strict=True)
    ]
    found.fixed = problem.fixed
    return found


EDM_PER_TOLERANCE = 0.002
"""MIGRAD stops at an EDM of this times `tol` times `errordef` (Minuit2's documentation)."""


def _class():
    try:
        from iminuit import Minuit
    except ImportError as error:
        raise ImportError("this needs iminuit: install it with pip install 'histjax[minuit]'") from error
    return Minuit


@eqx.filter_jit
def _value(likelihood, data, x):
    return likelihood.nll(x, data)


@eqx.filter_jit
def _gradient(likelihood, data, x):
    return jax.grad(likelihood.nll)(x, data)


@eqx.filter_jit
def _hessian(likelihood, data, x):
    return likelihood.nll_derivatives(x, data)[2]
