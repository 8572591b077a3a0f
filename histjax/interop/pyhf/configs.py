"""`model.config`: what pyhf says of a model's channels, parameters and auxiliary data, as lists in its order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from histjax.errors import InvalidModel
from histjax.lower.layout import ParameterSet
from histjax.model.histfactory import Model
from histjax.spec import Workspace


@dataclass(frozen=True)
class ParamSet:
    """One parameter set. `sigmas` are the widths of a Gaussian constraint, `factors` the tau of a Poisson one, `None`
    where there is no such constraint; `pdf_type` is `"normal"`, `"poisson"` or `None`.
    """

    name: str
    n_parameters: int
    is_scalar: bool
    constrained: bool
    pdf_type: str | None
    suggested_init: list[float]
    suggested_bounds: list[tuple[float, float]]
    suggested_fixed: list[bool]
    auxdata: list[float] | None
    sigmas: list[float] | None
    factors: list[float] | None

    @property
    def suggested_fixed_as_bool(self) -> bool:
        """Whether the set is held; raises `InvalidModel` where only some of its components are."""
        if len(set(self.suggested_fixed)) != 1:
            raise InvalidModel(f"parameter {self.name!r} is held in part: {self.suggested_fixed}")
        return self.suggested_fixed[0]

    def width(self) -> list[float]:
        """Prefit uncertainties: sigma, or 1 / sqrt(tau)."""
        return [f**-0.5 for f in self.factors] if self.factors else list(self.sigmas or [])


def param_set_of(model: Model, chosen: ParameterSet) -> ParamSet:
    """One parameter set of a compiled model, as lists."""

    def listed(flat) -> list:
        return np.asarray(flat)[chosen.slice].tolist()

    parameters = model.parameters
    # a rule on empty bins leaves a constant term of width 1 behind
    widths = [width or 1.0 for width in listed(parameters.widths)]
    place = model.layout.auxiliary_places.get(chosen.name)
    is_poisson, is_normal = (chosen.constraint == kind for kind in ("poisson", "normal"))
    return ParamSet(
        name=chosen.name,
        n_parameters=chosen.size,
        is_scalar=chosen.is_scalar,
        constrained=place is not None,
        pdf_type=None if place is None else chosen.constraint,
        suggested_init=listed(parameters.init),
        suggested_bounds=list(zip(listed(parameters.lower), listed(parameters.upper), strict=True)),
        suggested_fixed=listed(parameters.fixed),
        auxdata=None if place is None else np.asarray(model.constraints.auxdata)[place[0]].tolist(),
        sigmas=widths if is_normal else None,
        factors=[width**-2 for width in widths] if is_poisson else None,
    )


@dataclass(frozen=True)
class ModelConfig:
    """Made by `Model`; a value, like the model: another parameter of interest is another model."""

    workspace: Workspace = field(repr=False)
    likelihood: Model = field(repr=False)
    modifier_settings: Mapping
    poi_name: str | None

    # --- channels --------------------------------------------------------------------------------------------------

    @property
    def channels(self) -> list[str]:
        """Names of the channels, sorted: the order of the data."""
        return [each.name for each in self.likelihood.layout.channels]

    @property
    def samples(self) -> list[str]:
        """Names of the samples, sorted."""
        return sorted({sample.name for channel in self.workspace.channels for sample in channel.samples})

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        """`(name, type)` of the modifiers, sorted."""
        samples = [sample for channel in self.workspace.channels for sample in channel.samples]
        return sorted({(each.name, each.type) for sample in samples for each in sample.modifiers})

    @property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel."""
        return {each.name: each.n_bins for each in self.likelihood.layout.channels}

    @property
    def channel_slices(self) -> dict[str, slice]:
        """Place of each channel in the main data."""
        return {each.name: slice(each.start, each.stop) for each in self.likelihood.layout.channels}

    @property
    def nmaindata(self) -> int:
        """Number of bins of all channels."""
        return self.likelihood.layout.n_bins

    # --- parameters ------------------------------------------------------------------------------------------------

    @cached_property
    def par_map(self) -> dict[str, dict]:
        """`{name: {"slice": ..., "paramset": ...}}`."""
        sets = self.likelihood.layout.parameters
        return {each.name: {"slice": each.slice, "paramset": param_set_of(self.likelihood, each)} for each in sets}

    @property
    def par_order(self) -> list[str]:
        """Names of the parameter sets, in the order of the parameter vector."""
        return list(self.par_map)

    @property
    def parameters(self) -> list[str]:
        """The same, sorted."""
        return sorted(self.par_map)

    @property
    def par_names(self) -> list[str]:
        """Names of the components, `name` or `name[i]`."""
        return list(self.likelihood.parameters.component_names)

    @property
    def npars(self) -> int:
        """Length of the parameter vector."""
        return self.likelihood.layout.n_parameters

    @property
    def poi_index(self) -> int | None:
        """Place of the parameter of interest."""
        return None if self.poi_name is None else self.likelihood.parameters.place(self.poi_name)

    def param_set(self, name: str) -> ParamSet:
        """The parameter set called `name`; raises `UnknownName`."""
        return self.par_map[self.likelihood.parameters.set(name).name]["paramset"]

    def par_slice(self, name: str) -> slice:
        """Its place in the parameter vector; raises `UnknownName`."""
        return self.likelihood.parameters.set(name).slice

    def suggested_init(self) -> list[float]:
        """Starting values."""
        return np.asarray(self.likelihood.parameters.init).tolist()

    def suggested_bounds(self) -> list[tuple[float, float]]:
        """Bounds."""
        ends = (
            np.asarray(each).tolist() for each in (self.likelihood.parameters.lower, self.likelihood.parameters.upper)
        )
        return list(zip(*ends, strict=True))

    def suggested_fixed(self) -> list[bool]:
        """Which components are held."""
        return np.asarray(self.likelihood.parameters.fixed).tolist()

    def set_poi(self, name: str | None):
        """Not supported, since a model is a value: raises `InvalidModel` with what to write instead."""
        raise InvalidModel(f"a compiled model does not change; make another one: Model(model.spec, poi_name={name!r})")

    # --- auxiliary data --------------------------------------------------------------------------------------------

    @property
    def auxdata(self) -> list[float]:
        """The auxiliary data that the specification implies."""
        return np.asarray(self.likelihood.constraints.auxdata).tolist()

    @property
    def auxdata_order(self) -> list[str]:
        """The parameters that they belong to."""
        return list(self.likelihood.layout.auxiliary_places)

    @property
    def nauxdata(self) -> int:
        """How many there are."""
        return len(self.auxdata)
