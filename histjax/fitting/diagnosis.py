"""Why a fit did not converge, or converged to no single point: in names and numbers that lead back to the model."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from histjax._typing import is_traced
from histjax.fitting.arrow import scaled
from histjax.fitting.result import FitResult
from histjax.model.curvature import dense_curvature, without_structure
from histjax.model.data import BinTerm
from histjax.model.likelihood import Likelihood

FLAT_BELOW = 1e-7
"""A direction whose curvature is below it, on the Hessian scaled to unit diagonal, is reported; single precision
cannot tell curvatures below 1e-4 from 0.
"""
NEGLIGIBLE = 1e-8
"""What changes -2 ln L by less is not worth a word."""
SMALLEST_WEIGHT = 0.1
"""Components of a direction below it are left out."""
MOST_BINS = 5
MOST_PARAMETERS = 2000
"""Eigenvectors of a larger Hessian take minutes."""
LONGEST_LIST = 3
"""How many bins, directions or parameters the text shows of each kind; the record has them all."""


class Direction(NamedTuple):
    """A direction along which the likelihood is flat or falls.

    **Fields:** `curvature`: along it, where the Hessian has unit diagonal: 0 if flat, negative if the likelihood falls;
    `weights`: by component name, the largest is 1, in units of the distance over which each component alone would
    change -2 ln L by 1.
    """

    curvature: float
    weights: dict[str, float]

    def __str__(self) -> str:
        terms = [("-" if weight < 0 else "+", abs(weight), name) for name, weight in self.weights.items()]
        text = " ".join(f"{sign} {name}" if size > 0.995 else f"{sign} {size:.2g} {name}" for sign, size, name in terms)
        return text.removeprefix("+ ")


class Slope(NamedTuple):
    """A component, its value, and d(-2 ln L)/d(value) there: positive on a lower bound, negative on an upper one."""

    name: str
    value: float
    slope: float

    def __str__(self) -> str:
        return f"{self.name} at {self.value:.6g}, where -2 ln L has slope {self.slope:.3g}"


class Diagnosis(NamedTuple):
    """What stands in the way of a fit; printing it gives a few lines.

    **Fields:**

    - `message`: the status of the fit in words.
    - `worst_bins`: up to five bins that contribute most to the deviance, the worst first; empty for a likelihood
      without bins.
    - `without_effect`: free components that the likelihood does not depend on.
    - `directions`: where the likelihood is flat or falls although the gradient may vanish, the worst first.
    - `held_by_bounds`: components that a bound stops, the most strongly pushed first.
    - `on_kinks`: components that a kink of the interpolation holds at 0.
    - `steepest`: the free component with the largest remaining gradient, relative to its curvature; `None` where
      no gradient is left.
    - `not_finite`: components that are no numbers.
    """

    message: str
    worst_bins: list[BinTerm]
    without_effect: list[str]
    directions: list[Direction]
    held_by_bounds: list[Slope]
    on_kinks: list[str]
    steepest: Slope | None
    not_finite: list[str]

    @property
    def reasons(self) -> list[str]:
        """The diagnosis in sentences, without the message."""
        found = [
            ("not a number", self.not_finite),
            ("worst bins", self.worst_bins),
            ("no effect on the likelihood", self.without_effect),
            ("flat or falling along", self.directions),
            ("stopped by a bound", self.held_by_bounds),
            ("on a kink at 0", self.on_kinks),
            ("steepest", [self.steepest] if self.steepest else []),
        ]
        return [f"{title}: {_some(each)}" for title, each in found if each]

    def __str__(self) -> str:
        return "\n  ".join([self.message, *self.reasons])


def _some(each: list) -> str:
    more = [f"and {len(each) - LONGEST_LIST} more"] if len(each) > LONGEST_LIST else []
    return "; ".join([*map(str, each[:LONGEST_LIST]), *more])


def diagnose(likelihood: Likelihood, data, result: FitResult) -> Diagnosis:
    """Say where the data are described worst, and which parameters keep a fit from a well-defined minimum.

    **Arguments:** `likelihood`, `data`: those that were fitted; `result`: one fit, converged or not. Of a batch take a
    lane first: `jax.tree.map(lambda leaf: leaf[i], result)`.

    Nothing is fitted again: a few numbers are read off the certificate. **Raises:** `ValueError` inside a trace and
    for a batch.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(histjax.diagnose(model, model.data, histjax.fit(model)).held_by_bounds[0])
    mu at 0, where -2 ln L has slope 0.5
    """
    if is_traced(likelihood, data, result) or np.ndim(result.status):
        raise ValueError("a diagnosis is of one fit and outside a trace: choose a lane of a batch first")
    names, fixed, active, on_bound = (
        np.asarray(each) for each in (result.parameters.component_names, result.fixed, result.active, result.on_bound)
    )
    vector, gradient, hessian = (np.asarray(each) for each in (result.vector, result.gradient, result.hessian))
    free = ~fixed & ~active
    idle = free & (np.max(np.abs(hessian), axis=1, initial=0) < 1e-12) & (np.abs(gradient) < 1e-12)
    return Diagnosis(
        message=result.message,
        worst_bins=worst_bins(likelihood, result.vector, data),
        without_effect=names[idle].tolist(),
        directions=flat_directions(hessian, ~free | idle, names),
        held_by_bounds=_held_by_bounds(names, vector, gradient, active & on_bound),
        on_kinks=names[active & ~on_bound].tolist(),
        steepest=_steepest(names[free], vector[free], gradient[free], np.diagonal(hessian)[free]),
        not_finite=names[~np.isfinite(vector)].tolist(),
    )


def worst_bins(likelihood: Likelihood, vector: Float[Array, "parameters"], data) -> list[BinTerm]:
    """The bins with the largest contribution to the deviance; an undefined one counts as infinite."""
    terms = likelihood.bin_terms(vector, data)
    sizes = np.nan_to_num([each.deviance for each in terms], nan=np.inf)
    return [terms[i] for i in np.argsort(-sizes, kind="stable")[:MOST_BINS] if sizes[i] > NEGLIGIBLE]


def flat_directions(hessian: Float[Array, "parameters parameters"], held: Array, names: Array) -> list[Direction]:
    """Directions of the free parameters in which the curvature is negative or nearly 0, the most negative first.

    The eigenvectors of the scaled Hessian; where several are flat, the combinations of them with the fewest components.
    None are looked for among more than `MOST_PARAMETERS`.
    """
    if len(names) > MOST_PARAMETERS:
        return []
    system = scaled(without_structure(len(names)), dense_curvature(jnp.asarray(hessian)), jnp.asarray(held))
    matrix = np.asarray(system.matrix())
    if not np.all(np.isfinite(matrix)):
        return []
    values, vectors = np.linalg.eigh(matrix)
    margin = FLAT_BELOW if matrix.dtype == np.float64 else 1e-4
    falling, flat = values < -margin, np.abs(values) <= margin
    found = [(value, vector) for value, vector in zip(values[falling], vectors[:, falling].T, strict=True)]
    found += [(vector @ matrix @ vector / (vector @ vector), vector) for vector in sparse_basis(vectors[:, flat].T)]
    return [Direction(float(value), _weights(vector, names)) for value, vector in found]


def sparse_basis(rows: Float[Array, "directions parameters"]) -> Float[Array, "directions parameters"]:
    """The same span with many zeros, by Gauss-Jordan elimination with the largest pivot: it names causes apart."""
    rows = np.array(rows)
    for i in range(len(rows)):
        # a pivot that an earlier direction has used is zero in all others
        pick, column = np.unravel_index(np.argmax(np.abs(rows[i:])), rows[i:].shape)
        rows[[i, i + pick]] = rows[[i + pick, i]]
        rows[i] /= rows[i, column]
        others = np.arange(len(rows)) != i
        rows[others] -= np.outer(rows[others, column], rows[i])
    return rows


def _weights(vector, names) -> dict[str, float]:
    """Components above a tenth of the largest, which is made 1; in the order of the parameters."""
    largest = vector[np.argmax(np.abs(vector) > (1 - 1e-6) * np.max(np.abs(vector)))]
    weights = vector / largest
    return {str(names[i]): float(weights[i]) for i in np.flatnonzero(np.abs(weights) >= SMALLEST_WEIGHT)}


def _held_by_bounds(names, vector, gradient, mask) -> list[Slope]:
    places = sorted(np.flatnonzero(mask), key=lambda i: -abs(gradient[i]))
    return [Slope(str(names[i]), float(vector[i]), 2 * float(gradient[i])) for i in places]


def _steepest(names, vector, gradient, curvature) -> Slope | None:
    gains = gradient**2 / np.maximum(np.abs(curvature), 1e-12)
    if not np.any(gains > NEGLIGIBLE):
        return None
    i = int(np.argmax(gains))
    return Slope(str(names[i]), float(vector[i]), 2 * float(gradient[i]))
