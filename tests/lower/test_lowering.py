"""What lowering makes of a workspace: static structure by content, numbers exactly as written."""

import numpy as np
import pytest

import histjax
from histjax.lower.modifiers import padded
from tests.workspaces import BY_SLUG, TABLE, counting


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_layout_is_consistent(case, compile_case):
    """Rows, bins and parameters cover their axes without gap; auxiliary data are the constrained subset in order."""
    model = compile_case(case.slug)
    layout, tables = model.layout, model.tables
    assert [each.start for each in layout.rows[1:]] == [each.stop for each in layout.rows[:-1]]
    assert [each.start for each in layout.channels[1:]] == [each.stop for each in layout.channels[:-1]]
    assert [each.start for each in layout.parameters[1:]] == [e.start + e.size for e in layout.parameters[:-1]]
    assert layout.n_cells == len(tables.row_of_cell) == len(model.templates.nominal_yields)
    kinds = sorted([*layout.alphas, *layout.factors, *layout.locals_])
    assert kinds == list(range(layout.n_parameters))  # each component acts in exactly one way
    places = sorted([*np.asarray(tables.normal_auxiliary), *np.asarray(tables.poisson_auxiliary)])
    assert places == list(range(sum(each.size for each in layout.constrained)))
    assert [each.name for each in layout.channels] == sorted(each["name"] for each in case.document["channels"])


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_templates_are_as_written(case, compile_case):
    """Yields of every sample and observed counts, to the bit."""
    model = compile_case(case.slug)
    yields = {
        (channel["name"], sample["name"]): sample["data"]
        for channel in case.document["channels"]
        for sample in channel["samples"]
    }
    for row in model.layout.rows:
        found = model.templates.nominal_yields[row.start : row.stop]
        np.testing.assert_array_equal(found, yields[row.channel, row.sample])
    observed = {each["name"]: each["data"] for each in case.document["observations"]}
    for channel in model.layout.channels:
        found = model.templates.observations[channel.start : channel.stop]
        np.testing.assert_array_equal(found, observed[channel.name])


def test_layouts_compare_by_content():
    """Other numbers, same layout; another name, bin or option, another layout."""
    workspace = histjax.read(counting([1.0], [50.0], [5.0], [50.0]))
    layout = histjax.compile(workspace).layout
    same = histjax.compile(histjax.read(counting([2.0], [60.0], [7.0], [66.0]))).layout
    assert layout is not same and layout == same and hash(layout) == hash(same)
    wider = histjax.compile(histjax.read(counting([1.0] * 2, [50.0] * 2, [5.0] * 2, [50.0] * 2))).layout
    clipped = histjax.compile(workspace, clip_bin_data=0.0).layout
    assert layout != wider and layout != clipped and wider != clipped


def test_parameter_order_is_by_type_and_first_sight(compile_case):
    """histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror (pyhf 0.7.6); a name shared by histosys and
    normsys stands with the histosys."""
    assert compile_case("everything").parameters.names == (
        *("jes", "tilt", "lumi", "mu", "xsec", "fakes", "uncorrelated", "stat_alpha", "stat_zeta"),
    )


def test_staterror_components_follow_the_sorted_channels(compile_case):
    """One component per bin of every channel that carries the name, channels in alphabetical order: CR, then SR."""
    model = compile_case("staterror-two-channels")
    width = [4.0 / 90, 1.5 / 20, 1.2 / 15]
    np.testing.assert_allclose(model.parameters["stat"].width, width, rtol=1e-15)


def test_a_luminosity_without_bounds():
    """It starts at its auxiliary datum, within five widths and not below zero (HistFactory's rule for XML files)."""
    document = {**BY_SLUG["lumi"].document}
    document["measurements"] = [
        {"name": "m", "config": {"poi": "mu", "parameters": [{"name": "lumi", "auxdata": [0.9], "sigmas": [0.3]}]}}
    ]
    lumi = histjax.compile(histjax.read(document)).parameters["lumi"]
    assert [float(each) for each in (lumi.init, *lumi.bounds, lumi.width)] == pytest.approx([0.9, 0.0, 2.4, 0.3])


def test_padding():
    """Groups of unequal size in one table; empty groups and no groups at all."""
    table = padded(np.array([2, 0, 2]), 4, np.array([5, 6, 7]), padding=9)
    assert table.tolist() == [[6, 9], [9, 9], [5, 7], [9, 9]]
    assert padded(np.zeros(0, int), 3, np.zeros(0, int), padding=0).shape == (3, 0)
