"""Bayesian inference: priors, posteriors, samplers, and what follows from their draws."""

from histjax.bayes.archive import SampleStore as SampleStore
from histjax.bayes.bootstrap import covariance_bootstrap as covariance_bootstrap
from histjax.bayes.bootstrap import parametric_bootstrap as parametric_bootstrap
from histjax.bayes.convergence import Convergence as Convergence
from histjax.bayes.densities import Density as Density
from histjax.bayes.ensemble import sample_emcee as sample_emcee
from histjax.bayes.limits import LimitComparison as LimitComparison
from histjax.bayes.limits import compare_limits as compare_limits
from histjax.bayes.nested import sample_nested as sample_nested
from histjax.bayes.nuts import sample_nuts as sample_nuts
from histjax.bayes.posterior import Posterior as Posterior
from histjax.bayes.predictive import Predictive as Predictive
from histjax.bayes.predictive import predictive_yields as predictive_yields
from histjax.bayes.priors import Flat as Flat
from histjax.bayes.priors import Gamma as Gamma
from histjax.bayes.priors import LogNormal as LogNormal
from histjax.bayes.priors import LogUniform as LogUniform
from histjax.bayes.priors import Normal as Normal
from histjax.bayes.priors import Prior as Prior
from histjax.bayes.priors import Uniform as Uniform
from histjax.bayes.samples import Criteria as Criteria
from histjax.bayes.samples import Samples as Samples
from histjax.bayes.slices import sample_slices as sample_slices
