"""Grouped impacts against linear algebra and against fits with the group really fixed."""

import re

import jax
import numpy as np
import pytest

import histjax
from histjax.inference.groups import standard_groups
from tests.inference.linear import COVARIANCE, LINEAR, held

GROUPS = {"first": "alpha", "both": ["alpha", re.compile("b.*")], "one again": ["re:b.ta"]}


def test_linear_gaussian_model():
    """Freezing takes rows and columns out of the information matrix; quadrature adds squared correlations."""
    result = histjax.grouped_impacts(LINEAR, groups=GROUPS)
    total = COVARIANCE[0, 0]
    frozen = [np.sqrt(total - held(*places)[0, 0]) for places in ((1,), (1, 2), (2,))]
    linear = COVARIANCE[0] ** 2 / np.diagonal(COVARIANCE)
    np.testing.assert_allclose(result.frozen, frozen, atol=1e-10)
    np.testing.assert_allclose(result.quadrature, np.sqrt([linear[1], linear[1] + linear[2], linear[2]]), atol=1e-12)
    np.testing.assert_allclose([result.total, result.statistical], np.sqrt([total, held(1, 2)[0, 0]]), atol=1e-12)
    np.testing.assert_allclose(result.systematic, frozen[1], atol=1e-10)
    assert result.members == (("alpha",), ("alpha", "beta"), ("beta",))
    assert "statistical" in str(result)


@pytest.mark.parametrize("slug", ["everything"])
def test_freezing_is_a_fit_with_the_group_fixed(compile_case, slug):
    """No approximation: with the group fixed at its best fit, the minimum stays and the Hessian is the same."""
    model = compile_case(slug)
    groups = standard_groups(model.parameters)
    result = histjax.grouped_impacts(model)
    poi = model.parameters.index(model.poi).start
    for name, frozen in zip(result.names, result.frozen, strict=True):
        fixed = {each: result.fit.params[each] for each in groups[name] if each != model.poi}
        again = histjax.fit(model, fixed=fixed, init=result.fit)
        np.testing.assert_allclose(again.covariance[poi, poi], result.total**2 - frozen**2, rtol=1e-6)


def test_select():
    """Exact names win over globs; components and sets are names; a pattern without match is an error."""
    model = histjax.compile(histjax.read(histjax.examples.path("search")))
    parameters = model.parameters
    names = parameters.component_names

    def chosen(*patterns):
        return [names[i] for i in histjax.select(parameters, patterns)]

    assert chosen("staterror_CR") == ["staterror_CR[0]", "staterror_CR[1]"] == chosen(re.compile("staterror_C."))
    assert chosen("staterror_CR[1]") == ["staterror_CR[1]"]
    assert chosen("lumi", "*_cross_section", "lumi") == ["lumi", "diboson_cross_section", "signal_cross_section"]
    assert chosen("re:m.|lum.") == ["lumi", "mu"]
    for absent in ("nothing_*", "re:xyz", re.compile("lum")):
        with pytest.raises(histjax.errors.UnknownName):
            chosen(absent)


def test_traced():
    """Derivatives of a contribution with respect to data of a nonlinear model against central differences."""
    model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))

    def contribution(counts):
        data = histjax.Data({"singlechannel": counts}, model.data.aux)
        result = histjax.grouped_impacts(model, data, groups={"one": ["uncorr_bkguncrt[0]"], "all": ["uncorr*"]})
        return result.frozen

    counts, step = np.array([70.0, 60.0]), 1e-3
    both = jax.jit(jax.vmap(lambda x: (contribution(x), jax.jacfwd(contribution)(x))))
    values, slopes = both(np.stack([counts, counts + 5]))
    for k in range(2):
        shift = step * np.eye(2)[k]
        up, down = (contribution(jax.device_put(counts + sign * shift)) for sign in (1, -1))
        np.testing.assert_allclose(slopes[0, :, k], (up - down) / (2 * step), rtol=1e-5)
    np.testing.assert_allclose(values[1], contribution(jax.device_put(counts + 5)), rtol=1e-8)
