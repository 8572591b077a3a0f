"""histjax: statistical models of particle physics, compiled to pure JAX functions.

    workspace = histjax.read("workspace.json")
    model = histjax.compile(workspace)
    fit = histjax.fit(model, model.data)
    limit = histjax.upper_limit(model, model.data)

The package works in float64 and turns JAX's x64 mode on at import, unless the environment variable `JAX_ENABLE_X64`
is set: then that choice holds.
"""

import os as _os

import jax as _jax

if "JAX_ENABLE_X64" not in _os.environ:
    _jax.config.update("jax_enable_x64", True)

from histjax import errors as errors
from histjax import examples as examples
from histjax.fitting.fit import fit as fit
from histjax.fitting.diagnosis import Diagnosis as Diagnosis
from histjax.fitting.diagnosis import diagnose as diagnose
from histjax.fitting.minima import Minima as Minima
from histjax.fitting.minima import find_minima as find_minima
from histjax.fitting.newton import Newton as Newton
from histjax.fitting.conjugate import NewtonCG as NewtonCG
from histjax.fitting.first_order import LBFGS as LBFGS
from histjax.fitting.first_order import Optax as Optax
from histjax.fitting.result import FitResult as FitResult
from histjax.fitting.result import Status as Status
from histjax.inference.asimov import asimov_data as asimov_data
from histjax.inference.asymptotic import Asymptotic as Asymptotic
from histjax.inference.toys.calculator import Toys as Toys
from histjax.inference.toys.loops import Batched as Batched
from histjax.inference.toys.loops import Sequential as Sequential
from histjax.inference.toys.loops import Sharded as Sharded
from histjax.inference.toys.p_values import ToyOutcome as ToyOutcome
from histjax.inference.toys.search import StopRule as StopRule
from histjax.inference.toys.store import ToyStore as ToyStore
from histjax.inference.toys.tables import write_table as write_table
from histjax.inference.hypotest import HypotestResult as HypotestResult
from histjax.inference.hypotest import hypotest as hypotest
from histjax.inference.likelihood_ratio import LikelihoodRatio as LikelihoodRatio
from histjax.inference.likelihood_ratio import profile_likelihood_ratio as profile_likelihood_ratio
from histjax.inference.contours import Contour as Contour
from histjax.inference.contours import contour as contour
from histjax.inference.intervals import Interval as Interval
from histjax.inference.intervals import IntervalKind as IntervalKind
from histjax.inference.intervals import Intervals as Intervals
from histjax.inference.intervals import interval as interval
from histjax.inference.rays import End as End
from histjax.inference.scans import Scan as Scan
from histjax.inference.scans import scan as scan
from histjax.inference.toys.feldman_cousins import FeldmanCousins as FeldmanCousins
from histjax.inference.toys.feldman_cousins import feldman_cousins as feldman_cousins
from histjax.inference.limits import UpperLimit as UpperLimit
from histjax.inference.limits import upper_limit as upper_limit
from histjax.inference.precompiling import Precompiled as Precompiled
from histjax.inference.precompiling import precompile as precompile
from histjax.inference.significance import Significance as Significance
from histjax.inference.significance import significance as significance
from histjax.inference.statistics import q0 as q0
from histjax.inference.statistics import qmu as qmu
from histjax.inference.statistics import qmu_tilde as qmu_tilde
from histjax.inference.statistics import tmu as tmu
from histjax.inference.statistics import tmu_tilde as tmu_tilde
from histjax.inference.goodness import GoodnessOfFit as GoodnessOfFit
from histjax.inference.goodness import goodness_of_fit as goodness_of_fit
from histjax.inference.groups import GroupedImpacts as GroupedImpacts
from histjax.inference.groups import grouped_impacts as grouped_impacts
from histjax.inference.groups import select as select
from histjax.inference.groups import standard_groups as standard_groups
from histjax.inference.pulls import Pulls as Pulls
from histjax.inference.pulls import pulls as pulls
from histjax.inference.ranking import Ranking as Ranking
from histjax.inference.ranking import ranking as ranking
from histjax.inference.yields import YieldTable as YieldTable
from histjax.inference.yields import Yields as Yields
from histjax.inference.yields import predicted_yields as predicted_yields
from histjax import bayes as bayes
from histjax import constraints as constraints
from histjax import counting as counting
from histjax import histograms as histograms
from histjax import hs3 as hs3
from histjax import interpolation as interpolation
from histjax import losses as losses
from histjax import plotting as plotting
from histjax import spectra as spectra
from histjax import tables as tables
from histjax.model.data import Data as Data
from histjax.model.histfactory import Model as Model
from histjax.model.profiled import ProfiledModel as ProfiledModel
from histjax.model.profiled import profiled as profiled
from histjax.pipeline import compile as compile
from histjax.building import build_workspace as build_workspace
from histjax.pipeline import read as read
from histjax.grids.compiling import compile_grid as compile_grid
from histjax.grids.grid import Grid as Grid
from histjax.grids.results import GridResult as GridResult
from histjax.readers import Archive as Archive
from histjax.readers import Patch as Patch
from histjax.readers import PatchSet as PatchSet
from histjax.readers import PublishedLikelihood as PublishedLikelihood
from histjax.readers import correlated_background as correlated_background
from histjax.readers import read_archive as read_archive
from histjax.readers import read_patchset as read_patchset
from histjax.readers import uncorrelated_background as uncorrelated_background
from histjax.readers.xml import XMLConfiguration as XMLConfiguration
from histjax.readers.xml import read_xml as read_xml
from histjax.readers.xml import write_xml as write_xml
from histjax.interop.xml import compile_xml as compile_xml
from histjax.spec import Workspace as Workspace
from histjax.spec.operations import Change as Change
from histjax.spec.operations import Edited as Edited
from histjax.spec.operations import Join as Join
from histjax.spec.operations import combine as combine
from histjax.spec.operations import prune as prune
from histjax.spec.operations import rename as rename
from histjax.spec.operations import sort as sort
from histjax.spec.functions import Factor as Factor
from histjax.spec.functions import NewParameter as NewParameter

__version__ = "0.1.0"
