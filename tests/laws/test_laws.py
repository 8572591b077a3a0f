"""Laws that hold for every workspace, over generated ones."""

import copy
import random

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import histjax
from histjax.readers import read_workspace, write_workspace
from tests.laws.skeletons import SKELETONS, displacements, documents

LAW = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
skeletons = pytest.mark.parametrize("skeleton", SKELETONS)


def model_of(document: dict) -> histjax.Model:
    """Compiled."""
    return histjax.compile(histjax.read(document))


def point(data, model) -> np.ndarray:
    """A flat point near the initial one, inside the bounds: alphas by up to 1, factors by up to 10 %."""
    init = np.asarray(model.parameters.init)
    moved = np.array(data.draw(displacements(init.size)))
    return init + moved * np.where(init == 0, 1.0, 0.1 * init)


@eqx.filter_jit
def logpdfs(model, vectors, data):
    """Log densities of a batch of points."""
    return jax.vmap(lambda vector: model.logpdf(model.unravel(vector), data))(vectors)


@eqx.filter_jit
def slopes(model, vector, data):
    """The gradient of the log density."""
    return jax.grad(lambda x: model.logpdf(model.unravel(x), data))(vector)


@skeletons
@LAW
@given(data=st.data())
def test_vmap_is_a_loop_and_pyhf_agrees(skeleton, data):
    """A batch is its points one by one, and each is pyhf 0.7.6's log density."""
    document = data.draw(documents(skeleton))
    model = model_of(document)
    vectors = np.array([point(data, model) for _ in range(3)])
    batch = np.asarray(logpdfs(model, vectors, model.data))
    alone = [float(model.logpdf(model.unravel(jnp.asarray(vector)), model.data)) for vector in vectors]
    np.testing.assert_allclose(batch, alone, rtol=1e-13)
    workspace = pyhf.Workspace(document)
    reference = workspace.model()
    assert reference.config.par_names == list(model.parameters.component_names)
    expected = [reference.logpdf(vector, workspace.data(reference))[0] for vector in vectors]
    np.testing.assert_allclose(batch, expected, rtol=1e-10)


@pytest.mark.parametrize("skeleton", ["shared", "all"])
@settings(LAW, max_examples=2)
@given(data=st.data())
def test_jit_is_eager(skeleton, data):
    """Operation by operation the value is the same."""
    model = model_of(data.draw(documents(skeleton)))
    vector = jnp.asarray(point(data, model))
    jitted = float(model.logpdf(model.unravel(vector), model.data))
    with jax.disable_jit():
        eager = float(model.logpdf(model.unravel(vector), model.data))
    assert jitted == pytest.approx(eager, rel=1e-13)


@skeletons
@LAW
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_order_means_nothing(skeleton, data, seed):
    """Channels, samples, modifiers and observations in another order: the same model, number for number."""
    document = data.draw(documents(skeleton))
    shuffled, generator = copy.deepcopy(document), random.Random(seed)
    for channel in shuffled["channels"]:
        for sample in channel["samples"]:
            generator.shuffle(sample["modifiers"])
        generator.shuffle(channel["samples"])
    generator.shuffle(shuffled["channels"])
    generator.shuffle(shuffled["observations"])
    one, other = model_of(document), model_of(shuffled)
    assert one.layout == other.layout
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("skeleton", ["shapes", "shared", "all"])
@LAW
@given(data=st.data())
def test_alpha_of_one_gives_the_templates(skeleton, data):
    """At alpha = +-1 a histosys sample has exactly its `hi` or `lo`, times the factor of a normsys of the same name."""
    document = data.draw(documents(skeleton))
    model = model_of(document)
    for side, word in ((1.0, "hi"), (-1.0, "lo")):
        yields = model.expected_yields_by_sample({**model.init, "shape": jnp.array(side)})
        for channel in document["channels"]:
            for sample in channel["samples"]:
                expected = np.array(sample["data"])
                for modifier in sample["modifiers"]:
                    if modifier["name"] == "shape" and modifier["type"] == "histosys":
                        expected = np.array(modifier["data"][f"{word}_data"])
                for modifier in sample["modifiers"]:
                    if modifier["name"] == "shape" and modifier["type"] == "normsys":
                        expected = expected * modifier["data"][word]
                np.testing.assert_allclose(yields[channel["name"]][sample["name"]], expected, rtol=1e-13)


@pytest.mark.parametrize("skeleton", ["counting", "shapes", "shared", "all"])
@LAW
@given(data=st.data())
def test_asimov_closure(skeleton, data):
    """A fit to the data expected at a point finds the point, with a deviance of zero."""
    model = model_of(data.draw(documents(skeleton)))
    vector = jnp.asarray(point(data, model))
    expected = model.expected_data(model.unravel(vector))
    result = histjax.fit(model, expected)
    assert float(result.twice_nll) == pytest.approx(-2 * float(model.saturated_logpdf(expected)), rel=1e-9)
    # the likelihood is blind below the certificate: EDM 1e-8 is 1e-4 sigma
    sigma = np.asarray(jnp.concatenate([jnp.ravel(result.uncertainty[name]) for name in model.parameters.names]))
    assert np.all(np.abs(np.asarray(result.vector) - vector) <= 2e-4 * sigma)


@skeletons
@LAW
@given(data=st.data())
def test_gradient_is_the_difference_quotient(skeleton, data):
    """In a random direction, by central differences of fourth order."""
    model = model_of(data.draw(documents(skeleton)))
    vector = point(data, model)
    direction = np.array(data.draw(displacements(vector.size)))
    step = 1e-3
    moved = np.asarray(logpdfs(model, np.array([vector + h * step * direction for h in (-2, -1, 1, 2)]), model.data))
    difference = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * step)
    gradient = np.asarray(slopes(model, jnp.asarray(vector), model.data))
    # rounding of the values: 1e-16 |logpdf| / step; truncation: step^4 times a fifth derivative
    assert float(gradient @ direction) == pytest.approx(difference, rel=1e-7, abs=1e-8 * (1 + np.abs(moved[0])))


@skeletons
@LAW
@given(data=st.data())
def test_reading_and_writing_are_inverse(skeleton, data):
    """Read, write, read: the same document, the same workspace."""
    document = data.draw(documents(skeleton))
    workspace, _ = read_workspace(document)
    written = write_workspace(workspace)
    assert written == document
    assert read_workspace(written)[0] == workspace
