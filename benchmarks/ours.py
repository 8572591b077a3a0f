"""One task of histjax on one file, in a process of its own: prints lines of JSON, the last one counts.

    python benchmarks/ours.py histjax TASK MODEL.json [--repeat 5] [--toys 1000] [--patchset FILE]

`refit` reads, instead of a workspace, what a peer's toy fits left (`{"model": ..., "toys": [...], "twice_nll": [...]}`)
and says how far above the minimum each of them is; `imports` does nothing, for the memory that takes.
"""

import json
import warnings
from pathlib import Path

import jax
import numpy as np
from measuring import measure, measure_toys, report, worker_arguments

import histjax


def compiled(path: Path) -> histjax.Model:
    """The model of a workspace."""
    return histjax.compile(histjax.read(path))


def at_init(model, function):
    """`function(vector, data)` compiled by itself and called at the initial point, until its numbers are there."""
    vector, data = model.parameters.init, model.ravel_data(model.data)
    program = jax.jit(function)
    return lambda: jax.block_until_ready(program(vector, data))


def log_density(model):
    """ln of the density, all constants included."""
    call = at_init(model, lambda vector, data: model.logpdf(model.parameters.unravel(vector), data))
    return call, lambda value: {"twice_nll_init": -2 * float(value)}


def gradient(model):
    """Value and gradient by automatic differentiation."""
    return at_init(model, jax.value_and_grad(model.nll)), lambda value: {}


def hessian(model):
    """Value, gradient and Hessian in one, as the minimiser takes them."""
    return at_init(model, model.nll_derivatives), lambda value: {}


def fit(model):
    """The unconditional fit."""

    def call():
        return jax.block_until_ready(histjax.fit(model, model.data, throw=False))

    return call, lambda best: {
        "twice_nll": float(best.twice_nll),
        "converged": float(best.converged),
        "edm": float(best.edm),
    }


def hypotest(model):
    """Observed and expected CLs at 1."""

    def call():
        return jax.block_until_ready(histjax.hypotest(model, model.data, poi_value=1.0, throw=False))

    return call, lambda test: {"CLs": float(test.CLs), "converged": float(test.fits.converged)}


def limit(model):
    """Observed and expected upper limits."""

    def call():
        return jax.block_until_ready(histjax.upper_limit(model, model.data, throw=False))

    return call, lambda found: {
        "limit": float(found.observed),
        "converged": float(np.mean(np.asarray(found.converged))),
    }


def toys(model):
    """Toy statistics: each toy is drawn with its auxiliary data, and fitted free and at the tested value."""

    def throw(n_toys: int) -> dict:
        calculator = histjax.Toys(jax.random.key(0), n_toys)
        test = histjax.hypotest(model, model.data, poi_value=1.0, calculator=calculator, throw=False)
        thrown, failed = np.sum(np.asarray(test.toys.n_toys)), np.sum(np.asarray(test.toys.n_failed))
        return {"n_toys": int(thrown), "converged": float(1 - failed / thrown), "CLs": float(test.toys.observed.CLs)}

    return throw


def refit(left: dict) -> dict:
    """How far the minima that a peer found for its own toys are above ours for the same data."""
    model = compiled(Path(left["model"]))
    above = []
    for toy, theirs in zip(left["toys"], left["twice_nll"], strict=True):
        aux = model.data.aux | {name: np.asarray(values) for name, values in toy.get("aux", {}).items()}
        data = histjax.Data({name: np.asarray(values) for name, values in toy["main"].items()}, aux)
        above.append(theirs - float(histjax.fit(model, data, throw=False).twice_nll))
    return {"toys_above": above}


def grid(points):
    """All patches of a set, observed and expected CLs at 1."""

    def describe(result) -> dict:
        values = [float(value) for value in result.observed]
        return {"points": len(result), "converged": float(np.mean(result.converged)), "CLs_values": values}

    return lambda: points.hypotest(poi_value=1.0), describe


TASKS = {
    "log density": log_density,
    "gradient": gradient,
    "Hessian": hessian,
    "fit": fit,
    "hypotest": hypotest,
    "limit": limit,
}


def main() -> None:
    """Measure the task that was asked for."""
    arguments = worker_arguments(["histjax"], [*TASKS, "toys", "refit", "grid", "imports"])
    warnings.simplefilter("ignore")
    if arguments.task == "imports":
        report({})
    elif arguments.task == "refit":
        report(refit(json.loads(arguments.model.read_text())))
    elif arguments.task == "grid":
        measure(lambda: histjax.compile_grid(arguments.model, arguments.patchset), grid, 1)
    elif arguments.task == "toys":
        measure_toys(lambda: compiled(arguments.model), toys, arguments.toys)
    else:
        measure(lambda: compiled(arguments.model), TASKS[arguments.task], arguments.repeat)


if __name__ == "__main__":
    main()
