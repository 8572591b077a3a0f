"""Factors that are JAX functions of named parameters."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax import Factor, NewParameter
from histjax.errors import InvalidModel, UnknownName
from tests.workspaces import mu, normsys, sample, staterror, workspace

DOCUMENT = workspace(
    {
        "A": [
            sample("interference", [2.0, 3.0], {"name": "lumi", "type": "lumi", "data": None}),
            sample("quadratic", [1.0, 4.0], normsys("theory", 0.9, 1.2)),
            sample("b", [50.0, 40.0], mu(), staterror("stat", [5.0, 6.0])),
        ],
        "B": [sample("quadratic", [2.0], normsys("theory", 0.9, 1.2), mu()), sample("b", [10.0])],
    },
    {"A": [60.0, 45.0], "B": [11.0]},
    {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], "bounds": [[0.5, 1.5]]},
)
EFT = [
    Factor(lambda c: c, ("c",), ["interference"]),
    Factor(lambda c: c**2, ("c",), ["quadratic"]),
    Factor(lambda c, mu: jnp.exp(0.1 * c * mu * jnp.array([1.0, 2.0])), ("c", "mu"), ["b"], ["A"]),
]
POINT = {"mu": jnp.array(0.8), "lumi": jnp.array(1.01), "theory": jnp.array(0.4), "stat": jnp.array([1.1, 0.95])}
POINT["c"] = jnp.array(-0.6)


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """A signal with interference, and a background whose shape depends on a product of parameters."""
    return histjax.compile(histjax.read(DOCUMENT), factors=EFT, parameters={"c": NewParameter(0.5, (-3.0, 3.0))})


def test_the_new_parameter(model):
    """It comes last, with what was said of it."""
    new = model.parameters["c"]
    assert model.parameters.names[-1] == "c"
    assert (float(new.init), float(new.lower), float(new.upper), bool(new.fixed)) == (0.5, -3.0, 3.0, False)
    assert new.constraint == "none" and new.modifiers == ("function",)


def test_yields(model):
    """Those of the model without functions, times the factors by hand."""
    plain = histjax.compile(histjax.read(DOCUMENT))
    old = plain.expected_yields_by_sample({name: value for name, value in POINT.items() if name != "c"})
    new = model.expected_yields_by_sample(POINT)
    c = POINT["c"]
    np.testing.assert_allclose(new["A"]["interference"], c * old["A"]["interference"], rtol=1e-14)
    np.testing.assert_allclose(new["A"]["quadratic"], c**2 * old["A"]["quadratic"], rtol=1e-14)
    np.testing.assert_allclose(new["B"]["quadratic"], c**2 * old["B"]["quadratic"], rtol=1e-14)
    shape = np.exp(0.1 * c * POINT["mu"] * np.array([1.0, 2.0]))
    np.testing.assert_allclose(new["A"]["b"], shape * old["A"]["b"], rtol=1e-14)
    np.testing.assert_allclose(new["B"]["b"], old["B"]["b"], rtol=1e-14)


@pytest.mark.parametrize("c", [-0.6, 0.0, 1.7])
def test_derivatives(model, c):
    """Exact, also where a factor vanishes (c = 0)."""
    vector, data = model.ravel({**POINT, "c": jnp.array(c)}), model.ravel_data(model.data)
    _, gradient, hessian = model.nll_derivatives(vector, data)
    np.testing.assert_allclose(gradient, jax.grad(model.nll)(vector, data), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(hessian, jax.hessian(model.nll)(vector, data), rtol=1e-11, atol=1e-10)


def test_derivatives_with_floors():
    """Samples held at their floor contribute no derivatives, functions included."""
    clipped = histjax.compile(
        histjax.read(DOCUMENT), factors=EFT, parameters={"c": NewParameter()}, clip_sample_data=0.0, clip_bin_data=0.1
    )
    vector, data = clipped.ravel(POINT), clipped.ravel_data(clipped.data)  # c < 0: interference below its floor
    _, gradient, hessian = clipped.nll_derivatives(vector, data)
    np.testing.assert_allclose(gradient, jax.grad(clipped.nll)(vector, data), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(hessian, jax.hessian(clipped.nll)(vector, data), rtol=1e-11, atol=1e-10)


def test_two_valleys_of_a_quadratic():
    """nu = 10 + 4 c^2 and n = 26: c = 2 and c = -2 are equally good, and a fit from either side finds its own."""
    document = workspace({"SR": [sample("s", [4.0]), sample("b", [10.0], mu())]}, {"SR": [26.0]})
    model = histjax.compile(
        histjax.read(document),
        factors=[Factor(jnp.square, ("c",), ["s"])],
        parameters={"c": NewParameter(1.0, (-5.0, 5.0))},
    )
    for start in (1.0, -1.0):
        result = histjax.fit(model, init={"c": start}, fixed={"mu": 1.0})
        assert float(result.params["c"]) == pytest.approx(2 * start, abs=1e-9)
        # d2(nll)/dc2 = n (8c)^2 / nu^2 at nu = n, so sigma = sqrt(26) / 16
        assert float(result.uncertainty["c"]) == pytest.approx(np.sqrt(26) / 16, rel=1e-12)


def test_a_ratio_of_parameters():
    """The second channel measures mu2 = r mu1: r-hat = (30 / 10) / (40 / 20) from two counts without background."""
    document = workspace(
        {"A": [sample("s1", [20.0], mu())], "B": [sample("s2", [10.0], mu())]}, {"A": [40.0], "B": [30.0]}
    )
    ratio = Factor(lambda r: r, ("r",), ["s2"])
    model = histjax.compile(histjax.read(document), factors=[ratio], parameters={"r": NewParameter(1.0, (0.0, 10.0))})
    result = histjax.fit(model)
    assert float(result.params["r"]) == pytest.approx(1.5, abs=1e-10)
    # relative variance of a ratio of Poisson counts: 1/30 + 1/40
    assert float(result.uncertainty["r"]) == pytest.approx(1.5 * np.sqrt(1 / 30 + 1 / 40), rel=1e-10)


class Polynomial(eqx.Module):
    """A function with numbers of its own, to be differentiated like the rest."""

    coefficients: jax.Array

    def __call__(self, c):
        """1 + a c + b c^2 per bin."""
        return 1 + self.coefficients[0] * c + self.coefficients[1] * c**2


def test_derivatives_with_respect_to_the_function():
    """An Equinox module is a leaf of the model: the best fit is differentiable in its numbers."""
    document = workspace({"SR": [sample("s", [4.0]), sample("b", [10.0], mu())]}, {"SR": [26.0]})
    workspace_ = histjax.read(document)

    def best(coefficients):
        factor = Factor(Polynomial(coefficients), ("c",), ["s"])
        model = histjax.compile(workspace_, factors=[factor], parameters={"c": NewParameter(1.0, (-5.0, 5.0))})
        return histjax.fit(model, fixed={"mu": 1.0}, differentiable_hessian=False).params["c"]

    # 4 (1 + a c + b c^2) = 16: with a = 1, b = 0.5 c solves c^2 / 2 + c - 3 = 0
    c = -1 + np.sqrt(7)
    coefficients = jnp.array([1.0, 0.5])
    assert float(best(coefficients)) == pytest.approx(c, abs=1e-9)
    slope = jax.jit(jax.grad(best))(coefficients)
    np.testing.assert_allclose(slope, [-c / (1 + c), -(c**2) / (1 + c)], rtol=1e-8)


@pytest.mark.parametrize(
    ("factor", "error", "words"),
    [
        (Factor(jnp.square, ("nope",), ["b"]), UnknownName, "no parameter named 'nope'"),
        (Factor(jnp.square, ("c",), ["nope"]), UnknownName, "no sample named 'nope'"),
        (Factor(jnp.square, ("c",), ["b"], ["nope"]), UnknownName, "no channel named 'nope'"),
        (Factor(jnp.square, ("c",), "b"), InvalidModel, "sequence of sample names"),
        (Factor(jnp.square, ("c",), ["interference"], ["B"]), InvalidModel, "acts on no sample"),
    ],
)
def test_bad_factors(factor, error, words):
    """One clear message each."""
    with pytest.raises(error) as caught:
        histjax.compile(histjax.read(DOCUMENT), factors=[factor], parameters={"c": NewParameter()})
    assert words in str(caught.value)


def test_a_wrong_shape_is_told():
    """Two values for a channel of one bin."""
    factor = Factor(lambda c: c * jnp.ones(2), ("c",), ["b"])
    model = histjax.compile(histjax.read(DOCUMENT), factors=[factor], parameters={"c": NewParameter()})
    with pytest.raises(InvalidModel, match=r"shape \(2,\) for a channel of 1 bins"):
        model.expected_yields(model.init)


def test_a_name_that_is_taken():
    """A new parameter needs a new name."""
    with pytest.raises(InvalidModel, match="has a parameter 'mu' already"):
        histjax.compile(histjax.read(DOCUMENT), parameters={"mu": NewParameter()})
