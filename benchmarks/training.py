"""A network trained through its expected CLs, beside the same network trained on cross-entropy and beside a cut.

    python benchmarks/training.py [--seeds 5] [--steps 400] [--events 20000] [--bins 6] [--json FILE]

Simulated events have two features. Most of the background is well known; a tenth of it, which lies nearer to the
signal, is known to 50 %. A network makes one number of the features, and its histogram, with that variation of the
background's weights, a normalisation uncertainty and the uncertainties of the finite simulation, makes the statistical
model. Every seed draws its own training events and its own initial weights, the same for both losses.

The figures are expected upper limits, from *hard* histograms of independent events and the full systematic model; the
edges of each network's histogram are the best of three choices on its training events. The cut is the best pair of
thresholds on the two features, counted in one bin. The margin is the mean over the seeds of the difference of the two
limits, the spread its standard deviation.
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from rich.console import Console
from rich.table import Table

import histjax
from histjax import histograms, losses

SIGNAL, BACKGROUND = 40.0, 1100.0
SIGNAL_AT, UNCERTAIN_AT, WIDTH = np.array([2.0, 1.0]), np.array([2.0, -0.5]), 0.8
UNCERTAIN, UNCERTAINTY = 100.0 / BACKGROUND, 0.5
"""Which part of the background is uncertain, and by how much: one standard deviation."""

INDEPENDENT = 200_000
WIDE, NARROW = 0.15, 0.03
"""Bandwidth of the histogram at the first and at the last step, in units of the network's output, 0 to 1."""


class Events(NamedTuple):
    """Features `(events, 2)` of the two samples, or scores `(events,)`, and the variation of the background's weights
    `(events,)`, relative to the nominal ones, down and up.
    """

    signal: jax.Array
    background: jax.Array
    lo: jax.Array
    hi: jax.Array

    def mapped(self, function) -> "Events":
        """The events with other features."""
        return self._replace(signal=function(self.signal), background=function(self.background))


def simulated(seed: int, n: int) -> Events:
    """`n` events of each sample."""
    random = np.random.default_rng(seed)
    signal, other = SIGNAL_AT + WIDTH * random.normal(size=(n, 2)), UNCERTAIN_AT + WIDTH * random.normal(size=(n, 2))
    uncertain = np.arange(n) < UNCERTAIN * n
    background = np.where(uncertain[:, None], other, random.normal(size=(n, 2)))
    return Events(*map(jnp.asarray, (signal, background, 1 - UNCERTAINTY * uncertain, 1 + UNCERTAINTY * uncertain)))


def statistical_model(n_bins: int) -> histjax.Model:
    """One channel of a search; its numbers are replaced by those of events."""
    flat = [BACKGROUND / n_bins] * n_bins
    background = [
        {"name": "near", "type": "histosys", "data": {"lo_data": flat, "hi_data": flat}},
        {"name": "rate", "type": "normsys", "data": {"lo": 0.95, "hi": 1.05}},
        {"name": "simulation", "type": "staterror", "data": [1.0] * n_bins},
    ]
    samples = [
        {
            "name": "signal",
            "data": [SIGNAL / n_bins] * n_bins,
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        },
        {"name": "background", "data": flat, "modifiers": background},
    ]
    measurement = {"name": "search", "config": {"poi": "mu", "parameters": []}}
    return histjax.compile(
        histjax.read(
            {
                "channels": [{"name": "SR", "samples": samples}],
                "observations": [{"name": "SR", "data": flat}],
                "measurements": [measurement],
                "version": "1.0.0",
            }
        )
    )


def filled(model: histjax.Model, scores: Events, edges, bandwidth) -> histjax.Model:
    """The model with yields, variation and uncertainties of histograms of the scores `(events,)`."""
    n = scores.background.size

    def histogram(values, weights):
        return histograms.kde_histogram(values, weights, edges, bandwidth)

    weights = jnp.full(n, BACKGROUND / n)
    shifts = tuple(histograms.Shift(weights=each * weights) for each in (scores.lo, scores.hi))
    varied = histograms.varied_histograms(histogram, scores.background, weights, {"near": shifts})
    variances = histograms.kde_variances(scores.background, weights, edges, bandwidth)
    signal = histogram(scores.signal, jnp.full(n, SIGNAL / n))
    model = model.with_yields({("SR", "signal"): signal, ("SR", "background"): histogram(scores.background, weights)})
    return model.with_variations(
        {
            ("SR", "background", "near"): varied["near"],
            ("SR", "background", "simulation"): histograms.uncertainties(variances),
        }
    )


def scored(network: eqx.Module, events: Events) -> Events:
    """What the network makes of the events, between 0 and 1."""
    return events.mapped(lambda features: jax.nn.sigmoid(jax.vmap(network)(features)))


def even_edges(n_bins: int) -> jax.Array:
    """Bins of equal width of a score from 0 to 1; the outer ones are open, so that no kernel leaks."""
    return jnp.linspace(0.0, 1.0, n_bins + 1).at[0].set(-jnp.inf).at[-1].set(jnp.inf)


def new_network(seed: int) -> eqx.nn.MLP:
    """Two features, two hidden layers, one score."""
    return eqx.nn.MLP(2, "scalar", 24, 2, jax.nn.tanh, key=jax.random.key(seed))


def cross_entropy(network: eqx.Module, events: Events, *_):
    """The loss of a classifier, both samples weighted alike."""
    signal, background = (jax.vmap(network)(each) for each in (events.signal, events.background))
    return jnp.mean(jax.nn.softplus(-signal)) + jnp.mean(jax.nn.softplus(background)), None


def expected_cls(network: eqx.Module, events: Events, model, bandwidth, start: losses.WarmStart):
    """The loss of an analysis."""
    edges = even_edges(model.layout.n_bins)
    return losses.expected_log_cls.warm(filled(model, scored(network, events), edges, bandwidth), 1.0, init=start)


def trained(loss, network: eqx.Module, events: Events, model: histjax.Model, steps: int, rate: float) -> eqx.Module:
    """The network after so many steps of Adam; each fit starts where the one of the step before ended."""
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, steps))

    @eqx.filter_jit
    def step(network, state, bandwidth, start):
        (_, start), slope = eqx.filter_value_and_grad(loss, has_aux=True)(network, events, model, bandwidth, start)
        updates, state = optimiser.update(slope, state, eqx.filter(network, eqx.is_inexact_array))
        return eqx.apply_updates(network, updates), state, start

    state = optimiser.init(eqx.filter(network, eqx.is_inexact_array))
    start = losses.WarmStart.of(model)
    for bandwidth in np.geomspace(WIDE, NARROW, steps):
        network, state, start = step(network, state, bandwidth, start)
        start = losses.WarmStart.of(model) if start is None else start
    return network


@eqx.filter_jit
def limit(model: histjax.Model, scores: Events, edges) -> jax.Array:
    """The expected limit from hard histograms."""
    return losses.expected_limit(filled(model, scores, edges, 0.0))


def choices_of_edges(scores: Events, n_bins: int) -> list[jax.Array]:
    """Bins of equal width, of equal signal, of equal background."""
    steps = jnp.linspace(0.0, 1.0, n_bins + 1)
    quantiles = [jnp.quantile(each, steps) for each in (scores.signal, scores.background)]
    return [even_edges(n_bins), *(each.at[0].set(-jnp.inf).at[-1].set(jnp.inf) for each in quantiles)]


def network_limit(network: eqx.Module, model: histjax.Model, events: Events, independent: Events) -> float:
    """The limit on independent events, with the edges that are best on the training events."""
    scores = scored(network, events)
    choices = choices_of_edges(scores, model.layout.n_bins)
    best = min(choices, key=lambda edges: float(limit(model, scores, edges)))
    return float(limit(model, scored(network, independent), best))


@eqx.filter_jit
def cut_limit(model: histjax.Model, events: Events, thresholds) -> jax.Array:
    """The expected limit with one bin of events above both thresholds."""
    scores = events.mapped(lambda features: jnp.min(features - thresholds, axis=1))
    return losses.expected_limit(filled(model, scores, jnp.array([0.0, jnp.inf]), 0.0))


def best_cut(model: histjax.Model, events: Events, independent: Events) -> float:
    """The limit on independent events of the thresholds that are best on the training events."""
    grid = [np.array([a, b]) for a in np.linspace(-1.0, 3.0, 17) for b in np.linspace(-1.0, 3.0, 17)]
    usable = [each for each in grid if np.sum(np.all(np.asarray(events.background) > each, axis=1)) >= 10]
    return float(cut_limit(model, independent, min(usable, key=lambda each: float(cut_limit(model, events, each)))))


def measured(seed: int, arguments: argparse.Namespace, independent: Events) -> dict:
    """The three limits of one seed, and seconds of the training through the limit."""
    events, model = simulated(100 + seed, arguments.events), statistical_model(arguments.bins)
    row = {"seed": seed, "cut": best_cut(statistical_model(1), events, independent)}
    for name, loss in (("cross_entropy", cross_entropy), ("expected_cls", expected_cls)):
        begin = time.perf_counter()
        network = trained(loss, new_network(seed), events, model, arguments.steps, arguments.rate)
        row[f"{name}_s"] = time.perf_counter() - begin
        row[name] = network_limit(network, model, events, independent)
    return row


def shown(rows: list[dict]) -> Table:
    """The table of the seeds."""
    table = Table("seed", "cut", "cross-entropy", "expected CLs", "ratio", "seconds", box=None)
    for row in rows:
        ratio = row["expected_cls"] / row["cross_entropy"]
        limits = [f"{row[name]:.4f}" for name in ("cut", "cross_entropy", "expected_cls")]
        table.add_row(
            str(row["seed"]), *limits, f"{ratio:.3f}", f"{row['cross_entropy_s']:.0f}, {row['expected_cls_s']:.0f}"
        )
    return table


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--events", type=int, default=20_000, help="training events of each sample")
    parser.add_argument("--bins", type=int, default=6)
    parser.add_argument("--rate", type=float, default=0.01, help="first learning rate")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    return parser.parse_args()


def main() -> None:
    """Train, evaluate, print."""
    arguments, console = parsed(), Console(width=120)
    independent = simulated(1, INDEPENDENT)
    rows = [measured(seed, arguments, independent) for seed in range(arguments.seeds)]
    console.print(shown(rows))
    margins = np.array([row["cross_entropy"] - row["expected_cls"] for row in rows])
    spread = margins.std(ddof=1) if len(rows) > 1 else float("nan")
    console.print(f"margin {margins.mean():.4f}, spread {spread:.4f} (expected limits at 95 %, {len(rows)} seeds)")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
