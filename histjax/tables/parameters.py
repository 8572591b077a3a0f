"""The parameters of a likelihood as a table: free, constrained, fixed and linked ones."""

import numpy as np

from histjax.errors import InvalidPlot
from histjax.fitting.printing import HELD, component_notes
from histjax.tables.results import measured
from histjax.tables.table import Table


def parameters_table(likelihood, fit=None) -> Table:
    """Every parameter of a likelihood: value, range, and whether it is free, constrained, fixed or linked to another.

    **Arguments:**

    - `likelihood`: any `Likelihood`.
    - `fit`: a `FitResult` of it, whose best fit and uncertainties are then shown in place of the initial values; what
      was fixed in the fit, or is at a bound, is said.

    **Returns:** a `Table`, free parameters first, those with a constraint term after a line, linked ones last.

    **Raises:** `InvalidPlot` for a batch of fits, or the fit of another likelihood.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(parameters_table(model))
    | parameter | value | range | kind |
    |:--|--:|--:|--:|
    | mu | 1 | 0 to 10 | free |
    | uncorr_bkguncrt[0] | 1 | 1e-10 to 10 | poisson, 0.06 |
    | uncorr_bkguncrt[1] | 1 | 1e-10 to 10 | poisson, 0.135 |
    """
    parameters = likelihood.parameters
    if fit is not None:
        _check(parameters, fit)
    values, kinds, rows = _values(parameters, fit), _kinds(parameters, fit), {}
    lower, upper = np.asarray(parameters.lower), np.asarray(parameters.upper)
    for i in np.argsort(parameters.constrained, kind="stable"):
        name = parameters.component_names[i]
        rows[name] = (name, values[i], f"{lower[i]:g} to {upper[i]:g}", kinds[i])
    links = likelihood.linked_names
    linked = tuple((name, *rows[target][1:3], f"linked to {target}") for name, target in links)
    n_free = int(np.sum(~parameters.constrained))
    head = ("parameter", "value" if fit is None else "best fit", "range", "kind")
    return Table(head, (*rows.values(), *linked), frozenset({n_free, len(rows)}))


def _check(parameters, fit) -> None:
    if np.ndim(fit.status):
        raise InvalidPlot(f"a table is of one fit, this is a batch of shape {np.shape(fit.status)}; take one of them")
    if fit.parameters.component_names != parameters.component_names:
        raise InvalidPlot("the fit is of a likelihood with other parameters; give the one that was fitted")


def _values(parameters, fit) -> list[str]:
    """Initial values, or best-fit values with the uncertainties of those that were free."""
    if fit is None:
        return [f"{value:.6g}" for value in np.asarray(parameters.init)]
    sigmas, notes = np.sqrt(np.diagonal(np.asarray(fit.covariance))), component_notes(fit)
    rows = zip(np.asarray(fit.vector), sigmas, notes, strict=True)
    return [f"{value:.6g}" if note in HELD else measured(value, sigma) for value, sigma, note in rows]


def _kinds(parameters, fit) -> list[str]:
    """What holds each component: nothing, a constraint term and its width, or everything."""
    constraints = [each.constraint for each in parameters.sets for _ in range(each.size)]
    fixed = np.asarray(parameters.fixed if fit is None else fit.fixed)
    notes = [""] * fixed.size if fit is None else component_notes(fit)
    kinds = []
    for constraint, width, held, note in zip(constraints, np.asarray(parameters.widths), fixed, notes, strict=True):
        kind = "free" if constraint == "none" else f"{constraint}, {width:.3g}"
        kinds.append("fixed" if held else f"{kind}, {note}" if note else kind)
    return kinds
