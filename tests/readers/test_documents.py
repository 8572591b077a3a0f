"""Reading JSON from every kind of source."""

import io
import json
import sys

import pytest

from histjax.errors import InvalidDocument
from histjax.readers import load_json
from histjax.readers.documents import pointer
from tests.readers import good


def test_every_source_gives_the_same_document(tmp_path, monkeypatch):
    document = good.unicode_names()
    text = json.dumps(document, ensure_ascii=False)
    path = tmp_path / "workspace.json"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    with path.open(encoding="utf-8") as as_text, path.open("rb") as as_bytes:
        sources = [path, str(path), "-", io.StringIO(text), io.BytesIO(text.encode()), as_text, as_bytes, document]
        names = [str(path), str(path), "<stdin>", "<stream>", "<stream>", str(path), str(path), "<dict>"]
        assert [load_json(source) for source in sources] == [(document, name) for name in names]


def test_byte_order_mark_is_read_over():
    assert load_json(io.BytesIO(b"\xef\xbb\xbf{}"))[0] == {}


def test_numbers_stay_as_they_are_written():
    document, _ = load_json(io.StringIO("[1, 1.0, 1e300, 4.9e-324, 123456789012345678901234567890]"))
    assert [type(number) for number in document] == [int, float, float, float, int]


def _closed_file():
    file = io.StringIO("{}")
    file.close()
    return file


@pytest.mark.parametrize(
    "source, words",
    [
        ("no/such/file.json", "No such file"),
        ("", "No such file"),
        ("a\0b", "null byte"),
        (None, "expected a path, an open file or a dict, found NoneType"),
        (b"{}", "found bytes"),
        (3, "found int"),
        (_closed_file(), "closed file"),
        (io.TextIOWrapper(io.BytesIO(b'"\xff"'), encoding="utf-8"), "not UTF-8"),
    ],
)
def test_unreadable_source(source, words):
    with pytest.raises(InvalidDocument, match=words):
        load_json(source)


def test_directory(tmp_path):
    with pytest.raises(InvalidDocument, match="directory"):
        load_json(tmp_path)


def test_all_numbers_that_are_not_finite_are_located():
    with pytest.raises(InvalidDocument) as refusal:
        load_json(io.StringIO('{"a": [1, NaN], "b/c": {"d": 1e999}}'))
    assert [problem.path for problem in refusal.value.problems] == ["/a/1", "/b~1c/d"]


def test_key_repeated_inside_what_another_one_replaced():
    with pytest.raises(InvalidDocument, match="/b: the key 'b' occurs twice"):
        load_json(io.StringIO('{"b": {"a": 1, "a": 2}, "b": 3}'))


def test_surrogate_pair_is_a_character():
    assert load_json(io.StringIO(r'["\ud83d\ude00"]'))[0] == ["\N{GRINNING FACE}"]


def test_pointer_escapes():
    assert pointer([]) == ""
    assert pointer(["a/b", 0, "~"]) == "/a~1b/0/~0"
