"""The general integral of a density, where there is no closed form: composite Gauss-Legendre in log space.

Between the breaks of a density (kinks, ends of its support, flanks of a peak) it is smooth, and there a rule of order
16 on a few panels is exact to rounding. `error_of` compares with twice the panels, `panels_for` finds how many are
needed at given parameters: both on the host, once; the integral itself is a pure JAX function of the parameters, the
breaks and the limits, with derivatives of every order.
"""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax._typing import is_traced
from histjax.errors import InvalidModel
from histjax.hs3.intervals import gauss_legendre, log_of

LogDensity = Callable[[dict[str, Array]], Array]
"""ln f of observables that are arrays `(points,)`: `(points,)`."""

Limits = Mapping[str, tuple[Array, Array]]
Breaks = Mapping[str, Sequence[Array]]


def log_integral_of(
    log_density: LogDensity, limits: Limits, breaks: Breaks | None = None, panels: int = 4, order: int = 16
) -> Array:
    """ln of the integral of a density over one to three observables, `()`.

    **Arguments:**

    - `log_density`: ln f; `-inf` where f is 0.
    - `limits`: the range of each observable that is integrated over. An infinite end is mapped to a finite one beyond
      the outermost break (exact for what falls faster than 1/x^2); it has to be known while tracing.
    - `breaks`: values between which f is smooth, numbers or arrays, in any order; what lies outside of the range is
      ignored.
    - `panels`: how many equal panels between two breaks; `order`: nodes of each.
    """
    rules = [_rule(*limits[x], tuple((breaks or {}).get(x, ())), panels, order) for x in limits]
    nodes = jnp.meshgrid(*(points for points, _ in rules), indexing="ij")
    weights = rules[0][1]
    for _, each in rules[1:]:
        weights = weights[..., None] * each
    heights = log_density({x: jnp.ravel(points) for x, points in zip(limits, nodes, strict=True)})
    heights = jnp.broadcast_to(heights, (weights.size,))
    highest = jax.lax.stop_gradient(jnp.max(heights))
    shift = jnp.where(jnp.isfinite(highest), highest, 0.0)
    return log_of(jnp.dot(jnp.exp(heights - shift), jnp.ravel(weights))) + shift


def error_of(
    log_density: LogDensity, limits: Limits, breaks: Breaks | None = None, panels: int = 4, order: int = 16
) -> float:
    """Relative error of the integral, as its difference to the one with twice the panels (which is far smaller)."""
    coarse, fine = (_known(log_density, limits, breaks, each, order) for each in (panels, 2 * panels))
    return _difference(coarse, fine)


def panels_for(
    log_density: LogDensity,
    limits: Limits,
    breaks: Breaks | None = None,
    *,
    tolerance: float = 1e-10,
    order: int = 16,
    most: int | None = None,
) -> int:
    """The power of two of panels with which the integral is within a relative `tolerance`.

    **Arguments:** as of `log_integral_of`, at parameters that are known; `most`: where to give up, by default 4096
    panels for one observable, 32 for two and 4 for three.

    **Raises:** `histjax.errors.InvalidModel` where `most` panels do not reach it.
    """
    most = {1: 4096, 2: 32}.get(len(limits), 4) if most is None else most
    panels, coarse, error = 1, _known(log_density, limits, breaks, 1, order), np.inf
    while panels <= most:
        fine = _known(log_density, limits, breaks, 2 * panels, order)
        error = _difference(coarse, fine)
        if error <= tolerance:
            return panels
        panels, coarse = 2 * panels, fine
    raise InvalidModel(
        f"the integral over {', '.join(limits)} is not known to {tolerance:g} with {most} panels (difference"
        f" {error:.1g}); is the density finite on the whole range, and is the range not far wider than it?"
    )


def _known(log_density: LogDensity, limits: Limits, breaks: Breaks | None, panels: int, order: int) -> float:
    """The integral at parameters that are known, as one program; what is infinite is known while tracing."""
    finite = {(x, end): each for x, ends in limits.items() for end, each in enumerate(ends) if np.isfinite(each)}

    @jax.jit
    def integral(finite, breaks):
        ends = {x: tuple(finite.get((x, end), each) for end, each in enumerate(pair)) for x, pair in limits.items()}
        return log_integral_of(log_density, ends, breaks, panels, order)

    return float(integral(finite, {x: tuple(each) for x, each in (breaks or {}).items()}))


def _difference(coarse: float, fine: float) -> float:
    return 0.0 if coarse == fine else abs(coarse - fine)


def _rule(lo: Array, hi: Array, breaks: Sequence[Array], panels: int, order: int) -> tuple[Array, Array]:
    """Nodes and weights of one observable, `(segments * panels * order,)` each."""
    open_lo, open_hi = (not is_traced(each) and bool(np.isinf(each)) for each in (lo, hi))
    inner = [jnp.ravel(jnp.asarray(each)) for each in breaks]
    if open_lo and open_hi and not inner:
        inner = [jnp.zeros(1, jnp.asarray(lo).dtype)]
    edges = [jnp.clip(jnp.sort(jnp.concatenate(inner)), lo, hi)] if inner else []
    edges = [] if open_lo else [jnp.ravel(jnp.asarray(lo))], edges, [] if open_hi else [jnp.ravel(jnp.asarray(hi))]
    edges = jnp.concatenate([each for part in edges for each in part])
    first, last = edges[0], edges[-1]
    spread = jax.lax.stop_gradient(last - first)
    scale = jnp.where(spread > 0, spread, jnp.maximum(1.0, jnp.abs(jax.lax.stop_gradient(first))))
    t, w = (jnp.asarray(each, edges.dtype) for each in _unit_panels(panels, order))
    widths = edges[1:] - edges[:-1]
    points, weights = [jnp.ravel(edges[:-1, None] + widths[:, None] * t)], [jnp.ravel(widths[:, None] * w)]
    tail, tail_weights = scale * t / (1 - t), scale * w / jnp.square(1 - t)
    if open_lo:
        points, weights = [first - tail, *points], [tail_weights, *weights]
    if open_hi:
        points, weights = [*points, last + tail], [*weights, tail_weights]
    return jnp.concatenate(points), jnp.concatenate(weights)


def _unit_panels(panels: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """The rule on (0, 1) in equal panels."""
    nodes, weights = gauss_legendre(order)
    starts = np.arange(panels)[:, None]
    return ((starts + 0.5 * (nodes + 1)) / panels).ravel(), np.tile(0.5 * weights / panels, panels)
