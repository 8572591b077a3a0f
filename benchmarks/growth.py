"""Time and memory of one fit against bins and against parameters, each point in a process of its own.

    python benchmarks/growth.py [--bins 100,300,1000,3000,10000] [--nuisance 10,30,100,300,1000] [--no-staterror]
                                [--large] [--plot FILE.png] [--repeat 3] [--limit 300] [--threads N] [--json FILE]

The workspaces are generated (`generated.scaled`): five samples in channels of a hundred bins, each systematic acting on
a tenth of them; a gamma in every bin unless `--no-staterror`. Bins are varied at 100 nuisance parameters, nuisance
parameters at 1000 bins. `--large` adds 10 000 bins with 1000 nuisance parameters and a gamma in each bin.

*cold* is reading, building, compilation and the first fit; *warm* the median of further fits; *memory* the peak of the
process above what the imports take. The exponents are those of a power law through all points and through the upper
half of them: small models are ruled by constants, so the second says more.
"""

import argparse
import json
import math
import os
import tempfile
from pathlib import Path

import generated
import numpy as np
from reporting import cold_cell, quality, warm_cell
from rich.console import Console
from rich.table import Table
from running import OURS, Runner

BINS_AT = 100
NUISANCE_AT = 1000
QUANTITIES = {"cold_s": "cold", "warm_s": "warm", "memory_mb": "memory"}


def measured(runner: Runner, shape: generated.Shape, folder: Path, base: float) -> dict:
    """One fit of one generated workspace: the row of the process, with the size of the model."""
    path = folder / "model.json"
    path.write_text(json.dumps(generated.generate(shape)))
    row = runner.run(OURS, "fit", path)
    size = {"bins": sum(shape.bins), "nuisance": shape.n_nuisance, "parameters": shape.n_parameters}
    memory = {"memory_mb": row["peak_mb"] - base} if "peak_mb" in row else {}
    return size | row | memory


def exponent(rows: list[dict], size: str, quantity: str) -> float:
    """The power of `size` that `quantity` grows with, by least squares of the logarithms; NaN below two points."""
    points = [(row[size], row[quantity]) for row in rows if row.get(quantity, 0) > 0]
    if len({x for x, _ in points}) < 2:
        return math.nan
    x, y = np.log(np.array(points)).T
    return float(np.polyfit(x, y, 1)[0])


def growth_table(title: str, rows: list[dict], size: str | None) -> Table:
    """The points of one series, and the exponents below them."""
    table = Table("bins", "nuisance", "parameters", "cold", "warm", "memory MB", "peak MB", "quality", box=None)
    table.title, table.title_justify = title, "left"
    for row in rows:
        numbers = [str(row[name]) for name in ("bins", "nuisance", "parameters")]
        memory = [f"{row[name]:.0f}" if name in row else "-" for name in ("memory_mb", "peak_mb")]
        table.add_row(*numbers, cold_cell(row), warm_cell(row), *memory, quality(row))
    if size is not None:
        for words, part in (("power, all", rows), ("power, upper half", rows[len(rows) // 2 :])):
            table.add_row(words, "", "", *(f"{exponent(part, size, quantity):.2f}" for quantity in QUANTITIES))
    return table


def plot(series: dict[str, list[dict]], path: Path) -> None:
    """Time and memory against size, logarithmic."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(series), figsize=(5 * len(series), 7), sharex="col", squeeze=False)
    for (size, rows), (times, memory) in zip(series.items(), axes.T, strict=True):
        for quantity, ax in (("cold_s", times), ("warm_s", times), ("memory_mb", memory)):
            points = [(row[size], row[quantity]) for row in rows if row.get(quantity, 0) > 0]
            power = exponent(rows, size, quantity)
            ax.loglog(*zip(*points, strict=True), "o-", label=f"{QUANTITIES[quantity]}, power {power:.2f}")
        times.set_ylabel("seconds of one fit")
        memory.set_ylabel("MB above the imports")
        memory.set_xlabel(size if size == "bins" else "nuisance parameters")
        for ax in (times, memory):
            ax.legend()
            ax.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def numbers(words: str) -> list[int]:
    """`"10,100"` as numbers."""
    return [int(word) for word in words.split(",") if word]


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bins", type=numbers, default="100,300,1000,3000,10000")
    parser.add_argument("--nuisance", type=numbers, default="10,30,100,300,1000")
    parser.add_argument("--no-staterror", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one point")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    return parser.parse_args()


def main() -> None:
    """Measure every point, print the tables, draw."""
    arguments, console = parsed(), Console(width=160)
    staterror = not arguments.no_staterror
    runner = Runner(arguments.threads, arguments.limit, [f"--repeat={arguments.repeat}"])
    runner.confine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = runner.run(OURS, "imports", folder).get("peak_mb", 0.0)
        console.print(f"histjax, {arguments.threads} threads; the imports take {base:.0f} MB")
        shapes = {
            "bins": [generated.scaled(n, BINS_AT, staterror=staterror) for n in arguments.bins],
            "nuisance": [generated.scaled(NUISANCE_AT, n, staterror=staterror) for n in arguments.nuisance],
        }
        series = {}
        for size, wanted in shapes.items():
            series[size] = [measured(runner, shape, folder, base) for shape in wanted]
            console.print(growth_table(f"against {size}", series[size], size))
        if arguments.large:
            large = [measured(runner, generated.large(), folder, base)]
            console.print(growth_table("large", large, None))
            series["large"] = large
    if arguments.json:
        arguments.json.write_text(json.dumps(series, indent=1))
    if arguments.plot:
        plot({size: series[size] for size in shapes if series[size]}, arguments.plot)


if __name__ == "__main__":
    main()
