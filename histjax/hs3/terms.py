"""The log-likelihood of each pair of distribution and data, and what is expected there."""

from collections.abc import Mapping

import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Array, Float

from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.plan import Constraint, Events, Pair
from histjax.model.density import log_poisson


def log_events(graph: Graph, pair: Pair, values: Mapping[str, Array], events: Events) -> Float[Array, ""]:
    r"""\(\sum_j w_j \ln p(x_j)\) over the events; those of weight 0 are not looked at."""
    counted = events.weights != 0
    # an empty place of a dataset is filled with its first event, whose density is finite, and counts 0
    rows = events.entries.T
    columns = {name: jnp.where(counted, x, x[:1]) for name, x in zip(pair.observables, rows, strict=True)}
    log_pdf = Evaluation(graph, {**values, **columns}, pair.box).log_pdf(pair.distribution)
    # not `jnp.sum`, which XLA would fuse with the density into a loop of single numbers: three times as slow
    return jnp.dot(jnp.where(counted, events.weights, 0.0), jnp.where(counted, log_pdf, 0.0))


def log_number(graph: Graph, pair: Pair, values: Mapping[str, Array], total: Array) -> Float[Array, ""]:
    r"""The extended term \(N \ln \nu - \nu\), without \(\ln N!\) as the field's tools have it; 0 if not extended."""
    rate = Evaluation(graph, values, pair.box).rate(pair.distribution)
    return jnp.zeros(()) if rate is None else xlogy(total, rate) - rate


def log_bins(graph: Graph, pair: Pair, values: Mapping[str, Array], counts: Float[Array, "bins"]) -> Float[Array, ""]:
    """Poisson counts where the distribution is extended, else a multinomial distribution of their sum."""
    logs, rate = _log_probabilities(graph, pair, values)
    if rate is not None:
        return jnp.sum(log_poisson(counts, rate * jnp.exp(logs)))
    arrangements = gammaln(jnp.sum(counts) + 1) - jnp.sum(gammaln(counts + 1))
    return arrangements + jnp.sum(jnp.where(counts > 0, counts * jnp.where(counts > 0, logs, 0.0), 0.0))


def log_centres(
    graph: Graph, pair: Pair, values: Mapping[str, Array], counts: Float[Array, "bins"]
) -> Float[Array, ""]:
    """Counts as so many events in the middle of the bins: what ROOT does with binned data and a continuous density."""
    middle = {name: (low + high) / 2 for name, (low, high) in pair.bins().items()}
    entries = jnp.stack([middle[name] for name in pair.observables], axis=1)
    return log_events(graph, pair, values, Events(entries, counts)) + log_number(graph, pair, values, jnp.sum(counts))


def log_point(graph: Graph, pair: Pair, values: Mapping[str, Array], point: Float[Array, "axes"]) -> Float[Array, ""]:
    """ln of the density at one observed point."""
    columns = {name: point[i] for i, name in enumerate(pair.observables)}
    return jnp.reshape(Evaluation(graph, {**values, **columns}, pair.box).log_pdf(pair.distribution), ())


def expected_bins(graph: Graph, pair: Pair, values: Mapping[str, Array], total: Array) -> Float[Array, "bins"]:
    """Expected counts; `total` is the number of events where the distribution says nothing of it."""
    logs, rate = _log_probabilities(graph, pair, values)
    return (total if rate is None else rate) * jnp.exp(logs)


def log_constraint(graph: Graph, constraint: Constraint, values: Mapping[str, Array]) -> Float[Array, ""]:
    """ln of the density of an auxiliary measurement, normalised over the whole line as in PyHS3; ROOT leaves out the
    constant of terms that are no factors of a product.
    """
    return jnp.reshape(Evaluation(graph, values, {}).log_pdf(constraint.distribution), ())


def _log_probabilities(graph: Graph, pair: Pair, values: Mapping[str, Array]) -> tuple[Array, Array | None]:
    """ln of the probability of each bin given that an event is in the range, and the rate."""
    rate = Evaluation(graph, values, pair.box).rate(pair.distribution)
    logs = Evaluation(graph, values, pair.box, pair.bins()).log_pdf(pair.distribution)
    return jnp.broadcast_to(logs, (pair.n_bins,)), rate
