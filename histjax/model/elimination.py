r"""Bin-wise factors in closed form: which can be eliminated from a model, and the best value of each.

A factor gamma of one bin scales a part A of its yield and leaves the rest R: nu = R + A gamma. Given everything else,

    w [nu - n ln nu] + tau gamma - a ln gamma           (`shapesys`: Poisson constraint, a counts for tau gamma)
    w [nu - n ln nu] + (gamma - a)² / (2 sigma²)         (`staterror`: Gaussian constraint)

is convex in gamma, and where its slope vanishes a quadratic equation holds, in gamma for the one and in nu for the
other. Where nothing is expected the Poisson term continues as a parabola (`histjax.model.density`), and so does this.
Derivatives, of every order, are those of the implicit function.
"""

from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from histjax.lower.layout import Layout, ParameterSet
from histjax.lower.templates import Tables
from histjax.model.curvature import Structure
from histjax.model.density import EMPTY_WIDTH, FLOOR, poisson_derivatives

KINDS = ("poisson", "gamma", "normal")
MODIFIERS = {"shapesys", "staterror"}


@dataclass(frozen=True, eq=False)
class Remainder:
    """Parameter sets and kinks of what is left; hashed once, since compiled functions look it up at every call."""

    sets: tuple[ParameterSet, ...]
    kinks: tuple[int, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.sets, self.kinks))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other) -> bool:
        if self is other:
            return True
        return isinstance(other, Remainder) and (self.sets, self.kinks) == (other.sets, other.kinks)


class Elimination(eqx.Module):
    """Which parameters of a model are eliminated, and where they act.

    **Fields:** `remainder` is static. `kept`, `gone`: flat indices in the
    model, those with a Poisson constraint first among the latter; `place` the rows of `gone` among the narrow
    parameters and `bins` their bins; `own_of_cell` the one that scales each cell, one past the last where none does;
    `poisson_term`, `normal_term` their constraint terms. `structure`, of the parameters that are left; `left` the rows
    of its narrow ones among those of the model.
    """

    remainder: Remainder = eqx.field(static=True)
    kept: Int[Array, "kept"]
    gone: Int[Array, "gone"]
    place: Int[Array, "gone"]
    bins: Int[Array, "gone"]
    own_of_cell: Int[Array, "cells"]
    poisson_term: Int[Array, "gone_poissons"]
    normal_term: Int[Array, "gone_normals"]
    structure: Structure
    left: Int[Array, "narrow_left"]


def can_be_eliminated(layout: Layout, tables: Tables) -> tuple[int, ...]:
    """Flat indices of the components of `shapesys` and `staterror` that have a closed form.

    They act in one bin, have a Poisson, gamma or Gaussian constraint, and in their bin there is no other one that was
    chosen: of several, the one that scales most samples is (`histjax.lower.structure`).
    """
    local = {
        index
        for each in layout.parameters
        if set(each.modifiers) <= MODIFIERS and each.constraint in KINDS
        for index in range(each.start, each.start + each.size)
    }
    cells, acting = np.asarray(tables.local_cell), np.asarray(tables.local_parameter)[np.asarray(tables.local_local)]
    pairs, times = np.unique(np.stack([cells, acting]), axis=1, return_counts=True)
    squared = set(pairs[1][times > 1].tolist())
    return tuple(sorted((local & set(layout.narrow)) - squared))


def elimination(layout: Layout, tables: Tables, gone: tuple[int, ...]) -> Elimination:
    """The tables for the components `gone`."""
    poisson, normal = np.asarray(tables.poisson_parameter), np.asarray(tables.normal_parameter)
    gone = np.concatenate([np.intersect1d(gone, poisson), np.intersect1d(gone, normal)]).astype(np.int32)
    kept = np.setdiff1d(np.arange(layout.n_parameters), gone).astype(np.int32)
    dense, narrow = np.asarray(tables.dense_parameter), np.asarray(tables.narrow_parameter)
    row = np.full(layout.n_parameters, narrow.size)
    row[narrow] = np.arange(narrow.size)
    number = np.full(narrow.size + 1, gone.size)
    number[row[gone]] = np.arange(gone.size)
    left = np.flatnonzero(~np.isin(narrow, gone))
    arrays = (
        kept,
        gone,
        row[gone],
        np.asarray(tables.narrow_bin)[row[gone]],
        number[np.asarray(tables.narrow_of_cell)],
        _positions(poisson, gone),
        _positions(normal, gone),
    )
    structure = Structure(*(_integers(np.searchsorted(kept, each)) for each in (dense, narrow[left])))
    kinks = tuple(int(each) for each in np.searchsorted(kept, np.array(layout.kinks, int)))
    return Elimination(
        Remainder(remaining_sets(layout, kept), kinks), *map(_integers, arrays), structure, _integers(left)
    )


def _integers(values: np.ndarray) -> Array:
    return jnp.asarray(values.astype(np.int32))


def _positions(terms: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Where the parameters of `gone` that have a term are among the parameters of all terms."""
    order = np.argsort(terms)
    chosen = gone[np.isin(gone, terms)]
    return order[np.searchsorted(terms[order], chosen)]


def remaining_sets(layout: Layout, kept: np.ndarray) -> tuple[ParameterSet, ...]:
    """The parameter sets that are left; of a set of which a part is, every component becomes a scalar `"name[i]"`."""
    sets, start, wanted = [], 0, set(kept.tolist())
    for each in layout.parameters:
        components = [i for i in range(each.size) if each.start + i in wanted]
        if len(components) == each.size:
            sets.append(ParameterSet(each.name, start, each.size, each.is_scalar, each.constraint, each.modifiers))
        else:
            names = [each.component_names[i] for i in components]
            places = enumerate(names, start)
            sets += [ParameterSet(name, place, 1, True, each.constraint, each.modifiers) for place, name in places]
        start += len(components)
    return tuple(sets)


def _positive_root(a: Array, b: Array, c: Array) -> Array:
    """The root of a x² + b x = c that is c / b for small a, without cancellation."""
    root = jnp.sqrt(jnp.maximum(b * b + 4 * a * c, 0.0))
    return jnp.where(b > 0, _ratio(2 * c, b + root), _ratio(root - b, 2 * a))


def _ratio(a: Array, b: Array) -> Array:
    return jnp.where(b == 0, 0.0, a / jnp.where(b == 0, 1.0, b))


def _continued(counts: Array) -> tuple[Array, Array]:
    """Constant and linear coefficient of the slope of the Poisson term below its floor."""
    empty = counts <= 0
    return jnp.where(empty, 1.0, 1 - 2 * counts / FLOOR), jnp.where(empty, EMPTY_WIDTH**-2, counts / FLOOR**2)


def _is_expected(counts: Array, expected: Array) -> Array:
    return expected > jnp.where(counts > 0, FLOOR, 0.0)


def _poisson_slope(gamma, own, rest, counts, weight, auxiliary, rate) -> tuple[Array, Array]:
    """First and second derivative of the bin's terms with respect to a factor with a Poisson constraint."""
    first, second = poisson_derivatives(counts, rest + own * gamma)
    slope, curvature = poisson_derivatives(auxiliary, rate * gamma)
    return weight * own * first + rate * slope, weight * own**2 * second + rate**2 * curvature


def _normal_slope(gamma, own, rest, counts, weight, centre, sigma) -> tuple[Array, Array]:
    """The same with a Gaussian constraint."""
    first, second = poisson_derivatives(counts, rest + own * gamma)
    return weight * own * first + (gamma - centre) / sigma**2, weight * own**2 * second + sigma**-2


@jax.custom_jvp
def best_poisson_factor(
    own: Float[Array, "..."],
    rest: Float[Array, "..."],
    counts: Float[Array, "..."],
    weight: Float[Array, "..."],
    auxiliary: Float[Array, "..."],
    rate: Float[Array, "..."],
) -> Float[Array, "..."]:
    """The best factor with a Poisson constraint of `auxiliary` counts for `rate` times it, whatever its bounds.

    T A g² + [T R - (w n + a) A] g = a R with T = w A + tau.
    """
    total, seen = weight * own + rate, weight * counts
    several = _positive_root(total * own, total * rest - (seen + auxiliary) * own, auxiliary * rest)
    # without counts the equation is (T g - a) (R + A g) = 0
    alone = jnp.where(total > 0, _ratio(auxiliary, total), jnp.inf)
    found = jnp.where(seen > 0, several, alone)
    constant, linear = _continued(counts)
    beyond = _positive_root(weight * linear * own**2, weight * own * (constant + linear * rest) + rate, auxiliary)
    expected = _is_expected(counts, rest + jnp.where(own == 0, 0.0, own * found))
    return jnp.where(own == 0, auxiliary / rate, jnp.where(expected | (weight == 0), found, beyond))


@jax.custom_jvp
def best_normal_factor(
    own: Float[Array, "..."],
    rest: Float[Array, "..."],
    counts: Float[Array, "..."],
    weight: Float[Array, "..."],
    centre: Float[Array, "..."],
    sigma: Float[Array, "..."],
) -> Float[Array, "..."]:
    """The best factor with a Gaussian constraint of a width `sigma` around `centre`, whatever its bounds.

    nu² + [w s A² - R - a A] nu = w s A² n with s = sigma²; then g = a - w s A (1 - n/nu), or (nu - R) / A where that
    has less rounding.
    """
    pull = weight * sigma**2 * own
    nu = _positive_root(jnp.ones_like(own), pull * own - rest - centre * own, pull * own * counts)
    found = jnp.where(pull * own <= nu, centre - pull * _ratio(nu - counts, nu), _ratio(nu - rest, own))
    found = jnp.where(weight * counts > 0, found, centre - pull)
    constant, linear = _continued(counts)
    beyond = (centre - pull * (constant + linear * rest)) / (1 + pull * own * linear)
    return jnp.where(_is_expected(counts, rest + own * found) | (weight == 0), found, beyond)


def _implicit(best, slope):
    """The derivative rule of a function of its arguments at which `slope` vanishes."""

    def rule(primals, tangents):
        gamma = best(*primals)
        _, moved = jax.jvp(lambda *arguments: slope(gamma, *arguments)[0], primals, tangents)
        return gamma, -_ratio(moved, slope(gamma, *primals)[1])

    best.defjvp(rule)


_implicit(best_poisson_factor, _poisson_slope)
_implicit(best_normal_factor, _normal_slope)
