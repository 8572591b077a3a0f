"""Toys run elsewhere: pools, a cluster that loses a worker, a store. Nothing is lost, nothing counted twice."""

import os
import signal
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import jax
import numpy as np
import pytest

import histjax
from histjax.errors import LostWorkers
from histjax.inference.toys.slices import Slice, SliceResult, Task, run_slice
from tests.toys.counting import OneBin

KEY = jax.random.key(11)
N_TOYS, SLICE = 600, 50
LOOP = histjax.Sequential(block=SLICE)


def outcome(**settings) -> histjax.ToyOutcome:
    """Toys of a counting experiment."""
    model = histjax.compile(histjax.read(OneBin(6.0, 3.5, 4).document()))
    toys = histjax.Toys(KEY, N_TOYS, loop=LOOP, slice_size=SLICE, **settings)
    return histjax.hypotest(model, poi_value=1.0, calculator=toys).toys


@pytest.fixture(scope="module")
def reference() -> histjax.ToyOutcome:
    """By one thread."""
    with ThreadPoolExecutor(1) as executor:
        return outcome(executor=executor, keep=True)


def same(found: histjax.ToyOutcome, reference: histjax.ToyOutcome) -> bool:
    """Every count."""
    pairs = (found.tested, reference.tested), (found.other, reference.other)
    return all(
        np.array_equal(ours.counts, theirs.counts)
        and (ours.n_toys, ours.n_at_least, ours.n_iterations) == (theirs.n_toys, theirs.n_at_least, theirs.n_iterations)
        for ours, theirs in pairs
    )


@pytest.fixture
def compiled_elsewhere(monkeypatch):
    """Other processes find the programs of this one."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", jax.config.jax_compilation_cache_dir)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def test_threads(reference):
    """Those of the process, by default; the columns are in the order of the toys."""
    found = outcome(keep=True)
    assert same(found, reference)
    np.testing.assert_array_equal(found.tested_toys.statistic, reference.tested_toys.statistic)
    assert found.tested_toys.statistic.shape == (N_TOYS,)


def test_processes(reference, compiled_elsewhere):
    """A pool of spawned processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert same(outcome(executor=executor), reference)


def kill_once(pids: list[int]):
    """A progress callback that kills a process when a tenth of the work is done."""

    def progress(done: int, total: int) -> None:
        if pids and done >= total // 10:
            os.kill(pids.pop(), signal.SIGKILL)

    return progress


def test_a_cluster_that_loses_a_worker(reference, compiled_elsewhere):
    """`distributed`: a worker is killed midway, its slices run elsewhere, and every count is the same."""
    distributed = pytest.importorskip("distributed")
    settings = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50)
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        pids = list(client.run(os.getpid).values())[:1]
        found = outcome(executor=client.get_executor(), progress=kill_once(pids))
    assert not pids  # it was killed
    assert same(found, reference)


def test_a_pool_that_breaks(reference, compiled_elsewhere):
    """A pool of processes does not survive the loss of one: this process runs the rest."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        pids = [executor.submit(os.getpid).result()]
        with pytest.warns(LostWorkers, match="this process runs the rest"):
            assert same(outcome(executor=executor, progress=kill_once(pids)), reference)


class Unreliable(ThreadPoolExecutor):
    """Loses the first `losses` slices, in the way given."""

    def __init__(self, losses: int, error: BaseException):
        super().__init__(1)
        self.losses, self.error, self.given = losses, error, 0

    def submit(self, function, task: Task) -> Future:
        """Not every time."""
        self.given += 1
        if self.given > self.losses:
            return super().submit(function, task)
        lost = Future()
        lost.set_exception(self.error)
        return lost


def test_lost_slices_are_given_out_again(reference):
    """Each at most five times; an error of the work itself is not tried again."""
    for error in (BrokenExecutor("gone"), CancelledError()):
        with Unreliable(4, error) as executor:
            assert same(outcome(executor=executor), reference)
            assert executor.given == 2 * N_TOYS // SLICE + 4
    with Unreliable(10_000, BrokenExecutor("gone")) as executor, pytest.raises(BrokenExecutor, match="gone"):
        outcome(executor=executor)
    with Unreliable(1, ArithmeticError("wrong")) as executor, pytest.raises(ArithmeticError, match="wrong"):
        outcome(executor=executor)


class Memory:
    """A store in memory."""

    def __init__(self):
        self.results: dict[Slice, SliceResult] = {}

    def load(self, piece: Slice) -> SliceResult | None:
        """See `Store`."""
        return self.results.get(piece)

    def save(self, piece: Slice, result: SliceResult) -> None:
        """See `Store`."""
        assert piece not in self.results
        self.results[piece] = result


class Counting(ThreadPoolExecutor):
    """Counts the slices it is given."""

    given = 0

    def submit(self, function, *arguments):
        """And runs them."""
        assert function is run_slice
        self.given += 1
        return super().submit(function, *arguments)


def test_an_interrupted_run_resumes(reference):
    """What was finished when the user pressed Ctrl-C is not run again."""
    store = Memory()

    def interrupt(done: int, total: int) -> None:
        if done >= total // 2:
            raise KeyboardInterrupt

    with Counting(1) as executor, pytest.raises(KeyboardInterrupt):
        outcome(store=store, executor=executor, progress=interrupt)
    finished = len(store.results)
    assert N_TOYS // SLICE <= finished < 2 * N_TOYS // SLICE
    with Counting(1) as executor:
        assert same(outcome(store=store, executor=executor), reference)
        assert executor.given == 2 * N_TOYS // SLICE - finished
    assert len(store.results) == 2 * N_TOYS // SLICE


def test_another_test_is_another_label():
    """Slices of another key, value or dataset are not mistaken for these."""
    model = histjax.compile(histjax.read(OneBin(6.0, 3.5, 4).document()))
    store = Memory()
    other = histjax.Data({"SR": jax.device_put(np.array([5.0]))}, {})
    for key, value, data in ((KEY, 1.0, None), (jax.random.key(12), 1.0, None), (KEY, 1.1, None), (KEY, 1.0, other)):
        toys = histjax.Toys(key, SLICE, loop=LOOP, store=store)
        histjax.hypotest(model, data, poi_value=value, calculator=toys)
    assert len({piece.label for piece in store.results}) == 4 and len(store.results) == 8


def test_progress():
    """Called with the toys done, which end at those to do."""
    calls = []
    outcome(progress=lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == list(range(SLICE, 2 * N_TOYS + 1, SLICE))
    assert {total for _, total in calls} == {2 * N_TOYS}
