"""Modifiers given in Python: a factor that is any function of named parameters, and parameters that no document has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Factor:
    """A multiplicative modifier `function(*values)` of the parameters named in `parameters`.

    **Fields:**

    - `function`: takes the values of the parameters, in the order of `parameters`, with their shapes (`()` for scalars,
      `(n,)` for bin-wise sets); returns a factor for the sample, `()`, or one per bin, `(bins,)`. It is traced: write
      it with `jax.numpy`. An `equinox.Module` keeps its arrays as leaves of the model.
    - `parameters`: names of parameters of the workspace, or of `NewParameter`s.
    - `samples`: names of the samples it acts on; `channels`: names of the channels, all by default.

    The EFT parametrisation of a signal with a standard-model, an interference and a quadratic part:

        Factor(lambda c: c, ("c",), samples=["interference"]), Factor(lambda c: c**2, ("c",), samples=["quadratic"])
    """

    function: Callable
    parameters: Sequence[str]
    samples: Sequence[str]
    channels: Sequence[str] | None = None


@dataclass(frozen=True)
class NewParameter:
    """A scalar parameter that the workspace does not have: starting value, bounds, and whether it is held there."""

    init: float = 0.0
    bounds: tuple[float, float] = (-float("inf"), float("inf"))
    fixed: bool = False
