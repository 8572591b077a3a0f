"""Put the constraint terms that a user asked for in the place of those that HistFactory implies."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import ParameterSet
from histjax.lower.parameters import Settings
from histjax.spec.constraints import Constraint, Gamma, LogNormal, MultivariateNormal, Normal, Poisson, Uniform

KINDS = {
    Normal: "normal",
    LogNormal: "lognormal",
    Poisson: "poisson",
    Gamma: "gamma",
    Uniform: "none",
    MultivariateNormal: "correlated",
}
SMALLEST = 1e-10
"""Lower bound of a parameter whose density has no meaning at 0."""

Requests = Mapping[str | tuple[str, ...], Constraint]


def constrained_sets(sets: tuple[ParameterSet, ...], requests: Requests) -> tuple[ParameterSet, ...]:
    """The parameter sets with the kinds of constraint terms that were asked for; raises `UnknownName`,
    `InvalidModel`.
    """
    kinds: dict[str, str] = {}
    for key, constraint in requests.items():
        for name in _names(key, constraint):
            if name not in {each.name for each in sets}:
                raise UnknownName("parameter", name, [each.name for each in sets])
            if name in kinds:
                raise InvalidModel(f"parameter {name!r} is given two constraint terms")
            kinds[name] = KINDS[type(constraint)]
    return tuple(replace(each, constraint=kinds.get(each.name, each.constraint)) for each in sets)


def _names(key: str | tuple[str, ...], constraint: Constraint) -> tuple[str, ...]:
    if type(constraint) not in KINDS:
        raise InvalidModel(f"constraint of {key!r}: expected a value of histjax.constraints, found {constraint!r}")
    names = (key,) if isinstance(key, str) else tuple(key)
    if len(names) > 1 and not isinstance(constraint, MultivariateNormal):
        raise InvalidModel(f"{type(constraint).__name__} constrains one parameter, found {names}")
    return names


def constrained_settings(sets: tuple[ParameterSet, ...], chosen: Settings, requests: Requests):
    """The settings with centres, widths and bounds of the requested terms, and the covariance of all correlated ones.

    **Returns:** `Settings` and the matrix `(correlated, correlated)`, block by block in the order of the requests.
    """
    places = {each.name: np.arange(each.start, each.start + each.size) for each in sets}
    table = {name: np.array(value) for name, value in vars(chosen).items()}
    for each in sets:
        if each.constraint == "none":
            table["sigmas"][each.slice] = np.nan
    blocks = []
    for key, constraint in requests.items():
        place = np.concatenate([places[name] for name in _names(key, constraint)])
        blocks += _put(table, place, key, constraint)
    size = sum(len(block) for block in blocks)
    covariance, start = np.zeros((size, size)), 0
    for block in blocks:
        covariance[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return Settings(**table), covariance


def correlated_places(sets: tuple[ParameterSet, ...], requests: Requests) -> np.ndarray:
    """Flat indices of the correlated parameters, in the order of the covariance."""
    places = {each.name: np.arange(each.start, each.start + each.size) for each in sets}
    keys = [key for key, constraint in requests.items() if isinstance(constraint, MultivariateNormal)]
    names = [name for key in keys for name in ((key,) if isinstance(key, str) else key)]
    return np.concatenate([places[name] for name in names]) if names else np.zeros(0, int)


def _put(table: dict[str, np.ndarray], place: np.ndarray, key, constraint: Constraint) -> list[np.ndarray]:
    """Write one request into the table of settings; the covariance of a correlated one comes back."""
    match constraint:
        case Normal(sigma=sigma, centre=centre):
            _set(table, "sigmas", place, sigma, key)
            _set(table, "auxdata", place, table["init"][place] if centre is None else centre, key)
        case LogNormal(kappa=kappa, centre=centre):
            if not np.all(np.asarray(kappa) > 1):
                raise InvalidModel(f"constraint of {key!r}: kappa must be above 1, found {kappa}")
            _set(table, "sigmas", place, np.log(kappa), key)
            _set(table, "auxdata", place, table["init"][place] if centre is None else centre, key)
            table["lower"][place] = np.maximum(table["lower"][place], SMALLEST)
        case Poisson(tau=tau):
            _set(table, "factors", place, tau, key)
            table["auxdata"][place] = np.nan  # tau
            table["lower"][place] = np.maximum(table["lower"][place], SMALLEST)
        case Gamma(relative_uncertainty=relative, centre=centre):
            _set(table, "factors", place, None if relative is None else np.asarray(relative, float) ** -2.0, key)
            _set(table, "auxdata", place, table["init"][place] if centre is None else centre, key)
            table["lower"][place] = np.maximum(table["lower"][place], SMALLEST)
        case Uniform(lower=lower, upper=upper):
            if not np.all(np.asarray(lower) < np.asarray(upper)):
                raise InvalidModel(f"constraint of {key!r}: lower {lower} is not below upper {upper}")
            table["lower"][place], table["upper"][place] = lower, upper
            table["sigmas"][place] = (np.asarray(upper) - np.asarray(lower)) / np.sqrt(12)
        case MultivariateNormal(covariance=covariance, centre=centre):
            _set(table, "auxdata", place, table["init"][place] if centre is None else centre, key)
            return [_covariance(covariance, len(place), key)]
    return []


def _set(table: dict[str, np.ndarray], name: str, place: np.ndarray, value, key) -> None:
    """A value for one setting; `None` leaves it to what the modifiers imply."""
    if value is None:
        table[name][place] = np.nan
        return
    value = np.asarray(value, float)
    if value.shape not in ((), (len(place),)):
        raise InvalidModel(f"constraint of {key!r}: {len(place)} components, found a value of shape {value.shape}")
    if name != "auxdata" and not np.all(value > 0):
        raise InvalidModel(f"constraint of {key!r}: widths must be positive, found {value}")
    table[name][place] = value


def _covariance(covariance, size: int, key) -> np.ndarray:
    matrix = np.asarray(covariance, float)
    if matrix.shape != (size, size) or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise InvalidModel(
            f"constraint of {key!r}: expected a symmetric covariance of shape ({size}, {size}), found {matrix.shape}"
        )
    if np.linalg.eigvalsh(matrix)[0] <= 0:
        raise InvalidModel(f"constraint of {key!r}: the covariance is not positive definite")
    return matrix
