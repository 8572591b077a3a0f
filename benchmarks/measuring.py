"""Clocks and memory for the processes that the benchmarks start; the standard library alone, for any interpreter.

A measured process prints its row, one line of JSON, whenever it knows more: the last line is the answer, and one that
is stopped half-way still leaves what it had.
"""

import argparse
import json
import re
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

BUDGET = 15.0
"""Seconds after which no further repetition is begun."""

FEW_TOYS = 8
"""Toys of the first warm call; the cold one throws a single toy, so that slow tools leave something in time."""


def clock(function: Callable) -> tuple[float, object]:
    """Seconds and result of one call."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def warm(function: Callable, repeat: int) -> dict:
    """Median seconds of `repeat` calls, short ones timed in batches of 20 ms, and how many cores were busy."""
    start, busy = time.perf_counter(), time.process_time()
    first, _ = clock(function)
    calls = max(1, min(1000, int(0.02 / first)))
    times = [] if calls > 1 else [first]
    while len(times) < repeat and (not times or time.perf_counter() - start < BUDGET):
        times.append(clock(lambda: [function() for _ in range(calls)])[0] / calls)
    elapsed = time.perf_counter() - start
    return {"warm_s": statistics.median(times), "cores": (time.process_time() - busy) / elapsed}


def peak_megabytes() -> float:
    """Largest resident memory of this process so far.

    `ru_maxrss` survives `exec`: a small process started by a large one reports the large one's. The kernel's own mark
    of this address space does not, so that is read where there is one.
    """
    status = Path("/proc/self/status")
    mark = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return (int(mark[1]) if mark else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def report(row: dict) -> None:
    """Print a row as it is known now; the empty line ends whatever a C++ library left on the current one."""
    print("\n" + json.dumps(row | {"peak_mb": peak_megabytes()}), flush=True)


def measure(build: Callable, task: Callable, repeat: int) -> None:
    """Build, call, repeat. `task(subject)` gives the call to be timed, and what its answer is worth."""
    build_s, subject = clock(build)
    call, describe = task(subject)
    first_s, answer = clock(call)
    row = {"build_s": build_s, "cold_s": build_s + first_s} | describe(answer)
    report(row)
    report(row | warm(call, repeat))


def measure_toys(build: Callable, task: Callable, most: int) -> None:
    """One toy, cold; then as many as the budget holds, `most` at most.

    `task(subject)` gives `throw(n) -> dict` with `n_toys` that were fitted and the fraction `converged`.
    """
    build_s, subject = clock(build)
    throw = task(subject)
    first_s, answer = clock(lambda: throw(1))
    row = {"build_s": build_s, "cold_s": build_s + first_s, "rate": answer["n_toys"] / first_s} | answer
    report(row)
    n_toys, calls = FEW_TOYS, 0
    # the second call still compiles what the first did not need (a fit that has to be repeated): the third one counts
    while True:
        busy = time.process_time()
        seconds, answer = clock(lambda n=n_toys: throw(n))
        row |= {"rate": answer["n_toys"] / seconds, "cores": (time.process_time() - busy) / seconds} | answer
        report(row)
        calls += 1
        if calls > 1 and (n_toys >= most or seconds > BUDGET / 4):
            return
        n_toys = min(most, 10 * n_toys, max(n_toys, int(0.8 * n_toys * BUDGET / seconds)))


def worker_arguments(tools: list[str], tasks: list[str]) -> argparse.Namespace:
    """The command line that all measured processes share."""
    parser = argparse.ArgumentParser(description="Measure one task of one tool on one file; prints lines of JSON.")
    parser.add_argument("tool", choices=tools)
    parser.add_argument("task", choices=tasks)
    parser.add_argument("model", type=Path)
    parser.add_argument("--patchset", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--toys", type=int, default=1000)
    return parser.parse_args()
