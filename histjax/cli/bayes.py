"""`sample`, `summary`: draws from the posterior of a workspace, and what they say."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import click

from histjax.cli import drawing, options
from histjax.cli.counting import seed_type, steps
from histjax.cli.messages import progress, progress_bar, say
from histjax.cli.modelling import calm_linear_algebra, compiled_model
from histjax.cli.option_types import Assignment, Finite, PriorAssignment
from histjax.cli.output import Output
from histjax.cli.pictures import Picture

DRAWS = 1000
UNCOUNTED = {"nested": "calls of the likelihood", "slices": "points replaced"}
"""Samplers whose number of draws is not known before, and what they count."""
KEYS = """
    \b
    Keys of the JSON:
      parameters     {component: {mean, uncertainty, median, best, lower,
                     upper, hdi_lower, hdi_upper, r_hat, ess_bulk, ess_tail,
                     mcse}} of the free ones: lower and upper are the ends of
                     the central interval, hdi of the shortest one, mcse the
                     uncertainty of the mean; r_hat is null for independent
                     draws
      probability    of the intervals
      upper_limit    of the parameter of interest: {poi, value,
                     confidence_level}, or null
      criteria       {twice_nll, n_free, n_observations, aic, aicc, bic,
                     log_evidence, log_evidence_uncertainty}: of the best fit;
                     null where there is none
      sampler, chains, draws
                     what made them, and how many of each chain there are
      n_divergent    draws at the end of a divergent trajectory
      converged      whether R-hat is at most 1.01, there are 400 effective
                     draws and no divergences; if false a warning says why
      message        one sentence
      about          what was sampled, and how
"""


@dataclass(frozen=True)
class Sampling:
    """Which sampler, how many draws of which seed, and where they are kept."""

    sampler: str
    draws: int | None
    chains: int | None
    warmup: int | None
    live: int | None
    seed: int
    output: str

    def __post_init__(self):
        for name, value, sampler in (
            ("--draws", self.draws, ("nuts", "emcee")),
            ("--chains", self.chains, ("nuts", "emcee")),
            ("--warmup", self.warmup, ("nuts", "emcee")),
            ("--live", self.live, ("nested", "slices")),
        ):
            if value is not None and self.sampler not in sampler:
                raise click.UsageError(f"{name} means nothing to the sampler {self.sampler}: leave it out")

    def samples(self, posterior, report):
        """The draws."""
        import jax

        from histjax import bayes

        common = {"key": jax.random.key(self.seed), "store": self.output, "progress": report}
        if self.sampler in UNCOUNTED:
            return getattr(bayes, f"sample_{self.sampler}")(posterior, **common, **_given(n_live=self.live))
        names = {"nuts": "n_chains", "emcee": "n_walkers"}
        more = _given(**{names[self.sampler]: self.chains}, n_warmup=self.warmup)
        return getattr(bayes, f"sample_{self.sampler}")(posterior, self.draws or DRAWS, **common, **more)


@dataclass(frozen=True)
class Prior:
    """The priors, and what is held."""

    prior: dict
    keep_constraints: bool
    fixed: dict[str, float]


sampling = options.packed(
    "sampling",
    Sampling,
    click.option(
        "--sampler",
        type=click.Choice(["nuts", "emcee", "nested", "slices"]),
        default="nuts",
        show_default=True,
        help="Which one: the last two give ln Z, slices as one program on the device.",
    ),
    click.option(
        "--draws", type=click.IntRange(min=1), help=f"Draws of each chain, after the warm-up.  [default: {DRAWS}]"
    ),
    click.option("--chains", type=click.IntRange(min=1), help="Chains, or walkers.  [default: 4 chains, 32 walkers]"),
    click.option(
        "--warmup", type=click.IntRange(min=1), help="Steps that are thrown away.  [default: 300; emcee: 500]"
    ),
    click.option("--live", type=click.IntRange(min=1), help="Live points of a nested sampler.  [default: 500]"),
    click.option("--seed", type=seed_type, required=True, help="Of the random numbers; there is no default."),
    click.option("--output", metavar="FILE", required=True, help="Keep the draws here, and go on from what is there."),
)

prior = options.packed(
    "prior",
    Prior,
    click.option(
        "--prior",
        type=PriorAssignment(),
        multiple=True,
        callback=options.as_mapping,
        help="A prior in place of the bounds and the constraint term of a parameter, or of one component NAME[i]: "
        "uniform:LO:HI, loguniform:LO:HI, normal:MEAN:WIDTH, lognormal:MEDIAN:KAPPA. May be repeated.",
    ),
    click.option("--keep-constraints", is_flag=True, help="Multiply these priors with the constraint terms."),
    click.option(
        "--fixed",
        type=Assignment(),
        multiple=True,
        callback=options.as_mapping,
        help="Hold a parameter, or one component NAME[i], at a value. May be repeated.",
    ),
)

probability_option = click.option(
    "--probability", type=Finite(above=0, below=1), default=0.6827, show_default=True, help="Of the credible intervals."
)
drawn_option = click.option(
    "--parameter", "parameters", metavar="NAME", multiple=True, help="Draw this one with --plot. May be repeated."
)
level_option = click.option(
    "--confidence-level", type=Finite(above=0, below=1), default=0.95, show_default=True, help="Of the upper limit."
)


@click.command(short_help="Draw from the posterior of a workspace.")
@options.source()
@options.modelling
@prior
@sampling
@probability_option
@level_option
@options.output
@drawn_option
@options.picture
def sample(
    source,
    modelling,
    prior: Prior,
    sampling: Sampling,
    probability: float,
    confidence_level: float,
    output: Output,
    parameters: tuple[str, ...],
    picture: Picture,
) -> None:
    """Draw from the posterior of a workspace, and keep the draws in a file.

    Without a --prior of its own a constrained parameter has its constraint term as prior, a free one a flat density
    between its bounds. An interrupted run goes on where it ended when it is given again, and one that has ended goes on
    when it is given more --draws: with the same draws as if nothing had happened.
    """
    output.check()
    picture.check()
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("preparing")
        from histjax.bayes import Posterior

        priors = {name: kind(*numbers) for name, (kind, numbers) in _kinds(prior.prior).items()}
        posterior = Posterior(model, priors=priors, keep_constraints=prior.keep_constraints, fixed=prior.fixed)
    with _bar(sampling) as report:
        samples = sampling.samples(posterior, report)
    picture.write(lambda paged: drawing.posterior(samples, parameters, paged))
    _write(samples, probability, confidence_level, output)


@click.command(short_help="Summarise draws from a posterior.")
@click.argument("file")
@probability_option
@level_option
@options.output
@drawn_option
@options.picture
def summary(
    file: str,
    probability: float,
    confidence_level: float,
    output: Output,
    parameters: tuple[str, ...],
    picture: Picture,
) -> None:
    """Summarise draws that `histjax sample` has kept: values, intervals, convergence, criteria."""
    output.check()
    picture.check()
    calm_linear_algebra()
    with progress() as stage:
        stage("reading")
        from histjax.bayes import Samples

        samples = Samples.load(file)
    picture.write(lambda paged: drawing.posterior(samples, parameters, paged))
    _write(samples, probability, confidence_level, output)


for command in (sample, summary):
    command.help = f"{command.help}\n{KEYS}"


def summary_entries(samples, probability: float, confidence_level: float) -> dict:
    """What is written of `Samples`."""
    import numpy as np

    from histjax.bayes.intervals import central_interval, highest_density_interval

    found, free = samples.convergence, list(samples.free)
    flat = samples.flat[:, free]
    columns = {
        "mean": np.mean(flat, axis=0),
        "uncertainty": np.std(flat, axis=0),
        "median": np.median(flat, axis=0),
        "best": flat[int(np.argmax(samples.log_density))],
        **dict(zip(("lower", "upper"), central_interval(flat, probability), strict=True)),
        **dict(zip(("hdi_lower", "hdi_upper"), highest_density_interval(flat, probability), strict=True)),
        **{name: getattr(found, name) for name in ("r_hat", "ess_bulk", "ess_tail", "mcse")},
    }
    rows = zip(*(each.tolist() for each in columns.values()), strict=True)
    limit = None
    if samples.poi in samples.free_names:
        value = samples.upper_limit(confidence_level=confidence_level)
        limit = {"poi": samples.poi, "value": value, "confidence_level": confidence_level}
    chains, draws = samples.log_density.shape
    return {
        "parameters": {
            name: dict(zip(columns, row, strict=True)) for name, row in zip(samples.free_names, rows, strict=True)
        },
        "probability": probability,
        "upper_limit": limit,
        "criteria": samples.criteria._asdict(),
        "sampler": samples.sampler,
        "chains": chains,
        "draws": draws,
        "n_divergent": found.n_divergent,
        "converged": found.converged,
        "message": found.message,
        "about": dict(samples.about),
    }


def _write(samples, probability: float, confidence_level: float, output: Output) -> None:
    entries = summary_entries(samples, probability, confidence_level)
    output.write(entries, lambda: str(samples))
    if not entries["converged"]:
        say("warning", entries["message"])


def _kinds(given: dict) -> dict:
    """Names of priors as classes."""
    from histjax import bayes

    kinds = {"uniform": bayes.Uniform, "loguniform": bayes.LogUniform, "normal": bayes.Normal}
    kinds["lognormal"] = bayes.LogNormal
    return {name: (kinds[word], numbers) for name, (word, numbers) in given.items()}


def _given(**options) -> dict:
    return {name: value for name, value in options.items() if value is not None}


@contextlib.contextmanager
def _bar(sampling: Sampling) -> Iterator:
    """Yields what is told of the progress: a bar of draws, or nothing where their number is not known."""
    if sampling.sampler in UNCOUNTED:
        with progress() as stage:
            yield lambda done, total: stage(f"{done} {UNCOUNTED[sampling.sampler]}")
        return
    with progress_bar("draws", sampling.draws or DRAWS) as advance:
        yield steps(advance)
