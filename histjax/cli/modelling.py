"""From a checked workspace to a compiled model, and the cache that spares the next process the compilation."""

import os
from collections.abc import Callable
from pathlib import Path

from histjax.cli.documents import read
from histjax.cli.messages import say
from histjax.cli.options import Modelling, Source

SHORTEST_KEPT = 0.1
"""Programs that take less time to compile, in seconds, are not kept: many small files for little time."""


def compiled_model(source: Source, modelling: Modelling, stage: Callable[[str], None]):
    """The `Model` that the options ask for; `stage` is told what is under way."""
    calm_linear_algebra()
    stage("reading")
    workspace, _, _ = read(source, modelling.measurement)
    stage("starting JAX")
    import histjax

    options = compile_options(modelling)
    stage("compiling")
    model = histjax.compile(workspace, **options)
    return model.with_weights(masked(modelling))


def compile_options(modelling: Modelling) -> dict:
    """What `histjax.compile` is to be told; the cache of compiled programs is set up, too."""
    import histjax

    if not modelling.no_cache:
        keep_compiled_programs(modelling.cache_dir)
    codes = {name: getattr(histjax.interpolation, getattr(modelling, name)) for name in ("normsys", "histosys")}
    return {"measurement": modelling.measurement, **codes}


def masked(modelling: Modelling) -> dict[str, float]:
    """The weights of the channels that are left out."""
    return {channel: 0.0 for channel in modelling.mask}


def calm_linear_algebra() -> None:
    """One thread for LAPACK, unless the user chose a number; it counts if LAPACK is not loaded yet.

    The matrices are small. On a busy machine the threads of OpenBLAS, which wait by spinning, take each other's turns,
    and a fit of milliseconds lasts seconds.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def keep_compiled_programs(directory: str | None) -> None:
    """Turn on JAX's persistent compilation cache for this process.

    A directory that cannot be written to costs time, not the result: it is said, and everything is compiled. A cache
    that the user has set up for JAX (`JAX_COMPILATION_CACHE_DIR`) is left alone unless a directory is given.
    """
    import jax

    if directory is None and jax.config.jax_compilation_cache_dir is not None:
        return
    path = default_cache_directory() if directory is None else Path(directory)
    if _is_usable(path):
        jax.config.update("jax_compilation_cache_dir", str(path))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_KEPT)
    elif directory is not None:
        say("warning", f"compiled programs are not kept: {directory!r} is no directory that can be written to")


def default_cache_directory() -> Path:
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
