"""Results of tests and limits as tables."""

import numpy as np

from histjax.fitting.printing import pairs, pdg_rounded, rendered
from histjax.inference.asymptotic import N_SIGMA
from histjax.inference.rays import End
from histjax.inference.toys.tally import Tally


def _band(values, form: str = ".5g") -> str:
    return "  ".join(format(float(value), form) for value in np.asarray(values))


def _verdict(fits) -> str:
    names = [name for name in fits.__dataclass_fields__ if not np.all(getattr(fits, name).converged)]
    return "all fits converged" if not names else "; ".join(f"{name}: {getattr(fits, name).message}" for name in names)


def hypotest_table(result) -> str:
    """The table that printing a `HypotestResult` shows."""
    if np.ndim(result.CLs):
        converged = int(np.sum(np.asarray(result.fits.converged)))
        return f"HypotestResult: {np.size(result.CLs)} tests, {converged} with converged fits"
    toys = result.toys
    rows = [
        ("status", _verdict(result.fits)),
        ("tested", f"{result.poi} = {float(result.poi_value):g} ({result.statistic_name}, {_calculator(toys)})"),
        ("best fit", f"{result.poi} = {float(result.best):.6g}"),
        ("statistic", f"{float(result.statistic):.6g}, Asimov {float(result.statistic_asimov):.6g}"),
    ]
    if toys is None:
        rows.append(("CLs", f"{float(result.CLs):.6g}  (CLsb {float(result.CLsb):.6g}, CLb {float(result.CLb):.6g})"))
        return rendered(pairs(*rows, ("expected CLs", f"{_band(result.CLs_expected)}   at {_sigmas()}")))
    rows += [
        ("toys", toys.message),
        ("CLs", " +- ".join(pdg_rounded(float(result.CLs), toys.CLs_uncertainty))),
        ("CLsb, CLb", f"{counted(toys.tested)}, {counted(toys.other)}"),
        ("expected CLs", f"{_band(result.CLs_expected)}   at {_sigmas()}"),
        ("uncertainty", _band(toys.CLs_expected_uncertainty, ".2g")),
    ]
    return rendered(pairs(*rows))


def counted(tally: Tally) -> str:
    """The p-value of a tally with its uncertainty, or the end of its interval where no toy was counted.

    >>> counted(Tally.of(np.array([0.0, 1.0, 2.0, 3.0]), observed=2.0)), counted(Tally.of(np.ones(99), observed=2.0))
    ('0.50 +- 0.25', 'below 0.01')
    """
    if not tally.n_at_least and tally.n_good:
        return f"below {tally.p_interval()[1]:.3g}"
    return " +- ".join(pdg_rounded(tally.p_value, tally.p_uncertainty))


def _calculator(toys) -> str:
    return "asymptotic" if toys is None else "toys"


def significance_table(result) -> str:
    """The table that printing a `Significance` shows."""
    toys = result.test.toys
    p0 = f"= {float(result.p0):.4g}" if toys is None else counted(toys.tested)
    return rendered(
        pairs(
            ("status", _verdict(result.test.fits)),
            *([] if toys is None else [("toys", toys.message)]),
            ("best fit", f"{result.test.poi} = {float(result.best):.6g}"),
            ("observed", f"z = {float(result.z):.4f}, p0 {p0}"),
            ("expected z", f"{_band(result.z_expected)}   at {_sigmas()}"),
        )
    )


def limit_table(result) -> str:
    """The table that printing an `UpperLimit` shows."""
    level = f"{100 * float(result.confidence_level):g} % confidence level"
    found, toys = np.all(np.asarray(result.converged)), result.toys
    rows = [
        ("status", "converged" if found else "not converged" + ("" if toys else ": " + result.message)),
        ("parameter", f"{result.poi}, {level} ({result.statistic_name}, {_calculator(toys)} CLs)"),
    ]
    if toys is None:
        rows += [
            ("observed", f"{float(result.observed):.6g}"),
            ("expected", f"{_band(result.expected)}   at {_sigmas()}"),
        ]
        return rendered(pairs(*rows))
    rows += [
        ("toys", toys.message),
        ("observed", " +- ".join(pdg_rounded(float(result.observed), float(result.uncertainty)))),
        ("expected", f"{_band(result.expected)}   at {_sigmas()}"),
        ("uncertainty", _band(result.expected_uncertainty, ".2g")),
    ]
    return rendered(pairs(*rows))


def feldman_cousins_table(result) -> str:
    """The table that printing a `FeldmanCousins` shows."""
    level = f"{100 * float(result.confidence_level):g} % confidence level"
    ends = zip(("lower", "upper"), (result.lower, result.upper), result.uncertainty, result.status, strict=True)
    return rendered(
        pairs(
            ("status", result.message),
            ("parameter", f"{result.poi}, {level} ({result.statistic_name}, Feldman-Cousins)"),
            ("best fit", f"{result.poi} = {float(result.best):.6g}"),
            *((name, _end(float(value), float(error), End(int(status)))) for name, value, error, status in ends),
        )
    )


def _end(value: float, uncertainty: float, status: End) -> str:
    if status == End.FOUND:
        return " +- ".join(pdg_rounded(value, uncertainty))
    return f"{value:.6g} ({status.name.lower().replace('_', ' ')})"


def _sigmas() -> str:
    return ", ".join(f"{n:+.0f}" if n else "0" for n in N_SIGMA) + " sigma"
