"""An HS3 analysis behind the likelihood interface: events, counts, points and HistFactory channels in one model."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from histjax._typing import Params
from histjax.errors import UnknownName
from histjax.hs3.composites import Composite
from histjax.hs3.constraints import drawn_datum, expected_datum
from histjax.hs3.drawing import draw_bins, draw_events, expected_events
from histjax.hs3.plan import Events, Measured, Pair, Plan
from histjax.hs3.terms import (
    expected_bins,
    log_bins,
    log_centres,
    log_constraint,
    log_events,
    log_number,
    log_point,
)
from histjax.model.compiled import method
from histjax.model.data import Data
from histjax.model.histfactory import Model
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters

CHUNK = 2048
"""Events whose derivatives are computed together: their intermediate arrays stay in the processor's cache."""


class HS3Likelihood(Likelihood):
    """A likelihood of HS3: a frozen pytree with pure methods; make it with `histjax.compile`.

    `params` is `{name: array}`; `data` a `Measured`. HistFactory channels go through the HistFactory model, whose
    parameters come first; the rest is one traced graph, each node once.
    """

    long_arrays = True

    plan: Plan = eqx.field(static=True)
    parameters: Parameters
    data: Measured
    poi: str | None = eqx.field(static=True)
    histfactory: Model | None
    channels: tuple[tuple[str, str], ...] = eqx.field(static=True)
    """Channel of the HistFactory model and name of its data, in pairs."""

    @property
    def init(self) -> Params:
        """The initial parameter point."""
        return self.parameters.unravel(self.parameters.init)

    @property
    def kinks(self) -> tuple[int, ...]:
        """Those of the HistFactory channels."""
        return () if self.histfactory is None else self.histfactory.kinks

    # --- densities -------------------------------------------------------------------------------------------------

    @method
    def logpdf(self, params: Params, data: Measured) -> Float[Array, ""]:
        r"""ln of the density of the data, constraint terms included.

        An extended density of events is \(\nu^N e^{-\nu} \prod_j p(x_j)\), without 1/N!, as RooFit and PyHS3 have it.
        """
        return self._logpdf(self.parameters.ravel(params), self.ravel_data(data))

    @method
    def logpdf_terms(self, params: Params, data: Measured) -> dict[str, Array]:
        """The log density by distribution; together they are `logpdf`. HistFactory channels are one term, `""`."""
        vector, data = self.parameters.ravel(params), self.ravel_data(data)
        values = self._values(vector, data)
        terms = {pair.distribution: jnp.zeros(()) for pair in self.plan.pairs}
        for pair in self.plan.pairs:
            terms[pair.distribution] += self._pair(pair, values, data.main[pair.data])
            if pair.kind == "unbinned":
                terms[pair.distribution] += log_events(self.plan.graph, pair, values, data.main[pair.data])
        for each in self.plan.constraints:
            terms[each.distribution] = log_constraint(self.plan.graph, each, values)
        if self.histfactory is not None:
            terms[""] = self.histfactory.logpdf(
                self.histfactory.unravel(vector[: self._n_first]), self._channel_data(data)
            )
        return terms

    def ravel_data(self, data: Measured) -> Measured:
        """The dataset itself, with the names checked."""
        for name in {each.data for each in self.plan.pairs} | {name for _, name in self.channels}:
            if name not in data.main:
                raise UnknownName("data", name, data.main)
        return data

    def conditioned_on(self, data: Measured) -> "HS3Likelihood":
        """With these data in place of its own: densities that are not extended expect as many events as were seen."""
        return eqx.tree_at(lambda each: each.data, self, data)

    def equal_shapes(self, first: Measured, second: Measured) -> tuple[Measured, Measured]:
        """The same datasets with as many places for events; those that are filled up have weight 0."""
        main = {}
        for name, observed in first.main.items():
            other = second.main[name]
            if isinstance(observed, Events):
                n = max(observed.weights.size, other.weights.size)
                observed, other = observed.padded(n), other.padded(n)
            main[name] = observed, other
        return tuple(Measured({k: v[i] for k, v in main.items()}, each.aux) for i, each in enumerate((first, second)))

    def _logpdf(self, vector: Array, data: Measured) -> Float[Array, ""]:
        total = self._without_events(vector, data)
        for pair in self.plan.pairs:
            if pair.kind == "unbinned":
                values = self._values(vector, data)
                total += _summed(
                    lambda events, pair=pair, values=values: log_events(self.plan.graph, pair, values, events),
                    data.main[pair.data],
                )
        if self.histfactory is not None:
            first = self.histfactory.unravel(vector[: self._n_first])
            total += self.histfactory.logpdf(first, self._channel_data(data))
        return total

    def _without_events(self, vector: Array, data: Measured) -> Float[Array, ""]:
        """Everything but the sums over events and the HistFactory channels."""
        values = self._values(vector, data)
        total = jnp.zeros(())
        for pair in self.plan.pairs:
            total += self._pair(pair, values, data.main[pair.data])
        for each in self.plan.constraints:
            total += log_constraint(self.plan.graph, each, values)
        return total

    def _pair(self, pair: Pair, values: Mapping[str, Array], observed) -> Float[Array, ""]:
        """The term of one pair; of events only that of their number."""
        if pair.kind == "unbinned":
            return log_number(self.plan.graph, pair, values, jnp.sum(observed.weights))
        term = {"binned": log_bins, "centres": log_centres, "point": log_point}[pair.kind]
        return term(self.plan.graph, pair, values, observed)

    def _values(self, vector: Array, data: Measured) -> dict[str, Array]:
        """Values of all leaves: parameters, and the auxiliary data under the names of the global observables."""
        named = {name: vector[place] for name, place in self.plan.places}
        return named | {each.datum: data.aux[each.datum] for each in self.plan.constraints if each.datum is not None}

    # --- what is minimised -----------------------------------------------------------------------------------------

    def nll(self, vector: Float[Array, "parameters"], data) -> Float[Array, ""]:
        """-logpdf at a flat parameter vector; that of HistFactory channels is relative to the saturated model."""
        return self.saturated_logpdf(data) - self._logpdf(vector, data)

    def saturated_logpdf(self, data) -> Float[Array, ""]:
        """That of the HistFactory channels."""
        if self.histfactory is None:
            return jnp.zeros(())
        return self.histfactory.saturated_logpdf(self.histfactory.ravel_data(self._channel_data(data)))

    def nll_derivatives(self, vector: Float[Array, "parameters"], data) -> tuple[Array, Array, Array]:
        """`nll`, gradient and Hessian, with the sums over events done piece by piece."""
        total = _twice(lambda x: -self._without_events(x, data), vector)
        for pair in self.plan.pairs:
            if pair.kind == "unbinned":
                total = jax.tree.map(jnp.add, total, self._events_derivatives(pair, vector, data))
        if self.histfactory is None:
            return total
        n, inner = self._n_first, self.histfactory
        first = inner.nll_derivatives(vector[:n], inner.ravel_data(self._channel_data(data)))
        value, gradient, hessian = total
        return value + first[0], gradient.at[:n].add(first[1]), hessian.at[:n, :n].add(first[2])

    def _events_derivatives(self, pair: Pair, vector: Array, data: Measured) -> tuple[Array, Array, Array]:
        def of_chunk(events: Events):
            return _twice(lambda x: -log_events(self.plan.graph, pair, self._values(x, data), events), vector)

        return _summed(of_chunk, data.main[pair.data])

    def is_impossible(self, vector: Float[Array, "parameters"], data) -> Bool[Array, ""]:
        """`True` where a HistFactory channel cannot describe its counts, or the density of an event is not positive."""
        impossible = ~jnp.isfinite(self._logpdf(vector, data))
        if self.histfactory is None:
            return impossible
        flat = self.histfactory.ravel_data(self._channel_data(data))
        return impossible | self.histfactory.is_impossible(vector[: self._n_first], flat)

    # --- expectation and toys --------------------------------------------------------------------------------------

    @method
    def expected_data(self, params: Params) -> Measured:
        """The dataset that is expected at `params`: counts, and for events weighted ones at the nodes of a quadrature
        rule; auxiliary data are shifted too.
        """
        vector = self.parameters.ravel(params)
        values, graph = self._values(vector, self.data), self.plan.graph
        main, aux = {}, {}
        for pair in self.plan.pairs:
            observed = self.data.main[pair.data]
            if pair.kind == "unbinned":
                main[pair.data] = expected_events(graph, pair, values, jnp.sum(observed.weights))
            elif pair.kind == "point":
                main[pair.data] = jnp.reshape(
                    expected_datum(graph, pair.distribution, pair.observables[0], values), (1,)
                )
            else:
                main[pair.data] = expected_bins(graph, pair, values, jnp.sum(observed))
        for each in self.plan.constraints:
            if each.datum is not None:
                aux[each.datum] = expected_datum(graph, each.distribution, each.datum, values)
        return self._with_channels(Measured(main, aux), lambda model, first: model.expected_data(first), vector)

    @method
    def draw(self, key: PRNGKeyArray, params: Params) -> Measured:
        """One pseudo-dataset thrown at `params`, auxiliary data drawn too.

        Events have a fixed number of places, with weight 0 where there is no event (see `Plan.capacity`).
        """
        vector = self.parameters.ravel(params)
        values, graph = self._values(vector, self.data), self.plan.graph
        key, channel_key, *keys = jax.random.split(key, 2 + len(self.plan.pairs) + len(self.plan.constraints))
        main, aux = {}, {}
        for key, pair, capacity in zip(keys, self.plan.pairs, self.plan.capacity, strict=False):
            observed = self.data.main[pair.data]
            if pair.kind == "unbinned":
                main[pair.data] = draw_events(key, graph, pair, values, jnp.sum(observed.weights), capacity)
            elif pair.kind == "point":
                drawn = drawn_datum(key, graph, pair.distribution, pair.observables[0], values)
                main[pair.data] = jnp.reshape(drawn, (1,))
            else:
                node = graph[pair.distribution]
                extended = isinstance(node, Composite) and self._rate(pair, values) is not None
                main[pair.data] = draw_bins(key, graph, pair, values, jnp.sum(observed), extended)
        for key, each in zip(keys[len(self.plan.pairs) :], self.plan.constraints, strict=True):
            if each.datum is not None:
                aux[each.datum] = drawn_datum(key, graph, each.distribution, each.datum, values)
        return self._with_channels(Measured(main, aux), lambda model, first: model.draw(channel_key, first), vector)

    def _rate(self, pair: Pair, values):
        from histjax.hs3.graph import Evaluation

        return Evaluation(self.plan.graph, values, pair.box).rate(pair.distribution)

    # --- HistFactory channels --------------------------------------------------------------------------------------

    @property
    def _n_first(self) -> int:
        return self.histfactory.parameters.init.size

    def _channel_data(self, data: Measured) -> Data:
        aux = {each: data.aux[each] for each in self.histfactory.data.aux}
        return Data({channel: data.main[name] for channel, name in self.channels}, aux)

    def _with_channels(self, data: Measured, make, vector: Array) -> Measured:
        if self.histfactory is None:
            return data
        made: Data = make(self.histfactory, self.histfactory.unravel(vector[: self._n_first]))
        return Measured(data.main | {name: made.main[channel] for channel, name in self.channels}, data.aux | made.aux)


def _twice(function, x: Array) -> tuple[Array, Array, Array]:
    """Value, gradient and Hessian of a function of a vector."""

    def gradient(x):
        value, slope = jax.value_and_grad(function)(x)
        return slope, (value, slope)

    hessian, (value, slope) = jax.jacfwd(gradient, has_aux=True)(x)
    return value, slope, hessian


def _summed(function, events: Events):
    """The sum of `function` over pieces of the events; the last one is filled up with events of weight 0."""
    n = events.weights.size
    if n <= CHUNK:
        return function(events)
    pieces = -(-n // CHUNK)
    filled = events.padded(pieces * CHUNK)
    split = jax.tree.map(lambda each: each.reshape(pieces, CHUNK, *each.shape[1:]), filled)

    def add(total, piece):
        return jax.tree.map(jnp.add, total, function(piece)), None

    shapes = jax.eval_shape(function, jax.tree.map(lambda each: each[0], split))
    return jax.lax.scan(add, jax.tree.map(lambda each: jnp.zeros(each.shape, each.dtype), shapes), split)[0]
