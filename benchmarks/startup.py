"""A whole `histjax cls` in a fresh process: with an empty compilation cache (cold) and with a filled one (warm).

    python benchmarks/startup.py WORKSPACE.json [...] [--repeat 3]

Wall seconds of the process, start of Python and import of JAX included.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

import histjax


def run(path: Path, cache: str) -> float:
    """Seconds of one process; raises where the command fails."""
    command = [sys.executable, "-m", "histjax", "cls", str(path), "--cache-dir", cache]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", nargs="*", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    table = Table("model", "cold cache", "warm cache (median)", box=None)
    for path in arguments.workspaces or [histjax.examples.path("two_bins")]:
        with tempfile.TemporaryDirectory() as cache:
            cold = run(path, cache)
            warm = statistics.median(run(path, cache) for _ in range(arguments.repeat))
        table.add_row(path.stem, f"{cold:.2f} s", f"{warm:.2f} s")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
