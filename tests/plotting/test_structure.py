"""What is in each plot: labels, artists and their places, limits of the axes."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.stats import norm

from histjax import plotting
from histjax.errors import InvalidPlot, UnknownName
from histjax.plotting import corner, style
from histjax.plotting import toys as toy_plots
from histjax.plotting import yields as yield_plots
from tests.plotting import results


def texts(labels) -> list[str]:
    return [label.get_text() for label in labels]


def legend(ax) -> list[str]:
    return texts(ax.get_legend().get_texts())


def line(ax, label: str):
    """The line with this label."""
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return found


def test_brazil_band():
    """Tests come in any order; the bands are filled between the right columns."""
    tests = [results.hypotest(value) for value in (2.0, 0.0, 1.0)]
    ax = plotting.brazil_band(tests, limit=results.limit())
    observed = line(ax, "observed")
    assert observed.get_xdata().tolist() == [0.0, 1.0, 2.0]
    # closed form at mu = 1: Phi(-1) / Phi(3/7), with (1 - 0.3) / 0.7 = 1 standard deviation
    assert observed.get_ydata()[1] == pytest.approx(norm.sf(1) / norm.sf(1 - 1 / 0.7))
    two, one = ax.collections
    assert [to_hex(each.get_facecolor()) for each in (two, one)] == [style.TWO_SIGMA, style.ONE_SIGMA]
    at_one = {band: sorted(y for x, y in band.get_paths()[0].vertices if x == 1.0) for band in (two, one)}
    assert (at_one[two][0], at_one[two][-1]) == pytest.approx(tests[2].CLs_expected[[0, 4]])
    assert (at_one[one][0], at_one[one][-1]) == pytest.approx(tests[2].CLs_expected[[1, 3]])
    assert ax.get_xlabel() == "mu"
    assert legend(ax) == ["expected ± 2σ", "expected ± 1σ", "expected, median", "observed"]
    assert ax.get_xlim() == (0.0, 2.0)
    marks = [each.get_xdata()[0] for each in ax.lines if len(each.get_xdata()) == 2 and each.get_xdata()[0] > 1]
    assert marks == [1.6, 1.35]


def test_brazil_band_with_components():
    tests = [results.hypotest(value) for value in (0.5, 1.0)]
    ax = plotting.brazil_band(tests, components=True, logarithmic=True)
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "p-value"
    assert line(ax, r"$\mathrm{CL}_{s+b}$ observed").get_ydata()[1] == pytest.approx(norm.sf(1))
    assert len(legend(ax)) == 6


def test_brazil_band_of_a_mapped_test_and_of_toys():
    """One record with a leading axis, and the values that a toy-based limit has tested."""
    tests = [results.hypotest(value) for value in (0.5, 1.0, 1.5)]
    names = ("poi_value", "CLs", "CLs_expected", "CLsb", "CLb")
    stacked = {name: np.stack([getattr(each, name) for each in tests]) for name in names}
    mapped = results.hypotest(1.0, **stacked)
    drawn = [line(plotting.brazil_band(each), "observed").get_xydata() for each in (tests, mapped)]
    assert np.array_equal(*drawn)
    columns = dict(poi_values=stacked["poi_value"], CLs=stacked["CLs"], CLs_expected=stacked["CLs_expected"])
    points = results.Fields(**columns, CLs_uncertainty=np.full(3, 0.01))
    limit = results.limit(toys=results.Fields(points=points))
    ax = plotting.brazil_band(limit, limit=limit)
    (bars,) = ax.containers
    assert bars.has_yerr
    assert np.array_equal(bars.lines[0].get_xydata(), drawn[0])


def test_brazil_band_refuses():
    with pytest.raises(InvalidPlot, match="p_value_bars"):
        plotting.brazil_band(results.hypotest(1.0))
    with pytest.raises(InvalidPlot, match=r"different things: mu \(q0\), mu \(qmu_tilde\)"):
        plotting.brazil_band([results.hypotest(1.0), results.hypotest(0.0, statistic_name="q0")])
    with pytest.raises(InvalidPlot, match="several values"):
        plotting.brazil_band([])


def test_p_value_bars():
    ax = plotting.p_value_bars(results.hypotest(1.0))
    assert texts(ax.get_yticklabels()) == [r"$\mathrm{CL}_s$", r"$\mathrm{CL}_{s+b}$", r"$\mathrm{CL}_b$"]
    boxes = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
    assert len(boxes) == 6
    assert boxes[4] == pytest.approx((norm.sf(2), norm.sf(-2)))  # the expected CLb does not depend on the model
    assert ax.get_xlabel() == "p-value for mu = 1"
    assert len(plotting.p_value_bars(results.hypotest(0.0, statistic_name="q0")).patches) == 2


def test_limit_bars():
    ax = plotting.limit_bars({"all": results.limit(), "none": results.limit(observed=np.nan)})
    assert texts(ax.get_yticklabels()) == ["all", "none\n(none observed)"]
    assert [(each.get_x(), each.get_width()) for each in ax.patches[:2]] == [(0.7, 1.8), (1.0, pytest.approx(0.9))]
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlabel() == "upper limit on mu (95 % CL)"
    assert len(plotting.limit_bars(results.limit(uncertainty=0.1)).containers[-1].lines[2]) == 1  # its error bar
    with pytest.raises(InvalidPlot, match="finite"):
        plotting.limit_bars(results.limit(observed=np.nan, expected=np.full(5, np.nan)))


def test_limit_band():
    """Signals in any order; one without an answer is left out and counted."""
    grid = results.grid([(700.0,), (500.0,), (600.0,), (900.0,)], labels=("mass",))
    grid.converged[3] = False
    ax = plotting.limit_band(grid)
    assert line(ax, "observed").get_xdata().tolist() == [500.0, 600.0, 700.0]
    assert line(ax, "observed").get_ydata()[1] == 1.0
    assert ax.get_title("right") == "1 of 4 signals have no answer"
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("mass", "upper limit on mu", "log")
    assert plotting.limit_band(grid, logarithmic=False).get_yscale() == "linear"


def test_limit_band_of_a_plane():
    grid = results.grid(results.PLANE)
    with pytest.raises(InvalidPlot, match=r"2 labels of the signals have several values \(m1, m2\)"):
        plotting.limit_band(grid)
    with pytest.raises(InvalidPlot, match="several signals have the same m1"):
        plotting.limit_band(grid, label="m1")
    ax = plotting.limit_band(grid, where={"m2": 100.0})
    assert len(line(ax, "observed").get_xdata()) == 7
    with pytest.raises(UnknownName, match="no label named 'm3'"):
        plotting.limit_band(grid, where={"m3": 100.0})


@pytest.mark.parametrize("quantity", ["upper limit", "CLs"])
def test_exclusion_contours(quantity):
    """Limits are exp((m1 - 600) / 100), so that interpolation in their logarithm is exact: the contour is m1 = 600, and
    the band of one standard deviation reaches from 550 to 650. CLs were made such that the same holds for them.
    """
    ax = plotting.exclusion_contours(results.grid(results.PLANE, quantity))
    band, expected, observed = ax.collections
    for curve in (expected, observed):
        (path,) = curve.get_paths()
        assert path.vertices[:, 0] == pytest.approx(600.0, abs=0.1)
        assert path.vertices[:, 1].min() == 0
        assert path.vertices[:, 1].max() == 200
    (path,) = band.get_paths()
    assert (path.vertices[:, 0].min(), path.vertices[:, 0].max()) == pytest.approx((550, 650), abs=2.7)
    assert legend(ax) == ["expected ± 1σ", "expected", "observed"]
    assert ax.get_legend().get_title().get_text() == "excluded at 95 % CL"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("m1", "m2")
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().ymin >= ax.get_window_extent().ymax


def test_exclusion_contours_of_nothing():
    """Where all or none of the signals are excluded, the legend says so."""
    low = [each for each in results.PLANE if each[0] < 500]
    assert "observed: all of the signals" in legend(plotting.exclusion_contours(results.grid(low)))
    with pytest.raises(InvalidPlot, match="do not lie on a line"):
        plotting.exclusion_contours(results.grid([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]))
    with pytest.raises(InvalidPlot, match="none of the 3 signals has an answer"):
        plotting.exclusion_contours(results.grid(low[:3], observed=np.full(3, np.nan)), labels=("m1", "m2"))


def test_pull_chart():
    """A component without width is left out, a held one is open and has no bar."""
    ax = plotting.pull_chart(results.pulls())
    assert texts(ax.get_yticklabels()) == [f"alpha_{i}" for i in range(12) if i != 2]
    free, held = ax.containers
    assert len(free.lines[0].get_xdata()) == 10
    assert held.lines[0].get_ydata().tolist() == [1]
    assert held.lines[0].get_markerfacecolor() == "white"
    left, right = ax.get_xlim()
    assert left == -right < -2
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first one is on top


def test_pulls_of_many():
    """Of three hundred, the most remarkable; on pages, all."""
    many = results.pulls(300)
    ax = plotting.pull_chart(many, rows=20)
    names = texts(ax.get_yticklabels())
    assert len(names) == 20
    assert {"alpha_0", "alpha_299"} <= set(names)  # the largest pulls, and of those that are small none
    assert "alpha_150" not in names
    assert ax.get_title("right") == "the 20 largest of 299"
    pages = list(plotting.pull_pages(many, rows=50))
    assert len(pages) == 6
    drawn = [name for page in pages for name in texts(page.get_yticklabels())]
    assert drawn == [f"alpha_{i}" for i in range(300) if i != 2]
    assert pages[-1].get_title("right") == "page 6 of 6"
    with pytest.raises(InvalidPlot, match="no page 7"):
        plotting.pull_chart(many, rows=50, page=7)


def test_ranking_chart():
    impacts, pulls = plotting.ranking_chart(results.ranking())
    assert texts(impacts.get_yticklabels()) == [f"alpha_{i}" for i in range(8)]
    filled = [patch for patch in impacts.patches if patch.get_fill()]
    assert [patch.get_width() for patch in filled[:2]] == [0.5, 0.25]
    assert [patch.get_width() for patch in filled[8:10]] == pytest.approx([-0.45, -0.225])
    assert impacts.get_xlabel() == "impact on mu"
    assert pulls.containers[0].lines[0].get_ydata().tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert len(list(plotting.ranking_pages(results.ranking(), rows=3))) == 3


def test_correlation_matrix():
    ax = plotting.correlation_matrix(results.correlation())
    assert texts(ax.get_xticklabels()) == [f"alpha_{i}" for i in range(4)]  # without the held one
    assert ax.collections[0].get_array().reshape(4, 4)[0].tolist() == [1.0, 0.5, 0.0, 0.0]
    assert texts(ax.texts)[:3] == ["1", ".50", "0"]
    few = plotting.correlation_matrix(results.correlation(40), rows=10)
    assert few.get_title("right") == "the 10 most correlated of 39"
    named = plotting.correlation_matrix(results.correlation(), names=["alpha_3", "alpha_2"])
    assert texts(named.get_yticklabels()) == ["alpha_3", "alpha_2"]
    with pytest.raises(UnknownName):
        plotting.correlation_matrix(results.correlation(), names=["beta"])


def test_likelihood_scan():
    ax = plotting.likelihood_scan(results.scan())
    assert len(ax.lines[0].get_xdata()) == 30
    assert ax.get_title("right") == "1 of 31 points did not converge"
    assert [each.get_text() for each in ax.texts] == ["1σ", "2σ", "3σ"]
    assert legend(ax) == ["best fit: 0.8"]
    with pytest.raises(InvalidPlot, match=r"found one of 2 \(a, b\): likelihood_surface"):
        plotting.likelihood_scan(results.surface())


def test_likelihood_surface():
    """The contours of x^2 + y^2 are circles: 68.3 and 95 % of two normal variables lie within 1.515 and 2.448."""
    ax = plotting.likelihood_surface(results.surface())
    _, inner, outer = ax.collections
    for curve, radius in ((inner, 1.5152), (outer, 2.4477)):
        assert np.hypot(*curve.get_paths()[0].vertices.T) == pytest.approx(radius, abs=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert legend(ax) == ["68.3 %", "95 %", "best fit"]


def test_likelihood_contours():
    ax = plotting.likelihood_contours(results.contour())
    inner, outer, best = ax.lines
    assert legend(ax) == ["68 %, both", "95 %, both", "best fit"]
    assert np.array_equal(outer.get_xydata()[0], outer.get_xydata()[-1])  # closed
    assert np.isnan(inner.get_xydata()[5]).all()
    assert best.get_xydata().tolist() == [[0.0, 0.0]]
    assert ax.get_xlim()[1] > 2


def test_stacked_yields():
    """Sums of samples, the largest at the bottom; 36.67 events are expected in every bin and 32 observed."""
    upper, lower = plotting.stacked_yields(results.yields())
    assert legend(upper) == ["observed", "sample 2", "sample 1", "sample 0", "uncertainty"]
    points = upper.containers[-1].lines[0].get_xydata()
    assert points.tolist() == [[i + 0.5, 32.0] for i in range(6)]
    ratio = lower.containers[-1].lines[0].get_ydata()
    assert ratio == pytest.approx(32 / (20 + 10 + 20 / 3))
    assert texts(lower.get_xticklabels()) == ["SR", "CR"]
    assert upper.get_xlim() == (0, 6)
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("events per bin", "obs. / exp.")
    assert upper.get_title("left") == "postfit"


def test_many_samples_and_channels():
    many = results.yields({f"SR{i}": 7 for i in range(20)}, n_samples=14)
    upper, lower = plotting.stacked_yields(many, prefit=many, logarithmic=True)
    assert upper.get_yscale() == "log"
    assert {"6 other samples", "prefit, sum"} <= set(legend(upper))
    assert len(texts(lower.get_xticklabels())) == 8  # eight channels of seven bins are at most sixty bins
    assert [len(page[1].get_xticklabels()) for page in plotting.yield_pages(many)] == [8, 8, 4]
    one = plotting.stacked_yields(many, channels=["SR3"])[1]
    assert one.get_xlabel() == "bin of SR3"
    with pytest.raises(UnknownName):
        plotting.stacked_yields(many, channels=["VR"])


def test_ratio_beyond_the_axis():
    """A count of three times the expectation is marked at the edge; an empty expectation draws nothing."""
    odd = results.yields({"SR": 3})
    odd.observed["SR"] = np.array([110.0, 30.0, 0.0])
    odd.expected.bins["SR"] = np.array([36.0, 36.0, 0.0])
    lower = plotting.stacked_yields(odd)[1]
    arrows = [each for each in lower.lines if each.get_marker() == "^"]
    assert arrows[0].get_xdata().tolist() == [0.5]
    assert len(lower.containers[-1].lines[0].get_xdata()) == 2


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 1.84), (1, 0.17, 3.30), (2, 0.71, 4.64), (3, 1.37, 5.92), (4, 2.09, 7.16), (10, 6.89, 14.27)],
)
def test_poisson_intervals(count, low, high):
    """N. Gehrels, Astrophys. J. 303 (1986) 336, tables 1 and 2, at one standard deviation."""
    found = yield_plots.poisson_intervals(np.array([float(count)]))
    assert [end.item() for end in found] == pytest.approx([low, high], abs=0.006)


def test_toy_distributions():
    """Toys at the quantiles of the asymptotic law lie on it; half of those of the tested value are 0."""
    ax = plotting.toy_distributions(results.toys())
    histograms = [patch.get_data().values for patch in ax.patches]
    laws = [each.get_ydata() for each in ax.lines if each.get_label() == "asymptotic"]
    for histogram, law in zip(histograms, laws, strict=True):
        assert histogram.sum() == pytest.approx(1)
        assert histogram == pytest.approx(np.nan_to_num(law), abs=1.5e-3)
    assert histograms[0][0] > 0.5
    assert "mu = 1.4: 4000 toys" in legend(ax)
    with pytest.raises(InvalidPlot, match="--toys"):
        plotting.toy_distributions(results.hypotest(1.0))
    unknown = results.toys()
    unknown.statistic_asimov = np.nan
    assert "asymptotic" not in legend(plotting.toy_distributions(unknown))


def test_fractions_overflow():
    """Toys beyond the last edge are in the last bin."""
    tally = toy_plots.fractions(results.Tally.of(np.array([0.2, 5.0, 2000.0]), 1.0), np.array([0.0, 1.0, 2.0]))
    assert tally == pytest.approx([1 / 3, 2 / 3])


def test_goodness_chart():
    """The curve is the chi-square density: at its mode n - 2 = 18 with 20 degrees of freedom 0.06588 (scipy)."""
    left, right = plotting.goodness_chart(results.goodness())
    curve = line(left, r"$\chi^2$, 20 degrees of freedom")
    assert curve.get_ydata().max() == pytest.approx(0.0658780, rel=1e-4)
    assert curve.get_xdata()[curve.get_ydata().argmax()] == pytest.approx(18, abs=0.1)
    assert "observed: 24.3, p = 0.23" in legend(left)
    assert texts(right.get_yticklabels())[:2] == ["channel SR0", "channel SR1"]
    assert right.get_title("right") == "the 15 largest of 19"
    without = results.goodness(n_degrees=0.0, p_value=np.nan)
    assert "observed: 24.3, no p-value" in legend(plotting.goodness_chart(without)[0])
    with pytest.raises(InvalidPlot, match="did the fit converge"):
        plotting.goodness_chart(results.goodness(statistic=np.nan))


def test_corner_plot():
    every = plotting.corner_plot(results.draws(), truth={"mu": 0.1})
    assert every.shape == (3, 3)
    assert not every[0, 2].get_visible()
    assert [ax.get_xlabel() for ax in every[-1]] == ["mu", "alpha", "gamma"]
    assert [ax.get_ylabel() for ax in every[1:, 0]] == ["alpha", "gamma"]
    marks = [each for each in every[1, 0].lines if each.get_color() == style.VERMILION]
    assert len(marks) == 1
    assert plotting.corner_plot(results.draws(), names=["gamma"]).shape == (1, 1)
    with pytest.raises(InvalidPlot, match="same length"):
        plotting.corner_plot({"a": np.zeros(3), "b": np.zeros(4)})
    with pytest.raises(UnknownName):
        plotting.corner_plot(results.draws(), names=["beta"])


def test_trace_plot():
    """The parameter of interest first; a line for each chain, and marks where draws are divergent."""
    samples = results.chains()
    every = plotting.trace_plot(samples)
    assert [ax.get_ylabel() for ax in every[:, 0]] == ["mu", "alpha", "gamma"]
    *lines, marks = every[0, 0].lines
    np.testing.assert_array_equal([each.get_ydata() for each in lines], samples.vectors[..., 1])
    assert (marks.get_label(), marks.get_xdata().tolist()) == ("divergent", [700, 800])
    (ax, _) = plotting.trace_plot({"a": np.arange(5001.0)}, names=["a"])[0]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), np.arange(0.0, 5001.0, 3))
    np.testing.assert_array_equal(
        plotting.corner_plot(samples, names=["alpha"])[0, 0].lines[0].get_xdata()[0], np.median(samples.vectors[..., 0])
    )
    for found, error in (({"a": np.array([1.0, np.nan])}, "not finite"), ({}, "no parameter")):
        with pytest.raises(InvalidPlot, match=error):
            plotting.trace_plot(found)
    with pytest.raises(UnknownName):
        plotting.trace_plot(samples, names=["beta"])


def test_level_holding():
    """Of the counts 5, 3, 2, bins of at least 3 hold 80 %."""
    assert corner.level_holding(np.array([[2.0, 5.0], [3.0, 0.0]]), 0.8) == 3.0


def test_axes_are_taken_and_given_back():
    """Plots go into the axes that the user has, whose figure is not another one afterwards."""
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.add_subplot()
    assert plotting.pull_chart(results.pulls(), ax=ax) is ax
    both = figure.subplots(2)
    assert list(plotting.stacked_yields(results.yields(), ax=both)) == list(both)
    with pytest.raises(InvalidPlot, match="this plot has 2 axes, found 1"):
        plotting.ranking_chart(results.ranking(), ax=ax)


def test_batches_are_refused():
    batch = results.pulls()
    batch.pull = batch.pull[None]
    with pytest.raises(InvalidPlot, match="take one of them"):
        plotting.pull_chart(batch)
