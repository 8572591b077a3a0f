"""NUTS on the posterior of a published likelihood: convergence, effective draws, and time.

    PYTHON benchmarks/posterior.py [--corpus DIR] [--draws 2000] [--chains 4] [--peer]

The model is a published search for bottom squarks with a signal patch. `--peer` draws from the same posterior with
numpyro's NUTS on the log density of pyhf's JAX backend: parameters uniform between their bounds, the likelihood with
its constraint terms as a factor, one chain of `--peer-draws` from the best fit.

*First* has the compilation in it, *again* is another seed; both have the warm-up. Effective draws are the fewest of
all parameters, for the centre and for the tails, by arviz.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

import histjax
from histjax.bayes import Posterior, sample_nuts
from histjax.bayes.extras import package

CORPUS = Path(__file__).parents[1] / "../shared/corpus"
PUBLISHED = "atlas_susy_2018_31_sbottom_A"
SIGNAL = "patch.sbottom_1300_205_60.json"


def document(corpus: Path) -> dict:
    """The workspace with its signal."""
    background = json.loads((corpus / "models" / f"{PUBLISHED}.json").read_text())
    patch = json.loads((corpus / "patches" / f"{PUBLISHED}.some.patches.json").read_text())[SIGNAL]
    from jsonpatch import apply_patch

    return apply_patch(background, patch)


def ours(workspace: dict, n_draws: int, n_chains: int) -> list[tuple[str, float, np.ndarray]]:
    """Label, seconds, and draws `(chains, draws, parameters)` of the first and of another run."""
    posterior = Posterior(histjax.compile(histjax.read(workspace)))
    print(f"{PUBLISHED} with signal: {posterior.point.size} parameters, {len(posterior.free)} of them free")
    rows = []
    for label, seed in (("histjax, first", 1), ("histjax, again", 2)):
        start = time.perf_counter()
        samples = sample_nuts(posterior, n_draws, key=jax.random.key(seed), n_chains=n_chains)
        elapsed = time.perf_counter() - start
        steps, divergent = samples.statistics["n_steps"], samples.statistics["is_divergent"]
        print(
            f"{label}: {np.mean(steps):.1f} steps a draw, {np.sum(divergent)} divergent; {samples.convergence.message}"
        )
        rows.append((label, elapsed, samples.vectors[..., list(samples.free)]))
    return rows


def theirs(workspace: dict, n_draws: int) -> list[tuple[str, float, np.ndarray]]:
    """The same with numpyro on pyhf's log density."""
    import jax.numpy as jnp
    import numpyro
    import pyhf
    from numpyro import distributions
    from numpyro.infer import MCMC, NUTS, init_to_value

    pyhf.set_backend("jax")
    workspace = pyhf.Workspace(workspace)
    model = workspace.model()
    data = jnp.asarray(workspace.data(model))
    low, high = map(jnp.array, zip(*model.config.suggested_bounds(), strict=True))
    fixed = np.array(model.config.suggested_fixed())
    held = jnp.asarray(model.config.suggested_init())
    free = np.flatnonzero(~fixed)
    best = histjax.fit(histjax.compile(histjax.read(dict(workspace))))
    start = jnp.clip(jnp.asarray(best.vector)[free], low[free] + 1e-2, high[free] - 1e-2)

    def posterior():
        x = numpyro.sample("x", distributions.Uniform(low[free], high[free]).to_event(1))
        numpyro.factor("likelihood", model.logpdf(held.at[free].set(x), data)[0])

    kernel = NUTS(posterior, init_strategy=init_to_value(values={"x": start}))
    sampler = MCMC(kernel, num_warmup=300, num_samples=n_draws, progress_bar=False)
    rows = []
    for label, seed in (("numpyro on pyhf, first", 1), ("numpyro on pyhf, again", 2)):
        begin = time.perf_counter()
        sampler.run(jax.random.key(seed))
        draws = np.asarray(sampler.get_samples()["x"])[None]
        rows.append((label, time.perf_counter() - begin, draws))
    return rows


def table_of(rows: list[tuple[str, float, np.ndarray]]) -> Table:
    """One line for each run."""
    arviz = package("arviz")
    columns = "run", "seconds", "draws", "largest R-hat", "ESS bulk", "ESS tail", "ESS bulk a second", "tail"
    table = Table(*columns, box=None)
    for label, elapsed, draws in rows:
        data = arviz.convert_to_dataset({"x": draws})
        halves = draws if len(draws) > 1 else np.stack(np.array_split(draws[0], 2))
        r_hat = float(arviz.rhat(arviz.convert_to_dataset({"x": halves}))["x"].max())
        bulk, tail = (float(arviz.ess(data, method=method)["x"].min()) for method in ("bulk", "tail"))
        rates = f"{bulk / elapsed:.0f}", f"{tail / elapsed:.0f}"
        shape = f"{draws.shape[0]} x {draws.shape[1]}"
        table.add_row(label, f"{elapsed:.2f}", shape, f"{r_hat:.4f}", f"{bulk:.0f}", f"{tail:.0f}", *rates)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--peer-draws", type=int, default=300)
    args = parser.parse_args()
    warnings.simplefilter("ignore", histjax.errors.DocumentWarning)
    workspace = document(args.corpus)
    rows = ours(workspace, args.draws, args.chains)
    Console(width=140).print(table_of(rows))
    if args.peer:
        Console(width=140).print(table_of(theirs(workspace, args.peer_draws)))


if __name__ == "__main__":
    main()
