"""Every plot beside a picture that was looked at when it was made.

After a change of the look: `python -m tests.plotting.test_images` writes the pictures anew; look at them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from histjax import plotting
from tests.plotting import results

BASELINE = Path(__file__).parent / "baseline"
DOTS_PER_INCH = 60
LARGEST = 40_000
TOLERANCE = 6.0
"""Root mean square difference of 256 shades: releases of matplotlib move letters by a fraction of a pixel."""

PLOTS: dict[str, Callable] = {
    "brazil": lambda: plotting.brazil_band(
        [results.hypotest(value) for value in np.linspace(0, 3, 13)], limit=results.limit(), components=True
    ),
    "p_values": lambda: plotting.p_value_bars(results.hypotest(1.0)),
    "limits": lambda: plotting.limit_bars({"first": results.limit(), "second": results.limit(observed=np.nan)}),
    "limit_band": lambda: plotting.limit_band(results.grid([(m,) for m in range(400, 900, 50)], labels=("mass",))),
    "exclusion": lambda: plotting.exclusion_contours(results.grid(results.PLANE)),
    "pulls": lambda: plotting.pull_chart(results.pulls()),
    "pulls_300": lambda: plotting.pull_chart(results.pulls(300)),
    "ranking": lambda: plotting.ranking_chart(results.ranking()),
    "correlation": lambda: plotting.correlation_matrix(results.correlation()),
    "scan": lambda: plotting.likelihood_scan(results.scan()),
    "surface": lambda: plotting.likelihood_surface(results.surface()),
    "contour": lambda: plotting.likelihood_contours(results.contour()),
    "yields": lambda: plotting.stacked_yields(results.yields()),
    "yields_many": lambda: plotting.stacked_yields(
        results.yields({f"region_{i}": 1 for i in range(23)}, n_samples=14), logarithmic=True
    ),
    "toys": lambda: plotting.toy_distributions(results.toys()),
    "goodness": lambda: plotting.goodness_chart(results.goodness()),
    "traces": lambda: plotting.trace_plot(results.chains(), names=["mu"]),
    "corner": lambda: plotting.corner_plot(results.draws(), truth={"mu": 0.1}),
}


def save(drawn, path: Path) -> None:
    """As `histjax.plotting.picture`, with fewer dots."""
    with plotting.styled():
        np.ravel(drawn)[0].figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def difference(name: str, drawn, folder: Path) -> float:
    """Root mean square difference to the picture with this name; infinite where the sizes differ by over two dots."""
    from PIL import Image

    save(drawn, folder / "found.png")
    found, expected = (Image.open(path).convert("RGB") for path in (folder / "found.png", BASELINE / f"{name}.png"))
    if max(abs(a - b) for a, b in zip(found.size, expected.size, strict=True)) > 2:
        return np.inf
    width, height = np.minimum(found.size, expected.size)
    both = (np.asarray(each, float)[:height, :width] for each in (found, expected))
    return float(np.sqrt(np.mean(np.subtract(*both) ** 2)))


@pytest.mark.parametrize("name", PLOTS)
def test_picture(name, tmp_path):
    assert difference(name, PLOTS[name](), tmp_path) < TOLERANCE


def test_every_picture_is_small_and_of_a_plot():
    assert {path.stem for path in BASELINE.iterdir()} == set(PLOTS)
    assert all(path.stat().st_size < LARGEST for path in BASELINE.iterdir())


def test_a_difference_is_seen(tmp_path):
    """Other results, or other styles, differ by more than the tolerance."""
    other = [results.hypotest(value, best=0.9) for value in np.linspace(0, 3, 13)]
    assert difference("brazil", plotting.brazil_band(other, components=True), tmp_path) > TOLERANCE
    ax = PLOTS["pulls"]()
    for patch in ax.patches:
        patch.set_visible(False)
    assert difference("pulls", ax, tmp_path) > TOLERANCE


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for each, plot in PLOTS.items():
        save(plot(), BASELINE / f"{each}.png")
