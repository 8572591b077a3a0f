"""Upper limits, with pyhf's arguments and return values."""

import warnings
from collections.abc import Iterable

import numpy as np

from histjax.errors import ImpreciseLimit
from histjax.inference.limits import UpperLimit
from histjax.inference.limits import upper_limit as limits_of
from histjax.interop.pyhf.infer.calculators import BASES, ToyCalculator, create_calculator
from histjax.interop.pyhf.infer.hypotests import hypotest
from histjax.interop.pyhf.infer.utils import statistic_called
from histjax.interop.pyhf.vectors import data_of, poi_of, settled, shown


def upper_limit(
    data,
    model,
    scan: Iterable | None = None,
    level: float = 0.05,
    return_results: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    **options,
):
    """Where CLs falls to `level`: `(observed, [five expected limits])`.

    **Arguments:**

    - `scan`: values between which CLs is interpolated linearly. Without it the limits are found to 1e-9, wherever they
      are: the search is not confined to the bounds of the parameter.
    - `return_results`: return also `(values, results)`, what `hypotest(..., return_expected_set=True)` says of every
      value of the scan; without a scan, of the six limits in rising order.
    - `atol`, `rtol`: not needed.
    - `options`: those of `hypotest`.

    **Raises:** `MissingPOI`, `FailedFit` where a fit does not converge or there is no limit. **Warns:**
    `ImpreciseLimit` where a limit lies outside the scan and is given as its end.

    >>> from histjax.interop.pyhf import simplemodels
    >>> model = simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    >>> observed, expected = upper_limit([51.0, 48.0, *model.config.auxdata], model)
    >>> observed.round(6), expected[2].round(6)
    (np.float64(1.011572), np.float64(1.062355))
    """
    del atol, rtol
    if scan is not None:
        return linear_grid_scan(data, model, scan, level, return_results, **options)
    return _found(data, model, level, return_results, options)


def toms748_scan(
    data,
    model,
    bounds_low=None,
    bounds_up=None,
    level: float = 0.05,
    atol: float = 2e-12,
    rtol: float = 1e-4,
    from_upper_limit_fn: bool = False,
    **options,
):
    """`upper_limit` without a scan, under pyhf's name for it; brackets and tolerances are not needed."""
    del bounds_low, bounds_up, atol, rtol
    return _found(data, model, level, from_upper_limit_fn, options)


def linear_grid_scan(data, model, scan: Iterable, level: float = 0.05, return_results: bool = False, **options):
    """`upper_limit` with a scan."""
    results = [hypotest(value, data, model, return_expected_set=True, **options) for value in scan]
    curves = np.array([[observed, *expected] for observed, expected in results]).T
    values = np.asarray(scan, float)
    limits = [np.asarray(np.interp(level, curve[::-1], values[::-1])) for curve in curves]
    outside = [i for i, curve in enumerate(curves) if not curve[-1] <= level <= curve[0]]
    if outside:
        names = [("observed", "-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma")[i] for i in outside]
        warnings.warn(
            f"CLs = {level} is not reached between {values[0]:g} and {values[-1]:g} ({', '.join(names)}): the limit is "
            "given as the end of the scan; widen it, or leave it out",
            ImpreciseLimit,
            stacklevel=2,
        )
    return (limits[0], limits[1:], (scan, results)) if return_results else (limits[0], limits[1:])


def _found(data, model, level: float, return_results: bool, options: dict):
    result = _limit(data, model, level, dict(options))
    observed, expected = shown(result.observed), [shown(each) for each in shown(result.expected)]
    if not return_results:
        return observed, expected
    values = sorted([float(observed), *map(float, expected)])
    return (
        observed,
        expected,
        (values, [hypotest(each, data, model, return_expected_set=True, **options) for each in values]),
    )


def _limit(data, pdf, level: float, options: dict) -> UpperLimit:
    lists = [options.pop(name, None) for name in ("init_pars", "par_bounds", "fixed_params")]
    chosen = create_calculator(options.pop("calctype", "asymptotics"), data, pdf, *lists, **options)
    calculator = chosen.toys() if isinstance(chosen, ToyCalculator) else BASES[chosen.calc_base_dist]
    model = settled(pdf, *lists)
    asked = dict(poi=poi_of(pdf, model), statistic=statistic_called(chosen.test_stat), calculator=calculator)
    return limits_of(model, data_of(pdf, data), confidence_level=1 - level, **asked)
