"""Soft histograms against `numpy.histogram`, closed forms and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import logistic, norm

from histjax import histograms
from histjax.errors import InvalidHistogram

EDGES = np.array([-1.5, -0.4, 0.3, 1.0, 2.5])
KINDS = {
    "kde": (histograms.kde_histogram, histograms.kde_variances, norm, lambda width: width),
    "sigmoid": (
        histograms.sigmoid_histogram,
        histograms.sigmoid_variances,
        logistic,
        lambda width: 1 / width if width else jnp.inf,
    ),
}
"""Histogram, variances, the kernel of scipy, and the last argument for a kernel of scale `width`."""


@pytest.fixture(params=KINDS)
def kind(request):
    """One kind of kernel."""
    return KINDS[request.param]


@pytest.fixture
def events(rng):
    """Values, some of them outside the edges, and weights of both signs."""
    return rng.normal(0.3, 1.2, 400), rng.normal(1.0, 0.7, 400)


def test_contents(kind, events):
    """Equal to the sum over events of what scipy's kernel has between the edges."""
    (histogram, variances, kernel, argument), (values, weights) = kind, events
    share = np.diff(kernel.cdf((EDGES[None] - values[:, None]) / 0.2), axis=1)
    np.testing.assert_allclose(histogram(values, weights, EDGES, argument(0.2)), weights @ share, rtol=1e-11)
    np.testing.assert_allclose(variances(values, weights, EDGES, argument(0.2)), weights**2 @ share**2, rtol=1e-11)


@pytest.mark.parametrize("width", [1e-9, 0.0])
def test_hard_limit(kind, events, width):
    """A kernel of no width: `numpy.histogram` of the weights and of their squares."""
    (histogram, variances, _, argument), (values, weights) = kind, events
    last = argument(width)
    expected = [np.histogram(values, EDGES, weights=each)[0] for each in (weights, weights**2)]
    np.testing.assert_allclose(histogram(values, weights, EDGES, last), expected[0], rtol=1e-12)
    np.testing.assert_allclose(variances(values, weights, EDGES, last), expected[1], rtol=1e-12)


def test_values_on_edges():
    """As in numpy: a bin has its lower edge, the last one both."""
    values = np.array([0.0, 1.0, 1.0, 2.0, -0.1, 2.1])
    found = histograms.kde_histogram(values, None, np.array([0.0, 1.0, 2.0]), 0.0)
    np.testing.assert_array_equal(found, np.histogram(values, [0.0, 1.0, 2.0])[0])


def test_sum_rule(kind, events):
    """With open ends every weight is counted, whatever the width; without, what is missing has leaked."""
    (histogram, _, kernel, argument), (values, weights) = kind, events
    whole = np.array([-np.inf, *EDGES, np.inf])
    assert float(histogram(values, weights, whole, argument(0.4)).sum()) == pytest.approx(weights.sum(), rel=1e-12)
    inside = kernel.cdf((EDGES[-1] - values) / 0.4) - kernel.cdf((EDGES[0] - values) / 0.4)
    found = histogram(values, weights, EDGES, argument(0.4)).sum()
    assert float(found) == pytest.approx(weights @ inside, rel=1e-12)


@pytest.mark.parametrize("name, sigma", [("kde", 1.0), ("sigmoid", np.pi / np.sqrt(3))])
def test_bias(name, sigma):
    """Of the documented size: sigma^2 / 2 [f'(b) - f'(a)] for events of density f, the rest of fourth order.

    The mean over a standard normal density is an integral over its quantiles.
    """
    histogram, _, _, argument = KINDS[name]
    values = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    hard, slope = np.diff(norm.cdf(EDGES)), -EDGES * norm.pdf(EDGES)
    rest = []
    for width in (0.05, 0.1):
        bias = np.asarray(histogram(values, None, EDGES, argument(width))) / values.size - hard
        rest.append(np.abs(bias - (sigma * width) ** 2 / 2 * np.diff(slope)).max())
        assert rest[-1] < 0.05 * np.abs(bias).max()
    assert np.log2(rest[1] / rest[0]) == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("argument", ["values", "weights", "edges", "width"])
def test_gradients(kind, events, argument):
    """To 1e-8 of central differences of fourth order, along a random direction."""
    histogram, variances, _, of_width = kind
    point = {"values": events[0], "weights": events[1], "edges": EDGES, "width": np.array(of_width(0.3))}
    direction = np.random.default_rng(1).uniform(0.5, 1.0, point[argument].shape)

    def answers(size):
        given = point | {argument: point[argument] + size * direction}
        return jnp.concatenate([each(*given.values()) for each in (histogram, variances)])

    slope, h = jax.jacfwd(answers)(0.0), 1e-3
    near, far = answers(h) - answers(-h), answers(2 * h) - answers(-2 * h)
    np.testing.assert_allclose(slope, (8 * near - far) / (12 * h), rtol=1e-7, atol=1e-7)
    assert np.abs(slope).max() > 0.1


def test_nothing_is_not_a_number(kind):
    """Empty bins, weights of 0, events on edges, far away and at infinity: all derivatives are numbers."""
    histogram, variances, _, argument = kind
    values = jnp.array([0.0, 0.5, 1e4, -1e4, jnp.inf, -jnp.inf])
    weights = jnp.array([1.0, 0.0, 0.0, 2.0, 0.0, 1.0])
    edges = jnp.array([-jnp.inf, 0.0, 1.0, 50.0, 60.0, jnp.inf])

    def total(values, weights, width):
        uncertain = histograms.uncertainties(variances(values, weights, edges, width))
        return jnp.sum(histogram(values, weights, edges, width) * jnp.arange(5.0)) + jnp.sum(uncertain)

    for width in (argument(0.1), argument(1e-8)):
        answers = jax.value_and_grad(total, (0, 1, 2))(values, weights, width)
        assert all(np.all(np.isfinite(each)) for each in jax.tree.leaves(answers))
    assert histogram(values, weights, edges, argument(0.1))[3] == 0.0


def test_a_value_that_is_no_number_shows():
    """It is not dropped."""
    assert np.all(np.isnan(histograms.kde_histogram(np.array([np.nan, 0.5]), None, np.array([0.0, 1.0]), 0.1)))


def test_traced(kind, events):
    """Compiled and mapped over widths, as one by one; a width for each event is allowed."""
    (histogram, _, _, argument), (values, weights) = kind, events
    widths = jnp.array([argument(0.1), argument(0.3)])
    mapped = jax.jit(jax.vmap(lambda width: histogram(values, weights, EDGES, width)))(widths)
    one_by_one = [histogram(values, weights, EDGES, width) for width in widths]
    np.testing.assert_allclose(mapped, one_by_one, rtol=1e-12)
    same = histogram(values, weights, EDGES, np.full(values.size, argument(0.1)))
    np.testing.assert_allclose(same, one_by_one[0], rtol=1e-12)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (([[1.0]], None, [0.0, 1.0], 0.1), "one number an event"),
        (([1.0], [1.0, 2.0], [0.0, 1.0], 0.1), "one weight an event"),
        (([1.0], None, [0.0], 0.1), "at least two numbers"),
        (([1.0], None, [0.0, 2.0, 1.0], 0.1), "must increase"),
        (([1.0], None, [0.0, 1.0], -0.1), "must not be negative"),
        (([1.0], None, [0.0, 1.0], [0.1, 0.1]), "one an event"),
    ],
)
def test_refused(arguments, words):
    """One message for each mistake."""
    with pytest.raises(InvalidHistogram, match=words):
        histograms.kde_histogram(*(each if each is None else np.array(each) for each in arguments))


def test_cut(rng):
    """The logistic function; the hard cut where it is steep; two cuts are a product."""
    values = rng.normal(size=50)
    np.testing.assert_allclose(histograms.soft_cut(values, 0.2, 7.0), logistic.cdf(7.0 * (values - 0.2)), rtol=1e-12)
    np.testing.assert_array_equal(histograms.soft_cut(values, 0.2, jnp.inf), values > 0.2)
    np.testing.assert_array_equal(histograms.soft_cut(values, 0.2, -jnp.inf), values < 0.2)
    slope = jax.grad(lambda t: jnp.sum(histograms.soft_cut(values, t, 7.0)))(0.2)
    assert float(slope) == pytest.approx(-7.0 * logistic.pdf(7.0 * (values - 0.2)).sum(), rel=1e-12)
    assert np.isfinite(jax.grad(lambda s: jnp.sum(histograms.soft_cut(values, 0.2, s)))(jnp.inf))


def test_variations(rng):
    """Weights, inputs or both are replaced, the rest is nominal."""
    values, weights, other = rng.normal(size=(3, 60))
    shifts = {
        "weights": (histograms.Shift(weights=0.9 * weights), histograms.Shift(weights=1.1 * weights)),
        "inputs": (histograms.Shift(values=other), histograms.Shift(other, 2 * weights)),
    }
    found = histograms.varied_histograms(
        lambda x, w: histograms.kde_histogram(x, w, EDGES, 0.0), values, weights, shifts
    )

    def contents(x, w):
        return np.histogram(x, EDGES, weights=w)[0]

    expected = {
        "weights": (contents(values, 0.9 * weights), contents(values, 1.1 * weights)),
        "inputs": (contents(other, weights), contents(other, 2 * weights)),
    }
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), found, expected)
