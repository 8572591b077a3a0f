"""Plots are drawn without a window, and no figure outlives its test."""

import pytest


@pytest.fixture(autouse=True)
def no_figures_left():
    """Closes what a test has drawn."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("mplhep")
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
