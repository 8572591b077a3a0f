"""Two small models from bare numbers: a signal over one background, in one channel. Names are pyhf's."""

from collections.abc import Sequence

import numpy as np

from histjax.errors import InvalidDocument, InvalidModel
from histjax.spec import (
    Channel,
    HistoSys,
    Measurement,
    Modifier,
    NormFactor,
    Observation,
    Sample,
    ShapeSys,
    Workspace,
)
from histjax.spec.check import check

Yields = Sequence[float] | float


def uncorrelated_background(
    signal: Yields, background: Yields, uncertainty: Yields, *, data: Yields | None = None
) -> Workspace:
    """A signal over a background whose uncertainties in different bins are independent.

    Bin b expects `mu signal_b + gamma_b background_b`, with a Poisson constraint term of `(background_b /
    uncertainty_b)^2` auxiliary counts on each gamma_b (parameter `uncorr_bkguncrt`).

    **Arguments:** expected counts `(bins,)`, or one number for one bin; `uncertainty` is absolute. `data`: observed
    counts, by default those of the background.

    **Returns:** a `Workspace` with channel `singlechannel`, samples `signal` and `background`, and the parameter of
    interest `mu`, as `pyhf.simplemodels.uncorrelated_background` names them.

    **Raises:** `InvalidModel` where numbers of bins differ or something is no number, `InvalidDocument` for numbers
    that make no model.

    >>> import histjax
    >>> workspace = histjax.uncorrelated_background([12, 11], [50, 52], [3, 7], data=[51, 48])
    >>> print(f"{histjax.hypotest(histjax.compile(workspace), poi_value=1.0).CLs:.6f}")
    0.052516
    """
    numbers = _numbers(signal=signal, background=background, uncertainty=uncertainty, data=data)
    modifier = ShapeSys("uncorr_bkguncrt", numbers["uncertainty"])
    return _workspace("singlechannel", numbers, modifier)


def correlated_background(
    signal: Yields, background: Yields, up: Yields, down: Yields, *, data: Yields | None = None
) -> Workspace:
    """A signal over a background whose shape one nuisance parameter changes in all bins.

    The background is interpolated between the templates `down` (alpha = -1), `background` and `up` (alpha = +1), with
    a Gaussian constraint term of width 1 on alpha (parameter `correlated_bkg_uncertainty`).

    **Arguments:** expected counts `(bins,)`, or one number for one bin. `data`: observed counts, by default those of
    the background.

    **Returns:** a `Workspace` with channel `single_channel`, samples `signal` and `background`, and the parameter of
    interest `mu`, as `pyhf.simplemodels.correlated_background` names them.

    **Raises:** as `uncorrelated_background`.

    >>> import histjax
    >>> model = histjax.compile(histjax.correlated_background([12, 11], [50, 52], up=[45, 57], down=[55, 47]))
    >>> print(model.expected_yields(model.init)["single_channel"])
    [62. 63.]
    """
    numbers = _numbers(signal=signal, background=background, up=up, down=down, data=data)
    modifier = HistoSys("correlated_bkg_uncertainty", lo=numbers["down"], hi=numbers["up"])
    return _workspace("single_channel", numbers, modifier)


def _numbers(**given: Yields | None) -> dict[str, tuple[float, ...]]:
    """Each of the arguments as a tuple of floats, all of one length."""
    found = {name: _as_tuple(name, value) for name, value in given.items() if value is not None}
    bins = {name: len(value) for name, value in found.items()}
    if len(set(bins.values())) > 1:
        listed = ", ".join(f"{name} has {number}" for name, number in bins.items())
        raise InvalidModel(f"numbers of bins differ: {listed}; give every one a number for each bin")
    return {"data": found["background"]} | found


def _as_tuple(name: str, value: Yields) -> tuple[float, ...]:
    try:
        array = np.atleast_1d(np.asarray(value, float))
    except (TypeError, ValueError):
        raise InvalidModel(f"{name}: expected numbers, one for each bin, found {value!r}") from None
    if array.ndim != 1:
        raise InvalidModel(f"{name}: expected one number for each bin, found an array of shape {array.shape}")
    return tuple(array.tolist())


def _workspace(channel: str, numbers: dict[str, tuple[float, ...]], modifier: Modifier) -> Workspace:
    samples = (
        Sample("signal", numbers["signal"], (NormFactor("mu"),)),
        Sample("background", numbers["background"], (modifier,)),
    )
    workspace = Workspace(
        (Channel(channel, samples),), (Observation(channel, numbers["data"]),), (Measurement("Measurement", "mu"),)
    )
    errors = [problem for problem in check(workspace) if not problem.is_warning]
    if errors:
        raise InvalidDocument("the simple model", errors)
    return workspace
