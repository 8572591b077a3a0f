"""Toys on disk: what is kept is not thrown again, what is damaged is, and what is of something else is refused."""

import json
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

import histjax
from histjax import Sequential, Toys, ToyStore, write_table
from histjax.errors import DamagedStore, HistjaxError, InvalidStore
from histjax.inference.toys.slices import Slice, SliceResult
from histjax.inference.toys.tally import Tally
from tests.toys.poisson import model_of
from tests.toys.tables import read_table

PIECE = Slice("test", 1, 0, 2)
N_TOYS, SIZE = 600, 64


def hypotest(store=None, keep: bool = False, **settings):
    """1200 toys in slices of 64."""
    toys = Toys(jax.random.key(3), N_TOYS, loop=Sequential(SIZE), store=store, keep=keep, **settings)
    return histjax.hypotest(model_of(2, 3.0), poi_value=4.0, calculator=toys)


@pytest.fixture(scope="module")
def reference():
    """The numbers without a store, with all columns."""
    return hypotest(keep=True)


class Counted(ToyStore):
    """Counts what is thrown."""

    thrown = 0

    def save(self, piece, result):
        """Count, and save."""
        self.thrown += piece.n_toys
        super().save(piece, result)


def same(result, reference) -> bool:
    """Whether two tests have counted the same."""
    numbers = [(each.toys.tested, each.toys.other) for each in (result, reference)]
    return all(
        a.n_at_least == b.n_at_least and a.n_toys == b.n_toys and np.array_equal(a.counts, b.counts)
        for a, b in zip(*numbers, strict=True)
    )


def test_nothing_is_thrown_twice(tmp_path, reference):
    first = Counted(tmp_path)
    assert same(hypotest(first), reference) and first.thrown == 2 * N_TOYS
    again = Counted(tmp_path)
    assert same(hypotest(again), reference) and again.thrown == 0


def test_what_is_damaged_is_thrown_again(tmp_path, reference):
    """Half of a file, another slice's file under its name, and one that vanished."""
    hypotest(ToyStore(tmp_path))
    first, second, third, fourth, *_ = sorted(tmp_path.glob("*.npz"))
    first.write_bytes(first.read_bytes()[:100])
    second.write_bytes(third.read_bytes())
    fourth.unlink()
    store = Counted(tmp_path)
    with pytest.warns(DamagedStore) as warned:
        assert same(hypotest(store), reference)
    assert len(warned) == 2 and store.thrown == sum(stop - start for start, stop in map(span, (first, second, fourth)))


def span(path) -> tuple[int, int]:
    """First and last toy but one of a file."""
    start, stop = path.stem.rsplit("-", 2)[1:]
    return int(start), int(stop)


SCRIPT = """
import sys
from tests.toys.test_store import ToyStore, hypotest
hypotest(ToyStore(sys.argv[1]))
"""


def test_killed_in_the_middle(tmp_path, reference):
    """A process that is killed without warning loses the slices under way, and nothing else."""
    process = subprocess.Popen([sys.executable, "-c", SLOWLY + SCRIPT, str(tmp_path)])
    while len(list(tmp_path.glob("*.npz"))) < 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = sum(stop - start for start, stop in map(span, tmp_path.glob("*.npz")))
    assert 0 < kept < 2 * N_TOYS
    store = Counted(tmp_path)
    assert same(hypotest(store), reference)
    assert store.thrown == 2 * N_TOYS - kept


SLOWLY = """
import time
import histjax
from histjax.inference.toys import store
quickly = store.ToyStore.save
def slowly(*arguments):
    time.sleep(0.2)
    quickly(*arguments)
store.ToyStore.save = slowly
"""


def test_of_something_else(tmp_path):
    """Said with what is there and what was asked for; floats may differ by what a fit leaves open."""
    ToyStore(tmp_path, {"model": "a", "seed": 1, "best": 0.5})
    ToyStore(tmp_path, {"model": "a", "seed": 1, "best": 0.5 + 1e-9})
    with pytest.raises(
        InvalidStore, match=r"model is 'a' there and 'b' here; seed is 1 there and 2 here; give another"
    ):
        ToyStore(tmp_path, {"model": "b", "seed": 2, "best": 0.5})


def test_extent_only_grows(tmp_path):
    ToyStore(tmp_path, {"seed": 1}, {"n_toys": 100})
    assert ToyStore(tmp_path, {"seed": 1}, {"n_toys": 10}).extent == {"n_toys": 100}
    assert ToyStore(tmp_path, {"seed": 1}, {"n_toys": 1000}).extent == {"n_toys": 1000}
    assert ToyStore.found(tmp_path).about == {"seed": 1}


def test_directories_that_are_no_store(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all")
    with pytest.raises(InvalidStore, match="it has files but no manifest"):
        ToyStore(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InvalidStore, match="cannot be read"):
        ToyStore(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 9, "about": {}, "extent": {}}))
    with pytest.raises(InvalidStore, match="expected format 1, found 9"):
        ToyStore(tmp_path)
    with pytest.raises(InvalidStore, match="no such directory"):
        ToyStore.found(tmp_path / "nowhere")
    with pytest.raises(InvalidStore, match="cannot keep toys here"):
        ToyStore(tmp_path / "letter.txt")


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_table(tmp_path, reference, ending):
    """All columns of all toys, in order; whole or not there, and nothing else is left behind."""
    store, path = ToyStore(tmp_path / "store", with_toys=True), tmp_path / f"toys.{ending}"
    hypotest(store, keep=True)
    assert write_table(store, path) == 2 * N_TOYS
    table = read_table(path)
    for hypothesis, toys in ((1, reference.toys.tested_toys), (0, reference.toys.other_toys)):
        rows = table["hypothesis"] == hypothesis
        np.testing.assert_array_equal(table["number"][rows], np.arange(N_TOYS))
        for name, column in toys._asdict().items():
            np.testing.assert_array_equal(table[name][rows], column, err_msg=name)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["store", path.name]


def test_tables_that_cannot_be(tmp_path):
    store = ToyStore(tmp_path / "store")
    store.save(PIECE, SliceResult(Tally.of(np.array([0.0, 1.0]), 1.0)))
    with pytest.raises(InvalidStore, match="throw them again with keep=True"):
        write_table(store, tmp_path / "toys.npz")
    with pytest.raises(HistjaxError, match=r"a \.parquet or a \.npz file, found '\.csv'"):
        write_table(store, tmp_path / "toys.csv")
    with pytest.raises(HistjaxError, match="there is no directory"):
        write_table(store, tmp_path / "nowhere" / "toys.npz")
    store.save(Slice("another", 1, 0, 2), SliceResult(Tally.of(np.array([0.0, 1.0]), 1.0)))
    with pytest.raises(InvalidStore, match=r"toys of 2 tests are kept here; name one of them: \['another', 'test'\]"):
        write_table(store, tmp_path / "toys.npz")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_columns_that_were_not_kept_are_thrown_again(tmp_path):
    """A store without them is of no use where they are wanted."""
    hypotest(ToyStore(tmp_path))
    store = Counted(tmp_path, with_toys=True)
    assert hypotest(store, keep=True).toys.tested_toys.statistic.size == N_TOYS
    assert store.thrown == 2 * N_TOYS


def test_limit_goes_on(tmp_path):
    """A search that is run again with its store throws nothing, and finds the same."""
    rule, model = histjax.StopRule(0.1, expected=False), model_of(2, 3.0)

    def limit(store):
        toys = Toys(jax.random.key(3), 512, loop=Sequential(512), store=store)
        return histjax.upper_limit(model, calculator=toys, stop_rule=rule)

    first, again = limit(Counted(tmp_path)), limit(store := Counted(tmp_path))
    assert store.thrown == 0
    assert float(first.observed) == float(again.observed)
