"""Models of one channel with a signal, a background and an uncertainty on it."""

from collections.abc import Sequence

from histjax.interop.pyhf.pdf import Model


def uncorrelated_background(
    signal: Sequence[float], bkg: Sequence[float], bkg_uncertainty: Sequence[float], batch_size=None, validate=True
) -> Model:
    """A background with an independent uncertainty in each bin (`shapesys`, absolute).

    >>> model = uncorrelated_background(signal=[12.0, 11.0], bkg=[50.0, 52.0], bkg_uncertainty=[3.0, 7.0])
    >>> model.config.par_names, model.expected_actualdata([1.0, 1.0, 1.0])
    (['mu', 'uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]'], array([62., 63.]))
    """
    uncertainty = {"name": "uncorr_bkguncrt", "type": "shapesys", "data": list(bkg_uncertainty)}
    return Model(_spec("singlechannel", signal, bkg, uncertainty), batch_size=batch_size, validate=validate)


def correlated_background(
    signal: Sequence[float],
    bkg: Sequence[float],
    bkg_up: Sequence[float],
    bkg_down: Sequence[float],
    batch_size=None,
    validate=True,
) -> Model:
    """A background between two templates (`histosys`).

    >>> model = correlated_background([12.0, 11.0], [50.0, 52.0], bkg_up=[45.0, 57.0], bkg_down=[55.0, 47.0])
    >>> model.config.par_names
    ['correlated_bkg_uncertainty', 'mu']
    """
    data = {"hi_data": list(bkg_up), "lo_data": list(bkg_down)}
    uncertainty = {"name": "correlated_bkg_uncertainty", "type": "histosys", "data": data}
    return Model(_spec("single_channel", signal, bkg, uncertainty), batch_size=batch_size, validate=validate)


def _spec(channel: str, signal: Sequence[float], bkg: Sequence[float], uncertainty: dict) -> dict:
    strength = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": list(signal), "modifiers": [strength]},
        {"name": "background", "data": list(bkg), "modifiers": [uncertainty]},
    ]
    return {"channels": [{"name": channel, "samples": samples}]}
