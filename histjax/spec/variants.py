"""Check a workspace that shares most of its samples with one that has been checked, at the price of the difference.

What can be wrong with a workspace is either wrong within one sample, and then it is not wrong with a sample that was
checked before; or it is a matter of yields, which are cheap, and of who shares a parameter with whom. Of modifiers that
may always share a parameter, one stands for all (`histjax.spec.rules.parameters`). So the samples that are known are
judged by their yields and by those of their modifiers that stand for others.
"""

from dataclasses import dataclass, field, replace

from histjax.errors import Problem
from histjax.spec.check import check
from histjax.spec.rules.parameters import SHARED_FREELY, SHARING_GROUP
from histjax.spec.workspace import Channel, Sample, Workspace

Sharing = dict[tuple[str, str | int], int]
"""Index of the first modifier for each name and kind of parameter; of those that stand for themselves only, of each."""


@dataclass(frozen=True)
class CheckedWorkspace:
    """A workspace without errors, and what its samples have to say when others are checked.

    **Fields:** `workspace`; `problems` are its warnings; `sharing` by channel name and identity of the sample.
    """

    workspace: Workspace
    problems: list[Problem]
    sharing: dict[tuple[str, int], Sharing] = field(repr=False)

    @classmethod
    def of(cls, workspace: Workspace, problems: list[Problem]) -> "CheckedWorkspace":
        """From a workspace and the problems that `check` found, none of which is an error."""
        places = ((channel, sample) for channel in workspace.channels for sample in channel.samples)
        return cls(workspace, problems, {(channel.name, id(sample)): _sharing(sample) for channel, sample in places})

    def check(self, other: Workspace) -> list[Problem]:
        """What `check` finds in another workspace; but a warning about one modifier of a sample that this workspace has
        in the same channel may be left out, or have the place of another one.

        >>> from histjax.spec import Measurement, NormFactor, NormSys, Observation
        >>> signal = Sample("signal", (5.0,), (NormFactor("mu"),))
        >>> base = Workspace((Channel("SR", (signal,)),), (Observation("SR", (6,)),), (Measurement("M", "mu"),))
        >>> sample = Sample("other", (5.0,), (NormSys("mu", 0.9, 1.1),))
        >>> other = replace(base, channels=(Channel("SR", (signal, sample)),))
        >>> [problem.path for problem in CheckedWorkspace.of(base, check(base)).check(other)]
        ['/channels/0/samples/1/modifiers/0']
        """
        found = check(self._reduced(other))
        return found if all(problem.is_warning for problem in found) else check(other)

    def _reduced(self, workspace: Workspace) -> Workspace:
        """The workspace with only those modifiers of known samples that stand for others."""
        seen: set[tuple[str, str | int]] = set()
        channels = (
            Channel(channel.name, tuple(self._representatives(channel.name, each, seen) for each in channel.samples))
            for channel in workspace.channels
        )
        return replace(workspace, channels=tuple(channels))

    def _representatives(self, channel: str, sample: Sample, seen: set) -> Sample:
        sharing = self.sharing.get((channel, id(sample)))
        if sharing is None:
            return sample
        new = sharing.keys() - seen
        seen |= {key for key in new if key[1] in SHARED_FREELY}
        return replace(
            sample, modifiers=tuple(sample.modifiers[index] for index in sorted(sharing[key] for key in new))
        )


def _sharing(sample: Sample) -> Sharing:
    sharing: Sharing = {}
    for index, modifier in enumerate(sample.modifiers):
        group = SHARING_GROUP[type(modifier)]
        sharing.setdefault((modifier.name, group if group in SHARED_FREELY else index), index)
    return sharing
