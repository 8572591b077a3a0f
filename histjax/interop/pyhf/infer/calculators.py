"""Calculators and Asimov data, with pyhf's arguments and return values.

A calculator holds what it was made with; a test is made once for each tested value and remembered.
"""

from dataclasses import dataclass, field

import jax
import numpy as np

from histjax._typing import is_traced
from histjax.errors import InvalidModel, UnknownName
from histjax.fitting.fit import fit
from histjax.inference.asymptotic import Asymptotic
from histjax.inference.hypotest import HypotestResult, hypotest
from histjax.inference.poi import poi_name
from histjax.inference.toys.calculator import Toys
from histjax.interop.pyhf.infer.distributions import AsymptoticTestStatDistribution, EmpiricalDistribution
from histjax.interop.pyhf.infer.utils import statistic_called, tested_value
from histjax.interop.pyhf.vectors import data_of, number, poi_of, settled, shown

BASES = {"normal": Asymptotic(), "clipped_normal": Asymptotic(clipped_normal=True)}
N_SIGMA = (2, 1, 0, -1, -2)
"""Outcomes of the band by falling statistic: CLs of the other hypothesis at -2 ... +2 sigma."""


def generate_asimov_data(
    asimov_mu, data, pdf, init_pars=None, par_bounds=None, fixed_params=None, return_fitted_pars: bool = False
):
    """Expected data, auxiliary data included, at the best fit with the parameter of interest at `asimov_mu`.

    With `return_fitted_pars` also the parameters. **Raises:** `MissingPOI`, `FailedFit`.
    """
    model = settled(pdf, init_pars, par_bounds, fixed_params)
    result = fit(model, data_of(pdf, data), fixed={poi_name(model, pdf.config.poi_name): number(asimov_mu)})
    asimov = shown(model.expected_flat(result.vector))
    return (asimov, shown(result.vector)) if return_fitted_pars else asimov


@dataclass(frozen=True)
class HypoTestFitResults:
    """The parameters of the fits of a test. (The free fit of the Asimov data is where they were made.)"""

    asimov_pars: object
    free_fit_to_data: object
    free_fit_to_asimov: object
    fixed_poi_fit_to_data: object
    fixed_poi_fit_to_asimov: object


@dataclass(frozen=True, eq=False)
class _Calculator:
    """What both have in common."""

    data: object
    pdf: object
    init_pars: object = None
    par_bounds: object = None
    fixed_params: object = None
    test_stat: str = "qtilde"
    _made: dict = field(default_factory=dict, init=False, repr=False)

    def _tested(self, poi_test, calculator) -> HypotestResult:
        statistic = statistic_called(self.test_stat)
        value = tested_value(statistic, poi_test)
        model = settled(self.pdf, self.init_pars, self.par_bounds, self.fixed_params)
        poi = poi_of(self.pdf, model)
        if is_traced(value, model, self.data):
            return self._test(model, poi, value, statistic, calculator)
        if value not in self._made:
            self._made[value] = self._test(model, poi, value, statistic, calculator)
        return self._made[value]

    def _test(self, model, poi, value, statistic, calculator) -> HypotestResult:
        data = data_of(self.pdf, self.data)
        return hypotest(model, data, poi_value=value, poi=poi, statistic=statistic, calculator=calculator)

    @property
    def fitted_pars(self) -> HypoTestFitResults:
        """The fits of the last test; raises `InvalidModel` where none was made."""
        if not self._made:
            raise InvalidModel("no test was made yet: call teststatistic(poi_test) first")
        fits = list(self._made.values())[-1].fits
        places = fits.at_other, fits.free, fits.at_other, fits.at_poi, fits.asimov_at_poi
        return HypoTestFitResults(*(shown(each.vector) for each in places))

    def pvalues(self, teststat, sig_plus_bkg_distribution, bkg_only_distribution):
        """`(CLsb, CLb, CLs)` of a value of the statistic."""
        CLsb, CLb = (each.pvalue(teststat) for each in (sig_plus_bkg_distribution, bkg_only_distribution))
        with np.errstate(invalid="ignore", divide="ignore"):
            return CLsb, CLb, np.asarray(np.divide(CLsb, CLb))

    def expected_pvalues(self, sig_plus_bkg_distribution, bkg_only_distribution) -> list[list]:
        """`[CLsb, CLb, CLs]`, each for the five outcomes of the band."""
        values = [bkg_only_distribution.expected_value(n) for n in N_SIGMA]
        rows = [self.pvalues(each, sig_plus_bkg_distribution, bkg_only_distribution) for each in values]
        return [list(column) for column in zip(*rows, strict=True)]


@dataclass(frozen=True, eq=False)
class AsymptoticCalculator(_Calculator):
    """Asymptotic p-values; `calc_base_dist` is `"normal"` or `"clipped_normal"`."""

    calc_base_dist: str = "normal"

    def test(self, poi_test) -> HypotestResult:
        """The test of `poi_test`; raises what `histjax.hypotest` raises, and `UnknownName`."""
        if self.calc_base_dist not in BASES:
            raise UnknownName("base distribution", self.calc_base_dist, BASES)
        return self._tested(poi_test, BASES[self.calc_base_dist])

    def teststatistic(self, poi_test):
        """The statistic, transformed so that it is normal: sqrt(q) - sqrt(q_A), or (q - q_A) / (2 sqrt(q_A)) for q~
        above q_A.
        """
        result = self.test(poi_test)
        q, q_asimov = float(result.statistic), float(result.statistic_asimov)
        if self.test_stat == "qtilde" and q > q_asimov > 0:
            return np.asarray((q - q_asimov) / (2 * np.sqrt(q_asimov)))
        return np.asarray(np.sqrt(q) - np.sqrt(q_asimov))

    def distributions(self, poi_test) -> tuple[AsymptoticTestStatDistribution, AsymptoticTestStatDistribution]:
        """Of the transformed statistic, under the tested and under the other hypothesis."""
        root = float(np.sqrt(self.test(poi_test).statistic_asimov))
        cutoff = -root if self.calc_base_dist == "clipped_normal" else -np.inf
        return AsymptoticTestStatDistribution(-root, cutoff), AsymptoticTestStatDistribution(0.0, cutoff)


@dataclass(frozen=True, eq=False)
class ToyCalculator(_Calculator):
    """p-values from `ntoys` toys of each hypothesis.

    pyhf takes random numbers from a global state. Here `key=jax.random.key(...)` or `seed=` is asked for. The expected
    band is the p-values at the quantiles of the statistic under the other hypothesis.
    """

    ntoys: int = 2000
    track_progress: bool = False
    key: object = None
    seed: int | None = None

    def toys(self) -> Toys:
        """How toys are thrown; raises `InvalidModel` without a key."""
        if (self.key is None) == (self.seed is None):
            raise InvalidModel("toys need a random key: give key=jax.random.key(0), or seed=0")
        return Toys(jax.random.key(self.seed) if self.key is None else self.key, self.ntoys, keep=True)

    def test(self, poi_test) -> HypotestResult:
        """The test of `poi_test`; raises what `histjax.hypotest` raises."""
        return self._tested(poi_test, self.toys())

    def teststatistic(self, poi_test):
        """The statistic on the data."""
        return shown(self.test(poi_test).statistic)

    def distributions(self, poi_test) -> tuple[EmpiricalDistribution, EmpiricalDistribution]:
        """Statistics of the toys with a certified fit, of the tested and of the other hypothesis."""
        toys = self.test(poi_test).toys
        kept = (np.asarray(each.statistic)[~np.asarray(each.failed)] for each in (toys.tested_toys, toys.other_toys))
        return tuple(EmpiricalDistribution(each) for each in kept)


CALCULATORS = {"asymptotics": AsymptoticCalculator, "toybased": ToyCalculator}


def create_calculator(calctype: str, *args, **options) -> AsymptoticCalculator | ToyCalculator:
    """The calculator that pyhf calls `calctype`; raises `UnknownName` for it or for an option that it does not have."""
    if calctype not in CALCULATORS:
        raise UnknownName("calculator", calctype, CALCULATORS)
    chosen = CALCULATORS[calctype]
    known = [name for name in chosen.__dataclass_fields__ if not name.startswith("_")]
    for name in options:
        if name not in known:
            raise UnknownName(f"option of {calctype}", name, known)
    return chosen(*args, **options)
