"""Counting spectra behind the likelihood interface."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from histjax._typing import Params, is_traced, joined, replaced, split
from histjax.errors import InvalidModel, UnknownName
from histjax.model.compiled import compiled, method
from histjax.model.data import BinTerm, Data, LogpdfTerms, bin_by_bin, listed
from histjax.model.likelihood import Likelihood
from histjax.model.parameters import Parameters
from histjax.spectra.sharing import Links, places, shared_parameters, with_links, without_links
from histjax.spectra.terms import Part


class SpectraLikelihood(Likelihood):
    """Spectra with their models: a frozen pytree with pure methods; make it with `histjax.spectra.compile`.

    `params` is `{"spectrum.parameter": ()}`, without those that are linked to another; `data` is
    `Data(main={spectrum: counts}, aux={spectrum: background counts})`, `(bins,)` each. The background of each bin is
    profiled in closed form: it follows parameters *and data*. Asimov data and toys belong to a dataset, with the
    backgrounds that are best for it: those of `reference`, which `conditioned_on` sets; the functions of
    `histjax.inference` do that themselves.

    Parameters are linked, frozen and bounded by functions that return another likelihood. To name one that is linked
    is to name the one that it is linked to.
    """

    describes_asimov = True

    names: tuple[str, ...] = eqx.field(static=True)
    parts: tuple[Part, ...]
    declared: Parameters
    links: Links = eqx.field(static=True)
    parameters: Parameters
    observed: Float[Array, "data"]
    reference: Float[Array, "data"]
    poi: str | None = eqx.field(static=True)

    # --- parameters --------------------------------------------------------------------------------------------------

    @property
    def init(self) -> Params:
        """The initial parameter point."""
        return self.parameters.unravel(self.parameters.init)

    @property
    def linked_names(self) -> Links:
        """Pairs of a parameter that is linked and the one that it is."""
        return self.links

    def linked(self, links: Mapping[str, str]) -> "SpectraLikelihood":
        """With parameters that are one: `{"b.index": "a.index"}`, or `{"b": "a"}` for all that the models of two
        spectra have in common by name. Start, bounds and whether it is frozen are those of the second.

        **Raises:** `UnknownName`, `InvalidModel` for a circle.
        """
        return self._with(self.declared, with_links(self.declared, self.links, links))

    def unlinked(self, *names: str) -> "SpectraLikelihood":
        """With these parameters on their own again. **Raises:** `UnknownName` for one that is not linked."""
        return self._with(self.declared, without_links(self.declared, self.links, names))

    def frozen(self, names: Mapping[str, ArrayLike] | Sequence[str] | str) -> "SpectraLikelihood":
        """With parameters held: `{"a.index": 2.0}`, or names of those to hold at their initial values."""
        if not isinstance(names, Mapping):
            return self._assigned(fixed=dict.fromkeys([names] if isinstance(names, str) else names, True))
        return self._assigned(init=names, fixed=dict.fromkeys(names, True))

    def thawed(self, *names: str) -> "SpectraLikelihood":
        """With these parameters free."""
        return self._assigned(fixed=dict.fromkeys(names, False))

    def with_init(self, values: Mapping[str, ArrayLike]) -> "SpectraLikelihood":
        """With other starting values."""
        return self._assigned(init=values)

    def with_bounds(self, bounds: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> "SpectraLikelihood":
        """With other ranges of parameters, `{name: (lower, upper)}`; a fit that would start outside starts at the end.

        **Raises:** `InvalidModel` for ends in the wrong order.
        """
        lower, upper = ({name: pair[i] for name, pair in bounds.items()} for i in (0, 1))
        for name in bounds:
            if not is_traced(lower[name], upper[name]) and not lower[name] <= upper[name]:
                raise InvalidModel(f"bounds of {name!r}: expected lower <= upper, found {lower[name]}, {upper[name]}")
        return self._assigned(lower=lower, upper=upper)

    def with_poi(self, poi: str | None) -> "SpectraLikelihood":
        """With another parameter of interest, or none. **Raises:** `UnknownName`."""
        if poi is not None and poi not in self.parameters.names:
            raise UnknownName("parameter", poi, self.parameters.names)
        return replace(self, poi=poi)

    def _assigned(self, **changes: Mapping[str, ArrayLike]) -> "SpectraLikelihood":
        roots, declared = dict(self.links), self.declared
        for field, values in changes.items():
            array = getattr(declared, field)
            for name, value in values.items():
                array = replaced(array, declared.place(roots.get(name, name)), value)
            declared = eqx.tree_at(lambda each, field=field: getattr(each, field), declared, jnp.asarray(array))
        return self._with(declared, self.links)

    def _with(self, declared: Parameters, links: Links) -> "SpectraLikelihood":
        parameters = shared_parameters(declared, links)
        if self.poi is not None and self.poi not in parameters.names:
            raise InvalidModel(f"the parameter of interest {self.poi!r} cannot be linked to another one")
        return replace(self, declared=declared, links=links, parameters=parameters)

    # --- data --------------------------------------------------------------------------------------------------------

    @property
    def _places(self) -> tuple[dict, dict]:
        """Slices of counts and of background counts in the flat data."""
        main, aux, start = {}, {}, 0
        for sizes, wanted in ((main, lambda part: True), (aux, lambda part: part.has_background)):
            for name, part in zip(self.names, self.parts, strict=True):
                if wanted(part):
                    sizes[name] = slice(start, start + part.n_bins), (part.n_bins,)
                    start += part.n_bins
        return main, aux

    @property
    def data(self) -> Data:
        """The observed counts."""
        return self.unravel_data(self.observed)

    @method
    def ravel_data(self, data) -> Float[Array, "data"]:
        """Counts, then background counts, as one flat vector; a flat vector is returned as it is."""
        if not isinstance(data, Data):
            return data
        main, aux = ([(name, shape[0]) for name, (_, shape) in each.items()] for each in self._places)
        parts = listed("spectrum", main, data.main) + listed("background", aux, data.aux)
        return joined(parts, self.observed.dtype)

    @method
    def unravel_data(self, flat: Float[Array, "... data"]) -> Data:
        """Inverse of `ravel_data`."""
        main, aux = self._places
        return Data(split(flat, main), split(flat, aux))

    def conditioned_on(self, data) -> "SpectraLikelihood":
        """The same likelihood, with expected data and toys as in a fit to `data`."""
        reference = jnp.asarray(self.ravel_data(data), self.reference.dtype)
        return eqx.tree_at(lambda each: each.reference, self, reference)

    def _cut(self, data) -> list[tuple[Part, Array, Array]]:
        """Each spectrum with its counts and background counts, 0 where there is no background."""
        flat = jnp.asarray(self.ravel_data(data))
        main, aux = self._places
        return [
            (part, flat[main[name][0]], flat[aux[name][0]] if name in aux else jnp.zeros(part.n_bins, flat.dtype))
            for name, part in zip(self.names, self.parts, strict=True)
        ]

    def _rates(self, vector: Float[Array, "parameters"]) -> list[Float[Array, "bins"]]:
        values = jnp.asarray(vector)[places(self.declared, self.links)]
        return [part.rate(values) for part in self.parts]

    def _with_rates(self, vector, data) -> list[tuple[Part, Array, Array, Array]]:
        """Each spectrum with its predicted rate, counts and background counts."""
        cut, rates = self._cut(data), self._rates(vector)
        return [(part, rate, *counts) for (part, *counts), rate in zip(cut, rates, strict=True)]

    # --- densities ---------------------------------------------------------------------------------------------------

    @method
    def logpdf(self, params: Params, data) -> Float[Array, ""]:
        """The profile log likelihood, all constants included."""
        flat = self.ravel_data(data)
        return self.saturated_logpdf(flat) - self.nll(self.parameters.ravel(params), flat)

    @compiled
    def saturated_logpdf(self, data) -> Float[Array, ""]:
        """The largest value that any model could reach."""
        return sum(part.saturated(on, off) for part, on, off in self._cut(data))

    @compiled
    def nll(self, vector: Float[Array, "parameters"], data) -> Float[Array, ""]:
        """Half the statistic of all bins: -ln of the profile likelihood relative to the saturated model."""
        terms = (part.terms(*rest) for part, *rest in self._with_rates(vector, data))
        return 0.5 * sum(jnp.sum(each.statistic) for each in terms)

    @compiled
    def is_impossible(self, vector: Float[Array, "parameters"], data) -> Bool[Array, ""]:
        """Whether some bin has a count and no positive expectation, or a negative count."""
        found = [part.is_impossible(*rest) for part, *rest in self._with_rates(vector, data)]
        return jnp.any(jnp.stack(found))

    @property
    def n_observations(self) -> Float[Array, ""]:
        """The number of bins: each background measurement is taken up by the background that it measures."""
        return jnp.asarray(sum(part.n_bins for part in self.parts), self.observed.dtype)

    @method
    def deviance_terms(self, params: Params, data) -> LogpdfTerms:
        """The statistic of each spectrum, background measurement included."""
        terms = [part.terms(*rest) for part, *rest in self._with_rates(self.parameters.ravel(params), data)]
        return LogpdfTerms({name: jnp.sum(each.statistic) for name, each in zip(self.names, terms, strict=True)}, {})

    @method
    def residuals(self, params: Params, data=None) -> dict[str, Float[Array, "bins"]]:
        """The signed root of the statistic of each bin, positive where more was observed than is predicted."""
        data = self.observed if data is None else data
        terms = [part.terms(*rest) for part, *rest in self._with_rates(self.parameters.ravel(params), data)]
        return {name: each.residual for name, each in zip(self.names, terms, strict=True)}

    @method
    def bin_terms(self, vector: Float[Array, "parameters"], data) -> list[BinTerm]:
        """What every bin expects and observes and contributes to the deviance; not for use inside a trace."""
        expected, observed, deviance = {}, {}, {}
        for name, (part, rate, on, off) in zip(self.names, self._with_rates(vector, data), strict=True):
            expected[name] = part.expected(rate, part.background_rate(rate, on, off))[0]
            observed[name], deviance[name] = on, part.terms(rate, on, off).statistic
        return bin_by_bin(expected, observed, deviance)

    # --- expectations ------------------------------------------------------------------------------------------------

    @method
    def source_counts(self, params: Params) -> dict[str, Float[Array, "bins"]]:
        """Counts that the source alone is expected to give in each bin."""
        rates = self._rates(self.parameters.ravel(params))
        return {name: part.exposure * rate for name, part, rate in zip(self.names, self.parts, rates, strict=True)}

    @method
    def background_counts(self, params: Params, data=None) -> dict[str, Float[Array, "bins"]]:
        """Counts of the profiled background in the region of the source, in each bin."""
        data = self.observed if data is None else data
        parts = zip(self.names, self._with_rates(self.parameters.ravel(params), data), strict=True)
        return {name: part.exposure * part.background_rate(*rest) for name, (part, *rest) in parts}

    @method
    def expected_data(self, params: Params) -> Data:
        """Expected counts of source and background regions, with the backgrounds that are best for `reference`."""
        return self.unravel_data(self.expected_flat(self.parameters.ravel(params)))

    @compiled
    def expected_flat(self, vector: Float[Array, "parameters"]) -> Float[Array, "data"]:
        """The same, flat."""
        parts = self._with_rates(vector, self.reference)
        return self._flat([part.expected(rate, part.background_rate(rate, *rest)) for part, rate, *rest in parts])

    @method
    def draw(self, key: PRNGKeyArray, params: Params) -> Data:
        """One toy: counts of source and background regions, with the backgrounds that are best for `reference`."""
        return self.unravel_data(self.draw_flat(key, self.parameters.ravel(params)))

    @compiled
    def draw_flat(self, key: PRNGKeyArray, vector: Float[Array, "parameters"]) -> Float[Array, "data"]:
        """The same, flat."""
        parts, keys = self._with_rates(vector, self.reference), jax.random.split(key, len(self.parts))
        drawn = [
            part.drawn(each, rate, part.background_rate(rate, *rest))
            for each, (part, rate, *rest) in zip(keys, parts, strict=True)
        ]
        return self._flat(drawn)

    def _flat(self, counts: Sequence[tuple[Array, Array]]) -> Float[Array, "data"]:
        on = [pair[0] for pair in counts]
        off = [pair[1] for part, pair in zip(self.parts, counts, strict=True) if part.has_background]
        return jnp.concatenate([*on, *off])

    def __repr__(self) -> str:
        free = int(np.sum(~np.asarray(self.parameters.fixed)))
        return f"SpectraLikelihood({', '.join(self.names)}: {sum(p.n_bins for p in self.parts)} bins, {free} free)"
