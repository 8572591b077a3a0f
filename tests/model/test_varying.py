"""`Model.with_variations`: the same as a document with other numbers; and derivatives with respect to precise rates."""

import copy
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel, UnknownName
from tests.workspaces import counting

LO, HI, WIDE = jnp.array([50.0, 30.0, 13.0, 4.0]), jnp.array([46.0, 33.0, 15.0, 5.0]), jnp.array([3.0, 2.0, 1.0, 0.5])
PLACE = "signal_region", "ttbar"
CHANGES = {
    (*PLACE, "jet_energy_scale"): (LO, HI),
    (*PLACE, "ttbar_modelling"): (0.9, 1.2),
    (*PLACE, "staterror_SR"): WIDE,
    ("signal_region", "fakes", "fakes_estimate"): 0.5 * WIDE,
}


@pytest.fixture(scope="module")
def document() -> dict:
    """A search with all kinds of modifiers."""
    return json.loads(histjax.examples.path("search").read_text())


@pytest.fixture(scope="module")
def model(document) -> histjax.Model:
    """The same, compiled."""
    return histjax.compile(histjax.read(document))


def written(document: dict) -> dict:
    """The document with the changes."""
    document = copy.deepcopy(document)
    for (channel, sample, name), value in CHANGES.items():
        samples = next(each for each in document["channels"] if each["name"] == channel)["samples"]
        modifiers = next(each for each in samples if each["name"] == sample)["modifiers"]
        modifier = next(each for each in modifiers if each["name"] == name)
        if isinstance(value, tuple):
            numbers = [np.asarray(each).tolist() for each in value]
            keys = ("lo", "hi") if modifier["type"] == "normsys" else ("lo_data", "hi_data")
            modifier["data"] = dict(zip(keys, numbers, strict=True))
        else:
            modifier["data"] = np.asarray(value).tolist()
    return document


@pytest.mark.parametrize("traced", [False, True])
def test_as_written(document, model, traced):
    """Every template is that of the document with these numbers, also where model and numbers are traced."""

    def changed(model, changes):
        return model.with_variations(changes)

    found = (eqx.filter_jit(changed) if traced else changed)(model, CHANGES)
    expected = histjax.compile(histjax.read(written(document)))
    for name in vars(model.templates):
        np.testing.assert_array_equal(getattr(found.templates, name), getattr(expected.templates, name), err_msg=name)
    assert float(found.logpdf(model.init, model.data)) != float(model.logpdf(model.init, model.data))


@pytest.mark.parametrize(
    "name, value, words",
    [
        ((*PLACE, "lumi"), (LO, HI), "is no histosys; the name drives lumi"),
        (("signal_region", "signal", "staterror_SR"), LO, "is no staterror"),
        ((*PLACE, "jet_energy_scale"), (LO, HI[:2]), "found shapes"),
        ((*PLACE, "jet_energy_scale"), LO, "is no shapesys"),
        ((*PLACE, "staterror_SR"), 0.1, "found shapes"),
        ((*PLACE, "nothing"), LO, "no modifier named"),
        (("signal_region", "nothing", "lumi"), LO, "no .channel, sample. named"),
    ],
)
def test_refused(model, name, value, words):
    """What the sample does not have, and numbers of a wrong shape."""
    with pytest.raises((InvalidModel, UnknownName), match=words):
        model.with_variations({name: value})


def test_derivative_with_respect_to_a_precise_background():
    """tau = (b/u)^2 = 1e12: differentiated as counts, the constraint lost all digits; -ln L of Asimov data at another
    gamma moves by tau (gamma - 1 - ln gamma), whose derivative with respect to u is -2/u times that.
    """
    uncertainty, gamma = 1e-4, 1 + 1e-5
    model = histjax.compile(histjax.read(counting([1.0], [100.0], [uncertainty], [100.0])))
    vector = jnp.array([0.0, gamma])

    @jax.jit
    @jax.grad
    def slope(u):
        moved = model.with_variations({("singlechannel", "background", "uncorr_bkguncrt"): u[None]})
        return moved.nll(vector, moved.expected_flat(jnp.array([0.0, 1.0])))

    tau = (100.0 / uncertainty) ** 2
    excess = 1e-5**2 / 2 - 1e-5**3 / 3  # gamma - 1 - ln gamma, by its series
    assert float(slope(uncertainty)) == pytest.approx(-2 / uncertainty * tau * excess, rel=1e-6)
