"""Maximum likelihood fits, with pyhf's arguments and return values."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from histjax._typing import is_traced
from histjax.fitting.fit import fit as fit_likelihood
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.interop.pyhf.vectors import data_of, number, refuse_unknown, settled, shown


@dataclass(frozen=True, eq=False)
class OptimizeResult:
    """A fit as pyhf's optimisers describe it: values `x`, `fun` = -2 ln L, uncertainties `unc` and correlation matrix
    `corr` from the exact Hessian (0 for held components); `fit` is the `histjax.FitResult`, with its certificate.
    """

    x: object
    fun: object
    unc: object
    corr: object
    success: object
    message: str
    nit: object
    fit: FitResult


def twice_nll(pars, data, pdf):
    """-2 ln L, shape `(1,)`, all constants included.

    >>> from histjax.interop.pyhf import simplemodels
    >>> model = simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    >>> twice_nll([1.0, 1.0, 1.0], [51.0, 48.0, *model.config.auxdata], model).round(6)
    array([30.775254])
    """
    return -2 * pdf.logpdf(pars, data)


def fit(
    data,
    pdf,
    init_pars=None,
    par_bounds=None,
    fixed_params=None,
    *,
    return_fitted_val: bool = False,
    return_result_obj: bool = False,
    return_uncertainties: bool = False,
    return_correlations: bool = False,
    **options,
):
    """The best-fit parameters, `(parameters,)`.

    **Arguments:**

    - `data`, `pdf`: flat data and a `Model`.
    - `init_pars`, `par_bounds`, `fixed_params`: in the order of `config.par_names`, in place of the model's settings;
      components may be held one by one.
    - `return_uncertainties`: the parameters become `(parameters, 2)`, values and uncertainties.
    - `return_correlations`, `return_fitted_val`, `return_result_obj`: return, in this order and after the parameters,
      the correlation matrix, -2 ln L, an `OptimizeResult`.
    - `options`: options of pyhf's optimisers change nothing.

    **Raises:** `FailedFit`; `InvalidModel` for lists that do not fit the model; `UnknownName` for an unknown option.
    """
    refuse_unknown(options)
    model = settled(pdf, init_pars, par_bounds, fixed_params)
    wanted = return_fitted_val, return_result_obj, return_uncertainties, return_correlations
    return _returned(fit_likelihood(model, data_of(pdf, data)), *wanted)


def fixed_poi_fit(
    poi_val,
    data,
    pdf,
    init_pars=None,
    par_bounds=None,
    fixed_params=None,
    *,
    return_fitted_val: bool = False,
    return_result_obj: bool = False,
    return_uncertainties: bool = False,
    return_correlations: bool = False,
    **options,
):
    """The best fit with the parameter of interest held at `poi_val`; see `fit`.

    A value outside the bounds of the parameter is allowed. **Raises:** `MissingPOI`, and as `fit`.
    """
    refuse_unknown(options)
    model = settled(pdf, init_pars, par_bounds, fixed_params)
    fixed = {poi_name(model, pdf.config.poi_name): number(poi_val)}
    wanted = return_fitted_val, return_result_obj, return_uncertainties, return_correlations
    return _returned(fit_likelihood(model, data_of(pdf, data), fixed=fixed), *wanted)


def _returned(result: FitResult, fitted_val: bool, result_obj: bool, uncertainties: bool, correlations: bool):
    described = described_fit(result) if result_obj or uncertainties or correlations else None
    values = shown(result.vector)
    if uncertainties:
        values = (jnp if is_traced(values) else np).stack([values, described.unc], axis=1)
    parts = [values]
    parts += [described.corr] if correlations else []
    parts += [shown(result.twice_nll)] if fitted_val else []
    parts += [described] if result_obj else []
    return tuple(parts) if len(parts) > 1 else values


def described_fit(result: FitResult) -> OptimizeResult:
    """A fit in pyhf's words: what was held by request is correlated with nothing, not even with itself."""
    message = "" if is_traced(result.status) else result.message
    unc, free = result.parameters.ravel(result.uncertainty), ~result.fixed
    corr = result.correlation * (free[:, None] & free[None, :])
    arrays = (shown(x) for x in (result.vector, result.twice_nll, unc, corr, result.converged))
    return OptimizeResult(*arrays, message, shown(result.n_iterations), result)
