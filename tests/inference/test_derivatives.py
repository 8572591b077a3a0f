"""Derivatives through fits, tests and limits, against central differences; gradients are followed to the end.

One function of all numbers of a workspace, differentiated in one program, at a point where the best fit is inside its
bounds and at one where mu-hat lies on its bound.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax

MOVED = (
    "nominal_yields",
    "histosys_hi",
    "histosys_lo",
    "normsys_lo",
    "shapesys_uncertainty",
    "staterror_uncertainty",
    "sigmas",
    "auxdata",
    "observations",
)
STEP = 8e-4
OUTPUTS = 22


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """A search with all kinds of modifiers."""
    return histjax.compile(histjax.read(histjax.examples.path("search")))


@pytest.fixture(scope="module")
def directions(model):
    """A random relative change of the numbers of each kind."""
    random = np.random.default_rng(3)

    def direction(leaf):
        change = np.asarray(leaf) * random.uniform(0.5, 1.0, leaf.shape)
        return jnp.asarray(np.where(np.isnan(change), 0.0, change))

    return {name: direction(getattr(model.templates, name)) for name in MOVED}


def answers(model, directions, step):
    """Everything that comes out of the asymptotic formulae, `(22,)`, for numbers moved by `step`; the last moves the
    tested value.
    """
    templates = model.templates
    for name, size in zip(MOVED, step, strict=False):
        moved = getattr(templates, name) + size * directions[name]
        templates = eqx.tree_at(lambda tree, name=name: getattr(tree, name), templates, moved)
    moved = model.with_templates(templates)
    test = histjax.hypotest(moved, poi_value=1.0 + step[-1])
    discovery = histjax.significance(moved)
    limit = histjax.upper_limit(moved)
    numbers = [test.statistic, test.log_CLs, test.CLs, test.best, discovery.z, discovery.p0, limit.observed]
    return jnp.concatenate([jnp.stack(numbers), test.CLs_expected, limit.expected, discovery.z_expected])


@pytest.fixture(scope="module")
def value():
    """The answers, compiled once for every model of the structure."""
    return eqx.filter_jit(answers)


@pytest.fixture(scope="module")
def jacobian():
    """Their derivatives with respect to all steps."""
    return eqx.filter_jit(lambda model, directions, step: jax.jacfwd(lambda s: answers(model, directions, s))(step))


@pytest.mark.parametrize("deficit", [0.0, 12.0], ids=["inside", "at-bound"])
def test_first_derivatives(model, directions, value, jacobian, deficit):
    """To 1e-5 of central differences of fourth order, whose own error is about 1e-6 here."""
    region = next(channel for channel in model.layout.channels if channel.name == "signal_region")
    missing = deficit * jnp.array([0.5, 1.0, 1.0, 0.2])
    observations = model.templates.observations.at[region.start : region.stop].add(-missing)
    at = model.with_templates(eqx.tree_at(lambda t: t.observations, model.templates, observations))
    best = histjax.fit(at)
    assert bool(best.at_bound["mu"]) == (deficit > 0)
    zero = jnp.zeros(len(MOVED) + 1)
    derivatives = jacobian(at, directions, zero)
    assert derivatives.shape == (OUTPUTS, zero.size)

    def shifted(i, size):
        return value(at, directions, zero.at[i].set(size))

    for i in range(zero.size):
        near, far = (shifted(i, h) - shifted(i, -h) for h in (STEP, 2 * STEP))
        central = (8 * near - far) / (12 * STEP)
        np.testing.assert_allclose(derivatives[:, i], central, rtol=1e-5, atol=2e-6, err_msg=(*MOVED, "poi_value")[i])


def test_second_derivatives_of_a_limit():
    """Forward over forward in one direction, to 1e-6 of the central difference of first derivatives."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    direction = jnp.array([1.0, -0.5])

    def limit(size):
        signal = jnp.array([12.0, 11.0]) + size * direction
        return histjax.upper_limit(model.with_yields({("singlechannel", "signal"): signal})).observed

    def first(size):
        return jax.jvp(limit, (size,), (1.0,))[1]

    @jax.jit
    def both(size):
        return jax.jvp(first, (size,), (1.0,))

    (_, second), h = both(0.0), 1e-2
    near, far = (both(h)[0] - both(-h)[0], both(2 * h)[0] - both(-2 * h)[0])
    assert float(second) == pytest.approx(float((8 * near - far) / (12 * h)), rel=1e-5)


def test_the_gradient_of_a_limit_is_mapped():
    """Reverse mode under vmap gives, lane by lane, what the closed form of one counting bin implies: scaling s by k
    scales the limit by 1/k, so that s dlimit/ds = -limit.
    """
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))

    def limit(signal):
        return histjax.upper_limit(model.with_yields({("singlechannel", "signal"): signal})).observed

    signals = jnp.array([[12.0, 11.0], [6.0, 14.0], [20.0, 3.0]])
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(limit)))(signals)
    np.testing.assert_allclose(jnp.sum(signals * slopes, axis=1), -values, rtol=1e-6)
