"""The numbers of modifiers by name, put into the flat templates of a model."""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Int

from histjax._typing import is_traced, on_host
from histjax.errors import InvalidModel, UnknownName
from histjax.lower.layout import Layout, ParameterSet, Row
from histjax.lower.templates import Tables, Templates

Variations = Mapping[tuple[str, str, str], tuple[ArrayLike, ArrayLike] | ArrayLike]
"""`{(channel, sample, modifier): (lo, hi) or uncertainties}`."""


class _Place(NamedTuple):
    """Where a modifier acts: its row, the number of that, and the parameter set that drives it."""

    row: Row
    index: int
    parameter: ParameterSet

    @property
    def words(self) -> str:
        """Its name in messages."""
        return f"modifier {self.parameter.name!r} of sample {self.row.sample!r} in channel {self.row.channel!r}"


class _Entries(NamedTuple):
    """Which entries of some templates a modifier has, and which of its values belongs to each."""

    templates: tuple[str, ...]
    own: Bool[Array | np.ndarray, "entries"]
    place: Int[Array | np.ndarray, "entries"]


def replaced_variations(layout: Layout, templates: Templates, tables: Tables, variations: Variations) -> Templates:
    """`templates` with the numbers of some modifiers; raises `UnknownName`, `InvalidModel`."""
    rows = {(row.channel, row.sample): (row, index) for index, row in enumerate(layout.rows)}
    sets = {each.name: each for each in layout.parameters}
    for (channel, sample, name), value in variations.items():
        if (channel, sample) not in rows:
            raise UnknownName("(channel, sample)", (channel, sample), rows)
        if name not in sets:
            raise UnknownName("modifier", name, sets)
        place = _Place(*rows[channel, sample], sets[name])
        values = _checked(place, value)
        templates = _filled(templates, _found(layout, tables, place, values), values)
    return jax.tree.map(jnp.asarray, templates)


def _checked(place: _Place, value) -> tuple:
    """The values as a tuple: lo and hi, or uncertainties alone."""
    values, n_bins = value if isinstance(value, tuple) else (value,), place.row.stop - place.row.start
    shapes = {np.shape(each) for each in values}
    if len(values) > 2 or len(shapes) != 1 or not shapes <= {(n_bins,), ()} or (len(values) == 1 and () in shapes):
        raise InvalidModel(
            f"{place.words}: found shapes {', '.join(str(np.shape(each)) for each in values)}; give a tuple (lo, hi) "
            f"of two templates ({n_bins},) or of two factors, or an array of uncertainties ({n_bins},)"
        )
    return tuple(values)


def _found(layout: Layout, tables: Tables, place: _Place, values: tuple) -> _Entries:
    """The entries of a modifier, of the kind that its values ask for; raises `InvalidModel` where there are none."""
    row, parameter = place.row, place.parameter
    alpha = layout.alphas.index(parameter.start) if parameter.start in layout.alphas else -1
    if len(values) == 1:
        kind = "staterror" if "staterror" in parameter.modifiers else "shapesys"
        cells, drives = (on_host(getattr(tables, f"{kind}_{axis}")) for axis in ("cell", "parameter"))
        own = (drives >= parameter.start) & (drives < parameter.start + parameter.size)
        found = _Entries((f"{kind}_uncertainty",), own & (cells >= row.start) & (cells < row.stop), cells - row.start)
    elif np.shape(values[0]) == ():
        kind, rows = "normsys", on_host(tables.normsys_row)
        own = (rows == place.index) & (on_host(tables.normsys_alpha) == alpha)
        found = _Entries(("normsys_lo", "normsys_hi"), own, 0 * rows)
    else:
        kind, cells = "histosys", on_host(tables.histosys_cell)
        own = (cells >= row.start) & (cells < row.stop) & (on_host(tables.histosys_alpha) == alpha)
        found = _Entries(("histosys_lo", "histosys_hi"), own, cells - row.start)
    if kind not in parameter.modifiers or not (is_traced(found.own) or found.own.any()):
        raise InvalidModel(f"{place.words} is no {kind}; the name drives {', '.join(parameter.modifiers) or 'nothing'}")
    return found


def _filled(templates: Templates, entries: _Entries, values: tuple) -> Templates:
    """`templates` with the values of one modifier; NaN where traced tables turn out not to have it."""
    xp = jnp if is_traced(templates, entries.own, values) else np
    for name, value in zip(entries.templates, values, strict=True):
        old = xp.asarray(getattr(templates, name))
        value = xp.reshape(xp.asarray(value, old.dtype), -1)
        new = xp.where(entries.own, value[xp.clip(entries.place, 0, value.size - 1)], old)
        new = xp.where(xp.any(entries.own), new, xp.nan)
        templates = eqx.tree_at(lambda tree, name=name: getattr(tree, name), templates, new)
    return templates
