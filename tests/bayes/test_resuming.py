"""Draws that are kept: a run that was interrupted, or is asked for more, equals the uninterrupted one bit for bit."""

import jax
import numpy as np
import pytest

from histjax.bayes import Posterior, Samples, Uniform, nested, sample_emcee, sample_nested, sample_nuts, sample_slices
from histjax.errors import DamagedStore, InvalidStore
from tests.bayes.cases import on_off

KEY = jax.random.key(7)
NUTS = {"key": KEY, "n_chains": 2, "n_warmup": 50}
EMCEE = {"key": KEY, "n_walkers": 8, "n_warmup": 20, "thin": 1}


class Interrupted(Exception):
    """What stops a run in these tests."""


def stop_after(chunks: int, size: int):
    """A report of progress that interrupts a run."""

    def report(done: int, total: int) -> None:
        del total
        if done >= chunks * size:
            raise Interrupted

    return report


@pytest.fixture(scope="module")
def posterior():
    """The on/off problem."""
    return Posterior(on_off(), priors={"mu": Uniform(0.0, 60.0)})


def assert_equal(one: Samples, other: Samples) -> None:
    """Every number and every word."""
    for name in ("vectors", "log_density", "logpdf"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.statistics.keys() == other.statistics.keys()
    for name, values in one.statistics.items():
        np.testing.assert_array_equal(values, other.statistics[name])
    for name in ("sampler", "sets", "poi", "free", "max_logpdf", "n_observations", "about"):
        assert getattr(one, name) == getattr(other, name)
    np.testing.assert_equal(one.log_evidence, other.log_evidence)


SAMPLERS = [pytest.param(sample_nuts, NUTS, id="nuts"), pytest.param(sample_emcee, EMCEE, id="emcee")]


@pytest.mark.parametrize("sample, options", SAMPLERS)
def test_interrupted(posterior, tmp_path, sample, options):
    """Stopped after the first of three chunks; what is there is not drawn again."""
    place = tmp_path / "draws.npz"
    with pytest.raises(Interrupted):
        sample(posterior, 600, **options, store=place, progress=stop_after(1, 250))
    assert not place.exists()
    assert sorted(path.name for path in (tmp_path / "draws.npz.partial").iterdir()) == [
        "chunk-000000.npz",
        "chunk-000001.npz",
    ]
    reports = []
    resumed = sample(posterior, 600, **options, store=place, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(250, 600), (500, 600), (600, 600)]
    whole = sample(posterior, 600, **options)
    assert_equal(resumed, whole)
    assert_equal(Samples.load(place), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["draws.npz"]


@pytest.mark.parametrize("sample, options", SAMPLERS)
def test_more_draws(posterior, tmp_path, sample, options):
    """A finished run goes on, too; and what is there is enough for fewer."""
    place = tmp_path / "draws.npz"
    first = sample(posterior, 100, **options, store=place)
    more = sample(posterior, 400, **options, store=place)
    assert_equal(more.first(100), first)
    assert_equal(more, sample(posterior, 400, **options))
    written = place.stat().st_mtime_ns
    assert_equal(sample(posterior, 100, **options, store=place), first)
    assert place.stat().st_mtime_ns == written
    assert Samples.load(place).vectors.shape[1] == 400


def test_damaged_chunk(posterior, tmp_path):
    """Drawn again, with a warning."""
    place = tmp_path / "draws.npz"
    with pytest.raises(Interrupted):
        sample_nuts(posterior, 600, **NUTS, store=place, progress=stop_after(2, 250))
    (tmp_path / "draws.npz.partial" / "chunk-000001.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.warns(DamagedStore, match="damaged"):
        resumed = sample_nuts(posterior, 600, **NUTS, store=place)
    assert_equal(resumed, sample_nuts(posterior, 600, **NUTS))


def test_something_else(posterior, tmp_path):
    """Draws of another seed, of another sampler and of another prior are refused, and a file that is none."""
    place = tmp_path / "draws.npz"
    sample_nuts(posterior, 100, **NUTS, store=place)
    with pytest.raises(InvalidStore, match=r"seed is \[0, 7\] there, \[0, 8\] here"):
        sample_nuts(posterior, 100, **NUTS | {"key": jax.random.key(8)}, store=place)
    with pytest.raises(InvalidStore, match="sampler is 'nuts' there, 'emcee' here"):
        sample_emcee(posterior, 100, **EMCEE, store=place)
    other = Posterior(posterior.likelihood, priors={"mu": Uniform(0.0, 61.0)})
    with pytest.raises(InvalidStore, match="log_density_0"):
        sample_nuts(other, 100, **NUTS, store=place)
    place.write_text("no draws")
    with pytest.raises(InvalidStore, match="not a file of draws, or damaged"):
        sample_nuts(posterior, 100, **NUTS, store=place)
    with pytest.raises(InvalidStore, match="there is no such file"):
        Samples.load(tmp_path / "none.npz")
    with pytest.raises(InvalidStore, match="there is no directory"):
        sample_nuts(posterior, 100, **NUTS, store=tmp_path / "none" / "draws.npz")


def test_nested(posterior, tmp_path, monkeypatch):
    """The values of the likelihood that are kept are not computed again."""
    monkeypatch.setattr(nested, "CHUNK", 200)
    place, options = tmp_path / "draws.npz", {"key": KEY, "n_live": 40, "precision": 0.5}
    whole = sample_nested(posterior, **options)
    with pytest.raises(Interrupted):
        sample_nested(posterior, **options, store=place, progress=stop_after(3, 200))
    assert len(list((tmp_path / "draws.npz.partial").iterdir())) == 2
    calls = []
    compiled = nested._compiled

    def counted(posterior):
        likelihood = compiled(posterior)
        return lambda values: (calls.append(1), likelihood(values))[1]

    monkeypatch.setattr(nested, "_compiled", counted)
    reports = []
    resumed = sample_nested(posterior, **options, store=place, progress=lambda done, total: reports.append(done))
    assert_equal(resumed, whole)
    assert_equal(sample_nested(posterior, **options, store=place), whole)
    assert len(calls) < reports[-1] + 200 - 400
    assert [path.name for path in tmp_path.iterdir()] == ["draws.npz"]


def test_slices(posterior, tmp_path):
    """Points that have been replaced are not replaced again."""
    place, options = tmp_path / "draws.npz", {"key": KEY, "n_live": 40, "precision": 0.1}
    whole = sample_slices(posterior, **options)
    with pytest.raises(Interrupted):
        sample_slices(posterior, **options, store=place, progress=stop_after(2, 40))
    reports = []
    resumed = sample_slices(posterior, **options, store=place, progress=lambda done, total: reports.append(done))
    assert reports[0] == 120
    assert_equal(resumed, whole)
    assert_equal(sample_slices(posterior, **options, store=place), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["draws.npz"]
