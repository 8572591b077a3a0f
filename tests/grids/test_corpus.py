"""Published patch sets: the CLs of every patch that has a reference, and all patches at once."""

import json

import jax
import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel
from histjax.readers import digest

ROUNDED = {"atlas_susy_2018_06_3L_eRJR": 1e-4}
"""The reference has a log density that is only good to 2e-3 there (see the README of the corpus)."""


def opened(corpus, name: str, verify: bool = True) -> histjax.Grid:
    """The grid of a published patch set."""
    return histjax.compile_grid(
        corpus / "models" / f"{name}.json", corpus / "patches" / f"{name}.patchset.json", verify=verify
    )


def set_of_some(corpus, name: str) -> histjax.Grid:
    """The grid of patches that were published one by one."""
    path = corpus / "models" / f"{name}.json"
    patches = json.loads((corpus / "patches" / f"{name}.some.patches.json").read_text())
    entries = [
        {"metadata": {"name": key.replace(".", "_"), "values": [float(index)]}, "patch": operations}
        for index, (key, operations) in enumerate(patches.items())
    ]
    metadata = {
        "description": "some patches",
        "digests": {"sha256": digest(json.loads(path.read_text()))},
        "labels": ["index"],
        "references": {"hepdata": "ins1234567"},
    }
    return histjax.compile_grid(path, {"metadata": metadata, "patches": entries, "version": "1.0.0"})


def assert_oracle(manifest, name: str, result: histjax.GridResult) -> None:
    """The reference CLs of all patches that are there."""
    (entry,) = (model for model in manifest["models"] if model["name"] == name)
    known = {each["patch"].replace(".", "_"): each for each in entry["cls_oracle"]}
    found = [point for point in result if point.name in known]
    assert found
    for point in found:
        tolerance = ROUNDED.get(name, 3e-7)
        np.testing.assert_allclose(point.observed, known[point.name]["cls_obs"], rtol=10 * tolerance)
        np.testing.assert_allclose(point.expected, known[point.name]["cls_exp"], rtol=10 * tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "verify", "count"),
    [("atlas_susy_2018_06_3L_eRJR", True, 64), ("simplified_1Lbb", False, 125)],
    ids=str,
)
def test_whole_set(name, verify, count, corpus, manifest):
    """Every patch is certified, at the first attempt, and the union is no larger than one patch asks for."""
    grid = opened(corpus, name, verify)
    result = grid.hypotest(1.0)
    assert len(grid) == count and all(result.converged)
    assert max(point.attempts for point in result) == 1
    assert len(grid.layout.rows) <= 24
    assert_oracle(manifest, name, result)


def test_patch_without_the_parameter_of_interest(corpus, manifest):
    """One of the published patches is empty: it has nothing to test, and the others have."""
    result = opened(corpus, "simplified_susy_2019_09_offshell", False).hypotest(1.0)
    assert len(result) == 91
    assert np.sum(~result.converged) == 1
    assert_oracle(manifest, "simplified_susy_2019_09_offshell", result)


def test_luminosity_without_settings(corpus):
    """All patches bring a lumi of which the measurement knows nothing."""
    with pytest.raises(InvalidModel, match=r"(?s)none of the 217 patches can be used.*lumi modifier has no auxdata"):
        opened(corpus, "simplified_sbottom_A", False)


@pytest.mark.parametrize("name", ["atlas_susy_2018_04_stau_lowMass", "atlas_susy_2018_31_sbottom_A"])
def test_some_patches(name, corpus, manifest):
    result = set_of_some(corpus, name).hypotest(1.0)
    assert all(result.converged)
    assert_oracle(manifest, name, result)


def test_union_of_a_large_set(corpus):
    """A patch of a set is what it is by itself."""
    grid = opened(corpus, "atlas_susy_2018_06_3L_eRJR")
    patchset = histjax.read_patchset(corpus / "patches" / "atlas_susy_2018_06_3L_eRJR.patchset.json")
    document = json.loads((corpus / "models" / "atlas_susy_2018_06_3L_eRJR.json").read_text())
    name = "ERJR_300p0_100p0"
    alone = histjax.compile(histjax.read(patchset.apply(document, name)))
    padded = grid.model(name)
    assert np.sum(~np.asarray(padded.parameters.fixed)) == np.sum(~np.asarray(alone.parameters.fixed))
    point = {key: np.asarray(value) + 0.01 for key, value in alone.init.items()}
    other = {key: np.asarray(value) for key, value in padded.init.items()}
    other |= {grid[name].labels[key]: value for key, value in point.items()}
    point, other = jax.device_put((point, other))
    np.testing.assert_allclose(padded.logpdf(other, padded.data), alone.logpdf(point, alone.data), rtol=1e-11)
