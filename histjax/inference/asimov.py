"""The Asimov dataset: the data for which every estimator gives the value it was generated at."""

from histjax.fitting.fit import fit
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.inference.poi import poi_name
from histjax.model.likelihood import Likelihood


def asimov_data(
    likelihood: Likelihood,
    data=None,
    *,
    poi_value=0.0,
    poi: str | None = None,
    minimiser: Minimiser = Newton(),
    throw: bool = True,
):
    """Expected data at the conditional best fit of `data` with the parameter of interest at `poi_value`.

    The auxiliary data are shifted to the fitted nuisance parameters too (arXiv:1007.1727, section 3.2, as ATLAS and
    pyhf do).

    **Returns:** a dataset of the likelihood's kind. **Raises:** `MissingPOI`, `FailedFit`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> asimov = histjax.asimov_data(model, model.data, poi_value=1.0)
    >>> print(asimov.main["singlechannel"].round(4))
    [60.6123 56.5279]
    """
    data = likelihood.data if data is None else data
    conditional = fit(likelihood, data, fixed={poi_name(likelihood, poi): poi_value}, minimiser=minimiser, throw=throw)
    return likelihood.conditioned_on(data).expected_data(conditional.params)
