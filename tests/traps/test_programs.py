"""Batches of fits and toys, precision, and what compiled programs hold."""

import json
import os
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import Status
from tests.inference.closed_form import gammas
from tests.reference.test_mpmath import log_density
from tests.traps.models import model_of, with_counts
from tests.traps.table import HELLO, TRAPS

N_TOYS = 20_000


# --- batches ---------------------------------------------------------------------------------------------------------


def test_T38_batch_of_fits():
    """Two datasets in one call, each as if it were alone."""
    model = model_of("T38")
    datasets = [with_counts(model, singlechannel=counts) for counts in ([51.0, 48.0], [62.0, 66.0])]
    batch = jax.vmap(lambda data: histjax.fit(model, data))(jax.tree.map(lambda *each: jnp.stack(each), *datasets))
    for lane, data in enumerate(datasets):
        alone = histjax.fit(model, data)
        np.testing.assert_allclose(batch.vector[lane], alone.vector, rtol=1e-9, atol=1e-12)
        assert float(batch.twice_nll[lane]) == pytest.approx(float(alone.twice_nll), rel=1e-12)
    assert bool(np.all(batch.converged))


def test_T39_broken_toys_are_counted():
    """The model of pyhf issue 2529: toys at mu = 2 ... 17, fitted freely within [-10, 10].

    Every toy converges; with two of them broken, these two say so and no other changes.
    """
    model = model_of("T39")
    values = jnp.linspace(2.0, 17.0, 16)
    keys = jax.random.split(jax.random.key(3), (16, 40))
    throw = jax.vmap(lambda key, value: model.draw(key, {"mu": value, "shape": jnp.array(0.0)}), in_axes=(0, None))
    toys = jax.vmap(throw)(keys, values)
    toys = jax.tree.map(lambda each: each.reshape(-1, *each.shape[2:]), toys)
    fits = jax.jit(jax.vmap(lambda toy: histjax.fit(model, toy)))
    healthy = fits(toys)
    assert bool(np.all(healthy.converged))
    counts = toys.main["singlechannel"].at[jnp.array([5, 99])].set(jnp.nan)
    broken = histjax.Data({"singlechannel": counts}, toys.aux)
    result = fits(broken)
    failed = np.flatnonzero(~np.asarray(result.converged))
    assert failed.tolist() == [5, 99]
    assert np.all(np.asarray(result.status)[failed] == Status.NOT_FINITE)
    kept = np.delete(np.arange(keys.size), failed)
    np.testing.assert_array_equal(np.asarray(result.vector)[kept], np.asarray(healthy.vector)[kept])


def conditional(mu: float) -> np.ndarray:
    """The gammas of the conditional best fit, in closed form."""
    s, b, tau, n = HELLO.arrays
    return gammas(mu, s, b, tau, n, tau)


def test_T40_generation_point():
    """Asimov data and toys at the conditional best fit for mu = 1, gamma = (0.972, 0.876), not at the nominal point."""
    model = model_of("T40")
    s, b, tau, _ = HELLO.arrays
    gamma = conditional(1.0)
    expected = s + gamma * b, gamma * tau
    asimov = histjax.asimov_data(model, poi_value=1.0)
    np.testing.assert_allclose(asimov.main["singlechannel"], expected[0], rtol=1e-9)
    np.testing.assert_allclose(asimov.aux["uncorr_bkguncrt"], expected[1], rtol=1e-9)
    params = histjax.fit(model, fixed={"mu": 1.0}).params
    toys = jax.vmap(lambda key: model.draw(key, params))(jax.random.split(jax.random.key(4), N_TOYS))
    for found, mean in ((toys.main["singlechannel"], expected[0]), (toys.aux["uncorr_bkguncrt"], expected[1])):
        assert np.all(np.abs(np.mean(found, axis=0) - mean) < 5 * np.sqrt(mean / N_TOYS))


def test_T44_toys_change_nothing():
    """Asimov data before and after toys are drawn and fitted, and the toys of one key, are the same bits."""
    model = model_of("T44")
    before = model.ravel_data(histjax.asimov_data(model, poi_value=1.0))
    key = jax.random.key(7)
    first = model.ravel_data(model.draw(key, model.init))
    histjax.fit(model, model.unravel_data(first))
    again = model.ravel_data(model.draw(key, model.init))
    after = model.ravel_data(histjax.asimov_data(model, poi_value=1.0))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(before, after)
    assert np.any(model.ravel_data(model.draw(jax.random.key(8), model.init)) != first)


# --- precision -------------------------------------------------------------------------------------------------------

SINGLE = """
import json, sys, warnings; warnings.simplefilter("ignore")
import jax, numpy as np, histjax
document, points = json.load(open(sys.argv[1]))
model = histjax.compile(histjax.read(document))
assert model.templates.init.dtype == np.float32
data = model.ravel_data(model.data)
found = [model.nll_derivatives(jax.numpy.asarray(x, np.float32), data)[:2] for x in points]
fit = histjax.fit(model, throw=False)
print(json.dumps({
    "values": [float(value) for value, _ in found],
    "gradients": [gradient.tolist() for _, gradient in found],
    "vector": fit.vector.tolist(), "deviance": float(fit.deviance),
}))
"""


def test_T30_single_precision(tmp_path):
    """120 bins with float32 (JAX_ENABLE_X64=0) against float64, in units of what matters.

    Budget (measured): value 1e-5 relative (2e-6), gradient 1e-4 in units of curvature^(1/2) (1.2e-5), best fit 1e-4 of
    an uncertainty (3e-6), minimum of the deviance 1e-5 (2e-6).
    """
    model = model_of("T30")
    assert model.templates.init.dtype == jnp.float64
    fit, start = histjax.fit(model), np.asarray(model.parameters.init)
    points = [each.astype(np.float32).astype(float) for each in (start, start + 0.01, np.asarray(fit.vector))]
    (tmp_path / "task.json").write_text(json.dumps([TRAPS["T30"].document, [each.tolist() for each in points]]))
    done = subprocess.run(
        [sys.executable, "-c", SINGLE, str(tmp_path / "task.json")],
        env={**os.environ, "JAX_ENABLE_X64": "0", "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    data, scale = model.ravel_data(model.data), np.sqrt(np.diagonal(fit.hessian))
    for value, gradient, point in zip(found["values"], found["gradients"], points, strict=True):
        exact, slope, _ = model.nll_derivatives(jnp.asarray(point), data)
        assert value == pytest.approx(float(exact), rel=1e-5)
        np.testing.assert_allclose(gradient / scale, slope / scale, rtol=0, atol=1e-4)
    sigma = np.sqrt(np.diagonal(fit.covariance))
    np.testing.assert_allclose(found["vector"] / sigma, fit.vector / sigma, rtol=0, atol=1e-4)
    assert found["deviance"] == pytest.approx(float(fit.deviance), abs=1e-5)


def test_T31_zero_for_asimov_data():
    """Yields of 1e9: the objective of Asimov data at their own point is 0, not a difference of 1e10."""
    model = model_of("T31")
    point = model.parameters.init + 0.3 * jnp.where(model.parameters.fixed, 0.0, model.parameters.widths)
    point = jnp.where(jnp.isnan(point), 1.4, point)
    assert abs(float(model.nll(point, model.expected_flat(point)))) < 1e-12


def test_T31_differences_keep_their_digits():
    """Steps of 1e-2 and of 1e-6 in a parameter at yields of 1e9, against 60 digits (mpmath)."""
    model, document = model_of("T31"), TRAPS["T31"].document
    names = model.parameters.names
    start = {name: np.ravel(value).tolist() for name, value in model.init.items()}
    start = {**start, "tilt": [0.3], "mu": [0.7]}
    data = model.ravel_data(model.data)

    def at(point):
        vector = np.concatenate([point[name] for name in names])
        return float(model.nll(jnp.asarray(vector), data)), log_density(document, point)

    value, exact = at(start)
    for name, step in (("tilt", 1e-6), ("tilt", 1e-2), ("mu", 1e-6), ("xsec", 1e-6)):
        other, other_exact = at({**start, name: [start[name][0] + step]})
        assert other - value == pytest.approx(float(exact - other_exact), rel=1e-7)


# --- programs --------------------------------------------------------------------------------------------------------


def constants(jaxpr) -> list:
    """All arrays that a traced program holds, those of the programs inside it included."""
    found = list(getattr(jaxpr, "consts", []))
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        found += [each.val for each in equation.invars if hasattr(each, "val")]
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda each: hasattr(each, "eqns")):
            if hasattr(inner, "eqns"):
                found += constants(inner)
    return found


PROGRAMS = {
    "logpdf": lambda model, data: model.logpdf(model.init, data),
    "derivatives": lambda model, data: model.nll_derivatives(model.templates.init, data),
    "draw": lambda model, data: model.draw(jax.random.key(0), model.init),
    "fit": lambda model, data: histjax.fit(model, data).vector,
    "hypotest": lambda model, data: histjax.hypotest(model, data, poi_value=1.0).CLs,
    "upper_limit": lambda model, data: histjax.upper_limit(model, data).observed,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_T50_no_large_constant(name):
    """Models and data are arguments of every program: what is traced holds nothing above 1 kB."""
    model = model_of("T50")
    arrays, rest = eqx.partition(model, eqx.is_array)
    traced = jax.make_jaxpr(lambda arrays, data: PROGRAMS[name](eqx.combine(arrays, rest), data))(arrays, model.data)
    assert max((getattr(each, "nbytes", 0) for each in constants(traced)), default=0) <= 1024


def test_T50_jit_of_a_method():
    """The same for `jax.jit(model.logpdf)`, as the README writes it."""
    model = model_of("T50")
    traced = jax.make_jaxpr(model.logpdf)(model.init, model.data)
    assert max((getattr(each, "nbytes", 0) for each in constants(traced)), default=0) <= 1024


def test_T50_the_lint_finds_constants():
    """So that the test above can fail."""
    captured = jnp.arange(1000.0)
    traced = jax.make_jaxpr(lambda x: jax.jit(lambda y: y + captured)(x))(1.0)
    assert max(getattr(each, "nbytes", 0) for each in constants(traced)) == 8000
