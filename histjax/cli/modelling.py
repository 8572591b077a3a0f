"""From a checked workspace to a compiled model, and the cache that spares the next process the compilation."""

import os
from collections.abc import Callable

from histjax.cli.documents import read
from histjax.cli.messages import say
from histjax.cli.options import Modelling, Source


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
    """Turn on JAX's persistent cache of compiled programs for this process.

    A directory that cannot be written to costs time, not the result: it is said if the user has chosen it.
    """
    from histjax.caching import CannotKeep, keep_compiled

    try:
        keep_compiled(directory)
    except CannotKeep as error:
        if directory is not None:
            say("warning", str(error))
