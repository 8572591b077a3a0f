"""`toys merge`: slices of toys put together, and what is written of some or of all toys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from histjax.cli import options
from histjax.cli.counting import FailedToyFits, failures
from histjax.cli.output import Output
from histjax.errors import InvalidStore

ABOUT = ("model", "poi", "poi_value", "statistic_name", "statistic", "best", "seed")
"""What toys are about: the same for all that can be merged."""
COUNTS = ("n_toys", "n_background")
BAND = ("CLs", "CLsb", "CLb")


class Contribution(NamedTuple):
    """What one argument of a merge brings: what it is about, how many toys there are to be, parts, and its slice."""

    origin: str
    about: dict[str, Any]
    counts: dict[str, int]
    parts: list
    slice: tuple[int, int] | None


@click.command()
@click.argument("sources", nargs=-1, required=True)
@options.output
def merge(sources: tuple[str, ...], output: Output) -> None:
    """Merge slices of toys: JSON files written with --slice, or directories written with --store.

    The result is, number by number, that of one run without --slice. Slices of different tests, slices that share toys
    and slices that are missing are refused.

    \b
    Keys of the JSON: those of `histjax toys` without --slice.
    """
    output.check()
    found = [_contribution(each) for each in sources]
    first = found[0]
    for other in found[1:]:
        _same_or_refuse(first, other)
    counts = {name: max(each.counts[name] for each in found) for name in COUNTS}
    tallies = _all_toys(found, counts)
    entries = whole_entries(first.about, counts, *tallies)
    output.write(entries, lambda: whole_table(entries))
    if not entries["converged"]:
        raise FailedToyFits(entries["message"])


def whole_entries(about: Mapping[str, Any], counts: Mapping[str, int], tested, other) -> dict:
    """What `toys` writes of all toys; the same numbers wherever they come from."""
    from histjax.inference.toys.p_values import count_p_values

    observed, expected = count_p_values(tested, other, about["statistic_name"] == "q0")
    entries = {"CLs_obs": observed.CLs, "CLs_obs_uncertainty": observed.CLs_uncertainty}
    entries |= {"CLs_exp": expected.CLs, "CLs_exp_uncertainty": expected.CLs_uncertainty}
    for name in BAND[1:]:
        for suffix, ratio in (("", observed), ("_exp", expected)):
            entries[f"{name}{suffix}"] = getattr(ratio, name)
            entries[f"{name}{suffix}_uncertainty"] = getattr(ratio, f"{name}_uncertainty")
    return entries | {name: counts[name] for name in COUNTS} | _ending((tested, other)) | _about(about)


def slice_entries(about, counts, share: tuple[int, int], spans, tallies) -> dict:
    """What `toys` writes of a slice: no p-values, but all that a merge needs."""
    from histjax.inference.toys.parts import tally_record

    records = {
        name: {"start": start, "stop": stop, **tally_record(tally)}
        for name, (start, stop), tally in zip(("tested", "other"), spans, tallies, strict=True)
    }
    entries = {"slice": dict(zip(("number", "of"), share, strict=True))} | {name: counts[name] for name in COUNTS}
    return entries | _ending(tallies) | _about(about) | {"tallies": records}


def _about(about: Mapping[str, Any]) -> dict:
    return {name: about[name] for name in ABOUT}


def _ending(tallies) -> dict:
    """How the toys went."""
    n_toys, n_failed = (sum(getattr(each, name) for each in tallies) for name in ("n_toys", "n_failed"))
    problem = failures(n_toys, n_failed)
    return {
        "n_failed": [each.n_failed for each in tallies],
        "n_iterations": sum(each.n_iterations for each in tallies),
        "n_rescued": sum(each.n_rescued for each in tallies),
        "converged": not problem,
        "message": problem or f"{n_toys} toys, {n_failed} failed",
    }


def whole_table(entries: Mapping[str, Any]) -> str:
    """What `toys --text` prints."""
    from histjax.fitting.printing import pairs, pdg_rounded, rendered

    def number(name: str) -> str:
        return " +- ".join(pdg_rounded(float(entries[name]), float(entries[f"{name}_uncertainty"])))

    expected = zip(entries["CLs_exp"], entries["CLs_exp_uncertainty"], strict=True)
    return rendered(
        pairs(
            ("status", entries["message"]),
            ("tested", f"{entries['poi']} = {entries['poi_value']:g} ({entries['statistic_name']}, toys)"),
            ("best fit", f"{entries['poi']} = {entries['best']:.6g}"),
            ("statistic", f"{entries['statistic']:.6g}"),
            ("CLs", number("CLs_obs")),
            ("CLsb, CLb", f"{number('CLsb')}, {number('CLb')}"),
            ("expected CLs", ", ".join(" +- ".join(pdg_rounded(float(a), float(b))) for a, b in expected)),
            ("", "at -2, -1, 0, +1, +2 sigma"),
        )
    )


def _contribution(source: str) -> Contribution:
    """What is in a directory or a JSON file; raises `InvalidStore`."""
    from histjax.inference.toys.parts import parts_of_store
    from histjax.inference.toys.store import ToyStore

    if not Path(source).is_dir():
        return _of_file(source)
    store = ToyStore.found(source)
    if not {*ABOUT} <= {*store.about} or not {*COUNTS} <= {*store.extent}:
        raise InvalidStore(f"{source}: not written by histjax toys --store; it does not say what its toys are about")
    return Contribution(source, store.about, store.extent, parts_of_store(store), None)


def _of_file(source: str) -> Contribution:
    from histjax.inference.toys.parts import HYPOTHESES, Part, tally_of

    try:
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidStore(f"{source}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InvalidStore(f"{source}: not JSON: {error}") from None
    try:
        parts = []
        for number, name in HYPOTHESES.items():
            record = document["tallies"][name]
            start, stop, tally = int(record["start"]), int(record["stop"]), tally_of(record)
            if tally.n_toys != stop - start:
                raise ValueError(f"{tally.n_toys} toys where there should be {stop - start}")
            parts.append(Part(number, start, stop, tally, source))
        about, counts = _about(document), {name: int(document[name]) for name in COUNTS}
        share = int(document["slice"]["number"]), int(document["slice"]["of"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidStore(
            f"{source}: not a slice of toys as histjax toys --slice writes it ({type(error).__name__}: {error})"
        ) from None
    return Contribution(source, about, counts, parts, share)


def _same_or_refuse(first: Contribution, other: Contribution) -> None:
    from histjax.inference.toys.store import differences

    both = first.about | first.counts, other.about | other.counts
    if different := differences(*both):
        listed = "; ".join(f"{name} is {both[0][name]!r} and {both[1][name]!r}" for name in different)
        raise InvalidStore(f"{first.origin} and {other.origin} are not of the same toys: {listed}")


def _all_toys(found: list[Contribution], counts: dict[str, int]) -> list:
    """The tallies of both hypotheses; says which slice is missing if one is."""
    from histjax.inference.toys.parts import MissingToys, joined_parts

    parts = [part for each in found for part in each.parts if part.stop > part.start]
    try:
        joined = joined_parts(parts, {1: counts["n_toys"], 0: counts["n_background"]})
    except MissingToys as error:
        shares = {each.slice for each in found}
        of = {share[1] for share in shares if share is not None}
        if None in shares or len(of) != 1:
            raise
        missing = [f"{number}/{max(of)}" for number in range(1, max(of) + 1) if (number, max(of)) not in shares]
        raise InvalidStore(
            f"missing {'slice' if len(missing) == 1 else 'slices'} {', '.join(missing)}: {error}"
        ) from None
    return [joined[1], joined[0]]
