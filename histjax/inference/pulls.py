"""`pulls`: where a fit puts the constrained parameters, in units of what was known before."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from histjax.fitting.result import FitResult
from histjax.model.likelihood import Likelihood


class Pulls(eqx.Module):
    """Pulls of the parameters with constraint terms; the axis `constrained` is that of `names`.

    **Fields:**

    - `names`: the components.
    - `best`, `uncertainty`: postfit value and uncertainty.
    - `centre`, `width`: what the auxiliary measurement alone says: the value that describes its datum exactly (alpha
      for interpolating parameters, a / tau for a `shapesys` factor) and the prefit width.
    - `pull`: (best - centre) / width; NaN where the width is 0 (rules on empty bins).
    - `width_ratio`: uncertainty / width, below 1 where the data know more than the auxiliary measurement; 0 for held
      components.
    - `held`: whether the component was fixed or on a bound that the gradient pushes against.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    best: Float[Array, "constrained"]
    uncertainty: Float[Array, "constrained"]
    centre: Float[Array, "constrained"]
    width: Float[Array, "constrained"]
    pull: Float[Array, "constrained"]
    width_ratio: Float[Array, "constrained"]
    held: Bool[Array, "constrained"]

    def __str__(self) -> str:
        from histjax.inference.ranking_printing import pulls_table

        return pulls_table(self)

    __repr__ = __str__


def pulls(likelihood: Likelihood, result: FitResult, data=None) -> Pulls:
    """Pulls and constraint widths of the result of a fit to `data` (by default the likelihood's own).

    The centre is the one that the auxiliary data of `data` imply, which need not be the initial value. Works in a
    trace; inside `vmap` map over `result`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> result = histjax.pulls(model, histjax.fit(model))
    >>> print(result.names[0], f"{result.pull[0]:.3f} {result.width_ratio[0]:.3f}")
    uncorr_bkguncrt[0] 0.051 0.922
    """
    parameters = result.parameters
    flat = likelihood.ravel_data(likelihood.data if data is None else data)
    places = np.flatnonzero(parameters.constrained)
    names = tuple(parameters.component_names[i] for i in places)
    return _pulls(likelihood, result, flat, places, names)


@eqx.filter_jit
def _pulls(likelihood: Likelihood, result: FitResult, data, places, names: tuple[str, ...]) -> Pulls:
    best, width = result.vector[places], result.parameters.widths[places]
    variance = jnp.diagonal(result.covariance)[places]
    sigma = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0)
    centre = likelihood.constraint_centres(data)[places]
    scale = jnp.where(width > 0, width, jnp.nan)
    held = (result.fixed | result.active)[places]
    return Pulls(names, best, sigma, centre, width, (best - centre) / scale, sigma / scale, held)
