"""What corner and trace plots draw: the free components of `Samples`, or draws by name."""

from collections.abc import Mapping, Sequence

import numpy as np

from histjax.errors import UnknownName


def draws_of(draws) -> Mapping[str, np.ndarray]:
    """Draws by name, `(chains, draws)` each of `Samples`, the parameter of interest first; a mapping as it is."""
    if isinstance(draws, Mapping):
        return draws
    columns = dict(zip(draws.names, np.moveaxis(draws.vectors, -1, 0), strict=True))
    return {name: columns[name] for name in sorted(draws.free_names, key=lambda name: name != draws.poi)}


def chosen_names(draws: Mapping, names: Sequence[str] | None, most: int) -> list[str]:
    """The names that are asked for, or the first ones; raises `UnknownName`."""
    names = list(draws)[:most] if names is None else list(names)
    for name in names:
        if name not in draws:
            raise UnknownName("parameter", name, draws)
    return names
