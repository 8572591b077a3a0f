r"""Differentiable histograms and cuts: small pure functions of events, to be filled into a model and trained through.

    yields = histjax.histograms.kde_histogram(network(x), weights, edges, bandwidth)
    model = model.with_yields({("SR", "signal"): yields})

Every event is smeared with a kernel, and a bin receives the part of the kernel that lies in it: the exact integral, no
sum over points. A kernel of standard deviation \(\sigma\) moves events across edges. With n events of density f, a bin
from a to b receives on average

\[ n \int_a^b f\,dx + \frac{n \sigma^2}{2} [f'(b) - f'(a)] + O(\sigma^4), \]

so the bias is of second order in the width of the kernel: it vanishes with \(\sigma\), and then the histogram is
`jnp.histogram` of the same events and weights. \(\sigma\) is `bandwidth` for a Gaussian kernel (`kde_histogram`) and
\(\pi / (\sqrt{3}\,\mathrm{slope})\) for the logistic one (`sigmoid_histogram`). Evaluate a trained analysis with the
hard histogram, `bandwidth=0` or `slope=jnp.inf`.

What a kernel puts below the first edge or above the last is lost, as events there are; with edges of `-jnp.inf` and
`jnp.inf` at the ends, nothing is: the contents then sum to the weights. Histograms are additive: those of many events
are the sum of those of batches, whose arrays `(events, edges)` fit into memory.
"""

from histjax.histograms.binning import kde_histogram as kde_histogram
from histjax.histograms.binning import kde_variances as kde_variances
from histjax.histograms.binning import sigmoid_histogram as sigmoid_histogram
from histjax.histograms.binning import sigmoid_variances as sigmoid_variances
from histjax.histograms.cuts import soft_cut as soft_cut
from histjax.histograms.variations import Shift as Shift
from histjax.histograms.variations import uncertainties as uncertainties
from histjax.histograms.variations import varied_histograms as varied_histograms
