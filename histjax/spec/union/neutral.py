"""The numbers of one row: those of a sample, and neutral ones for what the sample does not have."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from histjax.spec.modifiers import HistoSys, Lumi, Modifier, NormFactor, NormSys, ShapeFactor, ShapeSys, StatError
from histjax.spec.workspace import Sample


class RowModifier(NamedTuple):
    """A modifier of a row: its type and the label of its parameter."""

    type: str
    label: str


class Row(NamedTuple):
    """One sample of the union in one channel, by their labels, with all modifiers that it has in any workspace."""

    channel: str
    sample: str
    n_bins: int
    modifiers: tuple[RowModifier, ...]

    @property
    def n_numbers(self) -> int:
        """How many numbers describe it: yields first, then those of the modifiers in order."""
        return self.n_bins + sum(_count(each.type, self.n_bins) for each in self.modifiers)


def _count(kind: str, n_bins: int) -> int:
    return {"histosys": 2 * n_bins, "normsys": 2, "shapesys": n_bins, "staterror": n_bins}.get(kind, 0)


def numbers(row: Row, yields: Sequence[float], modifiers: dict[RowModifier, Modifier]) -> list[float]:
    """The numbers of a row for a sample with these yields and modifiers.

    What is missing has no effect: a normsys of 1 and 1, a histosys of the yields themselves, no uncertainty.

    >>> row = Row("SR", "signal", 1, (RowModifier("histosys", "jes"), RowModifier("normsys", "xs")))
    >>> numbers(row, [5.0], {RowModifier("normsys", "xs"): NormSys("xs", 0.9, 1.1)})
    [5.0, 5.0, 5.0, 0.9, 1.1]
    """
    values = list(yields)
    for place in row.modifiers:
        match modifiers.get(place):
            case HistoSys(lo=lo, hi=hi):
                values += (*lo, *hi)
            case NormSys(lo=lo, hi=hi):
                values += (lo, hi)
            case ShapeSys(uncertainty=uncertainty) | StatError(uncertainty=uncertainty):
                values += uncertainty
            case None:
                values += _neutral(place.type, yields)
            case NormFactor() | ShapeFactor() | Lumi():
                pass
    return values


def _neutral(kind: str, yields: Sequence[float]) -> list[float]:
    match kind:
        case "histosys":
            return [*yields, *yields]
        case "normsys":
            return [1.0, 1.0]
        case "shapesys" | "staterror":
            return [0.0] * len(yields)
        case _:
            return []


def sample_of(row: Row, values: Sequence[float]) -> Sample:
    """The sample that a row with these numbers is; inverse of `numbers`.

    >>> sample_of(Row("SR", "signal", 1, (RowModifier("normsys", "xs"),)), [5.0, 0.9, 1.1])
    Sample(name='signal', nominal_yields=(5.0,), modifiers=(NormSys(name='xs', lo=0.9, hi=1.1),))
    """
    rest = iter(values)
    yields = _take(rest, row.n_bins)
    return Sample(row.sample, yields, tuple(_modifier(place, rest, row.n_bins) for place in row.modifiers))


def _take(values: Iterator[float], count: int) -> tuple[float, ...]:
    return tuple(islice(values, count))


def _modifier(place: RowModifier, values: Iterator[float], n_bins: int) -> Modifier:
    match place.type:
        case "histosys":
            return HistoSys(place.label, _take(values, n_bins), _take(values, n_bins))
        case "normsys":
            return NormSys(place.label, *_take(values, 2))
        case "shapesys":
            return ShapeSys(place.label, _take(values, n_bins))
        case "staterror":
            return StatError(place.label, _take(values, n_bins))
        case "normfactor":
            return NormFactor(place.label)
        case "shapefactor":
            return ShapeFactor(place.label)
        case "lumi":
            return Lumi(place.label)
