"""A full ranking and all profile intervals of a workspace, beside cabinetry's ranking in the same run.

    python benchmarks/ranking.py WORKSPACE.json [...] [--cabinetry] [--json FILE]

*first* comes after a first fit, with which rankings and intervals share their program; *warm* is the second call.
*size* counts conditional fits of the ranking (pre- and postfit, up and down) and interval ends. `--cabinetry` repeats
the ranking with cabinetry (iminuit, its defaults) where it is installed: `diff.` is the largest difference of a
postfit impact in standard deviations of the parameter of interest, and cabinetry's widths are Minuit's.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import histjax

COLUMNS = ("model", "par.", "ranking first", "warm", "fits", "converged", "intervals first", "warm", "ends", "found")
COLUMNS += ("cabinetry", "ratio", "diff.")


def clock(function) -> tuple[float, object]:
    """Seconds and result of one call."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def histjax_row(path: Path) -> tuple[list, object]:
    """Times of histjax, and the ranking."""
    model = histjax.compile(histjax.read(path))
    best = histjax.fit(model)
    names = [name for name in model.parameters if not np.all(model.parameters[name].fixed)]
    first, result = clock(lambda: histjax.ranking(model, init=best, throw=False))
    warm, result = clock(lambda: histjax.ranking(model, init=best, throw=False))
    status = np.asarray(result.status)
    ends_first, ends = clock(lambda: histjax.interval(model, parameters=names, init=best, throw=False))
    ends_warm, ends = clock(lambda: histjax.interval(model, parameters=names, init=best, throw=False))
    found = int(np.sum(np.asarray(ends.converged)))
    row = [path.stem, model.layout.n_parameters, first, warm, status.size, int(np.sum(status <= 1))]
    return [*row, ends_first, ends_warm, 2 * len(ends.names), found], result


def cabinetry_row(path: Path, ranking) -> list:
    """Time of cabinetry's ranking, the ratio to ours, and how far the impacts are apart."""
    import cabinetry
    import pyhf

    workspace = pyhf.Workspace(json.loads(path.read_text()))
    model = workspace.model()
    data = workspace.data(model)
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(maxiter=500_000, verbose=0))
    try:
        results = cabinetry.fit.fit(model, data)
        seconds, theirs = clock(lambda: cabinetry.fit.ranking(model, data, fit_results=results))
    except pyhf.exceptions.FailedMinimization:  # one fit that fails ends cabinetry's ranking
        return ["a fit failed", ""]
    sigma = results.uncertainty[model.config.poi_index]
    ours = dict(zip(ranking.names, np.asarray(ranking.postfit_up), strict=True))
    pairs = [(ours[name], up) for name, up in zip(theirs.labels, theirs.postfit_up, strict=True) if name in ours]
    return [seconds, max(abs(a - b) for a, b in pairs) / sigma]


def shown(value) -> str:
    """One cell of the table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Rank every workspace and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspaces", nargs="*", type=Path, default=[histjax.examples.path("search")])
    parser.add_argument("--cabinetry", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for path in map(Path, options.workspaces):
        row, ranking = histjax_row(path)
        if options.cabinetry:
            seconds, difference = cabinetry_row(path, ranking)
            row += [seconds, "" if isinstance(seconds, str) else seconds / row[3], difference]
        rows.append(row)
    table = Table(*COLUMNS, box=None)
    for row in rows:
        table.add_row(*map(shown, row))
    Console(width=180).print(table)
    if options.json:
        options.json.write_text(json.dumps([dict(zip(COLUMNS, map(str, row), strict=False)) for row in rows], indent=1))


if __name__ == "__main__":
    main()
