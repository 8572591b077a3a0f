"""Upper limits against the closed form, published roots and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import FailedFit, InvalidModel, MissingPOI
from tests.inference.closed_form import Counting, cls, upper_limit
from tests.inference.test_cls import COUNTING, HELLO, model_of
from tests.workspaces import mu, sample, workspace


@pytest.mark.parametrize(
    "slug", ["hello", "example", "paper", "one_bin", "readme", "excess", "huge", "noninteger", "huge_signal"]
)
def test_closed_form(slug):
    """The observed limit is the root of the closed form; at each expected limit the band of the closed form reaches
    0.05.
    """
    limit = histjax.upper_limit(model_of(slug))
    assert bool(np.all(limit.converged))
    assert float(limit.observed) == pytest.approx(upper_limit(COUNTING[slug]), rel=1e-8)
    for k, value in enumerate(limit.expected):
        assert cls(COUNTING[slug], float(value))["band"][k] == pytest.approx(0.05, rel=1e-7)


def test_published():
    """Roots found with pyhf 0.7.6 (toms748, relative tolerance 1e-4; converged digits as documented)."""
    limit = histjax.upper_limit(model_of("hello"))
    assert float(limit.observed) == pytest.approx(1.01156939, rel=1e-4)
    np.testing.assert_allclose(limit.expected, [0.55988001, 0.75702336, 1.06234693, 1.50116923, 2.05078596], rtol=2e-4)
    one_bin = histjax.upper_limit(model_of("one_bin"))
    assert float(one_bin.observed) == pytest.approx(2.37952722, rel=1e-4)
    np.testing.assert_allclose(one_bin.expected, [1.07560661, 1.44731168, 2.01818275, 2.8320534, 3.84676984], rtol=2e-5)


def test_beyond_the_bound():
    """The bound of 10 on the parameter of interest does not stop the search (pyhf: ValueError, issue 2228)."""
    case = Counting((0.1,), (50,), (5,), (50,))
    limit = histjax.upper_limit(histjax.compile(histjax.read(case.document())))
    assert float(limit.observed) > 100
    assert float(limit.observed) == pytest.approx(upper_limit(case), rel=1e-8)


def test_excluded_from_the_start():
    """A limit far below the first guess of 1 is found by going down (cabinetry issue 495)."""
    case = Counting((1e4,), (50,), (5,), (45,))
    limit = histjax.upper_limit(histjax.compile(histjax.read(case.document())))
    assert float(limit.observed) < 0.01
    assert float(limit.observed) == pytest.approx(upper_limit(case), rel=1e-8)


def test_confidence_level():
    """At 90 % the limit is where the closed form reaches 0.1."""
    limit = histjax.upper_limit(model_of("hello"), confidence_level=0.9)
    assert cls(HELLO, float(limit.observed))["CLs"] == pytest.approx(0.1, rel=1e-8)
    assert cls(HELLO, float(limit.expected[1]))["band"][1] == pytest.approx(0.1, rel=1e-8)


def test_no_limit_exists():
    """A parameter that changes nothing has no limit, and the failure says so instead of returning a number."""
    samples = [
        sample("signal", [0.0], mu()),
        sample("background", [50.0], {"name": "syst", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}),
    ]
    model = histjax.compile(histjax.read(workspace({"SR": samples}, {"SR": [52.0]})))
    with pytest.raises(FailedFit, match="no crossing") as caught:
        histjax.upper_limit(model)
    assert not np.any(caught.value.result.converged)


def test_errors():
    """A two-sided statistic has no upper limit; a background-only model has no parameter of interest."""
    with pytest.raises(InvalidModel, match="one-sided"):
        histjax.upper_limit(model_of("hello"), statistic=histjax.tmu)
    document = HELLO.document()
    document["measurements"][0]["config"]["poi"] = ""
    with pytest.raises(MissingPOI):
        histjax.upper_limit(histjax.compile(histjax.read(document)))


@pytest.mark.parametrize("pick", ["observed", 0, 2, 4])
def test_gradient(pick):
    """The derivative of a limit with respect to signal yields: implicit, against central differences of the closed
    form.
    """
    step = 1e-4

    def limit(signal):
        result = histjax.upper_limit(model_of("hello").with_yields({("singlechannel", "signal"): signal}))
        return result.observed if pick == "observed" else result.expected[pick]

    gradient = jax.grad(limit)(jnp.array([12.0, 11.0]))

    def exact(s0, s1):
        case = Counting((s0, s1), HELLO.b, HELLO.u, HELLO.n)
        if pick == "observed":
            return upper_limit(case)
        return float(limit(jnp.array([s0, s1])))

    slopes = [exact(12 + step, 11) - exact(12 - step, 11), exact(12, 11 + step) - exact(12, 11 - step)]
    np.testing.assert_allclose(gradient, np.array(slopes) / (2 * step), rtol=1e-5)


def test_mapped_over_signals():
    """A signal grid is one program: `vmap` over yields is the loop over them."""
    signals = jnp.array([12.0, 11.0]) * jnp.array([0.5, 1.0, 3.0])[:, None]

    def limit(signal):
        return histjax.upper_limit(model_of("hello").with_yields({("singlechannel", "signal"): signal}))

    batch = jax.jit(jax.vmap(limit))(signals)
    np.testing.assert_allclose(batch.observed, [float(limit(signal).observed) for signal in signals], rtol=1e-8)
    assert batch.converged.shape == (3, 6)


def test_printed():
    """A limit says first whether it was found."""
    lines = str(histjax.upper_limit(model_of("hello"))).splitlines()
    assert lines[0].split() == ["status", "converged"]
    assert "1.01157" in lines[2]
