"""Every broken document is refused with a message that says where and what, and with all that is wrong at once."""

import io
from contextlib import redirect_stdout

import pytest

from histjax.errors import InvalidDocument
from histjax.readers import load_json, read_workspace
from tests.readers.broken import BROKEN, TEXTS, BrokenDocument


def _by_slug(documents):
    return pytest.mark.parametrize("broken", documents, ids=lambda broken: broken.slug)


def test_slugs_are_unique_and_many():
    assert len({broken.slug for broken in BROKEN}) == len(BROKEN) >= 45


@_by_slug(BROKEN)
def test_refused(broken: BrokenDocument, tmp_path):
    path = broken.write(tmp_path / "workspace.json")
    with pytest.raises(InvalidDocument) as refusal:
        read_workspace(*load_json(path))
    found = refusal.value.problems
    assert sorted(problem.path for problem in found) == sorted(path for path, _ in broken.problems), found
    for pointer, words in broken.problems:
        assert any(problem.path == pointer and all(word in problem.message for word in words) for problem in found), (
            words,
            found,
        )


@_by_slug(BROKEN)
def test_message_can_be_printed(broken: BrokenDocument, tmp_path):
    with pytest.raises(InvalidDocument) as refusal:
        read_workspace(*load_json(broken.write(tmp_path / "workspace.json")))
    message = str(refusal.value)
    assert message.startswith(str(tmp_path / "workspace.json"))
    assert len(message) < 4000
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
        print(message)


@_by_slug(TEXTS)
def test_refused_from_a_stream(broken: BrokenDocument):
    with pytest.raises(InvalidDocument, match=r"^<stream>: 1 problem"):
        read_workspace(*load_json(io.BytesIO(broken.content())))
