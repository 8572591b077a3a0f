"""The parts of `benchmarks/` that do not measure: generated workspaces, and the tables made of rows."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import histjax

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The scripts import each other by their place."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def printed(table) -> str:
    """A table as text."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


@pytest.mark.parametrize("name, n_parameters", [("vhbb_like", 226), ("ttbar_like", 132)])
def test_shapes(name, n_parameters):
    """Generated models are read, compiled, and as large as the ones whose shape they have."""
    import generated

    shape = generated.SHAPES[name]
    model = histjax.compile(histjax.read(generated.generate(shape)))
    assert model.layout.n_parameters == shape.n_parameters == n_parameters
    assert sum(len(counts) for counts in model.data.main.values()) == sum(shape.bins)
    assert np.isfinite(float(model.logpdf(model.init, model.data)))


def test_shape_with_all_modifiers():
    """Every kind of modifier, and as many parameters as the model whose shape it has."""
    import generated

    shape = generated.SHAPES["ewkinos_like"]
    document = generated.generate(shape)
    kinds = {m["type"] for c in document["channels"] for s in c["samples"] for m in s["modifiers"]}
    assert kinds == {"normsys", "histosys", "normfactor", "staterror", "shapesys", "lumi"}
    assert (shape.n_parameters, generated.SHAPES["one_lepton_like"].n_parameters) == (218, 126)


@pytest.mark.parametrize("staterror", [True, False])
def test_scaled(staterror):
    """Any number of bins and of nuisance parameters, none of them idle."""
    import generated

    shape = generated.scaled(130, 40, staterror=staterror)
    model = histjax.compile(histjax.read(generated.generate(shape)))
    assert sum(shape.bins) == 130
    assert model.layout.n_parameters == shape.n_parameters == 3 + 40 + 130 * staterror


def test_large_is_sparse():
    """10 000 bins, 1000 nuisance parameters, a gamma in each bin."""
    import generated

    shape = generated.large()
    assert (sum(shape.bins), shape.n_nuisance, shape.n_parameters) == (10_000, 1_000, 11_003)
    assert max(shape.normsys_fraction, shape.histosys_fraction) <= 0.1


def test_one_seed_one_workspace():
    """The same seed gives the same document, another one does not."""
    import generated

    shape = generated.scaled(20, 10)
    first, again, other = (json.dumps(generated.generate(shape, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_generated_grid():
    """Every patch of the set fits its background workspace, whose digest it knows."""
    import generated

    background, patchset = generated.generate_grid(generated.scaled(6, 5), 3)
    patches = histjax.read_patchset(patchset)
    patches.verify(background)
    grid = histjax.compile_grid(background, patchset)
    assert len(grid) == 3
    assert all(point.error is None for point in grid)


ROWS = {
    "log density": {
        "histjax": {"cold_s": 1.0, "warm_s": 3e-5, "cores": 1.0, "peak_mb": 300.0, "twice_nll_init": 110.0},
        "root": {"cold_s": 2.0, "warm_s": 3e-6, "peak_mb": 400.0},
    },
    "Hessian": {"histjax": {"cold_s": 1.0, "warm_s": 1e-3}, "pyhf": {"absent": True}},
    "fit": {
        "histjax": {"cold_s": 3.0, "warm_s": 0.01, "cores": 1.9, "twice_nll": 100.0, "converged": 1.0},
        "pyhf": {"timeout": 120.0},
        "root": {"cold_s": 2.0, "warm_s": 0.25, "twice_nll_below_init": -9.5, "converged": 0.0},
        "nextstat": {"error": "ValueError: did not converge"},
    },
    "toys": {
        "histjax": {"cold_s": 3.0, "rate": 200.0, "n_toys": 2000, "converged": 0.9995},
        "nextstat": {"cold_s": 1.0, "rate": 2.0, "n_toys": 30, "converged": 1.0, "toys_above": [0.0, 0.25]},
    },
}


def test_model_table():
    """Canned rows: distances from the lowest minimum, limits that were exceeded, dashes, failures."""
    from reporting import model_table

    text = printed(model_table("model", ROWS))
    assert "30 µs" in text and "3 µs" in text
    assert "2NLL above 0, converged 100 %" in text
    assert "2NLL above 5.0e-01, converged 0 %" in text  # 110 - 9.5 against 100
    assert "> 120 s" in text and "> 1.2e+04" in text  # 120 s are at least 12 000 times 10 ms
    assert "failed" in text and "did not converge" in text
    assert "toys' 2NLL above: worst of 2 2.5e-01" in text and "converged 99.95 %" in text


def test_summary_table():
    """Ratios of warm times and of rates; a peer that ran out of time is a lower limit, one that failed a dash."""
    from reporting import summary_table

    fits = printed(summary_table({"model": ROWS}, "fit")).splitlines()[-1].split()
    assert fits == ["model", "10", "ms", ">", "1.2e+04", "25", "-"]
    toys = printed(summary_table({"model": ROWS}, "toys")).splitlines()[-1].split()
    assert toys == ["model", "200", "toys/s", "100"]


def test_unfinished_grid():
    """A loop over patches that was stopped counts with what all points would take."""
    from reporting import cold_cell, quality, ratio

    ours = {"cold_s": 8.0, "points": 64, "converged": 1.0}
    theirs = {"cold_s": 1600.0, "points": 64, "done": 5, "timeout": 120.0}
    assert cold_cell(theirs) == "~ 1.6e+03 s"
    assert ratio(theirs, ours) == "200"
    assert quality(theirs) == "from 5 of 64 points"


def test_power_law():
    """The exponent of a power law is found, and points that are missing do not disturb it."""
    from growth import exponent

    rows = [{"bins": n, "warm_s": 3.0 * n**1.5} for n in (10, 100, 1000)] + [{"bins": 10_000}]
    assert exponent(rows, "bins", "warm_s") == pytest.approx(1.5, rel=1e-12)
    assert np.isnan(exponent(rows[:1], "bins", "warm_s"))


def test_rows_of_a_process(tmp_path):
    """The last complete line counts, whatever else was printed; a process that fails leaves its last words."""
    from running import Runner, Tool, last_row

    assert last_row(b'noise{"a": 1}\n{"cold_s": 1}\n{"cold_s": 1, "warm_s": 2}\n{"cut') == {"cold_s": 1, "warm_s": 2}
    script = tmp_path / "fails.py"
    script.write_text("print('{\"cold_s\": 1}')\nraise ValueError('why')\n")
    row = Runner(1, 30.0).run(Tool("tool", sys.executable, str(script), ("fit",)), "fit", tmp_path)
    assert row == {"cold_s": 1, "error": "ValueError: why"}
    script.write_text("import time\nprint('{\"cold_s\": 1}', flush=True)\ntime.sleep(60)\n")
    row = Runner(1, 1.0).run(Tool("tool", sys.executable, str(script), ("fit",)), "fit", tmp_path)
    assert row == {"cold_s": 1, "timeout": 1.0}


def test_peers_do_not_need_histjax():
    """The scripts that peers' interpreters run import neither histjax nor JAX."""
    code = "import peers, sys; sys.exit('histjax' in sys.modules or 'jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS).returncode == 0


def test_unbinned():
    """As many events as asked for, and the formula that judges all tools is the likelihood that histjax minimises."""
    import unbinned
    import unbinned_worker

    events = unbinned.generated(1000)
    assert events.shape == (1000,) and unbinned_worker.LOW <= events.min() and events.max() <= unbinned_worker.HIGH
    model = histjax.compile(histjax.read(unbinned_worker.document(events)))
    at = unbinned_worker.start(1000)
    assert -2 * float(model.logpdf(model.init, model.data)) == pytest.approx(unbinned.twice_nll(events, at), rel=1e-13)


def test_lines_of_unbinned_fits():
    """The distance of minima, and what went wrong where a tool left nothing."""
    import unbinned
    import unbinned_worker

    events, truth = unbinned.generated(1000), unbinned_worker.truth(1000)
    good = {"cold_s": 2.0, "warm_s": 0.1, "params": truth, "converged": 1.0, "sigma": 20.0}
    rows = {"histjax": good, "zfit": good | {"warm_s": 0.3}, "root-codegen": {"error": "built without Clad"}}
    lines = unbinned.lines(1000, rows, events)
    assert [line[4] for line in lines] == ["", "3", "-"] and [line[7] for line in lines] == [
        "0",
        "0",
        "built without Clad",
    ]


def test_a_training_fills_histograms():
    """With a bandwidth of 0 the model has numpy's histograms of the weighted events, and of their varied weights."""
    import training

    scores = training.simulated(1, 500).mapped(lambda features: features[:, 0])
    edges = np.array([-np.inf, -0.5, 0.5, np.inf])
    templates = training.filled(training.statistical_model(3), scores, edges, 0.0).templates
    weight = training.BACKGROUND / 500
    signal, background, lo, hi = (
        np.histogram(values, edges, weights=np.broadcast_to(size, 500))[0]
        for values, size in (
            (scores.signal, training.SIGNAL / 500),
            (scores.background, weight),
            (scores.background, weight * scores.lo),
            (scores.background, weight * scores.hi),
        )
    )
    np.testing.assert_allclose(templates.nominal_yields, np.concatenate([background, signal]), rtol=1e-12)
    np.testing.assert_allclose((templates.histosys_lo, templates.histosys_hi), (lo, hi), rtol=1e-12)
    np.testing.assert_allclose(templates.staterror_uncertainty, np.sqrt(weight * background), rtol=1e-12)
