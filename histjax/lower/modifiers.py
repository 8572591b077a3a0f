"""Walk the modifiers of a workspace once and collect, for each kind of action, where it acts and with what numbers."""

from dataclasses import dataclass, field

import numpy as np

from histjax.lower.layout import ParameterSet, Row
from histjax.lower.parameters import sorted_modifiers, sorted_rows
from histjax.spec import (
    HistoSys,
    Lumi,
    NormFactor,
    NormSys,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)


@dataclass
class Entries:
    """Columns of equal length, grown row by row while walking."""

    columns: dict[str, list] = field(default_factory=dict)

    def add(self, **values) -> None:
        """Append scalars or arrays, broadcast against each other."""
        for name, value in zip(values, np.broadcast_arrays(*map(np.atleast_1d, values.values())), strict=True):
            self.columns.setdefault(name, []).append(value)

    def column(self, name: str, dtype) -> np.ndarray:
        """One column as a flat array; empty where nothing was added."""
        parts = self.columns.get(name)
        return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


@dataclass
class Actions:
    """All modifiers of a workspace by the way they act."""

    histosys: Entries = field(default_factory=Entries)  # cell, parameter, lo, hi
    normsys: Entries = field(default_factory=Entries)  # row, parameter, lo, hi
    factor: Entries = field(default_factory=Entries)  # row, parameter
    local: Entries = field(default_factory=Entries)  # cell, parameter
    shapesys: Entries = field(default_factory=Entries)  # cell, parameter, uncertainty
    staterror: Entries = field(default_factory=Entries)  # cell, parameter, uncertainty


def collect(workspace: Workspace, rows: tuple[Row, ...], sets: tuple[ParameterSet, ...]) -> Actions:
    """Collect the actions of every modifier; `parameter` columns are flat parameter indices."""
    start = {each.name: each.start for each in sets}
    offsets = _staterror_offsets(workspace)
    actions = Actions()
    for index, (row, (channel, sample)) in enumerate(zip(rows, sorted_rows(workspace), strict=True)):
        cells = np.arange(row.start, row.stop)
        bins = np.arange(row.stop - row.start)
        for modifier in sorted_modifiers(sample):
            parameter = start[modifier.name]
            match modifier:
                case HistoSys(lo=lo, hi=hi):
                    actions.histosys.add(
                        cell=cells, parameter=parameter, lo=np.asarray(lo, float), hi=np.asarray(hi, float)
                    )
                case NormSys(lo=lo, hi=hi):
                    actions.normsys.add(row=index, parameter=parameter, lo=float(lo), hi=float(hi))
                case NormFactor() | Lumi():
                    actions.factor.add(row=index, parameter=parameter)
                case ShapeFactor():
                    actions.local.add(cell=cells, parameter=parameter + bins)
                case ShapeSys(uncertainty=uncertainty):
                    actions.local.add(cell=cells, parameter=parameter + bins)
                    actions.shapesys.add(
                        cell=cells, parameter=parameter + bins, uncertainty=np.asarray(uncertainty, float)
                    )
                case StatError(uncertainty=uncertainty):
                    gammas = parameter + offsets[modifier.name, channel.name] + bins
                    actions.local.add(cell=cells, parameter=gammas)
                    actions.staterror.add(cell=cells, parameter=gammas, uncertainty=np.asarray(uncertainty, float))
    return actions


def _staterror_offsets(workspace: Workspace) -> dict[tuple[str, str], int]:
    """Where the bins of a channel begin within a staterror set: the channels that carry the name follow each other,
    sorted.
    """
    offsets: dict[tuple[str, str], int] = {}
    size: dict[str, int] = {}
    for channel in sorted(workspace.channels, key=lambda each: each.name):
        names = {each.name for sample in channel.samples for each in sample.modifiers if isinstance(each, StatError)}
        for name in names:
            offsets[name, channel.name] = size.get(name, 0)
            size[name] = size.get(name, 0) + channel.n_bins
    return offsets


def padded(groups: np.ndarray, n_groups: int, members: np.ndarray, padding: int) -> np.ndarray:
    """A table `(n_groups, most)` of the members of each group, filled up with `padding`.

    >>> padded(np.array([0, 2, 2]), 3, np.array([5, 6, 7]), padding=9).tolist()
    [[5, 9], [9, 9], [6, 7]]
    """
    counts = np.bincount(groups, minlength=n_groups)
    table = np.full((n_groups, counts.max(initial=0)), padding, np.int32)
    order = np.argsort(groups, kind="stable")
    ranks = np.arange(groups.size) - np.repeat(np.cumsum(counts) - counts, counts)
    table[groups[order], ranks] = members[order]
    return table
