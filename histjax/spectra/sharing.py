"""Which parameters are the same one: links between those that the models declare."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from histjax._typing import float_dtype, is_traced, on_host
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import ParameterSet
from histjax.model.parameters import Parameters
from histjax.spectra.models import SpectralModel

Links = tuple[tuple[str, str], ...]
"""Pairs `(name, of which parameter it is)`; the second one of a pair is never the first of another."""


def declared_parameters(models: Mapping[str, SpectralModel]) -> Parameters:
    """Every parameter of every model, `spectrum.parameter`, in the order of the spectra."""
    found = {f"{name}.{each}": value for name, model in models.items() for each, value in model.parameters.items()}
    # the likelihood is no convex function of them, so that the minimiser looks for more than one minimum
    sets = tuple(ParameterSet(name, i, 1, True, "none", ("function",)) for i, name in enumerate(found))
    init, lower, upper = (
        jnp.asarray(np.array(column, float), float_dtype())
        for column in zip(*((each.init, *each.bounds) for each in found.values()), strict=True)
    )
    fixed = jnp.asarray(np.array([each.fixed for each in found.values()], bool))
    return Parameters(sets, init, lower, upper, fixed, jnp.full_like(init, jnp.nan))


def with_links(declared: Parameters, links: Links, more: Mapping[str, str]) -> Links:
    """`links` and more: parameter to parameter, or all parameters of a spectrum to those of another with these names.

    **Raises:** `UnknownName`; `InvalidModel` where parameters would be linked in a circle, or one twice.
    """
    roots = dict(links)
    for name, target in _single(declared, more):
        for each in (name, target):
            declared.set(each)
        if name in roots and roots[name] != target:
            raise InvalidModel(f"{name!r} is linked to {roots[name]!r} already: unlink it first")
        target = roots.get(target, target)
        if target == name:
            raise InvalidModel(f"{name!r} cannot be linked to itself, directly or through others")
        roots = {each: target if root == name else root for each, root in roots.items()} | {name: target}
    return tuple(roots.items())


def _single(declared: Parameters, links: Mapping[str, str]) -> list[tuple[str, str]]:
    """Links of whole spectra as links of their parameters."""
    names = list(declared)
    spectra = {name.partition(".")[0] for name in names}
    single = []
    for name, target in links.items():
        if name not in spectra or target not in spectra:
            single.append((name, target))
            continue
        pairs = [(each, target + each.removeprefix(name)) for each in names if each.startswith(f"{name}.")]
        pairs = [pair for pair in pairs if pair[1] in names]
        if not pairs:
            raise InvalidModel(f"the models of {name!r} and {target!r} have no parameter name in common to link")
        single += pairs
    return single


def without_links(declared: Parameters, links: Links, names: Sequence[str]) -> Links:
    """The links without those of some parameters; raises `UnknownName` for one that is not linked."""
    roots = dict(links)
    for name in names:
        if name not in roots:
            raise UnknownName("linked parameter", name, roots)
        del roots[name]
    return tuple(roots.items())


def shared_parameters(declared: Parameters, links: Links) -> Parameters:
    """What is left of the declared parameters: those that are not linked to another."""
    kept = [i for i, name in enumerate(declared) if name not in dict(links)]
    names = list(declared)
    sets = tuple(ParameterSet(names[i], place, 1, True, "none", ("function",)) for place, i in enumerate(kept))
    arrays = declared.init, declared.lower, declared.upper, declared.fixed, declared.widths
    if not is_traced(arrays):
        arrays = [jnp.asarray(on_host(each)[kept]) for each in arrays]
        return Parameters(sets, *arrays)
    return Parameters(sets, *(each[np.array(kept)] for each in arrays))


def places(declared: Parameters, links: Links) -> np.ndarray:
    """For each declared parameter, where in the flat vector its value is."""
    roots = dict(links)
    kept = [name for name in declared if name not in roots]
    return np.array([kept.index(roots.get(name, name)) for name in declared], np.int32)
