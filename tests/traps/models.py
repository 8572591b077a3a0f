"""The documents of the table as models, each compiled once."""

import functools

import jax.numpy as jnp

import histjax
from tests.traps.table import TRAPS


@functools.cache
def model_of(trap: str, name: str | None = None, **options) -> histjax.Model:
    """The model of a trap: of its first document, or of the one called `name`."""
    documents = TRAPS[trap].documents
    document = documents[name] if name else TRAPS[trap].document
    return histjax.compile(histjax.read(document), **options)


def with_counts(model: histjax.Model, **counts: list[float]) -> histjax.Data:
    """The model's data with other counts in some channels."""
    data = model.data
    return histjax.Data({**data.main, **{name: jnp.array(each) for name, each in counts.items()}}, data.aux)
