"""What ROOT makes of HistFactory XML: log-likelihoods at given points. Run by hand with the Python of ROOT:

    python tests/reference/root_xml.py OUTPUT.json NAME=ROOT_DIRECTORY:COMBINATION.xml ...

The cases of our own are written by `python -m tests.readers.xml.cases FOLDER` and are called by their names, with
`top.xml`, published models that we wrote `written/MODEL`; XML of the corpus is called `corpus/MODEL/PATH`, with the
root directory `MODEL`. The numbers come with the version of ROOT and the command.

The wheels of ROOT come without its XML parser (`RooStats::HistFactory::ConfigParser`), so the elements are handed to
ROOT's own `Measurement`, `Channel`, `Sample`, ... one by one, with the defaults of that parser; reading the histograms
and building the model is ROOT's work.
"""

import json
import math
import os
import sys
import warnings
import xml.etree.ElementTree as ElementTree

N_POINTS = 4


def true(text: str) -> bool:
    return {"True": True, "true": True, "False": False, "false": False}[text]


class Parser:
    """`ConfigParser` in Python, for one Combination."""

    def __init__(self, root):
        self.root, self.factory, self.kept = root, root.RooStats.HistFactory, []

    def measurements(self, path: str):
        """The measurements of a file; paths are relative to the working directory."""
        top = ElementTree.parse(path).getroot()
        for node in top.findall("Measurement"):
            measurement = self.measurement(node)
            for function in top.findall("Function"):
                given = (function.get(name) for name in ("Name", "Expression", "Dependents"))
                measurement.AddFunctionObject(self.factory.PreprocessFunction(*given))
            for each in top.findall("Input"):
                measurement.AddChannel(self.channel(ElementTree.parse(each.text.strip()).getroot()))
            yield measurement

    def measurement(self, node):
        made = self.factory.Measurement(node.get("Name"), node.get("Name"))
        made.SetLumi(float(node.get("Lumi", 1.0)))
        made.SetLumiRelErr(float(node.get("LumiRelErr", 0.1)))
        for child in node:
            names = (child.text or "").split()
            for name in names:
                if child.tag == "POI":
                    made.AddPOI(name)
                elif child.tag == "ParamSetting":
                    if child.get("Const") == "True":
                        made.AddConstantParam(name)
                    if child.get("Val") is not None:
                        made.SetParamValue(name, float(child.get("Val")))
                elif child.tag == "ConstraintTerm":
                    self.constraint(made, child.get("Type"), name, float(child.get("RelativeUncertainty", 0)))
        return made

    def constraint(self, made, kind: str, name: str, relative: float) -> None:
        if kind == "NoConstraint":
            made.AddNoSyst(name)
        elif relative:
            getattr(made, {"Gamma": "AddGammaSyst", "LogNormal": "AddLogNormSyst", "Uniform": "AddUniformSyst"}[kind])(
                name, *(() if kind == "Uniform" else (relative,))
            )

    def channel(self, node):
        made = self.factory.Channel(node.get("Name"))
        file, path = node.get("InputFile", ""), node.get("HistoPath", "")
        made.SetInputFile(file)
        made.SetHistoPath(path)
        data, config = node.find("Data"), node.find("StatErrorConfig")
        if data is not None:
            made.SetData(data.get("HistoName"), data.get("InputFile", file), data.get("HistoPath", path))
        if config is not None:
            kind = config.get("ConstraintType", "Poisson")
            made.SetStatErrorConfig(float(config.get("RelErrorThreshold", 0.05)), kind)
        for sample in node.findall("Sample"):
            made.AddSample(self.sample(sample, node.get("Name"), file, path))
        return made

    def sample(self, node, channel: str, file: str, path: str):
        file, path = node.get("InputFile", file), node.get("HistoPath", path)
        made = self.factory.Sample(node.get("Name"), node.get("HistoName"), file, path)
        made.SetChannelName(channel)
        made.SetNormalizeByTheory(true(node.get("NormalizeByTheory", "True")))
        for child in node:
            getattr(self, child.tag)(made, child, file, path)
        return made

    def NormFactor(self, made, node, file: str, path: str) -> None:
        made.AddNormFactor(node.get("Name"), *(float(node.get(each)) for each in ("Val", "Low", "High")))

    def OverallSys(self, made, node, file: str, path: str) -> None:
        made.AddOverallSys(node.get("Name"), float(node.get("Low")), float(node.get("High")))

    def HistoSys(self, made, node, file: str, path: str) -> None:
        ends = (
            (node.get(f"HistoName{end}"), node.get(f"HistoFile{end}", file), node.get(f"HistoPath{end}", path))
            for end in ("Low", "High")
        )
        made.AddHistoSys(node.get("Name"), *(each for end in ends for each in end))

    def ShapeSys(self, made, node, file: str, path: str) -> None:
        kind = {"Gaussian": "Gaussian", "Gauss": "Gaussian", "Poisson": "Poisson", "Pois": "Poisson"}
        shape = self.factory.ShapeSys()
        shape.SetName(node.get("Name"))
        shape.SetConstraintType(getattr(self.factory.Constraint, kind[node.get("ConstraintType", "Gaussian")]))
        shape.SetHistoName(node.get("HistoName"))
        shape.SetInputFile(node.get("InputFile", file))
        shape.SetHistoPath(node.get("HistoPath", path))
        made.AddShapeSys(shape)

    def ShapeFactor(self, made, node, file: str, path: str) -> None:
        shape = self.factory.ShapeFactor()
        shape.SetName(node.get("Name"))
        made.AddShapeFactor(shape)

    def StatError(self, made, node, file: str, path: str) -> None:
        error = made.GetStatError()
        error.Activate(true(node.get("Activate")))
        if node.get("HistoName"):
            error.SetUseHisto(True)
            error.SetHistoName(node.get("HistoName"))
            error.SetInputFile(node.get("InputFile", file))
            error.SetHistoPath(node.get("HistoPath", path))


def displaced(variable, point: int, index: int) -> float:
    """Another value for a parameter at each point, the first point being the nominal one."""
    shift = math.sin(1.7 * point + 2.3 * index) if point else 0.0
    value = variable.getVal()
    room = min(variable.getMax() - value, value - variable.getMin())
    return value + 0.8 * shift * min(room, 1.0 if variable.GetName().startswith("alpha_") else 0.3)


def acts(variable, config) -> bool:
    """Whether the expected counts depend on a parameter: gammas of empty bins do not."""
    pdf, observables, value = config.GetPdf(), config.GetObservables(), variable.getVal()
    nominal = pdf.expectedEvents(observables)
    variable.setVal(value + 0.1 * (variable.getMax() - value))
    changed = pdf.expectedEvents(observables)
    variable.setVal(value)
    return nominal != changed


def evaluated(root, measurement) -> dict:
    """The points, the negative log-likelihood at each, what is constant, and the constraint terms."""
    measurement.CollectHistograms()
    workspace = root.RooStats.HistFactory.HistoToWorkspaceFactoryFast(measurement).MakeCombinedModel(measurement)
    config, data = workspace.obj("ModelConfig"), workspace.data("obsData")
    # constraint terms are normalised over the parameters: over the global observables, whose ranges ROOT cuts off, the
    # normalisation would depend on the parameters
    nll = config.GetPdf().createNLL(data, root.RooFit.Constrain(config.GetNuisanceParameters()))
    fixed_too = {*map(str, (v.GetName() for v in config.GetPdf().getVariables()))}
    observed = {v.GetName() for v in [*config.GetGlobalObservables(), *config.GetObservables()]}
    parameters = [
        v
        for v in sorted(workspace.allVars(), key=lambda v: v.GetName())
        if (v.GetName() in fixed_too - observed and v.GetName().startswith(("alpha_", "beta_", "gamma_", "Lumi")))
        or v.GetName() in {each.GetName() for each in config.GetParametersOfInterest()}
    ]
    free = [v for v in parameters if not v.isConstant() and acts(v, config)]
    nominal = {v.GetName(): v.getVal() for v in free}
    points = []
    for point in range(N_POINTS):
        for v in free:
            v.setVal(nominal[v.GetName()])
        for index, v in enumerate(free):
            v.setVal(displaced(v, point, index))
        points.append({"parameters": {v.GetName(): v.getVal() for v in free}, "nll": nll.getVal()})
    return {
        "poi": [v.GetName() for v in config.GetParametersOfInterest()],
        "constant": {v.GetName(): v.getVal() for v in parameters if v.isConstant()},
        "points": points,
    }


def main() -> None:
    warnings.simplefilter("ignore")  # the wheel warns that it is new
    import ROOT

    ROOT.gErrorIgnoreLevel = ROOT.kError
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    output, results, here = os.path.abspath(sys.argv[1]), {}, os.getcwd()
    for argument in sys.argv[2:]:
        name, _, place = argument.partition("=")
        directory, _, path = place.rpartition(":")
        os.chdir(directory)
        parser = Parser(ROOT)
        results[name] = {str(each.GetName()): evaluated(ROOT, each) for each in parser.measurements(path)}
        os.chdir(here)
    with open(output, "w") as file:
        command = " ".join(["python tests/reference/root_xml.py OUTPUT.json", *sys.argv[2:]])
        json.dump({"ROOT": ROOT.__version__, "command": command, "models": results}, file)
        file.write("\n")
    sys.stdout.flush()
    os._exit(0)  # ROOT deletes things twice at its end


if __name__ == "__main__":
    main()
