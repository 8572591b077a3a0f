"""Derivatives through a fit, against central differences and closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax


def difference(function, x, step):
    """Central difference in every component, with one Richardson step: the error is of fourth order in `step`."""
    x = np.asarray(x, float)
    columns = []
    for index in np.ndindex(x.shape):

        def at(h, index=index):
            moved = x.copy()
            moved[index] += h
            return np.asarray(function(jnp.asarray(moved)))

        coarse, fine = (at(2 * step) - at(-2 * step)) / (4 * step), (at(step) - at(-step)) / (2 * step)
        columns.append((4 * fine - coarse) / 3)
    return np.stack(columns, axis=-1).reshape(*np.shape(columns[0]), *x.shape)


@pytest.fixture(scope="module")
def model(compile_case):
    """One of each of the seven modifiers."""
    return compile_case("everything")


@pytest.fixture(scope="module")
def by_yields(model):
    """Best fit and value as functions of the signal yields."""
    return jax.jit(lambda yields: summary(histjax.fit(model.with_yields({("zeta", "signal"): yields}), model.data)))


@pytest.fixture(scope="module")
def by_data(model):
    """Best fit and value as functions of the flat data: counts and auxiliary data."""
    return jax.jit(lambda flat: summary(histjax.fit(model, model.unravel_data(flat))))


def summary(result):
    """All best-fit values, and -2 ln L."""
    return jnp.append(result.vector, result.twice_nll)


def test_with_respect_to_yields(by_yields):
    """Through `derive` (widths and rates follow the yields) and the minimum; forward and reverse agree."""
    yields = jnp.array([6.0, 9.0])
    forward, reverse = jax.jacfwd(by_yields)(yields), jax.jacrev(by_yields)(yields)
    np.testing.assert_allclose(forward, difference(by_yields, yields, 1e-2), rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(forward, reverse, rtol=1e-9, atol=1e-10)


def test_with_respect_to_data(model, by_data):
    """Counts and auxiliary data alike."""
    flat = model.ravel_data(model.data)
    forward = np.asarray(jax.jacfwd(by_data)(flat))
    for index in range(0, flat.size, 3):
        step = 1e-3 * max(1.0, abs(float(flat[index])))
        moved = difference(lambda x, index=index: by_data(flat.at[index].set(x)), flat[index], step)
        np.testing.assert_allclose(forward[:, index], moved, rtol=5e-6, atol=1e-7)


def test_with_respect_to_a_fixed_value(model):
    """The other parameters follow, and the slope of -2 ln L is that of the profile likelihood."""
    profile = jax.jit(lambda value: summary(histjax.fit(model, fixed={"mu": value})))
    np.testing.assert_allclose(jax.jacfwd(profile)(0.6), difference(profile, 0.6, 1e-2), rtol=2e-6, atol=1e-7)


def test_at_an_active_bound(compile_case):
    """A parameter that is held by its bound does not move with the data; it moves with the bound.

    At mu = 0, gamma = (n + tau)/(b + tau), so d gamma / d n = 1/(b + tau).
    """
    model = compile_case("two-bins")

    def best(counts, lower):
        data = eqx.tree_at(lambda data: data.main["singlechannel"], model.data, counts)
        return histjax.fit(model, data, bounds={"mu": (lower, 10.0)}).vector

    by_counts, by_bound = jax.jit(jax.jacfwd(best, argnums=(0, 1)))(jnp.array([51.0, 48.0]), jnp.array(0.0))
    b, u = np.array([50.0, 52.0]), np.array([3.0, 7.0])
    expected = np.zeros((3, 2))
    expected[1:, :] = np.diag(1 / (b + (b / u) ** 2))
    np.testing.assert_allclose(by_counts, expected, rtol=1e-8, atol=1e-12)
    assert float(by_bound[0]) == 1.0
    assert np.all(np.asarray(by_bound[1:]) < 0)


def test_through_vmap_and_jit(model):
    """A batch of gradients is the gradients one by one."""

    def value(yields):
        return histjax.fit(model.with_yields({("zeta", "signal"): yields}), model.data, fixed={"mu": 1.0}).twice_nll

    many = jnp.array([[6.0, 9.0], [5.0, 11.0]])
    batch = jax.jit(jax.vmap(jax.grad(value)))(many)
    alone = jax.jit(jax.grad(value))
    np.testing.assert_allclose(batch, jnp.stack([alone(each) for each in many]), rtol=1e-9)


def test_second_derivative_of_the_profile(compile_case):
    """Half the second derivative of the profiled -2 ln L at the minimum is 1 / sigma^2, sigma from the covariance.

    Uncapped bounds, so that nothing is held: mu = (n - b) / s for one bin and sigma^2 = (n + u^2) / s^2 at gamma = 1.
    """
    model = compile_case("precise-background")
    result = histjax.fit(model)

    def profile(value):
        return histjax.fit(model, fixed={"mu": value}).twice_nll

    second = jax.jit(jax.grad(jax.grad(profile)))(0.8)
    sigma = np.sqrt(2004 + 2000.0**2 / 2e11) / 5
    assert 0.5 * float(second) == pytest.approx(sigma**-2, rel=1e-7)
    assert float(result.uncertainty["mu"]) == pytest.approx(sigma, rel=1e-7)


def test_derivative_of_an_uncertainty(compile_case):
    """sigma(mu) = sqrt(n)/s for one bin without constraints: d sigma / d n = 1 / (2 s sqrt(n))."""
    model = compile_case("flat")

    def sigma(count):
        data = eqx.tree_at(lambda data: data.main["SR"], model.data, count[None])
        return histjax.fit(model, data, fixed={"mu": 1.0}).uncertainty["norm"]

    assert float(jax.grad(sigma)(jnp.array(26.0))) == pytest.approx(1 / (2 * 20 * np.sqrt(26)), rel=1e-7)
