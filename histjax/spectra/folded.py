"""What a model predicts in the bins of a spectrum, next to what was counted."""

import equinox as eqx
from jaxtyping import Array, Float

from histjax._typing import Params
from histjax.spectra.likelihood import SpectraLikelihood


class FoldedSpectrum(eqx.Module):
    """One spectrum with its folded model, arrays `(bins,)`.

    **Fields:** `name`; `channels`, lower and upper energies of the bins in keV, `(bins, 2)`, NaN where they are not
    known; `observed` counts; expected counts of the `source` and of the profiled `background` in the region of the
    source; `residual`, the signed root of the statistic.
    """

    name: str = eqx.field(static=True)
    channels: Float[Array, "bins two"]
    observed: Float[Array, "bins"]
    source: Float[Array, "bins"]
    background: Float[Array, "bins"]
    residual: Float[Array, "bins"]


def folded(likelihood: SpectraLikelihood, params: Params, data=None) -> dict[str, FoldedSpectrum]:
    """Every spectrum of a likelihood with its model at a parameter point, such as `fit.params`, for a dataset: by
    default the likelihood's own.

    >>> from histjax.spectra import Response, SpectralModel, Spectrum, compile, power_law
    >>> spectrum = Spectrum([12, 9], 10.0, Response.diagonal([1.0, 2.0, 4.0]))
    >>> likelihood = compile({"s": (spectrum, SpectralModel(power_law, {"norm": 2.0, "index": 2.0}))})
    >>> print(folded(likelihood, likelihood.init)["s"].source.round(5))
    [10.  5.]
    """
    data = likelihood.data if data is None else likelihood.unravel_data(likelihood.ravel_data(data))
    source, background = likelihood.source_counts(params), likelihood.background_counts(params, data)
    residuals = likelihood.residuals(params, data)
    return {
        name: FoldedSpectrum(name, part.channels, data.main[name], source[name], background[name], residuals[name])
        for name, part in zip(likelihood.names, likelihood.parts, strict=True)
    }
