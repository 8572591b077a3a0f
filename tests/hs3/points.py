"""A point for tests: values by name, one range for each observable."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from histjax._typing import float_dtype
from histjax.hs3.kinds import DISTRIBUTIONS, FUNCTIONS
from histjax.hs3.nodes import read_node


class Point:
    """Values and ranges as they are given; ranges that are not traced stay on the host."""

    def __init__(self, values: Mapping, ranges: Mapping | None = None, domains: Mapping | None = None):
        self.values, self.ranges = values, ranges or {}
        self.domains = domains or self.ranges

    def __call__(self, argument):
        """The value of a name or number."""
        return jnp.asarray(self.values[argument] if isinstance(argument, str) else argument, float_dtype())

    def limits(self, observable):
        """The range."""
        return _pair(self.ranges[observable])

    def domain(self, observable):
        """The whole range."""
        return _pair(self.domains[observable])


def _pair(ends):
    return tuple(np.asarray(end, float_dtype()) if isinstance(end, int | float) else end for end in ends)


def distribution(**entry):
    """The node of an entry without a problem."""
    return _node(entry, DISTRIBUTIONS)


def function(**entry):
    """The node of an entry without a problem."""
    return _node(entry, FUNCTIONS)


def _node(entry, kinds):
    node, problems = read_node({"name": "node", **entry}, kinds, "")
    assert node is not None and not problems, problems
    return node
