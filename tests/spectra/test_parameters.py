"""Linked, frozen and bounded parameters, their table, and fits of two spectra that share them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import histjax
from histjax import spectra, tables
from histjax.errors import InvalidModel, InvalidPlot, UnknownName
from tests.fitting.test_compilations import nothing_compiled
from tests.spectra.cases import joint_spectra, power_law_model

TRUTH = {"a.norm": 0.01, "a.index": 1.7, "b.norm": 0.012}


@pytest.fixture(scope="module")
def joint():
    """Two spectra of one power law, with a norm each."""
    model = power_law_model()
    return spectra.compile(
        {name: (each, model) for name, each in joint_spectra().items()}, links={"b.index": "a.index"}
    )


@pytest.fixture(scope="module")
def fitted(joint):
    return histjax.fit(joint)


def test_links(joint):
    """Linked parameters are one; the second one's start and bounds hold, and come back when it is on its own again."""
    assert joint.parameters.names == ("a.norm", "a.index", "b.norm")
    alone = joint.unlinked("b.index")
    assert alone.parameters.names == ("a.norm", "a.index", "b.norm", "b.index")
    changed = alone.with_init({"b.index": 2.5}).linked({"a.index": "b.index"})
    assert changed.parameters.names == ("a.norm", "b.norm", "b.index")
    assert changed.init["b.index"] == 2.5 and changed.unlinked("a.index").init["a.index"] == 1.7
    whole = alone.linked({"b": "a"})
    assert whole.parameters.names == ("a.norm", "a.index")
    assert whole.linked_names == (("b.norm", "a.norm"), ("b.index", "a.index"))
    # a chain ends at its end, and the value of the one is that of all
    chain = alone.linked({"a.norm": "b.index"}).linked({"b.norm": "a.norm"}).linked({"b.index": "a.index"})
    assert chain.parameters.names == ("a.index",)
    half = jnp.array(0.5)
    rates = chain.source_counts({"a.index": half})
    expected = alone.source_counts(dict.fromkeys(("a.norm", "a.index", "b.norm", "b.index"), half))
    for name in ("a", "b"):
        np.testing.assert_allclose(rates[name], expected[name], rtol=1e-14)


def test_links_that_make_no_sense(joint):
    with pytest.raises(UnknownName, match=r"no parameter named 'c\.index'"):
        joint.linked({"c.index": "a.index"})
    with pytest.raises(InvalidModel, match="cannot be linked to itself"):
        joint.linked({"a.index": "b.index"})
    with pytest.raises(InvalidModel, match=r"'b\.index' is linked to 'a\.index' already"):
        joint.linked({"b.index": "b.norm"})
    with pytest.raises(UnknownName, match=r"no linked parameter named 'a\.index'"):
        joint.unlinked("a.index")
    with pytest.raises(InvalidModel, match="parameter of interest"):
        joint.with_poi("b.norm").linked({"b.norm": "a.norm"})


def test_frozen_and_thawed(joint):
    """Frozen parameters stay parameters; one that is linked stands for the other."""
    frozen = joint.frozen({"b.index": 2.0}).frozen("a.norm")
    assert frozen.parameters.fixed.tolist() == [True, True, False]
    result = histjax.fit(frozen)
    assert result.params["a.index"] == 2.0 and result.params["a.norm"] == 0.01
    assert frozen.thawed("a.index", "a.norm").parameters.fixed.tolist() == [False] * 3
    bounded = joint.with_bounds({"a.index": (2.0, 3.0)})
    assert histjax.fit(bounded).params["a.index"] == 2.0
    with pytest.raises(InvalidModel, match=r"bounds of 'a\.index': expected lower <= upper"):
        joint.with_bounds({"a.index": (3.0, 2.0)})
    with pytest.raises(UnknownName):
        joint.frozen("a.flux")
    assert joint.parameters.fixed.tolist() == [False] * 3  # nothing was changed in place


def test_the_table(joint, fitted):
    """Free, frozen and linked parameters, with values, ranges and uncertainties."""
    frozen = joint.frozen({"b.norm": 0.5})
    table = tables.parameters_table(frozen)
    assert table.columns == ("parameter", "value", "range", "kind")
    assert table.rows == (
        ("a.norm", "0.01", "0 to 10", "free"),
        ("a.index", "1.7", "-2 to 6", "free"),
        ("b.norm", "0.5", "0 to 10", "fixed"),
        ("b.index", "1.7", "-2 to 6", "linked to a.index"),
    )
    after = {row[0]: row for row in tables.parameters_table(joint, fitted).rows}
    value, _, sigma = after["a.index"][1].partition(" ± ")
    assert float(value) == pytest.approx(float(fitted.params["a.index"]), abs=float(sigma))
    assert float(sigma) == pytest.approx(float(fitted.uncertainty["a.index"]), rel=0.1)
    assert after["b.index"][1] == after["a.index"][1] and after["b.index"][3] == "linked to a.index"
    assert r"linked to a.index" in tables.parameters_table(joint).latex()
    with pytest.raises(InvalidPlot, match="other parameters"):
        tables.parameters_table(joint.unlinked("b.index"), fitted)


def test_the_table_of_a_histfactory_model():
    """Constraint terms and their widths: a normsys has 1, the lumi of the measurement its own."""
    model = histjax.compile(histjax.read(histjax.examples.path("search")))
    rows = {row[0]: row for row in tables.parameters_table(model).rows}
    assert set(rows) == set(model.parameters.component_names)
    for i, name in enumerate(model.parameters.component_names):
        kind = rows[name][3]
        assert kind == "free" if not model.parameters.constrained[i] else f"{model.parameters.widths[i]:.3g}" in kind


def statistic_in_numpy(vector, made) -> float:
    """The W statistic of both spectra, written out with NumPy, the integral in closed form."""
    a_norm, index, b_norm = vector
    total = 0.0
    for spectrum, norm in zip(made.values(), (a_norm, b_norm), strict=True):
        edges = np.append(spectrum.response.energies[:, 0], spectrum.response.energies[-1, 1])
        integral = norm * 100.0**index * np.diff(edges ** (1 - index)) / (1 - index)
        m = integral @ spectrum.response.drm
        n, off, t = spectrum.counts, spectrum.background.counts, spectrum.exposure
        t_off = spectrum.background.exposure * spectrum.background.scale
        p = (t + t_off) * m - n - off
        b = (-p + np.sqrt(p**2 + 4 * (t + t_off) * off * m)) / (2 * (t + t_off))
        for counts, mean in ((n, t * (m + b)), (off, t_off * b)):
            total += 2 * np.sum(mean - counts + special.xlogy(counts, counts) - special.xlogy(counts, mean))
    return float(total)


def test_a_joint_fit_against_minuit(fitted):
    """Minimum, best fit and uncertainties that Minuit finds for the statistic in NumPy."""
    iminuit = pytest.importorskip("iminuit")
    made = joint_spectra()
    minuit = iminuit.Minuit(lambda x: statistic_in_numpy(x, made), np.array(list(TRUTH.values())), name=list(TRUTH))
    minuit.limits = [(0, 10), (-2, 6), (0, 10)]
    minuit.strategy, minuit.tol = 2, 1e-4
    minuit.migrad()
    minuit.hesse()
    assert minuit.valid
    at_ours = statistic_in_numpy(np.asarray(fitted.vector), made)
    np.testing.assert_allclose(fitted.deviance, at_ours, rtol=1e-8)
    assert at_ours - 1e-9 < minuit.fval < at_ours + 1e-6
    for name in TRUTH:
        np.testing.assert_allclose(fitted.params[name], minuit.values[name], atol=1e-3 * minuit.errors[name])
        np.testing.assert_allclose(fitted.uncertainty[name], minuit.errors[name], rtol=2e-3)
    assert fitted.converged


def test_derivatives(joint):
    """Gradient and Hessian against central differences, away from the minimum."""
    x = jnp.array([0.013, 1.4, 0.02])
    value, gradient, hessian = joint.nll_derivatives(x, joint.observed)
    step = 1e-5 * np.abs(x)
    for i in range(3):
        up, down = (joint.nll_derivatives(x.at[i].add(sign * step[i]), joint.observed) for sign in (1, -1))
        np.testing.assert_allclose(gradient[i], (up[0] - down[0]) / (2 * step[i]), rtol=1e-6)
        np.testing.assert_allclose(hessian[i], (up[1] - down[1]) / (2 * step[i]), rtol=1e-6)
    np.testing.assert_allclose(value, joint.nll(x, joint.observed), rtol=1e-14)


def test_other_numbers_compile_nothing(joint, fitted):
    """New counts, other starts, bounds and frozen parameters are the same program."""
    del fitted
    other = joint.frozen({"b.norm": 0.02}).with_bounds({"a.index": (0.0, 3.0)}).with_init({"a.index": 1.5})
    drawn = joint.draw(jax.random.key(1), joint.init)
    doubled = np.asarray(joint.observed) * 2.0
    histjax.fit(joint, drawn)
    with nothing_compiled(("backend_compile_duration",)):
        assert histjax.fit(other, doubled).converged
    params = joint.init
    joint.logpdf(params, drawn)
    with nothing_compiled(("backend_compile_duration",)):
        joint.logpdf(params, joint.data)


def test_pulls_of_a_joint_fit(joint):
    """300 toys at the truth: all fits are certified, pulls have mean 0 and width 1 within 4 standard errors and what
    is left of the bias of small counts.
    """
    from histjax.fitting.fit import fit_problem, solve
    from histjax.fitting.newton import Newton

    truth = joint.parameters.ravel({name: jnp.array(value) for name, value in TRUTH.items()})
    reference = joint.conditioned_on(joint.expected_data(joint.parameters.unravel(truth)))
    problem = fit_problem(joint.parameters, {}, TRUTH, {})._replace(trusted=np.array(True))

    @jax.jit
    def thrown(keys):
        def one(key):
            result = solve(joint, reference.draw_flat(key, truth), problem, Newton(), False)
            return result.vector, jnp.sqrt(jnp.diagonal(result.covariance)), result.converged

        return jax.vmap(one)(keys)

    best, sigma, converged = map(np.asarray, thrown(jax.random.split(jax.random.key(8), 300)))
    assert np.all(converged)
    pulls = (best - np.asarray(truth)) / sigma
    np.testing.assert_array_less(np.abs(pulls.mean(axis=0)), 0.25)
    np.testing.assert_array_less(np.abs(pulls.std(axis=0) - 1), 0.15)


def test_tools_work_unchanged(joint, fitted):
    """Goodness of fit, interval and scan of the index: the interval ends where the scan has risen by 1."""
    judged = histjax.goodness_of_fit(joint)
    assert judged.n_degrees == 16 - 3 and 0 < judged.p_value < 1
    np.testing.assert_allclose(judged.statistic, fitted.deviance, rtol=1e-10)
    found = histjax.interval(joint, parameters=["a.index"])
    lower, upper = float(found["a.index"].lower), float(found["a.index"].upper)
    for end in (lower, upper):
        risen = histjax.fit(joint, fixed={"a.index": end}).twice_nll - fitted.twice_nll
        np.testing.assert_allclose(risen, 1.0, rtol=1e-4)
