"""`Model`: a compiled model with pyhf's interface, flat vectors in and out."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from histjax._typing import Params, is_traced
from histjax.errors import InvalidModel
from histjax.interop.pyhf.configs import ModelConfig
from histjax.interop.pyhf.documents import plain
from histjax.interop.pyhf.specs import DEFAULTS, compile_spec, workspace_of_spec
from histjax.interop.pyhf.vectors import data_of, flat, shown
from histjax.model.data import Data, LogpdfTerms


class Model:
    """A model from pyhf's specification; `likelihood` is the `histjax.Model` behind it.

    Its functions take flat parameters and data in pyhf's order. They return NumPy arrays, and JAX arrays inside a
    trace: `jax.grad`, `jax.jit` and `jax.vmap` work.

    **Arguments:**

    - `spec`: `{"channels": [...], "parameters": [...]}`; arrays in it are lists.
    - `poi_name`: the parameter of interest; `None` or `""` for none.
    - `modifier_settings`: interpolation codes, as in pyhf: what is given replaces the defaults as a whole, and a type
      that is left out gets code1 (normsys) or code0 (histosys).
    - `clip_sample_data`, `clip_bin_data`: floors on the expected yield of every sample or bin. (pyhf adds the floor for
      samples that a channel does not have, too.)
    - `validate`: a specification is always checked.
    - `modifier_set`, `batch_size`: refused; use `histjax.Factor` and `jax.vmap`.

    **Raises:** `InvalidDocument` with everything that is wrong with `spec`; `MissingPOI`, `InvalidModel`,
    `UnknownName`.

    >>> spec = {"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0], "modifiers": [
    ...     {"name": "mu", "type": "normfactor", "data": None}]}]}]}
    >>> model = Model(spec)
    >>> model.expected_data([2.0]), model.logpdf([1.0], [6.0]).round(6)
    (array([10.]), array([-1.922624]))
    """

    def __init__(
        self,
        spec: Mapping,
        modifier_set=None,
        batch_size: int | None = None,
        validate: bool = True,
        clip_sample_data: float | None = None,
        clip_bin_data: float | None = None,
        *,
        poi_name: str | None = "mu",
        modifier_settings: Mapping | None = None,
    ):
        del validate  # see above
        if modifier_set is not None:
            raise InvalidModel("modifier_set is not supported; a modifier of your own is a histjax.Factor")
        if batch_size is not None:
            raise InvalidModel("batch_size is not supported; map over parameters or data with jax.vmap")
        self.spec = plain(spec)
        self.batch_size = None
        workspace = workspace_of_spec(self.spec, poi_name or None)
        self.likelihood = compile_spec(workspace, modifier_settings, clip_sample_data, clip_bin_data)
        settings = DEFAULTS if modifier_settings is None else modifier_settings
        self.config = ModelConfig(workspace, self.likelihood, settings, poi_name or None)

    @property
    def nominal_rates(self):
        """Nominal yields, `(1, samples, 1, bins)` in the order of `config.samples` and of the data."""
        rates = np.zeros((1, len(self.config.samples), 1, self.config.nmaindata))
        nominal = np.asarray(self.likelihood.templates.nominal_yields)
        slices = self.config.channel_slices
        for row in self.likelihood.layout.rows:
            place = self.config.samples.index(row.sample)
            rates[0, place, 0, slices[row.channel]] = nominal[row.start : row.stop]
        return rates

    # --- expectations ----------------------------------------------------------------------------------------------

    def expected_data(self, pars, include_auxdata: bool = True):
        """Expected counts of all bins, and auxiliary data."""
        found = shown(self.likelihood.expected_flat(self._pars(pars)))
        return found if include_auxdata else found[: self.config.nmaindata]

    def expected_actualdata(self, pars):
        """Expected counts of all bins."""
        return self.expected_data(pars, include_auxdata=False)

    def expected_auxdata(self, pars):
        """Expected auxiliary data."""
        return self.expected_data(pars)[self.config.nmaindata :]

    # --- densities -------------------------------------------------------------------------------------------------

    def logpdf(self, pars, data):
        """Log density, shape `(1,)`."""
        return shown(self.likelihood.logpdf(*self._point(pars, data_of(self, data))), (1,))

    def pdf(self, pars, data):
        """Density, shape `(1,)`."""
        found = self.logpdf(pars, data)
        return (jnp if is_traced(found) else np).exp(found)

    def mainlogpdf(self, maindata, pars):
        """Log density of the counts, shape `()`; mind the order of the arguments, which is pyhf's."""
        counts = flat(maindata, self.config.nmaindata, "maindata")
        return shown(sum(self._terms(pars, _joined(counts, self.config.auxdata)).main.values()))

    def constraint_logpdf(self, auxdata, pars):
        """Log density of the auxiliary data, shape `()`; mind the order of the arguments, which is pyhf's."""
        auxiliary = flat(auxdata, self.config.nauxdata, "auxdata")
        terms = self._terms(pars, _joined(np.zeros(self.config.nmaindata), auxiliary)).constraints
        return shown(sum(terms.values(), np.zeros(())))

    def make_pdf(self, pars) -> "Density":
        """The density of the data at one parameter point."""
        return Density(self, self._pars(pars))

    def _pars(self, pars):
        return flat(pars, self.config.npars, "parameters (in the order of config.par_names)")

    def _point(self, pars, data) -> tuple[Params, Data]:
        return self.likelihood.unravel(self._pars(pars)), self.likelihood.unravel_data(data)

    def _terms(self, pars, data) -> LogpdfTerms:
        return self.likelihood.logpdf_terms(*self._point(pars, data))

    def __repr__(self) -> str:
        return repr(self.likelihood)


@dataclass(frozen=True, eq=False)
class Density:
    """The density of main and auxiliary data at one parameter point."""

    model: Model
    pars: object

    def log_prob(self, data):
        """Log density, shape `()`."""
        return shown(self.model.logpdf(self.pars, data), ())

    def expected_data(self):
        """Expected counts and auxiliary data."""
        return self.model.expected_data(self.pars)

    def sample(self, sample_shape: tuple[int, ...] = (), *, key=None):
        """Toys, `(*sample_shape, data)`; raises `InvalidModel` without a key, since random numbers are JAX's."""
        if key is None:
            raise InvalidModel("random numbers need a key: sample(shape, key=jax.random.key(0))")
        keys = jax.random.split(key, sample_shape)
        draw = self.model.likelihood.draw_flat
        for _ in sample_shape:
            draw = jax.vmap(draw, (0, None))
        return shown(draw(keys, jnp.asarray(self.pars)) if sample_shape else draw(key, jnp.asarray(self.pars)))


def _joined(main, aux):
    xp = jnp if is_traced(main, aux) else np
    return jax.device_put(xp.concatenate([xp.asarray(main), xp.asarray(aux, main.dtype)]))
