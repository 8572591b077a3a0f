"""The density of a histogram."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from histjax.hs3.binning import Histogram, as_histogram, bin_of
from histjax.hs3.intervals import log_of
from histjax.hs3.nodes import Argument, Distribution, Point, value


@dataclass(frozen=True, kw_only=True)
class HistogramDensity(Distribution):
    """Steps: f = contents / volume of the bin where the observables are, 0 outside of the axes (RooHistPdf with
    interpolation order 0; not in the text of the standard).

    Key `data`: an object with `axes` (`nbins`, `min`, `max`, or `edges`), one or more, and `contents`, which are counts
    and not densities: bins of unequal width count by their width, as in ROOT. Its interpolation order is not written
    to a document, so that ROOT itself reads back order 0. Closed integral over all of the axes, bins cut by the range
    included. PyHS3 0.4.2 has the class but does not know the type.
    """

    types = ("histogram_dist",)
    data: Histogram = value("data", read=as_histogram)

    @staticmethod
    def check(found: dict) -> list[str]:
        """A density is nowhere below 0."""
        contents = found["data"].contents
        problems = [f"content {each:g} is below 0, a density is not" for each in contents if each < 0][:1]
        return problems or ([] if any(contents) else ["all contents are 0"])

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The observables of the axes."""
        return self.data.names

    @property
    def variable(self) -> Argument | None:
        """The one observable; `None` where there are several."""
        return self.data.names[0] if len(self.data.names) == 1 else None

    def log_density(self, at: Point) -> Array:
        """ln of the step."""
        places, inside = bin_of(self.data.axes, at)
        heights = self.data.array / self.data.volumes
        with np.errstate(divide="ignore"):
            logarithms = np.log(heights)
        dtype = jnp.result_type(float)
        return jnp.where(inside, jnp.asarray(logarithms, dtype)[places], -jnp.inf)

    def log_integral(self, at: Point, over: tuple[str, ...]) -> Array | None:
        """ln of the sum of heights times the part of each bin in the range."""
        if set(over) != set(self.data.names):
            return None
        total = jnp.asarray(self.data.array / self.data.volumes, jnp.result_type(float))
        for axis in reversed(self.data.axes):
            lo, hi = at.limits(axis.name)
            edges = jnp.asarray(axis.edges, total.dtype)
            inner = jnp.clip(edges, lo, hi)
            total = total @ (inner[1:] - inner[:-1])
        return log_of(total)

    def breaks(self, at: Point, observable: str) -> tuple[Array, ...]:
        """The edges."""
        return tuple(jnp.asarray(edge) for axis in self.data.axes if axis.name == observable for edge in axis.edges)
