"""A process of its own: what only the operating system can show."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import histjax
from tests.cli.running import strict_json

TWO_BINS = str(histjax.examples.path("two_bins"))
ROOT = Path(histjax.__file__).parents[1]


def _start(*arguments: str, **settings) -> subprocess.Popen:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths}
    command = [sys.executable, "-m", "histjax", *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **settings)


def test_reader_that_has_gone():
    """`histjax inspect ws | head -0` is silent."""
    with _start("inspect", TWO_BINS, stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_standard_output_that_is_full():
    with open("/dev/full", "w") as full, _start("inspect", TWO_BINS, stdout=full) as process:
        message = process.stderr.read()
    assert message == "histjax: error: cannot write to standard output: No space left on device\n"
    assert process.returncode == 2


# the package itself is left out: what it imports is its own affair
WITHOUT_PACKAGE = """
import sys, types
sys.modules["histjax"] = package = types.ModuleType("histjax")
package.__path__ = [sys.argv.pop(1)]
from histjax.cli import main
try:
    main()
finally:
    assert "jax" not in sys.modules
"""


@pytest.mark.parametrize("command", [("--help",), ("inspect", TWO_BINS), ("validate", TWO_BINS), ("digest", TWO_BINS)])
def test_start_without_jax(command):
    """What computes nothing does not wait for JAX."""
    words = [sys.executable, "-c", WITHOUT_PACKAGE, str(ROOT / "histjax"), *command]
    outcome = subprocess.run(words, capture_output=True, text=True, check=True)
    assert outcome.stdout
    assert outcome.stderr == ""


def test_cache_of_compiled_programs(tmp_path):
    """The second process finds what the first compiled, and says the same."""
    cache = tmp_path / "cache"
    answers = []
    for _ in range(2):
        with open(TWO_BINS) as file:
            process = _start("cls", "--cache-dir", str(cache), stdin=file, stdout=subprocess.PIPE)
            stdout, stderr = process.communicate()
        assert (process.returncode, stderr) == (0, "")
        answers.append((strict_json(stdout), sorted(os.listdir(cache))))
    (first, kept), (second, kept_then) = answers
    assert first == second
    # on a busy machine the second one may take longer for a program that the first found too quick to keep
    assert kept and set(kept) <= set(kept_then)
