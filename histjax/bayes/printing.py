"""Draws as a table: first whether they are to be believed, then values and intervals."""

import numpy as np

from histjax.bayes.intervals import central_interval
from histjax.fitting.printing import MOST_ROWS, columns, pairs, pdg_rounded, rendered
from histjax.inference.intervals import ONE_SIGMA


def samples_table(samples) -> str:
    """The table that printing `Samples` shows."""
    found, criteria = samples.convergence, samples.criteria
    chains, draws = samples.log_density.shape
    head = [
        ("status", found.message),
        ("draws", f"{samples.sampler}, {chains} x {draws}" if chains > 1 else f"{samples.sampler}, {draws}"),
        ("AIC, AICc, BIC", ", ".join(f"{each:.6g}" for each in (criteria.aic, criteria.aicc, criteria.bic))),
    ]
    if not np.isnan(criteria.log_evidence):
        head.append(("ln Z", f"{criteria.log_evidence:.3f} +- {criteria.log_evidence_uncertainty:.3f}"))
    table = columns(
        ("parameter", "left"),
        ("mean", "right"),
        ("uncertainty", "right"),
        ("median", "right"),
        ("68.3 % interval", "right"),
        ("R-hat", "right"),
        ("ESS bulk", "right"),
        ("ESS tail", "right"),
    )
    free = list(samples.free)
    flat = samples.flat[:, free]
    rows = zip(
        samples.free_names,
        np.mean(flat, axis=0),
        np.std(flat, axis=0),
        np.median(flat, axis=0),
        *central_interval(flat, ONE_SIGMA),
        found.r_hat,
        found.ess_bulk,
        found.ess_tail,
        strict=True,
    )
    for number, (name, mean, sigma, median, low, high, r_hat, bulk, tail) in enumerate(rows):
        if number == MOST_ROWS:
            table.add_row(f"... {len(free) - MOST_ROWS} more")
            break
        middle, _ = pdg_rounded(median, sigma)
        ends = f"[{pdg_rounded(low, sigma)[0]}, {pdg_rounded(high, sigma)[0]}]"
        quality = ["" if np.isnan(r_hat) else f"{r_hat:.3f}", f"{bulk:.0f}", f"{tail:.0f}"]
        table.add_row(name, *pdg_rounded(mean, sigma), middle, ends, *quality)
    return rendered(pairs(*head), "", table)
