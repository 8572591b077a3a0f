"""`derive`: from templates as written to the coefficients that an evaluation needs. Pure and traceable.

Because it is part of the traced program, derivatives with respect to any yield, variation, uncertainty or auxiliary
datum flow through it, to the fit and to the limit.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from histjax.lower.layout import Layout
from histjax.lower.templates import Tables, Templates
from histjax.model.constraints import Constraints
from histjax.model.interpolation import factor_coefficients, odd_even


class Coefficients(eqx.Module):
    """What an evaluation of the expected yields needs.

    `odd` and `even` have a column for every alpha, or, where cells are taken in pieces (`Layout.piece`), one for each
    of the entries of `Tables.histosys_of_cell`: nothing of the size modifiers x samples x bins is ever held.
    """

    nominal_yields: Float[Array, "cells"]
    odd: Float[Array, "cells shifts"]
    even: Float[Array, "cells shifts"]
    normsys: tuple[tuple[Array, ...], ...]  # for each run of equal codes, arrays (entries of the run,)


def derive(layout: Layout, templates: Templates, tables: Tables) -> tuple[Coefficients, Constraints]:
    """Interpolation coefficients and constraint widths of `templates`.

    `staterror` and `shapesys` uncertainties are held *absolute* when yields change: delta = sqrt(sum u^2) / sum b and
    tau = (b / u)^2 follow the yields that are given (CERN-OPEN-2012-016, sections 4.3 and 5.3).
    """
    return _coefficients(layout, templates, tables), _constraints(layout, templates, tables)


def _coefficients(layout: Layout, templates: Templates, tables: Tables) -> Coefficients:
    nominal = templates.nominal_yields
    odd, even = odd_even(templates.histosys_lo, nominal[tables.histosys_cell], templates.histosys_hi)
    normsys = tuple(
        factor_coefficients(code, templates.normsys_lo[start:stop], templates.normsys_hi[start:stop])
        for code, start, stop in layout.normsys_codes
    )
    return Coefficients(nominal, _by_cell(layout, tables, odd), _by_cell(layout, tables, even), normsys)


def _by_cell(layout: Layout, tables: Tables, entries: Float[Array, "histosys_entries"]) -> Float[Array, "cells shifts"]:
    """Values of the histosys entries in a table by cell."""
    if layout.piece is not None:
        return jnp.append(entries, 0.0)[tables.histosys_of_cell]
    empty = jnp.zeros((layout.n_cells, len(layout.alphas)), entries.dtype)
    return empty.at[tables.histosys_cell, tables.histosys_alpha].add(entries)


def _constraints(layout: Layout, templates: Templates, tables: Tables) -> Constraints:
    n, dtype = layout.n_parameters, templates.nominal_yields.dtype
    delta, delta_inert = _staterror_widths(n, templates, tables, layout.float_negative_staterror)
    tau, tau_inert = _shapesys_rates(n, templates, tables)
    # a parameter is driven by one of the two at most, and the other is 1
    sigma = _unless_set(templates.sigmas, delta * tau**-0.5)
    factors = _unless_set(templates.factors, tau * delta**-2)
    centre = jnp.zeros(n, dtype).at[tables.local_parameter].set(1.0)
    rates = factors[tables.poisson_parameter]
    units = jnp.where(tables.poisson_is_gamma, rates, 1.0)
    centre = _unless_set(templates.auxdata, centre.at[tables.poisson_parameter].set(rates / units))
    inert = delta_inert | tau_inert
    root = jnp.linalg.cholesky(templates.covariance)
    widths = templates.sigmas.at[tables.normal_parameter].set(sigma[tables.normal_parameter])
    widths = widths.at[tables.poisson_parameter].set(rates**-0.5)
    widths = widths.at[tables.lognormal_parameter].multiply(
        templates.auxdata[tables.lognormal_parameter], unique_indices=True
    )
    widths = widths.at[tables.correlated_parameter].set(jnp.sqrt(jnp.diagonal(templates.covariance)))
    return Constraints(
        sigmas=sigma[tables.normal_parameter],
        factors=rates,
        units=units,
        log_kappas=templates.sigmas[tables.lognormal_parameter],
        correlated_factor=root,
        auxdata=centre[tables.auxiliary_parameter],
        inert=inert,
        widths=jnp.where(inert, 0.0, widths),
    )


def _unless_set(setting: Array, derived: Array) -> Array:
    return jnp.where(jnp.isnan(setting), derived, setting)


def _staterror_widths(
    n: int, templates: Templates, tables: Tables, float_negative: bool
) -> tuple[Float[Array, "parameters"], Bool[Array, "parameters"]]:
    """delta_b = sqrt(sum u^2) / |sum b| over the samples that carry the modifier, and which components are inert.

    Where the sum of the yields is not positive or no uncertainty is given, the component is held at 1 and its width is
    set to 1, as in pyhf: the constant ln Gauss(1 | 1, 1) stays in the log density. With `float_negative` a negative
    sum is a sum like any other. Other Gaussian parameters have width 1.
    """

    def total(values):
        return jax.ops.segment_sum(values, tables.staterror_parameter, n)

    carried = total(jnp.ones_like(templates.staterror_uncertainty)) > 0
    variance = total(templates.staterror_uncertainty**2)
    yields = total(templates.nominal_yields[tables.staterror_cell])
    yields = jnp.abs(yields) if float_negative else yields
    valid = (yields > 0) & (variance > 0)
    delta = jnp.sqrt(jnp.where(valid, variance, 1.0)) / jnp.where(valid, yields, 1.0)
    return delta, carried & ~valid


def _shapesys_rates(n: int, templates: Templates, tables: Tables) -> tuple[Array, Array]:
    """tau_b = (b / u)^2 of the sample's own yield, and which components are inert.

    Where yield or uncertainty is not positive the component is held at 1 with tau = 1, as in pyhf: Pois(1 | 1) stays.
    """
    yields, uncertainty = templates.nominal_yields[tables.shapesys_cell], templates.shapesys_uncertainty
    valid = (yields > 0) & (uncertainty > 0)
    rates = jnp.where(valid, yields, 1.0) ** 2 / jnp.where(valid, uncertainty, 1.0) ** 2
    tau = jnp.ones(n, yields.dtype).at[tables.shapesys_parameter].set(rates)
    return tau, jnp.zeros(n, bool).at[tables.shapesys_parameter].set(~valid)
