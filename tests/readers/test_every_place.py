"""Whatever stands in whatever place of a document, it is read or refused: nothing else is ever raised."""

import pytest

from histjax.errors import InvalidDocument
from histjax.readers import read_workspace, write_workspace
from histjax.readers.documents import _walk
from tests.readers import good

VALUES = [
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    float("nan"),
    "",
    "jes",
    [],
    {},
    [[]],
    [1, 2],
    [[0, 1], [2]],
    {"name": "mu"},
]
PATHS = [path for path, _ in _walk(good.everything()) if path]


def _replaced(path, value):
    document = good.everything()
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_read_or_refused(value):
    for path in PATHS:
        document = _replaced(path, value)
        try:
            workspace, _ = read_workspace(document)
        except InvalidDocument as refusal:
            assert refusal.problems
        else:
            assert write_workspace(workspace) == document


def test_nothing_in_a_document_can_be_left_out_but_settings():
    """Each key and each entry removed in turn: refused, unless it is one of those that have defaults."""
    for path in PATHS:
        document = good.everything()
        place = document
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]
        try:
            workspace, _ = read_workspace(document)
        except InvalidDocument:
            continue
        assert write_workspace(workspace) == document
        assert isinstance(path[-1], int) or "parameters" in path, path
