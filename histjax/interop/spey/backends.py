"""The backends that Spey finds: a workspace with a signal, and counts over an uncorrelated background."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from spey import BackendBase, ExpectationType
from spey.base.model_config import ModelConfig

from histjax import __version__
from histjax.errors import InvalidModel
from histjax.fitting.result import FitResult
from histjax.interop.spey.fits import Fits, Settings
from histjax.interop.spey.functions import draws, log_density, log_density_hessian, objective
from histjax.interop.spey.subjects import Subject
from histjax.interop.spey.workspaces import counting_workspace, patched_workspace, united_workspace

SPEYS_LOWEST_POI = -10.0
"""Where the bounds end that Spey's own optimiser is given: it cannot search without an end."""


class WorkspaceBackend(BackendBase):
    """A HistFactory workspace for Spey: `spey.get_backend("histjax")`.

    **Arguments:**

    - `signal_patch`, `background_only_model`: a JSON Patch that adds the signal (operations, a path, or a
      `histjax.Patch` of a patch set) and the workspace that it is for (a path, a parsed document or a `Workspace`).
    - `workspace`: in place of both, one workspace that has the signal in it.
    - `measurement`: name of the measurement; the first one by default.
    - `poi`: parameter of interest, by default the measurement's; or several, the first of which is tested where Spey
      asks for one value. Samples that one of them acts on are no part of the background.

    Parameters are in the flat order of `histjax.Model.ravel`, data in that of `ravel_data`; both are pyhf's. Spey's
    data before a fit (`apriori`) are the nominal yields of the background and the nominal auxiliary data.

    Fits are histjax's, certified, without an upper bound on the parameter of interest. One that does not converge
    raises `FailedFit`: Spey hides warnings. Any option of Spey's optimiser (`minimizer`, `tol`, ...) is a request for
    that optimiser: Spey then fits by itself, with our values and gradients.

    **Raises:** as `histjax.read` and `histjax.compile`; `MissingPOI`, `UnknownName`.

    >>> import histjax
    >>> backend = WorkspaceBackend(workspace=histjax.examples.path("two_bins"))
    >>> best, nll = backend.minimize_negative_loglikelihood()
    >>> print(f"{best:.6f} {nll:.6f}")
    -0.066870 12.483595
    """

    name = "histjax"
    version = __version__
    author = "The histjax developers"
    spey_requires = ">=0.2.5,<0.3.0"
    doi: Sequence[str] = ()
    arXiv: Sequence[str] = ()
    zenodo: Sequence[str] = ()

    def __init__(
        self,
        signal_patch: Any = None,
        background_only_model: Any = None,
        *,
        workspace: Any = None,
        measurement: str | None = None,
        poi: str | Sequence[str] | None = None,
    ):
        subject = Subject(patched_workspace(signal_patch, background_only_model, workspace), measurement, poi)
        self.subject, self._fits = subject, Fits(subject.model, subject.poi_index)

    # --- what Spey asks of a model ---------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether a bin has signal; where none has, Spey's upper limits are infinite."""
        return self.subject.yields.is_alive

    def config(self, allow_negative_signal: bool = True, poi_upper_bound: float = 10.0) -> ModelConfig:
        """Parameters, starting values and bounds for Spey's optimiser; the lists are new ones, for Spey writes to
        them.
        """
        parameters, place, lowest = self.subject.model.parameters, self.subject.poi_index, self.subject.minimum_poi
        lower, upper = np.asarray(parameters.lower).tolist(), np.asarray(parameters.upper).tolist()
        lower[place] = max(lowest, SPEYS_LOWEST_POI) if allow_negative_signal else 0.0
        upper[place] = poi_upper_bound
        return ModelConfig(
            poi_index=place,
            minimum_poi=lowest,
            suggested_init=np.asarray(parameters.init).tolist(),
            suggested_bounds=list(zip(lower, upper, strict=True)),
            parameter_names=list(parameters.component_names),
            suggested_fixed=np.asarray(parameters.fixed).tolist(),
        )

    def get_logpdf_func(self, expected=ExpectationType.observed, data=None) -> Callable[[np.ndarray], float]:
        """ln L of a flat vector."""
        data = self.subject.dataset(expected, data)
        return lambda pars: float(log_density(self.subject.model, data, self._fits.vector("pars", pars)))

    def get_objective_function(self, expected=ExpectationType.observed, data=None, do_grad: bool = True) -> Callable:
        """-ln L of a flat vector, with `do_grad` and its gradient."""
        data = self.subject.dataset(expected, data)

        def value_and_gradient(pars: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = objective(self.subject.model, data, self._fits.vector("pars", pars))
            return float(value), np.array(gradient)

        logpdf = self.get_logpdf_func(expected, data)
        return value_and_gradient if do_grad else lambda pars: -logpdf(pars)

    def get_hessian_logpdf_func(self, expected=ExpectationType.observed, data=None) -> Callable:
        """The exact second derivatives of ln L at a flat vector, `(parameters, parameters)`."""
        data = self.subject.dataset(expected, data)
        return lambda pars: np.array(log_density_hessian(self.subject.model, data, self._fits.vector("pars", pars)))

    def expected_data(self, pars: Sequence[float]) -> list[float]:
        """Expected counts of all bins, then auxiliary data."""
        return np.asarray(self.subject.model.expected_flat(jnp.asarray(self._fits.vector("pars", pars)))).tolist()

    def get_sampler(self, pars: np.ndarray) -> Callable[..., np.ndarray]:
        """A function that throws toys at a flat vector: `sampler(n, include_auxiliary=True, seed=None)`, `(n, data)`.

        Without a `seed` one is drawn from NumPy's global generator, which is what users of Spey seed.
        """
        vector, model, n_bins = self._fits.vector("pars", pars), self.subject.model, self.subject.n_bins

        def sampler(number_of_samples: int, include_auxiliary: bool = True, seed: int | None = None) -> np.ndarray:
            key = jax.random.key(np.random.randint(2**31) if seed is None else seed)
            toys = np.array(draws(model, jax.random.split(key, number_of_samples), vector))
            return toys if include_auxiliary else toys[:, :n_bins]

        return sampler

    def combine(self, other: BackendBase) -> "WorkspaceBackend":
        """The model of both measurements, whose parameters of the same name are one parameter.

        **Raises:** `NotImplementedError`, which Spey answers with `CombinerNotAvailable`, for the backend of another
        package; `InvalidModel` where a channel is in both models, settings of a parameter differ or the parameters of
        interest do; `InvalidDocument` where parameters of the same name are of different kinds.
        """
        if not isinstance(other, WorkspaceBackend):
            raise NotImplementedError(f"{self.name} combines with its own models only, found {type(other).__name__}")
        one, two = self.subject, other.subject
        if one.pois != two.pois:
            raise InvalidModel(
                f"the models have different parameters of interest, {', '.join(one.pois)} and {', '.join(two.pois)}; "
                "choose the same with poi=... or rename one"
            )
        united = united_workspace(one.workspace, two.workspace, (one.measurement, two.measurement))
        return WorkspaceBackend(workspace=united, poi=one.pois)

    # --- fits, in place of Spey's ----------------------------------------------------------------------------------

    def negative_loglikelihood(
        self,
        poi_test: float | Mapping[int | str, float] = 1.0,
        expected=ExpectationType.observed,
        *,
        data=None,
        return_parameters: bool = False,
        init_pars=None,
        par_bounds=None,
        **options,
    ) -> float | tuple[float, np.ndarray]:
        """-ln L at the best fit with the parameter of interest, or several by index or name, held at a value; with
        `return_parameters` and the fitted vector.
        """
        self._leave_to_spey(options)
        fit = self._conditional(self.subject.dataset(expected, data), poi_test, Settings(init_pars, par_bounds))
        return (_nll(fit), np.array(fit.vector)) if return_parameters else _nll(fit)

    def minimize_negative_loglikelihood(
        self,
        expected=ExpectationType.observed,
        allow_negative_signal: bool = True,
        *,
        data=None,
        init_pars=None,
        par_bounds=None,
        poi_indices: Sequence[int | str] | None = None,
        fixed_poi_value: float | Mapping[int | str, float] | None = None,
        **options,
    ) -> tuple[float | dict[int | str, float], float]:
        """The best-fit parameter of interest, or `{index or name: value}` for `poi_indices`, and -ln L there;
        `fixed_poi_value` holds parameters.
        """
        self._leave_to_spey(options)
        settings = Settings(init_pars, par_bounds)
        return self._minimum(
            self.subject.dataset(expected, data), allow_negative_signal, settings, poi_indices, fixed_poi_value
        )

    def asimov_negative_loglikelihood(
        self,
        poi_test: float | Mapping[int | str, float] = 1.0,
        expected=ExpectationType.observed,
        test_statistics: str = "qtilde",
        *,
        init_pars=None,
        par_bounds=None,
        **options,
    ) -> float:
        """`negative_loglikelihood` of the Asimov data: made at 1 for `q0`, at 0 for the other statistics."""
        self._leave_to_spey(options)
        settings = Settings(init_pars, par_bounds)
        return _nll(self._conditional(self._asimov(expected, test_statistics, settings), poi_test, settings))

    def minimize_asimov_negative_loglikelihood(
        self,
        expected=ExpectationType.observed,
        test_statistics: str = "qtilde",
        *,
        init_pars=None,
        par_bounds=None,
        poi_indices: Sequence[int | str] | None = None,
        fixed_poi_value: float | Mapping[int | str, float] | None = None,
        **options,
    ) -> tuple[float | dict[int | str, float], float]:
        """`minimize_negative_loglikelihood` of the Asimov data."""
        self._leave_to_spey(options)
        settings = Settings(init_pars, par_bounds)
        data = self._asimov(expected, test_statistics, settings)
        return self._minimum(data, test_statistics in ("q", "qmu"), settings, poi_indices, fixed_poi_value)

    def _leave_to_spey(self, options: Mapping) -> None:
        if options:
            raise NotImplementedError(f"options of Spey's optimiser: {', '.join(options)}")

    def _conditional(self, data, poi_test, settings: Settings) -> FitResult:
        return self._fits.conditional(data, self.subject.values(poi_test), settings)

    def _minimum(self, data, allow_negative_signal: bool, settings: Settings, poi_indices, fixed_poi_value):
        values = {} if fixed_poi_value is None else self.subject.values(fixed_poi_value)
        fit = self._fits.free(data, self.subject.minimum_poi if allow_negative_signal else 0.0, settings, values)
        vector = np.asarray(fit.vector).tolist()
        if poi_indices is None:
            return vector[self.subject.poi_index], _nll(fit)
        return {key: vector[self.subject.index(key)] for key in poi_indices}, _nll(fit)

    def _asimov(self, expected, test_statistics: str, settings: Settings):
        name = self.subject.dataset_name(expected)
        poi_value = 1.0 if test_statistics == "q0" else 0.0
        return self._fits.asimov(name, self.subject.datasets[name], poi_value, settings)


class UncorrelatedBackground(WorkspaceBackend):
    """Counts over a background with an uncertainty in every bin: `spey.get_backend("histjax.uncorrelated_background")`.

    **Arguments:** one number per bin each, lists or arrays: `signal_yields`, `background_yields`, `data` (observed
    counts) and `absolute_uncertainties` of the background. The same model as pyhf's `uncorrelated_background`.

    **Raises:** `InvalidModel` where the lengths differ, `InvalidDocument` for numbers that cannot be yields.
    """

    name = "histjax.uncorrelated_background"

    def __init__(
        self,
        signal_yields: Sequence[float],
        background_yields: Sequence[float],
        data: Sequence[float],
        absolute_uncertainties: Sequence[float],
    ):
        super().__init__(workspace=counting_workspace(signal_yields, background_yields, data, absolute_uncertainties))


def _nll(fit: FitResult) -> float:
    return 0.5 * float(fit.twice_nll)
