"""From a model back to its workspace, and workspaces from bare numbers."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pyhf
import pytest

import histjax
from histjax.errors import InvalidDocument, InvalidModel, InvalidOperation
from histjax.readers import read_workspace, write_workspace
from tests.workspaces import BY_SLUG, TABLE

SIMPLE = {"signal": [12.0, 11.0], "background": [50.0, 52.0]}


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_compile_and_back(case, compile_case):
    """The channels are those of the sorted document, and the model of the new one has the same templates and layout."""
    model = compile_case(case.slug)
    workspace = histjax.build_workspace(model, measurement="again")
    in_order = histjax.sort(histjax.read(case.document)).workspace
    assert workspace.channels == in_order.channels
    again = histjax.compile(read_workspace(write_workspace(workspace))[0])
    assert again.layout == model.layout
    for name in ("init", "lower", "upper", "fixed", "auxdata", "sigmas", "factors", "observations"):
        np.testing.assert_array_equal(getattr(again.templates, name), getattr(model.templates, name), err_msg=name)


@pytest.mark.parametrize("slug", ["everything", "two-bins"])
def test_a_dataset_of_the_model(slug, compile_case):
    """Main and auxiliary data of a toy are those of the new workspace: its log density is that of the toy."""
    import jax

    model = compile_case(slug)
    toy = model.draw(jax.random.key(3), model.init)
    again = histjax.compile(histjax.build_workspace(model, toy))
    for found, expected in zip(jax.tree.leaves(again.data), jax.tree.leaves(toy), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert float(again.logpdf(again.init, again.data)) == float(model.logpdf(model.init, toy))


def test_other_yields(compile_case):
    """What was changed in the model is in the workspace."""
    model = compile_case("two-bins").with_yields({("singlechannel", "signal"): jnp.array([1.5, 2.5])})
    workspace = histjax.build_workspace(model)
    assert {each.name: each.nominal_yields for each in workspace.channels[0].samples}["signal"] == (1.5, 2.5)


def test_what_the_format_cannot_say(compile_case):
    """All of it is listed."""
    workspace = histjax.read(BY_SLUG["everything"].document)
    name = next(each.name for each in compile_case("everything").layout.parameters if "normsys" in each.modifiers)
    model = histjax.compile(
        workspace,
        normsys=histjax.interpolation.code1,
        constraints={name: histjax.constraints.Normal(1.0), "lumi": histjax.constraints.Uniform(0.5, 1.5)},
        clip_bin_data=0.0,
        factors=[histjax.Factor(lambda x: x, (name,), samples=[workspace.channels[0].samples[0].name])],
    )
    channel = workspace.channels[0]
    with pytest.raises(InvalidOperation) as caught:
        histjax.build_workspace(model.with_weights({channel.name: np.zeros(channel.n_bins)}))
    listed = "\n".join(caught.value.problems)
    for words in ("functions of parameters", "parameter 'lumi'", "code1", "left out", "a floor"):
        assert words in listed
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("kind", ["uncorrelated", "correlated"])
def test_simple_models_are_those_of_pyhf(kind):
    """Names, and expected data at three points: `pyhf.simplemodels`, run beside (0.7.6)."""
    if kind == "uncorrelated":
        workspace = histjax.uncorrelated_background(**SIMPLE, uncertainty=[3.0, 7.0])
        other = pyhf.simplemodels.uncorrelated_background(
            signal=SIMPLE["signal"], bkg=SIMPLE["background"], bkg_uncertainty=[3.0, 7.0]
        )
    else:
        workspace = histjax.correlated_background(**SIMPLE, up=[45.0, 57.0], down=[55.0, 47.0])
        other = pyhf.simplemodels.correlated_background(
            signal=SIMPLE["signal"], bkg=SIMPLE["background"], bkg_up=[45.0, 57.0], bkg_down=[55.0, 47.0]
        )
    model = histjax.compile(workspace)
    assert list(model.parameters.component_names) == other.config.par_names
    assert [each.name for each in model.layout.channels] == other.config.channels
    assert model.poi == other.config.poi_name
    for shift in (0.0, 0.1, 0.3):
        point = np.asarray(other.config.suggested_init()) + shift
        np.testing.assert_allclose(model.expected_flat(jnp.asarray(point)), other.expected_data(point), rtol=1e-14)
    assert workspace.observation(workspace.channels[0].name).data == (50.0, 52.0)


def test_simple_models_take_arrays_and_numbers():
    """One number is one bin."""
    one = histjax.uncorrelated_background(5, np.float32(9), uncertainty=np.array([3.0]), data=10)
    assert one.observations[0].data == (10.0,)
    assert one.channels[0].samples[0].nominal_yields == (5.0,)
    assert json.dumps(write_workspace(one))


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"signal": [1.0]}, InvalidModel, "signal has 1, background has 2, uncertainty has 2"),
        ({"signal": "many"}, InvalidModel, "signal: expected numbers, one for each bin, found 'many'"),
        ({"background": [[1.0, 2.0]]}, InvalidModel, r"an array of shape \(1, 2\)"),
        ({"uncertainty": [1.0, -1.0]}, InvalidDocument, "the simple model: 1 problem"),
        ({"signal": [float("nan"), 1.0]}, InvalidDocument, "expected a finite number"),
    ],
)
def test_simple_models_of_bad_numbers(change, error, message):
    """Numbers of bins, what is no number, what no model has."""
    with pytest.raises(error, match=message):
        histjax.uncorrelated_background(**({**SIMPLE, "uncertainty": [3.0, 7.0]} | change))


def test_a_published_model(corpus):
    """1Lbb: 126 parameters, all types but shapefactor and lumi; the measurement's settings apart, nothing changes."""
    original = histjax.read(corpus / "models" / "atlas_susy_2019_08_1Lbb_C1N2_700_250.json")
    workspace = histjax.build_workspace(histjax.compile(original))
    assert replace(workspace, measurements=()) == replace(histjax.sort(original).workspace, measurements=())
