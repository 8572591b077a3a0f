"""Why a fit failed, or has no single answer: by channel, bin and parameter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import Newton, Status
from histjax.errors import FailedFit
from tests.cli.running import run, strict_json
from tests.fitting.likelihoods import double_well
from tests.workspaces import histosys, mu, sample, workspace


def compiled(document: dict, **options) -> histjax.Model:
    """A model from a document."""
    return histjax.compile(histjax.read(document), **options)


def diagnosed(model, **options) -> histjax.Diagnosis:
    """The diagnosis of a fit to the model's own data."""
    return histjax.diagnose(model, model.data, histjax.fit(model, throw=False, **options))


TWO_CHANNELS = workspace(
    {"SR": [sample("s", [10.0, 5.0], mu()), sample("b", [50.0, 20.0])], "CR": [sample("b", [100.0, 80.0, 60.0])]},
    {"SR": [60.0, 45.0], "CR": [90.0, 80.0, 100.0]},
)


def test_worst_bins():
    """Ordered by their deviance 2 (nu - n + n ln n/nu), with the counts behind it; a perfect bin is left out."""
    found = diagnosed(compiled(TWO_CHANNELS), fixed={"mu": 1.0}).worst_bins
    places = [("SR", 1, 25.0, 45.0), ("CR", 2, 60.0, 100.0), ("CR", 0, 100.0, 90.0)]
    expected = [(*place, 2 * (nu - n + n * np.log(n / nu))) for place in places for nu, n in [place[2:]]]
    expected.sort(key=lambda each: -each[-1])
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    np.testing.assert_allclose([each[2:] for each in found], [each[2:] for each in expected], rtol=1e-12)


def test_impossible_bin():
    """pyhf issue 1852: the bin with an event where nothing is expected is the first, and the exception names it."""
    samples = [sample("b", [50.0, 0.0]), sample("s", [0.0, 5.0], mu())]
    model = compiled(workspace({"SR": samples, "CR": [sample("c", [50.0])]}, {"SR": [52.0, 1.0], "CR": [90.0]}))
    with pytest.raises(FailedFit, match=r"channel 'SR', bin 1: expected 0, observed 1") as raised:
        histjax.fit(model, fixed={"mu": 0.0})
    assert int(raised.value.result.status) == Status.IMPOSSIBLE
    assert len(str(raised.value).splitlines()) <= 8


def test_no_bins():
    """A likelihood that has none has nothing to say of them."""
    assert diagnosed(double_well(0.1)).worst_bins == []


def test_product_of_two_factors():
    """mu nu is measured, mu / nu is not: in units of each one's own precision the direction is (1, -1)."""
    document = workspace({"SR": [sample("s", [5.0], mu(), mu("nu"))]}, {"SR": [6.0]})
    model = compiled(document)
    result = histjax.fit(model)
    (direction,) = histjax.diagnose(model, model.data, result).directions
    assert int(result.status) == Status.FLAT
    assert direction.weights == {"mu": 1.0, "nu": pytest.approx(-1.0, rel=1e-8)}
    assert direction.curvature == pytest.approx(0.0, abs=1e-12)
    assert str(direction) == "mu - nu"


def test_weights_of_a_flat_direction():
    """Bins 10 mu + 10 a = 64 and 10 mu + 10 b = 36: (1, -1, -1) is flat, in units of curvature^(-1/2).

    The curvatures are 100/64 + 100/36, 100/64 and 100/36, so the weights are 1, -0.6 and -0.8.
    """
    samples = [sample("s", [10.0, 10.0], mu()), sample("a", [10.0, 0.0], mu("a")), sample("b", [0.0, 10.0], mu("b"))]
    (direction,) = diagnosed(compiled(workspace({"SR": samples}, {"SR": [64.0, 36.0]}))).directions
    weights = {"a": -0.6, "b": -0.8, "mu": 1.0}
    assert set(direction.weights) == set(weights)
    for name, weight in weights.items():
        assert direction.weights[name] == pytest.approx(weight, rel=1e-6)
    assert sorted(str(direction).replace("- ", "-").replace("+ ", "").split()) == sorted(
        ["-0.6", "a", "-0.8", "b", "mu"]
    )


def test_two_degeneracies_are_told_apart():
    """Two pairs of factors, each on the same sample: any mixture of the two directions is flat, the pairs are shown."""
    one, two = sample("s", [5.0], mu(), mu("nu")), sample("t", [7.0], mu("kappa"), mu("lam"))
    document = workspace({"A": [one], "B": [two]}, {"A": [6.0], "B": [9.0]})
    found = diagnosed(compiled(document)).directions
    assert {frozenset(each.weights) for each in found} == {frozenset({"mu", "nu"}), frozenset({"kappa", "lam"})}


def test_parameter_without_effect():
    """A factor on a sample that expects nothing is named: it is no direction, and its uncertainty is infinite."""
    samples = [sample("s", [10.0], mu()), sample("none", [0.0], mu("nu")), sample("b", [50.0])]
    model = compiled(workspace({"SR": samples}, {"SR": [70.0]}))
    result = histjax.fit(model)
    diagnosis = histjax.diagnose(model, model.data, result)
    assert int(result.status) == Status.FLAT
    assert (diagnosis.without_effect, diagnosis.directions) == (["nu"], [])
    assert "no effect on the likelihood: nu" in str(diagnosis)
    assert np.isinf(float(result.uncertainty["nu"])) and float(result.params["mu"]) == pytest.approx(2.0, rel=1e-9)


def test_bound_that_stops_the_fit():
    """mu s + b with fewer events than b: on the bound the slope is 2 s (1 - n/b)."""
    document = workspace({"SR": [sample("s", [10.0], mu()), sample("b", [50.0])]}, {"SR": [40.0]})
    (slope,) = diagnosed(compiled(document)).held_by_bounds
    assert (slope.name, slope.value) == ("mu", 0.0)
    assert slope.slope == pytest.approx(2 * 10 * (1 - 40 / 50), rel=1e-12)


def test_upper_bound():
    """There the slope is negative: 2 s (1 - n/nu) at mu = 2."""
    document = workspace({"SR": [sample("s", [10.0], mu()), sample("b", [50.0])]}, {"SR": [100.0]})
    (slope,) = diagnosed(compiled(document), bounds={"mu": (0.0, 2.0)}).held_by_bounds
    assert slope.value == 2.0
    assert slope.slope == pytest.approx(2 * 10 * (1 - 100 / 70), rel=1e-12)


def test_kink():
    """Both templates below nominal, more data than nominal: alpha stays on the kink of code0."""
    document = workspace(
        {"SR": [sample("s", [5.0], mu()), sample("b", [50.0], histosys("shape", [40.0], [45.0]))]}, {"SR": [60.0]}
    )
    found = diagnosed(compiled(document, histosys=histjax.interpolation.code0), fixed={"mu": 0.0})
    assert (found.on_kinks, found.held_by_bounds) == (["shape"], [])


def test_saddle():
    """On the summit between two wells no gradient says where to go; the direction in which it falls is named."""
    well = double_well(0.0, start=0.0)
    with pytest.raises(FailedFit, match="flat or falling along: x") as raised:
        histjax.fit(well, init={"x": 0.0})
    (direction,) = histjax.diagnose(well, well.data, raised.value.result).directions
    assert int(raised.value.result.status) == Status.SADDLE
    # on the Hessian scaled to unit diagonal
    assert (direction.weights, direction.curvature) == ({"x": 1.0}, pytest.approx(-1.0))


def test_steepest():
    """Stopped at its start, the fit has the slope 2 s (1 - n/nu) left there; at a minimum it has none."""
    document = workspace({"SR": [sample("s", [10.0], mu()), sample("b", [50.0])]}, {"SR": [100.0]})
    model = compiled(document)
    steepest = diagnosed(model, minimiser=Newton(max_iterations=0)).steepest
    assert (steepest.name, steepest.value) == ("mu", 1.0)
    assert steepest.slope == pytest.approx(2 * 10 * (1 - 100 / 60), rel=1e-12)
    assert diagnosed(model).steepest is None


def test_start_that_is_no_number():
    """It is named."""
    found = diagnosed(compiled(TWO_CHANNELS), init={"mu": jnp.nan})
    assert found.not_finite == ["mu"]
    assert "not a number: mu" in str(found)


def test_a_lane_of_a_batch():
    """A batch is refused, one of its lanes is not; nor is anything diagnosed in a trace."""
    model = compiled(TWO_CHANNELS)
    batch = jax.vmap(lambda value: histjax.fit(model, fixed={"mu": value}))(jnp.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="choose a lane"):
        histjax.diagnose(model, model.data, batch)
    lane = histjax.diagnose(model, model.data, jax.tree.map(lambda leaf: leaf[1], batch))
    assert lane.worst_bins[0] == diagnosed(model, fixed={"mu": 1.0}).worst_bins[0]
    with pytest.raises(ValueError, match="outside a trace"):
        jax.jit(lambda data: len(histjax.diagnose(model, data, histjax.fit(model, data)).worst_bins))(model.data)


def test_text():
    """What an exception says, whole."""
    document = workspace({"SR": [sample("s", [10.0], mu()), sample("b", [50.0], mu("nu"))]}, {"SR": [40.0]}, poi="mu")
    model = compiled(document)
    result = histjax.fit(model, fixed={"nu": 1.0})
    assert str(histjax.diagnose(model, model.data, result)) == (
        "converged\n"
        "  worst bins: channel 'SR', bin 0: expected 50, observed 40\n"
        "  stopped by a bound: mu at 0, where -2 ln L has slope 4"
    )


# --- the command line ------------------------------------------------------------------------------------------------


def test_command_line_failure():
    """Exit status 1, the diagnosis in the JSON and on standard error."""
    samples = [sample("b", [6.0, 0.0]), sample("s", [0.0, 5.0], mu())]
    outcome = run("fit", workspace({"SR": samples}, {"SR": [6.0, 2.0]}), "--fixed", "mu=0")
    assert outcome.status == 1
    assert "channel 'SR', bin 1: expected 0, observed 2" in outcome.stderr
    found = strict_json(outcome.stdout)["diagnosis"]
    worst = found["worst_bins"][0]
    assert (worst["channel"], worst["bin"], worst["expected"], worst["observed"]) == ("SR", 1, 0.0, 2.0)


def test_command_line_flat():
    """A flat direction is a warning with exit status 0."""
    outcome = run("fit", workspace({"SR": [sample("s", [5.0], mu(), mu("nu"))]}, {"SR": [6.0]}))
    assert "flat or falling along: mu - nu" in outcome.stderr
    (direction,) = outcome.json["diagnosis"]["directions"]
    assert direction["weights"] == {"mu": 1.0, "nu": pytest.approx(-1.0)}
    assert outcome.json["smallest_eigenvalue"] == pytest.approx(0.0, abs=1e-12)


def test_command_line_success():
    """A converged fit has no diagnosis and says nothing."""
    outcome = run("fit", TWO_CHANNELS)
    assert "diagnosis" not in outcome.json and outcome.stderr == ""
    assert outcome.json["smallest_eigenvalue"] == pytest.approx(1.0)
