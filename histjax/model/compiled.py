"""A decorator for methods that are programs: compiled once per structure, with the object as an argument."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx


class compiled:
    """Compile a method of a pytree, the pytree being an argument and not a constant of the program.

    Objects of equal structure share one executable, and calling the method outside a trace runs one program, not one for
    each operation.
    """

    def __init__(self, method: Callable):
        functools.update_wrapper(self, method)
        self.program = eqx.filter_jit(method)

    def __get__(self, instance, owner=None):
        return self if instance is None else BoundProgram(self.program, instance)


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class BoundProgram:
    """A compiled method of one object. Compares by that object's identity: `jax.jit(model.logpdf)` finds its executable again."""

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
