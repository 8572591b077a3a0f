"""Broken documents: what is wrong with each, where, and the words that its message must have.

`BROKEN` holds what may be given where a workspace is expected; each entry writes itself to a file.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.readers import good

SR, CR = "/channels/0", "/channels/1"
SIGNAL, TTBAR, FAKES = f"{SR}/samples/0", f"{SR}/samples/1", f"{SR}/samples/2"
SETTINGS = "/measurements/0/config/parameters"


@dataclass(frozen=True)
class BrokenDocument:
    """A slug, the content of the file, and the problems: for each a JSON pointer and words of its message."""

    slug: str
    content: Callable[[], bytes]
    problems: tuple[tuple[str, tuple[str, ...]], ...]

    def write(self, path: Path) -> Path:
        """Writes the document to a file and returns its path."""
        path.write_bytes(self.content())
        return path


def _raw(slug: str, content: bytes | str | Callable[[], bytes], *words: str, path: str = "") -> BrokenDocument:
    """A document that is wrong as a text."""
    if callable(content):
        return BrokenDocument(slug, content, ((path, words),))
    data = content.encode() if isinstance(content, str) else content
    return BrokenDocument(slug, lambda: data, ((path, words),))


def _edit(slug: str, *edits: tuple[str, Any], expect: list[tuple]) -> BrokenDocument:
    """The document with everything, edited: each edit is a JSON pointer and a value, `DELETE`, or a function."""

    def content() -> bytes:
        document = good.everything()
        for path, value in edits:
            _put(document, path, value)
        return json.dumps(document).encode()

    return BrokenDocument(slug, content, tuple((path, words) for path, *words in expect))


class DELETE:
    """Marks a key to remove."""


def _put(document: Any, path: str, value: Any) -> None:
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")[1:]]
    for part in parents:
        document = document[part]
    if last == "-":
        document.append(value)
    elif value is DELETE:
        del document[last]
    else:
        document[last] = value


def _text(old: str, new: str, which: Callable[[], dict] = good.everything) -> Callable[[], bytes]:
    """The text of a good document with one replacement, for what Python's dictionaries cannot hold."""

    def content() -> bytes:
        text = json.dumps(which())
        assert text.count(old) >= 1
        return text.replace(old, new, 1).encode()

    return content


def _modifier(name: str, kind: str, data: Any = None) -> dict:
    return {"name": name, "type": kind, "data": data}


_JUNK = bytes(range(256)) * 4

TEXTS = (
    _raw("empty", b"", "empty"),
    _raw("only-spaces", b" \n\t ", "empty"),
    _raw(
        "truncated", lambda: json.dumps(good.everything()).encode()[:700], "not valid JSON", "line 1, column", "cut off"
    ),
    _raw("truncated-in-string", b'{"channels": [{"name": "SR', "not valid JSON", "line 1, column 24", "cut off"),
    _raw("trailing-comma", b'{"version": "1.0.0",}', "not valid JSON", "line 1, column"),
    _raw("single-quotes", b"{'version': '1.0.0'}", "not valid JSON", "line 1, column 2"),
    _raw("two-documents", lambda: json.dumps(good.minimal()).encode() * 2, "not valid JSON", "Extra data"),
    _raw("binary-junk", _JUNK, "not UTF-8"),
    _raw("utf-16", lambda: json.dumps(good.minimal()).encode("utf-16"), "not UTF-8"),
    _raw("latin-1", _text('"SR"', '"S\\u00e9"')().replace(b"\\u00e9", b"\xe9"), "not UTF-8"),
    _raw("gzip", lambda: gzip.compress(json.dumps(good.minimal()).encode()), "gzip", "decompress"),
    _raw("xml", b'<?xml version="1.0"?>\n<Combination OutputFilePrefix="x"/>', "XML", "expected JSON"),
    _raw("html", b"  <!DOCTYPE html><html></html>", "XML", "expected JSON"),
    _raw("nesting-arrays", lambda: b"[" * 5_000_000, "nested too deeply"),
    _raw("nesting-objects", lambda: b'{"a":' * 1_000_000, "nested too deeply"),
    _raw("nesting-closed", lambda: b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    _raw("nan", _text("10.5", "NaN"), "NaN", "finite", path=f"{SIGNAL}/data/1"),
    _raw("infinity", _text("10.5", "-Infinity"), "Infinity", "finite", path=f"{SIGNAL}/data/1"),
    _raw("overflow", _text("10.5", "1e999"), "range of a double", path=f"{SIGNAL}/data/1"),
    _raw("huge-integer", _text("10.5", "1" + "0" * 400), "range of a double", "signal", path=f"{SIGNAL}/data"),
    _raw("endless-integer", _text("10.5", "1" * 5000), "too many digits"),
    _raw("repeated-key", _text('"name": "SR"', '"name": "SR", "name": "SR2"'), "'name'", "twice", path=f"{SR}/name"),
    _raw("half-surrogate", _text('"SR"', '"\\ud800"'), "surrogate", path=f"{SR}/name"),
)

FOREIGN = (
    _raw("top-level-number", b"3", "found 3", "expected an object"),
    _raw("top-level-null", b"null", "found null", "expected an object"),
    _raw("top-level-text", b'"workspace"', "found 'workspace'", "expected an object"),
    _raw("top-level-empty-list", b"[]", "found an array", "expected an object"),
    _raw("json-patch", b'[{"op": "remove", "path": "/channels/0"}]', "JSON Patch", "not a workspace"),
    _raw("patch-set", lambda: json.dumps(good.patchset_for("0" * 64)).encode(), "patch set", "not a workspace"),
    _raw("old-format", b'{"channels": [], "toplvl": {"measurements": []}, "data": {}}', "old format", "observations"),
    _raw("old-format-data", b'{"channels": [], "data": {"SR": [1]}}', "old format", "observations"),
    _raw("model-only", b'{"channels": [], "parameters": []}', "'measurements' and 'observations' are missing"),
)

SCHEMA = (
    _edit("no-version", ("/version", DELETE), expect=[("", "'version' is missing")]),
    _edit("other-version", ("/version", "2.0.0"), expect=[("/version", "found '2.0.0'", "expected '1.0.0'")]),
    _edit("version-number", ("/version", 1.0), expect=[("/version", "found 1.0", "expected '1.0.0'")]),
    _edit("unknown-key", ("/comment", "mine"), expect=[("/comment", "unknown key 'comment'", "channels")]),
    _edit("channels-object", ("/channels", {}), expect=[("/channels", "found an object", "expected an array")]),
    _edit("channels-empty", ("/channels", []), expect=[("/channels", "at least 1")]),
    _edit("channel-text", (SR, "SR"), expect=[(SR, "channel 0", "found 'SR'", "expected an object")]),
    _edit(
        "channel-name-number", (f"{SR}/name", 3), expect=[(f"{SR}/name", "channel 0", "found 3", "expected a string")]
    ),
    _edit("channel-without-samples", (f"{SR}/samples", DELETE), expect=[(SR, "channel 'SR'", "'samples' is missing")]),
    _edit(
        "sample-without-data",
        (f"{SIGNAL}/data", DELETE),
        expect=[(SIGNAL, "channel 'SR'", "sample 'signal'", "'data' is missing")],
    ),
    _edit("data-empty", (f"{SIGNAL}/data", []), expect=[(f"{SIGNAL}/data", "sample 'signal'", "at least 1")]),
    _edit("data-number", (f"{SIGNAL}/data", 5), expect=[(f"{SIGNAL}/data", "found 5", "expected an array")]),
    _edit(
        "data-texts",
        (f"{SIGNAL}/data", [1, "2", None]),
        expect=[(f"{SIGNAL}/data/1", "sample 'signal'", "found '2'", "expected a number", "1 more")],
    ),
    _edit(
        "data-boolean",
        (f"{SIGNAL}/data/0", True),
        expect=[(f"{SIGNAL}/data/0", "sample 'signal'", "found true", "expected a number")],
    ),
    _edit("data-nested", (f"{SIGNAL}/data/0", [1]), expect=[(f"{SIGNAL}/data/0", "found an array", "a number")]),
    _edit(
        "modifier-unknown",
        (f"{SIGNAL}/modifiers/0/type", "foo"),
        expect=[(f"{SIGNAL}/modifiers/0", "unknown modifier type 'foo'", "expected one of histosys, lumi")],
    ),
    _edit(
        "modifier-without-type",
        (f"{SIGNAL}/modifiers/0/type", DELETE),
        expect=[(f"{SIGNAL}/modifiers/0", "modifier 'mu'", "'type' is missing", "normfactor")],
    ),
    _edit(
        "modifier-type-list",
        (f"{SIGNAL}/modifiers/0/type", ["normfactor"]),
        expect=[(f"{SIGNAL}/modifiers/0", "unknown modifier type an array")],
    ),
    _edit("modifier-null", (f"{SIGNAL}/modifiers/0", None), expect=[(f"{SIGNAL}/modifiers/0", "modifier 0", "null")]),
    _edit(
        "histosys-list",
        (f"{TTBAR}/modifiers/0/data", [1, 2]),
        expect=[(f"{TTBAR}/modifiers/0/data", "modifier 'jes' (histosys)", "found an array", "expected an object")],
    ),
    _edit(
        "histosys-without-lo",
        (f"{TTBAR}/modifiers/0/data/lo_data", DELETE),
        expect=[(f"{TTBAR}/modifiers/0/data", "sample 'ttbar'", "'jes' (histosys)", "'lo_data' is missing")],
    ),
    _edit(
        "normsys-text",
        (f"{TTBAR}/modifiers/1/data/hi", "1.1"),
        expect=[(f"{TTBAR}/modifiers/1/data/hi", "'jes' (normsys)", "found '1.1'", "expected a number")],
    ),
    _edit(
        "normfactor-with-data",
        (f"{SIGNAL}/modifiers/0/data", []),
        expect=[(f"{SIGNAL}/modifiers/0/data", "'mu' (normfactor)", "found an array", "expected null")],
    ),
    _edit(
        "lumi-of-another-name",
        (f"{SIGNAL}/modifiers/1/name", "luminosity"),
        expect=[(f"{SIGNAL}/modifiers/1/name", "found 'luminosity'", "expected 'lumi'")],
    ),
    _edit(
        "poi-null", ("/measurements/0/config/poi", None), expect=[("/measurements/0/config/poi", "null", "a string")]
    ),
    _edit("config-missing", ("/measurements/1/config", DELETE), expect=[("/measurements/1", "'other'", "'config'")]),
    _edit(
        "fixed-list",
        (f"{SETTINGS}/1/fixed", [True]),
        expect=[(f"{SETTINGS}/1/fixed", "measurement 'nominal', parameter 'mu'", "an array", "expected a boolean")],
    ),
    _edit("bounds-flat", (f"{SETTINGS}/1/bounds", [5]), expect=[(f"{SETTINGS}/1/bounds/0", "'mu'", "an array")]),
    _edit("settings-typo", (f"{SETTINGS}/1/init", [1]), expect=[(f"{SETTINGS}/1/init", "unknown key 'init'", "inits")]),
    _edit(
        "observation-text", ("/observations/0/data", "5"), expect=[("/observations/0/data", "observation 'SR'", "'5'")]
    ),
    _edit(
        "many-schema-problems",
        ("/version", "1"),
        (f"{SIGNAL}/data", []),
        (f"{TTBAR}/modifiers/0/type", "shape"),
        ("/observations/1/data/2", None),
        expect=[
            ("/version", "found '1'"),
            (f"{SIGNAL}/data", "at least 1"),
            (f"{TTBAR}/modifiers/0", "unknown modifier type 'shape'"),
            ("/observations/1/data/2", "observation 'CR'", "found null"),
        ],
    ),
)

CHECKS = (
    _edit(
        "ragged-sample",
        (f"{FAKES}/data", [4]),
        (f"{FAKES}/modifiers", []),
        (f"{SETTINGS}/2", {"name": "mu2"}),
        expect=[(f"{FAKES}/data", "sample 'fakes'", "1 bin", "'signal' has 2")],
    ),
    _edit(
        "ragged-histosys",
        (f"{TTBAR}/modifiers/0/data/hi_data", [1, 2, 3]),
        expect=[(f"{TTBAR}/modifiers/0/data/hi_data", "'jes' (histosys)", "hi_data has 3 bins", "the sample has 2")],
    ),
    _edit(
        "ragged-staterror",
        (f"{TTBAR}/modifiers/2/data", [1]),
        expect=[(f"{TTBAR}/modifiers/2/data", "'stat_SR' (staterror)", "data has 1 bin", "the sample has 2")],
    ),
    _edit(
        "ragged-shapesys",
        (f"{FAKES}/modifiers/0/data", [1, 1, 1]),
        expect=[(f"{FAKES}/modifiers/0/data", "'fake_rate' (shapesys)", "data has 3 bins", "the sample has 2")],
    ),
    _edit(
        "ragged-observation",
        ("/observations/0/data", [55]),
        expect=[("/observations/0/data", "observation 'SR' has 1 bin", "its channel has 2")],
    ),
    _edit(
        "huge-integer-and-ragged",
        (f"{SIGNAL}/data/0", 10**400),
        ("/observations/0/data", [55]),
        expect=[(f"{SIGNAL}/data", "beyond the range of a double"), ("/observations/0/data", "1 bin")],
    ),
    _edit("no-observation", ("/observations/1", DELETE), expect=[("/observations", "channel 'CR' has no observation")]),
    _edit(
        "same-channel",
        ("/channels/-", good.everything()["channels"][1]),
        expect=[("/channels/2", "channel 'CR' occurs twice", CR)],
    ),
    _edit(
        "same-sample",
        (f"{SR}/samples/-", {"name": "signal", "data": [1, 2], "modifiers": []}),
        expect=[(f"{SR}/samples/3", "channel 'SR', sample 'signal' occurs twice")],
    ),
    _edit(
        "same-modifier",
        (f"{SIGNAL}/modifiers/-", _modifier("mu", "normfactor")),
        expect=[(f"{SIGNAL}/modifiers/2", "sample 'signal'", "modifier 'mu' (normfactor) occurs twice")],
    ),
    _edit(
        "same-measurement",
        ("/measurements/1/name", "nominal"),
        expect=[("/measurements/1", "measurement 'nominal' occurs twice")],
    ),
    _edit(
        "same-observation",
        ("/observations/-", {"name": "SR", "data": [1, 2]}),
        expect=[("/observations/2", "observation 'SR' occurs twice")],
    ),
    _edit(
        "same-settings",
        (f"{SETTINGS}/-", {"name": "mu"}),
        expect=[(f"{SETTINGS}/5", "measurement 'nominal', parameter 'mu' occurs twice")],
    ),
    _edit(
        "no-lumi-settings",
        (f"{SETTINGS}/0", DELETE),
        expect=[(SETTINGS, "'nominal'", "lumi", "no auxdata and no sigmas")],
    ),
    _edit(
        "no-lumi-width-in-second",
        ("/measurements/1/config/parameters/0/sigmas", DELETE),
        expect=[("/measurements/1/config/parameters", "measurement 'other'", "no sigmas", "add for example")],
    ),
    _edit(
        "normfactor-and-normsys",
        (f"{SIGNAL}/modifiers/-", _modifier("jes", "normfactor")),
        expect=[(f"{TTBAR}/modifiers/0", "'jes' (histosys)", "shares its name with a normfactor", "rename")],
    ),
    _edit(
        "staterror-and-shapesys",
        (f"{FAKES}/modifiers/0/name", "stat_SR"),
        expect=[(f"{FAKES}/modifiers/0", "'stat_SR' (shapesys)", "shares its name with a staterror")],
    ),
    _edit(
        "shared-shapesys",
        (f"{SIGNAL}/modifiers/-", _modifier("fake_rate", "shapesys", [1, 1])),
        expect=[(f"{FAKES}/modifiers/0", "shapesys cannot be shared", "'signal'")],
    ),
    _edit(
        "shapefactor-of-two-sizes",
        (f"{SIGNAL}/modifiers/-", _modifier("shape", "shapefactor")),
        expect=[(f"{CR}/samples/0/modifiers/1", "'shape' (shapefactor)", "3 bins", "2 in 'SR'")],
    ),
    _edit(
        "sigmas-of-a-free-parameter",
        (f"{SETTINGS}/1/sigmas", [1]),
        expect=[
            (f"{SETTINGS}/1/sigmas", "'mu' (normfactor) has no constraint and takes no sigmas", "inits, bounds, fixed")
        ],
    ),
    _edit(
        "sigmas-of-a-shapesys",
        (f"{SETTINGS}/2/sigmas", [1, 1]),
        expect=[(f"{SETTINGS}/2/sigmas", "'fake_rate' (shapesys) has a Poisson constraint and takes no sigmas")],
    ),
    _edit(
        "factors-of-a-normsys",
        (f"{SETTINGS}/3/factors", [1]),
        expect=[(f"{SETTINGS}/3/factors", "'jes' (histosys) has a Gaussian constraint and takes no factors")],
    ),
    _edit(
        "too-many-inits",
        (f"{SETTINGS}/1/inits", [1, 2]),
        expect=[(f"{SETTINGS}/1/inits", "'mu' (normfactor)", "inits has 2", "1 component")],
    ),
    _edit(
        "too-few-auxdata",
        (f"{SETTINGS}/2/auxdata", [1]),
        expect=[(f"{SETTINGS}/2/auxdata", "'fake_rate' (shapesys)", "auxdata has 1", "2 components")],
    ),
    _edit(
        "bounds-of-three",
        (f"{SETTINGS}/1/bounds", [[0, 5, 10]]),
        expect=[(f"{SETTINGS}/1/bounds/0", "parameter 'mu'", "found 3 numbers", "lower and an upper")],
    ),
    _edit(
        "bounds-upside-down",
        (f"{SETTINGS}/1/bounds", [[5, 0]]),
        expect=[(f"{SETTINGS}/1/bounds/0", "lower bound 5", "above the upper bound 0")],
    ),
    _edit(
        "start-outside-bounds",
        (f"{SETTINGS}/1/inits", [50]),
        expect=[(f"{SETTINGS}/1/inits", "'mu'", "starts at 50", "[-5, 20]")],
    ),
    _edit(
        "default-start-outside-bounds",
        (f"{SETTINGS}/1", {"name": "mu", "bounds": [[2, 3]]}),
        expect=[(f"{SETTINGS}/1/bounds", "starts at 1.0", "[2, 3]")],
    ),
    _edit(
        "width-zero", (f"{SETTINGS}/0/sigmas", [0]), expect=[(f"{SETTINGS}/0/sigmas/0", "lumi", "found 0", "positive")]
    ),
    _edit(
        "rate-negative",
        (f"{SETTINGS}/2/factors", [16, -1]),
        expect=[(f"{SETTINGS}/2/factors/1", "fake_rate", "found -1", "positive")],
    ),
    _edit(
        "counts-negative",
        ("/observations/1/data", [-1, 5, -2]),
        expect=[("/observations/1/data", "observation 'CR'", "negative in bins 0, 2")],
    ),
    _edit(
        "uncertainty-negative",
        (f"{TTBAR}/modifiers/2/data", [5, -6]),
        expect=[(f"{TTBAR}/modifiers/2/data", "'stat_SR' (staterror)", "negative in bin 1")],
    ),
    _edit(
        "impossible-data",
        (f"{CR}/samples/0/data", [100, 0, 80]),
        expect=[("/observations/1/data", "channel 'CR'", "no sample has any yield", "bin 1")],
    ),
    _edit(
        "no-parameters",
        ("/channels", [{"name": "SR", "samples": [{"name": "b", "data": [1], "modifiers": []}]}]),
        ("/observations", [{"name": "SR", "data": [1]}]),
        expect=[("/channels", "no parameters", "modifier")],
    ),
    _edit(
        "many-problems",
        (f"{SIGNAL}/modifiers/-", _modifier("fake_rate", "shapesys", [1, 1, 1])),
        ("/observations/1/data", [-1, 5]),
        (f"{SETTINGS}/1/sigmas", [1]),
        ("/measurements/1/name", "nominal"),
        expect=[
            (f"{SIGNAL}/modifiers/2/data", "3 bins"),
            (f"{FAKES}/modifiers/0", "cannot be shared"),
            ("/observations/1/data", "2 bins"),
            ("/observations/1/data", "negative"),
            (f"{SETTINGS}/1/sigmas", "takes no sigmas"),
            ("/measurements/1", "occurs twice"),
        ],
    ),
)

BROKEN: tuple[BrokenDocument, ...] = (*TEXTS, *FOREIGN, *SCHEMA, *CHECKS)
