"""First-order minimisers behind the interface of `Newton`: the same minima, certified by the same certificate."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import histjax
from histjax import LBFGS, Optax, Status
from tests.fitting.likelihoods import double_well, wells
from tests.fitting.test_compilations import nothing_compiled
from tests.workspaces import BY_SLUG

SLUGS = ("two-bins", "everything", "shared-shapefactor", "large-yields")


@pytest.mark.parametrize("slug", SLUGS)
def test_lbfgs_over_the_table(slug, compile_case):
    """Value and best fit are those of the table: on bounds, with holes and with yields of 5e6."""
    case = BY_SLUG[slug]
    result = histjax.fit(compile_case(slug), minimiser=LBFGS())
    assert int(result.status) == Status.CONVERGED
    if case.twice_nll is not None:
        assert float(result.twice_nll) == pytest.approx(case.twice_nll, rel=1e-10, abs=1e-8)
    for name, value in case.best_fit.items():
        np.testing.assert_allclose(result.params[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_on_a_bound(compile_case):
    """Data below the background: mu lies on its bound exactly, the gammas are (n + tau)/(b + tau)."""
    result = histjax.fit(compile_case("two-bins"), minimiser=LBFGS())
    assert float(result.params["mu"]) == 0.0 and bool(result.at_bound["mu"])
    tau = np.array([50 / 3, 52 / 7]) ** 2
    expected = (np.array([51, 48]) + tau) / (np.array([50, 52]) + tau)
    np.testing.assert_allclose(result.params["uncorr_bkguncrt"], expected, rtol=1e-5)


@pytest.mark.parametrize("start", [0.0, 10.0, 0.3])
def test_away_from_a_bound(start, compile_case):
    """A start on the bound, with the slope pushing inwards, does not stay there."""
    model = compile_case("two-bins")
    data = eqx.tree_at(lambda data: data.main["singlechannel"], model.data, jnp.array([60.0, 65.0]))
    expected = histjax.fit(model, data)
    result = histjax.fit(model, data, init={"mu": start}, minimiser=LBFGS())
    np.testing.assert_allclose(result.vector, expected.vector, rtol=1e-5)
    assert 0 < float(result.params["mu"]) < 10


def test_fixed_and_bounds_are_arguments(compile_case):
    """A fixed value, even one outside its bounds, and other bounds: exact, and without another program."""
    model = compile_case("two-bins")
    histjax.fit(model, minimiser=LBFGS())
    with nothing_compiled():
        fixed = histjax.fit(model, fixed={"mu": 12.0}, minimiser=LBFGS())
        bounded = histjax.fit(model, bounds={"uncorr_bkguncrt[1]": (1.0, 1.5)}, minimiser=LBFGS())
    assert float(fixed.params["mu"]) == 12.0
    assert float(fixed.twice_nll) == pytest.approx(float(histjax.fit(model, fixed={"mu": 12.0}).twice_nll), rel=1e-10)
    assert float(bounded.params["uncorr_bkguncrt"][1]) == 1.0


def test_equal_values_share_a_program(compile_case):
    """`LBFGS()` twice is one program, and so is a transformation that is kept."""
    model, adam = compile_case("two-bins"), Optax(optax.adam(0.1), max_iterations=60)
    histjax.fit(model, minimiser=LBFGS()), histjax.fit(model, minimiser=adam, throw=False)
    with nothing_compiled():
        histjax.fit(model, minimiser=LBFGS())
        histjax.fit(model, minimiser=Optax(adam.transformation, max_iterations=60), throw=False)
    assert jax.tree.leaves(LBFGS()) == jax.tree.leaves(LBFGS())


@pytest.mark.parametrize(
    "transformation",
    [optax.adam(0.1), optax.chain(optax.trace(0.5), optax.scale(-0.03))],
    ids=["adam", "momentum"],
)
def test_a_warm_start(transformation, compile_case):
    """A few hundred rough steps inside the box, and a Newton fit from there: the minimum."""
    model = compile_case("everything")
    start = histjax.fit(model, fixed=model.init)
    rough = histjax.fit(model, minimiser=Optax(transformation, max_iterations=200), throw=False)
    lower, upper = model.parameters.lower, model.parameters.upper
    assert bool(jnp.all((rough.vector >= lower) & (rough.vector <= upper)))
    expected = histjax.fit(model)
    assert float(rough.twice_nll - expected.twice_nll) < 0.1 * float(start.twice_nll - expected.twice_nll)
    polished = histjax.fit(model, init=rough)
    np.testing.assert_allclose(polished.vector, expected.vector, rtol=1e-6, atol=1e-7)
    assert int(polished.n_iterations) <= int(expected.n_iterations)


def test_lowest_point_is_kept():
    """Steps that are far too long swing up: the result is no higher than the start, and it says that it failed."""
    well = double_well(0.3, start=-1.2)
    result = histjax.fit(well, minimiser=Optax(optax.sgd(2.0), max_iterations=10), throw=False)
    assert int(result.status) == Status.MAX_ITERATIONS
    assert float(result.twice_nll) <= -2 * float(well.logpdf({"x": jnp.array(-1.2)}, well.data))


def test_without_structure():
    """A hand-written likelihood: the root of the cubic, also in a batch."""
    well, expected = double_well(0.3, start=-0.7), wells(0.3)[0]
    result = histjax.fit(well, minimiser=LBFGS(tolerance=1e-9))
    assert float(result.params["x"]) == pytest.approx(expected[0], rel=1e-9)
    assert float(result.twice_nll) == pytest.approx(expected[1], rel=1e-12)
    tilts = jnp.array([0.1, 0.3, 0.5])
    batch = jax.vmap(lambda tilt: histjax.fit(well, tilt, minimiser=LBFGS()))(tilts)
    assert bool(jnp.all(batch.converged))
    np.testing.assert_allclose(batch.params["x"], [wells(float(tilt))[0][0] for tilt in tilts], rtol=1e-6)


def test_derivatives_through_the_minimum():
    """The implicit function theorem does not ask which minimiser it was: dx/dt = -1/(12 x^2 - 4)."""
    well = double_well(0.3, start=-0.7)
    slope = jax.grad(lambda tilt: histjax.fit(well, tilt, minimiser=LBFGS()).params["x"])(jnp.array(0.3))
    assert float(slope) == pytest.approx(-1 / (12 * wells(0.3)[0][0] ** 2 - 4), rel=1e-6)
    value = jax.grad(lambda tilt: histjax.fit(well, tilt, minimiser=LBFGS()).twice_nll)(jnp.array(0.3))
    assert float(value) == pytest.approx(2 * wells(0.3)[0][0], rel=1e-7)  # envelope theorem


def test_start_that_is_no_number():
    """NaN in, a status out."""
    result = histjax.fit(double_well(0.3, start=jnp.nan), minimiser=LBFGS(), throw=False)
    assert int(result.status) == Status.NOT_FINITE
