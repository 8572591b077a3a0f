"""The plot of a folded spectrum: what is drawn where."""

import numpy as np
import pytest

from histjax import counting, plotting, spectra
from histjax.errors import InvalidPlot
from tests.spectra.cases import OFF, RATES, counting_spectrum

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def folded():
    likelihood = spectra.compile({"s": counting_spectrum(counting.ppstat)})
    return spectra.folded(likelihood, likelihood.init)["s"]


def test_numbers(folded):
    """Source counts are the rates times 10 s; without background counts the background is 0."""
    np.testing.assert_allclose(folded.source, 10.0 * RATES, rtol=1e-13)
    # bins 0 and 3: bayspec's closed form of the background rate, times 10 s
    n, off, m = np.array([12.0, 30.0]), OFF[[0, 3]], RATES[[0, 3]]
    p = 60.0 * m - n - off
    expected = (-p + np.sqrt(p**2 + 240.0 * off * m)) / 12.0
    np.testing.assert_allclose(np.asarray(folded.background)[[0, 3]], expected, rtol=1e-12)


def test_what_is_drawn(folded):
    """Bins of 1 keV: expected counts as lines, residuals below."""
    import matplotlib.pyplot as plt

    upper, lower = plotting.folded_spectrum(folded)
    labels = [text.get_text() for text in upper.get_legend().get_texts()]
    assert labels == ["expected", "source", "background", "observed"]
    (drawn,) = (each.get_segments() for each in upper.collections if each.get_label() == "expected")
    np.testing.assert_allclose([each[0, 1] for each in drawn], folded.source + folded.background, rtol=1e-12)
    assert lower.get_xlabel() == "energy [keV]" and upper.get_ylabel() == "counts per keV"
    plt.close(upper.figure)


def test_batches_are_refused(folded):
    import jax

    with pytest.raises(InvalidPlot, match="batch"):
        plotting.folded_spectrum(jax.tree.map(lambda x: x[None], folded))
