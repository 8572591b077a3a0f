"""`interval`: profile-likelihood (MINOS) intervals of any parameters."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from statistics import NormalDist

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import is_traced, on_host
from histjax.errors import FailedFit, InvalidModel, UnknownName
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import Profile
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.inference.rays import Crossings, End, Rays, crossings
from histjax.inference.walking import settled
from histjax.model.likelihood import Likelihood

ONE_SIGMA = 0.6826894921370859
"""Probability of a normal variable to lie within one standard deviation."""


class IntervalKind(StrEnum):
    """Which ends an interval has."""

    TWO_SIDED = "two-sided"
    UPPER = "upper"
    LOWER = "lower"


class Interval(eqx.Module):
    """The interval of one component.

    **Fields:** the ends, the best fit between them, and an `End` for each end as an integer.
    """

    lower: Float[Array, ""]
    upper: Float[Array, ""]
    best: Float[Array, ""]
    status: Int[Array, "2"]


class Intervals(eqx.Module):
    """Profile-likelihood intervals; the axis `components` is that of `names`.

    **Fields:**

    - `lower`, `upper`: the ends. Where the likelihood does not fall to the level before a bound of the parameter, the
      bound is the end; where it never does, the end is infinite; where fits failed, it is NaN.
    - `best`: best-fit values.
    - `status`: an `End` for the lower and the upper end, as integers.
    - `n_fits`: conditional fits that each end took.
    - `confidence_level`, `level`: the asymptotic coverage, and -2 Delta ln L at the ends.
    - `fit`: the free fit.

    Behaves as a mapping from the name of a component to its `Interval`.
    """

    lower: Float[Array, "components"]
    upper: Float[Array, "components"]
    best: Float[Array, "components"]
    status: Int[Array, "components 2"]
    n_fits: Int[Array, "components 2"]
    confidence_level: Float[Array, ""]
    level: Float[Array, ""]
    fit: FitResult
    names: tuple[str, ...] = eqx.field(static=True)
    kind: IntervalKind = eqx.field(static=True)

    @property
    def minus(self) -> Float[Array, "components"]:
        """Distance of the lower end from the best fit, not negative."""
        return self.best - self.lower

    @property
    def plus(self) -> Float[Array, "components"]:
        """Distance of the upper end from the best fit."""
        return self.upper - self.best

    @property
    def converged(self) -> Bool[Array, "components"]:
        """Whether both ends are what they say."""
        return (on_host(self.status) != End.FAILED).all(axis=-1) & on_host(self.fit.converged)[..., None]

    @property
    def message(self) -> str:
        """What happened, in words."""
        if bool(np.all(self.converged)):
            return "converged"
        if not bool(np.all(self.fit.converged)):
            return self.fit.message
        lost = ", ".join(name for name, good in zip(self.names, self.converged, strict=True) if not good)
        return f"{End.FAILED.message} ({lost})"

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self):
        return iter(self.names)

    def __getitem__(self, name: str) -> Interval:
        if name not in self.names:
            raise UnknownName("interval", name, self.names)
        place = self.names.index(name)
        return Interval(*(x[..., place] for x in (self.lower, self.upper, self.best)), self.status[..., place, :])

    def __str__(self) -> str:
        from histjax.inference.profile_printing import intervals_table

        return intervals_table(self)

    __repr__ = __str__


def interval(
    likelihood: Likelihood,
    data=None,
    *,
    parameters: str | Sequence[str] | None = None,
    confidence_level: ArrayLike = ONE_SIGMA,
    kind: IntervalKind = IntervalKind.TWO_SIDED,
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> Intervals:
    r"""Intervals from the profile likelihood ratio, all other parameters refitted at every value.

    The ends are where \(-2 \ln [L(\theta, \hat{\hat\nu}) / L(\hat\theta, \hat\nu)] = z^2\), with
    \(z = \Phi^{-1}((1 + \mathrm{CL})/2)\) for a two-sided interval (1 at 68.27 %) and
    \(z = \Phi^{-1}(\mathrm{CL})\) for an upper or lower one (S. S. Wilks, Ann. Math. Stat. 9 (1938) 60; MINOS: F.
    James, M. Roos, Comput. Phys. Commun. 10 (1975) 343). Coverage is asymptotic; an upper interval is not a CLs limit
    (`upper_limit`).

    **Arguments:**

    - `parameters`: a name, a component (`"gamma[2]"`) or several; a bin-wise set stands for all its components,
      `likelihood.parameters` for everything. By default the parameter of interest.
    - `confidence_level`: may be traced.
    - `kind`: `IntervalKind.TWO_SIDED`, `.UPPER` (the lower end is the parameter's bound) or `.LOWER`, or their values.
    - `likelihood`, `data`, `fixed`, `init`, `bounds`, `minimiser`: as for `fit`. The search stays within bounds.
    - `throw`: raise where a search failed (never inside a trace).

    On a bound of the parameter, in a flat direction and for a fixed parameter `status` says what an end is. All fits
    share the program of the free fit. Outside a trace a conditional fit that lies below the free fit starts it all
    over from there. Every fit starts from the one before, so that the search stays in the valley of the best fit; that
    another valley of the nuisance parameters becomes the lower one on the way is not checked, as in MINOS.

    The ends are differentiable any number of times with respect to likelihood, data, confidence level, fixed values
    and bounds (implicit function theorem, active bounds held), traceable, and to be mapped.

    **Raises:** `FailedFit`, `MissingPOI`, `UnknownName`, `InvalidModel`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.interval(model, parameters="uncorr_bkguncrt[1]")
    >>> print(f"{result.best[0]:.4f} -{result.minus[0]:.4f} +{result.plus[0]:.4f}")
    0.9627 -0.0992 +0.0979
    """
    kind, names = _kind(kind), _component_names(likelihood, parameters)
    target = n_sigma(confidence_level, kind)
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    places = np.array([likelihood.parameters.index(name).start for name in names])
    profile, found = settled(
        Profile.of(likelihood, data, **settings), lambda profile: _ends(profile, places, target, kind)
    )
    result = _result(profile, found, places, confidence_level, target, names, kind)
    if throw and not is_traced(result.status) and not np.all(result.converged):
        raise FailedFit(result.message, result)
    return result


def _kind(kind) -> IntervalKind:
    try:
        return IntervalKind(kind)
    except ValueError:
        known = ", ".join(repr(each.value) for each in IntervalKind)
        raise InvalidModel(f"an interval is of one of the kinds {known}; found {kind!r}") from None


def _component_names(likelihood: Likelihood, parameters) -> tuple[str, ...]:
    """The requested components in the order of the request."""
    known = likelihood.parameters.component_names
    parameters = poi_name(likelihood, None) if parameters is None else parameters
    wanted = [parameters] if isinstance(parameters, str) else list(parameters)
    if not wanted:
        raise InvalidModel("an interval needs at least one parameter, found none")
    return tuple(known[place] for name in wanted for place in range(*_span(likelihood.parameters.index(name))))


def _span(place: slice) -> tuple[int, int]:
    return place.start, place.stop


def n_sigma(confidence_level, kind: IntervalKind) -> Float[Array, ""]:
    """Number of standard deviations of a normal variable that a confidence level stands for.

    >>> print(f"{n_sigma(0.95, IntervalKind.UPPER):.6f}")
    1.644854
    """
    two_sided = kind is IntervalKind.TWO_SIDED
    if is_traced(confidence_level):
        return ndtri((1 + confidence_level) / 2 if two_sided else confidence_level)
    least = 0.0 if two_sided else 0.5
    if not least < float(confidence_level) < 1:
        raise InvalidModel(f"a confidence level of a {kind} interval is between {least:g} and 1: {confidence_level}")
    tail = (1 - float(confidence_level)) / (2 if two_sided else 1)
    return np.asarray(-NormalDist().inv_cdf(tail))


def first_widths(profile: Profile, places: Int[Array, "components"]) -> Float[Array, "components"]:
    """A guess of the uncertainty of components: from the covariance; without the others where a bound holds one;
    else prefit.
    """
    xp = jnp if is_traced(profile) else np
    variance = xp.diagonal(xp.asarray(profile.covariance))[places]
    curvature = xp.asarray(profile.best.curvatures)[places]
    spread = xp.asarray(profile.problem.spread)[places]
    alone = xp.where(curvature > 1e-12, 1 / xp.sqrt(xp.where(curvature > 1e-12, curvature, 1.0)), 0.0)
    prefit = xp.where(spread > 0, spread, 1.0)
    known = xp.isfinite(variance) & (variance > 0)
    return xp.where(known, xp.sqrt(xp.where(known, variance, 1.0)), xp.where(alone > 0, alone, prefit))


def _ends(profile: Profile, places: Int[Array, "components"], target, kind: IntervalKind) -> Crossings:
    """The lower end of every component, then the upper ones, as far as they are asked for."""
    xp = jnp if is_traced(profile, target) else np
    best, slope = (xp.asarray(x)[places] for x in (profile.best.vector, profile.best.gradient))
    widths, signs = first_widths(profile, places), _signs(kind)
    origin = xp.concatenate([best] * len(signs))[:, None]
    direction = xp.concatenate([xp.full_like(best, sign) for sign in signs])[:, None]
    targets = xp.full_like(origin[:, 0], 1.0) * target
    # on a bound the likelihood falls from the start: t^2 / width^2 + 2 slope t = target^2
    tilt = xp.abs(xp.concatenate([slope * widths] * len(signs)))
    guess = xp.concatenate([widths] * len(signs)) * targets**2 / (tilt + xp.sqrt(tilt**2 + targets**2))
    if xp is jnp:  # a length is measured from a point that stays; where it ends does not depend on it
        origin, guess = jax.lax.stop_gradient((origin, guess))
    rays = Rays(origin, direction, targets, np.concatenate([places] * len(signs))[:, None], guess)
    return crossings(profile, rays)


def _signs(kind: IntervalKind) -> tuple[int, ...]:
    return {IntervalKind.TWO_SIDED: (-1, 1), IntervalKind.UPPER: (1,), IntervalKind.LOWER: (-1,)}[kind]


def _result(
    profile: Profile, found: Crossings, places, confidence_level, target, names: tuple[str, ...], kind: IntervalKind
) -> Intervals:
    """The record, from what was found on the rays."""
    traced = is_traced(profile, found, target)
    xp = jnp if traced else np
    best, lower, upper, fixed = (
        (x if traced else on_host(x))[places]
        for x in (profile.best.vector, profile.problem.lower, profile.problem.upper, profile.problem.fixed)
    )
    still = jax.lax.stop_gradient(best) if traced else best
    ends, statuses, counts = {-1: lower, 1: upper}, {}, {}
    length, status, _, n_fits = (None if x is None else x.reshape(-1, len(names), *x.shape[1:]) for x in found)
    for row, sign in enumerate(_signs(kind)):
        end = xp.where(status[row] == End.AT_BOUND, ends[sign], still + sign * length[row])
        ends[sign] = xp.where(fixed, best, end)
        statuses[sign], counts[sign] = xp.where(fixed, End.FIXED, status[row]), n_fits[row]
    not_asked, none = xp.full(len(names), End.NOT_ASKED, xp.int32), xp.zeros(len(names), xp.int32)
    arrays = (
        *(ends[-1], ends[1], best),
        xp.stack([statuses.get(sign, not_asked) for sign in (-1, 1)], axis=-1).astype(xp.int32),
        xp.stack([counts.get(sign, none) for sign in (-1, 1)], axis=-1).astype(xp.int32),
        xp.asarray(confidence_level, best.dtype),
        xp.asarray(target**2, best.dtype),
    )
    return Intervals(*(arrays if traced else jax.device_put(arrays)), profile.best, names, kind)
