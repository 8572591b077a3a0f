"""Contours of the profile likelihood: ellipses, bounds, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import End
from histjax.errors import InvalidModel
from tests.inference.closed_form import half_deviance
from tests.inference.profiles import CENTRE, COVARIANCE, estimates
from tests.inference.test_cls import HELLO, model_of

PLANE = [2, 0]
BLOCK = COVARIANCE[np.ix_(PLANE, PLANE)]
NAMES = ("b[1]", "a")


def distance(points, centre, block):
    """Mahalanobis distance squared."""
    pull = points - centre
    return np.einsum("...i,ij,...j", pull, np.linalg.inv(block), pull)


@pytest.mark.parametrize("degrees_of_freedom, expected", [(2, [2.295748929, 6.180074306]), (1, [1.0, 4.0])])
def test_ellipse(degrees_of_freedom, expected):
    """Correlated Gaussian estimates, the third one profiled: points on an ellipse at the chi-square quantiles."""
    result = histjax.contour(estimates(), parameters=NAMES, degrees_of_freedom=degrees_of_freedom)
    assert result.points.shape == (2, 40, 2) and np.all(result.status == End.FOUND)
    np.testing.assert_allclose(result.levels, expected, rtol=1e-8)
    found = distance(np.asarray(result.points), CENTRE[PLANE], BLOCK)
    np.testing.assert_allclose(found, np.broadcast_to(np.array(expected)[:, None], found.shape), rtol=1e-8)
    np.testing.assert_allclose(result.best, CENTRE[PLANE], rtol=1e-9)


def test_projection():
    """With one degree of freedom the extreme points of a contour are the ends of the intervals."""
    result = histjax.contour(
        estimates(), parameters=NAMES, degrees_of_freedom=1, confidence_levels=[0.6826894921370859], n_points=400
    )
    intervals = histjax.interval(estimates(), parameters=NAMES)
    np.testing.assert_allclose(result.points[0].max(axis=0), intervals.upper, rtol=1e-3)
    np.testing.assert_allclose(result.points[0].min(axis=0), intervals.lower, rtol=1e-3)


def test_not_gaussian():
    """Background factors of two bins at mu = 0: independent, each with its own deviance."""
    names = "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"
    result = histjax.contour(model_of("hello"), parameters=names, fixed={"mu": 0.0}, n_points=11)
    _, b, tau, n = HELLO.arrays

    def deviance(gamma):
        return 2 * (half_deviance(n, gamma * b) + half_deviance(tau, gamma * tau))

    lowest = deviance((n + tau) / (b + tau))
    for points, level in zip(np.asarray(result.points), result.levels, strict=True):
        np.testing.assert_allclose([deviance(each) - lowest for each in points], float(level), rtol=1e-8)


def test_clipped_by_bounds():
    """Where a bound comes before the level, the point lies on the bound."""
    result = histjax.contour(estimates(), parameters=NAMES, bounds={"a": (0.5, 2.5)}, confidence_levels=[0.95])
    points, at_bound = np.asarray(result.points[0]), np.asarray(result.status[0]) == End.AT_BOUND
    assert 0 < np.sum(at_bound) < 40
    np.testing.assert_allclose(np.abs(points[at_bound, 1] - 1.5), 1.0, rtol=1e-12)
    np.testing.assert_allclose(distance(points[~at_bound], CENTRE[PLANE], BLOCK), 5.991464547, rtol=1e-8)
    assert np.all(distance(points[at_bound], CENTRE[PLANE], BLOCK) < 5.991464547)


def test_best_fit_on_a_bound():
    """Rays that would leave run along the bound: the curve ends where the bound meets the level."""
    result = histjax.contour(model_of("hello"), parameters=("mu", "uncorr_bkguncrt[1]"), n_points=10)
    points = np.asarray(result.points)
    assert np.all(result.converged) and np.all(points[..., 0] >= 0)
    corner = histjax.interval(
        model_of("hello"), parameters="uncorr_bkguncrt[1]", fixed={"mu": 0.0}, confidence_level=1 - 2 * 0.064759
    )
    on_bound = points[0][(points[0, :, 0] == 0) & (np.asarray(result.status[0]) == End.FOUND)]
    np.testing.assert_allclose(
        [on_bound[:, 1].min(), on_bound[:, 1].max()], [corner.lower[0], corner.upper[0]], rtol=1e-3
    )


def test_errors():
    """Wrong requests are refused."""
    for wrong in ("a", ("a", "a"), ("a", "b[0]", "b[1]")):
        with pytest.raises(InvalidModel, match="two different"):
            histjax.contour(estimates(), parameters=wrong)
    with pytest.raises(InvalidModel, match="2 components"):
        histjax.contour(estimates(), parameters=("a", "b"))
    with pytest.raises(InvalidModel, match="degrees of freedom"):
        histjax.contour(estimates(), parameters=NAMES, degrees_of_freedom=3)
    with pytest.raises(InvalidModel, match="between 0 and 1"):
        histjax.contour(estimates(), parameters=NAMES, confidence_levels=[1.0])


def test_printed():
    """The extent of every curve."""
    lines = str(histjax.contour(estimates(), parameters=NAMES, n_points=4)).splitlines()
    assert lines[0].split() == ["status", "converged"] and lines[-1].split()[:3] == ["95.45", "%", "6.1801"]


def test_traced_and_differentiated():
    """In a trace the same points; they move along their rays, p = o + t d: with the data x,
    dt = (p - x)^T C^-1 dx / (p - x)^T C^-1 d.
    """

    def points(data):
        return histjax.contour(estimates(), data, parameters=NAMES, n_points=5, confidence_levels=[0.9]).points[0]

    found, slopes = jax.jit(lambda data: (points(data), jax.jacfwd(points)(data)))(jnp.asarray(CENTRE))
    alone = np.asarray(points(CENTRE))
    np.testing.assert_allclose(found, alone, rtol=1e-8)
    direction, inverse = alone - CENTRE[PLANE], np.linalg.inv(BLOCK)
    outwards = direction @ inverse
    expected = direction[:, :, None] * (outwards / np.sum(outwards * direction, axis=1, keepdims=True))[:, None, :]
    np.testing.assert_allclose(np.asarray(slopes)[:, :, PLANE], expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(np.asarray(slopes)[:, :, 1], 0.0, atol=1e-8)
