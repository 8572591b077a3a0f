"""The interpolation codes where they are joined."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest

import histjax
from histjax.interpolation import code0, code1, code2, code2_pyhf, code4p
from tests.traps.models import model_of


@pytest.mark.parametrize("alpha", [-3.0, -1.0000001, -1.0, -0.5, 0.0, 0.5, 1.0, 1.0000001, 1.5, 4.0])
def test_T27_code2_is_continuous(alpha):
    """ROOT's form (MathFuncs.h): a alpha^2 + b alpha inside, (b +- 2a)(alpha -+ 1) plus the variation outside."""
    lo, nominal, hi = 1.0, 2.0, 3.5
    a, b = 0.5 * (hi + lo) - nominal, 0.5 * (hi - lo)
    if abs(alpha) <= 1:
        shift = a * alpha**2 + b * alpha
    elif alpha > 1:
        shift = (b + 2 * a) * (alpha - 1) + hi - nominal
    else:
        shift = (b - 2 * a) * (alpha + 1) + lo - nominal
    model = model_of("T27", histosys=code2)
    found = model.expected_yields({"shape": jnp.array(alpha)})["singlechannel"][0]
    assert float(found) == pytest.approx(nominal + shift, rel=1e-14)


def test_T27_code2_of_pyhf_by_its_name():
    """pyhf's jumps from 1.5 to 1.7e-6 past +1; below -1 its two implementations disagree, above they do not."""
    reference = pyhf.interpolators.get(2, do_tensorized_calc=True)(pyhf.tensorlib.astensor([[[[1.0], [2.0], [3.5]]]]))
    for alpha in (-0.5, 0.5, 1.0, 1.000001, 2.0):
        expected = float(np.asarray(reference(np.array([[alpha]]))).ravel()[0])
        found = float(code2_pyhf(jnp.array(alpha), jnp.array(1.0), jnp.array(2.0), jnp.array(3.5))) - 2.0
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("name", "option"), [("code0", {"histosys": code0}), ("code1", {"normsys": code1})])
def test_T28_minimum_on_a_kink(name, option):
    """Both variations lower the background, the data are above: alpha = 0 is the minimum, and its slope jumps there.

    With mu = 0 every |alpha| > 0 makes 50 against 60 worse on both sides.
    """
    model = model_of("T28", name, **option)
    result = histjax.fit(model, fixed={"mu": 0.0}, throw=False)
    assert bool(result.converged), result.message
    assert float(result.params["kink"]) == 0.0
    expected = 2 * (60 * np.log(60 / 50) - 10)  # deviance of 60 against 50, no pull
    assert float(result.deviance) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["code0", "code1"])
def test_T28_default_codes_are_smooth(name):
    """code4 and code4p: the slope on both sides of 0 is one slope."""
    model = model_of("T28", name)

    def slope(alpha):
        yields = model.expected_yields({"mu": jnp.array(0.0), "kink": alpha})["singlechannel"]
        return yields[0]

    left, right = (float(jax.grad(slope)(jnp.array(side))) for side in (-1e-9, 1e-9))
    assert left == pytest.approx(right, abs=1e-6)


def test_T29_constants_of_the_polynomial():
    """x (S + x A (15 - 10 x^2 + 3 x^4)) with S = half the sum and A = 1/16 of the difference of both slopes.

    The sextic is here the solution of its six matching conditions: value, slope and curvature at +1 and -1.
    """
    lo, nominal, hi = 7.0, 10.0, 15.0
    powers = np.arange(1, 7)
    derivatives = [np.prod([powers - k for k in range(d)], axis=0, dtype=float) for d in range(3)]
    conditions = [factor * side ** (powers - d) for d, factor in enumerate(derivatives) for side in (1.0, -1.0)]
    right = [hi - nominal, lo - nominal, hi - nominal, nominal - lo, 0, 0]
    coefficients = np.linalg.solve(np.array(conditions), right)
    slopes = hi - nominal, nominal - lo
    for alpha in (-0.9, -0.3, 0.2, 0.5, 0.99):
        found = float(code4p(*map(jnp.array, (alpha, lo, nominal, hi)))) - nominal
        assert found == pytest.approx(coefficients @ alpha**powers, rel=1e-12)
        bend = (slopes[0] - slopes[1]) / 16
        form = alpha * (sum(slopes) / 2 + alpha * bend * (15 - 10 * alpha**2 + 3 * alpha**4))
        assert found == pytest.approx(form, rel=1e-13)
