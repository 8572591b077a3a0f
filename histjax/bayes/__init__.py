"""Bayesian inference: priors, posteriors, samplers, and what follows from their draws."""

from histjax.bayes.priors import Density as Density
from histjax.bayes.priors import Flat as Flat
from histjax.bayes.priors import Gamma as Gamma
from histjax.bayes.priors import LogNormal as LogNormal
from histjax.bayes.priors import LogUniform as LogUniform
from histjax.bayes.priors import Normal as Normal
from histjax.bayes.priors import Prior as Prior
from histjax.bayes.priors import Uniform as Uniform
from histjax.bayes.posterior import Posterior as Posterior
from histjax.bayes.samples import Samples as Samples
from histjax.bayes.nuts import sample_nuts as sample_nuts
