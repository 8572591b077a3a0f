"""What ROOT makes of HS3 documents: -ln L at given points. Run by hand with the Python of ROOT, from the repository:

    PYTHONPATH=. python tests/reference/root_hs3_densities.py tests/reference/root_hs3_densities.json

The documents are those of `tests/hs3/root_documents.py`. They are imported by `RooJSONFactoryWSTool`; -ln L is that of
`ModelConfig::createNLL`, as ROOT makes it by default.
"""

import json
import os
import sys
import warnings

from tests.hs3.root_documents import CASES, physics


def evaluated(root, case) -> list[float]:
    """-ln L at each point."""
    workspace = imported(root, case.document, case.slug)
    config = next(each for each in workspace.allGenericObjects() if each.InheritsFrom("RooStats::ModelConfig"))
    nll = config.createNLL(observed(root, workspace, config, case.document))
    values = []
    for point in case.points:
        for name, value in point.items():
            workspace.var(name).setVal(value)
            if workspace.var(name).getVal() != value:
                raise SystemExit(f"{case.slug}: {name} = {value} is outside of its range")
        values.append(nll.getVal())
    return values


def observed(root, workspace, config, document: dict):
    """The data; those of several channels combined."""
    names = [each["name"] for each in document["data"]]
    if len(names) == 1:
        return workspace.data(names[0])
    simultaneous = config.GetPdf()
    category = simultaneous.indexCat()
    channels = document["likelihoods"][0]["distributions"]
    parts = {}
    for label, _ in category.states():
        pdf = simultaneous.getPdf(label).GetName()
        parts[str(label)] = workspace.data(names[channels.index(str(pdf))])
    axes = root.RooArgSet(*[workspace.var(each["name"]) for datum in document["data"] for each in datum["axes"]])
    return root.RooDataSet("all", "all", axes, Index=category, Import=parts)


def imported(root, document: dict, name: str):
    """The workspace of a document."""
    workspace = root.RooWorkspace(name)
    tool = root.RooJSONFactoryWSTool(workspace)
    if not tool.importJSONfromString(json.dumps(document)):
        raise SystemExit(f"{name}: ROOT does not import it")
    return workspace


def tutorial(root) -> dict:
    """Densities of the tutorial's document, and -ln L of its binned data under each of them."""
    workspace = imported(root, physics(), "physics")
    observables = root.RooArgSet(workspace.var("mass"))
    found = {}
    for name in ("signal", "background"):
        pdf, densities = workspace.pdf(name), []
        for mass in (110.0, 121.5, 125.0, 139.0):
            workspace.var("mass").setVal(mass)
            densities.append(pdf.getVal(observables))
        data = workspace.data("observed_mass_spectrum")
        found[name] = {"mass": [110.0, 121.5, 125.0, 139.0], "pdf": densities, "nll": pdf.createNLL(data).getVal()}
    return found


def main() -> None:
    warnings.simplefilter("ignore")  # the wheel warns that it is new
    import ROOT

    ROOT.gErrorIgnoreLevel = ROOT.kError
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    chosen = [case for case in CASES if len(sys.argv) < 3 or case.slug in sys.argv[2:]]
    results = {}
    for case in chosen:
        print(case.slug, flush=True)
        results[case.slug] = evaluated(ROOT, case)
    command = "PYTHONPATH=. python tests/reference/root_hs3_densities.py tests/reference/root_hs3_densities.json"
    with open(sys.argv[1], "w") as file:
        said = {"ROOT": ROOT.__version__, "command": command, "nll": results, "tutorial": tutorial(ROOT)}
        json.dump(said, file, indent=1)
        file.write("\n")
    sys.stdout.flush()
    os._exit(0)  # ROOT deletes things twice at its end


if __name__ == "__main__":
    main()
