"""The list of shortfalls, applied: a test on it is expected to fail, strictly."""

from pathlib import Path

import pytest

from tests.traps.table import SHORTFALLS

HERE = Path(__file__).parent


def reason_of(name: str) -> str | None:
    """Why a test of this folder is expected to fail, or `None`."""
    return next((reason for key, reason in SHORTFALLS.items() if name.startswith(f"test_{key}")), None)


def pytest_collection_modifyitems(items):
    """Mark what the list names."""
    for item in items:
        if item.path.parent == HERE and (reason := reason_of(item.name)):
            item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
