r"""Constraint terms read as densities of their parameters: what the auxiliary data say of them.

A term c(a | theta) is a density of the datum a. As a function of theta it is a normalised density q(theta) times a
factor that depends on the datum alone:

| kind | q(theta) | c / q |
|---|---|---|
| normal | Gauss(theta \| a, sigma) | 1 |
| poisson, a counts expected tau theta | Gamma(theta; a + 1, tau) | 1 / tau |
| gamma | Gamma(theta; tau a + 1, tau) | 1 |
| lognormal, s = ln kappa | LogNormal(theta; a exp(s^2), kappa) | exp(s^2 / 2) |
"""

from typing import NamedTuple

import numpy as np

from histjax.bayes.priors import Gamma, LogNormal, Normal, Prior
from histjax.model.histfactory import Model
from histjax.model.likelihood import Likelihood


class ConstraintDensity(NamedTuple):
    """Constraint terms of one kind: flat indices of their parameters, q without bounds, and ln(c / q) of each."""

    places: np.ndarray
    prior: Prior
    log_factor: np.ndarray


def constraint_densities(likelihood: Likelihood, data, free: np.ndarray) -> list[ConstraintDensity]:
    """The terms of the components that are `free`; those of kinds that are not in the table are left out.

    Of a likelihood that is no HistFactory model the normal ones are known, by their centres and widths.
    """
    terms = _of_model(likelihood, data) if isinstance(likelihood, Model) else _of_any(likelihood, data)
    chosen = [_chosen(*each, free) for each in terms]
    return [each for each in chosen if each.places.size]


def _chosen(places, family, fields, log_factor, free) -> ConstraintDensity:
    kept = free[places]
    factors = np.broadcast_to(log_factor, places.shape)[kept]
    chosen = [np.broadcast_to(each, places.shape)[kept] for each in fields]
    return ConstraintDensity(places[kept], family(*chosen) if np.any(kept) else None, factors)


def _of_any(likelihood: Likelihood, data) -> list[tuple]:
    parameters = likelihood.parameters
    kinds = np.array([each.constraint for each in parameters.sets for _ in range(each.size)])
    places = np.flatnonzero(kinds == "normal")
    centres, widths = np.asarray(likelihood.constraint_centres(data)), np.asarray(parameters.widths)
    return [(places, Normal, (centres[places], widths[places]), 0.0)]


def _of_model(model: Model, data) -> list[tuple]:
    t, c = model.tables, model.constraints
    auxiliary = np.asarray(data)[model.layout.n_bins :]
    units, rates = np.asarray(c.units), np.asarray(c.factors)
    counts = units * auxiliary[np.asarray(t.poisson_auxiliary)]
    widths, centres = np.asarray(c.log_kappas), auxiliary[np.asarray(t.lognormal_auxiliary)]
    with np.errstate(divide="ignore"):  # a component that a rule on empty bins holds has no rate
        factors = np.log(units) - np.log(rates)
    normal = auxiliary[np.asarray(t.normal_auxiliary)], np.asarray(c.sigmas)
    lognormal = centres * np.exp(widths**2), np.exp(widths)
    return [
        (np.asarray(t.normal_parameter), Normal, normal, 0.0),
        (np.asarray(t.poisson_parameter), Gamma, (counts + 1.0, rates), factors),
        (np.asarray(t.lognormal_parameter), LogNormal, lognormal, 0.5 * widths**2),
    ]
