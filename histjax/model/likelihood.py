"""The interface that fitting and inference see, and nothing else: a likelihood of named parameters and a dataset."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from histjax._typing import Params
from histjax.model.curvature import Curvature, Structure, Walls, dense_curvature, no_walls, without_structure
from histjax.model.data import BinTerm, LogpdfTerms
from histjax.model.parameters import Parameters


class Likelihood(eqx.Module):
    """A likelihood: a pytree whose methods are pure functions of one parameter point and one dataset.

    To fit anything, subclass it and give `parameters`, `data`, `poi` and `logpdf`, with `expected_data` for Asimov
    datasets and `draw` for toys. The rest has defaults by automatic differentiation.

    What is minimised works on flat things, because a program with one argument per parameter is slow to compile and
    to call: the flat parameter vector, and whatever `ravel_data` makes of a dataset.
    """

    describes_asimov: ClassVar[bool] = False
    """Whether `nll` is 0 for the data that are expected at its point, because it is relative to a saturated model."""

    long_arrays: ClassVar[bool] = False
    """Whether its arrays are long even where the parameters are few: then toys are not run side by side on a CPU."""

    parameters: eqx.AbstractVar[Parameters]
    data: eqx.AbstractVar[object]
    poi: eqx.AbstractVar[str | None]

    @property
    def kinks(self) -> tuple[int, ...]:
        """Flat indices of the parameters at whose value 0 the log density has a kink; static."""
        return ()

    @property
    def linked_names(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and the parameter that it is another name of; none by default."""
        return ()

    @abstractmethod
    def logpdf(self, params: Params, data) -> Float[Array, ""]:
        """Log density of `data` at `params`, all constants included."""

    @abstractmethod
    def expected_data(self, params: Params):
        """The dataset that is expected at `params`, auxiliary data included."""

    @abstractmethod
    def draw(self, key: PRNGKeyArray, params: Params):
        """One pseudo-dataset thrown at `params`, auxiliary data drawn too."""

    # a value among values, but looked up by identity: `jax.jit(model.logpdf)` needs a hash, and arrays have none
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def ravel_data(self, data):
        """The flat form of a dataset; itself by default. A flat dataset is returned as it is."""
        return data

    def equal_shapes(self, first, second) -> tuple:
        """Two flat datasets with arrays of equal shapes, for programs that run over both; as they are by default."""
        return first, second

    def expected_flat(self, vector: Float[Array, "parameters"]):
        """Flat form of the data expected at a flat parameter vector."""
        return self.ravel_data(self.expected_data(self.parameters.unravel(vector)))

    def asimov_flat(self, vector: Float[Array, "parameters"]):
        """Flat form of the data expected at a flat parameter vector where no dataset was seen: the same, unless what is
        expected depends on one.
        """
        return self.expected_flat(vector)

    def draw_flat(self, key: PRNGKeyArray, vector: Float[Array, "parameters"]):
        """Flat form of one pseudo-dataset thrown at a flat parameter vector."""
        return self.ravel_data(self.draw(key, self.parameters.unravel(vector)))

    def conditioned_on(self, data) -> "Likelihood":
        """The likelihood whose expected data and toys are those of a fit to `data`: itself, unless they depend on more
        than the parameters.
        """
        del data
        return self

    def saturated_logpdf(self, data) -> Float[Array, ""]:
        """A function of the (flat) data alone that is taken off the log density while minimising, to keep digits."""
        del data
        return jnp.zeros(())

    def nll(self, vector: Float[Array, "parameters"], data) -> Float[Array, ""]:
        """-(logpdf - saturated_logpdf) at a flat parameter vector: what is minimised."""
        return self.saturated_logpdf(data) - self.logpdf(self.parameters.unravel(vector), data)

    def least_asimov_nll(self, vector: Float[Array, "parameters"], asimov) -> Float[Array, ""]:
        """`nll` at a point for the flat data that are expected there, which is the least that there is for them."""
        return jnp.zeros((), vector.dtype) if self.describes_asimov else self.nll(vector, asimov)

    def nll_derivatives(self, vector: Float[Array, "parameters"], data) -> tuple[Array, Array, Array]:
        """`nll`, its gradient `(parameters,)` and its Hessian `(parameters, parameters)`."""

        def twice(x):
            value, gradient = jax.value_and_grad(self.nll)(x, data)
            return gradient, (value, gradient)

        hessian, (value, gradient) = jax.jacfwd(twice, has_aux=True)(vector)
        return value, gradient, hessian

    @property
    def structure(self) -> Structure:
        """Which parameters are dense and which narrow in `nll_curvature`; all dense by default."""
        return without_structure(self.parameters.init.size)

    @property
    def n_walls(self) -> int:
        """How many expected counts `nll_curvature` gives."""
        return 0

    def nll_curvature(self, vector: Float[Array, "parameters"], data) -> tuple[Array, Array, Curvature, Walls]:
        """`nll_derivatives` with the Hessian in the form of `structure`, and the expected counts that a step should not
        drive below zero (none by default): what the minimiser asks for.
        """
        value, gradient, hessian = self.nll_derivatives(vector, data)
        return value, gradient, dense_curvature(hessian), no_walls(self.structure, self.n_walls, vector.dtype)

    def is_impossible(self, vector: Float[Array, "parameters"], data) -> Bool[Array, ""]:
        """`True` where the model cannot describe `data` at `vector` at all (an expectation of 0 for an observed
        count).
        """
        del vector, data
        return jnp.zeros((), bool)

    @property
    def n_observations(self) -> Float[Array, ""]:
        """How many observed numbers the saturated model describes exactly, auxiliary data not counted; NaN where that
        is not known.
        """
        return jnp.full((), jnp.nan)

    def deviance_terms(self, params: Params, data) -> LogpdfTerms:
        """-2 ln [L / L(saturated)] by parts of the measurement and by constraint terms; nothing by default."""
        del params, data
        return LogpdfTerms({}, {})

    def constraint_centres(self, data) -> Float[Array, "parameters"]:
        """The value that the auxiliary data prefer for each component, NaN where there is none; by default the initial
        value of the constrained ones.
        """
        del data
        return jnp.where(jnp.isnan(self.parameters.widths), jnp.nan, self.parameters.init)

    def prefit_root(self) -> Float[Array, "parameters parameters"]:
        """A matrix R with R R^T = the prefit covariance; by default the widths of the constraint terms."""
        return jnp.diag(jnp.nan_to_num(self.parameters.widths))

    def bin_terms(self, vector: Float[Array, "parameters"], data) -> list[BinTerm]:
        """What each bin contributes to the deviance, for a diagnosis on the host; nothing where there are no bins."""
        del vector, data
        return []
