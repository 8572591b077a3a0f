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


def test_too_many_programs(tmp_path, monkeypatch):
    """A process that XLA would end for want of memory maps is warned of, with what to do.

    Each fit with its test adds some 600 maps (CPU, JAX 0.10.2); Linux allows 65530 by default, and what comes after is
    a segmentation fault.
    """
    from histjax import caching
    from histjax.errors import ManyPrograms

    for name, text in {"MAPS": "a\n" * 76, "MOST_MAPS": "100\n"}.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(caching, name, tmp_path / name)
    workspace = histjax.read(histjax.examples.path("two_bins"))
    with pytest.warns(ManyPrograms, match="has 76 memory maps and may have 100.*jax.clear_caches"):
        histjax.compile(workspace)
    (tmp_path / "MAPS").write_text("a\n" * 75)
    histjax.compile(workspace)
    monkeypatch.setattr(caching, "MAPS", tmp_path / "nothing")
    histjax.compile(workspace)


def test_forgetting_programs_frees_their_maps():
    """The advice of the warning works."""
    import jax

    from histjax import caching

    if not caching.MAPS.exists():
        pytest.skip("this system does not tell the memory maps of a process")
    workspace = histjax.read(histjax.examples.path("two_bins"))
    jax.clear_caches()
    before = len(caching.MAPS.read_bytes().splitlines())
    histjax.fit(histjax.compile(workspace))
    during = len(caching.MAPS.read_bytes().splitlines())
    jax.clear_caches()
    assert len(caching.MAPS.read_bytes().splitlines()) - before < (during - before) / 2
