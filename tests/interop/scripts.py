"""Short scripts of what people do with pyhf; each takes the module, pyhf or the one that stands in for it."""

import numpy as np

SIGNAL, BACKGROUND, UNCERTAINTY = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]


def two_bins(pyhf):
    """The model of pyhf's first example, and its data."""
    pyhf.set_backend("numpy")
    model = pyhf.simplemodels.uncorrelated_background(signal=SIGNAL, bkg=BACKGROUND, bkg_uncertainty=UNCERTAINTY)
    return model, [51, 48, *model.config.auxdata]


def hello_world(pyhf):
    """CLs with everything that can be returned but the calculator."""
    model, data = two_bins(pyhf)
    asked = dict(return_tail_probs=True, return_expected=True, return_expected_set=True)
    return pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde", **asked)


def plain_test(pyhf):
    """One number."""
    model, data = two_bins(pyhf)
    return pyhf.infer.hypotest(1.0, pyhf.tensorlib.astensor(data), model)


def clipped_band(pyhf):
    """The expected band from the clipped normal law."""
    model, data = two_bins(pyhf)
    return pyhf.infer.hypotest(1.0, data, model, return_expected_set=True, calc_base_dist="clipped_normal")


def discovery(pyhf):
    """p0 of an excess."""
    model, _ = two_bins(pyhf)
    data = [60, 65, *model.config.auxdata]
    return pyhf.infer.hypotest(0.0, data, model, test_stat="q0", return_tail_probs=True, return_expected_set=True)


def fits(pyhf):
    """Free, conditional, and with settings of one's own: one of two gammas held, other bounds, another start."""
    model, data = two_bins(pyhf)
    bounds = [(-10.0, 10.0), *model.config.suggested_bounds()[1:]]
    fit, fixed_poi_fit = pyhf.infer.mle.fit, pyhf.infer.mle.fixed_poi_fit
    return [
        fit(data, model, return_fitted_val=True),
        fixed_poi_fit(1.0, data, model, return_fitted_val=True),
        fit(data, model, par_bounds=bounds, return_fitted_val=True),
        fit(data, model, init_pars=[0.5, 1.1, 1.0], fixed_params=[False, True, False], return_fitted_val=True),
        pyhf.infer.mle.twice_nll(model.config.suggested_init(), data, model),
    ]


def statistics(pyhf):
    """The five statistics; bounds let the best fit go below 0 where the definition does."""
    model, data = two_bins(pyhf)
    inits, fixed, bounds = (getattr(model.config, f"suggested_{each}")() for each in ("init", "fixed", "bounds"))
    wide = [(-10.0, 10.0), *bounds[1:]]
    excess = [60, 65, *model.config.auxdata]
    found = pyhf.infer.test_statistics
    return [
        found.qmu(1.0, data, model, inits, wide, fixed, return_fitted_pars=True),
        found.tmu(1.0, data, model, inits, wide, fixed),
        found.qmu_tilde(1.0, data, model, inits, bounds, fixed, return_fitted_pars=True),
        found.tmu_tilde(1.0, data, model, inits, bounds, fixed),
        found.q0(0.0, excess, model, inits, bounds, fixed),
    ]


def calculator(pyhf):
    """The pieces of an asymptotic test."""
    model, data = two_bins(pyhf)
    _, found = pyhf.infer.hypotest(1.0, data, model, return_calculator=True)
    value, laws = found.teststatistic(1.0), found.distributions(1.0)
    fitted = found.fitted_pars
    return [
        value,
        [laws[0].pvalue(1.0), laws[1].pvalue(1.0), laws[1].cdf(0.3), laws[0].expected_value(-1)],
        found.pvalues(value, *laws),
        found.expected_pvalues(*laws),
        [fitted.asimov_pars, fitted.free_fit_to_data, fitted.fixed_poi_fit_to_data, fitted.fixed_poi_fit_to_asimov],
    ]


def asimov(pyhf):
    """The Asimov dataset of a signal, and where it was made."""
    model, data = two_bins(pyhf)
    make = pyhf.infer.calculators.generate_asimov_data
    return make(1.0, data, model, None, None, None, return_fitted_pars=True)


def scan(pyhf):
    """Limits by interpolation, with the results of the scan."""
    model, data = two_bins(pyhf)
    values = np.linspace(0.2, 3, 8)
    return pyhf.infer.intervals.upper_limits.upper_limit(data, model, values, level=0.1, return_results=True)


def limits(pyhf):
    """Limits by root finding."""
    model, data = two_bins(pyhf)
    return pyhf.infer.intervals.upper_limits.upper_limit(data, model, rtol=1e-8)


def from_document(pyhf, document):
    """A workspace, patched, to CLs."""
    workspace = pyhf.Workspace(document)
    patch = [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [6.0, 11.0]}]
    model = workspace.model(patches=[patch], measurement_name=workspace.measurement_names[0])
    return pyhf.infer.hypotest(1.0, workspace.data(model), model, return_expected_set=True)


SCRIPTS = [
    hello_world,
    plain_test,
    clipped_band,
    discovery,
    fits,
    statistics,
    calculator,
    asimov,
    scan,
    limits,
]
