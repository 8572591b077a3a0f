"""`predicted_yields`: expected counts with their uncertainties, before and after a fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import split
from histjax.errors import InvalidModel
from histjax.fitting.covariance import covariance_root
from histjax.fitting.result import FitResult
from histjax.model.effects import bin_yields, cell_yields
from histjax.model.histfactory import Model

INFINITE = 1e8
"""A variance that exceeds that of uncorrelated parameters by this factor comes from a flat direction."""


class YieldTable(eqx.Module):
    """Numbers per bin, channel and sample, in expected counts.

    **Fields:** `bins` `{channel: (bins,)}`; `channels` `{channel: ()}` for the sum over bins; `sample_bins`
    `{channel: {sample: (bins,)}}`; `samples` `{channel: {sample: ()}}` for the sum over the bins of a channel.
    """

    bins: dict[str, Float[Array, "..."]]
    channels: dict[str, Float[Array, "..."]]
    sample_bins: dict[str, dict[str, Float[Array, "..."]]]
    samples: dict[str, dict[str, Float[Array, "..."]]]


class Yields(eqx.Module):
    """Expected counts and one standard deviation of each.

    **Fields:** `expected`, `uncertainty`: a `YieldTable` each; `observed` `{channel: (bins,)}`; `is_postfit`.
    """

    expected: YieldTable
    uncertainty: YieldTable
    observed: dict[str, Float[Array, "..."]]
    is_postfit: bool = eqx.field(static=True)

    def __str__(self) -> str:
        from histjax.inference.ranking_printing import yields_table

        return yields_table(self)

    __repr__ = __str__


def predicted_yields(model: Model, result: FitResult | None = None, data=None) -> Yields:
    r"""Expected counts per bin, channel and sample with uncertainties: postfit for the result of a fit, else prefit.

    \(\sigma^2 = \sum_k (J R)_{ik}^2\) with the exact Jacobian \(J\) of the yields and \(R R^T\) the covariance: one
    derivative for each parameter, no loop over pairs. Sums over bins or samples are yields like the others, so that all
    correlations count.

    - Postfit: at the best fit, with the covariance of `result`. Held parameters do not contribute. Where a flat
      direction of the likelihood changes a yield, its uncertainty is infinite.
    - Prefit: constrained parameters where the auxiliary data of `data` (by default the model's) put them, with the
      covariance of their constraint terms (staterror and shapesys included); free and fixed ones at their initial
      value, without uncertainty. As in cabinetry, which displaces parameters by finite steps: the two differ where an
      effect is not linear.

    Differentiable (through a fit in the same trace as well); inside `vmap` map over `result`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> prefit = histjax.predicted_yields(model)
    >>> print(prefit.expected.bins["singlechannel"], prefit.uncertainty.bins["singlechannel"])
    [62. 63.] [3. 7.]
    >>> postfit = histjax.predicted_yields(model, histjax.fit(model))
    >>> print(f"{postfit.uncertainty.channels['singlechannel']:.4f}")
    5.6513
    """
    if not isinstance(model, Model):
        raise InvalidModel(
            f"expected yields are those of the bins of a HistFactory model, found a {type(model).__name__}; its"
            " `expected_data` are what it has in their place"
        )
    data = model.data if data is None else data
    flat = model.ravel_data(data)
    observed = {name: jnp.asarray(value) for name, value in model.unravel_data(flat).main.items()}
    numbers = _prefit(model, flat) if result is None else _postfit(model, result)
    return Yields(*(_table(model, *each) for each in numbers), observed, result is not None)


@eqx.filter_jit
def _postfit(model: Model, result: FitResult):
    held = result.fixed | result.active
    alone = jnp.where(held, 0.0, 1.0 / _positive(result.curvatures))
    return _propagated(model, result.vector, covariance_root(result.structure, result.curvature, held), alone)


@eqx.filter_jit
def _prefit(model: Model, data):
    parameters = model.parameters
    centre = model.constraint_centres(data)
    at_init = parameters.fixed | jnp.isnan(centre)
    point = jnp.where(at_init, parameters.init, centre)
    root = jnp.where(parameters.fixed[:, None], 0.0, model.prefit_root())
    return _propagated(model, point, root, jnp.sum(root**2, axis=1))


def _positive(values):
    return jnp.where(values < 1e-12, 1.0, values)


def _propagated(model: Model, vector, root: Float[Array, "parameters columns"], alone: Float[Array, "parameters"]):
    """Expected counts and uncertainties, each of bins, channels, cells and rows.

    `alone` are the variances that the parameters would have without correlations.
    """
    expected, along = jax.linearize(lambda x: _all_yields(model, x), vector)
    directions = jnp.eye(vector.size, dtype=vector.dtype)
    jacobian = jax.lax.map(along, directions, batch_size=min(64, vector.size)).T
    variance = jnp.sum((jacobian @ root) ** 2, axis=1)
    variance = jnp.where(variance > INFINITE * (jacobian**2 @ alone), jnp.inf, variance)
    positive = variance > 0
    sigma = jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)
    ends = np.cumsum([model.layout.n_bins, len(model.layout.channels), model.layout.n_cells])
    return jnp.split(expected, ends), jnp.split(sigma, ends)


def _all_yields(model: Model, vector: Float[Array, "parameters"]) -> Float[Array, "yields"]:
    """Expected counts of bins, channels, cells and rows after each other."""
    layout, tables = model.layout, model.tables
    cells = cell_yields(layout, tables, model.coefficients, model.functions, vector)
    bins = bin_yields(layout, tables, cells)
    channel_of_bin = np.repeat(np.arange(len(layout.channels)), [each.n_bins for each in layout.channels])
    channels = jax.ops.segment_sum(bins, channel_of_bin, len(layout.channels))
    return jnp.concatenate([bins, channels, cells, jax.ops.segment_sum(cells, tables.row_of_cell, len(layout.rows))])


def _table(model: Model, bins, channels, cells, rows) -> YieldTable:
    """By name."""
    layout = model.layout
    one_each = {each.name: (i, ()) for i, each in enumerate(layout.channels)}
    one_row = {(each.channel, each.sample): (i, ()) for i, each in enumerate(layout.rows)}
    of_channel = {each.name: (slice(each.start, each.stop), (each.n_bins,)) for each in layout.channels}
    return YieldTable(
        split(bins, of_channel),
        split(channels, one_each),
        _nested(split(cells, layout.row_places)),
        _nested(split(rows, one_row)),
    )


def _nested(values: dict[tuple[str, str], Array]) -> dict[str, dict[str, Array]]:
    """`{channel: {sample: ...}}`."""
    nested: dict[str, dict[str, Array]] = {}
    for (channel, sample), each in values.items():
        nested.setdefault(channel, {})[sample] = each
    return nested
