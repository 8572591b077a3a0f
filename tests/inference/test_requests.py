"""Requests that contradict themselves are refused with one clear message."""

import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel, UnknownName


@pytest.fixture(scope="module")
def model() -> histjax.Model:
    """A search with a parameter of every kind."""
    return histjax.compile(histjax.read(histjax.examples.path("search")))


HELD = "'mu' is held .* and is to be varied"


def test_what_is_held_is_not_varied(model):
    """Not scanned, not in the plane of a contour, and no impacts on it."""
    with pytest.raises(InvalidModel, match=HELD):
        histjax.scan(model, values={"mu": [0.0, 1.0]}, fixed={"mu": 1.0})
    with pytest.raises(InvalidModel, match=HELD):
        histjax.contour(model, parameters=("ttbar_norm", "mu"), fixed={"mu": 1.0})
    with pytest.raises(InvalidModel, match=HELD):
        histjax.ranking(model, fixed={"mu": 1.0})
    with pytest.raises(InvalidModel, match=r"'fakes_estimate\[1\]' is held"):
        histjax.scan(model, values={"fakes_estimate[1]": [1.0]}, fixed={"fakes_estimate": 1.0})


def test_patterns(model):
    """One that matches nothing, and one that is no regular expression."""
    with pytest.raises(UnknownName, match=r"matches the pattern or is named 'nope\*'; there are: "):
        histjax.select(model.parameters, "nope*")
    with pytest.raises(InvalidModel, match=r"'\[' is no regular expression"):
        histjax.select(model.parameters, "re:[")


def test_a_masked_channel_takes_its_free_parameters_along(model):
    """Without the signal region mu describes nothing: 4 bins in two control regions, 3 free parameters."""
    masked = model.with_weights({"signal_region": 0.0})
    result = histjax.goodness_of_fit(masked)
    regions = {channel.name: channel.n_bins for channel in model.layout.channels}
    assert float(masked.n_observations) == sum(regions.values()) - regions["signal_region"]
    free = [each for each in model.parameters.sets if each.constraint == "none" and each.name != "mu"]
    assert float(result.n_degrees) == float(masked.n_observations) - sum(each.size for each in free)
    assert np.isnan(result.p_value) == (float(result.n_degrees) <= 0)
