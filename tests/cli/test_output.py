"""Where results go: strict JSON, files that are whole, and how the program ends."""

import json
import os
import stat

import numpy as np
import pytest

import histjax
from histjax.caching import default_directory
from histjax.cli import describe, messages, modelling
from histjax.cli.output import CannotWrite, json_text, plain, write_file
from tests.cli.running import COMMANDS, COMPUTING, REQUIRED, run, strict_json

TWO_BINS = histjax.examples.path("two_bins")


def test_plain():
    values = {"array": np.array([[1.0, np.nan]]), "flag": np.bool_(True), "count": np.int64(3), "tuple": (np.inf, "x")}
    assert plain(values) == {"array": [[1.0, None]], "flag": True, "count": 3, "tuple": [None, "x"]}
    assert plain(float("-inf")) is None
    assert json.loads(json_text(0.1 + 0.2)) == 0.1 + 0.2


@pytest.mark.parametrize("command", COMMANDS)
def test_output_file(command, tmp_path):
    """The file has what standard output would have had, and nothing else is left in the directory."""
    path = tmp_path / "result.json"
    words = command, TWO_BINS, *REQUIRED.get(command, ())
    outcome = run(*words, "--output-file", path)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert strict_json(path.read_text()) == run(*words).json
    assert os.listdir(tmp_path) == ["result.json"]


def test_output_file_with_text(tmp_path):
    path = tmp_path / "result.json"
    outcome = run("inspect", TWO_BINS, "--output-file", path, "--text")
    assert "parameter of interest" in outcome.stdout
    assert strict_json(path.read_text())["poi"] == "mu"


def test_output_file_dash():
    assert run("inspect", TWO_BINS, "--output-file", "-").json["poi"] == "mu"


def test_error_leaves_the_file(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("precious")
    assert run("fit", TWO_BINS, "--fixed", "nu=1", "--output-file", path).error
    assert run("inspect", {"channels": []}, "--output-file", path).error
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["result.json"]


def test_failure_while_writing_leaves_the_file(tmp_path, monkeypatch):
    """A disc that is full is noticed after half of the text; the file is as it was and the other half is gone."""
    path = tmp_path / "result.json"
    path.write_text("precious")

    def fsync(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    assert run("inspect", TWO_BINS, "--output-file", path).error == f"cannot write {path}: No space left on device\n"
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["result.json"]


def test_permissions(tmp_path):
    """A new file has the usual permissions, not those of a temporary one; a file that exists keeps its own."""
    path = tmp_path / "result.json"
    mask = os.umask(0o027)
    try:
        write_file(str(path), "1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o600)
        write_file(str(path), "2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(mask)
    assert path.read_text() == "2"


def test_link_is_followed(tmp_path):
    path, link = tmp_path / "result.json", tmp_path / "link.json"
    path.write_text("old")
    link.symlink_to(path)
    write_file(str(link), "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_device_is_not_replaced():
    assert run("inspect", TWO_BINS, "--output-file", os.devnull).status == 0
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written(command, tmp_path, monkeypatch):
    """It is said before the work: reading is not even tried."""
    monkeypatch.setattr(describe, "read_document", None)
    words = command, TWO_BINS, *REQUIRED.get(command, ())
    assert run(*words, "--output-file", tmp_path / "a" / "b").error == (
        f"cannot write {tmp_path}/a/b: there is no directory '{tmp_path}/a'\n"
    )
    assert run(*words, "--output-file", tmp_path).error == f"cannot write {tmp_path}: it is a directory\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_full_device():
    with pytest.raises(CannotWrite, match="No space left on device"):
        write_file("/dev/full", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing command. (see 'histjax --help')"),
        (("solve",), "No such command 'solve'"),
        (("fit", "--precise"), "No such option '--precise'"),
        (("inspect", "a.json", "b.json"), "unexpected extra argument (b.json)"),
        (("digest", "--output-file"), "requires an argument"),
    ],
    ids=str,
)
def test_wrong_usage(arguments, words):
    message = run(*arguments).error
    assert words in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    """Every key of the JSON is in the help of its command."""
    text = run(command, "-h").stdout
    for option in ("--patch FILE", "--patchset FILE", "--patch-name NAME", "--output-file FILE"):
        assert option in text
    if command in COMPUTING:
        assert "--mask CHANNEL" in text
    if command != "digest":
        for key in run(command, TWO_BINS, *REQUIRED.get(command, ())).json:
            assert key in text


def test_help_lists_the_commands():
    text = run("--help").stdout
    assert all(f"  {command} " in text for command in COMMANDS)


def test_version():
    assert run("--version").stdout.startswith("histjax ")


def test_interrupted(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(describe, "read_document", interrupted)
    outcome = run("inspect", TWO_BINS)
    assert (outcome.status, outcome.stdout) == (130, "")
    assert outcome.stderr.strip() == "histjax: error: interrupted"


def test_python_warnings_are_one_line(capsys):
    import warnings

    with messages.warnings_said(), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("the cache is full", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "histjax: warning: the cache is full\n"


def test_table_for_who_watches(monkeypatch):
    """Where JSON goes elsewhere and standard error is a terminal, the table is shown there."""
    monkeypatch.setattr("histjax.cli.output.standard_error_is_free", lambda: True)
    outcome = run("inspect", TWO_BINS)
    assert strict_json(outcome.stdout)["poi"] == "mu"
    assert "parameter of interest" in outcome.stderr


def test_threads_are_the_users_choice(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    modelling.calm_linear_algebra()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "8"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    modelling.calm_linear_algebra()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize("home", ["", "relative"])
def test_default_cache_directory(home, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    assert default_directory() == tmp_path / ".cache" / "histjax"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert default_directory() == tmp_path / "mine" / "histjax"


def test_cache_directory_that_cannot_be_made(tmp_path, capsys):
    """It costs time, not the result."""
    (tmp_path / "file").write_text("")
    modelling.keep_compiled_programs(str(tmp_path / "file" / "cache"))
    assert capsys.readouterr().err.startswith("histjax: warning: compiled programs are not kept: ")
