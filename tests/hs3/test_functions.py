"""Functions against closed forms and ROOT 6.40."""

import jax
import numpy as np
import pytest

from histjax.hs3.kinds import FUNCTIONS
from histjax.hs3.nodes import read_node
from tests.hs3.points import Point, function

ALPHAS = np.array([-2, -1, -0.6, 0, 0.3, 1, 1.7])
# FlexibleInterpVar and PiecewiseInterpolation of ROOT 6.40 with low/nominal/high 0.7/1/1.2 and 43/50/58 at ALPHAS
FLEXIBLE = {
    0: [0.4, 0.7, 0.82, 1.0, 1.06, 1.2, 1.34],
    1: [0.49, 0.7, 0.8073443754472972, 1.0, 1.0562199684392581, 1.2, 1.3633523726386663],
    2: [0.35, 0.7, 0.832, 1.0, 1.0705, 1.2, 1.305],
    4: [0.49, 0.7, 0.8137715407048338, 1.0, 1.0674895373033553, 1.2, 1.3633523726386663],
    5: [0.49, 0.7, 0.8137715407048338, 1.0, 1.0674895373033553, 1.2, 1.3633523726386663],
}
PIECEWISE = {
    0: [36.0, 43.0, 45.8, 50.0, 52.4, 58.0, 63.6],
    1: [36.98, 43.0, 45.67400289472667, 50.0, 52.27660808993148, 58.0, 64.35000515360348],
    2: [36.5, 43.0, 45.68, 50.0, 52.295, 58.0, 63.95],
    4: [36.0, 43.0, 45.765248, 50.0, 52.3294491875, 58.0, 63.6],
    5: [36.98, 43.0, 45.67832604814878, 50.0, 52.28469511985212, 58.0, 64.35000515360348],
    6: [36.0, 43.0, 45.765248, 50.0, 52.3294491875, 58.0, 63.6],
}
# two parameters at 0.4 and -1.3: nominal 2, variations (1.6, 2.5) and (1.9, 2.2); nominal 50, (43, 58) and (48, 53)
TWO_FLEXIBLE = {0: 2.07, 1: 2.0456658149391322, 2: 2.073, 4: 2.0456658173960682, 5: 2.0456658173960682}
TWO_PIECEWISE = {0: 50.6, 1: 50.31596460887003, 2: 50.63, 4: 50.534768, 5: 50.323075206577265, 6: 50.371760064}


def test_sum_and_product_of_names_and_numbers():
    """The standard's own example mixes them."""
    at = Point({"a": 3.0, "b": np.array([1.0, 2.0])})
    np.testing.assert_allclose(function(type="sum", summands=[1.8, 4, "b"]).value(at), [6.8, 7.8])
    np.testing.assert_allclose(function(type="product", factors=["a", 2, "b"]).value(at), [6.0, 12.0])
    assert function(type="product", factors=["a", 2, "b", "a"]).depends == ("a", "b")


def test_polynomial_with_roots_numbers_as_texts():
    """ROOT writes the leading coefficients that it leaves out as texts."""
    node = function(type="polynomial", x="x", coefficients=["1.0", "0.0", "a"])
    assert node.depends == ("x", "a")
    np.testing.assert_allclose(node.value(Point({"x": np.array([0.0, 2.0]), "a": 3.0})), [1.0, 13.0])


def test_weighted_sum():
    """sum of coefficient times function."""
    node = function(type="weighted_sum", samples=["f", "g"], coefficients=["a", 2.0])
    assert float(node.value(Point({"f": 3.0, "g": 5.0, "a": 10.0}))) == 40.0


@pytest.mark.parametrize("code", FLEXIBLE)
def test_flexible_interpolation(code):
    """ROOT's values, one parameter and two."""
    one = function(type="interpolation0d", vars=["a"], nom=1.0, low=[0.7], high=[1.2], interpolationCodes=[code])
    np.testing.assert_allclose(one.value(Point({"a": ALPHAS})), FLEXIBLE[code], rtol=1e-14)
    keys = {"nom": 2.0, "low": [1.6, 1.9], "high": [2.5, 2.2], "interpolationCodes": code}
    two = function(type="interpolation0d", vars=["a", "b"], **keys)
    assert float(two.value(Point({"a": 0.4, "b": -1.3}))) == pytest.approx(TWO_FLEXIBLE[code], rel=1e-14)


def test_flexible_interpolation_of_several_codes_in_order():
    """ROOT 6.40: an addition, then a factor."""
    node = function(
        type="interpolation0d", vars=["a", "b"], nom=2.0, low=[1.6, 1.9], high=[2.5, 2.2], interpolationCodes=[0, 4]
    )
    assert float(node.value(Point({"a": 0.4, "b": -1.3}))) == pytest.approx(2.058085285798732, rel=1e-14)


def test_flexible_interpolation_stays_above_zero():
    """ROOT 6.40: 1 - 3 (1 - 0.1) is replaced by the smallest number, here with zero derivatives."""
    node = function(type="interpolation0d", vars=["a"], nom=1.0, low=[0.1], high=[2.0], interpolationCodes=[0])
    value, slope = jax.value_and_grad(lambda a: node.value(Point({"a": a})))(-3.0)
    assert float(value) == 2.2250738585072014e-308 and float(slope) == 0.0


@pytest.mark.parametrize("code", PIECEWISE)
def test_piecewise_interpolation(code):
    """ROOT's values, one parameter and two."""
    one = function(type="interpolation", vars=["a"], nom="n", low=["l"], high=["h"], interpolationCodes=[code])
    at = {"n": 50.0, "l": 43.0, "h": 58.0, "l2": 48.0, "h2": 53.0}
    np.testing.assert_allclose(one.value(Point({**at, "a": ALPHAS})), PIECEWISE[code], rtol=1e-14)
    two = function(
        type="interpolation", vars=["a", "b"], nom="n", low=["l", "l2"], high=["h", "h2"], interpolationCodes=[code] * 2
    )
    assert float(two.value(Point({**at, "a": 0.4, "b": -1.3}))) == pytest.approx(TWO_PIECEWISE[code], rel=1e-14)


@pytest.mark.parametrize("code", PIECEWISE)
def test_interpolation_of_an_empty_bin(code):
    """A nominal value of 0 has no ratios: additive codes as ever, the others stay 0; no derivative is NaN."""
    node = function(type="interpolation", vars=["a"], nom="n", low=[0.5], high=[1.0], interpolationCodes=[code])
    gradient = jax.grad(lambda a, n: node.value(Point({"a": a, "n": n})), (0, 1))(0.7, 0.0)
    assert np.isfinite(gradient).all()
    assert float(node.value(Point({"a": 1.0, "n": 0.0}))) == pytest.approx(0.0 if code in (1, 5, 6) else 1.0)


def test_positive_definite():
    """Below 0 the value is 0."""
    node = function(
        type="interpolation", vars=["a"], nom=1.0, low=[0.1], high=[2.0], interpolationCodes=[0], positiveDefinite=True
    )
    assert float(node.value(Point({"a": -3.0}))) == 0.0


def test_histogram():
    """RooHistFunc 6.40 on edges 0, 0.5, 1, 3 with 1, 4, 2: an edge counts to the bin above, outside is 0."""
    data = {"axes": [{"name": "x", "edges": [0, 0.5, 1, 3]}], "contents": [1, 4, 2]}
    x = np.array([0.2, 0.5, 0.7, 1.0, 2.0, 3.0, -0.5, 4.0])
    found = function(type="histogram", data=data).value(Point({"x": x}))
    np.testing.assert_array_equal(found, [1, 4, 4, 2, 2, 2, 0, 0])


def test_histogram_of_two_axes():
    """ROOT 6.40 writes contents with the last axis running fastest."""
    axes = [{"name": "x", "min": 0, "max": 2, "nbins": 2}, {"name": "y", "min": 0, "max": 3, "nbins": 3}]
    node = function(type="histogram", data={"axes": axes, "contents": [1, 2, 3, 11, 12, 13]})
    assert node.depends == ("x", "y")
    at = Point({"x": np.array([0.5, 1.5, 1.5]), "y": np.array([2.5, 0.5, 1.5])})
    np.testing.assert_array_equal(node.value(at), [3, 11, 12])


def test_step():
    """ParamHistFunc 6.40: the first axis runs fastest, the upper edge is in the last bin."""
    axes = [{"name": "x", "min": 0, "max": 2, "nbins": 2}, {"name": "y", "min": 0, "max": 3, "nbins": 3}]
    names = [f"p{i}" for i in range(6)]
    node = function(type="step", axes=axes, parameters=names, variables=["x", "y"])
    values = {name: i + 1.0 for i, name in enumerate(names)}
    x, y = np.array([0.5, 0.5, 1.5, 1.5, 1.5, 1.0, 2.0]), np.array([1.5, 2.5, 0.5, 1.5, 2.5, 0.5, 0.5])
    np.testing.assert_array_equal(node.value(Point({**values, "x": x, "y": y})), [3, 5, 2, 4, 6, 2, 2])
    slope = jax.grad(lambda p: node.value(Point({**values, "p2": p, "x": 0.5, "y": 1.5})))(3.0)
    assert float(slope) == 1.0


def test_generic_function():
    """An expression of names."""
    node = function(type="generic_function", expression="a*exp(-x/2) + (x > 1 ? b : 0)")
    assert set(node.depends) == {"a", "x", "b"}
    found = node.value(Point({"a": 2.0, "b": 5.0, "x": np.array([0.0, 2.0])}))
    np.testing.assert_allclose(found, [2.0, 2.0 * np.exp(-1.0) + 5.0])


@pytest.mark.parametrize(
    "entry, said",
    [
        ({"type": "weighted_sum", "samples": ["f"], "coefficients": [1, 2]}, "1 functions and 2 coefficients"),
        ({"type": "interpolation0d", "vars": ["a"], "nom": 1, "low": [1, 2], "high": [1]}, "'low' has 2 entries"),
        (
            {"type": "interpolation0d", "vars": ["a"], "nom": 1, "low": [1], "high": [1], "interpolationCodes": [6]},
            "code 6 is not one of",
        ),
        ({"type": "histogram", "data": {"axes": [{"name": "x", "edges": [0, 1]}], "contents": [1, 2]}}, "1 contents"),
        ({"type": "histogram", "data": {"axes": [{"name": "x", "edges": [1, 0]}], "contents": [1]}}, "edges ascend"),
        ({"type": "step", "axes": [{"name": "x", "edges": [0, 1]}], "parameters": ["a", "b"]}, "'parameters' has 2"),
        ({"type": "generic_function", "expression": "2 x"}, "column 3"),
        ({"type": "generic_function", "expression": 2}, "the text of an expression"),
    ],
)
def test_wrong_entries(entry, said):
    """Each is one problem with what was found."""
    node, problems = read_node({"name": "node", **entry}, FUNCTIONS, "/functions/0")
    assert node is None
    assert any(said in each.message for each in problems), problems
