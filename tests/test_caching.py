"""Programs that one process compiles and the next one reads."""

import os
import subprocess
import sys

import pytest

import histjax
from histjax.caching import CannotKeep, keep_compiled

PROGRAM = """
import sys, jax, histjax
hits = []
jax.monitoring.register_event_listener(lambda name, **more: hits.append(name))
model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
result = histjax.precompile(model, directory=sys.argv[1], limits=False)
print(len([each for each in hits if each.endswith("compilation_cache/cache_hits")]), *result.seconds)
"""


def run(directory) -> list[str]:
    """One process; what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(directory)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()


def test_the_second_process_reads(tmp_path):
    """Nothing is found the first time, something the second time."""
    first, second = run(tmp_path / "kept"), run(tmp_path / "kept")
    assert int(first[0]) == 0 < int(second[0])
    assert first[1:] == second[1:] == ["fit", "hypotest"]
    assert any((tmp_path / "kept").iterdir())


def test_a_directory_that_cannot_be_made(tmp_path):
    """It is said, before anything is compiled."""
    (tmp_path / "file").write_text("")
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    with pytest.raises(CannotKeep, match="no directory that can be written to"):
        histjax.precompile(model, directory=tmp_path / "file" / "cache")


def test_the_users_own_setting_stays():
    """Without a directory the cache that JAX is set up for is used: here that of the test session."""
    import jax

    before = jax.config.jax_compilation_cache_dir
    assert str(keep_compiled()) == before == jax.config.jax_compilation_cache_dir
