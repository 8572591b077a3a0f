"""The package under JAX's strict settings: no implicit promotion of types or ranks."""

import jax
import pytest

import histjax
from tests.workspaces import BY_SLUG


@pytest.mark.parametrize(
    "strict",
    [lambda: jax.numpy_dtype_promotion("strict"), lambda: jax.numpy_rank_promotion("raise")],
    ids=["types", "ranks"],
)
def test_nothing_is_promoted_by_chance(strict):
    """Log density, derivatives, draws, fit and covariance of a model with all seven modifiers.

    These settings are part of what JAX compiles for, so everything here is traced anew.
    """
    with strict():
        model = histjax.compile(histjax.read(BY_SLUG["everything"].document))
        model.logpdf(model.init, model.data)
        model.logpdf_terms(model.init, model.data)
        model.expected_yields_by_sample(model.init)
        model.draw(jax.random.key(0), model.init)
        result = histjax.fit(model)
        result.correlation, str(result)
    assert bool(result.converged)
