"""Flat lists in pyhf's order: parameters, data, and the settings of a fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import float_dtype, is_traced
from histjax.errors import InvalidModel, UnknownName
from histjax.inference.poi import poi_name
from histjax.model.histfactory import Model


def flat(values, size: int, what: str, dtype=None):
    """A flat vector of `size` numbers as a JAX array, put together on the host unless a value is traced.

    **Raises:** `InvalidModel` where `values` (called `what` in the message) are no numbers, or not so many.
    """
    xp = jnp if is_traced(values) else np
    try:
        vector = xp.asarray(values, float_dtype() if dtype is None else dtype)
    except (TypeError, ValueError) as error:
        raise InvalidModel(f"{what}: expected {size} numbers, found {values!r}") from error
    if vector.shape != (size,):
        raise InvalidModel(f"{what}: expected {size} numbers, found an array of shape {vector.shape}")
    return jax.device_put(vector)


def number(value):
    """A single number of whatever shape, as a number of Python unless it is traced."""
    return jnp.reshape(value, ()) if is_traced(value) else float(np.reshape(value, ()))


def shown(value, shape: tuple[int, ...] | None = None):
    """What the functions return: NumPy arrays, and JAX arrays inside a trace; of another `shape` on request."""
    xp = jnp if is_traced(value) else np
    value = xp.asarray(value)
    return value if shape is None else value.reshape(shape)


def likelihood_of(pdf) -> Model:
    """The compiled model of a `Model` of this package; raises `InvalidModel` for anything else."""
    likelihood = getattr(pdf, "likelihood", None)
    if not isinstance(likelihood, Model):
        raise InvalidModel(
            f"expected a model of histjax.interop.pyhf, found {type(pdf).__name__}; "
            "a model of pyhf is translated by histjax.interop.pyhf.from_pyhf(model)"
        )
    return likelihood


def data_of(pdf, data):
    """The flat dataset: main counts in the order of `config.channels`, then auxiliary data."""
    config = pdf.config
    size = config.nmaindata + config.nauxdata
    return flat(data, size, f"data ({config.nmaindata} bins, then {config.nauxdata} auxiliary data)")


def settled(pdf, init_pars=None, par_bounds=None, fixed_params=None) -> Model:
    """The compiled model with other starting values, bounds and held components, in pyhf's order.

    `None` is the model's own setting. Numbers of a model are arguments of its programs: nothing is compiled again. A
    component that a rule on empty bins holds stays held.

    **Raises:** `InvalidModel` for wrong lengths, crossed bounds, or a start outside the bounds.
    """
    model = likelihood_of(pdf)
    names, size = model.parameters.component_names, len(model.parameters.component_names)
    kept = model.templates
    init = kept.init if init_pars is None else flat(init_pars, size, "init_pars")
    lower, upper = (kept.lower, kept.upper) if par_bounds is None else _bounds(par_bounds, size)
    fixed = kept.fixed if fixed_params is None else flat(fixed_params, size, "fixed_params", bool)
    if not is_traced(init, lower, upper):
        _check(names, *(np.asarray(each) for each in (init, lower, upper)))
    if init_pars is par_bounds is fixed_params is None:
        return model
    return eqx.tree_at(
        lambda model: [getattr(model.templates, name) for name in ("init", "lower", "upper", "fixed")],
        model,
        [jnp.asarray(each) for each in (init, lower, upper, fixed)],
    )


def _bounds(par_bounds, size: int):
    if len(par_bounds) != size or any(len(pair) != 2 for pair in par_bounds):
        raise InvalidModel(f"par_bounds: expected {size} pairs (lower, upper), found {par_bounds!r}")
    return tuple(flat([pair[i] for pair in par_bounds], size, "par_bounds") for i in range(2))


def _check(names: tuple[str, ...], init, lower, upper) -> None:
    for name, value, low, high in zip(names, init, lower, upper, strict=True):
        if low > high:
            raise InvalidModel(f"par_bounds: the lower bound {low} of {name!r} is above its upper bound {high}")
        if not low <= value <= high:
            raise InvalidModel(
                f"the fit would start at {name} = {value}, outside of its bounds [{low}, {high}]; "
                "give another start (init_pars) or wider bounds (par_bounds)"
            )


def poi_of(pdf, model: Model) -> str:
    """Name of the parameter of interest; raises `MissingPOI` where there is none, `InvalidModel` where it is held."""
    name = poi_name(likelihood_of(pdf), pdf.config.poi_name)
    fixed = model.templates.fixed
    if not is_traced(fixed) and bool(np.asarray(fixed)[model.parameters.place(name)]):
        raise InvalidModel(f"the parameter of interest {name!r} is held fixed: a test needs it free (fixed_params)")
    return name


OPTIMISER_OPTIONS = ("do_grad", "do_stitch", "maxiter", "method", "solver_options", "strategy", "tolerance", "verbose")
"""Options of pyhf's optimisers. They are accepted and change nothing: every fit is certified to an EDM below 1e-8."""


def refuse_unknown(options: dict) -> None:
    """Raise `UnknownName` for an option that pyhf's optimisers do not have either."""
    for name in options:
        if name not in OPTIMISER_OPTIONS:
            raise UnknownName("option of a fit", name, OPTIMISER_OPTIONS)
