"""Published models that some traps are about, from the corpus; a test that needs one is skipped where it is absent."""

import functools
import json

import pytest

import histjax
from histjax.readers import apply_patch, read_patchset
from tests.reference.corpus import CORPUS, ENTRIES

THREE_LEPTONS = "atlas_susy_2018_06_3L_eRJR"
ONE_LEPTON = "atlas_susy_2019_08_1Lbb_C1N2_700_250"
SIGNAL_OF_REPORT = {
    "SRHMEM_mct2": [0.12533750364832918, 0.17221601055053243, 0.42090085914655334],
    "SRMMEM_mct2": [0.01763733883344263, 0.028793559421499824, 0.1071569435610115],
    "SRLMEM_mct2": [0.004158581794495646, 0.031196622934404727, 0.09260258010973071],
}
"""The signal of pyhf issue 1037, by channel."""


def compiled(document: dict) -> histjax.Model:
    """A model from a document."""
    return histjax.compile(histjax.read(document))


def document_of(name: str) -> dict:
    """A document of the corpus."""
    if name not in ENTRIES:
        pytest.skip("the corpus of published models is not here")
    return json.loads((CORPUS / ENTRIES[name]["file"]).read_text())


@functools.cache
def three_leptons(patch: str) -> histjax.Model:
    """ATLAS-SUSY-2018-06 with one signal of its patch set."""
    document = document_of(THREE_LEPTONS)
    patches = read_patchset(CORPUS / "patches" / f"{THREE_LEPTONS}.patchset.json")
    (operations,) = (list(each.operations) for each in patches if each.name == patch)
    return compiled(apply_patch(document, operations, patch))


def certified_cls(patch: str) -> float:
    """CLs at mu = 1 that the corpus certifies."""
    return next(each["cls_obs"] for each in ENTRIES[THREE_LEPTONS]["cls_oracle"] if each["patch"] == patch)


@functools.cache
def one_lepton() -> histjax.Model:
    """ATLAS-SUSY-2019-08 with its published signal of 700 and 250 GeV."""
    return compiled(document_of(ONE_LEPTON))


@functools.cache
def one_lepton_of_report() -> histjax.Model:
    """ATLAS-SUSY-2019-08 with the signal of pyhf issue 1037 in place of the published one."""
    document = document_of(ONE_LEPTON)
    scaled = [{"name": "mu_SIG", "type": "normfactor", "data": None}, {"name": "lumi", "type": "lumi", "data": None}]
    for channel in document["channels"]:
        channel["samples"] = [each for each in channel["samples"] if not each["name"].startswith("C1N2")]
        if channel["name"] in SIGNAL_OF_REPORT:
            signal = {"name": "bsm", "data": SIGNAL_OF_REPORT[channel["name"]], "modifiers": scaled}
            channel["samples"].insert(0, signal)
    return compiled(document)
