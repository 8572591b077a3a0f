"""Packages that are installed on request, each imported where it is first needed."""

import importlib
import warnings
from types import ModuleType

from histjax.errors import MissingExtra


def package(name: str) -> ModuleType:
    """The package; what it warns of at import is no concern of the user's.

    **Raises:** `MissingExtra` where it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(f"this needs {name}, which is not installed: pip install 'histjax[bayes]'") from None
