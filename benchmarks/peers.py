"""One task of one peer on one file, run by the interpreter in which the peer lives; histjax is not imported.

    PYTHON benchmarks/peers.py TOOL TASK MODEL.json [--repeat 5] [--toys 1000] [--patchset FILE]

- `pyhf`: NumPy and SciPy's SLSQP, its defaults; `pyhf-minuit`: NumPy and Minuit. NumPy has no derivatives: the
  gradient is the forward difference that the minimiser takes, one evaluation a parameter. No Hessian.
- `nextstat`: fits by `fit_minimum`, the recommended fast way, which leaves the covariance out; toys by `fit_toys` in
  its default batch mode. It draws the main data of a toy only, and makes one free fit. No public Hessian.
- `root-cpu`, `root-cpu-0`, `root-codegen`: see `root_peer.py`.

Toys are thrown at the tool's own best fit. Where a tool raises, the process ends, and the last line is the reason.
"""

import json
import os
import sys
import warnings
from pathlib import Path

from measuring import clock, measure, measure_toys, report, worker_arguments
from root_peer import Root

KEPT_TOYS = 4
"""Toys that are handed over, for their minima to be compared."""


class Pyhf:
    """pyhf with NumPy and one of its two optimisers."""

    def __init__(self, path: Path, tool: str):
        import pyhf

        self.pyhf = pyhf
        pyhf.set_backend("numpy", "minuit" if tool == "pyhf-minuit" else "scipy")
        self.use(json.loads(path.read_text()))

    def use(self, spec: dict):
        """Make the model of a document."""
        workspace = self.pyhf.Workspace(spec)
        poi = workspace.get_measurement()["config"]["poi"]
        self.model = workspace.model(poi_name=poi if poi in dict(workspace.modifiers) else None)
        self.data = workspace.data(self.model)
        self.init = self.model.config.suggested_init()

    def log_density(self):
        """One evaluation at the initial point."""
        return lambda: self.model.logpdf(self.init, self.data), lambda value: {"twice_nll_init": -2 * float(value[0])}

    def gradient(self):
        """The gradient at the initial point."""
        from scipy.optimize import approx_fprime

        return lambda: approx_fprime(self.init, lambda x: self.model.logpdf(x, self.data)[0]), lambda value: {
            "note": "numeric"
        }

    def fit(self):
        """The unconditional fit."""

        def call():
            return self.pyhf.infer.mle.fit(self.data, self.model, return_fitted_val=True)

        return call, lambda answer: {"twice_nll": float(answer[1]), "converged": 1.0}

    def hypotest(self):
        """Observed and expected CLs at 1."""

        def call():
            return self.pyhf.infer.hypotest(1.0, self.data, self.model, test_stat="qtilde", return_expected_set=True)

        return call, lambda answer: {"CLs": float(answer[0])}

    def limit(self):
        """Observed and expected limits."""

        def call():
            return self.pyhf.infer.intervals.upper_limits.upper_limit(self.data, self.model)

        return call, lambda answer: {"limit": float(answer[0])}

    def named(self, toy) -> dict:
        """Main and auxiliary data of a toy by name."""
        config, main, aux = self.model.config, {}, {}
        for name in config.channels:
            main[name] = [float(value) for value in toy[config.channel_slices[name]]]
        place = config.nmaindata
        for name in config.auxdata_order:
            size = config.param_set(name).n_parameters
            aux[name] = [float(value) for value in toy[place : place + size]]
            place += size
        return {"main": main, "aux": aux}

    def toys(self):
        """Toys at the best fit, one free fit each."""
        best = self.pyhf.infer.mle.fit(self.data, self.model)
        density = self.model.make_pdf(self.pyhf.tensorlib.astensor(best))

        def throw(n_toys: int) -> dict:
            drawn, minima = density.sample((n_toys,)), []
            for toy in drawn:
                try:
                    minima.append(float(self.pyhf.infer.mle.fit(toy, self.model, return_fitted_val=True)[1]))
                except self.pyhf.exceptions.FailedMinimization:  # what pyhf raises where its optimiser gives up
                    minima.append(None)
            kept = [i for i in range(n_toys) if minima[i] is not None][:KEPT_TOYS]
            return {
                "n_toys": n_toys,
                "converged": sum(value is not None for value in minima) / n_toys,
                "toys": [self.named(drawn[i]) for i in kept],
                "toys_twice_nll": [minima[i] for i in kept],
            }

        return throw


class NextStat:
    """NextStat by its fastest public functions."""

    def __init__(self, path: Path, tool: str):
        import nextstat

        del tool
        self.nextstat = nextstat
        self.use(json.loads(path.read_text()))

    def use(self, spec: dict):
        """Make the model of a document."""
        self.model = self.nextstat.from_pyhf(json.dumps(spec))
        self.init = self.model.suggested_init()
        self.estimator = self.nextstat.MaximumLikelihoodEstimator()

    def log_density(self):
        """One evaluation at the initial point."""
        return lambda: self.model.nll(self.init), lambda value: {"twice_nll_init": 2 * value}

    def gradient(self):
        """The gradient at the initial point."""
        return lambda: self.model.grad_nll(self.init), lambda value: {}

    def fit(self):
        """The unconditional fit."""
        return lambda: self.estimator.fit_minimum(self.model), lambda best: {
            "twice_nll": best.twice_nll,
            "converged": float(best.converged),
        }

    def hypotest(self):
        """Observed CLs at 1."""
        return lambda: self.nextstat.hypotest(1.0, self.model), lambda value: {
            "CLs": float(value),
            "note": "observed only",
        }

    def limit(self):
        """Observed and expected limits."""
        return lambda: self.nextstat.upper_limit(self.model, method="root"), lambda found: {"limit": float(found[0])}

    def toys(self):
        """Toys at the best fit, one free fit each."""
        point = self.estimator.fit_minimum(self.model).parameters
        names = [(each["channel_name"], len(each["y"])) for each in self.model.observed_main_by_channel()]

        def named(toy) -> dict:
            numbers = iter(toy)
            return {"main": {name: [next(numbers) for _ in range(size)] for name, size in names}}

        def throw(n_toys: int) -> dict:
            fits = self.nextstat.fit_toys(self.model, point, n_toys=n_toys, seed=1)
            return {"n_toys": n_toys, "converged": sum(bool(fit.converged) for fit in fits) / n_toys} | kept(fits)

        def kept(fits) -> dict:
            drawn = self.nextstat.poisson_toys(self.model, point, n_toys=KEPT_TOYS, seed=1)
            return {"toys": list(map(named, drawn)), "toys_twice_nll": [2 * fit.nll for fit in fits[:KEPT_TOYS]]}

        return throw


def patched(background: dict, patch: list[dict]) -> dict:
    """The workspace of one patch."""
    import jsonpatch

    return jsonpatch.apply_patch(background, patch)


def grid(tool, background: Path, patchset: Path) -> None:
    """One hypothesis test after the other, building each model; the row is printed after every point."""
    spec, patches = (json.loads(path.read_text()) for path in (background, patchset))
    seconds, values, n_points = 0.0, [], len(patches["patches"])
    for done, patch in enumerate(patches["patches"], start=1):

        def point(patch=patch) -> float:
            tool.use(patched(spec, patch["patch"]))
            call, describe = tool.hypotest()
            return describe(call())["CLs"]

        taken, value = clock(point)
        seconds, values = seconds + taken, [*values, value]
        report({"points": n_points, "done": done, "cold_s": seconds * n_points / done, "CLs_values": values})


def main() -> None:
    """Measure the task that was asked for."""
    names = ["log density", "gradient", "Hessian", "fit", "hypotest", "limit"]
    tasks = {name: name.lower().replace(" ", "_") for name in names}
    tools = {"pyhf": Pyhf, "pyhf-minuit": Pyhf, "nextstat": NextStat}
    tools |= {f"root-{backend}": Root for backend in ("cpu", "cpu-0", "codegen")}
    arguments = worker_arguments([*tools], [*tasks, "toys", "grid"])
    warnings.simplefilter("ignore")

    def build():
        return tools[arguments.tool](arguments.model, arguments.tool)

    if arguments.task == "grid":
        grid(build(), arguments.model, arguments.patchset)
    elif arguments.task == "toys":
        measure_toys(build, lambda tool: tool.toys(), arguments.toys)
    else:
        measure(build, lambda tool: getattr(tool, tasks[arguments.task])(), arguments.repeat)
    sys.stdout.flush()
    os._exit(0)  # ROOT deletes some of its objects twice where Python ends properly


if __name__ == "__main__":
    main()
