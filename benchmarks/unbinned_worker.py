"""One fit of an unbinned extended mixture by one tool, in a process of its own; started by `unbinned.py`.

Run in the interpreter of the tool. *cold* is building the model from an array of events and the first fit, *warm* the
median of fits of the same model from the same start. A fit ends with the tool's own covariance matrix: ours is of the
exact Hessian; RooFit's and zfit's are Minuit's, MIGRAD and HESSE. `root-cpu` is RooFit as it comes (strategy 1),
`root-cpu-0` its quickest setting where there are no derivatives (strategy 0), `root-codegen` has derivatives by Clad,
which the wheels of ROOT come without.
"""

import argparse
from pathlib import Path

import numpy as np
from measuring import measure

LOW, HIGH = 110.0, 150.0


def truth(n: float) -> dict[str, float]:
    """The parameters that the events are drawn at."""
    return {"n_signal": 0.2 * n, "n_background": 0.8 * n, "mass": 125.0, "width": 2.0, "slope": 0.05}


def start(n: float) -> dict[str, float]:
    """Where every fit starts."""
    return {"n_signal": 0.1 * n, "n_background": 0.9 * n, "mass": 123.0, "width": 3.0, "slope": 0.03}


def ranges(n: float) -> dict[str, tuple[float, float]]:
    """The bounds of the parameters."""
    return {
        "n_signal": (0.0, n),
        "n_background": (0.0, 2 * n),
        "mass": (115.0, 135.0),
        "width": (0.5, 10.0),
        "slope": (-0.5, 0.5),
    }


# --- histjax -------------------------------------------------------------------------------------------------------


def document(events: np.ndarray) -> dict:
    """The mixture and its events as an HS3 document."""
    n = len(events)
    axes = [{"name": name, "min": low, "max": high} for name, (low, high) in ranges(n).items()]
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "signal", "type": "gaussian_dist", "x": "x", "mean": "mass", "sigma": "width"},
            {"name": "background", "type": "exponential_dist", "x": "x", "c": "slope"},
            {
                "name": "model",
                "type": "mixture_dist",
                "summands": ["signal", "background"],
                "coefficients": ["n_signal", "n_background"],
                "extended": True,
            },
        ],
        "data": [
            {
                "name": "events",
                "type": "unbinned",
                "axes": [{"name": "x", "min": LOW, "max": HIGH}],
                "entries": events[:, None].tolist(),
            }
        ],
        "likelihoods": [{"name": "L", "distributions": ["model"], "data": ["events"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": axes}],
        "parameter_points": [
            {
                "name": "default_values",
                "parameters": [{"name": name, "value": value} for name, value in start(n).items()],
            }
        ],
    }


def histjax_fit(events: np.ndarray):
    """Build, and a function that fits."""
    import histjax

    def build():
        return histjax.compile(histjax.read(document(events)))

    def task(model):
        def describe(found) -> dict:
            values = {name: float(found.params[name]) for name in truth(1)}
            sigma = float(found.uncertainty["n_signal"])
            return {"params": values, "sigma": sigma, "converged": float(found.converged)}

        return lambda: histjax.fit(model), describe

    return build, task


# --- RooFit --------------------------------------------------------------------------------------------------------


def root_fit(events: np.ndarray, tool: str):
    """Build the model and its -ln L, and a function that fits."""
    backend, strategy = tool.split("-")[1], 1 if tool == "root-cpu" else 0
    import ROOT

    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    n = len(events)

    def build():
        limits = ranges(n)
        x = ROOT.RooRealVar("x", "x", LOW, HIGH)
        made = {name: ROOT.RooRealVar(name, name, value, *limits[name]) for name, value in start(n).items()}
        signal = ROOT.RooGaussian("signal", "", x, made["mass"], made["width"])
        background = ROOT.RooExponential("background", "", x, made["slope"], True)
        yields = ROOT.RooArgList(made["n_signal"], made["n_background"])
        model = ROOT.RooAddPdf("model", "", ROOT.RooArgList(signal, background), yields)
        data = ROOT.RooDataSet.from_numpy({"x": events}, [x])
        nll = model.createNLL(data, Extended=True, EvalBackend=backend)
        if backend == "codegen" and not nll.hasGradient():
            raise SystemExit("this ROOT is built without Clad")
        return x, made, signal, background, yields, model, data, nll

    def task(built):
        made, nll = built[1], built[-1]

        def fit():
            for name, value in start(n).items():
                made[name].setVal(value)
                made[name].setError(0.0)
            minimiser = ROOT.RooMinimizer(nll)
            minimiser.setPrintLevel(-1)
            minimiser.setStrategy(strategy)
            status = minimiser.minimize("Minuit2", "migrad")
            return status, minimiser.hesse()

        def describe(status) -> dict:
            values = {name: made[name].getVal() for name in truth(1)}
            return {
                "params": values,
                "sigma": made["n_signal"].getError(),
                "converged": float(status == (0, 0)),
            }

        return fit, describe

    return build, task


# --- zfit ----------------------------------------------------------------------------------------------------------


def zfit_fit(events: np.ndarray):
    """Build the model and its loss, and a function that fits."""
    import zfit

    n = len(events)

    def build():
        limits = ranges(n)
        space = zfit.Space("x", LOW, HIGH)
        made = {name: zfit.Parameter(name, value, *limits[name]) for name, value in start(n).items()}
        signal = zfit.pdf.Gauss(mu=made["mass"], sigma=made["width"], obs=space, extended=made["n_signal"])
        rate = zfit.ComposedParameter("rate", lambda slope: -slope, params=[made["slope"]])
        background = zfit.pdf.Exponential(rate, obs=space, extended=made["n_background"])
        model = zfit.pdf.SumPDF([signal, background])
        data = zfit.Data.from_numpy(obs=space, array=events)
        return made, zfit.loss.ExtendedUnbinnedNLL(model=model, data=data)

    def task(built):
        made, loss = built

        def fit():
            for name, value in start(n).items():
                made[name].set_value(value)
            found = zfit.minimize.Minuit().minimize(loss)
            return found, found.hesse()

        def describe(answer) -> dict:
            found, errors = answer
            values = {name: float(found.params[each]["value"]) for name, each in made.items()}
            sigma = float(errors[made["n_signal"]]["error"])
            return {"params": values, "sigma": sigma, "converged": float(found.valid)}

        return fit, describe

    return build, task


def main() -> None:
    """Measure one tool on one file of events."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("task")
    parser.add_argument("events", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    events = np.load(options.events)
    if options.tool == "histjax":
        pair = histjax_fit(events)
    elif options.tool == "zfit":
        pair = zfit_fit(events)
    else:
        pair = root_fit(events, options.tool)
    measure(*pair, options.repeat)


if __name__ == "__main__":
    main()
