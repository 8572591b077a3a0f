"""One workspace from several."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from histjax.errors import InvalidOperation
from histjax.spec.measurement import Measurement
from histjax.spec.operations.renaming import parameter_names, rename
from histjax.spec.operations.report import Change, Edited, edited
from histjax.spec.workspace import Channel, Workspace


class Join(StrEnum):
    """What to do with channels, observations and measurements of one name in two workspaces.

    - `NONE`: refuse.
    - `OUTER`: keep one if they are the same, refuse if they differ; the parameter settings of two measurements are
      joined in the same way.
    - `LEFT_OUTER`, `RIGHT_OUTER`: keep that of the first, or of the second, workspace.
    """

    NONE = "none"
    OUTER = "outer"
    LEFT_OUTER = "left outer"
    RIGHT_OUTER = "right outer"


def combine(
    *workspaces: Workspace,
    join: Join = Join.NONE,
    merge_channels: bool = False,
    correlated: Mapping[str, Sequence[str | None]] | None = None,
) -> Edited:
    """Combine two or more workspaces, one after the other.

    Modifiers of one name are driven by one parameter, also across workspaces: what is to be correlated must have the
    same name in each, and what is not another one; `correlated` says so, and the report lists what is shared.

    **Arguments:**

    - `workspaces`: two or more.
    - `join`: what happens to channels, observations and measurements that have the same name.
    - `merge_channels`: whether channels of one name become one with the samples of both (with any `join` but `NONE`);
      of two samples with one name that of the first workspace is kept, or of the second with `RIGHT_OUTER`. The
      observations are not added.
    - `correlated`: for a parameter of the result its name in each workspace, or `None` where it is not used: with
      `{"jes": ("jes_2017", "jes_2018"), "stat_a": ("stat", None), "stat_b": (None, "stat")}` the first becomes one
      parameter and `stat` two.

    **Returns:** the new workspace, and what was renamed, merged, dropped and shared.

    **Raises:** `InvalidOperation` with *all* conflicts; `UnknownName`; `InvalidDocument` where the workspaces are sound
    and their combination is not (a shared parameter of two sizes).

    >>> import histjax
    >>> one = histjax.read(histjax.examples.path("two_bins"))
    >>> two = histjax.rename(one, channels={"singlechannel": "other"}, measurements={"Measurement": "M2"}).workspace
    >>> stat = "uncorr_bkguncrt"
    >>> print(histjax.combine(one, two, correlated={"stat_1": (stat, None), "stat_2": (None, stat)}))
    renamed modifier 'uncorr_bkguncrt' to 'stat_1' in workspace 1
    renamed modifier 'uncorr_bkguncrt' to 'stat_2' in workspace 2
    shared parameter 'mu' by workspaces 1, 2
    """
    join = _join_named(join)
    if len(workspaces) < 2:
        raise InvalidOperation("nothing to combine", [f"found {len(workspaces)} workspace, expected two or more"])
    if merge_channels and join is Join.NONE:
        raise InvalidOperation("channels are not merged", ["choose a join other than 'none' to merge channels"])
    workspaces, report = _correlated(workspaces, correlated or {})
    joined, problems = workspaces[0], []
    for number, other in enumerate(workspaces[1:], 2):
        joined = _joined(joined, other, _Pair(join, merge_channels, number, report, problems))
    if problems:
        raise InvalidOperation("the workspaces cannot be combined", problems)
    return edited(joined, [*report, *_shared(workspaces)], "the combined workspace")


def _join_named(join: Join | str) -> Join:
    try:
        return Join(join)
    except ValueError:
        listed = ", ".join(repr(each.value) for each in Join)
        raise InvalidOperation("unknown join", [f"found {join!r}, expected one of {listed}"]) from None


def _correlated(workspaces, correlated) -> tuple[list[Workspace], list[Change]]:
    """The workspaces with their parameters renamed."""
    problems = [
        f"{new!r} names {len(olds)} parameters, expected {len(workspaces)}, one for each workspace (or None)"
        for new, olds in correlated.items()
        if isinstance(olds, str) or len(olds) != len(workspaces)
    ]
    if problems:
        raise InvalidOperation("correlated parameters", problems)
    result, report = [], []
    for index, workspace in enumerate(workspaces):
        names = {olds[index]: new for new, olds in correlated.items() if olds[index] is not None}
        renamed = rename(workspace, modifiers=names)
        taken = [new for new, olds in correlated.items() if olds[index] is None]
        problems += [
            f"{name!r} is a parameter of workspace {index + 1}, too; give it another name there"
            for name in taken
            if name in parameter_names(renamed.workspace)
        ]
        report += [replace(each, detail=f"{each.detail} in workspace {index + 1}") for each in renamed.report]
        result.append(renamed.workspace)
    if problems:
        raise InvalidOperation("correlated parameters", problems)
    return result, report


class _Pair:
    """How two workspaces are joined, and the notes taken meanwhile."""

    def __init__(self, join: Join, merge_channels: bool, number: int, report: list[Change], problems: list[str]):
        self.join, self.merge_channels, self.number = join, merge_channels, number
        self.report, self.problems = report, problems

    def note(self, action: str, kind: str, name: str, detail: str = "") -> None:
        """Something was done."""
        self.report.append(Change(action, kind, name, detail or f"of workspace {self.number}"))

    @property
    def loser(self) -> str:
        """Whose things are dropped where both have one."""
        return "of the workspaces before" if self.join is Join.RIGHT_OUTER else f"of workspace {self.number}"

    def ordered(self, left: tuple, right: tuple) -> tuple[tuple, tuple]:
        """What has precedence, and the rest."""
        return (right, left) if self.join is Join.RIGHT_OUTER else (left, right)


def _joined(left: Workspace, right: Workspace, pair: _Pair) -> Workspace:
    if left.version != right.version:
        pair.problems.append(f"versions differ: {left.version} and {right.version} (workspace {pair.number})")
    return replace(
        left,
        channels=_union("channel", left.channels, right.channels, pair),
        observations=_union("observation", left.observations, right.observations, pair),
        measurements=_union("measurement", left.measurements, right.measurements, pair),
    )


def _union(kind: str, left: tuple, right: tuple, pair: _Pair) -> tuple:
    """The things of both workspaces, by name."""
    first, second = pair.ordered(left, right)
    found = {each.name: each for each in first}
    for each in second:
        kept = found.setdefault(each.name, each)
        if kept is not each:
            found[each.name] = _one_of_two(kind, kept, each, pair)
    return tuple(found.values())


def _one_of_two(kind: str, kept, other, pair: _Pair):
    """What becomes of two things with one name."""
    if pair.join is Join.NONE:
        pair.problems.append(
            f"{kind} {kept.name!r} is in workspace {pair.number} and before; rename it or choose a join"
        )
    elif kept == other:
        pair.note("merged", kind, kept.name, f"the same in workspace {pair.number}")
    elif kind == "channel" and pair.merge_channels:
        return _merged_channel(kept, other, pair)
    elif pair.join is not Join.OUTER:
        pair.note("dropped", kind, kept.name, pair.loser)
    elif kind == "measurement":
        return _merged_measurement(kept, other, pair)
    else:
        pair.problems.append(f"{kind} {kept.name!r} of workspace {pair.number} differs from the one before")
    return kept


def _merged_channel(kept: Channel, other: Channel, pair: _Pair) -> Channel:
    samples = {each.name: each for each in kept.samples}
    for each in other.samples:
        if samples.setdefault(each.name, each) != each:
            pair.note("dropped", "sample", each.name, f"of channel {kept.name!r} {pair.loser}")
    pair.note("merged", "channel", kept.name)
    return Channel(kept.name, tuple(samples.values()))


def _merged_measurement(kept: Measurement, other: Measurement, pair: _Pair) -> Measurement:
    if kept.poi != other.poi:
        pair.problems.append(
            f"measurement {kept.name!r} of workspace {pair.number} has the parameter of interest {other.poi!r},"
            f" the one before {kept.poi!r}"
        )
    parameters = {each.name: each for each in kept.parameters}
    for each in other.parameters:
        if parameters.setdefault(each.name, each) != each:
            pair.problems.append(
                f"measurement {kept.name!r}: the settings of parameter {each.name!r} in workspace {pair.number} differ"
                " from the ones before"
            )
    pair.note("merged", "measurement", kept.name)
    return replace(kept, parameters=tuple(parameters.values()))


def _shared(workspaces: Sequence[Workspace]) -> list[Change]:
    """The parameters that more than one workspace has."""
    owners: dict[str, list[str]] = {}
    for number, workspace in enumerate(workspaces, 1):
        for name in parameter_names(workspace):
            owners.setdefault(name, []).append(str(number))
    return [
        Change("shared", "parameter", name, f"by workspaces {', '.join(numbers)}")
        for name, numbers in owners.items()
        if len(numbers) > 1
    ]
