"""Documents that would do harm, and files that are damaged: one message each, and nothing is opened outside."""

import os

import pytest

from histjax.errors import HistjaxError, InvalidDocument
from histjax.readers.xml import read_xml
from histjax.readers.xml.parsing import parse_element
from tests.readers.xml import cases
from tests.readers.xml.test_reading import CHANNEL, DRIVER, MU, SAMPLE

GOOD = CHANNEL.format(SAMPLE.format(MU))
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l11;</a>', "line 1: the document declares the entity 'l0'"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares the entity 'x'"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://localhost/x.dtd"> %x;]><a/>', "declares the entity 'x'"),
        ('<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a>&x;</a>', "the entity 'x' is not defined in the document"),
        ("<a>&x;</a>", "undefined entity"),
        ("<a><b></a>", "mismatched tag"),
        ("<a", "unclosed token"),
        ("", "the file is empty"),
        ("{}", "not well-formed"),
        ("<a>" * 40, "nested more than 32 deep"),
        ('<a b="1" b="2"/>', "duplicate attribute"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
        ('<?xml version="1.0" encoding="base64"?><a/>', "not readable XML"),
        ("<a>\0</a>", "not well-formed"),
    ],
    ids=lambda each: each[:40],
)
def test_texts(text, words):
    with pytest.raises(InvalidDocument) as caught:
        parse_element(text.encode(), "bad.xml")
    assert words in str(caught.value)


def test_a_document_type_is_not_read(tmp_path):
    """The file that it names is a pipe nobody writes to: opening it would wait for ever."""
    os.mkfifo(tmp_path / "schema.dtd")
    root = parse_element(f'<!DOCTYPE a SYSTEM "{tmp_path}/schema.dtd"><a/>'.encode(), "a.xml")
    assert root.tag == "a"


OUTSIDE = "is outside the root directory"
NO_FILE = "there is no file"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("../secret.root", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("data/../../secret.root", OUTSIDE),
        ("link.root", OUTSIDE),
        ("root://host/x.root", NO_FILE),
        ("a\x7f.root", NO_FILE),
    ],
)
def test_files_outside(named, words, tmp_path):
    """By `..`, by an absolute path, through a link; an address is a name like any other."""
    inside = tmp_path / "inside"
    cases.write_root(tmp_path / "secret.root")
    path = cases.write_handmade(inside, GOOD.replace("data/in.root", named), DRIVER.format(""))
    (inside / "link.root").symlink_to(tmp_path / "secret.root")
    with pytest.raises(InvalidDocument, match=words):
        read_xml(path, root_directory=inside)


def test_a_channel_outside(tmp_path):
    inside = tmp_path / "inside"
    path = cases.write_handmade(inside, GOOD, DRIVER.format(""))
    (inside / "channel.xml").rename(tmp_path / "channel.xml")
    path.write_text(path.read_text().replace("./channel.xml", "../channel.xml"))
    with pytest.raises(InvalidDocument, match=r"'\.\./channel\.xml' is outside the root directory"):
        read_xml(path, root_directory=inside)


def damaged(content: bytes) -> dict[str, bytes]:
    """Ways in which a ROOT file can be broken."""
    middle = len(content) // 2
    return {
        "empty": b"",
        "text": b"this is no ROOT file",
        "header": content[:40],
        "half": content[:middle],
        "end": content[:-200],
        "zeros": content[:100] + bytes(len(content) - 100),
        "scrambled": content[:100] + bytes(each ^ 0x5A for each in content[100:]),
        "sizes": content[:12] + b"\xff" * 40 + content[52:],
        "longer": content[:12] + b"\x7f\xff\xff\xff" + content[16:],
    }


@pytest.mark.parametrize("how", damaged(bytes(500)))
def test_damaged_root_files(how, tmp_path):
    path = cases.write_handmade(tmp_path, GOOD, DRIVER.format(""))
    file = tmp_path / "data" / "in.root"
    file.write_bytes(damaged(file.read_bytes())[how])
    with pytest.raises(HistjaxError) as caught:
        read_xml(path, root_directory=tmp_path)
    assert "cannot be read" in str(caught.value) or "has no histogram" in str(caught.value)


def test_every_byte_counts_or_does_no_harm(tmp_path):
    """Whatever byte of the file is turned over, the numbers are read or an error of ours is raised."""
    path = cases.write_handmade(tmp_path, GOOD, DRIVER.format(""))
    file = tmp_path / "data" / "in.root"
    content = file.read_bytes()
    outcomes = set()
    for place in range(0, len(content), max(len(content) // 60, 1)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            read_xml(path, root_directory=tmp_path)
            outcomes.add("read")
        except HistjaxError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_not_a_histogram(tmp_path):
    path = cases.write_handmade(tmp_path, GOOD.replace('"bkg"', '"folder"'), DRIVER.format(""))
    with pytest.raises(InvalidDocument, match="'folder' is a TDirectory, expected a histogram"):
        read_xml(path, root_directory=tmp_path)


def test_a_channel_in_place_of_the_combination(tmp_path):
    cases.write_handmade(tmp_path, GOOD, DRIVER.format(""))
    with pytest.raises(InvalidDocument, match="expected a Combination, found a Channel; give the file with"):
        read_xml(tmp_path / "channel.xml", root_directory=tmp_path)
    with pytest.raises(InvalidDocument, match="the file cannot be read: No such file"):
        read_xml(tmp_path / "nowhere.xml")
