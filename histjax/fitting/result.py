"""The result of a fit: values, covariance, and a certificate that says whether to believe them."""

from enum import IntEnum

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int

from histjax._typing import Params
from histjax.fitting.covariance import correlation_matrix, covariance_matrix, smallest_eigenvalue, standard_deviations
from histjax.model.curvature import Curvature, Structure, diagonal_of, full_matrix
from histjax.model.parameters import Parameters


class Status(IntEnum):
    """How a fit ended. The first two have converged."""

    CONVERGED = 0
    FLAT = 1
    MAX_ITERATIONS = 2
    NOT_FINITE = 3
    SADDLE = 4
    STALLED = 5
    IMPOSSIBLE = 6

    @property
    def message(self) -> str:
        """What happened and what to do about it."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.CONVERGED: "converged",
    Status.FLAT: "converged, but the likelihood is flat along a direction: "
    "fix or constrain the parameters without finite uncertainty",
    Status.MAX_ITERATIONS: "not converged: iteration limit reached; "
    "start nearer (init=...) or raise max_iterations of the minimiser",
    Status.NOT_FINITE: "not converged: the likelihood is not finite at the starting point; start elsewhere (init=...)",
    Status.SADDLE: "not converged: stopped where the Hessian is not positive definite; start elsewhere (init=...)",
    Status.STALLED: "not converged: no step lowers the likelihood although the gradient is not zero; "
    "start elsewhere (init=...)",
    Status.IMPOSSIBLE: "the model expects nothing in a bin that has an observed count, or a count is negative: "
    "no parameter value describes these data",
}


class FitResult(eqx.Module):
    """A minimum of twice the negative log likelihood, with its certificate.

    **Fields:**

    - `vector`: the best-fit point, flat; `params` has it by name.
    - `twice_nll`: -2 ln L there, all constants included.
    - `deviance`: -2 ln L + 2 ln L(saturated) there; differences of it keep their digits where counts are large.
    - `edm`: estimated vertical distance of `twice_nll` to the minimum, from gradient and Hessian on the free
      parameters.
    - `kkt`: largest gradient component on the free parameters, each in units of its own curvature^(1/2).
    - `status`: a `Status` as an integer array; `message` says it in words, `converged` in one bit.
    - `n_iterations`: Newton steps, over all descents.
    - `fixed`, `active`, `on_bound`: which components were held by request, which by a bound that the gradient pushes
      against, and which lie on a bound at all, `(parameters,)`.
    - `gradient`: gradient of -ln L there: vanishes on free parameters, and is the slope of the profile likelihood on
      held ones (envelope theorem).
    - `curvature`: Hessian of -ln L there, in the form of `structure` (narrow parameters apart); `hessian`,
      `covariance`, `correlation` and `uncertainty` follow from it.
    - `parameters`: what the likelihood says of its parameters.

    Under `vmap` every array has a leading axis; a lane that did not converge says so in its `status`.
    """

    vector: Float[Array, "parameters"]
    twice_nll: Float[Array, ""]
    deviance: Float[Array, ""]
    edm: Float[Array, ""]
    kkt: Float[Array, ""]
    status: Int[Array, ""]
    n_iterations: Int[Array, ""]
    fixed: Bool[Array, "parameters"]
    active: Bool[Array, "parameters"]
    on_bound: Bool[Array, "parameters"]
    gradient: Float[Array, "parameters"]
    structure: Structure
    curvature: Curvature
    parameters: Parameters

    @property
    def params(self) -> Params:
        """The best-fit point by name."""
        return self.parameters.unravel(self.vector)

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether the point is a minimum to within the certificate (EDM below 1e-8, Hessian not negative)."""
        return self.status <= Status.FLAT

    @property
    def message(self) -> str:
        """The status in words."""
        return Status(int(self.status)).message

    @property
    def at_bound(self) -> dict[str, Bool[Array, "..."]]:
        """Per parameter, which components lie on a bound (to 1e-10 of their prefit width)."""
        return self.parameters.unravel(self.on_bound)

    @property
    def hessian(self) -> Float[Array, "parameters parameters"]:
        """Hessian of -ln L, in the flat order."""
        return full_matrix(self.structure, self.curvature)

    @property
    def curvatures(self) -> Float[Array, "parameters"]:
        """Its diagonal."""
        return diagonal_of(self.structure, self.curvature)

    @property
    def covariance(self) -> Float[Array, "parameters parameters"]:
        """Inverse Hessian of -ln L on the free, inactive parameters, in the flat order; 0 for held ones."""
        return covariance_matrix(self.structure, self.curvature, self.fixed | self.active)

    @property
    def correlation(self) -> Float[Array, "parameters parameters"]:
        """Correlation matrix of `covariance`."""
        return correlation_matrix(self.covariance)

    @property
    def uncertainty(self) -> Params:
        """One standard deviation per parameter; 0 for held components (see `at_bound`), infinite in flat directions."""
        sigma = standard_deviations(self.structure, self.curvature, self.fixed | self.active)
        return self.parameters.unravel(sigma)

    @property
    def smallest_eigenvalue(self) -> Float[Array, ""]:
        """Smallest eigenvalue of the Hessian on the free parameters, scaled to unit diagonal."""
        return smallest_eigenvalue(self.structure, self.curvature, self.fixed | self.active)

    def __str__(self) -> str:
        from histjax.fitting.printing import fit_table  # printing knows results, not the other way round

        return fit_table(self)

    __repr__ = __str__
