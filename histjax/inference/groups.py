"""`grouped_impacts`: what groups of nuisance parameters contribute to the uncertainty of the parameter of interest."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from histjax.errors import InvalidModel, UnknownName
from histjax.fitting.covariance import covariance_matrix
from histjax.fitting.fit import fit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters

Pattern = str | re.Pattern
"""A name of a parameter or of one component, a glob (`"jes_*"`), or a regular expression, compiled or after `re:`."""

KINDS = {
    "MC statistics": {"staterror", "shapesys"},
    "normalisation factors": {"normfactor", "shapefactor"},
    "systematics": {"histosys", "normsys", "lumi"},
}
"""The standard groups, by the first type of modifier that a parameter drives."""


class GroupedImpacts(eqx.Module):
    """Parts of the uncertainty of the parameter of interest, in its units; the axis `groups` is that of `names`.

    **Fields:**

    - `poi`, `names`, `members`: the parameter of interest, the groups and the components in each.
    - `frozen`: sqrt(total^2 - sigma^2), sigma being the uncertainty when the group is held at its best fit. Because the
      best fit stays where it is, sigma follows from the exact Hessian of the one fit.
    - `quadrature`: root of the sum of the squared `linear` impacts (see `Ranking`) of the members, which leaves their
      correlations out.
    - `total`: uncertainty of the parameter of interest; `statistical`: with every nuisance parameter held;
      `systematic`: sqrt(total^2 - statistical^2).
    - `fit`: the free fit.

    Groups are correlated through the data: their squares need not add up to that of the total.
    """

    poi: str = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    members: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    frozen: Float[Array, "groups"]
    quadrature: Float[Array, "groups"]
    total: Float[Array, ""]
    statistical: Float[Array, ""]
    systematic: Float[Array, ""]
    fit: FitResult

    def __str__(self) -> str:
        from histjax.inference.ranking_printing import groups_table

        return groups_table(self)

    __repr__ = __str__


def select(parameters: Parameters, patterns: Pattern | Sequence[Pattern]) -> list[int]:
    """Places in the flat vector of the components that match any of the patterns, in the order of the parameters.

    A pattern is, whatever fits first: the name of a parameter or a component; a regular expression (`re.compile(...)`,
    or a string that begins with `re:`) that matches a whole name; a glob. Raises `UnknownName` for a pattern that
    matches nothing.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> histjax.select(model.parameters, ["uncorr*"]), histjax.select(model.parameters, "re:.*1.")
    ([1, 2], [2])
    """
    patterns = [patterns] if isinstance(patterns, Pattern) else patterns
    return sorted({place for pattern in patterns for place in _matches(parameters, pattern)})


def _matches(parameters: Parameters, pattern: Pattern) -> list[int]:
    components = parameters.component_names
    if isinstance(pattern, str) and (pattern in parameters.names or pattern in components):
        place = parameters.index(pattern)
        return list(range(place.start, place.stop))
    if isinstance(pattern, str) and pattern.startswith("re:"):
        pattern = _compiled(pattern[3:])

    def fits(name: str) -> bool:
        return fnmatchcase(name, pattern) if isinstance(pattern, str) else bool(pattern.fullmatch(name))

    sets = [each.name for each in parameters.sets for _ in range(each.size)]
    found = [place for place, names in enumerate(zip(sets, components, strict=True)) if any(map(fits, names))]
    if not found:
        raise UnknownName(
            "parameter that matches the pattern or is",
            getattr(pattern, "pattern", pattern),
            parameters.names,
        )
    return found


def _compiled(expression: str) -> re.Pattern:
    try:
        return re.compile(expression)
    except re.error as error:
        raise InvalidModel(f"{expression!r} is no regular expression: {error}") from None


def standard_groups(parameters: Parameters) -> dict[str, list[str]]:
    """Names of the parameters by type of modifier: MC statistics (staterror, shapesys), normalisation factors
    (normfactor, shapefactor) and systematics (histosys, normsys, lumi); groups without members are left out.

    >>> import histjax
    >>> standard_groups(histjax.compile(histjax.read(histjax.examples.path("two_bins"))).parameters)
    {'MC statistics': ['uncorr_bkguncrt'], 'normalisation factors': ['mu']}
    """
    groups = {
        group: [each.name for each in parameters.sets if each.modifiers and each.modifiers[0] in kinds]
        for group, kinds in KINDS.items()
    }
    return {group: names for group, names in groups.items() if names}


def grouped_impacts(
    likelihood: Likelihood,
    data=None,
    *,
    groups: Mapping[str, Pattern | Sequence[Pattern]] | None = None,
    poi: str | None = None,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> GroupedImpacts:
    """The uncertainty of the parameter of interest by groups of nuisance parameters, from one fit.

    **Arguments:**

    - `groups`: `{name of the group: patterns}` (see `histjax.select`), by default `standard_groups`. The parameter of
      interest is never a member; a parameter may be in several groups.
    - the others as for `ranking`.

    Differentiable with respect to likelihood and data, and to be mapped.

    **Raises:** `FailedFit`, `MissingPOI`, `UnknownName` for a pattern that matches no parameter.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("search")))
    >>> result = histjax.grouped_impacts(model, groups={"theory": ["*_cross_section", "re:.*_modelling"]})
    >>> print(f"{result.total:.4f} {result.statistical:.4f} {result.frozen[0]:.4f}")
    0.5253 0.4724 0.1144
    """
    poi = poi_name(likelihood, poi)
    parameters = likelihood.parameters
    groups = standard_groups(parameters) if groups is None else groups
    place = parameters.index(poi).start
    chosen = [[i for i in select(parameters, patterns) if i != place] for patterns in groups.values()]
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    result = fit(likelihood, data, **settings)
    masks = _masks(len(parameters.component_names), [*chosen, [i for i in range(parameters.init.size) if i != place]])
    held = result.fixed | result.active
    variances = [_variance(result, held | mask, np.array(place)) for mask in masks]
    members = tuple(tuple(parameters.component_names[i] for i in each) for each in chosen)
    arrays = _contributions(result.covariance, np.array(place), masks[:-1], variances)
    return GroupedImpacts(poi, tuple(groups), members, *arrays, result)


def _masks(size: int, chosen: list[list[int]]) -> list[Bool[np.ndarray, "parameters"]]:
    return [np.isin(np.arange(size), each) for each in chosen]


@eqx.filter_jit
def _variance(result: FitResult, held, place) -> Float[Array, ""]:
    """Variance of one component when these are held."""
    return covariance_matrix(result.structure, result.curvature, held)[place, place]


def _contributions(covariance, place, masks, variances) -> tuple[Array, ...]:
    """`frozen`, `quadrature`, `total`, `statistical`, `systematic`."""
    squares = [_quadrature(covariance, place, mask) for mask in masks]
    empty = jnp.zeros(0, covariance.dtype)
    total, statistical = covariance[place, place], variances[-1]
    frozen = jnp.stack([_difference(total, each) for each in variances[:-1]]) if masks else empty
    quadrature = _root(jnp.stack(squares)) if masks else empty
    return frozen, quadrature, _root(total), _root(statistical), _difference(total, statistical)


@jax.jit
def _quadrature(covariance, place, mask) -> Float[Array, ""]:
    """Sum of the squared linear impacts of the components in `mask`."""
    variance = jnp.diagonal(covariance)
    usable = mask & (variance > 0) & jnp.isfinite(variance)
    return jnp.sum(jnp.where(usable, covariance[place] ** 2 / jnp.where(usable, variance, 1.0), 0.0))


@jax.jit
def _root(value):
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)


@jax.jit
def _difference(total, variance):
    """Root of the difference of two variances; infinite where only the first one is."""
    known = jnp.isfinite(total)
    infinite = jnp.where(jnp.isfinite(variance), jnp.inf, jnp.nan)
    return jnp.where(known, _root(jnp.where(known, total - variance, 0.0)), infinite)
