"""`precompile`: compile ahead of time what a model will need."""

import os
import time
from pathlib import Path
from typing import NamedTuple

import jax

from histjax.caching import keep_compiled
from histjax.fitting.fit import fit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.inference.hypotest import hypotest
from histjax.inference.limits import upper_limit
from histjax.model.likelihood import Likelihood


class Precompiled(NamedTuple):
    """What was compiled: seconds by name of the function, and the directory in which the programs are kept."""

    seconds: dict[str, float]
    directory: Path


def precompile(
    likelihood: Likelihood,
    *,
    directory: str | os.PathLike | None = None,
    limits: bool = True,
    minimiser: Minimiser = Newton(),
) -> Precompiled:
    """Compile fits, hypothesis tests and upper limits of a likelihood ahead of time, and keep the programs on disk.

    One call does both: programs are ready in this process, and in every later one that calls `precompile` (or
    `histjax.caching.keep_compiled`) with the same directory they are read instead of compiled, for every model of the
    same structure. Each function is called once on the likelihood's own data; a fit that fails is no concern here.

    **Arguments:**

    - `directory`: as for `histjax.caching.keep_compiled`.
    - `limits`: whether upper limits are wanted; their search is the largest program. Without a parameter of interest
      there are fits only.
    - `minimiser`: as for `fit`.

    **Raises:** `histjax.caching.CannotKeep`.

    >>> import histjax, tempfile
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> with tempfile.TemporaryDirectory() as directory:  # doctest: +SKIP
    ...     sorted(histjax.precompile(model, directory=directory, limits=False).seconds)
    ['fit', 'hypotest']
    """
    kept = keep_compiled(directory)
    settings = dict(minimiser=minimiser, throw=False)
    calls = {"fit": lambda: fit(likelihood, **settings)}
    if likelihood.poi is not None:
        calls["hypotest"] = lambda: hypotest(likelihood, poi_value=1.0, **settings)
        if limits:
            calls["upper_limit"] = lambda: upper_limit(likelihood, **settings)
    return Precompiled({name: _seconds(call) for name, call in calls.items()}, kept)


def _seconds(call) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start
