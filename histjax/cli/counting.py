"""Options of the commands that count toys, and the calculators that follow from them."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import click

from histjax.cli import options
from histjax.cli.messages import progress, progress_bar
from histjax.cli.modelling import calm_linear_algebra, keep_compiled_programs
from histjax.errors import HistjaxError

MOST_FAILED = 1e-3
"""Fraction of toys without a certified fit from which on a result is not to be believed."""


class FailedToyFits(HistjaxError):
    """More toys have no certified fit than a result can bear."""

    exit_status = 1


@dataclass(frozen=True)
class Counting:
    """Whether p-values are counted, with how many toys of which seed, by how many processes."""

    toys: int | None
    seed: int | None
    workers: int | None

    def __post_init__(self):
        missing = "--seed" if self.seed is None else "--toys"
        if (self.toys is None) != (self.seed is None):
            reason = "there is no default seed" if self.seed is None else "only toys need a seed"
            raise click.UsageError(f"--toys and --seed go together: {missing} is missing; {reason}")

    @property
    def total(self) -> int:
        """Toys of both hypotheses."""
        return 2 * (self.toys or 0)

    @contextlib.contextmanager
    def under_way(self, asymptotic, modelling: options.Modelling, n_toys: int, title: str = "toys") -> Iterator:
        """Yields the calculator: `asymptotic`, or toys with a bar that counts up to `n_toys` of them."""
        if self.toys is None:
            with progress() as stage:
                stage("fitting")
                yield asymptotic
            return
        import jax

        import histjax

        with workers(self.workers, modelling) as executor, progress_bar(title, n_toys) as advance:
            key = jax.random.key(self.seed)
            yield histjax.Toys(key, self.toys, executor=executor, progress=steps(advance))


seed_type = click.IntRange(min=0, max=2**63 - 1)
workers_option = click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="Throw toys in N processes.  [default: in threads of this one]",
)
counting = options.packed(
    "counting",
    Counting,
    click.option(
        "--toys",
        metavar="N",
        type=click.IntRange(min=1),
        help="Count N toys of each hypothesis instead of using asymptotic formulae.",
    ),
    click.option("--seed", type=seed_type, help="Of the random numbers of the toys; needed with --toys."),
    workers_option,
)


def steps(advance: Callable[[int], object]) -> Callable[[int, int], None]:
    """A function of the toys done and to do that tells `advance` how many are new."""
    before = 0

    def report(done: int, total: int) -> None:
        nonlocal before
        del total
        advance(done - before)
        before = done

    return report


@contextlib.contextmanager
def workers(number: int | None, modelling: options.Modelling) -> Iterator[Executor | None]:
    """So many processes to throw toys; `None` where none are asked for."""
    if number is None:
        yield None
        return
    directory = None if modelling.no_cache else modelling.cache_dir
    settings = dict(mp_context=get_context("spawn"), initializer=_start, initargs=(directory, modelling.no_cache))
    with ProcessPoolExecutor(number, **settings) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _start(directory: str | None, no_cache: bool) -> None:
    """Prepare a worker: Ctrl-C is for the process that gives it work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calm_linear_algebra()
    if not no_cache:
        keep_compiled_programs(directory)


def failures(n_toys: int, n_failed: int) -> str:
    """What to say where too many toys failed; empty where not."""
    if n_failed <= MOST_FAILED * n_toys:
        return ""
    return (
        f"{n_failed} of {n_toys} toys have no certified fit, more than one in a thousand; the p-values are fractions "
        "of the others and not to be believed"
    )


def too_many_failures(toys: Mapping[str, Any] | None) -> str:
    """The same of what is written of toys, if anything is."""
    if toys is None:
        return ""
    return failures(*(sum(n) if isinstance(n := toys[key], tuple) else n for key in ("n_toys", "n_failed")))


def toy_entries(toys) -> dict:
    """What is written of a `ToyOutcome`; nothing where there is none."""
    if toys is None:
        return {}
    entries = {"n_toys": toys.n_toys, "n_failed": toys.n_failed, "message": toys.message}
    ratios = {"CLs_obs": toys.observed.CLs_uncertainty, "CLs_exp": toys.expected.CLs_uncertainty}
    ratios |= {"CLsb": toys.observed.CLsb_uncertainty, "CLb": toys.observed.CLb_uncertainty}
    return {"toys": entries | {"uncertainties": ratios}}


def search_entries(toys) -> dict:
    """What is written of `ToyLimits`."""
    words = {"poi_values": "poi_value", "CLs_expected": "CLs_exp", "CLs_expected_uncertainty": "CLs_exp_uncertainty"}
    columns = [*toys.points.__dataclass_fields__]
    rows = zip(*(getattr(toys.points, name) for name in columns), strict=True)
    return {
        "n_toys": toys.n_toys,
        "n_failed": toys.n_failed,
        "message": toys.message,
        "precise": toys.precise,
        "points": [dict(zip((words.get(name, name) for name in columns), row, strict=True)) for row in rows],
    }
