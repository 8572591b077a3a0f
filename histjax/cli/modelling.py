"""From a checked workspace to a compiled model, and the cache that spares the next process the compilation."""

import os
from collections.abc import Callable
from typing import Any

import click

from histjax.cli.documents import checked, read_document
from histjax.cli.messages import say
from histjax.cli.options import Modelling, Source
from histjax.readers import is_hs3

WORKSPACE_OPTIONS = ("measurement", "normsys", "histosys")
HS3_OPTIONS = ("analysis", "likelihood", "domain", "parameter_point", "binned")


def compiled_model(source: Source, modelling: Modelling, stage: Callable[[str], None]):
    """The model that the options ask for, of a workspace or an HS3 document; `stage` is told what is under way."""
    calm_linear_algebra()
    stage("reading")
    document, name = read_document(source)
    if is_hs3(document):
        return _hs3_likelihood(document, name, modelling, stage)
    _refuse(modelling, HS3_OPTIONS, "for HS3 documents; a workspace has --measurement")
    workspace, _ = checked(document, name, modelling.measurement)
    stage("starting JAX")
    import histjax

    options = compile_options(modelling)
    stage("compiling")
    model = histjax.compile(workspace, **options)
    return model.with_weights(masked(modelling))


def _hs3_likelihood(document: Any, name: str, modelling: Modelling, stage: Callable[[str], None]):
    _refuse(modelling, WORKSPACE_OPTIONS, "for workspaces of pyhf's format; an HS3 document has --analysis")
    stage("starting JAX")
    import histjax

    if not modelling.no_cache:
        keep_compiled_programs(modelling.cache_dir)
    stage("compiling")
    chosen = {each: getattr(modelling, each) for each in HS3_OPTIONS if getattr(modelling, each) is not None}
    likelihood = histjax.compile(histjax.hs3.Workspace.from_document(document, name), **chosen)
    if not modelling.mask:
        return likelihood
    if not hasattr(likelihood, "with_weights"):
        raise click.UsageError("--mask is for likelihoods of HistFactory channels alone")
    return likelihood.with_weights(masked(modelling))


def _refuse(modelling: Modelling, names: tuple[str, ...], reason: str) -> None:
    for each in names:
        if getattr(modelling, each) is not None:
            raise click.UsageError(f"--{each.replace('_', '-')} is {reason}", click.get_current_context(silent=True))


def compile_options(modelling: Modelling) -> dict:
    """What `histjax.compile` is to be told of a workspace; the cache of compiled programs is set up, too."""
    import histjax

    if not modelling.no_cache:
        keep_compiled_programs(modelling.cache_dir)
    codes = {
        name: getattr(histjax.interpolation, getattr(modelling, name))
        for name in ("normsys", "histosys")
        if getattr(modelling, name) is not None
    }
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
