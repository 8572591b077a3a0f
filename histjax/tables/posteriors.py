"""Tables of posteriors: values of one, and information criteria of several."""

from collections.abc import Mapping

import numpy as np

from histjax.bayes.intervals import central_interval
from histjax.fitting.printing import pdg_rounded
from histjax.inference.intervals import ONE_SIGMA
from histjax.tables.results import measured
from histjax.tables.table import Table


def samples_table(samples) -> Table:
    """`Samples`: mean and uncertainty, median with the ends of the central interval, and the best draw."""
    free, flat = list(samples.free), samples.flat
    median, (low, high) = np.median(flat[:, free], axis=0), central_interval(flat[:, free], ONE_SIGMA)
    best = flat[int(np.argmax(samples.log_density))]
    rows = []
    for name, place, *quantiles in zip(samples.free_names, free, low, median, high, strict=True):
        sigma = float(np.std(flat[:, place]))
        texts = [pdg_rounded(float(each), sigma)[0] for each in (*quantiles, best[place])]
        rows.append((name, measured(np.mean(flat[:, place]), sigma), *texts))
    return Table(("parameter", "mean", "16 %", "median", "84 %", "best"), tuple(rows))


def criteria_table(models: Mapping[str, object]) -> Table:
    """Information criteria of the `Samples` of several models, `{name: samples}`, as differences to the best one.

    The smallest of AIC, AICc and BIC is the best, and the largest ln Z; a model that alone has a criterion
    is compared with itself. Criteria that a sampler does not give are left out.
    """
    found = {name: samples.criteria for name, samples in models.items()}
    rows = [[name, f"{each.twice_nll:.2f}", str(each.n_free)] for name, each in found.items()]
    for field in ("aic", "aicc", "bic"):
        for row, text in zip(rows, _differences([getattr(each, field) for each in found.values()]), strict=True):
            row.append(text)
    for row, each in zip(rows, found.values(), strict=True):
        known = np.isfinite(each.log_evidence)
        row.append(measured(each.log_evidence, each.log_evidence_uncertainty) if known else "")
    heads = ("model", "-2 ln L", "parameters", "ΔAIC", "ΔAICc", "ΔBIC", "ln Z")
    return Table(heads, tuple(map(tuple, rows)))


def _differences(values: list[float]) -> list[str]:
    values = np.asarray(values, float)
    finite = values[np.isfinite(values)]
    least = finite.min() if finite.size else np.nan
    return [f"{value - least:.2f}" if np.isfinite(value) else "" for value in values]
