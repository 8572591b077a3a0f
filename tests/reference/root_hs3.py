"""What ROOT makes of HS3 documents: log-likelihoods at given points.

With the Python of histjax, write the documents; then, with the Python of ROOT, evaluate each in a process of its own:

    python -m tests.reference.root_hs3 write FOLDER [WORKSPACE.json ...]
    python tests/reference/root_hs3.py evaluate FOLDER tests/reference/root_hs3.json

Documents are those of `tests/hs3/histfactory_documents.py`, and what `document_of` writes for workspaces of
`tests/workspaces.py` and for the ones that are named.
"""

import json
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

N_POINTS = 4


def write(folder: str, workspaces: list[str]) -> None:
    """Write all documents; files of documents of ours begin with `ours_`."""
    import histjax
    from histjax.hs3.histfactory import document_of
    from tests.hs3.histfactory_documents import DOCUMENTS
    from tests.hs3.written_workspaces import WORKSPACES

    ours = {f"ours_{name}": each for name, each in WORKSPACES.items()}
    ours |= {f"ours_{Path(path).stem}": path for path in workspaces}
    documents = DOCUMENTS | {name: document_of(histjax.read(each)) for name, each in ours.items()}
    for name, document in documents.items():
        Path(folder, f"{name}.json").write_text(json.dumps(document))


def displaced(variable, point: int, index: int) -> float:
    """Another value of a parameter at each point, the first being the nominal one."""
    if not point:
        return variable.getVal()
    shift = math.sin(1.7 * point + 2.3 * index)
    name, value = variable.GetName(), variable.getVal()
    return value + shift * (1.6 if name.startswith("alpha_") else 0.08)


def combined(root, workspace, config, document: dict):
    """The data of all channels in one set: only documents with notes for ROOT bring it."""
    data, pdf = workspace.data("obsData"), config.GetPdf()
    if data:
        return data
    for each in workspace.allPdfs():
        if each.ClassName() == "RooRealSumPdf":
            each.setAttribute("BinnedLikelihood")
    likelihood = document["likelihoods"][0]
    names = dict(zip(likelihood["distributions"], likelihood["data"], strict=True))
    if pdf.ClassName() != "RooSimultaneous":
        return workspace.data(names[pdf.GetName()])
    index, observables, parts = pdf.indexCat(), root.RooArgSet(), {}
    for label, _ in [(each.first, each.second) for each in index]:
        parts[str(label)] = workspace.data(names[pdf.getPdf(label).GetName()])
        for variable in parts[str(label)].get():
            observables.add(variable)
    weight = root.RooRealVar("__weight", "", 1)
    full = root.RooArgSet(observables)
    full.add(index)
    full.add(weight)
    result = root.RooDataSet("combined", "", full, root.RooFit.WeightVar(weight))
    for label, part in parts.items():
        for entry in range(part.numEntries()):
            observables.assign(part.get(entry))
            index.setLabel(label)
            result.add(full, part.weight())
    workspace.kept = weight, full, observables
    return result


def evaluate(path: str) -> dict:
    """The points and the negative log-likelihood at each."""
    warnings.simplefilter("ignore")  # the wheel warns that it is new
    import ROOT

    ROOT.gErrorIgnoreLevel = ROOT.kError
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    document = json.loads(Path(path).read_text())
    workspace = ROOT.RooWorkspace("workspace")
    ROOT.RooJSONFactoryWSTool(workspace).importJSON(path)
    config = next(each for each in workspace.allGenericObjects() if each.InheritsFrom("RooStats::ModelConfig"))
    data = combined(ROOT, workspace, config, document)
    observables = config.GetGlobalObservables()
    nll = config.GetPdf().createNLL(data, *([ROOT.RooFit.GlobalObservables(observables)] if observables else []))
    skipped = {axis["name"] for each in document["distributions"] for axis in each.get("axes", ())}
    free = [
        each
        for each in sorted(workspace.allVars(), key=lambda each: each.GetName())
        if not each.isConstant() and not each.GetName().startswith(("nom", "_")) and each.GetName() not in skipped
    ]
    nominal, points = [each.getVal() for each in free], []
    for point in range(N_POINTS):
        for each, value in zip(free, nominal, strict=True):
            each.setVal(value)
        for index, each in enumerate(free):
            each.setVal(displaced(each, point, index))
        points.append({"parameters": {each.GetName(): each.getVal() for each in free}, "nll": nll.getVal()})
    return {"ROOT": ROOT.__version__, "points": points}


def main() -> None:
    command, folder, *rest = sys.argv[1:]
    if command == "write":
        write(folder, rest)
    elif command == "one":
        Path(rest[0]).write_text(json.dumps(evaluate(folder)))
        sys.stdout.flush()
        os._exit(0)  # ROOT deletes things twice at its end
    else:
        results = {}
        for path in sorted(Path(folder).glob("*.json")):
            output = path.with_suffix(".nll")
            subprocess.run([sys.executable, __file__, "one", str(path), str(output)], check=True)
            results[path.stem] = json.loads(output.read_text())
        version = {each.pop("ROOT") for each in results.values()}.pop()
        Path(rest[0]).write_text(json.dumps({"ROOT": version, "documents": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
