"""Values and derivatives of expressions, against Python's mathematics, ROOT and interval arithmetic."""

import math

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from mpmath.ctx_iv import MPIntervalContext

from histjax.errors import UnknownName
from histjax.hs3.expressions import evaluate, names, parse, write
from histjax.hs3.expressions.functions import STANDARD
from histjax.hs3.expressions.guarding import safe_point
from histjax.hs3.expressions.syntax import Binary, Call, Comparison, Conditional, Constant, Logical, Name, Number, Unary

X, Y = 2.0, 3.0


def value(text: str, **values) -> float:
    """The value of a text, at x = 2 and y = 3 where nothing else is said."""
    return float(evaluate(parse(text), {"x": X, "y": Y, **values}))


VALUES = {
    "1234": 1234.0,
    "123.4 + 1.234e2 + 1.234E2": 370.2,
    "1.": 1.0,
    ".5": 0.5,
    "1e-3": 0.001,
    "1.e+3": 1000.0,
    "TRUE": 1.0,
    "FALSE": 0.0,
    "PI": math.pi,
    "EULER": math.e,
    "2/3": 2 / 3,
    "1/2*x": 1.0,
    "exp(x)": math.exp(2),
    "log(x)": math.log(2),
    "sqrt(x)": math.sqrt(2),
    "abs(-x)": 2.0,
    "pow(x, y)": 8.0,
    "min(x,y)": 2.0,
    "max(x, y)": 3.0,
    "sin(x)": math.sin(2),
    "cos(x)": math.cos(2),
    "tan(x)": math.tan(2),
    "asin(x/4)": math.asin(0.5),
    "acos(x/4)": math.acos(0.5),
    "atan(x)": math.atan(2),
    "ifelse(x < y, x, y)": 2.0,
    "ifelse(x > y, x, ifelse(x == 2, 7, 8))": 7.0,
    "sinh(x)": math.sinh(2),
    "cosh(x)": math.cosh(2),
    "tanh(x)": math.tanh(2),
    "log10(x)": math.log10(2),
    "log2(x*4)": 3.0,
    "erf(x/4)": math.erf(0.5),
    "erfc(x)": math.erfc(2),
    "floor(-x/4) + ceil(x/4)": 0.0,
    "sign(-x) + sign(0) + sign(y)": 0.0,
    "atan2(x, -y)": math.atan2(2, -3),
    "min(x)": 2.0,
    "max(1, x, y, -8) + min(1, x, y, -8)": -5.0,
    "erf(0.5) + erfc(0.5)": 1.0,
    "TMath::Pi() + TMath::E()": math.pi + math.e,
    "TMath::Exp(TMath::Log(x))": 2.0,
    "TMath::Power(x, y) - TMath::Sqrt(x*8)": 4.0,
    "TMath::Abs(-x) + fabs(-x) + TMath::Max(x, y) + TMath::Min(x, y)": 9.0,
    "ln(x) - std::log(x)": 0.0,
    "exp (x)\n- exp\t( x )": 0.0,
    "9^9^9^9": math.inf,
    "0^0": 1.0,
    "(-8)^3": -512.0,
    "1/0": math.inf,
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text):
    """Python's `math`; the constants and the division of integers are those of the standard, chapter 3.1."""
    assert value(text) == pytest.approx(VALUES[text], rel=1e-14, abs=1e-15)


PRECEDENCE = {
    "-x^2": -4.0,
    "2^3^2": 512.0,
    "x^2^y": 256.0,
    "-x^-2": -0.25,
    "2^-x": 0.25,
    "x**-2": 0.25,
    "-x**2": -4.0,
    "2**3**2": 512.0,
    "x*-y": -6.0,
    "-x*y": -6.0,
    "x/y*y": 2.0,
    "x-y-1": -2.0,
    "x - -x": 4.0,
    "!x+1": 1.0,
    "!x^2": 0.0,
    "!x==0": 1.0,
    "x<y==1": 1.0,
    "x==y<1": 0.0,
    "x&&y||0": 1.0,
    "1?2:3?4:5": 2.0,
    "x>1?y:0": 3.0,
}


@pytest.mark.parametrize("text", PRECEDENCE)
def test_precedence(text):
    """Measured: `RooFormulaVar` of ROOT 6.40.00 at x = 2, y = 3."""
    assert value(text) == PRECEDENCE[text]


ALIKE = {
    "1||0&&0": "1||(0&&0)",
    "0==1&&0": "(0==1)&&0",
    "1<2+3": "1<(2+3)",
    "0 ? 1 : 2 + 3": "0 ? 1 : (2 + 3)",
    "0||1 ? 2 : 3": "(0||1) ? 2 : 3",
    "1 ? 0 ? 2 : 3 : 4": "1 ? (0 ? 2 : 3) : 4",
    "+x": "x",
    "a.b::c+1": "a.b::c + 1.0",
}


@pytest.mark.parametrize("text", ALIKE)
def test_parentheses_say_what_binds(text):
    """Precedence of C, as trees: with and without the parentheses."""
    assert parse(text) == parse(ALIKE[text])


OPERATORS = st.sampled_from(["+", "-", "*", "/", "^", "**"])
OPERANDS = st.builds(lambda sign, digit: sign + digit, st.sampled_from(["", "-", "+", "--"]), st.sampled_from("12359"))
TEXTS = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.builds(lambda a, operator, b: f"{a}{operator}{b}", inner, OPERATORS, inner),
        st.builds(lambda a: f"({a})", inner),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_arithmetic_is_read_as_python_reads_it(text):
    """Python has the same precedence and associativity for these operators; its integers are made floats."""
    for digit in "12359":
        text = text.replace(digit, f"{digit}.0")
    try:
        expected = eval(text.replace("^", "**"), {})
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(not isinstance(expected, complex))
    found = float(evaluate(parse(text), {}))
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


INTERVALS = MPIntervalContext()
INTERVALS.prec = 40  # each step is widened by 1e-12 of its size, more than a rounding in double precision
FUNCTION_NAMES = ["exp", "log", "sqrt", "sin", "cos", "abs"]


def trees():
    """Trees of any shape, some of which no text without parentheses has."""
    numbers = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 1e-05, 1e17, 0.1]).map(Number)
    leaves = st.one_of(numbers, st.sampled_from("xyz").map(Name), st.sampled_from(["PI", "TRUE"]).map(Constant))

    def rest(operators, inner, **sizes):
        return st.lists(st.tuples(st.sampled_from(operators), inner), min_size=1, **sizes).map(tuple)

    def larger(inner):
        case = st.tuples(inner, inner)
        return st.one_of(
            st.builds(Unary, st.sampled_from("-!"), inner),
            st.builds(Binary, inner, rest("+-", inner, max_size=3)),
            st.builds(Binary, inner, rest("*/", inner, max_size=3)),
            st.builds(Binary, inner, rest("^", inner, max_size=1)),
            st.builds(Comparison, st.sampled_from(["==", "!=", "===", "!==", "<", "<=", ">", ">="]), inner, inner),
            st.builds(Logical, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Conditional, st.lists(case, min_size=1, max_size=2).map(tuple), inner),
            st.builds(Call, st.sampled_from(FUNCTION_NAMES), st.tuples(inner)),
            st.builds(Call, st.sampled_from(["min", "max", "pow"]), st.tuples(inner, inner)),
        )

    return st.recursive(leaves, larger, max_leaves=12)


class Undecided(Exception):
    """The interval does not tell which way an operation goes, or is not finite."""


def ends(interval) -> tuple[float, float]:
    """Both ends, which 40 bits leave exact in double precision."""
    return float(interval.a), float(interval.b)


def below(a, b, *, or_equal: bool) -> bool:
    """Whether a < b, or a <= b, for all points of the intervals or for none."""
    (a_low, a_high), (b_low, b_high) = ends(a), ends(b)
    if a_high < b_low or (or_equal and a_high == b_low):
        return True
    if a_low > b_high or (not or_equal and a_low == b_high):
        return False
    raise Undecided


def equal(a, b) -> bool:
    """Equality: of points exactly; of intervals that do not meet, it is false."""
    (a_low, a_high), (b_low, b_high) = ends(a), ends(b)
    if a_high < b_low or a_low > b_high:
        return False
    if a_low == a_high == b_low == b_high:
        return True
    raise Undecided


def is_true(interval) -> bool:
    """Whether an interval is other than 0."""
    return not equal(interval, INTERVALS.mpf(0))


def enclosed(node, values):
    """An interval that contains the value of a tree, by rules written apart from those of histjax."""
    match node:
        case Number(number):
            return INTERVALS.mpf(number)
        case Constant("PI"):
            return INTERVALS.pi + 0
        case Constant("TRUE"):
            return INTERVALS.mpf(1)
        case Name(name):
            return INTERVALS.mpf(values[name])
        case Conditional(cases, otherwise):
            chosen = next((result for condition, result in cases if is_true(enclosed(condition, values))), otherwise)
            return enclosed(chosen, values)
    parts = [enclosed(child, values) for child in node.children]
    match node:
        case Unary("-"):
            found = -parts[0]
        case Unary("!"):
            found = INTERVALS.mpf(int(not is_true(parts[0])))
        case Logical(operator):
            found = INTERVALS.mpf(int((all if operator == "&&" else any)([is_true(each) for each in parts])))
        case Comparison(operator):
            found = INTERVALS.mpf(int(compared(operator, *parts)))
        case Binary(_, rest):
            found = parts[0]
            for (operator, _), part in zip(rest, parts[1:], strict=True):
                found = arithmetic(operator, found, part)
        case Call(function):
            found = called(function, parts)
    low, high = ends(found)
    if not (high - low <= 1e-6 * max(abs(low), abs(high)) and max(abs(low), abs(high)) < 1e100):
        raise Undecided
    return found


def compared(operator, a, b) -> bool:
    """A comparison."""
    match operator:
        case "==" | "===":
            return equal(a, b)
        case "!=" | "!==":
            return not equal(a, b)
        case "<" | "<=":
            return below(a, b, or_equal=operator == "<=")
    return below(b, a, or_equal=operator == ">=")


def arithmetic(operator, a, b):
    """One operation on two intervals."""
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            if 0 in b:
                raise Undecided
            return a / b
        case "^":
            low, high = ends(b)
            if low == high and low.is_integer() and abs(low) < 100 and (low >= 0 or 0 not in a):
                return a ** int(low)
            if ends(a)[0] <= 0:
                raise Undecided
            return INTERVALS.exp(b * INTERVALS.log(a))


def called(function, parts):
    """A function of intervals."""
    match function:
        case "pow":
            return arithmetic("^", *parts)
        case "min":
            return parts[0] if below(*parts, or_equal=True) else parts[1]
        case "max":
            return parts[1] if below(*parts, or_equal=True) else parts[0]
        case "abs":
            return abs(parts[0])
        case "log" | "sqrt":
            if ends(parts[0])[0] <= 0:
                raise Undecided
        case "sin" | "cos":
            if max(map(abs, ends(parts[0]))) > 1e6:
                raise Undecided
        case "exp":
            if ends(parts[0])[1] > 200:
                raise Undecided
    return getattr(INTERVALS, function)(parts[0])


@settings(max_examples=400, deadline=None)
@given(trees(), st.tuples(*[st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 1.75, 3.0])] * 3))
def test_random_trees_lie_in_their_intervals(tree, point):
    """mpmath's interval arithmetic encloses the value; and the text of the tree parses to the same tree."""
    assert parse(write(tree)) == tree
    values = dict(zip("xyz", point, strict=True))
    try:
        interval = enclosed(tree, values)
    except (Undecided, OverflowError):
        return
    found = float(evaluate(tree, values))
    low, high = ends(interval)
    assert low <= found <= high, (write(tree), values, interval)


SLOPES = {
    "exp(-x/y)*(1 + 0.3*x)": (0.7, 1.9),
    "log(x)*sqrt(y) - tan(x/y)": (0.7, 1.9),
    "asin(x/4) + acos(y/4) + atan(x*y) + atan2(x, y)": (0.7, 1.9),
    "x^y + pow(y, x) + x^-2 + 2^x": (0.7, 1.9),
    "x^3 - (-y)^2": (-0.7, 1.9),
    "min(x, y, 3) + max(x*x, y, -1) + abs(-x)": (0.7, 1.9),
    "sinh(x) + cosh(y) + tanh(x) + log10(x) + log2(y) + erf(x) + erfc(y)": (0.7, 1.9),
    "sign(x)*y + floor(x)*y + ceil(x)*x": (0.7, 1.9),
    "x < y ? x*y : 1/(x - 0.7)": (0.7, 1.9),
    "x > y && x > 0 ? sqrt(x - y) : x > 0.5 ? cos(x)/y : log(-x)": (0.7, 1.9),
    "(x > 0)*x^2 + !(x > 0)*y": (0.7, 1.9),
}


@pytest.mark.parametrize("text", SLOPES)
def test_gradients_are_central_differences(text):
    """Richardson's combination of two central differences, computed with NumPy's double precision: error below 1e-9."""
    tree, point = parse(text), np.array(SLOPES[text])

    def at(vector):
        return evaluate(tree, {"x": vector[0], "y": vector[1]})

    gradient = jax.grad(at)(jnp.array(point))
    for i, step in enumerate(np.eye(2) * 1e-3):
        wide = (at(point + 2 * step) - at(point - 2 * step)) / 4e-3
        narrow = (at(point + step) - at(point - step)) / 2e-3
        assert gradient[i] == pytest.approx(float(4 * narrow - wide) / 3, rel=1e-8, abs=1e-8)


AT_CORNERS = {
    ("x > 0 ? log(x) : 0", 0.0): (0.0, 0.0),
    ("x > 0 ? log(x) : 0", -1.0): (0.0, 0.0),
    ("x == 0 ? 1 : sin(x)/x", 0.0): (1.0, 0.0),
    ("ifelse(x > 0, x^0.5, 0)", 0.0): (0.0, 0.0),
    ("x > 500 ? sqrt(x - 500)*log(501 - x) : x", 3.0): (3.0, 1.0),
    ("x > 0 ? x > 1 ? log(x - 1) : 1/x : exp(-1000*x)", 2.0): (0.0, 1.0),
    ("x < 800 ? x^2 : exp(x)", 0.0): (0.0, 0.0),
    ("x < 710 ? 2*x : exp(x)", 1000.0): (math.inf, math.inf),
    ("x < 1000 ? 2*x : exp(x)", 900.0): (1800.0, 2.0),
    ("x < 0 ? sqrt(max(-x, 0)) : x", 1.0): (1.0, 1.0),
    ("x >= 1 ? sqrt(x^2 - 1) : x <= -1 ? -sqrt(x^2 - 1) : 0", 0.5): (0.0, 0.0),
    ("x > y ? sqrt(x - y) : 1/(y - x)", 2.0): (1.0, 1.0),
    ("x < y ? asin(x/y) : acos(y/x)", 6.0): (math.pi / 3, 1 / 6 / math.sqrt(3)),
    ("0 ? 1/x : x", 0.0): (0.0, 1.0),
    ("1 ? x : log(x)", 0.0): (0.0, 1.0),
    ("x^2", 0.0): (0.0, 0.0),
    ("x^1", 0.0): (0.0, 1.0),
    ("x^0", 0.0): (1.0, 0.0),
    ("x^y", 0.0): (0.0, 0.0),
    ("x^(y - 2)", 0.0): (0.0, 1.0),
    ("x^(y - 3)", 0.0): (1.0, 0.0),
    ("x^(y - 3)", 2.0): (1.0, 0.0),
    ("(y + x)^x", 0.0): (1.0, math.log(3)),
    ("pow(x, 1 + 1)", 0.0): (0.0, 0.0),
    ("abs(x)", 0.0): (0.0, 0.0),
    ("sqrt(x)", 0.0): (0.0, math.inf),
}


@pytest.mark.parametrize(("text", "x"), AT_CORNERS)
def test_derivatives_at_corners(text, x):
    """Value and slope in x at y = 3 (closed form): a branch that is not used adds nothing, whatever it is there."""
    tree = parse(text)
    found = jax.value_and_grad(lambda x: evaluate(tree, {"x": x, "y": Y}))(x)
    assert tuple(map(float, found)) == pytest.approx(AT_CORNERS[text, x], rel=1e-14)


BRANCHES = [
    "sqrt(max(-x, 0))",
    "sqrt(x - 500)*log(501 - x)/(502 - x)",
    "sqrt(x - y)/log(y)",
    "sqrt(y - x)",
    "log(x + y + z - 25)*(x - y)^-2",
    "max(x - 1.5, 0)^0.5",
    "min(x, 0)^-1",
    "max(x - 1.5, 0)^(y/4)",
    "asin(x*y)*acos(z)",
    "asin(min(x + 2, 1))",
    "atan2(max(x - 1.75, 0), max(y - 1.75, 0))",
    "exp(x^2)*exp(1000*y)",
    "x > 7 ? log(x - 7)*log(8 - x) : log(-1)",
    "1/0 > x ? log(-x) : x",
]


@pytest.mark.parametrize("text", BRANCHES)
def test_safe_points_are_safe(text):
    """There the branch and its gradient are finite (computed by JAX, not by the rules that found the point)."""
    branch = parse(text)
    point = safe_point(branch)
    value, slopes = jax.value_and_grad(lambda at: evaluate(branch, at))(point)
    assert np.isfinite([float(each) for each in (value, *slopes.values())]).all()


@pytest.mark.parametrize("differentiate", [jax.jacfwd, jax.jacrev])
def test_a_branch_that_is_finite_nowhere(differentiate):
    """It adds nothing where it is not used, to first and second derivatives, forwards and backwards; y^2 does."""
    tree = parse("x > 0 ? y^2 : log(x)*log(-x)*y/0")

    def at(vector):
        return evaluate(tree, {"x": vector[0], "y": vector[1]})

    point = jnp.array([1.0, 3.0])
    np.testing.assert_array_equal(differentiate(at)(point), [0.0, 6.0])
    np.testing.assert_array_equal(differentiate(differentiate(at))(point), [[0.0, 0.0], [0.0, 2.0]])


def test_unused_branches_make_no_nan():
    """Not even on the way: JAX stops at the first one where it is told to."""
    tree = parse("x > 500 ? sqrt(x - 500)*log(501 - x) : x > 0 ? log(x) : 0")
    with jax.debug_nans(True):
        for x in (-1.0, 0.0, 1.0):
            assert math.isfinite(jax.grad(lambda x: evaluate(tree, {"x": x}))(x))


@pytest.mark.parametrize(("x", "expected"), [(-3.0, -0.25 / 2**1.5), (-0.25, 0.0), (0.0, 0.0), (2.0, -0.25)])
def test_second_derivatives_of_unused_branches(x, expected):
    """Closed form: -1/x^2 of log(x), and -1/4 (-1 - x)^(-3/2) of sqrt(-1 - x), each where it is used."""
    tree = parse("x > 0 ? log(x) : x > -1 ? 0*x : sqrt(-1 - x)")
    second = jax.grad(jax.grad(lambda x: evaluate(tree, {"x": x})))
    assert float(second(x)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("text", ["x^2", "x^n"])
def test_second_derivative_of_a_square_at_zero(text):
    """2, with the exponent a number and with the exponent a parameter."""
    tree = parse(text)
    assert float(jax.grad(jax.grad(lambda x: evaluate(tree, {"x": x, "n": 2.0})))(0.0)) == 2.0


EQUAL = {
    "0.1 + 0.2 == 0.3": 1.0,
    "0.1 + 0.2 === 0.3": 0.0,
    "0.1 + 0.2 != 0.3": 0.0,
    "0.1 + 0.2 !== 0.3": 1.0,
    "1 == 1.000000001": 0.0,
    "1e-300 == 0": 0.0,
    "1/0 == 1/0": 1.0,
    "1/0 == 1": 0.0,
    "1/0 == -1/0": 0.0,
    "x/10 + y/10 == 0.5": 1.0,
    "x*0.1 + 0.1 === 0.3": 0.0,
    "x*0.1 + 0.1 == 0.3": 1.0,
}


@pytest.mark.parametrize("text", EQUAL)
def test_approximate_equality(text):
    """The standard: `==` within a small multiple of the last place, `===` exactly; 0.1 + 0.2 is 0.3 + 5.6e-17."""
    assert value(text) == EQUAL[text]


def test_arrays_broadcast_and_keep_their_type():
    """A branch for each element; float32 stays float32, integers become floating-point numbers."""
    tree = parse("x > 0 ? sqrt(x)*PI : y")
    x = np.array([4.0, -1.0, 9.0])
    found = evaluate(tree, {"x": x, "y": 3})
    np.testing.assert_allclose(found, [2 * np.pi, 3.0, 3 * np.pi], rtol=1e-15)
    single = evaluate(tree, {"x": x.astype(np.float32)[:, None], "y": np.float32([1, 2])})
    assert single.dtype == jnp.float32 and single.shape == (3, 2)
    assert evaluate(parse("x > 1"), {"x": np.float32(2)}).dtype == jnp.float32
    assert evaluate(parse("x^-1"), {"x": 2}) == 0.5
    assert evaluate(parse("PI"), {}).shape == ()


def test_jit_and_vmap():
    """They are the loop, and the tree may be a static argument."""
    tree = parse("a*exp(-x/b) + (x > 1 ? log(x - 1) : 0)")
    points = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
    x = np.array([0.5, 1.0, 2.5])
    compiled = jax.jit(evaluate, static_argnums=0)
    found = jax.vmap(lambda each: compiled(tree, {**each, "x": x}))(points)
    expected = [
        [a * math.exp(-each / b) + (math.log(each - 1) if each > 1 else 0) for each in x]
        for a, b in zip(points["a"], points["b"], strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    gradient = jax.jit(jax.vmap(jax.grad(lambda x: evaluate(parse("x > 0 ? log(x) : 0"), {"x": x}))))
    np.testing.assert_array_equal(gradient(np.array([-1.0, 0.0, 4.0])), [0.0, 0.0, 0.25])


def test_names_in_order():
    """First appearance, conditions before values; a name without a value is named."""
    tree = parse("c ? b*a : a + d(0)".replace("d(0)", "exp(d)*PI"))
    assert names(tree) == ("c", "b", "a", "d")
    with pytest.raises(UnknownName, match="no parameter named 'b'; there are: c, a"):
        evaluate(tree, {"c": 1.0, "a": 2.0})


def test_the_standard_s_functions_are_those_of_its_text():
    """Chapter 3.1 of HS3 0.2.9."""
    assert set(STANDARD) == set("exp log sqrt abs pow min max sin cos tan asin acos atan".split())
