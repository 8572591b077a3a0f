"""What an analysis is worth, before it has data: expected limits, significances and uncertainties as losses.

    def loss(network):
        return histjax.losses.expected_log_cls(model.with_yields({("SR", "signal"): yields(network)}), 1.0)

Every loss is a function of a model (any `Likelihood`) that gives a scalar. It needs no observed data: the data are the
Asimov data of the model itself, so that yields may be replaced by whatever the analysis makes of simulated events. One
fit stands behind most of them; derivatives go through it by the implicit function theorem, so that neither time nor
memory of a gradient depends on the number of iterations. All are traceable, differentiable any number of times, and to
be mapped over signal points with `jax.vmap`.

| loss | of | fits | to be |
|---|---|---|---|
| `expected_log_cls`, `expected_cls` | CLs of a tested signal, background-only data | 1 | minimised |
| `expected_limit` | upper limit, background-only data | some | minimised |
| `discovery_significance` | Z of a signal, data with it | 1 | maximised |
| `interval_width` | profile-likelihood interval of a parameter | some | minimised |
| `fisher_information` | inverse variance of a parameter, profiled | 0 | maximised |

Far in the tails train with `expected_log_cls`, which neither underflows nor flattens there. What is common to all of
them, with the arguments, is in `Loss`; `Loss.warm` starts from the fit of the step before.
"""

from histjax.losses.asimov import Loss as Loss
from histjax.losses.asimov import WarmStart as WarmStart
from histjax.losses.information import fisher_information as fisher_information
from histjax.losses.information import fisher_matrix as fisher_matrix
from histjax.losses.searches import expected_limit as expected_limit
from histjax.losses.searches import interval_width as interval_width
from histjax.losses.testing import discovery_significance as discovery_significance
from histjax.losses.testing import expected_cls as expected_cls
from histjax.losses.testing import expected_log_cls as expected_log_cls
