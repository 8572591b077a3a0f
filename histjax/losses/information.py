"""Losses from the Fisher information: no fit, and exact where the likelihood is Gaussian."""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from histjax.errors import InvalidModel
from histjax.fitting.arrow import NO_EFFECT, factorised, scaled
from histjax.fitting.covariance import RIDGE
from histjax.fitting.problem import Problem
from histjax.fitting.result import FitResult
from histjax.inference.poi import poi_name
from histjax.losses.asimov import point_for
from histjax.model.curvature import diagonal_of, product
from histjax.model.likelihood import Likelihood


def fisher_information(
    likelihood: Likelihood,
    parameter: str | None = None,
    *,
    signal_strength: ArrayLike = 1.0,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
) -> Float[Array, ""]:
    r"""The Fisher information on a parameter, all others profiled: the inverse of its asymptotic variance.

    With the expected Hessian I of -ln L, whose blocks are those of the parameter p and of the others n,

    \[ I_{pp} - I_{pn} I_{nn}^{-1} I_{np} \]

    (the Schur complement). The Hessian on the Asimov data at their own point is the expectation of the Hessian there.

    **Arguments:** `parameter`: a name or a component, by default the parameter of interest; `signal_strength`: its
    value where the information is taken; `params`, `systematics` are those of all losses (`Loss`). Bounds do not
    count; parameters that the measurement fixes are known.

    **Returns:** a scalar, to be maximised, differentiable any number of times; it is 0 where the parameter cannot be
    told from the others.

    **Raises:** `MissingPOI`, `UnknownName`.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{histjax.losses.fisher_information(model) ** -0.5:.6f}")
    0.567182
    """
    at = point_for(likelihood, parameter, signal_strength, params, systematics)
    return _profiled(likelihood, at.problem, np.array([at.place], np.int32))[0, 0]


def fisher_matrix(
    likelihood: Likelihood,
    parameters: Sequence[str],
    *,
    signal_strength: ArrayLike = 1.0,
    params: Mapping[str, ArrayLike] | FitResult | None = None,
    systematics: bool = True,
) -> Float[Array, "chosen chosen"]:
    """The Fisher information on several parameters or components, all others profiled.

    **Arguments:** as for `fisher_information`. **Returns:** a matrix `(chosen, chosen)`, the inverse of their
    covariance. `jnp.linalg.slogdet(matrix)[1]` is a scalar to be maximised.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(histjax.losses.fisher_matrix(model, ["mu", "uncorr_bkguncrt[0]"]).round(2))
    [[  3.4    9.68]
     [  9.68 318.1 ]]
    """
    names = [poi_name(likelihood, name) for name in parameters]
    if not names or len(set(names)) < len(names):
        raise InvalidModel(f"Fisher information needs different parameters, found {names}")
    at = point_for(likelihood, names[0], signal_strength, params, systematics)
    places = np.array([likelihood.parameters.place(name) for name in names], np.int32)
    return _profiled(likelihood, at.problem, places)


@eqx.filter_jit
def _profiled(likelihood: Likelihood, problem: Problem, places: Int[Array, "chosen"]) -> Float[Array, "chosen chosen"]:
    """The Schur complement of the Hessian on the components `places`, narrow parameters eliminated by structure."""
    structure, at = likelihood.structure, problem.start
    curvature = likelihood.nll_curvature(at, likelihood.asimov_flat(at))[2]
    chosen = jnp.zeros(at.size, bool).at[places].set(True)
    held = problem.fixed | chosen | (jnp.abs(diagonal_of(structure, curvature)) < NO_EFFECT)
    system = scaled(structure, curvature, held)
    is_definite = factorised(system, 0.0).exists
    factor = factorised(system, jnp.where(is_definite, 0.0, RIDGE))
    rows = jax.vmap(lambda place: product(structure, curvature, jnp.zeros_like(at).at[place].set(1.0)))(places)
    right = jnp.where(held, 0.0, rows) / system.scale
    return rows[:, places] - right @ jax.vmap(factor.solve)(right).T
