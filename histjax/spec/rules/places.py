"""Where things are in a workspace: the walks that the rules share, and the words for what they meet."""

from collections.abc import Iterator
from typing import NamedTuple

from histjax.spec.modifiers import Modifier
from histjax.spec.workspace import Channel, Sample, Workspace


class SamplePlace(NamedTuple):
    """A sample and where it is; `indices` are those of the channel and the sample."""

    indices: tuple[int, int]
    channel: Channel
    sample: Sample

    @property
    def path(self) -> str:
        """JSON pointer."""
        return "/channels/{}/samples/{}".format(*self.indices)

    def __str__(self) -> str:
        return f"channel {self.channel.name!r}, sample {self.sample.name!r}"


class ModifierPlace(NamedTuple):
    """A modifier and where it is; `indices` are those of the channel, the sample and the modifier."""

    indices: tuple[int, int, int]
    channel: Channel
    sample: Sample
    modifier: Modifier

    @property
    def path(self) -> str:
        """JSON pointer."""
        return "/channels/{}/samples/{}/modifiers/{}".format(*self.indices)

    def __str__(self) -> str:
        modifier = f"modifier {self.modifier.name!r} ({self.modifier.type})"
        return f"channel {self.channel.name!r}, sample {self.sample.name!r}, {modifier}"


def sample_places(workspace: Workspace) -> Iterator[SamplePlace]:
    """Every sample, in order."""
    for i, channel in enumerate(workspace.channels):
        for j, sample in enumerate(channel.samples):
            yield SamplePlace((i, j), channel, sample)


def modifier_places(workspace: Workspace) -> Iterator[ModifierPlace]:
    """Every modifier, in order."""
    for i, channel in enumerate(workspace.channels):
        for j, sample in enumerate(channel.samples):
            for k, modifier in enumerate(sample.modifiers):
                yield ModifierPlace((i, j, k), channel, sample, modifier)


def count(number: int, noun: str) -> str:
    """A number with its noun: `count(1, "bin")` is `"1 bin"`, `count(2, "bin")` is `"2 bins"`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
