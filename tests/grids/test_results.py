"""What comes of asking all patches: in order, on any number of threads, batched or not, whatever happens to some."""

import json
import warnings

import jax
import numpy as np
import pytest

import histjax
from histjax.errors import DocumentWarning, InvalidModel, InvalidPatch, MissingPOI, UnknownName
from histjax.grids.results import PointStatus
from tests.grids.cases import BY_SLUG, add, background, free, normsys, patchset, remove, replace, sample, signal

EVENTS: list[str] = []


def _listen(name: str, duration: float, **details) -> None:
    del duration, details
    EVENTS.append(name.rsplit("/", 1)[-1])


jax.monitoring.register_event_duration_secs_listener(_listen)

BROKEN = {
    "good": [signal([8.0, 5.0])],
    "misplaced": [add("/channels/7/samples/-", {})],
    "uneven": [signal([8.0])],
    "without_mu": [add("/channels/0/samples/-", sample("signal", [8.0, 5.0], normsys("xs", 0.9, 1.1)))],
    "also_good": [signal([3.0, 9.0])],
}


@pytest.fixture(scope="module")
def grid():
    """Five signals of different names and modifiers."""
    return histjax.compile_grid(background(), five())


def five() -> dict:
    """Their patch set, with two labels."""
    signals = {
        f"S{i}": [signal([2.0 + 3 * i, 9.0 - i], normsys(f"theory_{i % 3}", 0.9, 1.1), name=f"signal_{i}")]
        for i in range(5)
    }
    return patchset(signals, labels=("mass", "width"))


def assert_same(first, second, rtol=0.0):
    assert first.names == second.names
    for name in ("observed", "expected", "best"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=rtol, atol=1e-12 if rtol else 0)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads(grid, threads):
    """How many there are makes no difference, to the last bit."""
    assert_same(grid.hypotest(1.0), grid.hypotest(1.0, threads=threads))


def test_batched(grid):
    """One batch of all, as on an accelerator."""
    single, batched = grid.hypotest(1.0), grid.hypotest(1.0, batched=True)
    assert_same(single, batched, rtol=1e-8)
    assert all(batched.converged)
    limits = grid.upper_limit(batched=True)
    assert_same(grid.upper_limit(), limits, rtol=1e-8)
    assert limits[0.0 + 100, 100.0].result.observed == limits.observed[0]


def test_names_choose_and_order(grid):
    chosen = histjax.compile_grid(background(), five(), names=["S3", (200.0, 200.0)])
    assert chosen.names == ("S3", "S1")
    result = grid.hypotest(1.0)
    np.testing.assert_allclose(chosen.hypotest(1.0).observed, [result["S3"].observed, result["S1"].observed], rtol=1e-9)


def test_compilations_do_not_grow(grid):
    """A grid of six patches is as many programs as a grid of two."""

    def count(n_patches: int) -> int:
        bins = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0][: n_patches + 3]  # nothing of it has been compiled before
        document = background()
        document["channels"][0]["samples"].append(
            sample("other", [1.0, 2.0], *(normsys(f"n{i}", 0.9, 1.1) for i in bins))
        )
        patches = {f"P{i}": [signal([2.0 + i, 5.0])] for i in range(n_patches)}
        before = len(EVENTS)
        histjax.compile_grid(document, patchset(patches), verify=False).hypotest(1.0)
        return EVENTS[before:].count("backend_compile_duration")

    assert count(2) >= count(3) > 0


def test_second_call_compiles_nothing(grid):
    grid.hypotest(1.0)
    before = len(EVENTS)
    grid.hypotest(0.5)
    assert "backend_compile_duration" not in EVENTS[before:]


def test_patches_that_fail_do_not_stop_the_others():
    grid = histjax.compile_grid(background(), patchset(BROKEN))
    result = grid.hypotest(1.0)
    assert result.names == grid.names == tuple(BROKEN)
    assert [point.status for point in result] == [
        PointStatus.CONVERGED,
        PointStatus.NO_MODEL,
        PointStatus.NO_MODEL,
        PointStatus.NO_POI,
        PointStatus.CONVERGED,
    ]
    assert "operation 0 (add /channels/7/samples/-) failed" in result["misplaced"].message
    assert "patch 'uneven': 1 problem" in result["uneven"].message
    assert result["without_mu"].message == "the patched workspace has no parameter 'mu'"
    assert np.isnan(result.observed).tolist() == [False, True, True, True, False]
    assert result.message.startswith("3 of 5 patches: misplaced: ")
    with pytest.raises(InvalidPatch, match="operation 0"):
        grid.model("misplaced")
    alone = histjax.compile_grid(background(), patchset({"good": BROKEN["good"]})).hypotest(1.0)
    np.testing.assert_allclose(result["good"].observed, alone["good"].observed, rtol=1e-9)


def test_all_patches_fail():
    both = {name: BROKEN[name] for name in ("misplaced", "uneven")}
    with pytest.raises(InvalidModel, match=r"(?s)none of the 2 patches can be used:\n.*operation 0.*'uneven'"):
        histjax.compile_grid(background(), patchset(both))
    with pytest.raises(InvalidPatch, match="operation 0"):
        histjax.compile_grid(background(), patchset({"misplaced": BROKEN["misplaced"]}))


def test_no_patch_has_the_parameter():
    grid = histjax.compile_grid(background(), patchset({"without_mu": BROKEN["without_mu"]}))
    with pytest.raises(MissingPOI):
        grid.hypotest(1.0)


def test_other_parameter_of_interest():
    """One that only some of the patches have."""
    patches = {"A": [signal([8.0, 5.0])], "B": [signal([8.0, 5.0], free("kappa"))]}
    grid = histjax.compile_grid(background(), patchset(patches))
    result = grid.hypotest(0.5, poi="kappa")
    assert [point.status for point in result] == [PointStatus.NO_POI, PointStatus.CONVERGED]
    assert result.poi == "kappa"


def test_measurement():
    grid = histjax.compile_grid(background(), BY_SLUG["own-names"].patchset, measurement="other")
    assert grid.layout.poi == "bkg_norm"
    with pytest.raises(UnknownName, match="nominal, other"):
        histjax.compile_grid(background(), BY_SLUG["own-names"].patchset, measurement="best")


def test_parameters_of_interest_that_differ():
    patches = {"A": [signal([8.0, 5.0])], "B": [signal([8.0, 5.0]), replace("/measurements/0/config/poi", "bkg_norm")]}
    with pytest.raises(InvalidModel, match="'mu' in patch 'A' and 'bkg_norm' in patch 'B'"):
        histjax.compile_grid(background(), patchset(patches))


def test_digest():
    document = background()
    document["observations"][0]["data"] = [60.0, 46.0]
    with pytest.raises(InvalidPatch, match="for another document"):
        histjax.compile_grid(document, five())
    assert len(histjax.compile_grid(document, five(), verify=False)) == 5


def test_doubts_are_said_once():
    zero = [signal([8.0, 5.0], normsys("xs", 0.0, 1.1))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grid = histjax.compile_grid(background(), patchset({"A": zero, "B": zero}))
    said = [str(each.message) for each in caught if each.category is DocumentWarning]
    assert len(said) == 1 and "patch 'A'" in said[0]
    assert len(grid["A"].doubts) == len(grid["B"].doubts) == 1


def test_second_attempts(grid):
    """A fit that was given up too early is repeated; the answer is that of the usual one."""
    impatient = grid.hypotest(1.0, minimiser=histjax.Newton(max_iterations=2))
    assert all(impatient.converged)
    assert max(point.attempts for point in impatient) > 1
    assert_same(impatient, grid.hypotest(1.0), rtol=1e-7)


def test_what_no_attempt_can_find():
    """Without the signal nothing is expected in a bin where something was observed: its status says so."""
    lonely = [
        add("/channels/-", {"name": "VR", "samples": [sample("signal", [3.0], free("mu"))]}),
        add("/observations/-", {"name": "VR", "data": [2.0]}),
    ]
    grid = histjax.compile_grid(background(), patchset({"A": [signal([8.0, 5.0])], "B": [signal([8.0, 5.0]), *lonely]}))
    result = grid.hypotest(1.0)
    assert [point.status for point in result] == [PointStatus.CONVERGED, PointStatus.NOT_CONVERGED]
    assert "at_other fit: the model expects nothing" in result["B"].message
    assert result["B"].attempts == 3
    assert not np.isnan(result["A"].observed)


def test_data_for_all(grid):
    """Counts of some channels; the auxiliary data are those of each patch."""
    counts = {"SR": np.array([70.0, 50.0])}
    result = grid.hypotest(1.0, counts)
    model = grid.model("S2")
    data = histjax.Data({**model.data.main, **counts}, model.data.aux)
    np.testing.assert_allclose(result["S2"].observed, histjax.hypotest(model, data, poi_value=1.0).CLs, rtol=1e-9)
    assert_same(grid.hypotest(1.0, model.data), grid.hypotest(1.0), 1e-9)
    with pytest.raises(UnknownName, match="'XR'"):
        grid.hypotest(1.0, {"XR": [1.0]})


def test_masked_channel(grid):
    masked = grid.with_weights({"CR": 0.0})
    model = grid.model("S1").with_weights({"CR": 0.0})
    found = masked.hypotest(1.0)["S1"].observed
    np.testing.assert_allclose(found, histjax.hypotest(model, poi_value=1.0).CLs, rtol=1e-9)
    with pytest.raises(UnknownName):
        grid.with_weights({"XR": 0.0})


def test_report(grid):
    """Once for each patch."""
    counted: list[int] = []
    grid.hypotest(1.0, report=lambda: counted.append(1))
    grid.hypotest(1.0, report=lambda: counted.append(1), batched=True)
    assert len(counted) == 10


def test_options_of_compile():
    """They hold for all patches, and names that they mention stay as they are."""
    settings = dict(
        normsys=histjax.interpolation.code1,
        interpolation={"theory_1": histjax.interpolation.code0},
        constraints={"theory_0": histjax.constraints.Normal(sigma=0.5)},
    )
    grid = histjax.compile_grid(background(), five(), **settings)
    assert {"theory_0", "theory_1", "theory_2"} < {each.name for each in grid.layout.parameters}
    read = histjax.read_patchset(five())
    for name, known in (("S0", "constraints"), ("S1", "interpolation")):
        chosen = {key: value for key, value in settings.items() if key in ("normsys", known)}
        alone = histjax.compile(histjax.read(read.apply(background(), name)), **chosen)
        model = grid.model(name)
        np.testing.assert_allclose(
            model.logpdf(model.init, model.data), alone.logpdf(alone.init, alone.data), rtol=1e-12
        )


def test_floor_on_samples():
    """A floor would give yields to the samples that a patch does not have."""
    with pytest.raises(InvalidModel, match="clip_sample_data above 0"):
        histjax.compile_grid(background(), BY_SLUG["channels-of-the-signal"].patchset, clip_sample_data=1e-3)
    histjax.compile_grid(background(), BY_SLUG["same-structure"].patchset, clip_sample_data=1e-3)


def test_rows_are_plain(grid):
    rows = grid.hypotest(1.0).rows()
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert set(rows[0]) == {
        "name",
        "values",
        "observed",
        "expected",
        "best",
        "converged",
        "status",
        "message",
        "attempts",
    }


def test_table():
    """Values of the patch first, then the numbers; what is wrong at the end of the line."""
    grid = histjax.compile_grid(background(), patchset(BROKEN))
    lines = str(grid.hypotest(1.0)).splitlines()
    assert lines[0] == "CLs (mu), 2 of 5 patches converged"
    assert lines[1].split()[:2] == ["mass", "observed"]
    assert [line.split()[0] for line in lines[2:] if line[0:4].strip().isdigit()] == ["100", "200", "300", "400", "500"]
    assert any("without_mu" in line for line in lines)


def test_lookup(grid):
    result = grid.hypotest(1.0)
    assert result["S1"] is result[200.0, 200.0]
    for holder in (grid, result):
        with pytest.raises(UnknownName, match="S0, S1"):
            holder["S9"]
        with pytest.raises(UnknownName, match="100"):
            holder[1, 2]
    assert len(grid) == len(list(grid)) == len(result) == len(list(result)) == 5
    assert grid.values[1] == (200.0, 200.0)
    assert "5 patches (mass, width), 5 of them with a model" in repr(grid)


def test_removing_everything_is_a_message():
    (point,) = histjax.compile_grid(
        background(), patchset({"A": [signal([8.0, 5.0])], "B": [remove("/channels")]}), names=["A"]
    )
    assert point.error is None
    grid = histjax.compile_grid(background(), patchset({"A": [signal([8.0, 5.0])], "B": [remove("/channels")]}))
    assert "'channels' is missing" in str(grid["B"].error) or "without data" in str(grid["B"].error)
