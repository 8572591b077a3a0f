"""Counting statistics of binned spectra, as pure functions of arrays."""

from histjax.counting.backgrounds import profiled_background_gaussian as profiled_background_gaussian
from histjax.counting.backgrounds import profiled_background_poisson as profiled_background_poisson
from histjax.counting.deviance import exact_factorial as exact_factorial
from histjax.counting.deviance import stirling_factorial as stirling_factorial
from histjax.counting.limits import gaussian_significance as gaussian_significance
from histjax.counting.limits import gstat_upper_limit as gstat_upper_limit
from histjax.counting.limits import pgstat_significance as pgstat_significance
from histjax.counting.limits import pgstat_upper_limit as pgstat_upper_limit
from histjax.counting.limits import poisson_significance as poisson_significance
from histjax.counting.limits import ppstat_significance as ppstat_significance
from histjax.counting.limits import ppstat_upper_limit as ppstat_upper_limit
from histjax.counting.limits import pstat_upper_limit as pstat_upper_limit
from histjax.counting.statistics import BinStatistic as BinStatistic
from histjax.counting.statistics import gstat as gstat
from histjax.counting.statistics import pgstat as pgstat
from histjax.counting.statistics import ppstat as ppstat
from histjax.counting.statistics import pstat as pstat
