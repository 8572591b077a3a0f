"""One seed, one answer: whatever runs the toys. And what cannot be run, or fails, says so."""

import json
import os
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import histjax
from histjax.errors import FailedToys, InvalidModel
from histjax.fitting.newton import Newton
from histjax.inference.toys.calculator import profile_experiment
from histjax.inference.toys.loops import choose_loop, run_toys
from tests.fitting.test_compilations import nothing_compiled
from tests.toys.likelihoods import Brittle
from tests.workspaces import counting

KEY = jax.random.key(7)
N_TOYS = 400


def signature(result: histjax.HypotestResult) -> dict:
    """What must not change: every count of both tallies."""
    tallies = {"tested": result.toys.tested, "other": result.toys.other}
    bins = {name: np.flatnonzero(tally.counts).tolist() for name, tally in tallies.items()}
    counts = {name: tally.counts[bins[name]].tolist() for name, tally in tallies.items()}
    return {"bins": bins, "counts": counts, **{name: tally.n_at_least for name, tally in tallies.items()}}


def outcome(**settings) -> dict:
    """The signature of one test of the two-bin example."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    return signature(histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(KEY, N_TOYS, **settings)))


@pytest.fixture(scope="module")
def reference() -> dict:
    """One toy after the other."""
    return outcome(loop=histjax.Sequential(block=64))


def same(found: dict, reference: dict) -> bool:
    """Lanes share rounding with nobody: a statistic may change in the 12th digit, and step over the edge of a bin."""
    assert found["tested"] == reference["tested"] and found["other"] == reference["other"]
    for name in ("tested", "other"):
        ours, theirs = (dict(zip(x["bins"][name], x["counts"][name], strict=True)) for x in (found, reference))
        moved = sum(abs(ours.get(bin, 0) - theirs.get(bin, 0)) for bin in ours.keys() | theirs.keys())
        assert moved <= 2, moved
    return True


SETTINGS = {
    "by default": {},
    "odd slices": {"loop": histjax.Sequential(block=64), "slice_size": 37},
    "lanes": {"loop": histjax.Batched(lanes=128)},
    "stragglers": {"loop": histjax.Batched(lanes=128, first_cap=4)},
    "nothing finished at first": {"loop": histjax.Batched(lanes=128, first_cap=1), "slice_size": 200},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_loops_agree(name, reference):
    """Loops, lanes, tiers, slices."""
    assert same(outcome(**SETTINGS[name]), reference)


SEVERAL_DEVICES = """
import json, jax, histjax
from tests.toys.test_loops import outcome
assert jax.local_device_count() == 4
sequential, batched = histjax.Sharded(histjax.Sequential(block=16)), histjax.Sharded(histjax.Batched(lanes=32))
loops = {"all": sequential, "three": histjax.Sharded(histjax.Sequential(block=16), devices=3), "lanes": batched}
print(json.dumps({name: outcome(loop=loop) for name, loop in loops.items()}))
"""


def test_several_devices(reference):
    """Toys over a mesh of four devices, and of three, in a process that has them."""
    places = {"JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir}
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SEVERAL_DEVICES],
        capture_output=True,
        text=True,
        env={**os.environ, **places, **flags},
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == {"all", "three", "lanes"}
    for name in found:
        assert same(found[name], reference), name


def test_more_toys_are_the_same_ones_and_others():
    """The first hundred of a thousand are those of a hundred; another key has others."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))

    def statistics(key, n):
        calculator = histjax.Toys(key, n, n_background=1, keep=True)
        return histjax.hypotest(model, poi_value=1.0, calculator=calculator).toys.tested_toys.statistic

    few, many = statistics(KEY, 50), statistics(KEY, 150)
    np.testing.assert_array_equal(few, many[:50])
    assert not np.array_equal(statistics(jax.random.key(8), 50), few)


def test_hypotheses_do_not_share_toys():
    """At mu = 0 both hypotheses are thrown at one point: with other random numbers."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    calculator = histjax.Toys(KEY, 50, keep=True)
    toys = histjax.hypotest(model, poi_value=0.0, statistic=histjax.tmu, calculator=calculator).toys
    assert not np.any(toys.tested_toys.statistic == toys.other_toys.statistic)


def test_another_value_is_the_same_program():
    """Tested value, generating point, key, data and number of toys are arguments."""
    model = histjax.compile(histjax.read(counting([5.0, 4.0], [50.0, 40.0], [5.0, 4.0], [55.0, 41.0])))
    data = histjax.Data({"singlechannel": jax.device_put(np.array([50.0, 44.0]))}, model.data.aux)
    keys = [jax.random.key(seed) for seed in range(3)]
    histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(keys[0], 100))
    histjax.hypotest(model, data, poi_value=1.5, calculator=histjax.Toys(keys[1], 300))
    with nothing_compiled():
        histjax.hypotest(model, poi_value=0.7, calculator=histjax.Toys(keys[2], 50, n_background=20))


def test_the_rule():
    """On a CPU: lanes for the tiny, one after the other above."""
    tiny = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    ten = [10.0] * 9
    large = histjax.compile(histjax.read(counting(ten, ten, [1.0] * 9, ten)))
    assert isinstance(choose_loop(tiny), histjax.Batched)
    assert isinstance(choose_loop(large), histjax.Sequential)


def experiment(likelihood: Brittle, at: float):
    """Toys of the brittle likelihood thrown at a value, 0 tested."""
    key = np.asarray(jax.random.key_data(KEY))
    return profile_experiment(likelihood, np.array([at]), "x", 0.0, histjax.tmu, Newton(), key, 1)


@pytest.mark.parametrize("loop", [histjax.Sequential(), histjax.Batched(lanes=512)], ids=["sequential", "lanes"])
def test_failed_toys(loop):
    """Those above the ceiling fail, all of them and no others; the p-value is a fraction of the rest."""
    likelihood = Brittle(jnp.array(1.5), jnp.array(100.0))
    calculator = histjax.Toys(KEY, 1000, loop=loop, keep=True)
    with pytest.warns(FailedToys, match="of 1000 toys have no certified fit"):
        result = histjax.hypotest(likelihood, poi_value=0.0, statistic=histjax.tmu, calculator=calculator)
    drawn = np.asarray(jax.vmap(experiment(likelihood, 0.0).drawn)(jnp.arange(1000)))
    tally = result.toys.tested
    np.testing.assert_array_equal(result.toys.tested_toys.failed, drawn > 1.5)
    assert tally.n_failed == np.count_nonzero(drawn > 1.5) and tally.n_toys == 1000
    assert abs(tally.n_failed / 1000 - norm.sf(1.5)) < 4 * np.sqrt(norm.sf(1.5) / 1000)
    good = drawn[drawn <= 1.5]
    assert tally.n_at_least == np.count_nonzero(good**2 >= 0.25 - 1e-6)  # t_0 = d^2, observed 0.5^2
    assert result.toys.n_failed[0] == tally.n_failed and f"({tally.n_failed} failed)" in str(result)


def test_rescue():
    """At the generating point there is no number, and every toy fails; from the initial value all below are fitted."""
    likelihood = Brittle(jnp.array(100.0), jnp.array(6.0))
    throw = experiment(likelihood, 6.1)
    drawn = np.asarray(jax.vmap(throw.drawn)(jnp.arange(20)))
    toys, below = run_toys(throw, histjax.Sequential(), 0, 20), drawn < 5.99
    assert 0 < np.count_nonzero(below) < 20
    assert np.all(toys.attempt[below] == 1) and np.all(toys.finished[below])
    np.testing.assert_allclose(toys.statistic[below], drawn[below] ** 2, rtol=1e-7)  # t_0 = d^2


def test_no_warning_without_failures():
    """And no failure in a thousand toys of the example."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        result = histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(KEY, 1000))
    assert result.toys.n_failed == (0, 0)
    assert "1000 toys of the tested hypothesis, 1000 toys of the other" in str(result)


def test_refused():
    """Inside a trace, with no toys, and with keys for which a toy would depend on its neighbours."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    toys = histjax.Toys(KEY, 10)
    with pytest.raises(InvalidModel, match="cannot be part of a jit"):
        jax.jit(lambda value: histjax.hypotest(model, poi_value=value, calculator=toys).CLs)(1.0)
    with pytest.raises(InvalidModel, match="cannot be part of a jit"):
        jax.vmap(lambda counts: histjax.goodness_of_fit(model, counts, calculator=toys).p_value)(jnp.ones((2, 4)))
    with pytest.raises(InvalidModel, match="n_toys must be at least 1, found 0"):
        histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(KEY, 0))
    with pytest.raises(InvalidModel, match="threefry"):
        histjax.significance(model, calculator=histjax.Toys(jax.random.key(0, impl="rbg"), 10))
    with pytest.raises(InvalidModel, match=r"jax.random.key\(0\)"):
        histjax.hypotest(model, poi_value=1.0, calculator=histjax.Toys(3, 10))
    assert np.array_equal(histjax.Toys(jax.random.PRNGKey(5), 1).key_data(), jax.random.key_data(jax.random.key(5)))
