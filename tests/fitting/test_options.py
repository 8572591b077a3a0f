"""What can be asked of a fit: fixed values, starting points, bounds; and what it says when it cannot."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import Newton, Status
from histjax.errors import FailedFit, InvalidModel, UnknownName
from histjax.fitting.printing import pdg_rounded


@pytest.fixture(scope="module")
def model(compile_case):
    """Two counting bins."""
    return compile_case("two-bins")


def with_counts(model, counts):
    """The model's data with other counts."""
    return eqx.tree_at(lambda data: data.main["singlechannel"], model.data, jnp.asarray(counts, float))


def test_data_default_to_those_of_the_model(model):
    """`fit(model)` is `fit(model, model.data)`."""
    assert float(histjax.fit(model).twice_nll) == float(histjax.fit(model, model.data).twice_nll)


def test_one_component_can_be_fixed(model):
    """`name[i]` is one component; the others are fitted as if it were data: gamma = (n + tau)/(b + tau) at mu = 0."""
    result = histjax.fit(model, fixed={"mu": 0.0, "uncorr_bkguncrt[1]": 1.2})
    tau = (50 / 3) ** 2
    np.testing.assert_allclose(result.params["uncorr_bkguncrt"], [(51 + tau) / (50 + tau), 1.2], rtol=1e-10)
    np.testing.assert_array_equal(result.fixed, [True, False, True])
    assert float(result.uncertainty["uncorr_bkguncrt"][1]) == 0.0


def test_start_does_not_matter_to_a_convex_likelihood(model):
    """From a start that lies outside the bounds too: it is moved inside."""
    expected = histjax.fit(model, with_counts(model, [60, 65]))
    for start in ({"mu": 5.0}, {"mu": -3.0, "uncorr_bkguncrt": jnp.array([0.5, 2.0])}, {"uncorr_bkguncrt[0]": 3.0}):
        result = histjax.fit(model, with_counts(model, [60, 65]), init=start)
        np.testing.assert_allclose(result.vector, expected.vector, rtol=1e-7)


def test_bounds_that_bind(model):
    """An upper bound below the minimum is where the fit ends, exactly, and it is flagged."""
    result = histjax.fit(model, with_counts(model, [60, 65]), bounds={"mu": (0.0, 0.25)})
    assert float(result.params["mu"]) == 0.25
    assert bool(result.at_bound["mu"])
    assert float(result.uncertainty["mu"]) == 0.0
    held = histjax.fit(model, with_counts(model, [60, 65]), fixed={"mu": 0.25})
    assert float(result.twice_nll) == pytest.approx(float(held.twice_nll), rel=1e-12)


def test_bounds_of_one_component(model):
    """`name[i]` also among the bounds."""
    result = histjax.fit(model, bounds={"uncorr_bkguncrt[1]": (1.0, 1.5)})
    assert float(result.params["uncorr_bkguncrt"][1]) == 1.0
    np.testing.assert_array_equal(result.at_bound["uncorr_bkguncrt"], [False, True])


@pytest.mark.parametrize("option", ["fixed", "init"])
def test_unknown_names(model, option):
    """The message lists what there is."""
    with pytest.raises(UnknownName, match=r"no parameter named 'nu'.*mu, uncorr_bkguncrt"):
        histjax.fit(model, **{option: {"nu": 1.0}})


def test_unknown_component(model):
    """A component past the end."""
    with pytest.raises(UnknownName, match=r"uncorr_bkguncrt\[2\]"):
        histjax.fit(model, fixed={"uncorr_bkguncrt[2]": 1.0})


def test_crossed_bounds(model):
    """Named, before any work is done."""
    with pytest.raises(InvalidModel, match="lower bound of 'mu' is above its upper bound"):
        histjax.fit(model, bounds={"mu": (2.0, 1.0)})


def test_wrong_shape(model):
    """How many components there are and what was given."""
    with pytest.raises(InvalidModel, match=r"'uncorr_bkguncrt' has 2 components, found a value of shape \(3,\)"):
        histjax.fit(model, fixed={"uncorr_bkguncrt": jnp.ones(3)})


def test_failure_raises_and_carries_the_result(model):
    """One iteration is not enough; `throw=False` gives the same result without the exception."""
    lazy = Newton(max_iterations=1)
    with pytest.raises(FailedFit, match="iteration limit reached") as raised:
        histjax.fit(model, minimiser=lazy)
    result = histjax.fit(model, minimiser=lazy, throw=False)
    assert int(result.status) == int(raised.value.result.status) == Status.MAX_ITERATIONS
    assert not bool(result.converged)
    assert raised.value.exit_status == 1


def test_start_that_is_no_number(model):
    """NaN in, a status out."""
    result = histjax.fit(model, init={"mu": jnp.nan}, throw=False)
    assert int(result.status) == Status.NOT_FINITE


def test_a_bad_lane_spoils_no_other(compile_case):
    """pyhf issue 2529: one failed toy killed a batch. Here it says so, and its neighbours are what they are alone."""
    model = compile_case("zero-bin")
    counts = jnp.array([[52.0, 0.0], [52.0, 1.0], [60.0, 0.0]])

    def lane(counts):
        return histjax.fit(model, eqx.tree_at(lambda data: data.main["SR"], model.data, counts))

    results = jax.jit(jax.vmap(lane))(counts)
    np.testing.assert_array_equal(results.status, [Status.CONVERGED, Status.IMPOSSIBLE, Status.CONVERGED])
    np.testing.assert_allclose(results.params["mu"][jnp.array([0, 2])], [0.4, 2.0], rtol=1e-8)


def test_vmap_is_a_loop(model):
    """Values to fix in a batch, against one fit each."""
    values = jnp.array([0.0, 0.7, 2.5])
    batch = jax.vmap(lambda value: histjax.fit(model, fixed={"mu": value}))(values)
    for index, value in enumerate(values):
        alone = histjax.fit(model, fixed={"mu": value})
        np.testing.assert_allclose(batch.vector[index], alone.vector, rtol=1e-9)
        assert float(batch.twice_nll[index]) == pytest.approx(float(alone.twice_nll), rel=1e-12)
    assert batch.params["uncorr_bkguncrt"].shape == (3, 2)
    assert str(batch) == "FitResult: 3 fits, 3 converged"


def test_nothing_is_raised_inside_a_trace(compile_case):
    """There the status tells."""
    model = compile_case("zero-bin")
    data = eqx.tree_at(lambda data: data.main["SR"], model.data, jnp.array([52.0, 1.0]))
    assert int(jax.jit(lambda data: histjax.fit(model, data).status)(data)) == Status.IMPOSSIBLE


def test_every_status_has_a_message():
    """And the messages differ."""
    assert len({status.message for status in Status}) == len(Status)


@pytest.mark.parametrize(
    ("value", "uncertainty", "expected"),
    [
        # Review of Particle Physics, introduction, section 5.3: the rule's own examples
        (0.827, 0.119, ("0.83", "0.12")),
        (0.827, 0.367, ("0.8", "0.4")),
        (14.674, 0.964, ("14.7", "1.0")),
        # its edges: 354 keeps two digits, 355 one; 949 keeps one, 950 becomes 1000
        (1.0, 0.354, ("1.00", "0.35")),
        (1.0, 0.355, ("1.0", "0.4")),
        (1.0, 0.949, ("1.0", "0.9")),
        (1.0, 0.950, ("1.0", "1.0")),
        (10.0, 0.1, ("10.00", "0.10")),
        (1234567.0, 12345.0, ("1235000", "12000")),
        (-0.0661, 0.5123, ("-0.1", "0.5")),
    ],
)
def test_pdg_rounding(value, uncertainty, expected):
    """Value and uncertainty, rounded together."""
    assert pdg_rounded(value, uncertainty) == expected


def test_rounding_without_an_uncertainty():
    """A held or undetermined parameter."""
    assert pdg_rounded(1.25, 0.0)[0] == "1.25"
    assert pdg_rounded(1.25, float("inf")) == ("1.25", "inf")


GOLDEN = """\
status          converged
2 NLL           28.922180
EDM             <edm>
gradient (KKT)  <kkt>
iterations      4

parameter           best fit  uncertainty  prefit
mu                         1                 free  fixed
uncorr_bkguncrt[0]      0.97         0.06    0.06
uncorr_bkguncrt[1]      0.88         0.09   0.135"""


def test_the_printed_table(model):
    """First whether it worked, then what came out. EDM and gradient are rounding noise and are left out."""
    lines = [line.rstrip() for line in str(histjax.fit(model, fixed={"mu": 1.0})).splitlines()]
    shown = []
    for line in lines:
        for word, mark in (("EDM", "<edm>"), ("gradient (KKT)", "<kkt>")):
            if line.startswith(word):
                assert float(line.split()[-1]) < 1e-8
                line = f"{word:<16}{mark}"
        shown.append(line)
    assert "\n".join(shown) == GOLDEN
