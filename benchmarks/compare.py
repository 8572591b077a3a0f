"""One fit and one asymptotic hypothesis test, side by side with pyhf on the same file in the same run.

    python benchmarks/compare.py WORKSPACE.json [...] [--no-pyhf] [--repeat 5] [--json FILE]

Columns: *first* is the first call in this process, compilation included; *warm* the median of the repeated calls,
each blocked until its numbers are there; *2NLL above* is how far each tool's minimum lies above the lower of the two,
`conv` whether histjax certifies its fits. pyhf (0.7.6, NumPy, SciPy's SLSQP, its default) is timed warm, once: it
takes seconds. Without arguments the examples shipped with the package are used.
"""

import argparse
import contextlib
import json
import statistics
import time
import warnings
from pathlib import Path

from rich.console import Console
from rich.table import Table

import histjax

COLUMNS = (
    "model",
    "par.",
    "fit first",
    "fit warm",
    "pyhf fit",
    "ratio",
    "2NLL above",
    "pyhf above",
    "test first",
    "test warm",
    "pyhf test",
)
COLUMNS += ("ratio", "CLs", "pyhf CLs", "conv")


def clock(function) -> tuple[float, object]:
    """Seconds and result of one call."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def first_and_warm(function, repeat: int) -> tuple[float, float, object]:
    """Seconds of the first call, median seconds of `repeat` more, and the result."""
    first, value = clock(function)
    return first, statistics.median(clock(function)[0] for _ in range(repeat)), value


def histjax_row(path: Path, repeat: int) -> dict:
    """Times of histjax on one workspace."""
    model = histjax.compile(histjax.read(path))
    data = model.data

    def fit():
        result = histjax.fit(model, data, throw=False)
        result.vector.block_until_ready()
        return result

    row = {"model": path.stem, "parameters": model.layout.n_parameters}
    row["fit_first"], row["fit_warm"], result = first_and_warm(fit, repeat)
    row |= {"twice_nll": float(result.twice_nll), "edm": float(result.edm), "converged": bool(result.converged)}
    if model.poi is not None:

        def test():
            result = histjax.hypotest(model, data, poi_value=1.0, throw=False)
            result.CLs.block_until_ready()
            return result

        row["test_first"], row["test_warm"], outcome = first_and_warm(test, repeat)
        row |= {"CLs": float(outcome.CLs), "converged": row["converged"] and bool(outcome.fits.converged)}
    return row


def pyhf_row(path: Path) -> dict:
    """Times of pyhf on one workspace: the second of two fits, and one test."""
    import pyhf

    pyhf.set_backend("numpy", "scipy")
    workspace = pyhf.Workspace(json.loads(path.read_text()))
    poi = workspace.get_measurement()["config"]["poi"]
    model = workspace.model() if poi in dict(workspace.modifiers) else workspace.model(poi_name=None)
    data = workspace.data(model)
    row = {}
    # pyhf raises many kinds of errors where a fit fails: each is a row of the table, not the end of it
    with contextlib.suppress(pyhf.exceptions.FailedMinimization, ValueError):
        row["pyhf_fit"], (_, value) = clock(lambda: pyhf.infer.mle.fit(data, model, return_fitted_val=True))
        row["pyhf_twice_nll"] = float(value)
        if model.config.poi_index is not None:
            row["pyhf_test"], value = clock(lambda: pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde"))
            row["pyhf_CLs"] = float(value)
    return row


def cells(row: dict) -> list[str]:
    """One line of the table."""

    def seconds(name):
        return f"{row[name]:.2f} s" if row.get(name, 0) >= 1 else f"{1e3 * row[name]:.1f} ms" if name in row else "-"

    def ratio(slow, fast):
        return f"{row[slow] / row[fast]:.0f}" if slow in row and fast in row else "-"

    lowest = min(row["twice_nll"], row.get("pyhf_twice_nll", row["twice_nll"]))
    above = f"{row['pyhf_twice_nll'] - lowest:.1e}" if "pyhf_twice_nll" in row else "-"
    numbers = [f"{row[name]:.5g}" if name in row else "-" for name in ("CLs", "pyhf_CLs")]
    fit = [seconds("fit_first"), seconds("fit_warm"), seconds("pyhf_fit"), ratio("pyhf_fit", "fit_warm")]
    test = [seconds("test_first"), seconds("test_warm"), seconds("pyhf_test"), ratio("pyhf_test", "test_warm")]
    head = [row["model"], str(row["parameters"])]
    return [
        *head,
        *fit,
        f"{row['twice_nll'] - lowest:.1e}",
        above,
        *test,
        *numbers,
        "yes" if row["converged"] else "NO",
    ]


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", nargs="*", type=Path)
    parser.add_argument("--no-pyhf", action="store_true")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    paths = arguments.workspaces or [histjax.examples.path(name) for name in histjax.examples.names()]
    rows = [histjax_row(path, arguments.repeat) | ({} if arguments.no_pyhf else pyhf_row(path)) for path in paths]
    table = Table(*COLUMNS, box=None)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=220).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
