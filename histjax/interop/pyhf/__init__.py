"""pyhf's interface to models, fits and tests of histjax: a script changes its import and runs.

    import histjax.interop.pyhf as pyhf

    model = pyhf.simplemodels.uncorrelated_background(signal=[12.0, 11.0], bkg=[50.0, 52.0], bkg_uncertainty=[3.0, 7.0])
    CLs, expected = pyhf.infer.hypotest(1.0, [51, 48] + model.config.auxdata, model, return_expected_set=True)

pyhf itself is not needed. A live model of pyhf is translated by `from_pyhf`. Signatures, shapes and the order of what
is returned are those of pyhf 0.7.6; values are those of certified fits. What is different on purpose:

- Test statistics are what their definitions say; bounds of the parameter of interest do not change them.
- A model is a value (no `set_poi`), and toys need `key` or `seed`.
- Without a `scan`, `upper_limit` finds limits beyond the bounds, and heeds `level`.
- `set_backend` changes nothing, and options of optimisers do not either.
- `validate=False` is ignored: what is read is checked.
- `readxml.parse` reads what ROOT reads, and says what the document leaves out; `writexml.writexml` writes statistical
  uncertainties as errors of the nominal histograms. Their helpers (`process_...`, `build_...`) are not here.
- A folder of schemas of one's own is for `schema.validate`; workspaces and models are those of version 1.0.0.
- A join that drops something says what, in a warning.

Exceptions are those of `histjax.errors`; `exceptions` has them under pyhf's names, for `except` clauses:

| pyhf | histjax |
|---|---|
| `FailedMinimization` | `FailedFit` |
| `UnspecifiedPOI` | `MissingPOI` |
| `InvalidSpecification` | `InvalidDocument`, `InvalidPatch`; `InvalidOperation` where nothing would be left |
| `InvalidNameReuse` | `InvalidDocument` |
| `InvalidModel`, `InvalidModifier` | `InvalidDocument` for what reading finds, otherwise `InvalidModel`, `MissingPOI` |
| `InvalidPdfParameters`, `InvalidPdfData`, `ValueError` for a start outside its bounds | `InvalidModel` |
| `InvalidMeasurement`, `InvalidPatchLookup`, `InvalidTestStatistic`, `InvalidInterpCode`, `KeyError` | `UnknownName` |
| `InvalidWorkspaceOperation` | `InvalidOperation`, `InvalidDocument`, `UnknownName` |
| `InvalidPatchSet`, `PatchSetVerificationError` | `InvalidPatch` |
| `SchemaNotFound` | `schema.SchemaNotFound` |
| `ValueError` for an unknown join, `RuntimeError`, `KeyError` of XML | `InvalidOperation`; `InvalidDocument` |
| `Unsupported` | `InvalidModel`, `UnknownName` |
"""

from histjax.interop.pyhf import exceptions as exceptions
from histjax.interop.pyhf import infer as infer
from histjax.interop.pyhf import readxml as readxml
from histjax.interop.pyhf import schema as schema
from histjax.interop.pyhf import simplemodels as simplemodels
from histjax.interop.pyhf import tensorlib as tensorlib
from histjax.interop.pyhf import utils as utils
from histjax.interop.pyhf import writexml as writexml
from histjax.interop.pyhf.backends import get_backend as get_backend
from histjax.interop.pyhf.backends import set_backend as set_backend
from histjax.interop.pyhf.live import from_pyhf as from_pyhf
from histjax.interop.pyhf.patchset import PatchSet as PatchSet
from histjax.interop.pyhf.pdf import Model as Model
from histjax.interop.pyhf.workspace import Workspace as Workspace
