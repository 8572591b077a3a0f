"""Results of tests and limits as tables."""

import numpy as np

from histjax.fitting.printing import pairs, rendered
from histjax.inference.asymptotic import N_SIGMA


def _band(values) -> str:
    return "  ".join(f"{value:.5g}" for value in np.asarray(values))


def _verdict(fits) -> str:
    names = [name for name in fits.__dataclass_fields__ if not np.all(getattr(fits, name).converged)]
    return "all fits converged" if not names else "; ".join(f"{name}: {getattr(fits, name).message}" for name in names)


def hypotest_table(result) -> str:
    """The table that printing a `HypotestResult` shows."""
    if np.ndim(result.CLs):
        converged = int(np.sum(np.asarray(result.fits.converged)))
        return f"HypotestResult: {np.size(result.CLs)} tests, {converged} with converged fits"
    return rendered(
        pairs(
            ("status", _verdict(result.fits)),
            ("tested", f"{result.poi} = {float(result.poi_value):g} ({result.statistic_name}, asymptotic)"),
            ("best fit", f"{result.poi} = {float(result.best):.6g}"),
            ("statistic", f"{float(result.statistic):.6g}, Asimov {float(result.statistic_asimov):.6g}"),
            ("CLs", f"{float(result.CLs):.6g}  (CLsb {float(result.CLsb):.6g}, CLb {float(result.CLb):.6g})"),
            ("expected CLs", f"{_band(result.CLs_expected)}   at {_sigmas()}"),
        )
    )


def significance_table(result) -> str:
    """The table that printing a `Significance` shows."""
    return rendered(
        pairs(
            ("status", _verdict(result.test.fits)),
            ("best fit", f"{result.test.poi} = {float(result.best):.6g}"),
            ("observed", f"z = {float(result.z):.4f}, p0 = {float(result.p0):.4g}"),
            ("expected z", f"{_band(result.z_expected)}   at {_sigmas()}"),
        )
    )


def limit_table(result) -> str:
    """The table that printing an `UpperLimit` shows."""
    level = f"{100 * float(result.confidence_level):g} % confidence level"
    return rendered(
        pairs(
            ("status", "converged" if np.all(np.asarray(result.converged)) else "not converged: " + result.message),
            ("parameter", f"{result.poi}, {level} ({result.statistic_name}, asymptotic CLs)"),
            ("observed", f"{float(result.observed):.6g}"),
            ("expected", f"{_band(result.expected)}   at {_sigmas()}"),
        )
    )


def _sigmas() -> str:
    return ", ".join(f"{n:+.0f}" if n else "0" for n in N_SIGMA) + " sigma"
