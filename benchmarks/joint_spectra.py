"""A joint fit of two simulated spectra with a shared photon index: pulls over many toys, and time.

    PYTHON benchmarks/joint_spectra.py [--toys 1000] [--peer PYTHON]

Two instruments of 140 energy bins and 128 channels from 10 keV to 1 MeV see a cutoff power law: index and cutoff are
linked, the norms are free, and the background of each channel is measured in a region four times as large (ppstat).
Every toy draws the counts of source and background regions at the truth and is fitted from there.

`--peer` is the Python of an environment with bayspec and iminuit: it fits the first simulated pair with its own folding
(the trapezoid on 5 points, as is done here for this comparison) and statistic.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import ndtr

import histjax
from histjax import spectra
from histjax.fitting.fit import fit_problem, solve

N_ENERGIES, N_CHANNELS, EXPOSURE, SCALE = 140, 128, 20.0, 4.0
AREAS = {"nai": 100.0, "bgo": 60.0}
BACKGROUNDS = {"nai": 150.0, "bgo": 250.0}
TRUTH = {"nai.norm": 0.012, "nai.index": 1.2, "nai.cutoff": 300.0, "bgo.norm": 0.010}


def model(energy, norm, index, cutoff):
    """A cutoff power law with its norm at 100 keV."""
    return spectra.cutoff_power_law(energy, norm, index, cutoff, pivot=100.0)


def response(area: float) -> spectra.Response:
    """Resolution of 12 % with a fifth of the photons in a flat tail."""
    energies, channels = np.geomspace(8.0, 1500.0, N_ENERGIES + 1), np.geomspace(10.0, 1000.0, N_CHANNELS + 1)
    centre = np.sqrt(energies[:-1] * energies[1:])[:, None]
    peak = np.diff(ndtr((channels - centre) / (0.12 * centre)), axis=1)
    tail = np.diff(np.minimum(channels, centre) / centre, axis=1)
    return spectra.Response(energies, 0.8 * peak + 0.2 * tail, np.full(N_ENERGIES, area), channels)


def simulated(key) -> dict[str, tuple[spectra.Spectrum, spectra.SpectralModel]]:
    """Two spectra at the truth."""
    new = histjax.NewParameter
    start = {"norm": new(0.01, (1e-5, 1.0)), "index": new(1.0, (-1.0, 4.0)), "cutoff": new(200.0, (20.0, 5000.0))}
    source, pairs = spectra.SpectralModel(model, start), {}
    for name, each in zip(AREAS, jax.random.split(key, len(AREAS)), strict=True):
        zeros = np.zeros(N_CHANNELS)
        empty = spectra.Spectrum(zeros, EXPOSURE, response(AREAS[name]), spectra.Background(zeros, EXPOSURE, SCALE))
        values = dict(norm=TRUTH[f"{name}.norm"], index=TRUTH["nai.index"], cutoff=TRUTH["nai.cutoff"])
        rate = BACKGROUNDS[name] * np.geomspace(3.0, 0.3, N_CHANNELS) / N_CHANNELS
        pairs[name] = spectra.simulate(each, empty, source, values, background_rate=rate), source
    return pairs


def compiled(pairs, rule=None):
    """The likelihood with index and cutoff linked."""
    return spectra.compile(pairs, links={"bgo.index": "nai.index", "bgo.cutoff": "nai.cutoff"}, rule=rule)


def thrown(likelihood, n_toys: int):
    """Best fits, uncertainties, which are certified, seconds and the truth, for toys at the truth."""
    truth = likelihood.parameters.ravel({name: jnp.asarray(value) for name, value in TRUTH.items()})
    problem = fit_problem(likelihood.parameters, {}, TRUTH, {})._replace(trusted=np.array(True))

    @jax.jit
    def run(likelihood, keys):
        def one(key):
            result = solve(likelihood, likelihood.draw_flat(key, truth), problem, histjax.Newton(), False)
            return result.vector, jnp.sqrt(jnp.diagonal(result.covariance)), result.converged

        return jax.lax.map(one, keys)

    jax.block_until_ready(run(likelihood, jax.random.split(jax.random.key(0), n_toys)))
    start = time.perf_counter()
    found = jax.device_get(run(likelihood, jax.random.split(jax.random.key(1), n_toys)))
    return (*found, time.perf_counter() - start, np.asarray(truth))


def pulls_table(names, best, sigma, truth) -> Table:
    """Mean and width of the pulls of each parameter, with their standard errors."""
    table = Table("parameter", "truth", "mean of best fits", "mean pull", "pull width", "within 1 sigma", box=None)
    pulls = (best - truth) / sigma
    n = len(pulls)
    for name, column, fits, value in zip(names, pulls.T, best.T, truth, strict=True):
        mean = f"{column.mean():+.3f} ± {column.std() / n**0.5:.3f}"
        width = f"{column.std():.3f} ± {column.std() / (2 * n) ** 0.5:.3f}"
        inside = f"{np.mean(np.abs(column) < 1):.3f}"
        table.add_row(name, f"{value:g}", f"{fits.mean():.5g}", mean, width, inside)
    return table


PEER = """
import sys, time
import iminuit, numpy as np
from bayspec.data.data import Data, DataUnit
from bayspec.data.response import Response
from bayspec.data.spectrum import Background, Source
from bayspec.infer.pair import Pair
from bayspec.model.local.additive import cpl

saved = np.load(sys.argv[1])
pairs, names = [], ("nai", "bgo")
for name in names:
    counts, off, drm, channels, energies = (saved[f"{name}_{each}"] for each in ("on", "off", "drm", "ch", "en"))
    off_exposure = float(saved["off_exposure"])
    unit = DataUnit(
        src=Source(counts, np.sqrt(counts), float(saved["exposure"])),
        bkg=Background(off, np.sqrt(off), off_exposure),
        rsp=Response(channels, energies, drm),
        stat="cstat",
    )
    pairs.append(Pair(Data([(name, unit)]), cpl()))

def statistic(x):
    norms, total = (x[0], x[3]), 0.0
    for pair, norm in zip(pairs, norms):
        values = dict(zip(pair.model.params, (-x[1], np.log10(x[2] * (2 - x[1])), np.log10(norm) + 2 * x[1])))
        for name, value in values.items():
            pair.model.params[name].val = value
        total += pair.stat
    return float(total)

statistic(saved["start"])  # compiles
start = time.perf_counter()
for shift in range(50):
    statistic(saved["best"] * (1 + 1e-9 * shift))
each = (time.perf_counter() - start) / 50
print(f"bayspec: statistic at the best fit of histjax {statistic(saved['best']):.8f}, {1e3 * each:.2f} ms each")
minuit = iminuit.Minuit(statistic, saved["start"])
minuit.limits = list(map(tuple, saved["bounds"]))
start = time.perf_counter()
minuit.migrad()
minuit.hesse()
elapsed = time.perf_counter() - start
print(f"bayspec with iminuit: {minuit.fval:.8f} in {elapsed:.2f} s, {minuit.nfcn} calls, valid {minuit.valid}")
print("  values", *[f"{value:.6g}" for value in minuit.values], " errors", *[f"{value:.3g}" for value in minuit.errors])
"""


def peer(python: str, pairs) -> None:
    """The same fit by bayspec and iminuit, and ours with the trapezoid."""
    likelihood = compiled(pairs, spectra.trapezoid(5))
    result = histjax.fit(likelihood)
    parameters = likelihood.parameters
    saved = dict(
        best=result.vector, start=parameters.init, bounds=np.stack([parameters.lower, parameters.upper], axis=1),
        exposure=EXPOSURE, off_exposure=EXPOSURE * SCALE,
    )  # fmt: skip
    for name, (spectrum, _) in pairs.items():
        each = spectrum.response
        saved |= {f"{name}_on": spectrum.counts, f"{name}_off": spectrum.background.counts, f"{name}_drm": each.drm}
        saved |= {f"{name}_ch": each.channels, f"{name}_en": each.energies}
    start = time.perf_counter()
    result = jax.block_until_ready(histjax.fit(likelihood))
    print(f"histjax, trapezoid: {result.deviance:.8f} in {1e3 * (time.perf_counter() - start):.1f} ms")
    print("  values", *[f"{value:.6g}" for value in result.vector], " errors",
          *[f"{float(result.uncertainty[name]):.3g}" for name in parameters])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pair.npz"
        np.savez(path, **{name: np.asarray(value) for name, value in saved.items()})
        subprocess.run([python, "-W", "ignore", "-c", PEER, str(path)], check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--peer", metavar="PYTHON")
    args = parser.parse_args()
    pairs = simulated(jax.random.key(42))
    for spectrum, _ in pairs.values():
        print(spectrum)
    likelihood = compiled(pairs)
    first = time.perf_counter()
    result = jax.block_until_ready(histjax.fit(likelihood))
    first, again = time.perf_counter() - first, time.perf_counter()
    jax.block_until_ready(histjax.fit(likelihood))
    again = time.perf_counter() - again
    print(f"one fit: {first:.2f} s with compilation, then {1e3 * again:.1f} ms; deviance {result.deviance:.6f}")
    print(histjax.tables.parameters_table(likelihood, result))
    best, sigma, converged, elapsed, truth = thrown(likelihood, args.toys)
    n = len(best)
    print(f"\n{n} toys: {np.mean(converged):.4f} converged, {elapsed:.2f} s, {1e3 * elapsed / n:.2f} ms each")
    Console(width=120).print(pulls_table(likelihood.parameters.names, best[converged], sigma[converged], truth))
    if args.peer:
        print()
        peer(args.peer, pairs)


if __name__ == "__main__":
    main()
