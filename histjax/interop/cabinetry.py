"""Results as cabinetry's own records, so that its tables and plots draw them.

    from histjax.interop.cabinetry import fit_results

    cabinetry.visualize.pulls(fit_results(histjax.fit(model)))
    cabinetry.visualize.correlation_matrix(fit_results(histjax.fit(model)))

Parameters are components (`"mu"`, `"gamma[2]"`) in pyhf's order, as in cabinetry. Where its conventions are not ours:
there is no goodness of fit: -1; `delta_nlls` are differences of -2 ln L; impacts and uncertainties of what is held, and
prefit impacts of what is not constrained, are 0.
"""

from collections.abc import Sequence

import numpy as np

from histjax._typing import is_traced
from histjax.errors import InvalidModel
from histjax.fitting.result import FitResult
from histjax.inference.goodness import GoodnessOfFit
from histjax.inference.hypotest import HypotestResult
from histjax.inference.intervals import Intervals
from histjax.inference.limits import UpperLimit
from histjax.inference.ranking import Ranking
from histjax.inference.scans import Scan
from histjax.inference.significance import Significance
from histjax.interop.pyhf.infer.mle import described_fit


def fit_results(result: FitResult, *, goodness: GoodnessOfFit | None = None, intervals: Intervals | None = None):
    """cabinetry's `FitResults`.

    **Arguments:**

    - `result`: a fit.
    - `goodness`: its goodness of fit, whose p-value is given along (NaN without degrees of freedom).
    - `intervals`: two-sided intervals at 68.27 %, in place of MINOS: `{name: (-minus, plus)}`.

    **Raises:** `ImportError` where cabinetry is not installed; `InvalidModel` for the results of a batch or a trace.
    """
    containers = _containers(result.vector)
    minos = {}
    if intervals is not None:
        ends = zip(-np.asarray(intervals.minus), np.asarray(intervals.plus), strict=True)
        minos = {name: (float(low), float(high)) for name, (low, high) in zip(intervals.names, ends, strict=True)}
    described = described_fit(result)
    return containers.FitResults(
        bestfit=described.x,
        uncertainty=described.unc,
        labels=list(result.parameters.component_names),
        corr_mat=described.corr,
        best_twice_nll=float(result.twice_nll),
        goodness_of_fit=-1 if goodness is None else float(goodness.p_value),
        minos_uncertainty=minos,
    )


def ranking_results(result: Ranking):
    """cabinetry's `RankingResults`: all components but the parameter of interest, in pyhf's order; its plot sorts them.

    Postfit impacts of a component whose uncertainty is infinite stay NaN. A displacement that ended at a bound
    (`clipped`) is one that cabinetry would not have shortened. **Raises:** as `fit_results`.
    """
    containers = _containers(result.fit.vector)
    names = result.fit.parameters.component_names
    others = [place for place, name in enumerate(names) if name != result.poi]
    ranked = {name: place for place, name in enumerate(result.names)}

    def impacts(values) -> np.ndarray:
        values = np.asarray(values)
        return np.array([values[ranked[names[i]]] if names[i] in ranked else 0.0 for i in others])

    free = result.fit.parameters.constrained[others]
    prefit = (np.where(free, impacts(each), 0.0) for each in (result.prefit_up, result.prefit_down))
    postfit = (impacts(each) for each in (result.postfit_up, result.postfit_down))
    described = described_fit(result.fit)
    best, sigma = described.x[others], described.unc[others]
    return containers.RankingResults(best, sigma, [names[i] for i in others], *prefit, *postfit)


def scan_results(result: Scan):
    """cabinetry's `ScanResults` of a scan of one component; raises `InvalidModel` for a scan of several."""
    containers = _containers(result.fit.vector)
    if len(result.names) != 1:
        raise InvalidModel(f"cabinetry draws scans of one parameter, this one has {len(result.names)}: {result.names}")
    place = result.fit.parameters.place(result.names[0])
    described = described_fit(result.fit)
    best, sigma = float(described.x[place]), float(described.unc[place])
    return containers.ScanResults(result.names[0], best, sigma, np.asarray(result.values[0]), np.asarray(result.delta))


def limit_results(result: UpperLimit, tests: Sequence[HypotestResult]):
    """cabinetry's `LimitResults`.

    **Arguments:**

    - `result`: the limits.
    - `tests`: tests of the values at which CLs is to be drawn, in any order; cabinetry keeps those of its search,
      histjax does not: `[histjax.hypotest(model, poi_value=value) for value in ...]`.

    **Raises:** as `fit_results`; `InvalidModel` for tests of another parameter or with another statistic.
    """
    containers = _containers(result.free.vector)
    for test in tests:
        if (test.poi, test.statistic_name) != (result.poi, result.statistic_name):
            raise InvalidModel(
                f"the limit is on {result.poi!r} with {result.statistic_name}, "
                f"a test is of {test.poi!r} with {test.statistic_name}"
            )
    tests = sorted(tests, key=lambda test: float(test.poi_value))
    return containers.LimitResults(
        observed_limit=float(result.observed),
        expected_limit=np.asarray(result.expected),
        observed_CLs=np.array([float(test.CLs) for test in tests]),
        expected_CLs=np.array([test.CLs_expected for test in tests]).reshape(-1, 5),
        poi_values=np.array([float(test.poi_value) for test in tests]),
        confidence_level=float(result.confidence_level),
    )


def significance_results(result: Significance):
    """cabinetry's `SignificanceResults`; expected is the median."""
    containers = _containers(result.z)
    p_values, z = (result.p0, result.p0_expected[2]), (result.z, result.z_expected[2])
    return containers.SignificanceResults(*(float(each) for pair in zip(p_values, z, strict=True) for each in pair))


def _containers(values):
    """cabinetry's records, for results whose numbers are known."""
    if is_traced(values) or np.ndim(values) > 1:
        raise InvalidModel("cabinetry's records hold one result: take a lane of a batch, and do it outside a trace")
    try:
        from cabinetry.fit import results_containers
    except ImportError as error:
        raise ImportError("this needs cabinetry: install it with pip install 'histjax[cabinetry]'") from error
    return results_containers
