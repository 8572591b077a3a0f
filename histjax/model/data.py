"""A dataset: main measurement and auxiliary measurements, by name."""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import joined, split
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import Layout


class Data(eqx.Module):
    """Counts per channel and auxiliary data per constrained parameter.

    **Fields:**

    - `main`: `{channel: (bins,)}`, observed or expected counts (real numbers: an Asimov dataset is not integer).
    - `aux`: `{parameter: (n,)}`, the centre of each constraint term: alpha for interpolating parameters, 1 for
      `staterror`, tau = (b/u)^2 counts for `shapesys`.
    """

    main: dict[str, Float[Array, "..."]]
    aux: dict[str, Float[Array, "..."]]


class LogpdfTerms(eqx.Module):
    """The log density term by term; the sum of all values is `logpdf`.

    **Fields:** `main` is the Poisson term of each channel, `constraints` the constraint term of each parameter; both
    `()`.
    """

    main: dict[str, Float[Array, ""]]
    constraints: dict[str, Float[Array, ""]]

    @property
    def total(self) -> Float[Array, ""]:
        """The log density."""
        return sum([*self.main.values(), *self.constraints.values()])


class BinTerm(NamedTuple):
    """One bin of a channel: the count that is expected, the one that is observed, and what it adds to the deviance."""

    channel: str
    bin: int
    expected: float
    observed: float
    deviance: float

    def __str__(self) -> str:
        return f"channel {self.channel!r}, bin {self.bin}: expected {self.expected:.6g}, observed {self.observed:.6g}"


def bin_by_bin(expected: Mapping, observed: Mapping, deviance: Mapping) -> list[BinTerm]:
    """The bins of all channels, from `{channel: (bins,)}` of each number."""
    terms = []
    for channel in expected:
        columns = (np.asarray(each[channel]).tolist() for each in (expected, observed, deviance))
        terms += [BinTerm(channel, i, *numbers) for i, numbers in enumerate(zip(*columns, strict=True))]
    return terms


def listed(kind: str, sizes: list[tuple[str, int]], values: Mapping[str, Array]) -> list:
    """The values of every name in order; raises `UnknownName` and `InvalidModel` where names or sizes differ."""
    parts = []
    for name, size in sizes:
        if name not in values:
            raise UnknownName(f"{kind} in the data", name, values)
        if np.size(values[name]) != size:
            raise InvalidModel(
                f"the data have {np.size(values[name])} values for {kind} {name!r}, the model has {size}"
            )
        parts.append(values[name])
    return parts


def flat_data(layout: Layout, data: Data, dtype) -> Float[Array, "data"]:
    """Main counts, then auxiliary data, as one flat vector in pyhf's order."""
    channels = [(each.name, each.n_bins) for each in layout.channels]
    parameters = [(each.name, each.size) for each in layout.constrained]
    parts = [*listed("channel", channels, data.main), *listed("auxiliary datum", parameters, data.aux)]
    return joined(parts, dtype)


def by_sample(layout: Layout, cells: Float[Array, "cells"]) -> dict[str, dict[str, Array]]:
    """The cells of every sample, `{channel: {sample: (bins,)}}`."""
    yields: dict[str, dict[str, Array]] = {channel.name: {} for channel in layout.channels}
    for (channel, sample), values in split(cells, layout.row_places).items():
        yields[channel][sample] = values
    return yields
