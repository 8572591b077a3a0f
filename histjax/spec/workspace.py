"""The workspace: channels of samples, one set of observations, and measurements."""

from dataclasses import dataclass

from histjax.errors import UnknownName
from histjax.spec.measurement import Measurement
from histjax.spec.modifiers import Modifier


@dataclass(frozen=True, slots=True)
class Sample:
    """One physics process in one channel: `nominal_yields` `(bins,)` are expected counts."""

    name: str
    nominal_yields: tuple[float, ...]
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A region of one or more bins, the sum of its samples."""

    name: str
    samples: tuple[Sample, ...]

    @property
    def n_bins(self) -> int:
        """Number of bins, read off the first sample."""
        return len(self.samples[0].nominal_yields)


@dataclass(frozen=True, slots=True)
class Observation:
    """The observed counts `(bins,)` of one channel."""

    name: str
    data: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A statistical model and its data as a value: equal documents give equal workspaces.

    Made by `histjax.read`, which has checked it; numbers are as written (an integer stays an integer), so writing
    it again loses nothing.
    """

    channels: tuple[Channel, ...]
    observations: tuple[Observation, ...]
    measurements: tuple[Measurement, ...]
    version: str = "1.0.0"

    def measurement(self, name: str | None = None) -> Measurement:
        """The measurement called `name`; the first one where `name` is `None`.

        Raises `UnknownName` with the list of what there is.
        """
        if name is None:
            return self.measurements[0]
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise UnknownName("measurement", name, [each.name for each in self.measurements])

    def observation(self, channel: str) -> Observation:
        """The observation of `channel`; raises `UnknownName`."""
        for observation in self.observations:
            if observation.name == channel:
                return observation
        raise UnknownName("observation", channel, [each.name for each in self.observations])
