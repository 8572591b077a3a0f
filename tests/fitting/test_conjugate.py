"""Newton with conjugate gradients: the minima of `Newton`, certified by the same certificate."""

import numpy as np
import pytest

import histjax
from histjax import Newton, NewtonCG, Status
from tests.fitting.test_compilations import nothing_compiled
from tests.workspaces import BY_SLUG

SLUGS = ("two-bins", "everything", "shared-shapefactor", "large-yields", "staterror-two-channels")


@pytest.mark.parametrize("slug", SLUGS)
def test_over_the_table(slug, compile_case):
    """Value and best fit are those of the table: on bounds, with holes and with yields of 5e6."""
    case, model = BY_SLUG[slug], compile_case(slug)
    result = histjax.fit(model, minimiser=NewtonCG())
    assert int(result.status) == Status.CONVERGED
    if case.twice_nll is not None:
        assert float(result.twice_nll) == pytest.approx(case.twice_nll, rel=1e-10, abs=1e-8)
    for name, value in case.best_fit.items():
        np.testing.assert_allclose(result.params[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    dense = histjax.fit(model)
    np.testing.assert_allclose(result.deviance, dense.deviance, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(result.covariance, dense.covariance, rtol=1e-5, atol=1e-12)


def test_newton_hands_over(compile_case):
    """Where the work of one factorisation is above the limit the same minimum is found the other way, and other fixed
    parameters are the same program.
    """
    model, small = compile_case("everything"), Newton(most_work=0.0)
    result = histjax.fit(model, minimiser=small)
    np.testing.assert_allclose(result.vector, histjax.fit(model, minimiser=NewtonCG()).vector, rtol=1e-9)
    with nothing_compiled():
        fixed = histjax.fit(model, fixed={"mu": 2.0}, minimiser=small)
    assert float(fixed.params["mu"]) == 2.0
    assert float(fixed.deviance) == pytest.approx(float(histjax.fit(model, fixed={"mu": 2.0}).deviance), abs=1e-9)


def test_the_iteration_limit_is_told(compile_case):
    """Stopped early, it says so."""
    result = histjax.fit(compile_case("everything"), minimiser=NewtonCG(max_iterations=1), throw=False)
    assert not bool(result.converged) and int(result.status) == Status.MAX_ITERATIONS


def test_published_model(corpus):
    """A published likelihood of 29 parameters: the same minimum as the dense method."""
    model = histjax.compile(histjax.read(corpus / "models" / "atlas_multib_Gtt0LB_run2__synthetic.json"))
    result, dense = histjax.fit(model, minimiser=NewtonCG()), histjax.fit(model)
    assert float(result.deviance) == pytest.approx(float(dense.deviance), abs=1e-8)
