"""Results written by hand: only the fields that plots read, with numbers that are easy to find in a picture."""

from types import SimpleNamespace as Fields

import numpy as np
from scipy.stats import norm

from histjax.inference.toys.tally import Tally

N_SIGMA = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def hypotest(value: float, sigma: float = 0.7, best: float = 0.3, **changes) -> Fields:
    """A test of a Gaussian measurement of width sigma with the best fit at `best` (arXiv:1007.1727, section 3.6)."""
    root = max((value - best) / sigma, 0.0)
    CLsb, CLb = norm.sf(root), norm.sf(root - value / sigma)
    CLb_expected, CLsb_expected = norm.sf(-N_SIGMA), norm.sf(-N_SIGMA + value / sigma)
    fields = dict(
        poi="mu",
        poi_value=value,
        statistic_name="qmu_tilde",
        statistic=root**2,
        statistic_asimov=(value / sigma) ** 2,
        CLs=CLsb / CLb,
        CLsb=CLsb,
        CLb=CLb,
        CLs_expected=CLsb_expected / CLb_expected,
        CLsb_expected=CLsb_expected,
        CLb_expected=CLb_expected,
        toys=None,
    )
    return Fields(**fields | changes)


def limit(**changes) -> Fields:
    """Upper limits."""
    fields = dict(
        poi="mu",
        observed=1.6,
        expected=np.array([0.7, 1.0, 1.35, 1.9, 2.5]),
        uncertainty=0.0,
        expected_uncertainty=np.zeros(5),
        confidence_level=0.95,
        toys=None,
    )
    return Fields(**fields | changes)


class Grid(Fields):
    """Results of a grid, which know how many patches there are."""

    def __len__(self) -> int:
        return len(self.values)


def grid(values, quantity: str = "upper limit", labels=("m1", "m2"), **changes) -> Grid:
    """Upper limits exp((m1 - 600) / 100), those expected smaller and larger by fixed factors; or CLs above 0.05 where
    the limit is above 1."""
    first = np.array([each[0] for each in values], float)
    limits = np.exp((first - 600) / 100)
    observed, expected = limits, limits[:, None] * np.exp([-1.0, -0.5, 0.0, 0.5, 1.0])
    if quantity == "CLs":
        observed, expected = (norm.sf(norm.isf(0.05) - np.log(each)) for each in (observed, expected))
    fields = dict(
        quantity=quantity,
        labels=labels,
        poi="mu",
        values=[tuple(each) for each in values],
        observed=observed,
        expected=expected,
        converged=np.ones(len(values), bool),
    )
    return Grid(**fields | changes)


PLANE = [(float(m1), float(m2)) for m1 in range(300, 1000, 100) for m2 in range(0, 300, 100)]


def pulls(n: int = 12) -> Fields:
    """Pulls that rise from -1.5 to 1.5; the second one is held, the third one has no width."""
    pull, width = np.linspace(-1.5, 1.5, n), np.linspace(0.4, 1.0, n)
    pull[2] = width[2] = np.nan
    held = np.arange(n) == 1
    return Fields(names=tuple(f"alpha_{i}" for i in range(n)), pull=pull, width_ratio=width, held=held)


def ranking(n: int = 8) -> Fields:
    """Impacts that fall; the third parameter has no constraint term."""
    size = 0.5 / (1 + np.arange(n))
    pull, width = np.linspace(-1, 1, n), np.full(n, 0.8)
    prefit = 1.3 * size
    for each in (pull, width, prefit):
        each[2] = np.nan
    impacts = dict(prefit_up=prefit, prefit_down=-prefit, postfit_up=size, postfit_down=-0.9 * size)
    names = tuple(f"alpha_{i}" for i in range(n))
    return Fields(poi="mu", names=names, order=np.arange(n), pull=pull, width_ratio=width, **impacts)


def correlation(n: int = 5) -> Fields:
    """Neighbours are correlated with 0.5, the last component is held."""
    matrix = np.eye(n) + 0.5 * (np.eye(n, k=1) + np.eye(n, k=-1))
    matrix[-1] = matrix[:, -1] = 0.0
    return Fields(correlation=matrix, parameters=Fields(component_names=tuple(f"alpha_{i}" for i in range(n))))


def scan() -> Fields:
    """A parabola of width 0.5 about 0.8; the first point did not converge."""
    values = np.linspace(-0.5, 2.5, 31)
    converged = np.arange(31) > 0
    return Fields(names=("mu",), values=(values,), delta=((values - 0.8) / 0.5) ** 2, best=[0.8], converged=converged)


def surface() -> Fields:
    """The sum of two squares."""
    x, y = np.linspace(-4, 4, 33), np.linspace(-3, 3, 25)
    delta = x[:, None] ** 2 + y[None, :] ** 2
    return Fields(names=("a", "b"), values=(x, y), delta=delta, best=[0.0, 0.0], converged=np.ones((33, 25), bool))


def contour() -> Fields:
    """Two circles, the inner one with a gap; the larger one comes first."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = np.stack([2.0 * circle, circle])
    points[1, 5] = np.nan
    levels = np.array([0.95, 0.68])
    return Fields(names=("a", "b"), points=points, best=[0.0, 0.0], confidence_levels=levels, degrees_of_freedom=2)


def yields(sizes=None, n_samples: int = 3, **changes) -> Fields:
    """Sample i expects 20 / (i + 1) events in every bin, with an uncertainty of a tenth; the data are 4 below."""
    sizes = {"SR": 4, "CR": 2} if sizes is None else sizes
    samples = {name: {f"sample {i}": np.full(n, 20.0 / (i + 1)) for i in range(n_samples)} for name, n in sizes.items()}
    bins = {name: sum(each.values()) for name, each in samples.items()}
    fields = dict(
        expected=Fields(bins=bins, sample_bins=samples),
        uncertainty=Fields(bins={name: 0.1 * each for name, each in bins.items()}),
        observed={name: np.floor(each) - 4 for name, each in bins.items()},
        is_postfit=True,
    )
    return Fields(**fields | changes)


def toys(n: int = 4000) -> Fields:
    """A test with toys at the quantiles of the asymptotic law: half of the tested ones are at 0."""
    test = hypotest(1.4)
    probability = (np.arange(n) + 0.5) / n
    tested = np.where(probability < 0.5, norm.isf(probability), 0.0) ** 2
    other = np.maximum(norm.isf(probability) + 1.4 / 0.7, 0.0) ** 2
    tallies = {"tested": Tally.of(tested, test.statistic), "other": Tally.of(other, test.statistic)}
    test.statistic_name = "qmu"
    test.toys = Fields(observed=Fields(CLs_uncertainty=0.01), **tallies)
    return test


def goodness(**changes) -> Fields:
    """A deviance of 24.3 with 20 degrees of freedom."""
    channels = {f"SR{i}": 2.0 - 0.1 * i for i in range(9)}
    fields = dict(statistic=24.3, n_degrees=20.0, p_value=0.23, channels=channels, toys=None)
    return Fields(**fields | {"constraints": {f"alpha_{i}": 0.4 - 0.02 * i for i in range(10)}} | changes)


def draws() -> dict[str, np.ndarray]:
    """Two correlated normal variables and an exponential one, at fixed quantiles in a fixed order."""
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 4000))
    return {"mu": a, "alpha": 0.6 * a + 0.8 * b, "gamma": rng.exponential(size=4000)}


def chains() -> Fields:
    """Four chains of the same, in a record; the last one wanders off in mu, and two of its draws are divergent."""
    vectors = np.stack(list(draws().values()), axis=-1).reshape(4, 1000, 3)[..., [1, 0, 2]]
    vectors[3, 500:, 1] += 2
    divergent = np.zeros((4, 1000), bool)
    divergent[3, [700, 800]] = True
    names = "alpha", "mu", "gamma"
    return Fields(vectors=vectors, names=names, free_names=names, poi="mu", statistics={"is_divergent": divergent})
