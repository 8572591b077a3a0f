"""Nothing global: what is imported when, and what of matplotlib is as it was. Colours that anyone can tell apart."""

import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from histjax import plotting
from histjax.errors import HistjaxError, InvalidPlot, MissingPackage
from histjax.plotting import saving, style
from tests.plotting import results


def test_matplotlib_is_imported_late():
    """Importing the plots, or the command line, costs nothing of matplotlib."""
    code = "import sys, histjax.plotting, histjax.cli; print({'matplotlib', 'mplhep'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


@pytest.mark.parametrize("package", ["matplotlib.pyplot", "mplhep"])
def test_without_matplotlib(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackage, match=r"pip install 'histjax\[plot\]'") as caught:
        plotting.stacked_yields(results.yields())
    assert isinstance(caught.value, HistjaxError) and isinstance(caught.value, ImportError)


def test_settings_are_given_back():
    """After a plot, and after one that failed, and a user's own settings do not reach a plot."""
    with matplotlib.rc_context({"font.size": 31.0, "axes.facecolor": "pink"}):
        before = dict(matplotlib.rcParams)
        ax = plotting.likelihood_scan(results.scan())
        with pytest.raises(InvalidPlot):
            plotting.likelihood_scan(results.surface())
        assert dict(matplotlib.rcParams) == before
    assert ax.xaxis.label.get_size() == style.SETTINGS["axes.labelsize"]


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF-"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_picture(kind, start):
    """A file of each kind; the same result gives the same bytes, and no figure is left open."""
    first, second = (plotting.picture(plotting.pull_chart(results.pulls()), kind) for _ in range(2))
    assert first.startswith(start)
    assert first == second
    assert not style.pyplot().get_fignums()
    if kind != "png":
        assert b"/Subtype /Image" not in first and b"<image" not in first  # lines and letters, no dots


@pytest.mark.parametrize("draw", [plotting.correlation_matrix, plotting.likelihood_surface])
def test_coloured_fields_are_vectors(draw):
    record = results.correlation() if draw is plotting.correlation_matrix else results.surface()
    assert b"<image" not in plotting.picture(draw(record), "svg")


def test_pages():
    pages = plotting.picture(plotting.pull_pages(results.pulls(100), rows=30), "pdf")
    assert pages.count(b"/Type /Page ") == 4


def test_picture_format():
    assert saving.picture_format("a/b.PDF") == "pdf"
    with pytest.raises(InvalidPlot, match=r"a.gif: a picture is a .pdf, .svg or .png file, found '.gif'"):
        saving.picture_format("a.gif")


def test_names():
    """Dollars are no mathematics, long names are cut, and two never become one."""
    assert style.shown("cost in $") == r"cost in \$"
    assert len(style.shown("x" * 100)) == style.LONGEST
    names = [f"CMS_bTagWeightDeepBcErr{i}_13TeV_2016_pt0_eta0" for i in range(10)]
    assert len(set(style.all_shown(names, 20))) == 10
    ax = plotting.pull_chart(results.Fields(**{**vars(results.pulls()), "names": tuple(f"$a_{i}" for i in range(12))}))
    assert plotting.picture(ax, "png")


DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""G. M. Machado et al., IEEE Trans. Vis. Comput. Graph. 15 (2009) 1291: severity 1, on linear RGB."""


def lab(colour: str, matrix) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize(
    ("colours", "least"),
    [
        ((style.ONE_SIGMA, style.TWO_SIGMA, "#ffffff"), 25),
        ((style.BLUE, style.ORANGE, style.BLACK), 25),
        ((style.BLUE, style.VERMILION, style.BLACK), 25),
    ],
    ids=["bands", "impacts", "lines"],
)
def test_colours_differ_for_everyone(colours, least, deficiency):
    """A difference of 2.3 is just noticed; red and green of equal lightness have less than 15."""
    seen = [lab(each, DEFICIENCIES[deficiency]) for each in colours]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > least
