"""Counting spectra as likelihoods: responses, on and off counts, and any photon spectrum.

likelihood = spectra.compile({"nai": (spectrum, model), "bgo": (other, model)}, links={"bgo": "nai"})
fit = histjax.fit(likelihood)
"""

from histjax.spectra.binning import Bins as Bins
from histjax.spectra.compiling import compile as compile
from histjax.spectra.folded import FoldedSpectrum as FoldedSpectrum
from histjax.spectra.folded import folded as folded
from histjax.spectra.folding import Rule as Rule
from histjax.spectra.folding import gauss_legendre as gauss_legendre
from histjax.spectra.folding import trapezoid as trapezoid
from histjax.spectra.likelihood import SpectraLikelihood as SpectraLikelihood
from histjax.spectra.models import SpectralModel as SpectralModel
from histjax.spectra.ogip import read_ogip as read_ogip
from histjax.spectra.ogip import read_response as read_response
from histjax.spectra.response import Response as Response
from histjax.spectra.shapes import band as band
from histjax.spectra.shapes import black_body as black_body
from histjax.spectra.shapes import cutoff_power_law as cutoff_power_law
from histjax.spectra.shapes import power_law as power_law
from histjax.spectra.simulation import simulate as simulate
from histjax.spectra.spectrum import Background as Background
from histjax.spectra.spectrum import Spectrum as Spectrum
