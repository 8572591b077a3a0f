"""Many toys: their slices handed to an executor and merged as they come.

Who runs which slice, and in what order they come back, changes nothing.
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass

import jax
import numpy as np

from histjax.errors import LostWorkers
from histjax.inference.toys.loops import Loop
from histjax.inference.toys.slices import Job, SliceResult, Store, Task, run_slice
from histjax.inference.toys.tally import Tally
from histjax.inference.toys.throwing import Toy

MOST_OUTSTANDING = 256
"""Slices that are with the executor at a time."""
MOST_LOSSES = 5
"""How often a slice is given to an executor that loses its workers."""
SHARES, FEWEST = 8, 4
"""How many slices each thread of this process gets at least, where they have so many toys: some toys take a hundred
times as long as others, and the threads shall end together."""


@dataclass(frozen=True)
class Running:
    """How toys are run; none of it changes their result.

    **Fields:** `loop`; `executor` (`None`: threads of this process); `slice_size` (`None`: the loop's width);
    `progress`, called with the toys done and to do; `store`; `keep`: whether the columns of all toys are kept, which
    takes memory in proportion to them.
    """

    loop: Loop
    executor: Executor | None = None
    slice_size: int | None = None
    progress: Callable[[int, int], object] | None = None
    store: Store | None = None
    keep: bool = False


def throw_toys(jobs: Sequence[Job], running: Running) -> list[SliceResult]:
    """Run every job; one merged result for each, with the columns in the order of the toys where they are kept.

    Slices of all jobs are on their way together. A slice whose worker is lost is given out again; it is counted when
    its result comes, once. Whatever else goes wrong in a slice is raised here, after the others were called off.
    """
    size = running.slice_size or _slice_size(jobs, running)
    harvest = Harvest(jobs, running)
    with Crew(running) as crew:
        for number, job in enumerate(jobs):
            local = _on_host(job)
            for piece in job.slices(size):
                known = None if running.store is None else running.store.load(piece)
                if known is not None:
                    harvest.add(number, piece, known)
                    continue
                crew.give(number, Task(local, piece, running.loop, running.keep))
                if crew.is_full:
                    harvest.take(crew)
        while crew.outstanding:
            harvest.take(crew)
    return harvest.results()


def _slice_size(jobs: Sequence[Job], running: Running) -> int:
    """How many toys are run in one piece, where nobody asked for a number. Stored slices and those for an executor have
    the loop's width, whatever the number of toys.
    """
    width = running.loop.width
    if running.executor is not None or running.store is not None or not running.loop.by_threads:
        return width
    share = sum(job.n_toys for job in jobs) // (SHARES * _n_threads(running.loop))
    return min(width, max(share, FEWEST))


def _n_threads(loop: Loop) -> int:
    """Threads of this process that run slices; side by side, or over several devices, one program has all cores."""
    return len(os.sched_getaffinity(0)) if loop.by_threads else 1


class Harvest:
    """What has come in: a tally for each job, and columns where they are kept."""

    def __init__(self, jobs: Sequence[Job], running: Running):
        self.tallies = [Tally.empty(job.observed) for job in jobs]
        self.columns: list[dict[int, Toy]] = [{} for _ in jobs]
        self.running, self.done, self.total = running, 0, sum(job.n_toys for job in jobs)

    def take(self, crew: "Crew") -> None:
        """What the crew has finished, at least one slice: stored, then counted."""
        for number, task, result in crew.finished():
            if self.running.store is not None:
                self.running.store.save(task.piece, result)
            self.add(number, task.piece, result)

    def add(self, number: int, piece, result: SliceResult) -> None:
        """Count a slice of job `number`."""
        self.tallies[number] += result.tally
        if self.running.keep:
            self.columns[number][piece.start] = result.toys
        self.done += piece.n_toys
        if self.running.progress is not None:
            self.running.progress(self.done, self.total)

    def results(self) -> list[SliceResult]:
        """One for each job."""
        return [SliceResult(tally, _joined(kept)) for tally, kept in zip(self.tallies, self.columns, strict=True)]


class Crew:
    """The executor and the slices that are with it; however this ends, what has not begun is called off."""

    def __init__(self, running: Running):
        self.loop, self.executor, self.own = running.loop, running.executor, None
        self.outstanding: dict[Future, tuple[int, Task, int]] = {}

    def __enter__(self) -> "Crew":
        if self.executor is None:
            self._hire()
        return self

    def __exit__(self, *error) -> None:
        for future in self.outstanding:
            future.cancel()
        if self.own is not None:
            self.own.shutdown(cancel_futures=True)

    @property
    def is_full(self) -> bool:
        """Whether to wait before giving out more."""
        return len(self.outstanding) >= MOST_OUTSTANDING

    def give(self, number: int, task: Task, losses: int = 0) -> None:
        """Hand out a slice of job `number`; a pool that is broken for good is replaced by threads of this process."""
        try:
            future = self.executor.submit(run_slice, task)
        except BrokenExecutor:
            if self.executor is self.own:
                raise
            warnings.warn("the executor broke; this process runs the rest of the toys", LostWorkers, stacklevel=4)
            self._hire()
            future = self.executor.submit(run_slice, task)
        self.outstanding[future] = number, task, losses

    def finished(self) -> Iterator[tuple[int, Task, SliceResult]]:
        """What is ready, after waiting for one; a slice whose worker was lost is handed out again."""
        ready, _ = wait(self.outstanding, return_when=FIRST_COMPLETED)
        failure = None
        for future in ready:
            number, task, losses = self.outstanding.pop(future)
            error = CancelledError() if future.cancelled() else future.exception()
            if error is None:
                yield number, task, future.result()
            elif _is_loss(error) and losses + 1 < MOST_LOSSES:
                self.give(number, task, losses + 1)
            else:
                failure = error
        if failure is not None:
            raise failure

    def _hire(self) -> None:
        self.executor = self.own = ThreadPoolExecutor(_n_threads(self.loop))


def _is_loss(error: BaseException) -> bool:
    """Whether a worker was lost, and not the work at fault; distributed is asked only where it is in use."""
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
    if "distributed" in sys.modules:
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        lost = (*lost, KilledWorker, CommClosedError)
    return isinstance(error, lost)


def _joined(columns: dict[int, Toy]) -> Toy | None:
    parts = [columns[start] for start in sorted(columns)]
    return Toy(*(np.concatenate(each) for each in zip(*parts, strict=True))) if parts else None


def _on_host(job: Job) -> Job:
    """With NumPy arrays, which every executor can send."""
    host = jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, job.experiment)
    return Job(host, job.label, job.observed, job.start, job.stop)
