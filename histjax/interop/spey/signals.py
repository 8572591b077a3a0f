"""What is signal in a workspace: the samples that a parameter of interest acts on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from histjax.spec import Channel, NormFactor, Sample, Workspace


@dataclass(frozen=True, eq=False)
class SignalYields:
    """Nominal yields of a workspace, as written, in the flat order of its bins (channels sorted by name).

    **Fields:** `signal` is the sum of the samples that the parameter of interest acts on, `background` of those that
    no parameter of interest acts on; both `(bins,)`. `is_factor`: whether it multiplies the signal (a `normfactor`).
    """

    signal: Float[np.ndarray, "bins"]
    background: Float[np.ndarray, "bins"]
    is_factor: bool

    @property
    def is_alive(self) -> bool:
        """Whether a bin has signal."""
        return bool(np.any(self.signal > 0))

    @property
    def minimum_poi(self) -> float:
        """The factor at which the first bin has nothing left: -min(background / signal); -inf without a signal.

        Bins with a negative signal yield do not bound it from below.

        >>> SignalYields(np.array([2.0, 0.0, -1.0]), np.array([5.0, 1.0, 3.0]), True).minimum_poi
        -2.5
        """
        positive = self.signal > 0
        return float(0.0 - np.min(self.background[positive] / self.signal[positive], initial=np.inf))


def signal_yields(workspace: Workspace, pois: Sequence[str]) -> SignalYields:
    """Signal and background of a workspace; the first of `pois` is the one whose signal it is."""
    channels = sorted(workspace.channels, key=lambda each: each.name)
    used = [each.type for channel in channels for sample in channel.samples for each in _named(sample, pois[:1])]
    return SignalYields(
        signal=np.concatenate([_summed(each, pois[:1], True) for each in channels]),
        background=np.concatenate([_summed(each, pois, False) for each in channels]),
        is_factor=all(each == NormFactor.type for each in used),
    )


def _named(sample: Sample, pois: Sequence[str]) -> list:
    """The modifiers of a sample that belong to one of the parameters, or to the set that it is a component of."""
    return [each for each in sample.modifiers if any(poi in (each.name, _component(poi, each.name)) for poi in pois)]


def _component(poi: str, name: str) -> str | None:
    return poi if poi.startswith(f"{name}[") else None


def _summed(channel: Channel, pois: Sequence[str], acted_on: bool) -> Float[np.ndarray, "bins"]:
    chosen = [each.nominal_yields for each in channel.samples if bool(_named(each, pois)) is acted_on]
    return np.sum(np.array(chosen, dtype=np.float64).reshape(len(chosen), channel.n_bins), axis=0)
