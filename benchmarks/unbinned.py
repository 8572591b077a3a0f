"""Fits of an unbinned extended mixture, a Gaussian over an exponential: histjax beside RooFit and zfit in one run.

    python benchmarks/unbinned.py [--events 100000 1000000] [--root PYTHON] [--zfit PYTHON]
                                  [--repeat 5] [--limit 300] [--threads N] [--json FILE]

Events are drawn once and handed to every tool as an array; start values and bounds are the same. *cold* is building the
model and the first fit, compilation included, imports not; *warm* the median of further fits of the same model; a fit
includes the covariance matrix (`unbinned_worker.py` says how each gets it). *peak MB* is of the whole process. *2NLL
above* is how far the tool's minimum lies above the lowest one that any of them found, by one formula for all.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from reporting import above, cold_cell, ratio, warm_cell
from rich.console import Console
from rich.table import Table
from running import Runner, Tool, installed
from unbinned_worker import HIGH, LOW, truth

COLUMNS = ("events", "tool", "cold", "warm", "/ histjax", "cores", "peak MB", "2NLL above", "converged", "sigma(n)")
SCRIPT = "unbinned_worker.py"


def generated(n: int, seed: int = 1) -> np.ndarray:
    """Events of the mixture, exactly n of them within the range."""
    rng, at = np.random.default_rng(seed), truth(n)
    n_signal = int(at["n_signal"])
    signal = rng.normal(at["mass"], at["width"], n_signal)
    inside = -np.expm1(-at["slope"] * (HIGH - LOW))
    background = LOW - np.log1p(-inside * rng.uniform(size=n - n_signal)) / at["slope"]
    return rng.permutation(np.clip(np.concatenate([signal, background]), LOW, HIGH))


def twice_nll(events: np.ndarray, at: dict[str, float]) -> float:
    """-2 ln L, its sum in extended precision; the formula of all tools."""
    mass, width, slope = (at[name] for name in ("mass", "width", "slope"))
    lower, upper = ((end - mass) / (width * math.sqrt(2)) for end in (LOW, HIGH))
    area = width * math.sqrt(math.pi / 2) * (math.erf(upper) - math.erf(lower))
    signal = np.exp(-0.5 * ((events - mass) / width) ** 2) / area
    background = slope * np.exp(-slope * (events - LOW)) / -math.expm1(-slope * (HIGH - LOW))
    density = at["n_signal"] * signal + at["n_background"] * background
    return float(2 * (at["n_signal"] + at["n_background"] - np.sum(np.log(density).astype(np.longdouble))))


def tools(options: argparse.Namespace) -> list[Tool]:
    """histjax and what the other interpreters have."""
    found = [Tool("histjax", sys.executable, SCRIPT, ("fit",))]
    if options.root and installed(options.root, "ROOT"):
        found += [Tool(name, options.root, SCRIPT, ("fit",)) for name in ("root-cpu", "root-cpu-0", "root-codegen")]
    if options.zfit and installed(options.zfit, "zfit"):
        found.append(Tool("zfit", options.zfit, SCRIPT, ("fit",)))
    return found


def lines(n: int, rows: dict[str, dict], events: np.ndarray) -> list[list[str]]:
    """The lines of the table for one number of events."""
    minima = {tool: twice_nll(events, row["params"]) for tool, row in rows.items() if "params" in row}
    lowest, made = min(minima.values(), default=0.0), []
    for tool, row in rows.items():
        distance = above(minima[tool] - lowest) if tool in minima else row.get("error", "-")
        numbers = [f"{row[key]:.{digits}f}" if key in row else "-" for key, digits in (("cores", 1), ("peak_mb", 0))]
        claims = [f"{row[key]:.6g}" if key in row else "-" for key in ("converged", "sigma")]
        times = [cold_cell(row), warm_cell(row), ratio(row, rows["histjax"])]
        made.append([f"{n:,}", tool, *times, *numbers, distance, *claims])
    return made


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--root", help="interpreter that has ROOT")
    parser.add_argument("--zfit", help="interpreter that has zfit")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one tool and one number of events")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    return parser.parse_args()


def main() -> None:
    """Measure, print."""
    options, results = parsed(), {}
    runner = Runner(options.threads, options.limit, [f"--repeat={options.repeat}"])
    runner.confine()
    title = f"fits of an extended mixture, {options.threads} threads, load {os.getloadavg()[0]:.1f} at the start"
    table = Table(*COLUMNS, box=None, title=title, title_justify="left")
    with tempfile.TemporaryDirectory() as folder:
        for n in options.events:
            events, path = generated(n), Path(folder) / f"{n}.npy"
            np.save(path, events)
            results[n] = {}
            for tool in tools(options):
                print(f"{n} events, {tool.name}", file=sys.stderr)
                results[n][tool.name] = runner.run(tool, "fit", path)
            for line in lines(n, results[n], events):
                table.add_row(*line)
    Console(width=160).print(table)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
