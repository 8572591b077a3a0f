"""Tables of results: what is in which cell, and the languages they are written in."""

import json
from html.parser import HTMLParser

import pytest

import histjax
from histjax import tables
from histjax.errors import InvalidPlot


@pytest.fixture(scope="module")
def search():
    return histjax.compile(histjax.read(histjax.examples.path("search")))


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"),
    [(0.827, 0.119, "0.83 ± 0.12"), (0.827, 0.367, "0.8 ± 0.4"), (1234.5, 99.0, "1230 ± 100"), (3.25, 0.0, "3.25")],
)
def test_measured(value, uncertainty, shown):
    """The examples of the Review of Particle Physics, introduction, section 5.3, and what has no uncertainty."""
    assert tables.results.measured(value, uncertainty) == shown


def test_yields(search):
    """The last row has the sums of the counts in the document; per bin there is a column for each count."""
    table = tables.yields_table(histjax.predicted_yields(search))
    observed = dict(zip(table.columns, table.rows[-1], strict=True))
    document = json.loads(histjax.examples.path("search").read_text())
    counts = {each["name"]: f"{sum(each['data']):g}" for each in document["observations"]}
    assert observed == {"prefit yields": "observed", **counts}
    assert [row[0] for row in table.rows[-2:]] == ["sum", "observed"]
    bins = tables.yields_table(histjax.predicted_yields(search), per_bin=True)
    assert len(bins.columns) == 1 + sum(len(values) for values in search.data.main.values())
    assert bins.columns[1].endswith(", bin 0")


def test_fit_and_ranking(search):
    fit = histjax.fit(search)
    table = tables.fit_table(fit)
    assert {row[0] for row in table.rows} == set(fit.parameters.component_names)
    assert all(row[2] for row in table.rows[min(table.ruled) :]) and not any(
        row[2] for row in table.rows[: min(table.ruled)]
    )
    ranking = tables.ranking_table(histjax.ranking(search, init=fit), rows=3)
    assert len(ranking.rows) == 3
    assert ranking.columns[0] == "impact on mu"
    pulls = tables.pulls_table(histjax.pulls(search, fit))
    assert len(pulls.rows) == int(fit.parameters.constrained.sum())


def test_limit(search):
    (row,) = tables.limit_table(histjax.upper_limit(search)).rows
    assert row[:2] == ("mu", "1.412")  # pyhf 0.7.6 gives 1.412421


def test_batches_are_refused(search):
    import jax
    import jax.numpy as jnp

    fits = jax.vmap(lambda mu: histjax.fit(search, fixed={"mu": mu}))(jnp.array([0.0, 1.0]))
    with pytest.raises(InvalidPlot, match="one fit"):
        tables.fit_table(fits)


TABLE = tables.Table(("name", "value"), (("a_b|c", "1 ± 2"), ("<x> & 5 %", "at bound")), frozenset({1}))


def test_markdown():
    assert TABLE.markdown().splitlines() == [
        "| name | value |",
        "|:--|--:|",
        r"| a_b\|c | 1 ± 2 |",
        "| <x> & 5 % | at bound |",
    ]
    assert str(TABLE) == TABLE.markdown()


def test_latex():
    assert TABLE.latex().splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name & value \\",
        r"\midrule",
        r"a\_b|c & $1 \pm 2$ \\",
        r"\midrule",
        r"\textless{}x\textgreater{} \& 5 \% & at bound \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_html():
    """It is well formed, and texts are texts."""

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.cells = [], []

        def handle_starttag(self, tag, attrs):
            self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.cells.append(data)

    reader = Reader()
    reader.feed(TABLE._repr_html_())
    assert reader.open == []
    assert reader.cells == ["name", "value", "a_b|c", "1 ± 2", "<x> & 5 %", "at bound"]
