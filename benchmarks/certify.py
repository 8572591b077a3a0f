"""How every fit ends, and how its minimum compares with a value that does not come from histjax.

    python benchmarks/certify.py [--corpus DIRECTORY] [--no-traps] [--json FILE]

Rows are the models of `tests/traps/table.py`, on which other tools fail or mislead, and, with `--corpus`, the
workspaces of a directory with a `manifest.json` (`{"models": [{"name", "file", "best_known": {"twice_nll"}}]}`).
*2NLL above* is the minimum less the independent one: negative is better. A silent failure is a row that says
"converged" and lies above; the last line counts them, and the exit status is 1 if there is one. What is not fitted
says why: a document that is refused with a message is no failure, nor is a fit that says that it did not converge.
*noise* is what a reference loses that adds up log-gamma terms as they are (4e-16 times their size: 2e-3 where tau is
1e11); a minimum may lie above by 1e-6 and that.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import gammaln

import histjax
from histjax.errors import HistjaxError

sys.path.insert(0, str(Path(__file__).parents[1]))

ALLOWED = 1e-6
COLUMNS = ("model", "par.", "status", "EDM", "KKT", "min. eigenvalue", "2NLL above", "noise", "reference", "s")


def row(name: str, source, reference: float | None, origin: str) -> dict:
    """Fit one document, whatever comes of it."""
    start = time.perf_counter()
    entry = {"model": name, "reference": origin, "silent": False}
    try:
        model = histjax.compile(histjax.read(source))
        result = histjax.fit(model, throw=False)
    except HistjaxError as error:
        return entry | {"status": "refused: " + str(error).splitlines()[-1].strip()}
    above, noise = None if reference is None else float(result.twice_nll) - reference, rounding(model)
    return entry | {
        "par.": model.layout.n_parameters,
        "status": histjax.Status(int(result.status)).name.lower(),
        "EDM": float(result.edm),
        "KKT": float(result.kkt),
        "min. eigenvalue": float(result.smallest_eigenvalue),
        "2NLL above": above,
        "noise": noise,
        "silent": bool(result.converged) and above is not None and not above <= ALLOWED + noise,
        "s": time.perf_counter() - start,
    }


def rounding(model: histjax.Model) -> float:
    """Error of a sum of Poisson terms whose log-gamma functions are not cancelled analytically."""
    sizes = {each.name for each in model.layout.constrained if each.constraint == "poisson"}
    counts = [*model.data.main.values(), *(value for name, value in model.data.aux.items() if name in sizes)]
    return 2 * 4e-16 * sum(float(np.sum(gammaln(each + 1) + each)) for each in map(np.asarray, counts))


def trap_rows():
    """The traps that have a document."""
    from tests.traps.table import TRAPS

    for trap in TRAPS.values():
        for name, document in trap.documents.items():
            first = document is trap.document
            origin = trap.origin if first and trap.twice_nll is not None else ""
            yield row(f"{trap.id} {name}", document, trap.twice_nll if first else None, origin)


def corpus_rows(corpus: Path):
    """The models of a manifest."""
    for entry in json.loads((corpus / "manifest.json").read_text())["models"]:
        best = entry.get("best_known") or {}
        jax.clear_caches()  # the programs of seventy models would fill the memory
        yield row(entry["name"], corpus / entry["file"], best.get("twice_nll"), "best known" if best else "")


def shown(value) -> str:
    """One cell of the table."""
    return f"{value:.2g}" if isinstance(value, float) else "" if value is None else str(value)


def main() -> None:
    """Fit everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="directory with a manifest.json")
    parser.add_argument("--no-traps", action="store_true")
    parser.add_argument("--json", type=Path, help="write the rows to a file")
    options = parser.parse_args()
    warnings.simplefilter("ignore", histjax.errors.HistjaxWarning)
    rows = [] if options.no_traps else list(trap_rows())
    rows += [] if options.corpus is None else list(corpus_rows(options.corpus))
    table = Table(box=None)
    for column in COLUMNS:
        table.add_column(column, overflow="ellipsis", no_wrap=True, max_width=44)
    for each in rows:
        table.add_row(*(shown(each.get(column)) for column in COLUMNS))
    Console(width=190).print(table)
    silent = [each["model"] for each in rows if each["silent"]]
    print(f"{len(rows)} models, {len(silent)} silent failures {', '.join(silent)}".rstrip())
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    sys.exit(1 if silent else 0)


if __name__ == "__main__":
    main()
