"""`hypotest`, with pyhf's arguments and return values."""

from histjax.interop.pyhf.infer.calculators import create_calculator
from histjax.interop.pyhf.vectors import shown


def hypotest(
    poi_test,
    data,
    pdf,
    init_pars=None,
    par_bounds=None,
    fixed_params=None,
    calctype: str = "asymptotics",
    return_tail_probs: bool = False,
    return_expected: bool = False,
    return_expected_set: bool = False,
    return_calculator: bool = False,
    **options,
):
    """CLs for one value of the parameter of interest; p0 with `test_stat="q0"`.

    **Arguments:**

    - `poi_test`, `data`, `pdf`: the tested value, flat data and a `Model`.
    - `init_pars`, `par_bounds`, `fixed_params`: in the order of `config.par_names`, in place of the model's settings.
      Bounds of the parameter of interest do not change a statistic (`histjax.interop.pyhf.infer.test_statistics`).
    - `calctype`: `"asymptotics"`, with options `test_stat` (`"qtilde"`, `"q"`, `"q0"`) and `calc_base_dist`; or
      `"toybased"`, with options `test_stat`, `ntoys` and one of `key` and `seed`.
    - `return_tail_probs`, `return_expected`, `return_expected_set`, `return_calculator`: return, in this order and
      after CLs, `[CLsb, CLb]` (`[CLb]` for q0), the median expected CLs, the list of expected CLs at -2 ... +2 sigma,
      the calculator.

    **Raises:** `MissingPOI`, `FailedFit`, `InvalidModel`, `UnknownName`.

    >>> from histjax.interop.pyhf import simplemodels
    >>> model = simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    >>> hypotest(1.0, [51.0, 48.0, *model.config.auxdata], model).round(9)
    np.float64(0.052515525)
    """
    calculator = create_calculator(calctype, data, pdf, init_pars, par_bounds, fixed_params, **options)
    result = calculator.test(poi_test)
    discovery = calculator.test_stat == "q0"
    band = [shown(each) for each in shown(result.CLsb_expected if discovery else result.CLs_expected)]
    tails = [result.CLb] if discovery else [result.CLsb, result.CLb]
    parts = [shown(result.CLsb if discovery else result.CLs)]
    parts += [[shown(each) for each in tails]] if return_tail_probs else []
    parts += [band[2]] if return_expected else []
    parts += [band] if return_expected_set else []
    parts += [calculator] if return_calculator else []
    return tuple(parts) if len(parts) > 1 else parts[0]
