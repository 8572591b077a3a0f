"""What a source sends: a function of energy and named parameters, with their starting values and ranges."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from histjax.spec.functions import NewParameter
from histjax.spectra.checking import Problems

WHOLE = "params"
"""A second argument of this name takes all parameters as one dictionary."""


@dataclass(frozen=True, eq=False)
class SpectralModel:
    """A photon spectrum with parameters.

    **Fields:**

    - `function`: photons per cm², second and keV at energies `(energies,)` in keV, written with `jax.numpy`:
      `function(energy, index=..., ...)`, or `function(energy, params)` with a dictionary, where the second argument is
      called so. Sums and products of models are such functions. An `equinox.Module` keeps its arrays as leaves.
    - `parameters`: `{name: histjax.NewParameter(init, bounds, fixed)}`; a number is a starting value without bounds.

    **Raises:** `InvalidSpectrum` with all problems.

    >>> from histjax.spectra import power_law
    >>> model = SpectralModel(power_law, {"norm": NewParameter(1.0, (0.0, 100.0)), "index": NewParameter(2.0, (-1, 5))})
    >>> print(model(np.array([1.0, 10.0])))
    [1.   0.01]
    """

    function: Callable
    parameters: Mapping[str, NewParameter]

    def __post_init__(self):
        problems = Problems("spectral model")
        if not callable(self.function):
            problems.add(True, f"the function must be callable, found {self.function!r}")
            problems.raise_any()
        parameters = {name: _parameter(problems, name, value) for name, value in self.parameters.items()}
        problems.add(not parameters, "a model needs at least one parameter")
        if not takes_whole(self.function):
            _check_names(problems, self.function, parameters)
        problems.raise_any()
        object.__setattr__(self, "parameters", parameters)

    def __call__(self, energy, **values):
        """The spectrum at energies in keV; parameters without a value have their starting one."""
        return flux(self.function, energy, {name: each.init for name, each in self.parameters.items()} | values)


def flux(function: Callable, energy, values: Mapping):
    """`function` at the energies for parameter values by name."""
    return function(energy, dict(values)) if takes_whole(function) else function(energy, **values)


def takes_whole(function: Callable) -> bool:
    """Whether the function takes its parameters as one dictionary."""
    return list(inspect.signature(function).parameters)[1:2] == [WHOLE]


def _parameter(problems: Problems, name: str, value) -> NewParameter | None:
    if isinstance(value, Real):
        value = NewParameter(float(value))
    if not isinstance(value, NewParameter):
        problems.add(True, f"parameter {name!r} must be a histjax.NewParameter or a number, found {value!r}")
        return None
    problems.add("." in name, f"parameter {name!r} has a dot in its name, which stands between spectrum and parameter")
    low, high = value.bounds
    inside = np.isfinite(value.init) and low <= value.init <= high
    problems.add(not inside, f"parameter {name!r} starts at {value.init:g}, outside of its bounds ({low:g}, {high:g})")
    return value


def _check_names(problems: Problems, function: Callable, parameters: Mapping) -> None:
    """The function takes each parameter, and nothing that it needs is missing."""
    taken = list(inspect.signature(function).parameters.values())[1:]
    if any(each.kind is each.VAR_KEYWORD for each in taken):
        return
    named = [each for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    known = ", ".join(each.name for each in named) or "none"
    for name in parameters:
        unknown = name not in [each.name for each in named]
        problems.add(unknown, f"the function has no argument {name!r} after the energy; it has: {known}")
    for each in named:
        missing = each.default is each.empty and each.name not in parameters
        problems.add(missing, f"the function needs {each.name!r}, which is not among the parameters")
