"""Names of the models of the corpus of published models that have reference numbers, grouped by what they cost."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from scipy.special import gammaln

import histjax

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
LARGEST = (
    "cms_vhbb_zee_SR_4regions",
    "atlas_susy_2018_16_ewkinos",
    "atlas_ttbar_ljets_xsec",
    "atlas_susy_2019_08_1Lbb_C1N2_700_250",
)


def _entries() -> list[dict]:
    if not CORPUS.is_dir():
        return []
    models = json.loads((CORPUS / "manifest.json").read_text())["models"]
    return [model for model in models if model.get("logpdf_init") is not None]


ENTRIES = {entry["name"]: entry for entry in _entries()}
NAMES = list(ENTRIES) or ["absent"]
GROUPS = set(NAMES)


@dataclass(frozen=True)
class Published:
    """One model of the corpus, compiled, with its reference numbers and the rounding noise of these."""

    entry: dict
    reference: dict
    model: histjax.Model

    @property
    def noise(self) -> float:
        """What pyhf's own log density loses to cancelling log-gamma terms, as the corpus states it."""
        aux = np.array(self.reference["auxdata"], float)
        poisson = np.concatenate(
            [np.full(each.size, each.constraint == "poisson") for each in self.model.layout.constrained]
            or [np.zeros(0, bool)]
        )
        tau = aux[poisson] if aux.size else aux
        return float(4e-16 * np.sum(gammaln(tau + 1) + tau))

    @property
    def points(self) -> np.ndarray:
        """The points at which the reference has log densities: init, p1, p2, p3; `(4, parameters)`."""
        return np.array([self.reference[name] for name in ("init", "p1", "p2", "p3")], float)


@functools.lru_cache(maxsize=1)
def published(name: str) -> Published:
    """A model of the corpus; its measurement is the first one, with pyhf's default interpolation codes.

    What was compiled for the model before is thrown away: the programs of seventy models fill the memory and slow down
    Python's garbage collector.
    """
    jax.clear_caches()
    reference = json.loads((CORPUS / "ref" / f"{name}.ref.json").read_text())
    model = histjax.compile(histjax.read(CORPUS / ENTRIES[name]["file"]))
    return Published(ENTRIES[name], reference, model)
