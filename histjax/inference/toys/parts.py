"""Parts of a set of toys that were run apart: what is there, what is missing, and all of it together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from histjax.errors import InvalidStore
from histjax.inference.toys.store import ToyStore, without_overlaps
from histjax.inference.toys.tally import N_BINS, SUMMED, Tally

HYPOTHESES = {1: "tested", 0: "other"}
"""Names of the hypotheses by their numbers."""


@dataclass(frozen=True)
class Part:
    """Toys `start` to `stop` of a hypothesis; `origin` says where they come from."""

    hypothesis: int
    start: int
    stop: int
    tally: Tally
    origin: str


def parts_of_store(store: ToyStore) -> list[Part]:
    """What a store has of its one test; damaged files are as good as none."""
    pieces = store.slices()
    if len({piece.label for piece in pieces}) > 1:
        raise InvalidStore(f"{store.directory}: toys of several tests are kept here; a merge needs those of one")
    loaded = {piece: found for piece in pieces if (found := store.load(piece)) is not None}
    origin = str(store.directory)
    return [
        Part(piece.hypothesis, piece.start, piece.stop, loaded[piece].tally, origin)
        for piece in without_overlaps(list(loaded))
    ]


def joined_parts(parts: Sequence[Part], wanted: Mapping[int, int]) -> dict[int, Tally]:
    """The tallies of all `wanted` toys, `{hypothesis: number}`.

    **Raises:** `InvalidStore` where toys are in two parts, or in none.
    """
    return {
        hypothesis: _joined([p for p in parts if p.hypothesis == hypothesis], hypothesis, n)
        for hypothesis, n in wanted.items()
    }


def _joined(parts: Sequence[Part], hypothesis: int, n_toys: int) -> Tally:
    reached, tally, origin = 0, None, ""
    for part in sorted(parts, key=lambda each: (each.start, each.stop)):
        if part.start < reached:
            shared = f"toys {part.start} to {min(reached, part.stop)} of the {HYPOTHESES[hypothesis]} hypothesis"
            raise InvalidStore(f"{shared} are in both {origin} and {part.origin}; leave one of them out")
        if part.start > reached:
            break
        tally = part.tally if tally is None else tally + part.tally
        reached, origin = part.stop, part.origin
    if reached != n_toys or tally is None:
        after = min([part.start for part in parts if part.start > reached], default=n_toys)
        raise MissingToys(hypothesis, reached, after)
    return tally


class MissingToys(InvalidStore):
    """Toys `start` to `stop` of a hypothesis are in none of the parts."""

    def __init__(self, hypothesis: int, start: int, stop: int):
        self.hypothesis, self.start, self.stop = hypothesis, start, stop
        super().__init__(
            f"toys {start} to {stop} of the {HYPOTHESES[hypothesis]} hypothesis are missing; throw them first"
        )


def tally_record(tally: Tally) -> dict[str, Any]:
    """A tally as JSON has it: integers, and the filled bins only.

    >>> record = tally_record(Tally.of(np.array([0.0, 0.5]), observed=0.3))
    >>> record["n_at_least"], record["bins"], record["counts"]
    (1, [0, 708], [1, 1])
    >>> tally_of(record).p_value
    0.5
    """
    filled = np.flatnonzero(tally.counts)
    return {
        "observed": tally.observed,
        **{name: getattr(tally, name) for name in SUMMED},
        "bins": filled.tolist(),
        "counts": tally.counts[filled].tolist(),
    }


def tally_of(record: Mapping[str, Any]) -> Tally:
    """The tally of a record; raises `KeyError`, `TypeError`, `ValueError` or `IndexError` for what is none."""
    counts = np.zeros(N_BINS, np.int64)
    counts[np.asarray(record["bins"], np.int64)] = record["counts"]
    tally = Tally(float(record["observed"]), counts, **{name: int(record[name]) for name in SUMMED})
    if counts.sum() != tally.n_good:
        raise ValueError("its counts do not add up")
    return tally
