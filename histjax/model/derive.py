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
from histjax.model.interpolation import factor_coefficients, odd_even


class Coefficients(eqx.Module):
    """What an evaluation of the expected yields needs."""

    nominal_yields: Float[Array, "cells"]
    odd: Float[Array, "cells alphas"]
    even: Float[Array, "cells alphas"]
    normsys: tuple[tuple[Array, ...], ...]  # for each run of equal codes, arrays (entries of the run,)


class Constraints(eqx.Module):
    """Widths and centres of the constraint terms.

    `sigmas` are the widths of the Gaussian terms, `factors` the rates tau of the Poisson terms Pois(a | tau gamma);
    `auxdata` the nominal auxiliary data in the order of `Layout.constrained`; `inert` marks the components that a
    rule on empty bins holds at their initial value; `widths` are prefit uncertainties per parameter, 0 where inert,
    NaN where free.
    """

    sigmas: Float[Array, "normals"]
    factors: Float[Array, "poissons"]
    auxdata: Float[Array, "auxiliaries"]
    inert: Bool[Array, "parameters"]
    widths: Float[Array, "parameters"]


def derive(layout: Layout, templates: Templates, tables: Tables) -> tuple[Coefficients, Constraints]:
    """Interpolation coefficients and constraint widths of `templates`.

    `staterror` and `shapesys` uncertainties are held *absolute* when yields change: delta = sqrt(sum u^2) / sum b and
    tau = (b / u)^2 follow the yields that are given (CERN-OPEN-2012-016, sections 4.3 and 5.3).
    """
    return _coefficients(layout, templates, tables), _constraints(layout, templates, tables)


def _coefficients(layout: Layout, templates: Templates, tables: Tables) -> Coefficients:
    nominal = templates.nominal_yields
    odd, even = odd_even(templates.histosys_lo, nominal[tables.histosys_cell], templates.histosys_hi)
    empty = jnp.zeros((layout.n_cells, len(layout.alphas)), nominal.dtype)
    place = tables.histosys_cell, tables.histosys_alpha
    normsys = tuple(
        factor_coefficients(code, templates.normsys_lo[start:stop], templates.normsys_hi[start:stop])
        for code, start, stop in layout.normsys_codes
    )
    return Coefficients(nominal, empty.at[place].add(odd), empty.at[place].add(even), normsys)


def _constraints(layout: Layout, templates: Templates, tables: Tables) -> Constraints:
    n = layout.n_parameters
    dtype = templates.nominal_yields.dtype
    delta, delta_inert = _staterror_widths(n, templates, tables)
    tau, tau_inert = _shapesys_rates(n, templates, tables)
    sigma = _unless_set(templates.sigmas, delta)
    factors = _unless_set(templates.factors, tau)
    centre = jnp.zeros(n, dtype).at[tables.local_parameter].set(1.0)
    centre = centre.at[tables.poisson_parameter].set(factors[tables.poisson_parameter])
    centre = _unless_set(templates.auxdata, centre)
    inert = delta_inert | tau_inert
    widths = jnp.full(n, jnp.nan, dtype).at[tables.normal_parameter].set(sigma[tables.normal_parameter])
    widths = widths.at[tables.poisson_parameter].set(factors[tables.poisson_parameter] ** -0.5)
    constrained = [jnp.arange(each.start, each.start + each.size) for each in layout.constrained]
    order = jnp.concatenate(constrained) if constrained else jnp.zeros(0, jnp.int32)
    return Constraints(
        sigmas=sigma[tables.normal_parameter],
        factors=factors[tables.poisson_parameter],
        auxdata=centre[order],
        inert=inert,
        widths=jnp.where(inert, 0.0, widths),
    )


def _unless_set(setting: Array, derived: Array) -> Array:
    return jnp.where(jnp.isnan(setting), derived, setting)


def _staterror_widths(n: int, templates: Templates, tables: Tables) -> tuple[Array, Array]:
    """delta_b = sqrt(sum u^2) / sum b over the samples that carry the modifier, and which components are inert.

    Where the sum of the yields is not positive or no uncertainty is given, the component is held at 1 and its width is
    set to 1, as in pyhf: the constant ln Gauss(1 | 1, 1) stays in the log density. Other Gaussian parameters have
    width 1.
    """

    def total(values):
        return jax.ops.segment_sum(values, tables.staterror_parameter, n)

    carried = total(jnp.ones_like(templates.staterror_uncertainty)) > 0
    variance = total(templates.staterror_uncertainty**2)
    yields = total(templates.nominal_yields[tables.staterror_cell])
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
