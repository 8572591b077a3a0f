"""A Bayesian upper limit next to CLs."""

import warnings
from typing import NamedTuple

import numpy as np

from histjax.bayes.extras import package
from histjax.bayes.posterior import Posterior
from histjax.bayes.samples import Samples
from histjax.errors import InvalidModel
from histjax.fitting.printing import pairs, pdg_rounded, rendered
from histjax.inference.limits import UpperLimit, upper_limit
from histjax.inference.poi import poi_name


class LimitComparison(NamedTuple):
    """Upper limits on the same parameter: `bayesian`, the value below which the posterior has the probability
    `confidence_level`, with its `uncertainty` from the number of draws, and `frequentist`, that of CLs.
    """

    poi: str
    confidence_level: float
    bayesian: float
    uncertainty: float
    frequentist: UpperLimit

    def __str__(self) -> str:
        bayesian = " +- ".join(pdg_rounded(self.bayesian, self.uncertainty))
        rows = ("parameter", f"{self.poi}, {100 * self.confidence_level:g} %"), ("Bayesian", bayesian)
        return rendered(pairs(*rows, ("CLs", f"{float(self.frequentist.observed):.6g}")))


def compare_limits(
    posterior: Posterior, samples: Samples, *, poi: str | None = None, confidence_level: float = 0.95
) -> LimitComparison:
    """The upper limit of a posterior next to that of CLs with the same data, fixed parameters and bounds of the model.

    With a flat prior on the parameter of interest the two are close: equal for a Gaussian measurement, and for a count
    without background.

    **Arguments:** `samples`: draws from `posterior`; `poi`: by default the likelihood's.

    **Raises:** `InvalidModel` for a level that is none; otherwise as `histjax.upper_limit`.
    """
    if not 0 < confidence_level < 1:
        raise InvalidModel(f"the confidence level lies between 0 and 1, found {confidence_level:g}")
    name = poi_name(posterior.likelihood, poi)
    column = samples.vectors[..., posterior.parameters.place(name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arviz = package("arviz")
        data = arviz.convert_to_dataset({"x": column})
        error = float(arviz.mcse(data, method="quantile", prob=confidence_level)["x"])
    bayesian = float(np.quantile(column, confidence_level))
    frequentist = upper_limit(posterior.likelihood, posterior.data, poi=poi, confidence_level=confidence_level)
    return LimitComparison(name, confidence_level, bayesian, error, frequentist)
