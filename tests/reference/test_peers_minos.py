"""Profile-likelihood intervals of published models against MINOS (iminuit) and polished roots on pyhf's likelihood."""

import json
from pathlib import Path

import numpy as np
import pytest

import histjax
from histjax import End
from tests.reference.corpus import NAMES, published

PEERS = json.loads((Path(__file__).parent / "peers.json").read_text())["models"]
BOTH = [name for name in PEERS if name in NAMES] or ["absent"]


@pytest.mark.parametrize("name", BOTH)
def test_minos(name, corpus):
    """Ends to 1e-4 standard deviations of the roots, and to 1e-3 of what Minuit itself says; bounds marked as such.

    Where the peer found several valleys of the other parameters (`minos_other_branches`) it followed the lowest of
    all, which a search from the best fit may not know.
    """
    del corpus
    model, peer = published(name).model, PEERS[name]
    result = histjax.interval(model, parameters=list(peer["minos"]))
    assert float(result.fit.twice_nll) == pytest.approx(peer["twice_nll"], abs=1e-6)
    for component, expected in peer["minos"].items():
        found = result[component]
        at_bound = peer["minos_at_bound"].get(component, [False, False])
        assert [status == End.AT_BOUND for status in found.status] == at_bound
        sigma = peer["uncertainties"][component] or expected[1] - expected[0]
        if component in (peer.get("minos_other_branches") or []):
            assert found.lower <= expected[0] + 0.05 * sigma and found.upper >= expected[1] - 0.05 * sigma
            continue
        np.testing.assert_allclose([found.lower, found.upper], expected, rtol=0, atol=1e-4 * sigma)
        for value, minuit in zip((found.lower, found.upper), peer["minos_by_minuit"][component], strict=True):
            assert minuit is None or abs(float(value) - minuit) < 1e-3 * sigma
