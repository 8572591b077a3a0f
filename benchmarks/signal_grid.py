"""All signals of a patch set: observed and expected CLs of every point, with where the time goes.

    python benchmarks/signal_grid.py WORKSPACE.json [--patchset FILE] [--points N] [--threads N] [--write DIR]

Without a patch set, one is generated from the signal that the workspace has: the signal is taken out, and put back by
each of N patches under a name of its own, its yields scaled and smoothly moved between bins, with all its modifiers.
Run it in a fresh process and without JAX's cache of compiled programs: *first* times include compilation. *CPU* are the
seconds of all threads of the process, which say more than the wall clock where the machine has other work.
"""

import argparse
import copy
import json
import math
import time
import warnings
from pathlib import Path

from rich.console import Console
from rich.table import Table

import histjax
from histjax.readers import digest, load_json, read_variants
from histjax.spec.union import unite


def generated(document: dict, count: int) -> tuple[dict, dict]:
    """A background workspace and a patch set of `count` signals, made of a workspace with a signal."""
    poi = document["measurements"][0]["config"]["poi"]
    background, signals = copy.deepcopy(document), []
    for index, channel in enumerate(background["channels"]):
        found = [each for each in channel["samples"] if any(modifier["name"] == poi for modifier in each["modifiers"])]
        channel["samples"] = [each for each in channel["samples"] if each not in found]
        signals += [(index, each) for each in found]
    width = math.ceil(math.sqrt(count))
    masses = [(200 + 25 * (i % width), 25 * (i // width)) for i in range(count)]
    patches = [_patch(signals, *mass) for mass in masses]
    metadata = {
        "description": "generated signals",
        "digests": {"sha256": digest(background)},
        "labels": ["m1", "m2"],
        "references": {"hepdata": "ins1234567"},
    }
    return background, {"metadata": metadata, "patches": patches, "version": "1.0.0"}


def _patch(signals: list[tuple[int, dict]], heavy: int, light: int) -> dict:
    operations = [
        {"op": "add", "path": f"/channels/{index}/samples/-", "value": _signal(sample, heavy, light)}
        for index, sample in signals
    ]
    return {"metadata": {"name": f"signal_{heavy}_{light}", "values": [heavy, light]}, "patch": operations}


def _signal(sample: dict, heavy: int, light: int) -> dict:
    """The sample with fewer events for heavy signals, softer ones where the two masses are close."""
    count = len(sample["data"])
    scale, tilt = math.exp((450 - heavy) / 150), (heavy - light - 300) / 600
    factors = [scale * math.exp(tilt * ((i + 0.5) / count - 0.5)) for i in range(count)]

    def scaled(values: list[float], power: float = 1.0) -> list[float]:
        return [value * factor**power for value, factor in zip(values, factors, strict=True)]

    made = copy.deepcopy(sample) | {"name": f"signal_{heavy}_{light}", "data": scaled(sample["data"])}
    for modifier in made["modifiers"]:
        if modifier["type"] == "histosys":
            modifier["data"] = {key: scaled(values) for key, values in modifier["data"].items()}
        elif modifier["type"] in ("staterror", "shapesys"):
            modifier["data"] = scaled(modifier["data"], 0.5)
    return made


class Laps:
    """Wall-clock and CPU seconds of one stage after the other."""

    def __init__(self):
        self.rows: list[tuple[str, float, float]] = []
        self.restart()

    def restart(self) -> None:
        """What came since the last stage does not count."""
        self._start = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        """The end of a stage."""
        wall, cpu = time.perf_counter() - self._start[0], time.process_time() - self._start[1]
        self.rows.append((name, wall, cpu))
        self.restart()


def stages(laps: Laps, workspace: Path, patchset: Path, threads: int | None) -> histjax.GridResult:
    """Every stage by itself, some of them twice."""
    document, _ = load_json(workspace)
    patches = histjax.read_patchset(patchset)
    patches.verify(document)
    laps.lap("files")
    workspaces = [each.workspace for each in read_variants(document, patches, patches.patches)[1]]
    laps.lap("reading and checking")
    unite(workspaces)
    laps.lap("union")
    grid = histjax.compile_grid(document, patches)
    laps.lap("compile_grid: reading to union once more, templates, compiling `derive`")
    histjax.hypotest(grid.model(grid.names[0]), poi_value=1.0, throw=False)
    laps.lap("first hypotest: compiling it")
    result = grid.hypotest(1.0, threads=threads)
    laps.lap(f"all {len(grid)} patches, {threads or 'default'} threads")
    grid.hypotest(1.0, threads=1)
    laps.lap(f"all {len(grid)} patches, 1 thread")
    return result


def whole(laps: Laps, workspace: Path, patchset: Path, threads: int | None) -> histjax.GridResult:
    """What a user waits for: no stage twice."""
    grid = histjax.compile_grid(workspace, patchset)
    laps.lap("compile_grid")
    result = grid.hypotest(1.0, threads=threads)
    laps.lap("hypotest")
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--patchset", type=Path)
    parser.add_argument("--points", type=int, default=125)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--write", type=Path, help="where to put the generated files")
    parser.add_argument("--total", action="store_true", help="only what a user waits for: no stage twice")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    workspace, patchset = options.workspace, options.patchset
    if patchset is None:
        folder = options.write or Path.cwd()
        background, patches = generated(json.loads(workspace.read_text()), options.points)
        workspace, patchset = folder / "background.json", folder / "patchset.json"
        workspace.write_text(json.dumps(background))
        patchset.write_text(json.dumps(patches))
    laps = Laps()
    result = (whole if options.total else stages)(laps, workspace, patchset, options.threads)
    table = Table("stage", "seconds", "CPU", box=None)
    for name, wall, cpu in [*laps.rows, ("sum", *(sum(row[i] for row in laps.rows) for i in (1, 2)))]:
        table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}")
    Console(width=120).print(table)
    print(f"{int(result.converged.sum())} of {len(result)} patches converged; {result.message}")


if __name__ == "__main__":
    main()
