"""`profile_likelihood_ratio`: test the values of any number of parameters at once."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaincc, log_ndtr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import is_traced
from histjax.errors import FailedFit, InvalidModel
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.fitting.profile import Profile
from histjax.fitting.result import FitResult
from histjax.inference.walking import BELOW
from histjax.model.likelihood import Likelihood


class LikelihoodRatio(eqx.Module):
    r"""The outcome of a likelihood ratio test.

    **Fields:** `tmu` = \(-2 \ln \lambda\), with all other parameters profiled; `degrees_of_freedom`, the number of
    tested components; `p_value`, the probability of a `tmu` at least as large (Wilks, Ann. Math. Stat. 9 (1938) 60:
    chi-squared); `best` and `tested` values of the tested components `(tested,)`, whose `names` are static; `free` and
    `conditional` are the fits.
    """

    tmu: Float[Array, ""]
    degrees_of_freedom: int = eqx.field(static=True)
    p_value: Float[Array, ""]
    best: Float[Array, "tested"]
    tested: Float[Array, "tested"]
    names: tuple[str, ...] = eqx.field(static=True)
    free: FitResult
    conditional: FitResult


def profile_likelihood_ratio(
    likelihood: Likelihood,
    data=None,
    *,
    values: Mapping[str, ArrayLike],
    fixed: Mapping[str, ArrayLike] | None = None,
    init: Mapping[str, ArrayLike] | FitResult | None = None,
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
) -> LikelihoodRatio:
    """Test `values` of any subset of the parameters together, e.g. `{"mu": 1.0, "c": 0.0}`.

    **Arguments:** as for `histjax.fit`; the parameters of `values` are free in the denominator. A value outside its
    bounds may be tested, but the chi-squared law wants a best fit away from them.

    Traceable, mappable over `values` and data, and differentiable.

    **Raises:** `FailedFit`, `UnknownName`, `InvalidModel` where nothing is tested.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("search")))
    >>> result = histjax.profile_likelihood_ratio(model, values={"mu": 1.0, "ttbar_norm": 1.1})
    >>> print(f"{result.tmu:.4f} {result.p_value:.4f}")
    3.2822 0.1938
    """
    if not values:
        raise InvalidModel("no parameter is tested: give values={name: value}")
    settings = dict(fixed=fixed, init=init, bounds=bounds, minimiser=minimiser, throw=throw)
    profile = Profile.of(likelihood, data, **settings)
    places, tested = _components(likelihood, values)
    conditional = profile.at(np.array(places), tested)
    if not is_traced(profile.best.deviance, conditional.deviance):
        if throw and not np.all(conditional.converged):
            raise FailedFit(conditional.message, conditional)
        if float(conditional.deviance) < float(profile.best.deviance) - BELOW:
            # the free fit was not the lowest minimum
            profile = Profile.of(likelihood, data, **settings | {"init": conditional})
    names = tuple(likelihood.parameters.component_names[place] for place in places)
    return _ratio(profile.best, conditional, jnp.asarray(tested), places, names)


def _components(likelihood: Likelihood, values: Mapping[str, ArrayLike]):
    """Flat indices and values of the tested components."""
    places, parts = [], []
    for name, value in values.items():
        place = likelihood.parameters.index(name)
        size = place.stop - place.start
        if np.size(value) not in (1, size):
            raise InvalidModel(f"parameter {name!r} has {size} components, found a value of shape {np.shape(value)}")
        places += range(place.start, place.stop)
        xp = jnp if is_traced(value) else np
        parts.append(xp.broadcast_to(xp.reshape(xp.asarray(value, float), -1), (size,)))
    return tuple(places), (jnp if is_traced(parts) else np).concatenate(parts)


@eqx.filter_jit
def _ratio(free: FitResult, conditional: FitResult, tested, places: tuple[int, ...], names) -> LikelihoodRatio:
    difference = conditional.deviance - free.deviance
    tmu = jnp.where(difference > 0, difference, 0.0)
    p_value = chi_squared_p_value(tmu, len(places))
    return LikelihoodRatio(tmu, len(places), p_value, free.vector[jnp.array(places)], tested, names, free, conditional)


def chi_squared_p_value(x: Float[Array, "..."], degrees_of_freedom: int) -> Float[Array, "..."]:
    """Probability of a chi-squared variable of at least `x`.

    >>> print(f"{chi_squared_p_value(jnp.array(1.0), 1):.6f}")
    0.317311
    """
    if degrees_of_freedom == 1:  # exact in the tail, with a derivative
        positive = x > 0
        root = jnp.sqrt(jnp.where(positive, x, 1.0))
        return jnp.where(positive, 2 * jnp.exp(log_ndtr(-root)), 1.0)
    return gammaincc(0.5 * degrees_of_freedom, 0.5 * jax.nn.relu(x))
