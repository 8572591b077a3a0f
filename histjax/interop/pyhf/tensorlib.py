"""The handful of array functions that scripts ask pyhf's backend for: NumPy's, since results are NumPy arrays."""

import numpy as np

name = "jax"
precision = "64b"

abs = np.abs
clip = np.clip
concatenate = np.concatenate
exp = np.exp
isfinite = np.isfinite
log = np.log
ones = np.ones
outer = np.outer
power = np.power
product = np.prod
ravel = np.ravel
reshape = np.reshape
sqrt = np.sqrt
stack = np.stack
sum = np.sum
transpose = np.transpose
where = np.where
zeros = np.zeros


def astensor(values, dtype="float"):
    """An array of floats, or of `"int"` or `"bool"`."""
    return np.asarray(values, {"float": float, "int": int, "bool": bool}[dtype])


def shape(values) -> tuple[int, ...]:
    """Shape of an array."""
    return np.shape(values)


def to_numpy(values) -> np.ndarray:
    """The array itself."""
    return np.asarray(values)


def tolist(values):
    """As lists of Python's numbers."""
    return [tolist(each) for each in values] if isinstance(values, list | tuple) else np.asarray(values).tolist()
