"""Interpolation codes against closed forms, documented values and their own promises."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from histjax.model.interpolation import code0, code1, code2, code2_pyhf, code4, code4p

CODES = (code0, code1, code2, code4, code4p)
TEMPLATES = [
    (8.0, 10.0, 15.0),
    (0.9, 1.0, 1.1),
    (12.0, 10.0, 11.0),
    (1.0, 2.0, 3.5),
    (10.0, 10.0, 10.0),
    (9.0, 10.0, 12.0),
]


def on(code, alphas, lo, nominal, hi):
    """A code at many alphas, as NumPy."""
    alphas = jnp.asarray(alphas, float)
    return np.asarray(code(alphas, *(jnp.full(alphas.shape, float(x)) for x in (lo, nominal, hi))))


def slopes(code, alpha, lo, nominal, hi, order=1):
    """The derivative of a code at one alpha."""
    template = [jnp.full(1, x, float) for x in (lo, nominal, hi)]

    def function(x):
        return code(x[None], *template)[0]

    for _ in range(order):
        function = jax.grad(function)
    return float(function(jnp.asarray(float(alpha))))


@pytest.mark.parametrize("code", [*CODES, code2_pyhf], ids=lambda code: code.__name__)
@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_the_three_templates_are_met(code, template):
    """I(-1) = lo, I(0) = nominal exactly, I(+1) = hi (CERN-OPEN-2012-016, section 4.1)."""
    lo, nominal, hi = template
    low, middle, high = on(code, [-1, 0, 1], *template)
    assert middle == nominal
    assert low == pytest.approx(lo, rel=1e-15, abs=1e-15)
    assert high == pytest.approx(hi, rel=1e-15, abs=1e-15)


def test_code0_documented_deltas():
    """pyhf documentation, "interpolation": lo 8, nominal 10, hi 15 at the first of 50 points between -1 and 1."""
    deltas = on(code0, np.linspace(-1, 1, 50)[:5], 8, 10, 15) - 10
    np.testing.assert_allclose(deltas, [-2, -1.91836735, -1.83673469, -1.75510204, -1.67346939], atol=5e-9)


@pytest.mark.parametrize(
    ("code", "template", "expected"),
    [
        (code0, (0.5, 1.0, 2.0), [0, 0.5, 1, 2, 3]),
        (code1, (0.9, 1.0, 1.1), [0.81, 0.9, 1, 1.1, 1.21]),
        # ROOT's continuous form: a = (hi + lo)/2 - nominal, b = (hi - lo)/2; (2a + b)(alpha - 1) + hi beyond +1
        (code2, (0.5, 1.0, 2.0), [0.25, 0.5, 1, 2, 3.25]),
        # pyhf's documented form drops the constant: test_interpolate.py of pyhf 0.7.6
        (code2_pyhf, (0.5, 1.0, 2.0), [0.75, 0.5, 1, 2, 2.25]),
    ],
)
def test_values_at_whole_alphas(code, template, expected):
    """At alpha = -2 ... 2."""
    np.testing.assert_allclose(on(code, range(-2, 3), *template), expected, rtol=1e-14)


def test_histosys_beyond_one():
    """pyhf 0.7.6, test_pdf.py: 100/150 with hi 102/190 and lo 98/100 gives 104/230 and 96/50 at alpha = +-2."""
    for code in (code0, code4p):
        np.testing.assert_allclose(on(code, [-2, 2], 98, 100, 102), [96, 104], rtol=1e-14)
        np.testing.assert_allclose(on(code, [-2, 2], 100, 150, 190), [50, 230], rtol=1e-14)


def test_code4p_is_its_polynomial():
    """alpha (S + alpha A (15 - 10 alpha^2 + 3 alpha^4)), S the mean of the two sides and A their difference / 16."""
    lo, nominal, hi = 8.0, 10.0, 15.0
    alpha = np.linspace(-1, 1, 41)
    above, below = hi - nominal, nominal - lo
    polynomial = 15 - 10 * alpha**2 + 3 * alpha**4
    expected = nominal + alpha * ((above + below) / 2 + alpha * (above - below) / 16 * polynomial)
    np.testing.assert_allclose(on(code4p, alpha, lo, nominal, hi), expected, rtol=1e-14)


@pytest.mark.parametrize(("lo", "hi"), [(0.9, 1.1), (0.5, 3.0), (1.2, 1.1), (1e-3, 40.0)])
def test_code4_solves_its_matching_conditions(lo, hi):
    """The sixth-degree polynomial that matches value, slope and curvature of lo^-alpha and hi^alpha at -1 and +1.

    The six conditions are solved here with 50 digits instead of using the inverse matrix of the literature.
    """
    mp = mpmath.mp.clone()
    mp.dps = 50
    rows, right = [], []
    for side, ratio in ((1, mp.mpf(hi)), (-1, mp.mpf(lo))):
        log = side * mp.log(ratio)
        rows += [[mp.mpf(side) ** k for k in range(1, 7)]]
        rows += [[k * mp.mpf(side) ** (k - 1) for k in range(1, 7)]]
        rows += [[k * (k - 1) * mp.mpf(side) ** (k - 2) for k in range(1, 7)]]
        right += [ratio - 1, ratio * log, ratio * log**2]
    powers = mp.lu_solve(mp.matrix(rows), mp.matrix(right))
    alpha = np.linspace(-0.99, 0.99, 23)
    expected = [float(1 + sum(powers[k] * mp.mpf(a) ** (k + 1) for k in range(6))) for a in alpha]
    size = max(hi, 1 / lo, 1.0)
    np.testing.assert_allclose(
        on(code4, alpha, lo, 1.0, hi), expected, rtol=0, atol=1e-13 * size * np.log(size + 1) ** 2
    )
    np.testing.assert_allclose(on(code4, [-3, -1.5, 1.5, 3], lo, 1, hi), [lo**3, lo**1.5, hi**1.5, hi**3], rtol=1e-14)


@pytest.mark.parametrize("code", [code4, code4p], ids=lambda code: code.__name__)
@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("template", [(8.0, 10.0, 15.0), (12.0, 10.0, 11.0)], ids=str)
def test_two_continuous_derivatives(code, side, template):
    """Value, slope and curvature at alpha = +-1 agree from both sides."""
    inside, outside = side * (1 - 1e-9), side * (1 + 1e-9)
    for order in range(3):
        left, right = (slopes(code, x, *template, order=order) for x in (inside, outside))
        assert left == pytest.approx(right, abs=2e-6)  # a third derivative of order 100 times 2e-9


def test_code2_is_continuous_as_in_root():
    """pyhf issue 2729: 1, 2, 3.5 jumped from 1.5 to 1.7e-6 crossing +1, and from -1.0 to -0.75 crossing -1."""
    for side in (-1.0, 1.0):
        left, right = on(code2, [side - 1e-9, side + 1e-9], 1.0, 2.0, 3.5)
        assert left == pytest.approx(right, abs=1e-8)
        assert slopes(code2, side - 1e-9, 1, 2, 3.5) == pytest.approx(slopes(code2, side + 1e-9, 1, 2, 3.5), abs=1e-8)


@pytest.mark.parametrize(
    ("code", "mean"), [(code0, (15 - 8) / 2), (code1, 10 * np.log(15 / 8) / 2)], ids=["code0", "code1"]
)
def test_the_slope_at_a_kink_is_the_mean(code, mean):
    """The slope jumps at alpha = 0; autodiff gives the mean of both sides and not one of them, nor the wrong sign."""
    assert slopes(code, 0.0, 8.0, 10.0, 15.0) == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize("code", [code1, code4], ids=lambda code: code.__name__)
@pytest.mark.parametrize(("lo", "hi"), [(0.0, 2.0), (-0.3, 1.2), (1.1, 0.0), (0.0, 0.0), (2.0, -1.0)])
def test_ratios_without_a_logarithm(code, lo, hi):
    """pyhf issue 2379: NaN at alpha = 0. Here exactly nominal there, finite everywhere, with finite derivatives."""
    alphas = np.linspace(-5, 5, 101)
    assert on(code, [0.0], lo, 1.0, hi)[0] == 1.0
    template = [jnp.asarray(x) for x in (lo, 1.0, hi)]

    def function(*arguments):
        return code(*(each[None] for each in arguments))[0]

    def all_derivatives(alpha):
        first = jax.grad(function, argnums=(0, 1, 2, 3))(alpha, *template)
        return function(alpha, *template), first, jax.grad(jax.grad(function))(alpha, *template)

    for leaf in jax.tree.leaves(jax.jit(jax.vmap(all_derivatives))(jnp.asarray(alphas))):
        assert np.all(np.isfinite(leaf))
    np.testing.assert_allclose(on(code, [-1, 1], lo, 1.0, hi), [lo, hi], atol=1e-14)
    if code is code4:
        for side in (-1.0, 1.0):
            for order in range(3):
                left, right = (slopes(code, side * (1 + d), lo, 1.0, hi, order=order) for d in (-1e-9, 1e-9))
                assert left == pytest.approx(right, abs=2e-6)
