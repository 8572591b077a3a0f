"""Systematic variations of histograms: other weights or other inputs, and what a `staterror` needs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import float_dtype


class Shift(NamedTuple):
    """What one side of a systematic variation replaces: the values of the events, their weights, or both."""

    values: ArrayLike | None = None
    weights: ArrayLike | None = None


def varied_histograms(
    histogram: Callable[[ArrayLike, ArrayLike | None], Array],
    values: ArrayLike,
    weights: ArrayLike | None,
    variations: Mapping[str, tuple[Shift, Shift]],
) -> dict[str, tuple[Float[Array, "bins"], Float[Array, "bins"]]]:
    """Histograms of the same events with each systematic variation moved down and up.

    **Arguments:**

    - `histogram`: a function of values and weights, e.g. `lambda x, w: kde_histogram(x, w, edges, bandwidth)`.
    - `values`, `weights`: the nominal ones.
    - `variations`: `{name: (lo, hi)}`, a `Shift` each: `Shift(weights=...)` for event weights that change,
      `Shift(values=network(varied_inputs))` for inputs that do.

    **Returns:** `{name: (lo, hi)}`, absolute contents, as `Model.with_variations` takes them for a histosys.

    >>> import histjax.histograms as h
    >>> x, up, down = jnp.array([0.5, 1.5, 1.6]), jnp.array([1.1, 1.2, 1.2]), jnp.array([0.9, 0.8, 0.8])
    >>> histogram = lambda values, weights: h.kde_histogram(values, weights, jnp.array([0.0, 1.0, 2.0]), 0.0)
    >>> lo, hi = varied_histograms(histogram, x, None, {"scale": (Shift(weights=down), Shift(weights=up))})["scale"]
    >>> print(lo, hi)
    [0.9 1.6] [1.1 2.4]
    """

    def varied(shift: Shift) -> Array:
        moved = values if shift.values is None else shift.values
        return histogram(moved, weights if shift.weights is None else shift.weights)

    return {name: (varied(lo), varied(hi)) for name, (lo, hi) in variations.items()}


def uncertainties(variances: ArrayLike) -> Float[Array, "bins"]:
    """Square roots of variances; in an empty bin 0, with a derivative of 0 instead of infinity.

    >>> print(uncertainties(jnp.array([0.0, 4.0])))
    [0. 2.]
    """
    variances = jnp.asarray(variances, float_dtype())
    filled = variances > 0
    return jnp.where(filled, jnp.sqrt(jnp.where(filled, variances, 1.0)), 0.0)
