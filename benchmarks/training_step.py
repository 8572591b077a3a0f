"""One step of a training through the limit of a workspace, beside one limit.

    python benchmarks/training_step.py WORKSPACE.json --sample SIGNAL [--events 10000] [--repeat 20] [--json FILE]

A small network makes one number of simulated events, its histogram the yields of the signal in all channels that have
it, one after the other, and the likelihood is that of the workspace with all its systematic uncertainties. A *step*
is loss, gradient with respect to the network, and update; it starts from the fit of the step before. Every row is a
process of its own:

- *limit*: the expected limit alone, without derivatives; *test* the same for the expected CLs;
- *limit step*, *test step*: a training step through them.

*first* is with compilation, *warm* the median of the following ones, *compiled* what was compiled after the first step
(nothing should be), *program* what the compiled program holds besides arguments and answers, *ten times* the same where
fits may take ten times as many iterations, *peak* the memory of the whole process.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from measuring import peak_megabytes
from rich.console import Console
from rich.table import Table

import histjax
from histjax import histograms, losses

TASKS = {
    "test": (losses.expected_log_cls, False),
    "limit": (losses.expected_limit, False),
    "test step": (losses.expected_log_cls, True),
    "limit step": (losses.expected_limit, True),
}
"""Loss, and whether the network is trained."""

COLUMNS = ("task", "par.", "first s", "warm ms", "compiled", "program MB", "ten times MB", "peak MB")
COMPILED: list[str] = []
OPTIMISER = optax.adam(1e-3)


def _listen(name: str, duration: float, **details) -> None:
    del duration, details
    if name.endswith("backend_compile_duration"):
        COMPILED.append(name)


class Analysis(eqx.Module):
    """A likelihood and simulated events of its signal; `places` of it: channel, first and last bin of the histogram."""

    model: histjax.Model
    features: jax.Array
    weights: jax.Array
    edges: jax.Array
    sample: str = eqx.field(static=True)
    places: tuple[tuple[str, int, int], ...] = eqx.field(static=True)

    @classmethod
    def of(cls, model: histjax.Model, sample: str, n_events: int) -> "Analysis":
        """Events with the yield that the signal has in all."""
        rows = [row for row in model.layout.rows if row.sample == sample]
        ends = [int(each) for each in np.cumsum([0, *(row.stop - row.start for row in rows)])]
        places = tuple((row.channel, a, b) for row, a, b in zip(rows, ends, ends[1:], strict=False))
        nominal = np.asarray(model.templates.nominal_yields)
        total = sum(nominal[row.start : row.stop].sum() for row in rows)
        edges = jnp.linspace(0.0, 1.0, ends[-1] + 1).at[0].set(-jnp.inf).at[-1].set(jnp.inf)
        features = jnp.asarray(np.random.default_rng(1).normal(size=(n_events, 2)))
        return cls(model, features, jnp.full(n_events, total / n_events), edges, sample, places)

    def filled(self, network: eqx.Module) -> histjax.Model:
        """The model with the histogram of what the network makes of the events."""
        scores = jax.nn.sigmoid(jax.vmap(network)(self.features))
        counts = histograms.kde_histogram(scores, self.weights, self.edges, 0.1)
        return self.model.with_yields({(name, self.sample): counts[a:b] for name, a, b in self.places})


def programs(task: str, max_iterations: int):
    """`(network, state, start, analysis) -> (network, state, start)`, one call of the task."""
    loss, trains = TASKS[task]

    def value(network, analysis, start):
        minimiser = histjax.Newton(max_iterations=max_iterations)
        return loss.warm(analysis.filled(network), init=start, minimiser=minimiser)

    @eqx.filter_jit
    def step(network, state, start, analysis):
        if not trains:
            return network, state, value(network, analysis, start)[1]
        (_, start), slope = eqx.filter_value_and_grad(value, has_aux=True)(network, analysis, start)
        updates, state = OPTIMISER.update(slope, state)
        return eqx.apply_updates(network, updates), state, start

    return step


def held_megabytes(task: str, max_iterations: int, arguments: tuple) -> float:
    """What the program holds besides its arguments and answers."""
    analysis = programs(task, max_iterations).lower(*arguments).compile().compiled.memory_analysis()
    return analysis.temp_size_in_bytes / 2**20


def measured(task: str, arguments: argparse.Namespace) -> dict:
    """The row of one task."""
    model = histjax.compile(histjax.read(arguments.workspace))
    analysis = Analysis.of(model, arguments.sample, arguments.events)
    network = eqx.nn.MLP(2, "scalar", 24, 2, jax.nn.tanh, key=jax.random.key(0))
    state = OPTIMISER.init(eqx.filter(network, eqx.is_inexact_array))
    carried, step = (network, state, losses.WarmStart.of(model)), programs(task, 200)
    begin = time.perf_counter()
    carried = jax.block_until_ready(step(*carried, analysis))
    first, before, times = time.perf_counter() - begin, len(COMPILED), []
    for _ in range(arguments.repeat):
        begin = time.perf_counter()
        carried = jax.block_until_ready(step(*carried, analysis))
        times.append(time.perf_counter() - begin)
    row = {"task": task, "par.": model.layout.n_parameters, "first s": first, "warm ms": 1e3 * float(np.median(times))}
    row |= {"compiled": len(COMPILED) - before, "peak MB": peak_megabytes(), "converged": bool(carried[2].converged)}
    held = [held_megabytes(task, each, (*carried, analysis)) for each in (200, 2000)]
    return row | dict(zip(("program MB", "ten times MB"), held, strict=True))


def in_a_process(task: str) -> dict:
    """The row of one task from a new process, which is given the same command line."""
    command = [sys.executable, *sys.argv, "--task", task]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{task}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def shown(rows: list[dict]) -> Table:
    """The table of the tasks."""
    table = Table(*COLUMNS, box=None)
    for row in rows:
        table.add_row(*(f"{row[name]:.3g}" if isinstance(row[name], float) else str(row[name]) for name in COLUMNS))
    return table


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--sample", required=True, help="the sample that the events belong to")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task is not None:
        jax.monitoring.register_event_duration_secs_listener(_listen)
        print(json.dumps(measured(arguments.task, arguments)))
        return
    rows = [in_a_process(task) for task in TASKS]
    Console(width=120).print(shown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
