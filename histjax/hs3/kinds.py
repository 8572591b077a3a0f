"""The closed tables of what a document may contain: the class of each `type`."""

from histjax.hs3.densities.basic import Exponential, Poisson, Uniform
from histjax.hs3.densities.breit_wigner import RelativisticBreitWigner
from histjax.hs3.densities.by_function import DensityFunction, GenericDensity, LogDensityFunction
from histjax.hs3.densities.crystal_ball import CrystalBall, CrystalBallDoubleSided
from histjax.hs3.densities.gaussian import Gaussian
from histjax.hs3.densities.histogram import HistogramDensity
from histjax.hs3.densities.landau import Landau
from histjax.hs3.densities.multivariate import BarlowBeestonLite, MultivariateNormal
from histjax.hs3.densities.polynomials import Bernstein, Chebychev, ExponentialOfPolynomial, Polynomial, PowerSum
from histjax.hs3.densities.shapes import Argus, BifurcatedGaussian, Gamma, GeneralizedNormal, LogNormal
from histjax.hs3.functions.arithmetic import PolynomialFunction, Product, Sum, WeightedSum
from histjax.hs3.functions.generic import GenericFunction
from histjax.hs3.functions.interpolation import FlexibleInterpolation, PiecewiseInterpolation
from histjax.hs3.functions.steps import HistogramFunction, Step
from histjax.hs3.nodes import kinds_of

DISTRIBUTIONS = kinds_of(
    Gaussian,
    GeneralizedNormal,
    LogNormal,
    BifurcatedGaussian,
    CrystalBall,
    CrystalBallDoubleSided,
    Landau,
    Gamma,
    RelativisticBreitWigner,
    Exponential,
    Argus,
    Uniform,
    Polynomial,
    Chebychev,
    Bernstein,
    PowerSum,
    ExponentialOfPolynomial,
    Poisson,
    HistogramDensity,
    MultivariateNormal,
    BarlowBeestonLite,
    DensityFunction,
    LogDensityFunction,
    GenericDensity,
)

FUNCTIONS = kinds_of(
    Sum,
    Product,
    PolynomialFunction,
    WeightedSum,
    FlexibleInterpolation,
    PiecewiseInterpolation,
    HistogramFunction,
    Step,
    GenericFunction,
)
