"""`Posterior`: a likelihood, a dataset and priors, as one log density."""

from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from histjax.bayes.constraint_densities import ConstraintDensity, constraint_densities
from histjax.bayes.densities import DERIVED
from histjax.bayes.priors import Flat, Prior, Uniform
from histjax.bayes.unconstrained import Unconstrained
from histjax.errors import InvalidModel
from histjax.fitting.fit import fit_problem
from histjax.model.likelihood import Likelihood


class Group(eqx.Module):
    """A prior of the components at `places` of the flat vector, and ln of its integral for each."""

    prior: Prior
    places: tuple[int, ...] = eqx.field(static=True)
    log_integral: Array

    @classmethod
    def of(cls, prior: Prior, places) -> "Group":
        """What does not depend on the point is computed once."""
        return cls(prior, tuple(map(int, places)), prior.log_integral() * jnp.ones(len(places)))

    def log_density(self, vector: Float[Array, "parameters"]) -> Float[Array, ""]:
        """The sum over the components; wrong outside the bounds, which `Posterior` looks after."""
        return jnp.sum(self.prior.log_shape(vector[np.array(self.places)]) - self.log_integral)

    def cut(self, lower: np.ndarray, upper: np.ndarray) -> "Group":
        """The same between the bounds of the components."""
        places = np.array(self.places)
        low, high = (jnp.asarray(each[places]) for each in (lower, upper))
        return Group.of(eqx.tree_at(lambda prior: (prior.lower, prior.upper), self.prior, (low, high)), self.places)


class Posterior(eqx.Module):
    r"""The posterior density of the free parameters, \(p(\theta | x) = L(x | \theta) \pi(\theta) / Z\).

    **Arguments:**

    - `likelihood`, `data`: any `Likelihood` and a dataset of its kind; the likelihood's own data by default.
    - `priors`: `{name: prior}`, of a set or of one component (`"gamma[2]"`). A prior brings its own support in place of
      the bounds of the model, and it takes the place of the constraint term.
    - `keep_constraints`: constraint terms of parameters with a prior stay in the likelihood: auxiliary data are data.
    - `fixed`: values of parameters to hold, `bounds`: bounds in place of the model's, as for `histjax.fit`.

    Without a prior of its own a constrained parameter has its constraint term as prior, normalised between its bounds,
    and a free one a flat density between its bounds. Where a free parameter has an infinite bound, the prior is
    improper: `improper` names such components, and no evidence is given.

    The likelihood that goes with these priors is that of the main measurement; `log_density` is ln L + ln pi.

    **Raises:** `UnknownName`; `InvalidModel` for a prior of a fixed parameter, a prior in place of a term that cannot
    be taken out (correlated ones, or terms of unknown form), and where nothing is free.

    >>> import histjax
    >>> from histjax.bayes import Posterior, Uniform
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> posterior = Posterior(model, priors={"mu": Uniform(0.0, 5.0)})
    >>> print(f"{posterior.log_prior(model.ravel(model.init)):.6f}", posterior.improper)
    1.369619 ()
    """

    likelihood: Likelihood
    data: Array
    groups: tuple[Group, ...]
    given: tuple[int, ...] = eqx.field(static=True)
    removed: tuple[Group, ...]
    offset: Float[Array, ""]
    point: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]
    free: tuple[int, ...] = eqx.field(static=True)
    improper: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        likelihood: Likelihood,
        data=None,
        *,
        priors: Mapping[str, Prior] | None = None,
        keep_constraints: bool = False,
        fixed: Mapping[str, ArrayLike] | None = None,
        bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    ):
        self.likelihood = likelihood
        self.data = likelihood.ravel_data(likelihood.data if data is None else data)
        problem = fit_problem(likelihood.parameters, fixed or {}, {}, bounds or {})
        free = ~np.asarray(problem.fixed)
        if not np.any(free):
            raise InvalidModel("every parameter is fixed, so that there is no posterior; free one of them")
        given = _given(likelihood.parameters, priors or {}, free)
        terms = constraint_densities(likelihood, self.data, free)
        owned = {place for group in given for place in group.places}
        kept, removed = _split_terms(terms, owned)
        if not keep_constraints:
            _check_removable(likelihood.parameters, owned, terms)
        # a term that is a prior already counts once: what is left of it is its factor and its mass between the bounds
        default = [(whole := Group.of(t.prior, t.places), whole.cut(problem.lower, problem.upper)) for t in kept]
        rest = set(np.flatnonzero(free)) - owned - {place for t in kept for place in t.places}
        flat = _flat(rest, problem.lower, problem.upper, likelihood.parameters.constrained)
        self.groups = (*given, *flat, *(cut for _, cut in default))
        self.given = tuple(range(len(given) + len(flat)))
        self.removed = () if keep_constraints else tuple(Group.of(t.prior, t.places) for t in removed)
        constants = [np.sum(cut.log_integral - whole.log_integral) for whole, cut in default]
        constants += [np.sum(t.log_factor) for t in (kept if keep_constraints else [*kept, *removed])]
        self.offset = jnp.asarray(likelihood.saturated_logpdf(self.data) - sum(constants))
        self.point = jnp.asarray(problem.start)
        self.lower, self.upper = (jnp.asarray(each) for each in _supports(problem, given))
        self.free = tuple(map(int, np.flatnonzero(free)))
        names = likelihood.parameters.component_names
        self.improper = tuple(
            names[place] for group in self.groups if not group.prior.is_proper for place in sorted(group.places)
        )

    @property
    def parameters(self):
        """What the likelihood says of its parameters."""
        return self.likelihood.parameters

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of the free components, in the order of what is sampled."""
        names = self.likelihood.parameters.component_names
        return tuple(names[place] for place in self.free)

    def log_density(self, vector: Float[Array, "parameters"]) -> Float[Array, ""]:
        """ln L + ln pi at a flat parameter vector; minus infinity outside the support."""
        value = self.offset - self.likelihood.nll(vector, self.data)
        value += sum(self.groups[number].log_density(vector) for number in self.given)
        value -= sum(group.log_density(vector) for group in self.removed)
        return jnp.where(self._is_inside(vector), value, -jnp.inf)

    def _is_inside(self, vector: Float[Array, "parameters"]) -> Bool[Array, ""]:
        return jnp.all((vector >= self.lower) & (vector <= self.upper))

    def log_prior(self, vector: Float[Array, "parameters"]) -> Float[Array, ""]:
        """ln of the prior density of the free components; minus infinity outside the support."""
        value = sum(group.log_density(vector) for group in self.groups)
        return jnp.where(self._is_inside(vector), value, -jnp.inf)

    def log_likelihood(self, vector: Float[Array, "parameters"]) -> Float[Array, ""]:
        """ln L: all that is not prior; minus infinity outside the support."""
        prior = self.log_prior(vector)
        return jnp.where(jnp.isfinite(prior), self.log_density(vector) - prior, -jnp.inf)

    def from_unit_cube(self, cube: np.ndarray) -> np.ndarray:
        """The flat vector of a point of the unit cube, one coordinate for each free component: uniform points become
        draws of the prior. On the host; raises `InvalidModel` where the prior is improper.
        """
        return self.unit_cube_transform()(cube)

    def unit_cube_transform(self) -> Callable[[np.ndarray], np.ndarray]:
        """`from_unit_cube` as a function that is quick to call: the numbers of the priors are on the host already."""
        point, order = np.asarray(self.point), {place: number for number, place in enumerate(self.free)}
        groups = [(jax.tree.map(np.asarray, group.prior), list(group.places)) for group in self.groups]
        steps = [(prior, places, [order[place] for place in places]) for prior, places in groups]

        def transform(cube: np.ndarray) -> np.ndarray:
            cube = np.asarray(cube)
            vector = np.array(np.broadcast_to(point, (*cube.shape[:-1], point.size)))
            for prior, places, coordinates in steps:
                vector[..., places] = prior.quantile(cube[..., coordinates])
            return vector

        return transform

    @property
    def unconstrained(self) -> "Unconstrained":
        """The same density of numbers without bounds, for samplers that know none."""
        return Unconstrained(self)


def _given(parameters, priors: Mapping[str, Prior], free: np.ndarray) -> list[Group]:
    """The priors that were asked for, those of single components before those of their sets."""
    groups, taken = [], set()
    for name in sorted(priors, key=lambda name: name in parameters.names):
        prior, span = priors[name], parameters.index(name)
        if not isinstance(prior, Prior):
            raise InvalidModel(f"the prior of {name!r} must be one of histjax.bayes, found {prior!r}")
        if not np.any(free[span]):
            raise InvalidModel(f"parameter {name!r} is fixed and has no prior; free it or leave the prior out")
        places = np.arange(span.start, span.stop)
        chosen = free[span] & ~np.isin(places, sorted(taken))
        if np.any(chosen):
            groups.append(Group.of(_broadcast(name, prior, chosen), places[chosen]))
            taken |= set(groups[-1].places)
    return groups


def _broadcast(name: str, prior: Prior, chosen: np.ndarray) -> Prior:
    """One number for each component in every field."""

    def spread(leaf):
        if np.size(leaf) not in (1, chosen.size):
            raise InvalidModel(f"the prior of {name!r} has {np.size(leaf)} entries for {chosen.size} components")
        return jnp.asarray(np.broadcast_to(np.ravel(leaf), chosen.shape)[chosen], float)

    names = [field for field in prior.__dataclass_fields__ if field not in ("function", *DERIVED)]
    return eqx.tree_at(
        lambda each: [getattr(each, field) for field in names], prior, [spread(getattr(prior, f)) for f in names]
    )


def _split_terms(terms: list[ConstraintDensity], owned: set[int]) -> tuple[list, list]:
    """The terms that are the prior of their parameter, and those whose parameter has another."""
    sides: tuple[list, list] = ([], [])
    for term in terms:
        mine = np.isin(term.places, sorted(owned))
        for side, chosen in zip(sides, (~mine, mine), strict=True):
            if np.any(chosen):
                prior = jax.tree.map(lambda leaf, chosen=chosen: _part(leaf, chosen), term.prior)
                side.append(ConstraintDensity(term.places[chosen], prior, term.log_factor[chosen]))
    return sides


def _part(leaf, chosen: np.ndarray):
    return jnp.broadcast_to(jnp.asarray(leaf), chosen.shape)[np.flatnonzero(chosen)]


def _check_removable(parameters, owned: set[int], terms: list[ConstraintDensity]) -> None:
    """A prior in place of a constraint term needs to know that term."""
    known = {int(place) for term in terms for place in term.places}
    for place in sorted(owned - known):
        if parameters.constrained[place]:
            kind = next(each.constraint for each in parameters.sets if each.slice.start <= place < each.slice.stop)
            raise InvalidModel(
                f"the {kind} constraint term of {parameters.component_names[place]!r} cannot be taken out, so that no "
                "prior takes its place; give the prior with keep_constraints=True to multiply the two"
            )


def _flat(places: set[int], lower: np.ndarray, upper: np.ndarray, constrained: np.ndarray) -> list[Group]:
    """Flat densities between the bounds: normalised where the bounds are finite, and there is no constraint term."""
    finite = np.isfinite(lower) & np.isfinite(upper) & ~constrained
    groups = []
    for family, chosen in (
        (Uniform, [place for place in sorted(places) if finite[place]]),
        (Flat, [place for place in sorted(places) if not finite[place]]),
    ):
        if chosen:
            groups.append(Group.of(family(jnp.asarray(lower[chosen]), jnp.asarray(upper[chosen])), chosen))
    return groups


def _supports(problem, given: list[Group]) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the components: the model's, those of the priors that were given, and none where fixed."""
    lower, upper = np.array(problem.lower), np.array(problem.upper)
    for group in given:
        lower[list(group.places)], upper[list(group.places)] = group.prior.lower, group.prior.upper
    fixed = np.asarray(problem.fixed)
    return np.where(fixed, -np.inf, lower), np.where(fixed, np.inf, upper)
