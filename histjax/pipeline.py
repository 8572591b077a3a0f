"""READ THIS FIRST: the way from a document to a model, on one page.

    text --readers--> document --spec--> Workspace --lower--> Layout + Templates --derive--> Model
                              --hs3--> hs3.Workspace --graph--> HS3Likelihood, or a Model

`read` ends at the checked workspace, `compile` at the model. What comes after (fits, tests, limits) are functions
of a model and a dataset, in `histjax.fitting` and `histjax.inference`.
"""

import warnings
from collections.abc import Sequence

import histjax.hs3 as hs3
from histjax.compiling import compile_workspace
from histjax.errors import DocumentWarning
from histjax.hs3.compiling import compile_document
from histjax.model.histfactory import Model
from histjax.readers import apply_patch, is_hs3, load_json, read_workspace
from histjax.spec import Workspace


def read(source, *, patches: Sequence = ()) -> Workspace | hs3.Workspace:
    """Read and check a workspace in pyhf's JSON format, or an HS3 document.

    **Arguments:**

    - `source`: a path, `"-"` for standard input, an open file, or a document that is already parsed (a `dict`).
    - `patches`: JSON Patches (paths, files or lists of operations), applied to the document one after the other.

    **Returns:** a frozen `Workspace`, or an `histjax.hs3.Workspace` where the document is one of HS3.

    **Raises:** `histjax.errors.InvalidDocument` listing *all* problems with their JSON paths; `InvalidPatch`. What is
    doubtful but usable is a `DocumentWarning`.

    >>> import histjax
    >>> read(histjax.examples.path("two_bins")).channels[0].name
    'singlechannel'
    """
    document, name = load_json(source)
    for patch in patches:
        operations, patch_name = load_json(patch)
        document = apply_patch(document, operations, patch_name)
    if is_hs3(document):
        return hs3.Workspace.from_document(document, name)
    workspace, doubts = read_workspace(document, name)
    for doubt in doubts:
        warnings.warn(f"{name}: {doubt}", DocumentWarning, stacklevel=2)
    return workspace


def compile(workspace: Workspace | hs3.Workspace, **arguments) -> Model | hs3.HS3Likelihood:
    """Compile a workspace to a model, or an HS3 document to a likelihood. (The built-in `compile` is not used here.)

    **Arguments** for a HistFactory `Workspace`:

    - `measurement`: name of the measurement; the first one by default.
    - `normsys`, `histosys`: interpolation codes, functions of `histjax.interpolation`; pyhf's defaults.
    - `interpolation`: codes for single parameters by name, e.g. `{"jes": code0}`.
    - `constraints`: constraint terms in place of those that HistFactory implies, values of `histjax.constraints` by
      parameter name; a tuple of names for a `MultivariateNormal`: `{("jes", "jer"): MultivariateNormal(covariance)}`.
    - `factors`: modifiers that are JAX functions of named parameters (`histjax.Factor`); `parameters`: the parameters
      that they need and the workspace does not have, `{"c": histjax.NewParameter(init=0.0)}`.
    - `float_negative_staterror`: let a staterror component float whose samples sum to a negative yield, with width
      sqrt(sum u^2) / |sum b|; by default it is held at 1, as in pyhf.
    - `clip_sample_data`, `clip_bin_data`: floor on the expected yield of every sample or bin; none by default, as in
      pyhf.

    **Arguments** for an `hs3.Workspace`:

    - `analysis`: its name; the first one by default, or the first likelihood where there is none.
    - `likelihood`, `domain`, `parameter_point`: names of what is taken in place of what the analysis says.
    - `poi`: parameter of interest; the first of the analysis by default.
    - `binned`: binned data of a continuous density are compared with its integrals over the bins (`"integrals"`), or
      counted as so many events in the middle of each (`"centres"`, ROOT's way).
    - `options`: what a document means by its words where writers differ (`hs3.Options`).

    **Returns:** a frozen pytree; equal structure and sizes share compiled code, whatever the numbers. An HS3 likelihood
    of HistFactory channels alone is a `Model`, too.

    **Raises:** `UnknownName` for a name that is not there, `InvalidModel`, `InvalidDocument`.

    A signal with interference, scaled by a coefficient c and its square:

    >>> import histjax
    >>> signal = histjax.Factor(lambda c: 0.5 * c + 0.25 * c**2, ("c",), samples=["signal"])
    >>> workspace = histjax.read(histjax.examples.path("two_bins"))
    >>> model = histjax.compile(workspace, factors=[signal], parameters={"c": histjax.NewParameter(init=2.0)})
    >>> print(model.expected_yields(model.init)["singlechannel"])
    [74. 74.]
    """
    return (compile_document if isinstance(workspace, hs3.Workspace) else compile_workspace)(workspace, **arguments)
