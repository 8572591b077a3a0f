"""How plots look: sizes, lines and colours, in force while a plot is drawn and not a moment longer.

Colours are told apart without colour vision, too: those of M. Okabe and K. Ito (2002) for lines, the ten of M. A.
Petroff (arXiv:2107.02270) for what is stacked, and for expected bands the green and yellow that CMS recommends for this
reason.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from histjax.errors import InvalidPlot, MissingPackage

BLACK, GREY, LIGHT = "#000000", "#777777", "#cccccc"
BLUE, ORANGE, VERMILION, SKY, TEAL = "#0072b2", "#e69f00", "#d55e00", "#56b4e9", "#009e73"
ONE_SIGMA, TWO_SIGMA = "#607641", "#f5bb54"
"""The expected band at one and at two standard deviations."""

STACK = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)

SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "text.usetex": False,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.labelpad": 5,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.h_pad": 0.06,
    "axes.linewidth": 0.8,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.fontsize": 8.5,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "histjax",
}
"""Settings of matplotlib while a plot is drawn or saved."""

LONGEST = 44
"""Longer names are cut in the middle."""


def pyplot():
    """`matplotlib.pyplot`, imported when the first plot is drawn; raises `MissingPackage`."""
    try:
        import matplotlib.pyplot as package
    except ImportError as error:
        raise _missing(error) from None
    return package


def mplhep():
    """`mplhep`; raises `MissingPackage`."""
    try:
        import mplhep as package
    except ImportError as error:
        raise _missing(error) from None
    return package


def _missing(error: ImportError) -> MissingPackage:
    return MissingPackage(f"plots need matplotlib and mplhep: pip install 'histjax[plot]' ({error})")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Within it, or within a function that it decorates, matplotlib has histjax's settings."""
    with pyplot().rc_context(SETTINGS):
        yield


def axes(ax, size: tuple[float, float]):
    """`ax`, or the only axes of a new figure, `size` in inches."""
    return pyplot().figure(figsize=size, layout="constrained").add_subplot() if ax is None else ax


def panels(ax, count: int, **settings):
    """`ax` if it has so many axes, else as many in a new figure, made with `settings` of `pyplot.subplots`."""
    if ax is None:
        return np.ravel(pyplot().subplots(layout="constrained", **settings)[1])
    given = np.ravel(np.asarray(ax, object))
    if given.size != count:
        raise InvalidPlot(f"this plot has {count} axes, found {given.size}; try ax=None")
    return given


def shown(name, longest: int = LONGEST) -> str:
    """A name as it is written in a plot: not as mathematics, and cut in the middle where it is too long.

    >>> shown("alpha_jet_energy_scale", 12)
    'alpha_…scale'
    """
    name = str(name)
    if len(name) > longest:
        name = f"{name[: longest // 2]}…{name[len(name) - (longest - 1) // 2 :]}"
    return name.replace("$", r"\$")


def all_shown(names: Iterable, longest: int = LONGEST) -> list[str]:
    """Names as they are written, cut where they are too long, but never so short that two become one.

    >>> all_shown(["shape_SR_low_stat[0]", "shape_SR_top_stat[0]"], 12)
    ['shape_SR_low_stat[0]', 'shape_SR_top_stat[0]']
    """
    names = [str(name) for name in names]
    while len({shown(name, longest) for name in names}) < len(set(names)):
        longest = longest * 5 // 4
    return [shown(name, longest) for name in names]


def numbers(values) -> np.ndarray:
    """An array of floats on the host; `None` is NaN."""
    return np.asarray(values, float)


def extent(values: Iterable, margin: float = 0.05, include: Sequence[float] = ()) -> tuple[float, float]:
    """Limits of an axis around everything that is finite; raises `InvalidPlot` where nothing is.

    >>> extent([0.0, 1.0, float("nan")], margin=0.5)
    (-0.5, 1.5)
    """
    values = np.concatenate([np.ravel(numbers(each)) for each in values] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    if not values.size:
        raise InvalidPlot("there is nothing to draw: no number is finite; did the fit converge?")
    low, high = float(np.min([*values, *include])), float(np.max([*values, *include]))
    width = (high - low) or abs(high) or 1.0
    return low - margin * width, high + margin * width


def one_result(shape: tuple[int, ...], dimensions: int, what: str) -> None:
    """Raise `InvalidPlot` where a record is a batch of many."""
    if len(shape) != dimensions:
        raise InvalidPlot(
            f"{what} of one result is drawn, this is a batch of shape {shape[: len(shape) - dimensions]}; take one "
            "of them, e.g. jax.tree.map(lambda x: x[0], result)"
        )


def colour_bar(ax, mesh, label: str, **settings) -> None:
    """The scale of the colours beside the axes: of lines and areas, where matplotlib would take an image."""
    bar = ax.figure.colorbar(mesh, ax=ax, label=label, **settings)
    bar.solids.set(rasterized=False, edgecolor="face")


def note(ax, text: str) -> None:
    """A remark in small letters above the right end of the axes."""
    ax.set_title(text, loc="right", fontsize=7.5, color=GREY)
