"""Plots of results: every function takes a record and, if wanted, matplotlib `Axes`, and returns the `Axes`.

    from histjax import plotting

    plotting.pull_chart(histjax.pulls(model, fit)).figure.savefig("pulls.pdf")

Needs matplotlib and mplhep (`pip install 'histjax[plot]'`), which are imported when the first plot is drawn. Nothing
but the fields of the records is used, and no setting of matplotlib is changed for longer than a function runs.
"""

from histjax.plotting.brazil import brazil_band as brazil_band
from histjax.plotting.brazil import limit_bars as limit_bars
from histjax.plotting.brazil import p_value_bars as p_value_bars
from histjax.plotting.corner import corner_plot as corner_plot
from histjax.plotting.correlations import correlation_matrix as correlation_matrix
from histjax.plotting.goodness import goodness_chart as goodness_chart
from histjax.plotting.limits import exclusion_contours as exclusion_contours
from histjax.plotting.limits import limit_band as limit_band
from histjax.plotting.pulls import pull_chart as pull_chart
from histjax.plotting.pulls import pull_pages as pull_pages
from histjax.plotting.ranking import ranking_chart as ranking_chart
from histjax.plotting.ranking import ranking_pages as ranking_pages
from histjax.plotting.saving import picture as picture
from histjax.plotting.scans import likelihood_contours as likelihood_contours
from histjax.plotting.scans import likelihood_scan as likelihood_scan
from histjax.plotting.scans import likelihood_surface as likelihood_surface
from histjax.plotting.spectra import folded_spectrum as folded_spectrum
from histjax.plotting.style import styled as styled
from histjax.plotting.toys import toy_distributions as toy_distributions
from histjax.plotting.traces import trace_plot as trace_plot
from histjax.plotting.yields import stacked_yields as stacked_yields
from histjax.plotting.yields import yield_pages as yield_pages
