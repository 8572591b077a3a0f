"""What Spey's questions are about: a compiled workspace, its datasets, and its parameters by index and name."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from histjax.errors import InvalidModel
from histjax.inference.poi import poi_name
from histjax.interop.spey.signals import signal_yields
from histjax.pipeline import compile
from histjax.spec import Workspace

OBSERVED, APRIORI = "observed", "apriori"
DATASETS = {"observed": OBSERVED, "aposteriori": OBSERVED, "all": OBSERVED, "apriori": APRIORI}
"""Which data each of Spey's expectation types is about."""


class Subject:
    """A workspace that is compiled once, with all that follows from it; nothing is changed afterwards.

    **Arguments:** as for `histjax.interop.spey.backends.WorkspaceBackend`.

    **Fields:** `workspace`, `measurement`, `model`; `pois` and `poi_index`, the flat index of the first one; `yields`,
    nominal ones of signal and background; `datasets`, flat, by name.
    """

    def __init__(self, workspace: Workspace, measurement: str | None, poi: str | Sequence[str] | None):
        self.workspace = workspace
        self.measurement = workspace.measurement(measurement)
        self.model = compile(workspace, measurement=measurement)
        asked = [poi] if poi is None or isinstance(poi, str) else poi
        self.pois = tuple(poi_name(self.model, each) for each in asked)
        if not self.pois:
            raise InvalidModel("poi: expected the name of a parameter of interest, or several; found none")
        self.poi_index = self.model.parameters.place(self.pois[0])
        self.yields = signal_yields(workspace, self.pois)
        observed = np.asarray(self.model.ravel_data(self.model.data))
        apriori = np.concatenate([self.yields.background, observed[self.n_bins :]])
        self.datasets = {OBSERVED: jnp.asarray(observed), APRIORI: jnp.asarray(apriori, observed.dtype)}

    @property
    def n_bins(self) -> int:
        """The number of bins; in flat data, auxiliary data follow."""
        return self.yields.background.size

    @property
    def minimum_poi(self) -> float:
        """The smallest parameter of interest: at which a bin expects nothing (`SignalYields.minimum_poi`), or, where it
        is no factor of the signal, the lower bound of the model.
        """
        if self.yields.is_factor:
            return self.yields.minimum_poi
        return float(self.model.parameters.lower[self.poi_index])

    def dataset_name(self, expected) -> str:
        """The name of the data that an expectation type of Spey's, or its name, stands for."""
        if str(expected) not in DATASETS:
            raise InvalidModel(f"expected is one of {', '.join(DATASETS)}, found {expected!r}")
        return DATASETS[str(expected)]

    def dataset(self, expected, data):
        """Flat data, main and auxiliary: those given, or those that are expected."""
        if data is None:
            return self.datasets[self.dataset_name(expected)]
        observed = self.datasets[OBSERVED]
        given = np.asarray(data, dtype=observed.dtype)
        if given.shape != observed.shape:
            raise InvalidModel(
                f"data: expected {observed.size} numbers, the counts of {self.n_bins} bins and "
                f"{observed.size - self.n_bins} auxiliary data, found shape {given.shape}"
            )
        return jnp.asarray(given)

    def values(self, poi_test: float | Mapping[int | str, float]) -> dict[int, float]:
        """Values by flat index; a number is one of the parameter of interest."""
        if not isinstance(poi_test, Mapping):
            return {self.poi_index: float(poi_test)}
        return {self.index(key): float(value) for key, value in poi_test.items()}

    def index(self, key: int | str) -> int:
        """Flat index of a parameter by index or name; raises `UnknownName`, `InvalidModel`."""
        parameters = self.model.parameters
        if isinstance(key, str):
            return parameters.place(key)
        if not 0 <= int(key) < parameters.init.size:
            raise InvalidModel(f"parameter indices are 0 to {parameters.init.size - 1}, found {key}")
        return int(key)
