"""sample and summary: the draws of the library, kept and summarised; what is refused."""

import os

import jax
import numpy as np
import pytest

import histjax
from histjax.bayes import Posterior, Samples, Uniform, sample_nuts
from tests.cli.running import run, strict_json

TWO_BINS = histjax.examples.path("two_bins")
COMMON = ("--seed", 7, "--prior", "mu=uniform:0:5", "--no-cache")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A file of draws, and what was written about them."""
    place = tmp_path_factory.mktemp("draws") / "draws.npz"
    outcome = run("sample", TWO_BINS, "--draws", 600, *COMMON, "--output", place)
    return place, outcome.json


def test_sample(kept):
    """The file has the draws of the library; the JSON says what they are."""
    place, found = kept
    model = histjax.compile(histjax.read(TWO_BINS))
    expected = sample_nuts(Posterior(model, priors={"mu": Uniform(0.0, 5.0)}), 600, key=jax.random.key(7))
    np.testing.assert_array_equal(Samples.load(place).vectors, expected.vectors)
    assert (found["sampler"], found["chains"], found["draws"], found["converged"]) == ("nuts", 4, 600, True)
    assert found["message"] == "converged"
    assert list(found["parameters"]) == ["mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"]
    mu = found["parameters"]["mu"]
    # the posterior by quadrature: mean 0.406, standard deviation 0.317, median 0.336, central [0.098, 0.722]
    for name, value in {"mean": 0.406, "uncertainty": 0.317, "median": 0.336, "lower": 0.098, "upper": 0.722}.items():
        assert mu[name] == pytest.approx(value, abs=0.04)
    assert found["upper_limit"]["value"] == pytest.approx(1.0216, abs=0.06)
    fit = run("fit", TWO_BINS).json
    assert found["criteria"]["aic"] == pytest.approx(fit["twice_nll"] + 6)
    assert found["criteria"]["aicc"] is None


def test_picture(kept, tmp_path):
    """A corner plot, in a PDF with a page of traces; only of the parameters that are named."""
    pytest.importorskip("mplhep")
    place, found = kept
    assert run("summary", place, "--plot", tmp_path / "a.pdf").json == found
    assert b"/Count 2" in (tmp_path / "a.pdf").read_bytes()
    assert run("summary", place, "--parameter", "mu", "--plot", tmp_path / "b.svg").json == found
    assert "no parameter named 'nu'" in run("summary", place, "--parameter", "nu", "--plot", tmp_path / "c.svg").error
    assert sorted(os.listdir(tmp_path)) == ["a.pdf", "b.svg"]
    words = "sample", TWO_BINS, "--draws", 600, *COMMON, "--output", place, "--plot", tmp_path / "d.png"
    assert run(*words).json == found


def test_summary(kept):
    """The same again, from the file alone; other intervals on request."""
    place, found = kept
    assert run("summary", place).json == found
    other = run("summary", place, "--probability", 0.9, "--confidence-level", 0.9).json
    assert other["parameters"]["mu"]["upper"] > found["parameters"]["mu"]["upper"]
    assert other["upper_limit"]["value"] < found["upper_limit"]["value"]
    assert "status          converged" in run("summary", place, "--text").stdout


def test_going_on(kept):
    """More draws begin with those that are there."""
    place, _ = kept
    before = Samples.load(place)
    outcome = run("sample", TWO_BINS, "--draws", 900, *COMMON, "--output", place)
    assert outcome.json["draws"] == 900
    np.testing.assert_array_equal(Samples.load(place).first(600).vectors, before.vectors)


def test_slices(tmp_path):
    """ln Z with its uncertainty; the value is by quadrature."""
    words = "--sampler", "slices", "--live", 400, "--prior", "uncorr_bkguncrt=uniform:0:3", "--keep-constraints"
    found = run("sample", TWO_BINS, *COMMON, *words, "--output", tmp_path / "draws.npz").json
    assert (found["sampler"], found["chains"]) == ("slices", 1)
    criteria = found["criteria"]
    assert criteria["log_evidence"] == pytest.approx(-20.21467, abs=4 * criteria["log_evidence_uncertainty"])
    assert criteria["log_evidence_uncertainty"] < 0.2


def test_too_few_draws(tmp_path):
    """A warning says so; the JSON, too."""
    outcome = run("sample", TWO_BINS, "--draws", 20, *COMMON, "--output", tmp_path / "few.npz")
    assert outcome.status == 0
    assert outcome.stderr.startswith("histjax: warning: not converged: ")
    assert strict_json(outcome.stdout)["converged"] is False


@pytest.mark.parametrize(
    "words, message",
    [
        (("--sampler", "nested", "--draws", 5), "--draws means nothing to the sampler nested"),
        (("--live", 5), "--live means nothing to the sampler nuts"),
        (("--prior", "mu=flat:0:1"), "'mu=flat:0:1' is not of the form NAME=KIND:A:B"),
        (("--prior", "nu=uniform:0:1"), "no parameter named 'nu'"),
        (("--prior", "mu=uniform:1:0"), "Uniform needs lower < upper"),
        (("--sampler", "emcee", "--chains", 3), "even number of walkers"),
        (("--fixed", "mu=1", "--fixed", "uncorr_bkguncrt=1"), "every parameter is fixed"),
    ],
)
def test_what_is_refused(tmp_path, words, message):
    """With exit status 2 and one message."""
    assert message in run("sample", TWO_BINS, "--seed", 7, "--no-cache", "--output", tmp_path / "x.npz", *words).error


def test_files_that_are_refused(kept, tmp_path):
    """Draws of another seed, what is no file of draws, and no file at all."""
    place, _ = kept
    assert "draws of something else" in run("sample", TWO_BINS, *COMMON, "--seed", 8, "--output", place).error
    (tmp_path / "text.npz").write_text("text")
    assert "not a file of draws" in run("summary", tmp_path / "text.npz").error
    assert "there is no such file" in run("summary", tmp_path / "none.npz").error
    assert "Missing option '--output'" in run("sample", TWO_BINS, "--seed", 8).error
