"""The static half of a lowered model: names, sizes and the ways to interpolate, hashable by content.

An executable is compiled for a layout. Two workspaces with equal layouts share it, whatever their numbers are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal

Constraint = Literal["none", "normal", "poisson", "gamma", "lognormal", "correlated"]


@dataclass(frozen=True)
class ParameterSet:
    """One named parameter set and its place in the flat parameter vector.

    **Fields:** `name`; `size` components starting at `start`; `is_scalar` (shape `()` rather than `(size,)`);
    `constraint` is the kind of its constraint term; `modifiers` are the modifier types that it drives.
    """

    name: str
    start: int
    size: int
    is_scalar: bool
    constraint: Constraint
    modifiers: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the leaf in `Params`."""
        return () if self.is_scalar else (self.size,)

    @property
    def slice(self) -> slice:
        """Place in the flat vector."""
        return slice(self.start, self.start + self.size)

    @property
    def component_names(self) -> tuple[str, ...]:
        """`("mu",)` for a scalar, `("gamma[0]", "gamma[1]", ...)` for a bin-wise set, as in pyhf."""
        return (self.name,) if self.is_scalar else tuple(f"{self.name}[{i}]" for i in range(self.size))


@dataclass(frozen=True)
class Row:
    """One sample in one channel: its cells are `start ... stop` of the flat cell axis."""

    channel: str
    sample: str
    start: int
    stop: int


@dataclass(frozen=True)
class ChannelBins:
    """One channel: its bins are `start ... stop` of the flat bin axis."""

    name: str
    start: int
    stop: int

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.stop - self.start


@dataclass(frozen=True)
class Layout:
    """Everything about a HistFactory model that is not a number.

    Channels are sorted by name, samples by name within a channel; parameter sets follow pyhf's order.

    **Fields:** `poi` is the measurement's parameter of interest, if the model has it; `alphas` are the flat indices
    of the parameters that interpolate and `histosys_codes` the code of each; `normsys_codes` are runs `(code, start,
    stop)` over the normsys entries; `factors` the flat indices of the scalar factors (normfactor, lumi); `locals_`
    those of the bin-wise factors, and `narrow` the ones among them that a Schur complement eliminates; `piece` is how
    many cells are taken at a time where they are many (histosys templates are then stored entry by entry); `kinks`
    are the flat indices of parameters with a piecewise code, whose yields have a kink at 0;
    `float_negative_staterror` frees the staterror components of a negative total; `clip_sample_data`, `clip_bin_data`
    are floors on expected yields, or `None`.
    """

    channels: tuple[ChannelBins, ...]
    rows: tuple[Row, ...]
    parameters: tuple[ParameterSet, ...]
    poi: str | None
    alphas: tuple[int, ...]
    histosys_codes: tuple[Callable, ...]
    normsys_codes: tuple[tuple[Callable, int, int], ...]
    factors: tuple[int, ...]
    locals_: tuple[int, ...]
    narrow: tuple[int, ...]
    piece: int | None
    kinks: tuple[int, ...]
    n_modifiers: int
    float_negative_staterror: bool = False
    clip_sample_data: float | None = None
    clip_bin_data: float | None = None

    @cached_property
    def _content(self) -> tuple:
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other) -> bool:
        # compiled functions look their executable up by this at every call: identity first, then the hash
        if self is other:
            return True
        return isinstance(other, Layout) and self._hash == other._hash and self._content == other._content

    @property
    def n_parameters(self) -> int:
        """Length of the flat parameter vector."""
        return sum(each.size for each in self.parameters)

    @property
    def n_wide(self) -> int:
        """Bin-wise factors that are not narrow."""
        return len(self.locals_) - len(self.narrow)

    @property
    def n_bins(self) -> int:
        """Bins of all channels."""
        return self.channels[-1].stop

    @property
    def n_cells(self) -> int:
        """Cells, a cell being one sample in one bin."""
        return self.rows[-1].stop

    @property
    def constrained(self) -> tuple[ParameterSet, ...]:
        """The parameter sets with a constraint term, in the order of the auxiliary data."""
        return tuple(each for each in self.parameters if each.constraint != "none")

    @property
    def auxiliary_places(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Slice and shape of the auxiliary data of each of them."""
        ends = accumulate(each.size for each in self.constrained)
        return {
            each.name: (slice(end - each.size, end), (each.size,))
            for each, end in zip(self.constrained, ends, strict=True)
        }

    @property
    def row_places(self) -> dict[tuple[str, str], tuple[slice, tuple[int, ...]]]:
        """Slice and shape of the cells of each (channel, sample)."""
        return {(row.channel, row.sample): (slice(row.start, row.stop), (row.stop - row.start,)) for row in self.rows}
