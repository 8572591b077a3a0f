"""The HistFactory model: templates and structure behind the likelihood interface."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from histjax._typing import Params, is_traced, on_host, split
from histjax.lower.layout import Layout
from histjax.lower.templates import Tables, Templates
from histjax.model.compiled import compiled, method
from histjax.model.constraints import (
    Constraints,
    centres,
    draw_auxiliary,
    expected_auxiliary,
    half_deviances,
    log_saturated,
    widths_root,
)
from histjax.model.curvature import Curvature, Structure, Walls, full_matrix
from histjax.model.data import BinTerm, Data, LogpdfTerms, bin_by_bin, by_sample, flat_data
from histjax.model.density import FLOOR, draw_poisson, log_poisson, log_poisson_saturated, poisson_deviance
from histjax.model.derivatives import derivatives
from histjax.model.derive import Coefficients, derive
from histjax.model.effects import bin_yields, cell_yields
from histjax.model.functions import Functions
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters
from histjax.model.printing import summary
from histjax.model.replacing import replaced_weights, replaced_yields
from histjax.model.varying import Variations, replaced_variations


class Model(Likelihood):
    """A compiled HistFactory model: a frozen pytree with pure methods; make it with `histjax.compile`.

    `params` is `{name: array}` (shape `()` or `(n,)`), `data` a `Data`. Everything works under `jax.jit`, `jax.vmap`
    and `jax.grad`, with respect to parameters, data and every number of the workspace.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(f"{jax.jit(model.logpdf)(model.init, model.data):.6f}")
    -15.387627
    """

    describes_asimov = True
    layout: Layout = eqx.field(static=True)
    templates: Templates
    tables: Tables
    coefficients: Coefficients
    constraints: Constraints
    functions: Functions

    @classmethod
    def from_templates(cls, layout: Layout, templates: Templates, tables: Tables, functions: Functions = ()) -> "Model":
        """Derive the coefficients and hold everything together."""
        return cls(layout, templates, tables, *_derive(layout, templates, tables), functions)

    @property
    def parameters(self) -> Parameters:
        """Names, shapes, initial values, bounds, fixed flags and prefit widths."""
        t = self.templates
        fixed, inert = on_host(t.fixed), on_host(self.constraints.inert)
        fixed = fixed | inert if is_traced(fixed, inert) else jnp.asarray(fixed | inert)
        return Parameters(self.layout.parameters, t.init, t.lower, t.upper, fixed, self.constraints.widths)

    @property
    def poi(self) -> str | None:
        """The parameter of interest of the measurement, or `None`."""
        return self.layout.poi

    @property
    def kinks(self) -> tuple[int, ...]:
        """Flat indices of the parameters with a piecewise interpolation code."""
        return self.layout.kinks

    @property
    def init(self) -> Params:
        """The initial parameter point."""
        return self.unravel(self.templates.init)

    @property
    def data(self) -> Data:
        """The observed counts, and the auxiliary data that the workspace implies."""
        return Data(self._by_channel(self.templates.observations), self._by_constraint(self.constraints.auxdata))

    # --- densities -------------------------------------------------------------------------------------------------

    @method
    def logpdf(self, params: Params, data: Data) -> Float[Array, ""]:
        r"""ln of \(\prod_{cb} Pois(n_{cb} | \nu_{cb}) \prod_\chi c_\chi(a_\chi | \chi)\), all constants included.

        CERN-OPEN-2012-016, equation 2. Equals pyhf's `Model.logpdf`.
        """
        bins, constraints = self._log_terms(self.ravel(params), self.ravel_data(data))
        return jnp.sum(bins) + jnp.sum(constraints)

    @method
    def logpdf_terms(self, params: Params, data: Data) -> LogpdfTerms:
        """The log density of each channel and of each constraint term; together they are `logpdf`."""
        return self._terms(*self._log_terms(self.ravel(params), self.ravel_data(data)))

    @method
    def deviance_terms(self, params: Params, data) -> LogpdfTerms:
        """-2 ln [L / L(saturated)] of each channel and of each constraint term: none is negative."""
        bins, constraints = self._half_deviances(self.ravel(params), self.ravel_data(data))
        return self._terms(2 * bins, 2 * constraints)

    @property
    def n_observations(self) -> Float[Array, ""]:
        """The number of bins that are not masked."""
        return jnp.sum(self.templates.weights > 0).astype(self.templates.weights.dtype)

    @method
    def constraint_centres(self, data) -> Float[Array, "parameters"]:
        """The value that the auxiliary data prefer for each component, NaN for free ones."""
        return centres(self.tables, self.constraints, self._cut(self.ravel_data(data))[1])

    @method
    def prefit_root(self) -> Float[Array, "parameters parameters"]:
        """A matrix R with R R^T = the covariance of the constraint terms; 0 for free parameters."""
        return widths_root(self.tables, self.constraints)

    def _terms(self, bins: Float[Array, "bins"], constraints: Float[Array, "auxiliaries"]) -> LogpdfTerms:
        parts = self._by_channel(bins), self._by_constraint(constraints)
        return LogpdfTerms(*({name: jnp.sum(values) for name, values in part.items()} for part in parts))

    @compiled
    def _log_terms(self, vector, data) -> tuple[Array, Array]:
        counts, auxiliary = self._cut(data)
        constraints = log_saturated(self.tables, self.constraints, auxiliary)
        constraints -= half_deviances(self.tables, self.constraints, vector, auxiliary)
        return self.templates.weights * log_poisson(counts, self._bin_yields(vector)), constraints

    @compiled
    def _half_deviances(self, vector, data) -> tuple[Array, Array]:
        counts, auxiliary = self._cut(data)
        bins = self.templates.weights * poisson_deviance(counts, self._bin_yields(vector))
        return bins, half_deviances(self.tables, self.constraints, vector, auxiliary)

    @compiled
    def saturated_logpdf(self, data) -> Float[Array, ""]:
        """The log density where every expectation equals its datum: the largest value that any model could reach."""
        counts, auxiliary = self._cut(self.ravel_data(data))
        constraints = log_saturated(self.tables, self.constraints, auxiliary)
        return self.templates.weights @ log_poisson_saturated(counts) + jnp.sum(constraints)

    @compiled
    def nll(self, vector: Float[Array, "parameters"], data) -> Float[Array, ""]:
        """Half the deviance at a flat vector: -(logpdf - saturated_logpdf), without the cancellation."""
        bins, constraints = self._half_deviances(vector, self.ravel_data(data))
        return jnp.sum(bins) + jnp.sum(constraints)

    @property
    def structure(self) -> Structure:
        """Flat indices of the dense and of the narrow parameters."""
        return Structure(self.tables.dense_parameter, self.tables.narrow_parameter)

    @property
    def n_walls(self) -> int:
        """The number of bins."""
        return self.layout.n_bins

    @compiled
    def nll_curvature(self, vector: Float[Array, "parameters"], data) -> tuple[Array, Array, Curvature, Walls]:
        """`nll`, gradient and Hessian by structure, and the bins to beware of (`histjax.model.derivatives`)."""
        return self._derivatives(vector, data, convex=True)

    @compiled
    def nll_derivatives(self, vector: Float[Array, "parameters"], data) -> tuple[Array, Array, Array]:
        """`nll`, gradient and the exact Hessian as a whole matrix."""
        value, gradient, curvature, _ = self._derivatives(vector, data, convex=False)
        return value, gradient, full_matrix(self.structure, curvature)

    def _derivatives(self, vector, data, convex: bool):
        arrays = self.tables, self.coefficients, self.constraints, self.functions, self.templates.weights
        return derivatives(self.layout, *arrays, vector, *self._cut(self.ravel_data(data)), convex)

    @compiled
    def is_impossible(self, vector: Float[Array, "parameters"], data) -> Bool[Array, ""]:
        """Whether some bin has an observed count and no positive expectation, or a negative count."""
        counts, _ = self._cut(self.ravel_data(data))
        weighted = self.templates.weights * counts
        return jnp.any(((weighted > 10 * FLOOR) & (self._bin_yields(vector) <= 10 * FLOOR)) | (weighted < 0))

    @method
    def bin_terms(self, vector: Float[Array, "parameters"], data) -> list[BinTerm]:
        """What every bin expects and observes and contributes to the deviance; not for use inside a trace."""
        flat = self.ravel_data(data)
        columns = self._bin_yields(vector), self._cut(flat)[0], 2 * self._half_deviances(vector, flat)[0]
        return bin_by_bin(*map(self._by_channel, columns))

    # --- expectations ----------------------------------------------------------------------------------------------

    @method
    def expected_yields(self, params: Params) -> dict[str, Float[Array, "..."]]:
        """Expected counts per channel, `{channel: (bins,)}`."""
        return self._by_channel(self._bin_yields(self.ravel(params)))

    @method
    def expected_yields_by_sample(self, params: Params) -> dict[str, dict[str, Float[Array, "..."]]]:
        """Expected counts of every sample, `{channel: {sample: (bins,)}}`."""
        return by_sample(self.layout, self._cell_yields(self.ravel(params)))

    @method
    def expected_data(self, params: Params) -> Data:
        """Expected counts, and auxiliary data: alpha for Gaussian constraints, tau gamma for Poisson ones."""
        return self.unravel_data(self.expected_flat(self.ravel(params)))

    @compiled
    def expected_flat(self, vector: Float[Array, "parameters"]) -> Float[Array, "data"]:
        """The same, flat: counts of all bins, then auxiliary data."""
        return jnp.concatenate([self._bin_yields(vector), expected_auxiliary(self.tables, self.constraints, vector)])

    @method
    def draw(self, key: PRNGKeyArray, params: Params) -> Data:
        """One toy: Poisson counts in every bin, and auxiliary data drawn from the constraint terms."""
        return self.unravel_data(self.draw_flat(key, self.ravel(params)))

    @compiled
    def draw_flat(self, key: PRNGKeyArray, vector: Float[Array, "parameters"]) -> Float[Array, "data"]:
        """The same, flat."""
        main, gaussian, counting = jax.random.split(key, 3)
        auxiliary = draw_auxiliary(gaussian, counting, self.tables, self.constraints, vector)
        return jnp.concatenate([draw_poisson(main, self._bin_yields(vector)), auxiliary])

    @compiled
    def _cell_yields(self, vector: Float[Array, "parameters"]) -> Float[Array, "cells"]:
        return cell_yields(self.layout, self.tables, self.coefficients, self.functions, vector)

    @compiled
    def _bin_yields(self, vector: Float[Array, "parameters"]) -> Float[Array, "bins"]:
        return bin_yields(self.layout, self.tables, self._cell_yields(vector))

    # --- other templates -------------------------------------------------------------------------------------------

    def with_templates(self, templates: Templates) -> "Model":
        """The same structure with other numbers, which may be traced; coefficients and widths are derived anew."""
        return Model.from_templates(self.layout, templates, self.tables, self.functions)

    def with_yields(self, yields: Mapping[tuple[str, str], Float[Array, "..."]]) -> "Model":
        """The same model with other nominal yields: `{(channel, sample): (bins,)}`, which may be traced.

        Uncertainties and histosys templates are held absolute (as written), so widths follow the new yields. Raises
        `UnknownName` for a sample that the channel does not have and `InvalidModel` for a wrong number of bins.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> doubled = model.with_yields({("singlechannel", "signal"): jnp.array([24.0, 22.0])})
        >>> print(doubled.expected_yields(doubled.init)["singlechannel"])
        [74. 74.]
        """
        nominal = replaced_yields(self.layout, self.templates.nominal_yields, yields)
        return self.with_templates(eqx.tree_at(lambda t: t.nominal_yields, self.templates, jax.device_put(nominal)))

    def with_variations(self, variations: Variations) -> "Model":
        """The same model with other `{(channel, sample, modifier): numbers}`, traced or not: `(lo, hi)` of a histosys
        (absolute) or normsys, absolute uncertainties of a staterror or shapesys. Raises as `with_yields` does.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> name = "singlechannel", "background", "uncorr_bkguncrt"
        >>> model.with_variations({name: jnp.array([5.0, 5.0])}).parameters["uncorr_bkguncrt"].width.round(3)
        Array([0.1  , 0.096], dtype=float64)
        """
        return self.with_templates(replaced_variations(self.layout, self.templates, self.tables, variations))

    def with_weights(self, weights: Mapping[str, ArrayLike]) -> "Model":
        """The same model with the Poisson terms of some channels taken to a power: `{channel: number or (bins,)}`.

        0 masks a channel or a bin: it is not fitted, and its expectation is a prediction of the rest. Weights may be
        traced, and a fit of a masked model is the same program as any other.

        >>> import histjax
        >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
        >>> print(f"{model.with_weights({'singlechannel': 0.0}).logpdf_terms(model.init, model.data).total:.6f}")
        -6.658431
        """
        vector = replaced_weights(self.layout, self.templates.weights, weights)
        return eqx.tree_at(lambda model: model.templates.weights, self, jax.device_put(vector))

    @method
    def ravel(self, params: Params) -> Float[Array, "parameters"]:
        """Flat parameter vector in pyhf's order."""
        return self.parameters.ravel(params)

    @method
    def unravel(self, vector: Float[Array, "... parameters"]) -> Params:
        """Parameter point of a flat vector in pyhf's order."""
        return split(vector, {each.name: (each.slice, each.shape) for each in self.layout.parameters})

    @method
    def ravel_data(self, data) -> Float[Array, "data"]:
        """Main counts, then auxiliary data, flat in pyhf's order; a flat vector is returned as it is."""
        return flat_data(self.layout, data, self.templates.init.dtype) if isinstance(data, Data) else data

    @method
    def unravel_data(self, flat: Float[Array, "... data"]) -> Data:
        """Inverse of `ravel_data`."""
        n = self.layout.n_bins
        return Data(self._by_channel(flat[..., :n]), self._by_constraint(flat[..., n:]))

    def _cut(self, flat: Float[Array, "data"]) -> tuple[Float[Array, "bins"], Float[Array, "auxiliaries"]]:
        return flat[: self.layout.n_bins], flat[self.layout.n_bins :]

    def _by_channel(self, bins: Shaped[Array, "... bins"]) -> dict[str, Array]:
        return split(bins, {each.name: (slice(each.start, each.stop), (each.n_bins,)) for each in self.layout.channels})

    def _by_constraint(self, auxiliary: Float[Array, "... auxiliaries"]) -> dict[str, Array]:
        return split(auxiliary, self.layout.auxiliary_places)

    def __repr__(self) -> str:
        return summary(self)


_derive = eqx.filter_jit(derive)
