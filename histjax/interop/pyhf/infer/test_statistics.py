"""Test statistics, with pyhf's arguments and return values.

Each is what its definition says, whatever bounds the model puts on the parameter of interest (`histjax.inference`): qmu
and tmu let the best fit go below 0, which in pyhf depends on `par_bounds`.
"""

from histjax.fitting.newton import Newton
from histjax.inference import statistics
from histjax.inference.statistics import Statistic, observed_fits
from histjax.interop.pyhf.infer.utils import tested_value
from histjax.interop.pyhf.vectors import data_of, poi_of, settled, shown


def qmu(mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False):
    """q_mu (arXiv:1007.1727, equation 14), shape `()`.

    With `return_fitted_pars` also `(parameters at mu, best-fit parameters)`. **Raises:** `MissingPOI`, `FailedFit`.
    """
    return _value(statistics.qmu, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def qmu_tilde(mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False):
    """q~_mu (equation 16); otherwise as `qmu`.

    >>> from histjax.interop.pyhf import simplemodels
    >>> model = simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    >>> qmu_tilde(1.0, [51.0, 48.0, *model.config.auxdata], model).round(6)
    np.float64(3.938245)
    """
    return _value(statistics.qmu_tilde, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def tmu(mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False):
    """t_mu (equation 8); otherwise as `qmu`."""
    return _value(statistics.tmu, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def tmu_tilde(mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False):
    """t~_mu (equation 11); otherwise as `qmu`."""
    return _value(statistics.tmu_tilde, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def q0(mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False):
    """q_0 (equation 12); otherwise as `qmu`. **Warns:** `HistjaxWarning` for another `mu` than 0: it is taken as 0."""
    return _value(statistics.q0, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def _value(statistic: Statistic, mu, data, pdf, settings: tuple, return_fitted_pars: bool):
    model, mu = settled(pdf, *settings), tested_value(statistic, mu)
    poi = poi_of(pdf, model)
    fits = observed_fits(model, data_of(pdf, data), poi, mu, statistic, Newton(), with_zero=statistic.bounded)
    best = fits.free.vector[model.parameters.place(poi)]
    value = shown(statistic.of_fits(mu, best, fits.deviances))
    return (value, (shown(fits.at_poi.vector), shown(fits.free.vector))) if return_fitted_pars else value
