"""What a likelihood says of its parameters: names, shapes, starting values, bounds, and which of them are
constrained.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float, Shaped

from histjax._typing import Params, joined, split
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import ParameterSet


@dataclass(frozen=True)
class Parameter:
    """One parameter set with its settings; arrays have the shape of its leaf in `Params`.

    `width` is the prefit uncertainty: the width of the constraint term, NaN for a free parameter, 0 where a rule on
    empty bins holds a component.
    """

    name: str
    shape: tuple[int, ...]
    init: Array
    lower: Array
    upper: Array
    fixed: Array
    width: Array
    constraint: str
    modifiers: tuple[str, ...]

    @property
    def bounds(self) -> tuple[Array, Array]:
        """`(lower, upper)`."""
        return self.lower, self.upper


class Parameters(eqx.Module):
    """All parameter sets of a likelihood; the arrays are flat, in the order of `sets` (pyhf's order for HistFactory).

    Behaves as a mapping from name to `Parameter`.
    """

    sets: tuple[ParameterSet, ...] = eqx.field(static=True)
    init: Float[Array, "parameters"]
    lower: Float[Array, "parameters"]
    upper: Float[Array, "parameters"]
    fixed: Bool[Array, "parameters"]
    widths: Float[Array, "parameters"]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sets."""
        return tuple(each.name for each in self.sets)

    @property
    def component_names(self) -> tuple[str, ...]:
        """Names of the components of the flat vector, `name` or `name[i]`."""
        return tuple(name for each in self.sets for name in each.component_names)

    @property
    def constrained(self) -> Bool[np.ndarray, "parameters"]:
        """Which components have a constraint term; static."""
        return np.array([each.constraint != "none" for each in self.sets for _ in range(each.size)], bool)

    @property
    def in_functions(self) -> tuple[bool, ...]:
        """For each component, whether a user's function depends on it: then the likelihood may have several minima."""
        return tuple("function" in each.modifiers for each in self.sets for _ in range(each.size))

    def __len__(self) -> int:
        return len(self.sets)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Parameter:
        chosen = self.set(name)

        def leaf(flat):
            return flat[chosen.slice].reshape(chosen.shape)

        arrays = map(leaf, (self.init, self.lower, self.upper, self.fixed, self.widths))
        return Parameter(name, chosen.shape, *arrays, chosen.constraint, chosen.modifiers)

    def set(self, name: str) -> ParameterSet:
        """The parameter set called `name`; raises `UnknownName`."""
        for each in self.sets:
            if each.name == name:
                return each
        raise UnknownName("parameter", name, self.names)

    def index(self, name: str) -> slice:
        """Place in the flat vector of a set (`"gamma"`) or of one component (`"gamma[2]"`); raises `UnknownName`."""
        if name not in self.names:
            for place, component in enumerate(self.component_names):
                if component == name:
                    return slice(place, place + 1)
        return self.set(name).slice

    def place(self, name: str) -> int:
        """Place in the flat vector of one component; raises `UnknownName`, or `InvalidModel` for a set of several."""
        place = self.index(name)
        if place.stop - place.start != 1:
            raise InvalidModel(
                f"parameter {name!r} has {place.stop - place.start} components; name one of them: '{name}[0]', ..."
            )
        return place.start

    def ravel(self, params: Mapping[str, Array]) -> Float[Array, "parameters"]:
        """The flat vector of a parameter point; raises `UnknownName` and `InvalidModel` where names or shapes
        differ.
        """
        for name in params:
            self.set(name)
        missing = [name for name in self.names if name not in params]
        if missing:
            raise InvalidModel(
                f"the parameter point lacks {', '.join(map(repr, missing[:8]))}; it needs {len(self.sets)} sets"
            )
        return joined([self._checked(each, params[each.name]) for each in self.sets], self.init.dtype)

    def _checked(self, chosen: ParameterSet, value) -> Array:
        if np.size(value) != chosen.size:
            raise InvalidModel(
                f"parameter {chosen.name!r} has shape {chosen.shape}, found a value of shape {np.shape(value)}"
            )
        return value

    def unravel(self, vector: Shaped[Array, "... parameters"]) -> Params:
        """The parameter point of a flat vector; inverse of `ravel`. Leading axes are kept."""
        return split(vector, {each.name: (each.slice, each.shape) for each in self.sets})
