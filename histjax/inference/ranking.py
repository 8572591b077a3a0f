"""`ranking`: how far each nuisance parameter moves the parameter of interest."""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced, on_host
from histjax.errors import FailedFit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import ConditionalFits, Profile
from histjax.fitting.result import FitResult, Status
from histjax.inference.groups import Pattern, select
from histjax.inference.poi import poi_name
from histjax.inference.walking import refuse_held, settled, visit
from histjax.model.likelihood import Likelihood

STEPS = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")
"""The four displacements of a nuisance parameter, in the order of the axis `steps`."""


class Ranking(eqx.Module):
    """Impacts on the parameter of interest, in its units; the axis `nuisances` is that of `names`.

    **Fields:**

    - `poi`, `names`: the parameter of interest and the ranked components.
    - `prefit_up`, `prefit_down`: change of the best-fit value of the parameter of interest when the nuisance parameter
      is held at its best fit plus or minus its prefit width and everything else is fitted again. NaN for parameters
      without constraint term: they have no prefit width.
    - `postfit_up`, `postfit_down`: the same for the postfit uncertainty. NaN where that is infinite.
    - `linear`: covariance(poi, nuisance) / uncertainty(nuisance), the impact of +1 postfit standard deviation where the
      likelihood is Gaussian: it costs no fit, and checks the others.
    - `pull`, `width_ratio`: (best fit - centre of the constraint) / prefit width, and postfit / prefit width; NaN
      without constraint term.
    - `clipped`: where a displacement ended at a bound of the parameter instead, `(steps, nuisances)`.
    - `status`: a `Status` for each conditional fit, `(steps, nuisances)`.
    - `fit`: the free fit.

    A component that is held (by a rule on empty bins, or on a bound) has impacts 0.
    """

    poi: str = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    prefit_up: Float[Array, "nuisances"]
    prefit_down: Float[Array, "nuisances"]
    postfit_up: Float[Array, "nuisances"]
    postfit_down: Float[Array, "nuisances"]
    linear: Float[Array, "nuisances"]
    pull: Float[Array, "nuisances"]
    width_ratio: Float[Array, "nuisances"]
    clipped: Bool[Array, "steps nuisances"]
    status: Int[Array, "steps nuisances"]
    fit: FitResult

    @property
    def size(self) -> Float[Array, "nuisances"]:
        """The larger of the two postfit impacts, without sign."""
        xp = jnp if is_traced(self) else np
        return xp.maximum(xp.abs(self.postfit_up), xp.abs(self.postfit_down))

    @property
    def order(self) -> Int[Array, "nuisances"]:
        """Places of the nuisance parameters by falling postfit impact; undefined impacts come last."""
        return (jnp if is_traced(self) else np).argsort(-self.size, stable=True)

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether the free and all conditional fits converged."""
        status = on_host(self.status)  # on the host, so that no number of parameters is a program of its own
        return self.fit.converged & (jnp if is_traced(status) else np).all(status <= Status.FLAT)

    @property
    def message(self) -> str:
        """In words."""
        failed = np.any(np.asarray(self.status) > Status.FLAT, axis=0)
        names = [name for name, each in zip(self.names, failed, strict=True) if each]
        if not self.fit.converged:
            return self.fit.message
        return f"conditional fits did not converge for {', '.join(names[:8])}" if names else "all fits converged"

    def __str__(self) -> str:
        from histjax.inference.ranking_printing import ranking_table

        return ranking_table(self)

    __repr__ = __str__


def ranking(
    likelihood: Likelihood,
    data=None,
    *,
    poi: str | None = None,
    parameters: Sequence[Pattern] | None = None,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Ranking:
    r"""Impacts of nuisance parameters: for each of them four conditional fits and one number from the covariance.

    \(\Delta\hat\mu_\pm = \hat\mu(\theta = \hat\theta \pm \sigma) - \hat\mu\), with \(\sigma\) the prefit width and the
    postfit uncertainty (exact Hessian). Definition as in cabinetry's `fit.ranking`.

    **Arguments:**

    - `poi`: the parameter of interest; by default the likelihood's.
    - `parameters`: which ones to rank: names, globs or regular expressions (see `histjax.select`); by default all that
      are not held.
    - `likelihood`, `data`, `fixed`, `init`, `bounds`, `minimiser`: as for `fit`.
    - `throw`: raise where a fit did not converge (never inside a trace).

    All fits share the program of the free fit, and start where a Gaussian likelihood would have its conditional
    minimum. A displacement ends at the bound of the parameter (a `shapesys` factor whose relative uncertainty is above
    1 would become negative) and `clipped` says so. Outside a trace a conditional fit that lies below the free fit
    starts everything over from there. Impacts are differentiable with respect to likelihood and data.

    **Raises:** `FailedFit`, `MissingPOI`, `UnknownName`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("search")))
    >>> result = histjax.ranking(model)
    >>> first = int(result.order[0])
    >>> print(result.names[first], f"{result.postfit_up[first]:.4f} {result.linear[first]:.4f}")
    ttbar_norm -0.0734 -0.0981
    """
    poi = poi_name(likelihood, poi)
    refuse_held(likelihood.parameters, [poi], fixed)
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    profile = Profile.of(likelihood, data, **settings, differentiable_hessian=True)
    poi_place = likelihood.parameters.index(poi).start
    chosen = None if parameters is None else select(likelihood.parameters, parameters)
    places = _nuisances(profile, poi_place, chosen)
    profile, (values, clipped, fits) = settled(profile, lambda profile: _conditional(profile, places))
    result = _result(profile, poi, poi_place, places, values, clipped, fits)
    if throw and not is_traced(result.status) and not np.all(result.converged):
        raise FailedFit(result.message, result.fit)
    return result


def _nuisances(profile: Profile, poi_place: int, chosen: Sequence[int] | None) -> Int[Array, "nuisances"]:
    """Places of the components to rank."""
    if chosen is None:
        fixed = profile.problem.fixed
        held = np.zeros(np.shape(fixed), bool) if is_traced(fixed) else np.asarray(fixed)
        chosen = np.flatnonzero(~held)
    return np.array([place for place in chosen if place != poi_place], int)


def widths(profile: Profile, places: Int[Array, "nuisances"]) -> tuple[Array, Array]:
    """Prefit width and postfit uncertainty of the components; NaN where there is none, 0 where they are held."""
    parameters, best = profile.likelihood.parameters, profile.best
    xp = jnp if is_traced(profile) else np
    held = xp.asarray(profile.problem.fixed)[places]
    prefit = xp.where(held, 0.0, xp.asarray(parameters.widths)[places])
    variance = xp.diagonal(xp.asarray(profile.covariance if xp is np else best.covariance))[places]
    known = xp.isfinite(variance) & (variance > 0)
    sigma = xp.where(known, xp.sqrt(xp.where(known, variance, 1.0)), xp.where(variance == 0, 0.0, xp.nan))
    return xp.where(parameters.constrained[places], prefit, xp.nan), sigma


def _conditional(profile: Profile, places: Int[Array, "nuisances"]):
    """The values at which the components are held, which of these are bounds, and the fits that were made."""
    xp = jnp if is_traced(profile) else np
    best = xp.asarray(profile.best.vector)[places]
    prefit, postfit = widths(profile, places)
    wanted = xp.stack([best + prefit, best - prefit, best + postfit, best - postfit])
    # a parameter that is held outside its bounds has no room there to be clipped to
    lower, upper = (xp.asarray(x)[places] for x in (profile.problem.lower, profile.problem.upper))
    values = xp.where(wanted == best, best, xp.clip(wanted, lower, upper))
    return values, (values != wanted) & ~xp.isnan(wanted), _fits(profile, places, values)


def _fits(profile: Profile, places, values: Float[Array, "steps nuisances"]) -> ConditionalFits:
    """One fit for each value, on leading axes `steps nuisances`; where a value is undefined, the free fit."""
    if not is_traced(profile, values):
        columns = [_four(profile, *each) for each in zip(places, values.T, strict=True)]
        if not columns:
            return jax.tree.map(lambda x: np.zeros((len(STEPS), 0, *np.shape(x))), ConditionalFits.of(profile.best))
        return jax.tree.map(lambda *parts: np.stack(parts, axis=1), *columns)
    grid = np.broadcast_to(places, values.shape).reshape(-1, 1)
    flat = jnp.where(jnp.isnan(values), profile.best.vector[places], values).reshape(-1, 1)
    starts = jax.vmap(profile.predicted)(jnp.asarray(grid[:, 0]), flat[:, 0])
    found = profile.each(grid, flat, starts)
    return jax.tree.map(lambda x: x.reshape(*values.shape, *x.shape[1:]), found)


def _four(profile: Profile, place: int, values: Float[Array, "steps"]) -> ConditionalFits:
    """The fits of one nuisance parameter, postfit ones first, since the others are expected near them."""
    best = jax.device_get(ConditionalFits.of(profile.best))
    found: list[ConditionalFits] = [best] * len(STEPS)
    for step, neighbour in ((2, None), (3, 2), (0, 2), (1, 3)):
        value = values[step]
        if not np.isnan(value) and value != best.vector[place]:
            anchor = _anchor(profile, place, value, best.vector if neighbour is None else found[neighbour].vector)
            found[step] = visit(profile, np.array([place]), np.array([value]), anchor)
    return jax.tree.map(lambda *parts: np.stack(parts), *found)


def _anchor(profile: Profile, place: int, value, neighbour: Float[Array, "parameters"]) -> Float[Array, "parameters"]:
    """The best fit, displaced by what the path of conditional fits is expected to deviate from a straight line: its
    curvature as another conditional fit shows it.
    """
    best = np.asarray(profile.best.vector)
    step = neighbour[place] - best[place]
    if step == 0:
        return best
    bend = neighbour - np.asarray(profile.predicted(place, neighbour[place]))
    return best + np.where(np.arange(best.size) == place, 0.0, bend) * ((value - best[place]) / step) ** 2


def _result(profile: Profile, poi: str, poi_place: int, places, values, clipped, fits: ConditionalFits) -> Ranking:
    xp = jnp if is_traced(profile, fits) else np
    best = xp.asarray(profile.best.vector)
    prefit, postfit = widths(profile, places)
    impacts = xp.where(xp.isnan(values), xp.nan, xp.asarray(fits.vector)[..., poi_place] - best[poi_place])
    covariance = xp.asarray(profile.covariance if xp is np else profile.best.covariance)
    column = covariance[poi_place, places]
    linear = xp.where(postfit > 0, column / xp.where(postfit > 0, postfit, 1.0), xp.where(postfit == 0, 0.0, xp.nan))
    centre = xp.asarray(profile.likelihood.constraint_centres(profile.data))[places]
    scale = xp.where(prefit > 0, prefit, xp.nan)
    fields = *impacts, linear, (best[places] - centre) / scale, postfit / scale
    arrays = *fields, clipped, fits.status
    names = profile.likelihood.parameters.component_names
    return Ranking(poi, tuple(names[i] for i in places), *jax.device_put(arrays), profile.best)
