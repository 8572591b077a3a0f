"""Compiled programs: JAX's persistent cache, by which one process reads what another compiled, and how many a process
can hold.
"""

import os
import warnings
from pathlib import Path

import jax

from histjax.errors import HistjaxError, ManyPrograms

SHORTEST_KEPT = 0.1
"""Programs that take less time to compile, in seconds, are not kept: many small files for little time."""

MAPS, MOST_MAPS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
"""Where Linux tells the memory maps of this process, and how many it may have."""
FULL = 0.75


class CannotKeep(HistjaxError):
    """The directory for compiled programs cannot be made or written to."""


def keep_compiled(directory: str | os.PathLike | None = None) -> Path:
    """Keep the programs that this process compiles from now on, and use those that others have kept.

    **Arguments:**

    - `directory`: where; it is made if need be. By default the cache that JAX is set up for already
      (`JAX_COMPILATION_CACHE_DIR`), else `$XDG_CACHE_HOME/histjax` or `~/.cache/histjax`. Programs are kept by their
      content and the version of JAX, so that one directory serves all models.

    **Returns:** the directory. **Raises:** `CannotKeep`.
    """
    if directory is None and jax.config.jax_compilation_cache_dir is not None:
        return Path(jax.config.jax_compilation_cache_dir)
    path = default_directory() if directory is None else Path(directory)
    if not _is_usable(path):
        raise CannotKeep(f"compiled programs are not kept: {str(path)!r} is no directory that can be written to")
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_KEPT)
    return path


def warn_of_many_programs() -> None:
    """Warn (`ManyPrograms`) where this process soon cannot hold more compiled programs.

    XLA maps every program that it compiles for a CPU into memory, a fit with its test about 600 times, and the process
    ends without a message when Linux refuses one more map. Elsewhere than on Linux nothing is known and nothing said.
    """
    try:
        found, most = MAPS.read_bytes().count(b"\n"), int(MOST_MAPS.read_text())
    except (OSError, ValueError):
        return
    if found > FULL * most:
        message = (
            f"this process has {found} memory maps and may have {most}, most of them of compiled programs;"
            " forget those of other models with jax.clear_caches(), or the process will be ended"
        )
        warnings.warn(message, ManyPrograms, stacklevel=3)


def default_directory() -> Path:
    """`$XDG_CACHE_HOME/histjax`, by default `~/.cache/histjax` (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if os.path.isabs(base) else os.path.expanduser("~/.cache")) / "histjax"


def _is_usable(path: Path) -> bool:
    """Whether the directory is there, after an attempt to make it, and can be written to."""
    if not path.is_absolute() and path.parts[:1] == ("~",):  # the user has no home
        return False
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(path, os.W_OK | os.X_OK)
