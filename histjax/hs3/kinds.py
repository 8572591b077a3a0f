"""The closed tables of what a document may contain: the class of each `type`."""

from histjax.hs3.densities.basic import Exponential, Poisson, Uniform
from histjax.hs3.densities.crystal_ball import CrystalBall, CrystalBallDoubleSided
from histjax.hs3.densities.gaussian import Gaussian
from histjax.hs3.densities.landau import Landau
from histjax.hs3.densities.polynomials import Bernstein, Chebychev, ExponentialOfPolynomial, Polynomial, PowerSum
from histjax.hs3.densities.shapes import Argus, BifurcatedGaussian, Gamma, GeneralizedNormal, LogNormal
from histjax.hs3.functions.arithmetic import PolynomialFunction, Product, Sum, WeightedSum
from histjax.hs3.nodes import kinds_of

DISTRIBUTIONS = kinds_of(
    Gaussian,
    Exponential,
    Uniform,
    Poisson,
    Polynomial,
    Chebychev,
    Bernstein,
    PowerSum,
    ExponentialOfPolynomial,
    LogNormal,
    GeneralizedNormal,
    BifurcatedGaussian,
    Gamma,
    Argus,
    CrystalBall,
    CrystalBallDoubleSided,
    Landau,
)

FUNCTIONS = kinds_of(Sum, Product, PolynomialFunction, WeightedSum)
