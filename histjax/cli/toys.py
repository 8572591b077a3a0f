"""`toys`: count toys for a value of the parameter of interest, all of them or a slice."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from histjax.cli import drawing, options
from histjax.cli.counting import FailedToyFits, failures, seed_type, steps, workers, workers_option
from histjax.cli.messages import progress, progress_bar
from histjax.cli.modelling import compiled_model
from histjax.cli.option_types import Finite, Share
from histjax.cli.output import Output
from histjax.cli.pictures import Picture
from histjax.cli.slices import merge, slice_entries, whole_entries, whole_table
from histjax.cli.testing import STATISTICS

ROUND = 16
"""Slices that are thrown at a time where the columns of their toys are wanted, which takes memory."""


class WithDefault(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command in front of what is not a command."""
        names = self.list_commands(ctx)
        return super().parse_args(ctx, args if args and args[0] in names else [next(iter(self.commands)), *args])


@click.group(cls=WithDefault, no_args_is_help=False, short_help="Throw toys, and count p-values.")
def toys() -> None:
    """Throw toys at a value of the parameter of interest, and count; merge slices of them.

    `histjax toys WORKSPACE ...` is short for `histjax toys throw WORKSPACE ...`; a workspace called merge is given as
    ./merge.
    """


@dataclass(frozen=True)
class Throw:
    """How many toys of which seed, which of them, where to keep them, and who throws them."""

    n_toys: int
    n_background: int | None
    seed: int
    slice: tuple[int, int] | None
    store: str | None
    table: str | None
    workers: int | None

    @property
    def counts(self) -> dict[str, int]:
        """Toys of the tested and of the other hypothesis."""
        return {
            "n_toys": self.n_toys,
            "n_background": self.n_toys if self.n_background is None else self.n_background,
        }

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last toy but one of each hypothesis: the slice's share."""
        number, of = self.slice or (1, 1)
        return [(n * (number - 1) // of, n * number // of) for n in self.counts.values()]


throwing = options.packed(
    "throwing",
    Throw,
    click.option(
        "--n-toys", type=click.IntRange(min=1), default=10_000, show_default=True, help="Toys of the tested hypothesis."
    ),
    click.option(
        "--n-background", type=click.IntRange(min=1), help="Toys of the other hypothesis.  [default: as many]"
    ),
    click.option("--seed", type=seed_type, required=True, help="Of the random numbers; there is no default."),
    click.option("--slice", type=Share(), help="Throw the K-th of M equal shares only; merge them later."),
    click.option("--store", metavar="DIR", help="Keep finished toys here, and go on from what is there."),
    click.option("--table", metavar="FILE", help="Write a table of all toys, too: FILE.parquet or FILE.npz."),
    workers_option,
)


@toys.command()
@options.source()
@options.modelling
@options.poi
@click.option("--test-poi", type=Finite(), help="The value to test.  [default: 1; with q0: 0]")
@click.option(
    "--test-stat", type=click.Choice([*STATISTICS]), default="qtilde", show_default=True, help="Test statistic."
)
@throwing
@options.output
@options.picture
def throw(
    source,
    modelling,
    poi,
    test_poi: float | None,
    test_stat: str,
    throwing: Throw,
    output: Output,
    picture: Picture,
) -> None:
    """Count toys for a value of the parameter of interest.

    Toys are thrown at the conditional best fit to the data of each hypothesis: the tested one, and background only
    (with q0 a signal of strength 1). Toy i depends on the seed and on i alone.

    With --store an interrupted run goes on where it ended. With --slice, such as --slice 3/10, a share of the toys is
    thrown, and `histjax toys merge` makes of the results of all slices exactly what one run gives.

    \b
    Keys of the JSON:
      CLs_obs, CLs_obs_uncertainty
                     CLs of the data with its binomial uncertainty, and
      CLs_exp, CLs_exp_uncertainty
                     [5] expected at -2, -1, 0, +1, +2 sigma of background only
      CLsb, CLb, CLsb_exp, CLb_exp, and the same with _uncertainty
                     probabilities of a statistic of at least the observed one
      n_toys, n_background
                     toys of the tested and of the other hypothesis
      n_failed       [2] those without a certified fit, which do not count
      n_iterations, n_rescued
                     iterations of all their fits; toys that needed a second
                     start
      model          fingerprint of model and data
      poi, poi_value, statistic_name, statistic, best, seed
                     what was tested, with which statistic; its value and the
                     best fit of the data
      converged      whether at most one toy in a thousand failed; if false
                     the exit status is 1
      message        one sentence
    With --slice:
      slice          {number, of}, and instead of the p-values:
      tallies        {tested, other}: what was counted
    """
    output.check()
    picture.check()
    _check(throwing)
    if picture.is_wanted and throwing.slice not in (None, (1, 1)):
        raise click.UsageError("--plot is of all toys: give it without --slice")
    with progress() as stage:
        model = compiled_model(source, modelling, stage)
        stage("fitting")
        value, about = _prepared(model, poi, test_poi, test_stat, throwing)
    with _store(throwing, about) as store:
        tallies = _thrown(model, value, throwing, modelling, store)
        if throwing.table is not None:
            _write_table(store, throwing)
    if throwing.slice is None:
        entries = whole_entries(about, throwing.counts, *tallies)
        output.write(entries, lambda: whole_table(entries))
    else:
        entries = slice_entries(about, throwing.counts, throwing.slice, throwing.spans, tallies)
        output.write(entries, lambda: entries["message"])
    whole = about, throwing.counts, (1, 1), throwing.spans, tallies
    picture.write(lambda paged: drawing.toys(slice_entries(*whole)), entries["converged"])
    if not entries["converged"]:
        raise FailedToyFits(failures(sum(t.n_toys for t in tallies), sum(t.n_failed for t in tallies)))


toys.add_command(merge)


def _check(throwing: Throw) -> None:
    """Refuse before the work what could not be written after it."""
    if throwing.table is not None:
        from histjax.inference.toys.tables import check_table

        check_table(throwing.table)


def _prepared(model, poi: str | None, test_poi: float | None, test_stat: str, throwing: Throw):
    """The value with the fits of the data, and what the toys are about."""
    import jax

    import histjax
    from histjax.inference.poi import poi_name
    from histjax.inference.toys.calculator import fingerprint
    from histjax.inference.toys.values import Scanner

    statistic = getattr(histjax, STATISTICS[test_stat])
    tested = (0.0 if statistic.discovery else 1.0) if test_poi is None else test_poi
    statistic.check_value(tested)
    calculator = histjax.Toys(jax.random.key(throwing.seed), **throwing.counts)
    data, name = model.ravel_data(model.data), poi_name(model, poi)
    scanner = Scanner(model, data, name, statistic, histjax.Newton(), calculator, throw=True, with_other=True)
    value = scanner.prepared(tested, 0)
    about = {
        "model": fingerprint(model, data),
        "poi": name,
        "poi_value": tested,
        "statistic_name": statistic.name,
        "statistic": value.statistic,
        "best": value.best,
        "seed": throwing.seed,
    }
    return value, about


@contextlib.contextmanager
def _store(throwing: Throw, about: dict) -> Iterator:
    """The store that was asked for, or one for the table that nobody sees; `None` where neither is needed."""
    from histjax.inference.toys.store import ToyStore

    with_toys = throwing.table is not None
    if throwing.store is not None:
        yield ToyStore(throwing.store, about, throwing.counts, with_toys)
    elif with_toys:
        place = Path(throwing.table).absolute().parent
        with tempfile.TemporaryDirectory(prefix=".histjax-toys-", dir=place) as folder:
            yield ToyStore(folder, about, throwing.counts, with_toys)
    else:
        yield None


def _thrown(model, value, throwing: Throw, modelling, store) -> list:
    """The tallies of both hypotheses."""
    import histjax

    total = sum(stop - start for start, stop in throwing.spans)
    keep = throwing.table is not None
    with workers(throwing.workers, modelling) as executor, progress_bar("toys", total) as advance:
        calculator = histjax.Toys(None, throwing.n_toys, executor=executor, store=store, keep=keep)
        tallies = list(value.tallies)
        for spans in _rounds(throwing.spans, calculator.running(model), keep):
            more = _one_round(value, spans, calculator.running(model), steps(advance))
            tallies = [old + new for old, new in zip(tallies, more, strict=True)]
    return tallies


def _rounds(spans: list[tuple[int, int]], running, keep: bool) -> Iterator[list[tuple[int, int]]]:
    """All toys at once, or in rounds whose columns fit into memory, cut where slices end."""
    if not keep:
        yield spans
        return
    size = ROUND * running.loop.width
    first, last = min(start for start, _ in spans) // size, max(stop for _, stop in spans)
    for low in range(first * size, last, size):
        yield [(min(max(start, low), stop), max(min(stop, low + size), start)) for start, stop in spans]


def _one_round(value, spans: list[tuple[int, int]], running, report) -> list:
    import dataclasses

    from histjax.inference.toys.running import throw_toys
    from histjax.inference.toys.slices import Job

    jobs = [
        Job(experiment, value.label, value.statistic, start, stop)
        for experiment, (start, stop) in zip(value.experiments, spans, strict=True)
    ]
    return [each.tally for each in throw_toys(jobs, dataclasses.replace(running, progress=report))]


def _write_table(store, throwing: Throw) -> None:
    from histjax.inference.toys.tables import write_table

    write_table(store, throwing.table)
