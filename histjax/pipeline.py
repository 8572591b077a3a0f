"""READ THIS FIRST: the way from a document to a model, on one page.

    text --readers--> document --spec--> Workspace --lower--> Layout + Templates --derive--> Model

`read` ends at the checked `Workspace`, `compile` at the `Model`. What comes after (fits, tests, limits) are functions
of a model and a dataset, in `histjax.fitting` and `histjax.inference`.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp

from histjax._typing import float_dtype
from histjax.caching import warn_of_many_programs
from histjax.errors import DocumentWarning
from histjax.lower.lowering import lower
from histjax.model.functions import FactorFunction
from histjax.model.histfactory import Model
from histjax.model.interpolation import ADDITIVE, PIECEWISE, code4, code4p
from histjax.readers import apply_patch, load_json, read_workspace
from histjax.spec import Workspace
from histjax.spec.constraints import Constraint
from histjax.spec.functions import Factor, NewParameter


def read(source, *, patches: Sequence = ()) -> Workspace:
    """Read and check a HistFactory workspace in pyhf's JSON format.

    **Arguments:**

    - `source`: a path, `"-"` for standard input, an open file, or a document that is already parsed (a `dict`).
    - `patches`: JSON Patches (paths, files or lists of operations), applied to the document one after the other.

    **Returns:** a frozen `Workspace`.

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
    workspace, doubts = read_workspace(document, name)
    for doubt in doubts:
        warnings.warn(f"{name}: {doubt}", DocumentWarning, stacklevel=2)
    return workspace


def compile(  # the stage's name in the design; the built-in is not used here
    workspace: Workspace,
    *,
    measurement: str | None = None,
    normsys: Callable = code4,
    histosys: Callable = code4p,
    interpolation: Mapping[str, Callable] | None = None,
    constraints: Mapping[str | tuple[str, ...], Constraint] | None = None,
    factors: Sequence[Factor] = (),
    parameters: Mapping[str, NewParameter] | None = None,
    float_negative_staterror: bool = False,
    clip_sample_data: float | None = None,
    clip_bin_data: float | None = None,
) -> Model:
    """Compile a workspace to a `Model`.

    **Arguments:**

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

    **Returns:** a frozen pytree; equal structure and sizes share compiled code, whatever the numbers.

    **Raises:** `UnknownName` for a name that is not there, `InvalidModel`.

    A signal with interference, scaled by a coefficient c and its square:

    >>> import histjax
    >>> signal = histjax.Factor(lambda c: 0.5 * c + 0.25 * c**2, ("c",), samples=["signal"])
    >>> workspace = histjax.read(histjax.examples.path("two_bins"))
    >>> model = histjax.compile(workspace, factors=[signal], parameters={"c": histjax.NewParameter(init=2.0)})
    >>> print(model.expected_yields(model.init)["singlechannel"])
    [74. 74.]
    """
    warn_of_many_programs()
    layout, templates, tables, actions = lower(
        workspace,
        workspace.measurement(measurement),
        normsys=normsys,
        histosys=histosys,
        additive=ADDITIVE,
        piecewise=PIECEWISE,
        interpolation=interpolation or {},
        constraints=constraints or {},
        factors=factors,
        new_parameters=parameters or {},
        float_negative_staterror=float_negative_staterror,
        clip_sample_data=clip_sample_data,
        clip_bin_data=clip_bin_data,
    )
    dtype = float_dtype()
    templates = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype if leaf.dtype.kind == "f" else leaf.dtype), templates)
    functions = tuple(FactorFunction.of(each.function, *action) for each, action in zip(factors, actions, strict=True))
    return Model.from_templates(layout, templates, jax.tree.map(jnp.asarray, tables), functions)
