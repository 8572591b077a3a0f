"""The histjax plugin of Spey beside spey-pyhf, on the same models in the same process.

    PYTHON benchmarks/spey_side_by_side.py [--corpus DIR] [--toys 20] [--cache DIR] [--write FILE]

PYTHON has spey, spey-pyhf and histjax. The models are A, the two bins over an uncorrelated background of pyhf's
documentation, C, a small one with all modifiers but shapefactor, and a published background with a signal patch; C and
the published one are read from a corpus of models, without which there is A alone.

*First* is the first call of a quantity after the model was built, compilation included, in the order of the table.
*Repeat* is another call, by a new `StatisticalModel` around the same backend, since Spey keeps what it was asked
before. `--cache` keeps histjax's compiled programs (`histjax.caching.keep_compiled`): the second run shows what a later
process of a user waits for. Toys are random: their numbers are to agree within what so few are worth.
"""

import argparse
import copy
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")

import numpy as np
import spey
from reporting import seconds
from rich.console import Console
from rich.table import Table

import histjax
from histjax.caching import keep_compiled

CORPUS = Path(__file__).parents[1] / "../shared/corpus"
PUBLISHED = "atlas_susy_2018_31_sbottom_A"
SIGNAL = "patch.sbottom_1300_205_60.json"
TOOLS = ("histjax", "pyhf")
EXPECTED = {name: getattr(spey.ExpectationType, name) for name in ("observed", "apriori", "aposteriori")}


def taken_apart(document: dict, name: str) -> tuple[dict, list[dict]]:
    """A background without one sample, and the patch that brings it back."""
    background, patch = copy.deepcopy(document), []
    for index, channel in enumerate(background["channels"]):
        patch += [
            {"op": "add", "path": f"/channels/{index}/samples/-", "value": each}
            for each in channel["samples"]
            if each["name"] == name
        ]
        channel["samples"] = [each for each in channel["samples"] if each["name"] != name]
    return background, patch


def models(corpus: Path) -> Iterator[tuple[str, dict, list[dict]]]:
    """Name, background and patch of each model."""
    two_bins = json.loads(histjax.examples.path("two_bins").read_text())
    yield "A", *taken_apart(two_bins, "signal")
    if not corpus.is_dir():
        print(f"no corpus at {corpus}: model A alone", file=sys.stderr)
        return
    yield "C", *taken_apart(json.loads((corpus / "hs3_samples" / "full_nosf.json").read_text()), "sig")
    patches = json.loads((corpus / "patches" / f"{PUBLISHED}.some.patches.json").read_text())
    yield PUBLISHED, json.loads((corpus / "models" / f"{PUBLISHED}.json").read_text()), patches[SIGNAL]


def quantities(n_toys: int) -> dict[str, Callable]:
    """What is asked of a `StatisticalModel`."""

    def toys(model):
        np.random.seed(1)
        model.ntoys = n_toys
        return model.exclusion_confidence_level(calculator="toy", verbose=False)

    return {
        **{
            f"exclusion, {name}": lambda model, kind=kind: model.exclusion_confidence_level(expected=kind)
            for name, kind in EXPECTED.items()
        },
        **{
            f"upper limit, {name}": lambda model, kind=kind: model.poi_upper_limit(expected=kind)
            for name, kind in EXPECTED.items()
        },
        "mu-hat, nll": lambda model: model.maximize_likelihood(),
        "sigma_mu(1)": lambda model: model.sigma_mu(1.0),
        f"exclusion, {n_toys} toys": toys,
    }


def measured(tool: str, background: dict, patch: list[dict], asked: dict[str, Callable]) -> dict[str, dict]:
    """Values and times of one backend, by quantity."""
    start = time.perf_counter()
    made = spey.get_backend(tool)(
        signal_patch=copy.deepcopy(patch), background_only_model=copy.deepcopy(background), analysis=tool
    )
    rows = {"build": {"first": time.perf_counter() - start}}
    for name, function in asked.items():
        first, value = _clock(function, made)
        repeat = min(_clock(function, spey.StatisticalModel(made.backend, tool))[0] for _ in range(2))
        rows[name] = {"value": np.ravel(value), "first": first, "repeat": repeat}
    rows["all of it"] = {key: sum(row.get(key, 0.0) for row in rows.values()) for key in ("first", "repeat")}
    return rows


def _clock(function: Callable, model) -> tuple[float, object]:
    start = time.perf_counter()
    value = function(model)
    return time.perf_counter() - start, value


def table_of(name: str, ours: dict, theirs: dict) -> Table:
    """One model: quantity, values, the largest difference, times and their ratio."""
    columns = "quantity", "histjax", "spey-pyhf", "difference", "first", "theirs", "ratio", "repeat", "theirs", "ratio"
    table = Table(*columns, title=name, box=None, title_justify="left")
    for quantity, row in ours.items():
        other = theirs[quantity]
        cells = ["", "", ""]
        if "value" in row:
            cells = [shown(row["value"]), shown(other["value"]), f"{np.max(np.abs(row['value'] - other['value'])):.1e}"]
        for key in ("first", "repeat"):
            cells += (
                [seconds(row[key]), seconds(other[key]), f"{other[key] / row[key]:.3g}"] if key in row else [""] * 3
            )
        table.add_row(quantity, *cells)
    return table


def shown(values: np.ndarray) -> str:
    """The numbers; of a band, its median."""
    chosen = values[2:3] if values.size == 5 else values
    return ", ".join(f"{value:.8g}" for value in chosen)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--toys", type=int, default=20)
    parser.add_argument("--cache", type=Path, help="directory for histjax's compiled programs")
    parser.add_argument("--write", type=Path, help="file for the table")
    options = parser.parse_args()
    spey.set_log_level(0)
    if options.cache is not None:
        keep_compiled(options.cache.absolute())
    asked = quantities(options.toys)
    tables = [
        table_of(name, *(measured(tool, background, patch, asked) for tool in TOOLS))
        for name, background, patch in models(options.corpus)
    ]
    console = Console(width=170, record=True)
    for table in tables:
        console.print(table)
    if options.write is not None:
        options.write.write_text(console.export_text())


if __name__ == "__main__":
    main()
