"""From spectra and models to a likelihood."""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from histjax._typing import float_dtype
from histjax.caching import warn_of_many_programs
from histjax.model.parameters import Parameters
from histjax.spectra.checking import Problems
from histjax.spectra.folding import Folding, Rule, gauss_legendre
from histjax.spectra.likelihood import SpectraLikelihood
from histjax.spectra.models import SpectralModel
from histjax.spectra.sharing import declared_parameters
from histjax.spectra.spectrum import Spectrum
from histjax.spectra.terms import Part


def compile(
    pairs: Mapping[str, tuple[Spectrum, SpectralModel]],
    *,
    links: Mapping[str, str] | None = None,
    frozen: Mapping[str, ArrayLike] | Sequence[str] | str = (),
    bounds: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    init: Mapping[str, ArrayLike] | None = None,
    poi: str | None = None,
    rule: Rule | None = None,
) -> SpectraLikelihood:
    """The likelihood of spectra, each with the model of its source. (The built-in `compile` is not used here.)

    **Arguments:**

    - `pairs`: `{name: (spectrum, model)}`; the parameters are called `name.parameter`.
    - `links`, `frozen`, `bounds`, `init`: as the methods `linked`, `frozen`, `with_bounds` and `with_init` of the
      likelihood take them.
    - `poi`: name of the parameter of interest, for tests and limits.
    - `rule`: how a model is integrated over an energy bin, `gauss_legendre()` by default, or `trapezoid()`.

    **Returns:** a frozen pytree; other numbers of the same shapes share compiled code.

    **Raises:** `InvalidSpectrum`, `InvalidModel`, `UnknownName`.

    Two instruments that see the same power law, with a factor between their calibrations:

    >>> import histjax
    >>> from histjax.spectra import Response, SpectralModel, Spectrum, compile, power_law
    >>> parameters = {"norm": histjax.NewParameter(1.0, (0.0, 10.0)), "index": histjax.NewParameter(1.5, (0.0, 5.0))}
    >>> model = SpectralModel(power_law, parameters)
    >>> response = Response.diagonal([1.0, 2.0, 4.0, 8.0], area=[10.0, 10.0, 10.0])
    >>> spectra = [Spectrum(counts, 10.0, response) for counts in ([55, 21, 14], [48, 29, 11])]
    >>> likelihood = compile({"a": (spectra[0], model), "b": (spectra[1], model)}, links={"b.index": "a.index"})
    >>> result = histjax.fit(likelihood)
    >>> print({name: round(float(value), 3) for name, value in result.params.items()})
    {'a.index': 2.026, 'a.norm': 1.048, 'b.norm': 1.024}
    """
    problems = Problems("spectra")
    problems.add(not pairs, "there are none; give {name: (spectrum, model)}")
    for name, pair in pairs.items():
        good = isinstance(pair, tuple) and list(map(type, pair)) == [Spectrum, SpectralModel]
        problems.add(not good, f"{name!r} must be a pair (Spectrum, SpectralModel), found {pair!r:.80}")
        problems.add("." in name, f"{name!r} has a dot in its name, which stands between spectrum and parameter")
    problems.raise_any()
    warn_of_many_programs()
    declared = declared_parameters({name: model for name, (_, model) in pairs.items()})
    likelihood = _joined(pairs, declared, gauss_legendre() if rule is None else rule)
    changed = likelihood.linked(links or {}).with_bounds(bounds or {}).with_init(init or {}).frozen(frozen)
    return changed.with_poi(poi)


def _joined(pairs, declared: Parameters, rule: Rule) -> SpectraLikelihood:
    """The likelihood without links."""
    parts, on, off = [], [], []
    for name, (spectrum, model) in pairs.items():
        bins = spectrum.bins()
        arguments = tuple((each, declared.place(f"{name}.{each}")) for each in model.parameters)
        parts.append(_part(spectrum, bins, model, arguments, rule))
        on.append(bins.counts)
        off += [bins.off] if parts[-1].has_background else []
    observed = jnp.asarray(np.concatenate([*on, *off]), float_dtype())
    return SpectraLikelihood(tuple(pairs), tuple(parts), declared, (), declared, observed, observed, None)


def _part(spectrum: Spectrum, bins, model: SpectralModel, arguments, rule: Rule) -> Part:
    columns = bins.exposure, bins.sigma, bins.off_exposure, bins.off_sigma, bins.channels
    has_leaves = isinstance(model.function, eqx.Module)
    return Part(
        Folding.of(spectrum.response.energies, bins.matrix, rule),
        *(jnp.asarray(each, float_dtype()) for each in columns),
        model=model.function if has_leaves else None,
        static_model=None if has_leaves else model.function,
        statistic=spectrum.statistic,
        has_background=spectrum.background is not None,
        arguments=arguments,
    )
