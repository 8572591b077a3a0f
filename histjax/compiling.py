"""From a checked workspace to a HistFactory model: lowered to structure and arrays, then derived."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp

from histjax._typing import float_dtype
from histjax.caching import warn_of_many_programs
from histjax.lower.lowering import lower
from histjax.model.functions import FactorFunction
from histjax.model.histfactory import Model
from histjax.model.interpolation import ADDITIVE, PIECEWISE, code4, code4p
from histjax.spec import Workspace
from histjax.spec.constraints import Constraint
from histjax.spec.functions import Factor, NewParameter


def compile_workspace(
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
    """The model of a workspace; the arguments are those of `histjax.compile`."""
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
