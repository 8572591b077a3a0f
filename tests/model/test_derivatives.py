"""Value, gradient and Hessian by structure against automatic differentiation, where it is easy and where it is not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.model.interpolation import code0, code1, code2
from tests.workspaces import BY_SLUG, TABLE, points


@eqx.filter_jit
def both(model, vectors, data):
    """By structure, and by automatic differentiation, at every point."""

    def at(x):
        nll = model.nll
        return model.nll_derivatives(x, data), (nll(x, data), jax.grad(nll)(x, data), jax.hessian(nll)(x, data))

    return jax.vmap(at)(vectors)


def assert_equal_derivatives(model, vectors, data=None):
    """To 1e-12 of the Hessian scaled to unit diagonal; the gradient in the same units."""
    data = model.data if data is None else data
    structured, automatic = jax.tree.map(np.asarray, both(model, jnp.asarray(vectors), data))
    for value, gradient, hessian, value_ad, gradient_ad, hessian_ad in zip(*structured, *automatic, strict=True):
        assert np.all(np.isfinite(value)) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))
        assert value == pytest.approx(value_ad, rel=1e-12, abs=1e-12)
        diagonal = np.abs(np.diagonal(hessian_ad))
        scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        size = max(1.0, np.max(np.abs(hessian_ad) / (scale[:, None] * scale)))
        np.testing.assert_allclose(
            hessian / (scale[:, None] * scale), hessian_ad / (scale[:, None] * scale), rtol=0, atol=1e-12 * size
        )
        # an expectation nu is rounded to 1e-16 nu, which moves the slope (nu - n)/sqrt(n) by 1e-16 sqrt(n)
        largest = max(1.0, np.max(np.abs(gradient_ad) / scale), np.sqrt(abs(value_ad)))
        rounding = 4e-16 * np.sqrt(np.max(np.abs(np.asarray(model.ravel_data(data)))))
        np.testing.assert_allclose(gradient / scale, gradient_ad / scale, rtol=0, atol=1e-12 * largest + rounding)


# the others have no kind of cell that these have not, and a Hessian by automatic differentiation compiles for seconds
HARD = (
    "everything",
    "overrides",
    "two-factors",
    "one-sided",
    "normsys-zero",
    "shared-shapefactor",
    "staterror-two-channels",
    "shapesys-hole",
    "negative-yields",
    "precise-background",
)


@pytest.mark.parametrize("case", [case for case in TABLE if case.slug in HARD], ids=str)
def test_over_the_table(case, compile_case):
    """At the initial point and at three others."""
    model = compile_case(case.slug)
    assert_equal_derivatives(model, points(case, model.parameters))


@pytest.mark.parametrize(
    "case", [case for case in TABLE if case.slug in ("everything", "two-factors", "overrides")], ids=str
)
def test_where_factors_vanish(case, compile_case):
    """A signal at mu = 0, gammas at 0, and all factors at once: products over the *other* factors must survive."""
    model = compile_case(case.slug)
    init = np.asarray(model.parameters.init)
    sets = {each.name: each.slice for each in model.parameters.sets}
    vectors = []
    for names in (["mu"], ["stat_zeta"], ["uncorrelated"], ["kappa"], ["mu", "kappa"], list(sets)):
        if set(names) <= set(sets):
            vector = init.copy()
            for name in names:
                vector[sets[name]] = 0.0
            vectors.append(vector)
    assert vectors
    assert_equal_derivatives(model, vectors)


def test_where_the_expectation_is_negative(compile_case):
    """Past the floor the continuation is differentiated too."""
    model = compile_case("negative-rate")
    vectors = [[alpha, mu] for alpha in (0.9, 1.3, 2.5, -2.0) for mu in (0.0, 1.0)]
    order = [model.parameters.names.index(name) for name in ("shape", "mu")]
    assert_equal_derivatives(model, np.array(vectors)[:, np.argsort(order)])


def test_an_empty_bin_without_data(compile_case):
    """It contributes exactly nothing: the derivatives are those of the other bin (pyhf issue 293)."""
    model = compile_case("zero-bin")
    value, gradient, hessian = model.nll_derivatives(model.ravel(model.init), model.data)
    i = model.parameters.names.index("mu")
    # one bin, n = 52, nu = 50 + 5 mu at mu = 1; the normsys one/one is flat
    assert float(value) == pytest.approx(52 * np.log(52 / 55) - 52 + 55, rel=1e-13)
    assert float(gradient[i]) == pytest.approx(5 * (1 - 52 / 55), rel=1e-13)
    assert float(hessian[i, i]) == pytest.approx(25 * 52 / 55**2, rel=1e-13)


@pytest.mark.parametrize(
    "options", [{"clip_sample_data": 0.0}, {"clip_bin_data": 0.0}, {"clip_sample_data": 3.0, "clip_bin_data": 1.0}]
)
def test_clipped_models(options):
    """On both sides of the floor; a clipped cell has no slope. (On the floor itself there is no derivative.)"""
    model = histjax.compile(histjax.read(BY_SLUG["negative-rate"].document), **options)
    order = [model.parameters.names.index(name) for name in ("shape", "mu")]
    vectors = [[alpha, mu] for alpha in (0.1, 1.3, -1.0) for mu in (0.4, 2.0)]
    assert_equal_derivatives(model, np.array(vectors)[:, np.argsort(order)])


@pytest.mark.parametrize(("normsys", "histosys"), [(code1, code0), (code1, code2), (code0, code2)])
def test_other_codes(normsys, histosys):
    """Inside, outside, but not on the kinks."""
    model = histjax.compile(histjax.read(BY_SLUG["everything"].document), normsys=normsys, histosys=histosys)
    vectors = points(BY_SLUG["everything"], model.parameters)[1:]
    outside = vectors.copy()
    alphas = [model.parameters.set(name).start for name in ("jes", "xsec", "tilt")]
    outside[:, alphas] = np.array([[1.4, -1.7, 2.2], [-1.2, 1.1, -3.0], [0.3, 2.5, -0.4]])
    assert_equal_derivatives(model, np.vstack([vectors, outside]))
