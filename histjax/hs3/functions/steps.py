"""Functions that are constant in each bin."""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.hs3.binning import Axis, Histogram, as_axes, as_histogram, bin_of
from histjax.hs3.nodes import Argument, Arguments, Function, Point, arguments, value


@dataclass(frozen=True, kw_only=True)
class HistogramFunction(Function):
    """The content of the bin where the observables are, 0 outside of the axes (RooHistFunc with interpolation order 0;
    not in the text of the standard). Key `data`: an object with `axes` and `contents`, the last axis running fastest.
    """

    types = ("histogram",)
    data: Histogram = value("data", read=as_histogram)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The observables of the axes."""
        return self.data.names

    def value(self, at: Point) -> Array:
        """The content."""
        places, inside = bin_of(self.data.axes, at)
        return jnp.where(inside, jnp.asarray(self.data.array, jnp.result_type(float))[places], 0.0)


@dataclass(frozen=True, kw_only=True)
class Step(Function):
    """The parameter of the bin where the observables are (ParamHistFunc; not in the text of the standard).

    Keys `axes` and `parameters` (names and numbers), one for each bin, the *first* axis running fastest as in ROOT
    (contents of histograms run the other way); ROOT's `variables` repeats the names of the axes. Outside of the axes
    the nearest bin counts.
    """

    types = ("step",)
    axes: tuple[Axis, ...] = value("axes", read=as_axes)
    parameters: Arguments = arguments("parameters")
    variables: Arguments = arguments("variables", default=())

    @staticmethod
    def check(found: dict) -> list[str]:
        """As many parameters as bins."""
        names = tuple(axis.name for axis in found["axes"])
        bins = math.prod(len(axis.edges) - 1 for axis in found["axes"])
        problems = (
            [] if found["variables"] in ((), names) else [f"'variables' and 'axes' differ in their names: {names}"]
        )
        counts = f"'parameters' has {len(found['parameters'])} entries, the axes have {bins} bins"
        return problems + ([] if len(found["parameters"]) == bins else [counts])

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The observables and the parameters."""
        return *(axis.name for axis in self.axes), *self.parameters

    def value(self, at: Point) -> Array:
        """The parameter."""
        places, _ = bin_of(self.axes, at)
        strides = np.cumprod([1, *(len(axis.edges) - 1 for axis in self.axes[:-1])])
        place = sum(place * int(stride) for place, stride in zip(places, strides, strict=True))
        return jnp.stack([at(each) for each in self.parameters])[place]
