"""xml2json, json2xml: there and back by command line; what is hostile or breaks leaves everything as it was."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import histjax
from histjax.readers.xml import writing_histograms
from tests.cli.running import run, strict_json
from tests.cli.test_process import ROOT, WITHOUT_PACKAGE
from tests.readers.xml import cases
from tests.readers.xml.test_hostile import GOOD, LAUGHS, damaged
from tests.readers.xml.test_reading import DRIVER

pytest.importorskip("uproot")
TWO_BINS, SEARCH = histjax.examples.path("two_bins"), histjax.examples.path("search")


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything beneath a folder, with the contents of the files."""
    return {str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None for each in folder.rglob("*")}


def write_inputs(folder: Path) -> Path:
    """XML with a ROOT file; the path of the Combination."""
    return cases.write_handmade(folder, GOOD, DRIVER.format(""))


def one_bin() -> dict:
    """One bin, one sample of ten events with an uncertainty of two, observed seven."""
    return {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {
                        "name": "s",
                        "data": [10.0],
                        "modifiers": [
                            {"name": "mu", "type": "normfactor", "data": None},
                            {"name": "u", "type": "shapesys", "data": [2.0]},
                        ],
                    }
                ],
            }
        ],
        "observations": [{"name": "SR", "data": [7.0]}],
        "measurements": [
            {
                "name": "M",
                "config": {"poi": "mu", "parameters": [{"name": "mu", "inits": [1.0], "bounds": [[0.0, 10.0]]}]},
            }
        ],
        "version": "1.0.0",
    }


def test_there_and_back(tmp_path):
    """The document that went in comes out; XML says the range of a normfactor, so it is given here."""
    document = one_bin()
    folder = tmp_path / "out"
    assert run("json2xml", document, "--output-directory", folder).json == {"combination": f"{folder}/FitConfig.xml"}
    assert run("xml2json", folder / "FitConfig.xml", "--root-directory", folder).json == document
    assert sorted(each for each, content in listing(tmp_path).items() if content is not None) == [
        "out/FitConfig.xml",
        "out/config/FitConfig_SR.xml",
        "out/config/HistFactorySchema.dtd",
        "out/data/data.root",
    ]


def test_standard_input(tmp_path, monkeypatch):
    """Both take '-'; a channel file of that name is a file like any other."""
    document, folder = one_bin(), tmp_path / "out"
    run("json2xml", "-", "--output-directory", folder, stdin=json.dumps(document))
    text = (folder / "FitConfig.xml").read_text()
    assert run("xml2json", "-", "--root-directory", folder, stdin=text).json == document
    monkeypatch.chdir(folder)
    assert run("xml2json", "-", stdin=text).json == document
    named = text.replace("./config/FitConfig_SR.xml", "-")
    assert "there is no file '-'" in run("xml2json", "-", stdin=named).error
    (folder / "config" / "FitConfig_SR.xml").rename(folder / "-")
    assert run("xml2json", "-", stdin=named).json == document


def test_output_file_and_text(tmp_path):
    path, target = write_inputs(tmp_path / "in"), tmp_path / "ws.json"
    words = "xml2json", path, "--root-directory", tmp_path / "in"
    assert "1 channels with 3 bins; measurements: M" in run(*words, "--text").stdout
    outcome = run(*words, "--output-file", target)
    assert (outcome.status, outcome.stdout) == (0, "")
    assert strict_json(target.read_text()) == run(*words).json


def test_spellings_of_pyhf(tmp_path):
    """pyhf's options are taken: `--basedir`, `-v`, `--output-dir`, `--resultprefix`, and those that change nothing."""
    document = one_bin()
    words = "--specroot", "config", "--dataroot", "data", "--resultprefix", "Fit"
    run("json2xml", document, "--output-dir", tmp_path / "out", *words)
    path = tmp_path / "out" / "Fit.xml"
    assert run("xml2json", path, "--basedir", tmp_path / "out", "--hide-progress").json == document
    assert "'specs' is not 'config'" in run("json2xml", document, "--output-dir", tmp_path, "--specroot", "specs").error


def test_pyhf_reads_what_is_written(tmp_path):
    """pyhf 0.7.6: the same channels and observations."""
    pytest.importorskip("pyhf")
    from click.testing import CliRunner
    from pyhf.cli import cli

    run("json2xml", one_bin(), "--output-directory", tmp_path / "out")
    words = "xml2json", str(tmp_path / "out" / "FitConfig.xml"), "--basedir", str(tmp_path / "out"), "--hide-progress"
    theirs = strict_json(CliRunner().invoke(cli, words, catch_exceptions=False).stdout)
    for key in ("channels", "observations"):
        assert theirs[key] == one_bin()[key]


def test_mounts(tmp_path):
    """A folder that the document calls otherwise; the last ':' is the one that counts."""
    path = write_inputs(tmp_path / "in")
    expected = run("xml2json", path, "--root-directory", tmp_path / "in").json
    (tmp_path / "in" / "channel.xml").write_text(GOOD.replace("data/in.root", "/eos/in.root"))
    host = tmp_path / "a:b"
    (tmp_path / "in" / "data").rename(host)
    words = "xml2json", path, "--root-directory", tmp_path / "in"
    assert "'/eos/in.root' is outside the root directory" in run(*words).error
    assert run(*words, "--mount", "/nowhere:/nfs", "-v", f"{host}:/eos").json == expected
    for wrong in ("/eos", ":/eos", "/eos:"):
        assert "is not of the form HOST:MOUNT" in run(*words, "--mount", wrong).error


def bomb(folder: Path) -> None:
    """The billion laughs, in the channel file."""
    text = (folder / "channel.xml").read_text().replace('"c"', '"&l11;"')
    (folder / "channel.xml").write_text(f"<!DOCTYPE Channel [<!ENTITY l0 'ha'>{LAUGHS}]>{text}")


def external_entity(folder: Path) -> None:
    """A file that is beside the folder."""
    (folder.parent / "secret").write_text("secret")
    text = (folder / "top.xml").read_text().replace("<POI>mu", "<POI>&x;")
    (folder / "top.xml").write_text(f'<!DOCTYPE Combination [<!ENTITY x SYSTEM "../secret">]>{text}')


def traversal(folder: Path) -> None:
    """A ROOT file outside, which is there."""
    (folder / "data").rename(folder.parent / "data")
    text = (folder / "channel.xml").read_text()
    (folder / "channel.xml").write_text(text.replace("data/in.root", "../data/in.root"))


def truncated_root(folder: Path) -> None:
    """A ROOT file of which half is there."""
    file = folder / "data" / "in.root"
    file.write_bytes(damaged(file.read_bytes())["half"])


def truncated_xml(folder: Path) -> None:
    """A Combination of which half is there."""
    content = (folder / "top.xml").read_bytes()
    (folder / "top.xml").write_bytes(content[: len(content) // 2])


def no_poi(folder: Path) -> None:
    """No parameter of interest."""
    (folder / "top.xml").write_text((folder / "top.xml").read_text().replace("<POI>mu</POI>", ""))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (bomb, "declares the entity"),
        (external_entity, "declares the entity 'x'"),
        (traversal, "'../data/in.root' is outside the root directory"),
        (truncated_root, "cut off"),
        (truncated_xml, "not well-formed XML"),
        (no_poi, "'M' has no POI"),
    ],
)
@pytest.mark.parametrize("there", [True, False], ids=["old file", "no file"])
def test_hostile_xml(harm, words, there, tmp_path):
    """Exit status 2, one message, and neither a file nor a change of the one that was there."""
    path = write_inputs(tmp_path / "in")
    harm(tmp_path / "in")
    if there:
        (tmp_path / "ws.json").write_text("precious")
    before = listing(tmp_path)
    message = run("xml2json", path, "--root-directory", tmp_path / "in", "--output-file", tmp_path / "ws.json").error
    assert words in message
    assert "secret" not in message.replace(str(tmp_path), "")
    assert listing(tmp_path) == before


def renamed(kind: str, name: str) -> dict:
    """The small model with one name changed."""
    text = json.dumps(one_bin()).replace({"channel": '"SR"', "measurement": '"M"'}[kind], json.dumps(name))
    return json.loads(text)


@pytest.mark.parametrize("name", ["../../out", "/etc/passwd", "..", "a/b", "C:\\x", "con", "a" * 400])
def test_names_that_are_paths(name, tmp_path):
    """Files are called by what is harmless in a name; the name itself is in the XML and comes back."""
    parent = tmp_path / "parent"
    parent.mkdir()
    document = renamed("channel", name)
    outcome = run("json2xml", document, "--output-directory", parent / "out")
    assert outcome.status == 0, outcome.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["parent"]
    assert [each.name for each in parent.iterdir()] == ["out"]
    assert len(listing(parent / "out")) == 6
    assert run("xml2json", parent / "out" / "FitConfig.xml", "--root-directory", parent / "out").json == document


def unwritable() -> dict[str, tuple[dict, tuple, str]]:
    """What cannot be written: a document, more arguments, and words of the message."""
    two = one_bin()
    channel = json.loads(json.dumps(two["channels"][0]).replace('"SR"', '"CR"').replace('"u"', '"v"'))
    channel["samples"][0]["modifiers"].append({"name": "a", "type": "staterror", "data": [1.0]})
    channel["samples"].append(
        {"name": "t", "data": [1.0], "modifiers": [{"name": "b", "type": "staterror", "data": [1.0]}]}
    )
    two["channels"].append(channel)
    two["observations"].append({"name": "CR", "data": [9.0]})
    no_poi = one_bin()
    no_poi["measurements"][0]["config"]["poi"] = ""
    return {
        "second channel": (two, (), "channel 'CR' has the staterrors a, b: XML has one for each channel"),
        "no parameter of interest": (no_poi, (), "has no parameter of interest: XML wants one"),
        "wrong workspace": ({"channels": []}, (), "'measurements' and 'observations' are missing"),
        "comma": (renamed("channel", "a,b"), (), "ROOT takes no comma"),
        "line": (renamed("measurement", "a\nb"), (), "no control characters"),
        "prefix": (one_bin(), ("--prefix", "../x"), "prefix '../x': expected letters, digits"),
    }


@pytest.mark.parametrize("what", unwritable())
@pytest.mark.parametrize("overwrite", [True, False], ids=["over another", "new"])
def test_what_cannot_be_written(what, overwrite, tmp_path):
    """One channel can be written, another cannot: neither is, and an earlier folder stays."""
    document, more, words = unwritable()[what]
    if overwrite:
        run("json2xml", one_bin(), "--output-directory", tmp_path / "out")
        more += ("--overwrite",)
    before = listing(tmp_path)
    assert words in run("json2xml", document, "--output-directory", tmp_path / "out", *more).error
    assert listing(tmp_path) == before


def test_overwriting(tmp_path):
    """Only on request, and only what was written here before."""
    words = "--output-directory", tmp_path / "out"
    (tmp_path / "out").mkdir()
    assert run("json2xml", one_bin(), *words).status == 0  # it was empty
    before = listing(tmp_path)
    message = run("json2xml", renamed("channel", "other"), *words).error
    assert message == f"cannot write {tmp_path}/out: the folder is not empty; overwrite it, or give another one\n"
    assert listing(tmp_path) == before
    assert run("json2xml", renamed("channel", "other"), *words, "--overwrite").status == 0
    assert "out/config/FitConfig_other.xml" in listing(tmp_path)
    assert "out/config/FitConfig_SR.xml" not in listing(tmp_path)
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    before = listing(tmp_path)
    message = run("json2xml", one_bin(), *words, "--overwrite").error
    assert "it holds other things, such as thesis.tex" in message
    assert listing(tmp_path) == before


def test_places_that_cannot_be_written(tmp_path, monkeypatch):
    """A file, a folder that is not there, the working directory."""
    (tmp_path / "file").write_text("precious")
    before = listing(tmp_path)
    monkeypatch.chdir(tmp_path)
    for place, words in (
        (tmp_path / "file", "it is a file, expected a folder"),
        (tmp_path / "no" / "out", "No such file or directory"),
        (tmp_path / "file" / "out", "Not a directory"),
        (".", "the working directory is in it; give a folder of its own"),
    ):
        assert words in run("json2xml", one_bin(), "--output-directory", place).error
    assert listing(tmp_path) == before


def failing(function: Callable, when: Callable[..., bool], error: BaseException) -> Callable:
    """The function, which raises the first time that `when` is true of its arguments."""
    failed = []

    def wrapped(*args, **settings):
        if not failed and when(*args):
            failed.append(args)
            raise error
        return function(*args, **settings)

    return wrapped


@pytest.mark.parametrize("there", [True, False], ids=["over another", "new"])
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
    ],
    ids=["interrupt", "full disc"],
)
@pytest.mark.parametrize("where", ["channel", "histogram", "renaming"])
def test_nothing_is_half_written(where, error, status, words, there, tmp_path, monkeypatch):
    """Writing ends at the first channel, within the ROOT file, or when the folder is about to get its name."""
    if there:
        run("json2xml", one_bin(), "--output-directory", tmp_path / "out")
    before, target = listing(tmp_path), tmp_path / "out"
    owner, name, when = {
        "channel": (Path, "write_text", lambda path, text: path.parent.name == "config"),
        "histogram": (writing_histograms, "_root_histogram", lambda name, *rest: name.endswith("fakes")),
        "renaming": (Path, "rename", lambda path, to: to == target),
    }[where]
    monkeypatch.setattr(owner, name, failing(getattr(owner, name), when, error))
    outcome = run("json2xml", SEARCH, "--output-directory", target, "--overwrite")
    assert (outcome.status, outcome.stdout) == (status, "")
    assert words in outcome.stderr
    assert listing(tmp_path) == before


def test_without_uproot(tmp_path, monkeypatch):
    """It is an extra."""
    path = write_inputs(tmp_path / "in")
    monkeypatch.setitem(sys.modules, "uproot", None)
    for words in (("xml2json", path), ("json2xml", TWO_BINS, "--output-directory", tmp_path / "out")):
        assert run(*words).error.endswith("for which uproot is needed: pip install 'histjax[xml]'\n")
    assert not (tmp_path / "out").exists()


def test_start_without_jax(tmp_path):
    """Neither waits for JAX."""
    for words in (
        ("json2xml", str(TWO_BINS), "--output-directory", "out"),
        ("xml2json", "out/FitConfig.xml", "--root-directory", "out"),
    ):
        command = [sys.executable, "-c", WITHOUT_PACKAGE, str(ROOT / "histjax"), *words]
        outcome = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert strict_json(outcome.stdout)


def test_help():
    """They are in the list, and their help tells the options and the keys."""
    assert {"xml2json", "json2xml"} <= {line.split()[0] for line in run("--help").stdout.splitlines() if line.strip()}
    for command, words in (
        ("xml2json", ("--root-directory", "--mount HOST:MOUNT", "--normalise-by-theory", "--output-file")),
        ("json2xml", ("--output-directory", "--prefix", "--overwrite", "--patchset", "combination  path")),
    ):
        text = run(command, "--help").stdout
        assert all(each in text for each in words)
    assert "Missing option '--output-directory'" in run("json2xml", TWO_BINS).error
