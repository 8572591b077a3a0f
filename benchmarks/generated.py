"""HistFactory workspaces of any size, made of a seed: falling spectra, shared systematics, a small signal.

    python benchmarks/generated.py NAME OUT.json        # NAME: one of `SHAPES`, or "large"

`SHAPES` has the shapes of four published or public likelihoods (channels, bins, samples, how many systematics there
are and on what fraction of the samples each acts), with none of their numbers.
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

POI = "mu"
SIGNAL = 0
DECIMALS = 5
LUMI = {"name": "lumi", "inits": [1.0], "bounds": [[0.5, 1.5]], "fixed": False, "auxdata": [1.0], "sigmas": [0.017]}


@dataclass(frozen=True)
class Shape:
    """What a workspace looks like.

    **Fields:**

    - `bins`: bins of each channel; `samples`: samples of each channel, the signal included.
    - `shared`: systematics that act by a normsys and a histosys of one name; `normsys`, `histosys`: by one of them.
    - `normsys_fraction`, `histosys_fraction`: part of all samples in all channels on which each of them acts.
    - `normfactors`: free normalisations besides the parameter of interest.
    - `staterror`: a gamma in every bin; `shapesys`: so many channels with a Poisson-constrained gamma per bin too.
    - `counts`: expected background counts of a bin, on average.
    """

    bins: tuple[int, ...]
    samples: int
    normsys: int
    histosys: int
    shared: int = 0
    normsys_fraction: float = 0.1
    histosys_fraction: float = 0.1
    normfactors: int = 0
    staterror: bool = True
    shapesys: int = 0
    lumi: bool = False
    counts: float = 100.0

    @property
    def n_nuisance(self) -> int:
        """Shared systematics of all kinds."""
        return self.normsys + self.histosys + self.shared

    @property
    def n_parameters(self) -> int:
        """Components of all parameters of the workspace."""
        gammas = self.staterror * sum(self.bins) + sum(self.bins[: self.shapesys])
        return 1 + self.normfactors + self.n_nuisance + self.lumi + gammas


SHAPES = {
    "vhbb_like": Shape((5, 5, 5, 1), 14, 32, 0, 172, 0.59, 0.65, normfactors=5, counts=23),
    "ewkinos_like": Shape((1,) * 44, 6, 51, 24, 51, 0.14, 0.055, normfactors=5, shapesys=41, lumi=True, counts=350),
    "ttbar_like": Shape((12, 13, 12), 6, 22, 9, 62, 0.47, 0.19, lumi=True, counts=180_000),
    "one_lepton_like": Shape((1, 1, 1, 1, 1, 3, 3, 3), 10, 7, 33, 67, 0.74, 0.79, normfactors=3, lumi=True, counts=150),
}
"""226, 218, 132 and 126 parameters."""


def scaled(n_bins: int, n_nuisance: int, *, staterror: bool = True, bins_per_channel: int = 100) -> Shape:
    """`n_bins` in channels of about equal size, five samples each; three tenths of the systematics change shapes."""
    n_channels = -(-n_bins // bins_per_channel)
    bins = tuple(n_bins // n_channels + (i < n_bins % n_channels) for i in range(n_channels))
    shared, histosys = n_nuisance // 10, n_nuisance // 5
    return Shape(bins, 5, n_nuisance - shared - histosys, histosys, shared, normfactors=2, staterror=staterror)


def large(n_bins: int = 10_000, n_nuisance: int = 1_000) -> Shape:
    """Sparse and large: each systematic acts on a tenth of the samples, and every bin has a gamma."""
    return scaled(n_bins, n_nuisance)


def generate(shape: Shape, seed: int = 0, *, signal: bool = True) -> dict:
    """A workspace of this shape, in pyhf's format; the same one for the same seed.

    The data are drawn from the nominal background. `signal=False` leaves the signal sample out, for a patch to add.
    """
    rng = np.random.default_rng(seed)
    acting = _acting(shape, rng)
    channels, observations = [], []
    for channel, n_bins in enumerate(shape.bins):
        yields = _yields(shape, rng, n_bins)
        data = rng.poisson(yields[1:].sum(0)).astype(float).tolist()
        samples = [_sample(shape, rng, acting, channel, i, yields[i]) for i in range(shape.samples)]
        channels.append({"name": f"channel_{channel}", "samples": samples if signal else samples[1:]})
        observations.append({"name": f"channel_{channel}", "data": data})
    measurements = [{"name": "measurement", "config": {"poi": POI, "parameters": [LUMI] if shape.lumi else []}}]
    return {"channels": channels, "observations": observations, "measurements": measurements, "version": "1.0.0"}


def generate_grid(shape: Shape, n_points: int, seed: int = 0) -> tuple[dict, dict]:
    """A background-only workspace, and a patch set that adds a signal of another yield and slope for each point."""
    background = generate(shape, seed, signal=False)
    acting = _acting(shape, np.random.default_rng(seed))
    patches = []
    for point in range(n_points):
        rng = np.random.default_rng([seed, 1 + point])
        strength, operations = rng.uniform(0.3, 3.0), []
        for channel, n_bins in enumerate(shape.bins):
            value = _sample(shape, rng, acting, channel, SIGNAL, strength * _yields(shape, rng, n_bins)[SIGNAL])
            operations.append({"op": "add", "path": f"/channels/{channel}/samples/0", "value": value})
        labels = {"name": f"point_{point}", "values": [point % 25, point // 25]}
        patches.append({"metadata": labels, "patch": operations})
    # the digest that pyhf makes of a document
    text = json.dumps(background, sort_keys=True, ensure_ascii=False)
    metadata = {"references": {"hepdata": "ins0000000"}, "description": "generated", "labels": ["x", "y"]}
    metadata["digests"] = {"sha256": hashlib.sha256(text.encode("utf8")).hexdigest()}
    return background, {"metadata": metadata, "patches": patches, "version": "1.0.0"}


def _acting(shape: Shape, rng) -> tuple[np.ndarray, np.ndarray]:
    """Where each systematic acts by a normsys and by a histosys, `(systematics, channels, samples)`; once at least.

    The order is shared, normsys, histosys.
    """
    size = (shape.n_nuisance, len(shape.bins), shape.samples)
    by_norm = rng.random(size) < shape.normsys_fraction
    by_shape = rng.random(size) < shape.histosys_fraction
    everywhere = rng.integers(len(shape.bins), size=len(by_norm)), rng.integers(1, shape.samples, size=len(by_norm))
    for acts in (by_norm, by_shape):
        acts[np.arange(len(acts)), *everywhere] = True
    by_norm[shape.shared + shape.normsys :] = False
    by_shape[shape.shared : shape.shared + shape.normsys] = False
    return by_norm, by_shape


def _yields(shape: Shape, rng, n_bins: int) -> np.ndarray:
    """Expected counts, `(samples, bins)`: falling backgrounds, and a signal of two standard deviations at the end."""
    place = (np.arange(n_bins) + 0.5) / n_bins
    spectra = np.exp(-rng.uniform(0.5, 3.0, (shape.samples, 1)) * place)
    shares = rng.dirichlet(np.full(shape.samples - 1, 2.0))[:, None] + 0.01
    spectra[1:] *= shape.counts * shares / spectra[1:].mean(1, keepdims=True)
    spectra[SIGNAL] = 2 * np.sqrt(shape.counts / sum(shape.bins)) * (0.2 + place**2)
    return np.round(spectra, DECIMALS)


def _sample(shape: Shape, rng, acting, channel: int, number: int, yields: np.ndarray) -> dict:
    """One sample with all its modifiers."""
    by_norm, by_shape = (np.flatnonzero(acts[:, channel, number]) for acts in acting)
    modifiers = [{"name": f"systematic_{k}", "type": "normsys", "data": _normsys(rng)} for k in by_norm]
    modifiers += [{"name": f"systematic_{k}", "type": "histosys", "data": _histosys(rng, yields)} for k in by_shape]
    if number == SIGNAL:
        modifiers.append({"name": POI, "type": "normfactor", "data": None})
    elif number <= shape.normfactors:
        modifiers.append({"name": f"norm_{number}", "type": "normfactor", "data": None})
    if shape.lumi and number != 1:
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})
    if shape.staterror:
        uncertainties = np.round(0.1 * yields * rng.uniform(0.2, 1.0, len(yields)), DECIMALS)
        modifiers.append({"name": f"staterror_{channel}", "type": "staterror", "data": uncertainties.tolist()})
    if channel < shape.shapesys and number == shape.samples - 1:
        uncertainties = np.round(yields * rng.uniform(0.1, 0.3, len(yields)), DECIMALS)
        modifiers.append({"name": f"shape_{channel}", "type": "shapesys", "data": uncertainties.tolist()})
    return {"name": f"sample_{number}" if number else "signal", "data": yields.tolist(), "modifiers": modifiers}


def _normsys(rng) -> dict:
    """A factor of some per cent, up and down by different amounts."""
    size, asymmetry = rng.exponential(0.03) * rng.choice([-1, 1]), rng.uniform(0.7, 1.3)
    return {"lo": round(max(0.3, 1 - size), DECIMALS), "hi": round(max(0.3, 1 + asymmetry * size), DECIMALS)}


def _histosys(rng, yields: np.ndarray) -> dict:
    """A tilt of some per cent, up and down by different amounts."""
    tilt = rng.exponential(0.03) * np.linspace(-1, 1, len(yields)) + rng.normal(0, 0.01)
    hi, lo = 1 + np.clip(tilt, -0.7, 0.7), 1 - np.clip(tilt * rng.uniform(0.7, 1.3), -0.7, 0.7)
    return {"lo_data": np.round(lo * yields, DECIMALS).tolist(), "hi_data": np.round(hi * yields, DECIMALS).tolist()}


def main() -> None:
    """Write one workspace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*SHAPES, "large"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    shape = large() if arguments.name == "large" else SHAPES[arguments.name]
    arguments.out.write_text(json.dumps(generate(shape, arguments.seed)))


if __name__ == "__main__":
    main()
