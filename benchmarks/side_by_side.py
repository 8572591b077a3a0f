"""histjax and its peers on the same files in one run: times cold and warm, memory, and how good each answer is.

    python benchmarks/side_by_side.py [MODEL.json ...] [--corpus DIR] [--peers PYTHON] [--root PYTHON]
                                      [--tasks fit,toys] [--toys 1000] [--grid] [--minuit]
                                      [--repeat 5] [--limit 120] [--threads N] [--json FILE]

Peers are those that an interpreter has: pyhf and NextStat in `--peers`, ROOT in `--root`, this one by default.
Without models: four large ones of the corpus if `--corpus` is there, generated ones of the same shape if not, and the
two-bin example. `--grid` adds all patches of two sets: one of the corpus, if it is there, and 125 generated points on a
model of 126 parameters.

Every number comes from a process of its own, so that memory and first calls are honest; the tools take turns at each
task, and all get the same number of threads and cores. *cold* is reading, building and the first call, compilation
included, imports not; *warm* the median of further calls; *cores* how many were busy in them; *peak MB* the largest
resident memory of the process, interpreter and imports included. *2NLL above* is measured from the lowest minimum that
any of the tools found for this model. A dash is what a tool has no public function for.

Toys: histjax counts toy *statistics*, a free and a conditional fit of main and auxiliary data drawn anew; its peers
count free fits (NextStat: auxiliary data not drawn). *converged* is what each tool claims; *toys' 2NLL above* is how
far the worst of a few of its toy fits lies above histjax's minimum for the same toy. Where a tool with a loop does not
finish a grid in time (`~`), its total is extrapolated from the points done.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import generated
from reporting import model_table, summary_table
from rich.console import Console
from running import Runner, Tool, find_tools

import histjax

CORPUS_MODELS = {
    "vhbb_like": "cms_vhbb_zee_SR_4regions",
    "ewkinos_like": "atlas_susy_2018_16_ewkinos__synthetic",
    "ttbar_like": "atlas_ttbar_ljets_xsec",
    "one_lepton_like": "atlas_susy_2019_08_1Lbb_C1N2_700_250",
}
CORPUS_GRID = "atlas_susy_2018_06_3L_eRJR"
TASKS = ("log density", "gradient", "Hessian", "fit", "hypotest", "limit", "toys")
GRID_POINTS = 125


def models(arguments: argparse.Namespace, folder: Path) -> list[Path]:
    """The workspaces to measure; what has to be generated is written to `folder`."""
    if arguments.models:
        return arguments.models
    paths = []
    for shape, name in CORPUS_MODELS.items():
        path = arguments.corpus / "models" / f"{name}.json"
        if not path.exists():
            path = folder / f"{shape}.json"
            path.write_text(json.dumps(generated.generate(generated.SHAPES[shape])))
        paths.append(path)
    return [*paths, histjax.examples.path("two_bins")]


def grids(arguments: argparse.Namespace, folder: Path) -> Iterable[tuple[Path, Path]]:
    """Pairs of background workspace and patch set."""
    pair = arguments.corpus / f"models/{CORPUS_GRID}.json", arguments.corpus / f"patches/{CORPUS_GRID}.patchset.json"
    if all(path.exists() for path in pair):
        yield pair
    pair = folder / f"generated_{GRID_POINTS}_points.json", folder / "generated.patchset.json"
    documents = generated.generate_grid(generated.SHAPES["one_lepton_like"], GRID_POINTS)
    for path, document in zip(pair, documents, strict=True):
        path.write_text(json.dumps(document))
    yield pair


def in_turns(runner: Runner, tools: list[Tool], task: str, model: Path, *more: str) -> dict[str, dict]:
    """One task of every tool, one after the other: `{tool: row}`."""
    rows = {}
    for tool in tools:
        print(f"{model.stem}: {task}, {tool.name}", file=sys.stderr)
        rows[tool.name] = runner.run(tool, task, model, *more)
    return rows


def compare_toys(runner: Runner, ours: Tool, model: Path, rows: dict[str, dict], folder: Path) -> None:
    """Fit the toys that the peers handed over again, and note in their rows how far above the minimum they were."""
    for row in rows.values():
        toys, values = row.pop("toys", []), row.pop("toys_twice_nll", [])
        if toys:
            left = folder / "toys.json"
            left.write_text(json.dumps({"model": str(model.resolve()), "toys": toys, "twice_nll": values}))
            row["toys_above"] = runner.run(ours, "refit", left).get("toys_above", [])


def compare_points(rows: dict[str, dict]) -> None:
    """Note in the rows of a grid how far a peer's observed CLs are from histjax's, over the points that it has done."""
    ours = rows["histjax"].get("CLs_values", [])
    for tool, row in rows.items():
        pairs = list(zip(ours, row.get("CLs_values", []), strict=False))
        if pairs and tool != "histjax":
            row["CLs_apart"] = max(1.0 if math.isnan(b) else abs(a - b) for a, b in pairs)


def measure_all(arguments: argparse.Namespace, tools: list[Tool], folder: Path, show) -> dict:
    """`{model: {task: {tool: row}}}`; each model is shown as soon as it is done."""
    runner = Runner(arguments.threads, arguments.limit, [f"--repeat={arguments.repeat}", f"--toys={arguments.toys}"])
    runner.confine()
    results = {}
    for model in models(arguments, folder):
        results[model.stem] = {task: in_turns(runner, tools, task, model) for task in arguments.tasks}
        compare_toys(runner, tools[0], model, results[model.stem].get("toys", {}), folder)
        show(model_table(model.stem, results[model.stem]))
    for background, patchset in grids(arguments, folder) if arguments.grid else ():
        rows = in_turns(runner, tools, "grid", background, f"--patchset={patchset}")
        compare_points(rows)
        results[f"patches of {background.stem}"] = {"grid": rows}
        show(model_table(f"patches of {background.stem}", {"grid": rows}))
    return results


def parsed() -> argparse.Namespace:
    """The command line."""
    corpus = Path(__file__).parents[1] / "../shared/corpus"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--corpus", type=Path, default=corpus)
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has pyhf, NextStat or both")
    parser.add_argument("--root", default=sys.executable, help="interpreter that has ROOT")
    parser.add_argument("--tasks", default=",".join(TASKS), help="some of: %(default)s")
    parser.add_argument("--toys", type=int, default=1000, help="toys at most; slow tools throw what 15 s hold")
    parser.add_argument("--grid", action="store_true", help="all patches of patch sets as well")
    parser.add_argument("--minuit", action="store_true", help="pyhf with Minuit as well")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one task of one tool")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    arguments = parser.parse_args()
    arguments.tasks = [task for task in TASKS if task in arguments.tasks.split(",")]
    return arguments


def main() -> None:
    """Measure, print."""
    arguments = parsed()
    console = Console(width=200)
    tools = find_tools(arguments.peers, arguments.root, arguments.minuit)
    console.print(
        f"{', '.join(tool.name for tool in tools)}: {arguments.threads} threads each (XLA's pool, BLAS for pyhf, Rayon "
        f"for NextStat; ROOT uses one), load {os.getloadavg()[0]:.1f} at the start"
    )
    with tempfile.TemporaryDirectory() as folder:
        results = measure_all(arguments, tools, Path(folder), console.print)
    for task in ("fit", "toys", "grid"):
        if any(task in tasks for tasks in results.values()):
            console.print(summary_table({name: tasks for name, tasks in results.items() if task in tasks}, task))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
