"""The response of an instrument: in which channel a photon of an energy is counted, and how large the instrument is."""

from dataclasses import dataclass, replace

import numpy as np

from histjax.spectra.checking import Problems, constant, ranges_of


@dataclass(frozen=True, eq=False)
class Response:
    r"""A detector response: a source that sends F_i photons per cm² and second in energy bin i is counted at the rate
    \(m_c = \sum_i F_i A_i R_{ic}\) in channel c.

    **Fields:**

    - `energies`: energy bins in keV, as edges `(energies + 1,)` or as lower and upper ends `(energies, 2)`; kept as the
      latter.
    - `matrix`: R, `(energies, channels)`: probabilities, or cm² where there is no `area`.
    - `area`: effective area A in cm², `(energies,)`; by default 1.
    - `channels`: nominal energies of the channels in keV, edges or ends as above; `None` where they are not known.
    - `first_channel`: number of the first channel.

    **Raises:** `InvalidSpectrum` with all problems.

    >>> response = Response([1.0, 2.0, 4.0], [[0.8, 0.1], [0.2, 0.7]], area=[100.0, 50.0], channels=[1.0, 2.0, 4.0])
    >>> print(response.drm)
    [[80. 10.]
     [10. 35.]]
    """

    energies: np.ndarray
    matrix: np.ndarray
    area: np.ndarray | None = None
    channels: np.ndarray | None = None
    first_channel: int = 1

    def __post_init__(self):
        problems = Problems("response")
        energies = ranges_of(problems, "energies", self.energies)
        n = None if energies is None else len(energies)
        matrix = problems.array("matrix", self.matrix, (n, None), positive=">= 0")
        area = None if self.area is None else problems.array("area", self.area, (n,), positive=">= 0")
        channels = None if self.channels is None else ranges_of(problems, "channels", self.channels)
        if channels is not None and matrix is not None:
            n = matrix.shape[1]
            problems.add(len(channels) != n, f"there are {len(channels)} channels, the matrix has {n} columns")
        problems.raise_any()
        for name, value in dict(energies=energies, matrix=matrix, area=area, channels=channels).items():
            object.__setattr__(self, name, value)

    @classmethod
    def diagonal(cls, energies, area=None, *, first_channel: int = 1) -> "Response":
        """An ideal instrument, whose channels are its energy bins: a photon is counted in the channel of its energy.

        >>> print(Response.diagonal([1.0, 2.0, 4.0]).matrix)
        [[1. 0.]
         [0. 1.]]
        """
        problems = Problems("response")
        ranges = ranges_of(problems, "energies", energies)
        problems.raise_any()
        return cls(ranges, np.eye(len(ranges)), area, ranges, first_channel)

    @property
    def drm(self) -> np.ndarray:
        """The detector response matrix R A in cm², `(energies, channels)`."""
        return self.matrix if self.area is None else constant(self.matrix * self.area[:, None])

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.matrix.shape[1]

    def with_area(self, area) -> "Response":
        """The same with another effective area in cm², `(energies,)`."""
        return replace(self, area=area)

    def __repr__(self) -> str:
        low, high = self.energies[0, 0], self.energies[-1, 1]
        return f"Response({len(self.energies)} energies from {low:g} to {high:g} keV, {self.n_channels} channels)"
