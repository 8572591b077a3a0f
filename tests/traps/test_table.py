"""The table itself: complete, linked to tests, and right about the minima."""

import re
from pathlib import Path

import pytest

import histjax
from tests.traps.models import model_of
from tests.traps.table import SHORTFALLS, TABLE, TRAPS, Trap

IDS = [f"T{number:02d}" for number in range(1, 51)]
FOLDER = Path(__file__).parent
SOURCE = "\n".join(path.read_text() for path in FOLDER.glob("test_*.py"))
TESTS = re.findall(r"^def test_(T\d\d_\w+)", SOURCE, re.MULTILINE)


def test_every_trap_is_there_once():
    """In order."""
    assert [trap.id for trap in TABLE] == IDS


@pytest.mark.parametrize("trap", TABLE, ids=str)
def test_every_trap_is_described_and_tested(trap: Trap):
    """With a thread, a wanted behaviour and a test of its name; a minimum has an origin."""
    assert trap.title and trap.wanted
    assert all(re.fullmatch(r"[\w.-]+#\d+", thread) for thread in trap.threads.split(", "))
    assert any(name.startswith(trap.id) for name in TESTS)
    assert (trap.twice_nll is None) == (not trap.origin)


def test_tests_belong_to_traps_and_differ():
    """Every test of this folder that names a trap names one of the table, and no test hides another."""
    assert {name[:3] for name in TESTS} <= set(TRAPS)
    assert len(set(TESTS)) == len(TESTS)


def test_shortfalls_are_known():
    """Each one names a trap, stands for at least one test and gives a reason."""
    for key, reason in SHORTFALLS.items():
        assert key[:3] in TRAPS and reason
        assert any(name.startswith(key) for name in TESTS), key


@pytest.mark.parametrize("trap", [trap for trap in TABLE if trap.twice_nll is not None], ids=str)
def test_minimum(trap: Trap):
    """The fit is certified and not above the minimum that is known from outside."""
    result = histjax.fit(model_of(trap.id))
    assert bool(result.converged), result.message
    assert float(result.edm) <= 1e-8
    assert float(result.twice_nll) == pytest.approx(trap.twice_nll, rel=1e-10, abs=1e-8)
