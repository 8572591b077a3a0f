"""The examples in the docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import jax.numpy as jnp
import pytest

import histjax

MODULES = [
    each.name for each in pkgutil.walk_packages(histjax.__path__, "histjax.") if not each.name.endswith("__main__")
]
OPTIONAL = {"histjax.interop.spey.backends": "spey"}
"""Modules that cannot be imported without a package that histjax does not need."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    """All examples of one module."""
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, extraglobs={"jnp": jnp}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
