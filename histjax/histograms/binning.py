"""Histograms of events with soft bins, and their variances."""

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from histjax._typing import float_dtype
from histjax.histograms.kernels import event_weights, shares


def kde_histogram(
    values: ArrayLike, weights: ArrayLike | None, edges: ArrayLike, bandwidth: ArrayLike
) -> Float[Array, "bins"]:
    r"""A kernel density estimate with a Gaussian kernel, integrated over bins.

    \[ h_b = \sum_i w_i \left[\Phi\left(\frac{e_{b+1} - x_i}{h}\right) - \Phi\left(\frac{e_b - x_i}{h}\right)\right] \]

    **Arguments:**

    - `values`: one number an event, `(events,)`; a value that is not a number makes the contents NaN.
    - `weights`: `(events,)`, of any sign; `None` for 1.
    - `edges`: `(bins + 1,)`, increasing; the first and the last may be infinite. Where they are traced it is not
      checked that they increase, and contents between edges in the wrong order are negative.
    - `bandwidth`: standard deviation h of the kernel, one number or one an event. 0 gives the hard histogram, with
      derivatives of 0.

    **Returns:** contents `(bins,)`, differentiable with respect to all arguments. On average they differ from those of
    the hard histogram by \(\frac{n h^2}{2} [f'(e_{b+1}) - f'(e_b)] + O(h^4)\) for n events of density f; kernels leak
    over the outer edges, unless these are infinite.

    **Raises:** `InvalidHistogram` for shapes that do not fit, edges in the wrong order, a negative bandwidth.

    >>> print(kde_histogram(jnp.array([0.5, 1.2, 3.9]), None, jnp.array([0.0, 1.0, 2.0, 4.0]), 0.0))
    [1. 1. 1.]
    >>> print(kde_histogram(jnp.array([0.5, 1.2, 3.9]), None, jnp.array([0.0, 1.0, 2.0, 4.0]), 0.1).round(3))
    [1.023 0.977 0.841]
    """
    return event_weights(values, weights) @ shares(values, edges, bandwidth, ndtr)


def sigmoid_histogram(
    values: ArrayLike, weights: ArrayLike | None, edges: ArrayLike, slope: ArrayLike
) -> Float[Array, "bins"]:
    r"""A histogram whose edges are sigmoids: an event is above an edge by \(1 / (1 + e^{-s (x - e)})\).

    \[ h_b = \sum_i w_i [\sigma(s (x_i - e_b)) - \sigma(s (x_i - e_{b+1}))] \]

    **Arguments:** as for `kde_histogram`; `slope`: steepness s of the edges, in units of 1/`values`; `jnp.inf` gives
    the hard histogram.

    **Returns:** contents `(bins,)`, differentiable with respect to all arguments, edges included. It is a kernel
    density estimate with a logistic kernel, of standard deviation \(\pi / (\sqrt{3} s)\), which is the one to put into
    the bias \(\frac{n \pi^2}{6 s^2} [f'(e_{b+1}) - f'(e_b)] + O(s^{-4})\). Its tails are longer than those of a
    Gaussian.

    **Raises:** `InvalidHistogram`.

    >>> edges = jnp.array([0.0, 1.0, 2.0])
    >>> print(sigmoid_histogram(jnp.array([0.5, 1.2, 1.9]), None, edges, 20.0).round(3))
    [1.018 1.863]
    >>> inner = jax.grad(lambda edge: sigmoid_histogram(jnp.array([0.9, 1.2]), None, edges.at[1].set(edge), 20.0)[0])
    >>> print(f"{inner(1.0):.4f}")
    2.4531
    """
    return event_weights(values, weights) @ shares(values, edges, _width(slope), jax.nn.sigmoid)


def kde_variances(
    values: ArrayLike, weights: ArrayLike | None, edges: ArrayLike, bandwidth: ArrayLike
) -> Float[Array, "bins"]:
    """Variances of the contents of `kde_histogram`: the sum of the squared soft weights in each bin.

    The number of events being Poisson, the variance of a sum of weights is estimated by the sum of their squares; the
    weight of an event in a bin is its own times the part of its kernel there. What moves between neighbouring bins is
    correlated, and the variance in each smaller than that of the hard histogram.

    **Returns:** `(bins,)`; `uncertainties` makes them input of a `staterror`.

    >>> print(kde_variances(jnp.array([0.5, 1.5, 1.6]), jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0, 2.0]), 0.0))
    [ 1. 13.]
    """
    return event_weights(values, weights) ** 2 @ shares(values, edges, bandwidth, ndtr) ** 2


def sigmoid_variances(
    values: ArrayLike, weights: ArrayLike | None, edges: ArrayLike, slope: ArrayLike
) -> Float[Array, "bins"]:
    """Variances of the contents of `sigmoid_histogram`, as those of `kde_histogram`.

    >>> print(sigmoid_variances(jnp.array([0.5, 1.5]), jnp.array([1.0, 2.0]), jnp.array([0.0, 1.0, 2.0]), jnp.inf))
    [1. 4.]
    """
    return event_weights(values, weights) ** 2 @ shares(values, edges, _width(slope), jax.nn.sigmoid) ** 2


def _width(slope: ArrayLike) -> Float[Array, "..."]:
    return 1 / jnp.asarray(slope, float_dtype())
