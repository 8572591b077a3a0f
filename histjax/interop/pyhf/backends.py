"""`set_backend` and `get_backend`, for scripts that call them: there is one backend."""

import warnings

from histjax.errors import HistjaxWarning, InvalidModel
from histjax.fitting.newton import Newton
from histjax.interop.pyhf import tensorlib


def set_backend(backend, custom_optimizer=None, precision: str | None = None, default: bool = False) -> None:
    """Change nothing. histjax computes with JAX in float64 and fits with its own minimiser, whatever is asked for.

    `"jax"` and `"numpy"` (the type of the arrays that come back) pass in silence, and so does any optimizer, since a
    certified minimum does not depend on who found it.

    **Raises:** `InvalidModel` for another precision than `"64b"`. **Warns:** `HistjaxWarning` for another backend.
    """
    del custom_optimizer, default
    if precision not in (None, "64b", b"64b"):
        raise InvalidModel(f"precision {precision!r}: set JAX_ENABLE_X64=0 in the environment for float32")
    name = backend.decode() if isinstance(backend, bytes) else getattr(backend, "name", backend)
    if name not in ("jax", "numpy"):
        warnings.warn(
            f"backend {name!r}: histjax computes with JAX and returns NumPy arrays", HistjaxWarning, stacklevel=2
        )


def get_backend(default: bool = False):
    """`(tensorlib, minimiser)`: array functions, and what every fit is made with."""
    del default
    return tensorlib, Newton()
