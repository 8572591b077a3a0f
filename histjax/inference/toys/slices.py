"""Slices: ranges of toys of one hypothesis, the pieces in which toys are run, sent away and stored.

Where the cuts are changes nothing. What goes to an executor is a function of this module with arguments that can be
pickled, so that it may be a pool of processes or a cluster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from histjax.inference.toys.loops import Loop, run_toys
from histjax.inference.toys.tally import Tally
from histjax.inference.toys.throwing import Experiment, Toy


@dataclass(frozen=True, order=True)
class Slice:
    """Toys `start` to `stop` of a hypothesis of a test; `label` says of which (see `fingerprint`)."""

    label: str
    hypothesis: int
    start: int
    stop: int

    @property
    def n_toys(self) -> int:
        """How many toys."""
        return self.stop - self.start


@dataclass(frozen=True)
class SliceResult:
    """The outcome of a slice, or of several: the tally and, where they are kept, the columns of the toys."""

    tally: Tally
    toys: Toy | None = None


class Store(Protocol):
    """Where finished slices are kept, so that they need not be run again. Called from one thread."""

    def load(self, piece: Slice) -> SliceResult | None:
        """The result of a slice, or `None` where it has not been run (or its toys are wanted and were not kept)."""

    def save(self, piece: Slice, result: SliceResult) -> None:
        """Keep the result of a slice."""


@dataclass(frozen=True)
class Job:
    """Toys `start` to `stop` of an experiment, to be compared with the `observed` statistic."""

    experiment: Experiment
    label: str
    observed: float
    start: int
    stop: int

    @property
    def n_toys(self) -> int:
        """How many toys."""
        return self.stop - self.start

    def slices(self, size: int) -> Iterator[Slice]:
        """The work in pieces, cut at the multiples of `size`."""
        cuts = [self.start, *range((self.start // size + 1) * size, self.stop, size), self.stop]
        for start, stop in pairwise(cuts):
            if stop > start:
                yield Slice(self.label, int(self.experiment.hypothesis), start, stop)


@dataclass(frozen=True)
class Task:
    """A slice with everything that is needed to run it, on the host: what an executor is given."""

    job: Job
    piece: Slice
    loop: Loop
    keep: bool


def run_slice(task: Task) -> SliceResult:
    """Run one slice: the function that an executor is given."""
    toys = run_toys(task.job.experiment, task.loop, task.piece.start, task.piece.stop)
    sums = {"n_iterations": int(toys.iterations.sum()), "n_rescued": int(np.count_nonzero(toys.attempt))}
    tally = Tally.of(toys.statistic, task.job.observed, toys.failed, **sums)
    return SliceResult(tally, toys if task.keep else None)
