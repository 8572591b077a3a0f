"""The loop over the models of a grid, and second attempts where a fit is not certified.

On a CPU whole tests are shared out among threads: XLA lets go of Python's lock while it computes, and a model that is
done does not wait for the others. On an accelerator all models are one batch. The rule is in `runs_batched` and
`default_threads`. Measured on two cores, 64 patches of 73 parameters: a batch takes 0.75 s and threads 1.1 s, but
compiling the batch takes 3 s more; 125 patches of 3 parameters: 0.09 s and 1.2 s. So on a CPU a batch (`batched=True`)
is for small models that are asked often.

An answer that is not certified is asked for again, alone: from the best fits of the nearest certified patches, then
with a more patient minimiser. All first attempts are made before, so that nothing depends on the order of the patches
or on who finished first.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.grids.tasks import Task
from histjax.model.histfactory import Model

PATIENT = Newton(max_iterations=1000, patience=0, restarts=8)
"""The minimiser of the last attempt; it is a program of its own."""

NEIGHBOURS = 3
"""From how many best fits of other patches to start again."""


class Answer(NamedTuple):
    """The last result for one patch, what is wrong with it (empty: nothing), and how many attempts were made."""

    result: Any
    message: str
    attempts: int


class Loop(NamedTuple):
    """How to go through the models: `threads` or `batched`, `None` for what is best here; `report` is called after each
    patch.
    """

    threads: int | None = None
    batched: bool | None = None
    report: Callable[[], None] | None = None


def default_threads() -> int:
    """As many threads as the process may use cores, eight at most: a good part of a test is Python's, which threads do
    not share.
    """
    return max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def runs_batched(batched: bool | None) -> bool:
    """Whether all models are one batch: what was asked for, or else whether there is an accelerator."""
    return jax.default_backend() != "cpu" if batched is None else batched


def answers(
    task: Task,
    batch: Callable[[Callable[[Model], Any]], Any],
    models: Sequence[Callable[[], Model]],
    neighbours: Sequence[Sequence[int]],
    minimiser: Minimiser,
    loop: Loop,
) -> list[Answer]:
    """The answers of all models, in order.

    **Arguments:**

    - `batch`: applies a function to all models as one batch; `models`: make single ones, when they are needed.
    - `neighbours`: for each model the indices of the others, the nearest first.
    """
    if runs_batched(loop.batched):
        results = _batched(batch(lambda model: task.answer(model, minimiser)), len(models))
        _report(loop, len(models))
    else:
        results = _threads(lambda index: task.answer(models[index](), minimiser), len(models), loop)
    results = [jax.device_get(each) for each in results]
    messages = [task.message(each) for each in results]
    good = [index for index, message in enumerate(messages) if not message]
    return [
        Answer(result, "", 1)
        if not message
        else _again(task, models[index](), _starts(task, results, neighbours[index], good), minimiser, result)
        for index, (result, message) in enumerate(zip(results, messages, strict=True))
    ]


def _batched(result, count: int) -> list:
    """The entries of a result whose arrays have a leading axis."""
    leaves, structure = jax.tree.flatten(jax.device_get(result))

    def entry(index: int):
        return structure.unflatten([leaf[index] if isinstance(leaf, np.ndarray) else leaf for leaf in leaves])

    return [entry(index) for index in range(count)]


def _threads(ask: Callable[[int], Any], count: int, loop: Loop) -> list:
    """The first model compiles for all; then each thread takes the next one that is left."""
    results = {0: jax.block_until_ready(ask(0))}
    _report(loop, 1)
    n_threads = default_threads() if loop.threads is None else max(1, loop.threads)
    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        futures = {
            pool.submit(lambda index: jax.block_until_ready(ask(index)), index): index for index in range(1, count)
        }
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                _report(loop, 1)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [results[index] for index in range(count)]


def _report(loop: Loop, count: int) -> None:
    for _ in range(count if loop.report else 0):
        loop.report()


def _starts(task: Task, results: list, neighbours: Sequence[int], good: list[int]) -> list[np.ndarray]:
    chosen = [index for index in neighbours if index in good][:NEIGHBOURS]
    return [task.best_fit(results[index]) for index in chosen]


def _again(task: Task, model: Model, starts: list[np.ndarray], minimiser: Minimiser, first) -> Answer:
    """Other attempts, until one is certified; the first result is kept where none is."""
    number = 1
    for number, (start, other) in enumerate(_attempts(starts, minimiser), 2):
        result = jax.device_get(task.answer(_from(model, start), other))
        if not task.message(result):
            return Answer(result, "", number)
    return Answer(first, task.message(first), number)


def _attempts(starts: list[np.ndarray], minimiser: Minimiser) -> Iterator[tuple[np.ndarray | None, Minimiser]]:
    yield from ((start, minimiser) for start in starts)
    yield None, PATIENT


def _from(model: Model, start: np.ndarray | None) -> Model:
    """The model with another starting point for what is not fixed."""
    if start is None:
        return model
    parameters = model.parameters
    fixed, init, lower, upper = (np.asarray(getattr(parameters, name)) for name in ("fixed", "init", "lower", "upper"))
    chosen = np.where(fixed, init, np.clip(start, lower, upper)).astype(init.dtype)
    return eqx.tree_at(lambda each: each.templates.init, model, jax.device_put(chosen))
