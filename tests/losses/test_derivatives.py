"""Derivatives of every loss against central differences of fourth order, on a search and on a published model.

One program gives all losses and their gradients with respect to how far yields, variations and edges of a histogram are
moved; of the steps in a training, only the first compiles.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import histograms, losses
from tests.fitting.test_compilations import nothing_compiled

SMALL, PUBLISHED = "search", "atlas_susy_2018_06_3L_eRJR__synthetic"
VARIATIONS = ("histosys_hi", "histosys_lo", "normsys_hi", "normsys_lo")
MOVED = ("nominal_yields", *VARIATIONS, "shapesys_uncertainty", "staterror_uncertainty")
LOSSES = (
    losses.expected_log_cls,
    losses.discovery_significance,
    losses.expected_limit,
    losses.interval_width,
    losses.fisher_information,
)
FAST = {"xla_backend_optimization_level": 0}
"""Compiles in two thirds of the time. The first derivatives are those of the programs that users have."""


class Case(eqx.Module):
    """A model, random directions of its templates, simulated events of its signal, and the edges of their histogram.

    The bins of the histogram are the bins of all channels that have the signal, one after the other.
    """

    model: histjax.Model
    directions: dict[str, jax.Array]
    values: jax.Array
    weights: jax.Array
    edges: jax.Array
    places: tuple[tuple[str, str, int, int], ...] = eqx.field(static=True)

    @classmethod
    def of(cls, model: histjax.Model, signal: str) -> "Case":
        """With the yields that the signal has."""
        random = np.random.default_rng(3)
        nominal = {name: np.asarray(getattr(model.templates, name)) for name in MOVED}
        directions = {k: jnp.asarray(v * random.uniform(0.5, 1.0, v.shape)) for k, v in nominal.items()}
        rows = [row for row in model.layout.rows if row.sample == signal]
        ends = np.cumsum([0, *(row.stop - row.start for row in rows)])
        places = tuple((r.channel, r.sample, int(a), int(b)) for r, a, b in zip(rows, ends, ends[1:], strict=False))
        counts = np.concatenate([nominal["nominal_yields"][row.start : row.stop] for row in rows])
        values = random.uniform(0, len(counts), 500)
        arrays = values, counts[values.astype(int)] * len(counts) / 500, np.arange(len(counts) + 1.0)
        return cls(model, directions, *map(jnp.asarray, arrays), places)

    def moved(self, step) -> histjax.Model:
        """The model with templates moved by the first steps and the edges of the signal's histogram by the rest."""
        templates = self.model.templates
        for name, size in zip(MOVED, step, strict=False):
            change = getattr(templates, name) + size * self.directions[name]
            templates = eqx.tree_at(lambda tree, name=name: getattr(tree, name), templates, change)
        counts = histograms.sigmoid_histogram(self.values, self.weights, self.edges + step[len(MOVED) :], 8.0)
        signal = {(channel, sample): counts[a:b] for channel, sample, a, b in self.places}
        scale = 1 + step[0]
        return self.model.with_templates(templates).with_yields({name: scale * each for name, each in signal.items()})


def answers(case: Case, step):
    """All losses, `(5,)`."""
    model = case.moved(step)
    return jnp.stack([loss(model) for loss in LOSSES])


@eqx.filter_jit
def with_slopes(case: Case, step):
    """The losses and their derivatives, `(5,)` and `(5, steps)`, in reverse mode."""
    value, pull = jax.vjp(lambda s: answers(case, s), step)
    return value, jax.vmap(pull)(jnp.eye(value.size))[0]


@partial(jax.jit, compiler_options=FAST)
def with_curvature(case: Case, step, direction):
    """Their first and second derivative in a direction."""

    def first(size):
        return jax.jvp(lambda s: answers(case, step + s * direction), (size,), (jnp.ones_like(size),))[1]

    return jax.jvp(first, (0.0,), (1.0,))


@pytest.fixture(scope="module", params=[SMALL, PUBLISHED])
def case(request) -> Case:
    """The example of a search, and a published model with 63 parameters and four channels."""
    if request.param == SMALL:
        return Case.of(histjax.compile(histjax.read(histjax.examples.path("search"))), "signal")
    manifest = request.getfixturevalue("manifest")
    entry = next(each for each in manifest["models"] if each["name"] == PUBLISHED)
    model = histjax.compile(histjax.read(request.getfixturevalue("corpus") / entry["file"]))
    assert model.layout.n_parameters == 63
    return Case.of(model, "synthetic_signal")


def test_gradients(case):
    """To 1e-5, with respect to yields, histosys and normsys variations, uncertainties and every edge."""
    zero, h = jnp.zeros(len(MOVED) + case.edges.size), 4e-4
    values, slopes = with_slopes(case, zero)
    assert np.all(np.isfinite(values)) and slopes.shape == (len(LOSSES), zero.size)
    for i in range(zero.size):

        def difference(size, i=i):
            return with_slopes(case, zero.at[i].set(size))[0] - with_slopes(case, zero.at[i].set(-size))[0]

        central = (8 * difference(h) - difference(2 * h)) / (12 * h)
        np.testing.assert_allclose(slopes[:, i], central, rtol=1e-5, atol=1e-8, err_msg=str(i))
    present = [getattr(case.model.templates, name).size > 0 for name in MOVED]
    assert np.all(np.abs(slopes[:, : len(MOVED)])[:, present] > 1e-5)  # none of them is a comparison of zeros
    assert np.all(np.any(np.abs(slopes[:, len(MOVED) :]) > 1e-4, axis=1))


def test_second_derivatives():
    """To 1e-3 of differences of first derivatives, in a direction that moves everything."""
    case = Case.of(histjax.compile(histjax.read(histjax.examples.path("search"))), "signal")
    direction = jnp.asarray(np.random.default_rng(4).uniform(0.2, 0.5, len(MOVED) + case.edges.size))
    zero, h = jnp.zeros_like(direction), 1e-3
    _, second = with_curvature(case, zero, direction)
    near, far = (
        with_slopes(case, size * direction)[1] @ direction - with_slopes(case, -size * direction)[1] @ direction
        for size in (h, 2 * h)
    )
    np.testing.assert_allclose(second, (8 * near - far) / (12 * h), rtol=1e-3)


def test_a_training_compiles_once(case):
    """From the second step on nothing is traced or compiled, wherever the first fit started."""

    @jax.jit
    def step(edges, start):
        def loss(edges):
            shifts = jnp.concatenate([jnp.zeros(len(MOVED)), edges])
            return losses.expected_log_cls.warm(case.moved(shifts), init=start)

        (value, start), slope = jax.value_and_grad(loss, has_aux=True)(edges)
        return value, edges - 0.02 * slope, start

    value, edges, start = step(jnp.zeros(case.edges.size), losses.WarmStart.of(case.model))
    with nothing_compiled():
        for _ in range(3):
            after, edges, start = step(edges, start)
    assert bool(start.converged) and float(after) < float(value)


def test_memory_does_not_grow_with_iterations():
    """The program of a gradient holds as many numbers for ten times as many iterations."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))

    def held(iterations):
        @partial(jax.jit, compiler_options=FAST)
        @jax.grad
        def slope(signal):
            yields = {("singlechannel", "signal"): signal}
            return losses.expected_log_cls(
                model.with_yields(yields), minimiser=histjax.Newton(max_iterations=iterations)
            )

        return slope.lower(jnp.ones(2)).compile().memory_analysis().temp_size_in_bytes

    assert held(500) == held(50)
