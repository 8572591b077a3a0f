"""JSON of the commands gives the plots of the results themselves."""

import numpy as np
import pytest

import histjax
from histjax import plotting
from histjax.cli.plot import KINDS
from histjax.errors import InvalidPlot
from histjax.plotting.documents import SOURCES, Kind, kind_of, read
from tests.cli.running import run

TWO_BINS, SIGNALS = histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins")
GAMMAS = "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"


@pytest.fixture(scope="module")
def model():
    return histjax.compile(histjax.read(TWO_BINS))


def written(*words) -> dict:
    return run(*words).json


def same(first, second) -> None:
    """Two plots have the same lines, patches, collections and texts."""
    for one, other in zip(np.ravel(first), np.ravel(second), strict=True):
        for a, b in zip(one.lines, other.lines, strict=True):
            np.testing.assert_allclose(*(np.asarray(each.get_xydata(), float) for each in (a, b)), rtol=1e-9)
        for a, b in zip(one.patches, other.patches, strict=True):
            np.testing.assert_allclose(a.get_path().vertices, b.get_path().vertices, rtol=1e-9)
        assert len(one.collections) == len(other.collections)
        names = [[label.get_text() for label in each.get_yticklabels()] for each in (one, other)]
        assert names[0] == names[1]
        assert (one.get_xlabel(), one.get_ylabel()) == (other.get_xlabel(), other.get_ylabel())


def test_p_values(model):
    document = written("cls", TWO_BINS)
    assert kind_of([document]) is Kind.P_VALUES
    same(
        plotting.p_value_bars(read(document, Kind.P_VALUES)),
        plotting.p_value_bars(histjax.hypotest(model, poi_value=1.0)),
    )


def test_brazil_of_several_files(model):
    documents = [written("cls", TWO_BINS, "--test-poi", value) for value in (1.0, 0.5)]
    assert kind_of(documents) is Kind.BRAZIL
    tests = [histjax.hypotest(model, poi_value=value) for value in (0.5, 1.0)]
    band = plotting.brazil_band([read(each, Kind.P_VALUES) for each in documents], components=True)
    same(band, plotting.brazil_band(tests, components=True))


def test_limits(model):
    document = written("limit", TWO_BINS)
    assert kind_of([document]) is Kind.LIMITS
    same(plotting.limit_bars(read(document, Kind.LIMITS)), plotting.limit_bars(histjax.upper_limit(model)))
    with pytest.raises(InvalidPlot, match="write it with histjax limit --plot"):
        read(document, Kind.BRAZIL)


def test_of_a_fit(model):
    document = written("fit", TWO_BINS, "--pulls", "--yields", "--prefit", "--correlation")
    assert kind_of([document]) is Kind.PULLS
    fit = histjax.fit(model)
    same(plotting.pull_chart(read(document, Kind.PULLS)), plotting.pull_chart(histjax.pulls(model, fit)))
    same(plotting.correlation_matrix(read(document, Kind.CORRELATION)), plotting.correlation_matrix(fit))
    for kind, result in ((Kind.YIELDS, fit), (Kind.PREFIT_YIELDS, None)):
        yields = histjax.predicted_yields(model, result)
        same(plotting.stacked_yields(read(document, kind)), plotting.stacked_yields(yields))


def test_ranking(model):
    document = written("ranking", TWO_BINS)
    assert kind_of([document]) is Kind.RANKING
    same(plotting.ranking_chart(read(document, Kind.RANKING)), plotting.ranking_chart(histjax.ranking(model)))


def test_scan_and_contour(model):
    document = written("scan", TWO_BINS, "--scan", "mu=0:2:5")
    assert kind_of([document]) is Kind.SCAN
    result = histjax.scan(model, values={"mu": np.linspace(0, 2, 5)})
    same(plotting.likelihood_scan(read(document, Kind.SCAN)), plotting.likelihood_scan(result))
    document = written("contour", TWO_BINS, "--parameters", *GAMMAS, "--points", 8)
    assert kind_of([document]) is Kind.CONTOUR
    result = histjax.contour(model, parameters=GAMMAS, n_points=8)
    same(plotting.likelihood_contours(read(document, Kind.CONTOUR)), plotting.likelihood_contours(result))


def test_goodness(model):
    document = written("gof", TWO_BINS)
    assert kind_of([document]) is Kind.GOODNESS
    result = histjax.goodness_of_fit(model)
    same(plotting.goodness_chart(read(document, Kind.GOODNESS)), plotting.goodness_chart(result))


@pytest.mark.parametrize("command", ["cls", "limit"])
def test_patch_sets(command):
    document = written("patchset", command, TWO_BINS, SIGNALS, "--no-cache")
    assert kind_of([document]) is Kind.EXCLUSION
    grid = histjax.compile_grid(TWO_BINS, SIGNALS)
    result = grid.hypotest(1.0) if command == "cls" else grid.upper_limit()
    fields = read(document, Kind.LIMIT_BAND)
    same(plotting.limit_band(fields, label="mass"), plotting.limit_band(result, label="mass"))
    same(plotting.exclusion_contours(fields), plotting.exclusion_contours(result))


def test_toys():
    document = written("toys", TWO_BINS, "--n-toys", 200, "--seed", 1, "--slice", "1/1", "--no-cache")
    assert kind_of([document]) is Kind.TOYS
    ax = plotting.toy_distributions(read(document, Kind.TOYS))
    assert [patch.get_data().values.sum() for patch in ax.patches] == pytest.approx([1, 1])


def test_nothing_to_draw():
    with pytest.raises(InvalidPlot, match=r"nothing in this document can be drawn \(its keys: parameters\)"):
        kind_of([{"parameters": {}}])
    for kind in Kind:
        with pytest.raises(InvalidPlot, match="this document has not what the plot"):
            read({}, kind)


def test_the_command_knows_all_kinds():
    """Its list is written out, so that the help needs none of the plots."""
    assert list(KINDS) == [kind.value for kind in Kind] == [kind.value for kind in SOURCES]
