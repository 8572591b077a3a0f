"""The neutral union changes nothing: padded models are the patched workspaces, compiled one by one."""

import functools

import jax
import numpy as np
import pytest

import histjax
from tests.grids.cases import BY_SLUG, CASES, background

SLUGS = [case.slug for case in CASES]
NAMES = {case.slug: "ABCD"[: len(case.patches)] for case in CASES}
PATCHES = [(slug, name) for slug in SLUGS for name in NAMES[slug]]
FITTED = (
    "channel-removed",
    "own-names",
    "normfactor-of-some",
    "no-lumi-in-one",
    "staterror-in-another-channel",
    "staterror-without-uncertainty",
    "kinds-of-one-name",
    "settings",
    "another-binning",
)
"""Those whose tests and limits are compared, too, which takes a compilation for each patch."""


@functools.cache
def results(slug: str) -> histjax.GridResult:
    """A test of one value for all patches."""
    return grid_of(slug).hypotest(0.7)


@functools.cache
def grid_of(slug: str) -> histjax.Grid:
    """The grid of one case."""
    return histjax.compile_grid(background(), BY_SLUG[slug].patchset)


@functools.cache
def plain(slug: str, name: str) -> histjax.Model:
    """One patch, compiled by itself."""
    patched = histjax.read_patchset(BY_SLUG[slug].patchset).apply(background(), name)
    return histjax.compile(histjax.read(patched))


def translated(grid: histjax.Grid, name: str, params: dict) -> dict:
    """A point of the patched workspace as one of its model in the grid."""
    model = grid.model(name)
    point = {key: np.array(value) for key, value in model.init.items()}
    for own, label in grid[name].labels.items():
        value = np.asarray(params[own])
        if value.shape != point[label].shape:  # a staterror with components for channels that the patch does not have
            place = np.flatnonzero(np.asarray(model.parameters[label].width) > 0)
            point[label][place] = value
        else:
            point[label] = value
    return jax.device_put(point)


def points(model: histjax.Model, count: int = 3):
    """Points within the bounds, and the initial one."""
    rng = np.random.default_rng(7)
    parameters = model.parameters
    yield model.init
    for _ in range(count):
        shift = np.where(np.asarray(parameters.fixed), 0.0, rng.uniform(-0.2, 0.2, len(parameters.init)))
        yield model.unravel(jax.device_put(np.asarray(parameters.init) + shift))


@pytest.mark.parametrize("slug", SLUGS)
def test_one_layout(slug):
    """All models have one layout, with no more rows than the differences ask for."""
    grid = grid_of(slug)
    assert len({grid.model(name).layout for name in grid.names}) == 1
    assert len(grid.layout.rows) == BY_SLUG[slug].n_rows
    assert all(point.error is None for point in grid)


@pytest.mark.parametrize(("slug", "name"), PATCHES)
def test_log_density(slug, name):
    """Constants included: parameters and channels that a patch does not have contribute nothing."""
    padded, alone = grid_of(slug).model(name), plain(slug, name)
    for params in points(alone):
        found = padded.logpdf(translated(grid_of(slug), name, params), padded.data)
        np.testing.assert_allclose(found, alone.logpdf(params, alone.data), rtol=1e-12)


@pytest.mark.parametrize(("slug", "name"), PATCHES)
def test_expected_yields(slug, name):
    """Channel by channel; one that the patch does not have is empty."""
    padded, alone = grid_of(slug).model(name), plain(slug, name)
    for params in points(alone):
        expected = alone.expected_yields(params)
        for channel, found in padded.expected_yields(translated(grid_of(slug), name, params)).items():
            own = expected.get(channel.partition(" (")[0], np.zeros(0))
            np.testing.assert_allclose(found, own if len(own) == len(found) else np.zeros(len(found)), rtol=1e-12)


@pytest.mark.parametrize(("slug", "name"), PATCHES)
def test_what_is_absent_is_fixed(slug, name):
    """As many components float as in the patched workspace."""
    padded, alone = (np.asarray(each.parameters.fixed) for each in (grid_of(slug).model(name), plain(slug, name)))
    assert np.sum(~padded) == np.sum(~alone)


@pytest.mark.parametrize(("slug", "name"), [each for each in PATCHES if each[0] in FITTED])
def test_cls(slug, name):
    result = results(slug)[name]
    alone = histjax.hypotest(plain(slug, name), poi_value=0.7)
    np.testing.assert_allclose(result.observed, alone.CLs, rtol=1e-9)
    np.testing.assert_allclose(result.expected, alone.CLs_expected, rtol=1e-9)
    np.testing.assert_allclose(result.best, alone.best, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(result.result.fits.free.twice_nll, alone.fits.free.twice_nll, rtol=1e-12)
    assert (result.converged, result.message, result.attempts) == (True, "converged", 1)


@pytest.mark.parametrize("slug", ["channel-removed", "kinds-of-one-name"])
def test_limits(slug):
    result = grid_of(slug).upper_limit()
    for point in result:
        alone = histjax.upper_limit(plain(slug, point.name))
        np.testing.assert_allclose(point.observed, alone.observed, rtol=1e-9)
        np.testing.assert_allclose(point.expected, alone.expected, rtol=1e-9)


def test_padded_workspace():
    """The templates that are filled in are those of the padded workspace, compiled."""
    from histjax.readers import read_patchset, read_variants
    from histjax.spec.union import unite

    for slug in ("own-names", "settings", "another-binning"):
        grid, patchset = grid_of(slug), read_patchset(BY_SLUG[slug].patchset)
        _, variants = read_variants(background(), patchset, patchset.patches)
        union = unite([each.workspace for each in variants], {"mu"})
        for index, part in enumerate(union.parts):
            model = histjax.compile(union.padded(part, part.workspace.measurement()))
            assert model.layout == grid.layout
            for field in ("nominal_yields", "histosys_lo", "normsys_hi", "staterror_uncertainty", "observations"):
                found = getattr(grid.templates, field)[index]
                np.testing.assert_array_equal(found, getattr(model.templates, field))


def test_names_of_the_union():
    """What is called differently is called by a pattern; what is common keeps its name."""
    grid = grid_of("own-names")
    assert {row.sample for row in grid.layout.rows} == {"bkg", "fakes", "signal_*"}
    assert {"mc_*_SR", "theory_*"} < {each.name for each in grid.layout.parameters}
    assert grid["A"].labels["mc_100_SR"] == grid["B"].labels["mc_200_SR"] == "mc_*_SR"


@pytest.mark.parametrize("slug", ["own-names", "kinds-of-one-name", "settings"])
def test_order_of_the_patches(slug):
    """Nothing depends on it: the layout is the same, and so is every result."""
    grid, patchset = grid_of(slug), BY_SLUG[slug].patchset
    turned = histjax.compile_grid(background(), patchset | {"patches": patchset["patches"][::-1]})
    assert turned.names == grid.names[::-1]
    assert turned.layout == grid.layout
    first, second = grid.hypotest(1.0), turned.hypotest(1.0)
    np.testing.assert_array_equal(first.observed, second.observed[::-1])
    np.testing.assert_array_equal(first.expected, second.expected[::-1])
