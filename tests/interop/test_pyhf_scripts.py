"""The same script, with pyhf and with `histjax.interop.pyhf`: equal structure, shapes and values."""

import importlib
import sys

import numpy as np
import pyhf
import pytest

import histjax.interop.pyhf as bridge
from tests.interop import scripts
from tests.workspaces import mu, sample, shapesys, workspace

P_VALUES = dict(rtol=1e-4, atol=1e-7)
"""pyhf's SLSQP stops so far from the minimum: 1e-5 in CLs, 6e-5 at the far end of its band. (Its documentation has two
answers for one model.)"""
PARAMETERS = dict(rtol=1e-4, atol=2e-4)
"""The same, of fitted parameters: the likelihood is flat at its minimum."""


def compare(ours, theirs, tolerance: dict, place: str = "result"):
    """Recursively: the same kind of container, the same shape, values within the tolerance."""
    if isinstance(theirs, tuple | list):
        assert isinstance(ours, tuple | list) and len(ours) == len(theirs), place
        for i, pair in enumerate(zip(ours, theirs, strict=True)):
            compare(*pair, tolerance, f"{place}[{i}]")
    else:
        assert np.shape(ours) == np.shape(theirs), place
        np.testing.assert_allclose(ours, theirs, **tolerance, err_msg=place)


@pytest.mark.parametrize("script", scripts.SCRIPTS, ids=lambda each: each.__name__)
def test_scripts(script):
    """Every script, value by value against pyhf 0.7.6."""
    fitted = script in (scripts.fits, scripts.statistics, scripts.calculator, scripts.asimov)
    compare(script(bridge), script(pyhf), PARAMETERS if fitted else P_VALUES)


def test_a_document_with_a_patch():
    """Workspace to CLs; the patch acts on the model's specification, as in pyhf."""
    signal, background = (
        sample("signal", [5.0, 10.0], mu()),
        sample("background", [50.0, 60.0], shapesys("gamma", [5, 12])),
    )
    document = workspace({"SR": [signal, background]}, {"SR": [50, 60]})
    compare(scripts.from_document(bridge, document), scripts.from_document(pyhf, document), P_VALUES)


def test_exact_values():
    """CLs, its parts and band of the closed form (one shapesys background: gamma solves a quadratic equation, mu-hat a
    one-dimensional one), to 1e-8.
    """
    CLs, (CLsb, CLb), _, band = scripts.hello_world(bridge)
    found = [CLs, CLsb, CLb, *band]
    exact = [
        0.052515525146,
        0.023324962694,
        0.444153659868,
        0.002606404584,
        0.013820640038,
        0.064455154770,
        0.235260903124,
        0.573041654982,
    ]
    np.testing.assert_allclose(found, exact, rtol=1e-8)


def test_pyhf_infers_from_our_models():
    """pyhf's own functions ask a model for little enough that ours will do."""
    model, data = scripts.two_bins(bridge)
    theirs = scripts.plain_test(pyhf)
    np.testing.assert_allclose(pyhf.infer.hypotest(1.0, data, model), theirs, rtol=3e-5)


def test_the_bridge_does_not_shadow_pyhf():
    """`import pyhf` means pyhf, next to a package of that name here."""
    assert sys.modules["pyhf"] is pyhf and bridge is importlib.import_module("histjax.interop.pyhf")
    assert pyhf.__version__ and not hasattr(bridge, "__version__")
