"""What PyHS3 makes of HS3 documents: -ln L at given points. Run by hand with the Python of PyHS3, from the repository:

    PYTHONPATH=. python tests/reference/pyhs3_densities.py tests/reference/pyhs3.json

The documents are those of `tests/hs3/root_documents.py` that PyHS3 reads and is right about; with `--all` all others
too, to see what it says of them.
"""

import argparse
import json
import warnings
from importlib.metadata import version

from tests.hs3.root_documents import CASES


def evaluated(case) -> list[float]:
    """-ln L at each point."""
    import numpy as np
    import pyhs3
    import pytensor
    from pytensor.graph.traversal import explicit_graph_inputs

    workspace = pyhs3.Workspace(**case.document)
    model = workspace.model(workspace.analyses[0], progress=False)
    inputs = sorted(explicit_graph_inputs([model.log_prob]), key=lambda each: each.name)
    function = pytensor.function(inputs, model.log_prob, mode="FAST_COMPILE")
    values = []
    for point in case.points:
        given = model.data | model.free_params | point
        found = [np.asarray(given[each.name], float) for each in inputs]
        found = [
            x.reshape((1,) * each.ndim) if x.ndim < each.ndim else x for x, each in zip(found, inputs, strict=True)
        ]
        values.append(-float(np.squeeze(function(*found))))
    return values


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("output")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results, errors = {}, {}
    for case in CASES:
        if not (case.pyhs3 or options.all):
            continue
        try:
            results[case.slug] = evaluated(case)
        except Exception as error:
            if not options.all:
                raise
            errors[case.slug] = f"{type(error).__name__}: {error}"[:200]
        print(case.slug, results.get(case.slug, errors.get(case.slug)), flush=True)
    command = "PYTHONPATH=. python tests/reference/pyhs3_densities.py tests/reference/pyhs3.json"
    with open(options.output, "w") as file:
        json.dump({"pyhs3": version("pyhs3"), "command": command, "nll": results}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
