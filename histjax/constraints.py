"""Constraint terms, as values for `histjax.compile(..., constraints=...)`; see `histjax.spec.constraints`."""

from histjax.spec.constraints import Gamma as Gamma
from histjax.spec.constraints import LogNormal as LogNormal
from histjax.spec.constraints import MultivariateNormal as MultivariateNormal
from histjax.spec.constraints import Normal as Normal
from histjax.spec.constraints import Poisson as Poisson
from histjax.spec.constraints import Uniform as Uniform
