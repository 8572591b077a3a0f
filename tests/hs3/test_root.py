"""Likelihoods against those of ROOT 6.40 (`tests/reference/root_hs3_densities.py`) and PyHS3 0.4.2.

Most agree to rounding. Where ROOT integrates numerically, or has an approximation, its own error is the tolerance of
the comparison (measured: ARGUS 9e-4 next to the end of its range, a jump of a generic density 9e-4, smooth generic ones
1e-7, the exponential of a polynomial 8e-8, CERNLIB's Landau 4e-7), and we are held to a second formula in mpmath.
"""

import json
import math
from pathlib import Path

import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import histjax
from tests.hs3.density_table import BY_SLUG as FORMULAE
from tests.hs3.root_documents import BY_SLUG, CASES, Case, physics

REFERENCE = Path(__file__).parents[1] / "reference"
PYHS3 = json.loads((REFERENCE / "pyhs3.json").read_text())
ROOT = json.loads((REFERENCE / "root_hs3_densities.json").read_text())
FOUND: dict[str, list[float]] = {}


def negative_logs(case: Case) -> np.ndarray:
    """-ln L at each of the points of a case."""
    if case.slug not in FOUND:
        model = histjax.compile(histjax.read(case.document), binned=case.binned)
        points = [
            model.init | {name: jnp.asarray(value) for name, value in point.items() if name in model.init}
            for point in case.points
        ]
        FOUND[case.slug] = [-float(model.logpdf(point, model.data)) for point in points]
    return np.array(FOUND[case.slug])


def test_versions():
    assert (ROOT["ROOT"], PYHS3["pyhs3"]) == ("6.40.00", "0.4.2")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_differences(case):
    """-ln L between the points, and -ln L itself with what ROOT adds."""
    found, expected = negative_logs(case), np.array(ROOT["nll"][case.slug])
    np.testing.assert_allclose(found - found[0], expected - expected[0], rtol=0, atol=case.tolerance)
    np.testing.assert_allclose(found + case.offset, expected, rtol=0, atol=max(case.tolerance, 1e-7))


@pytest.mark.parametrize("slug", [case.slug for case in CASES if case.pyhs3])
def test_pyhs3(slug):
    """-ln L, constants included; its numerical integrals have 64 points, too few for a narrow peak (3e-8)."""
    np.testing.assert_allclose(negative_logs(BY_SLUG[slug]), PYHS3["nll"][slug], rtol=0, atol=5e-8)


def _choice(x, p, domain):
    return mp.mpf(1) if x < 2 else mp.mpf(p["c"])


def _generic(x, p, domain):
    return mp.exp(-x / p["tau"]) * (1 + p["q"] * x)


def _power(x, p, domain):
    return x**2 * mp.exp(-p["c"] * x) + mp.sqrt(abs(p["c"])) / 100


EXACT = {
    "argus": (FORMULAE["argus"].formula, (5.25, 5.27, 5.279, 5.2799)),
    "exponential_polynomial": (FORMULAE["exp_poly"].formula, (0, 1, 2, 3)),
    "generic": (_generic, (0.2, 1)),
    "generic_power": (_power, (1, 3)),
    "generic_choice": (_choice, (2,)),
}


@pytest.mark.parametrize("slug", EXACT)
def test_where_root_is_not_exact(slug):
    """-ln L of the same documents in 30 digits."""
    case, (formula, breaks) = BY_SLUG[slug], EXACT[slug]
    data = case.document["data"][0]
    low, high = (data["axes"][0][each] for each in ("min", "max"))
    expected = []
    with mp.workdps(30):
        for point in case.points:
            norm = mp.quad(lambda x, p=point: formula(x, p, (low, high)), [low, *breaks, high])
            logs = [mp.log(formula(row[0], point, (low, high)) / norm) for row in data["entries"]]
            expected.append(float(-sum(logs)))
    np.testing.assert_allclose(negative_logs(case), expected, rtol=0, atol=2e-10)


@pytest.mark.parametrize("name", ["signal", "background"])
def test_densities_of_the_tutorial(name):
    """Normalised over the domain, as in ROOT."""
    expected = ROOT["tutorial"][name]
    found = histjax.read(physics()).model().pdf(name, mass=jnp.array(expected["mass"]))
    np.testing.assert_allclose(found, expected["pdf"], rtol=1e-13)


def test_likelihood_of_the_tutorial():
    """Both densities on the same bins, at their centres."""
    model = histjax.compile(histjax.read(physics()), binned="centres")
    expected = sum(ROOT["tutorial"][name]["nll"] for name in ("signal", "background"))
    assert math.isclose(-model.logpdf(model.init, model.data), expected, rel_tol=1e-13)


def test_a_constraint_within_a_product_moves_in_toys():
    """The factor without observables is an auxiliary measurement with a datum and a width."""
    model = histjax.compile(histjax.read(BY_SLUG["product_with_constraint"].document))
    assert model.data.aux == {"m0": 0.8} and model.parameters["m"].width == pytest.approx(0.5)
