"""Methods of pytrees that other libraries can take as functions, compiled or not.

A bound method of an Equinox module is itself a pytree, compared leaf by leaf; `jax.jit(model.logpdf)` would run that
comparison. The two decorators here bind methods that compare by the identity of their object.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx


class method:
    """A method that may be given to `jax.jit` and its like."""

    def __init__(self, function: Callable):
        functools.update_wrapper(self, function)
        self.program = function

    def __get__(self, instance, owner=None):
        return self if instance is None else BoundProgram(self.program, instance)


class compiled(method):
    """The same, compiled with the object as an argument: objects of equal structure share one executable."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self.program = eqx.filter_jit(function)


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class BoundProgram:
    """A method of one object, equal to another only if function and object are the same."""

    program: Callable
    instance: Any

    @property
    def __name__(self) -> str:
        return self.program.__name__

    def __call__(self, *args, **kwargs):
        return self.program(self.instance, *args, **kwargs)

    def __hash__(self) -> int:
        return hash((id(self.program), id(self.instance)))

    def __eq__(self, other) -> bool:
        return isinstance(other, BoundProgram) and self.program is other.program and self.instance is other.instance
