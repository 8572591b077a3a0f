"""ROOT's HistFactory on a workspace in pyhf's format: the measurement, the workspace, fits by Minuit2.

Run by `peers.py` in the interpreter of the `root` wheel, tools `root-cpu` (RooFit's evaluation backend, Minuit2's
strategy 1), `root-cpu-0` (the same with strategy 0) and `root-codegen` (derivatives by Clad, strategy 0; refused where
ROOT is built without Clad, as its wheel is: RooFit would silently take `cpu` in its place). One thread.

Likelihoods agree with pyhf's up to a constant, so `twice_nll` is given relative to the initial point; where a sample
has negative bins ROOT sets them to 0 and the likelihood is another. RooFit offers no public Hessian: `HESSE` is
Minuit's numerical one, taken at the minimum.
"""

import json
import sys
import tempfile
from pathlib import Path


class Root:
    """A HistFactory model in ROOT."""

    def __init__(self, path: Path, tool: str):
        import ROOT

        ROOT.gErrorIgnoreLevel = ROOT.kFatal
        ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
        self.ROOT, self.backend = ROOT, tool.removeprefix("root-").removesuffix("-0")
        self.strategy = 1 if tool == "root-cpu" else 0
        spec = json.loads(path.read_text())
        with tempfile.TemporaryDirectory() as scratch:
            self.measurement = measurement(ROOT, spec, scratch + "/")
            factory = ROOT.RooStats.HistFactory.HistoToWorkspaceFactoryFast(self.measurement)
            self.workspace = factory.MakeCombinedModel(self.measurement)
        self.config, self.data = self.workspace.obj("ModelConfig"), self.workspace.data("obsData")
        self.observables = self.config.GetGlobalObservables()
        self.nll = self.make_nll(self.data)
        if self.backend == "codegen" and not self.nll.hasGradient():
            raise SystemExit("this ROOT is built without Clad")
        self.variables = self.nll.getVariables()
        self.variables.remove(self.observables, True, True)  # a toy's are not to be reset with the parameters
        self.start = self.variables.snapshot()
        self.nll_init = self.nll.getVal()

    def make_nll(self, data):
        """The negative log likelihood of a dataset."""
        fit = self.ROOT.RooFit
        options = fit.GlobalObservables(self.observables), fit.EvalBackend(self.backend), fit.Offset("initial")
        return self.config.GetPdf().createNLL(data, *options)

    def minimise(self, nll):
        """Migrad from the initial point; the minimiser, and what it returns (0 is success)."""
        self.variables.assign(self.start)
        minimiser = self.ROOT.RooMinimizer(nll)
        minimiser.setPrintLevel(-1)
        minimiser.setStrategy(self.strategy)
        return minimiser, minimiser.minimize("Minuit2", "migrad")

    def log_density(self):
        """One evaluation; the parameter of interest is moved, or RooFit would answer from its cache."""
        poi = self.config.GetParametersOfInterest().first()
        value, calls = poi.getVal(), iter(range(10**9))

        def call():
            poi.setVal(value * (1 + 1e-4 * (next(calls) % 2)))
            return self.nll.getVal()

        return call, lambda value: {"note": "one parameter moved"}

    def hessian(self):
        """Minuit's HESSE after a fit, which is not timed."""
        minimiser, _ = self.minimise(self.nll)
        return minimiser.hesse, lambda status: {"note": "HESSE, numeric", "converged": float(status == 0)}

    def fit(self):
        """The unconditional fit."""

        def call():
            return self.minimise(self.nll)

        def describe(answer) -> dict:
            below = 2 * (self.nll.getVal() - self.nll_init)
            return {"twice_nll_below_init": below, "converged": float(answer[1] == 0)}

        return call, describe

    def toys(self):
        """Main and auxiliary data drawn at the best fit, one free fit each; drawing is timed too."""
        self.minimise(self.nll)
        best, pdf, fit = self.variables.snapshot(), self.config.GetPdf(), self.ROOT.RooFit
        nominal = self.observables.snapshot()
        self.ROOT.RooRandom.randomGenerator().SetSeed(1)

        def throw(n_toys: int) -> dict:
            good = 0
            for _ in range(n_toys):
                self.variables.assign(best)
                globals_drawn = pdf.generateSimGlobal(self.observables, 1)  # held: its only row is read
                self.observables.assign(globals_drawn.get(0))
                toy = pdf.generate(self.config.GetObservables(), fit.Extended(True), fit.AllBinned())
                good += self.minimise(self.make_nll(toy))[1] == 0
                self.observables.assign(nominal)
            return {"n_toys": n_toys, "converged": good / n_toys}

        return throw


def measurement(ROOT, spec: dict, scratch: str):
    """The HistFactory measurement of a workspace's first measurement."""
    settings = {each["name"]: each for each in spec["measurements"][0]["config"].get("parameters", [])}
    made = ROOT.RooStats.HistFactory.Measurement("measurement", "measurement")
    made.SetOutputFilePrefix(scratch)
    made.SetPOI(spec["measurements"][0]["config"]["poi"])
    lumi = settings.get("lumi", {})
    nominal = lumi.get("auxdata", [1.0])[0]
    made.SetLumi(nominal)
    made.SetLumiRelErr(lumi.get("sigmas", [0.1 * nominal])[0] / nominal)
    kinds = {m["type"] for channel in spec["channels"] for sample in channel["samples"] for m in sample["modifiers"]}
    constant = {name for name, each in settings.items() if each.get("fixed")} | ({"lumi"} - kinds)
    for name in constant:
        made.AddConstantParam("Lumi" if name == "lumi" else name)
    observed = {each["name"]: each["data"] for each in spec["observations"]}
    for channel in spec["channels"]:
        made.AddChannel(root_channel(ROOT, channel, observed[channel["name"]], settings))
    return made


def histogram(ROOT, name: str, contents: list):
    """A histogram without uncertainties. HistFactory takes it over: Python must not delete it."""
    made = ROOT.TH1D(name, name, len(contents), 0, len(contents))
    made.SetDirectory(ROOT.nullptr)
    for i, content in enumerate(contents, start=1):
        made.SetBinContent(i, float(content))
        made.SetBinError(i, 0.0)
    ROOT.SetOwnership(made, False)
    return made


def root_channel(ROOT, channel: dict, observed: list, settings: dict):
    """One channel; staterror is pyhf's: Gaussian, without a threshold."""
    name = channel["name"]
    made = ROOT.RooStats.HistFactory.Channel(name)
    made.SetData(histogram(ROOT, f"data_{name}", observed))
    made.SetStatErrorConfig(0.0, "Gaussian")
    for sample in channel["samples"]:
        label = f"{name}_{sample['name']}"
        sample_made = ROOT.RooStats.HistFactory.Sample(sample["name"])
        sample_made.SetHisto(histogram(ROOT, label, sample["data"]))
        sample_made.SetNormalizeByTheory(False)
        for modifier in sample["modifiers"]:
            MODIFIERS[modifier["type"]](ROOT, sample_made, modifier, sample["data"], label, settings)
        made.AddSample(sample_made)
    return made


def relative(absolute: list, nominal: list) -> list:
    """Relative uncertainties, as ROOT wants them."""
    return [a / b if b else 0.0 for a, b in zip(absolute, nominal, strict=True)]


def normfactor(ROOT, sample, modifier, nominal, label, settings):
    """A free factor with its initial value and bounds."""
    setting = settings.get(modifier["name"], {})
    lower, upper = setting.get("bounds", [[0.0, 10.0]])[0]
    sample.AddNormFactor(modifier["name"], setting.get("inits", [1.0])[0], lower, upper)


def normsys(ROOT, sample, modifier, nominal, label, settings):
    """An OverallSys."""
    sample.AddOverallSys(modifier["name"], modifier["data"]["lo"], modifier["data"]["hi"])


def histosys(ROOT, sample, modifier, nominal, label, settings):
    """A HistoSys."""
    made = ROOT.RooStats.HistFactory.HistoSys()
    made.SetName(modifier["name"])
    label = f"{label}_{modifier['name']}"
    made.SetHistoLow(histogram(ROOT, f"{label}_lo", modifier["data"]["lo_data"]))
    made.SetHistoHigh(histogram(ROOT, f"{label}_hi", modifier["data"]["hi_data"]))
    sample.AddHistoSys(made)


def shapesys(ROOT, sample, modifier, nominal, label, settings):
    """A ShapeSys with Poisson constraints."""
    made = ROOT.RooStats.HistFactory.ShapeSys()
    made.SetName(modifier["name"])
    contents = relative(modifier["data"], nominal)
    made.SetErrorHist(histogram(ROOT, f"{label}_{modifier['name']}", contents))
    made.SetConstraintType(ROOT.RooStats.HistFactory.Constraint.Poisson)
    sample.AddShapeSys(made)


def staterror(ROOT, sample, modifier, nominal, label, settings):
    """The sample's part of the channel's StatError."""
    made = sample.GetStatError()
    made.Activate(True)
    made.SetUseHisto(True)
    made.SetErrorHist(histogram(ROOT, f"{label}_stat", relative(modifier["data"], nominal)))


def shapefactor(ROOT, sample, modifier, nominal, label, settings):
    """A ShapeFactor."""
    made = ROOT.RooStats.HistFactory.ShapeFactor()
    made.SetName(modifier["name"])
    sample.AddShapeFactor(made)


def lumi(ROOT, sample, modifier, nominal, label, settings):
    """The sample scales with the luminosity."""
    sample.SetNormalizeByTheory(True)


MODIFIERS = {each.__name__: each for each in (normfactor, normsys, histosys, shapesys, staterror, shapefactor, lumi)}

if __name__ == "__main__":
    sys.exit("run peers.py root-cpu, root-cpu-0 or root-codegen")
