"""Models of HistFactory XML exactly as ROOT builds them, and the names that ROOT gives to their parameters."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from histjax.errors import InvalidModel
from histjax.model.histfactory import Model
from histjax.model.interpolation import code4
from histjax.pipeline import compile as compile_workspace
from histjax.readers.xml import ConstraintTerm, XMLConfiguration
from histjax.readers.xml.names import root_names as root_names
from histjax.spec import HistoSys, Measurement, NormSys, ParameterConfig, Sample, ShapeFactor, Workspace
from histjax.spec.constraints import Constraint, Gamma, Normal
from histjax.spec.functions import Factor, NewParameter

ALPHA_BOUNDS = (-5.0, 5.0)
BETA_BOUNDS = (0.0, 10.0)
SHAPE_FACTOR_BOUNDS = (0.0, 1000.0)


def compile_xml(configuration: XMLConfiguration, *, measurement: str | None = None, **options) -> Model:
    """Compile what `histjax.read_xml` read to the model that ROOT's HistFactory builds of it.

    The constraint terms are those of the XML: Poisson or Gaussian ones for StatError and ShapeSys, and what a
    `ConstraintTerm` asks for (see `histjax.readers.xml.ConstraintTerm`; the parameter of a gamma term is ROOT's beta,
    with initial value 1). Shape factors are between 0 and 1000, as in ROOT, unless the measurement says otherwise.
    Log-likelihood differences were compared with ROOT 6.40. ROOT cuts the sum of a sample and its HistoSys off at zero;
    where that matters, give `clip_sample_data=0.0`.

    **Arguments:**

    - `measurement`: name of the measurement; the first one by default.
    - `options`: as for `histjax.compile`; `constraints` and `factors` go before those of the XML.

    **Raises:** as `histjax.compile`; `InvalidModel` for a gamma term of a name that an OverallSys and a HistoSys share,
    of which ROOT makes two parameters.
    """
    chosen = configuration.workspace.measurement(measurement)
    terms = configuration.terms.get(chosen.name, {})
    workspace = _with_ranges(configuration.workspace, chosen)
    constraints: dict[str, Constraint] = dict(configuration.constraints.get(chosen.name, {}))
    factors: list[Factor] = []
    parameters: dict[str, NewParameter] = {}
    for name, term in terms.items():
        factors += _factors(workspace, name, term)
        workspace = _without_normsys(workspace, name)
        shared = _has_templates(workspace, name)
        if term.kind == "Gamma" and shared:
            raise InvalidModel(f"the gamma term of {name!r}: an OverallSys and a HistoSys share the name; rename one")
        if term.kind != "NoConstraint" and not shared:
            parameters[name], constraints[name] = _parameter(chosen, name, term)
    return compile_workspace(
        workspace,
        measurement=chosen.name,
        constraints=constraints | dict(options.pop("constraints", None) or {}),
        factors=[*factors, *options.pop("factors", ())],
        parameters=parameters | dict(options.pop("parameters", None) or {}),
        **options,
    )


class TransformedNormSys(eqx.Module):
    """The factor of an OverallSys whose alpha is a function of the parameter."""

    lo: Float[Array, ""]
    hi: Float[Array, ""]
    relative_uncertainty: Float[Array, ""]
    kind: str = eqx.field(static=True)

    def __call__(self, value: Float[Array, ""]) -> Float[Array, ""]:
        """Code4 at alpha = (beta - 1) / r; for a log-normal term beta = (1 + r)^value."""
        r = self.relative_uncertainty
        beta = (1.0 + r) ** value if self.kind == "LogNormal" else value
        return code4((beta - 1.0) / r, self.lo, jnp.ones_like(self.lo), self.hi)


def _factors(workspace: Workspace, name: str, term: ConstraintTerm) -> list[Factor]:
    """One factor for each OverallSys of a name."""
    if term.kind == "NoConstraint":
        return []
    return [
        Factor(
            TransformedNormSys(*map(jnp.asarray, (modifier.lo, modifier.hi, term.relative_uncertainty)), term.kind),
            (name,),
            samples=[sample.name],
            channels=[channel.name],
        )
        for channel in workspace.channels
        for sample in channel.samples
        for modifier in sample.modifiers
        if isinstance(modifier, NormSys) and modifier.name == name
    ]


def _parameter(measurement: Measurement, name: str, term: ConstraintTerm) -> tuple[NewParameter, Constraint]:
    """The parameter that takes the place of the alpha of a name, and its constraint term."""
    settings = next((each for each in measurement.parameters if each.name == name), None)
    fixed = bool(settings and settings.fixed)
    given = settings.inits[0] if settings and settings.inits else None
    if term.kind == "Gamma":
        start = 1.0 if given is None else given
        return NewParameter(start, BETA_BOUNDS, fixed), Gamma(term.relative_uncertainty, centre=1.0)
    return NewParameter(given or 0.0, ALPHA_BOUNDS, fixed), Normal(1.0, 0.0)


def _without_normsys(workspace: Workspace, name: str) -> Workspace:
    def reduced(sample: Sample) -> Sample:
        kept = (each for each in sample.modifiers if not (isinstance(each, NormSys) and each.name == name))
        return replace(sample, modifiers=tuple(kept))

    channels = (replace(each, samples=tuple(map(reduced, each.samples))) for each in workspace.channels)
    return replace(workspace, channels=tuple(channels))


def _has_templates(workspace: Workspace, name: str) -> bool:
    samples = (sample for channel in workspace.channels for sample in channel.samples)
    return any(isinstance(each, HistoSys) and each.name == name for sample in samples for each in sample.modifiers)


def _with_ranges(workspace: Workspace, measurement: Measurement) -> Workspace:
    """The workspace whose measurement gives shape factors the range that they have in ROOT."""
    sizes: Mapping[str, int] = {
        modifier.name: channel.n_bins
        for channel in workspace.channels
        for sample in channel.samples
        for modifier in sample.modifiers
        if isinstance(modifier, ShapeFactor)
    }
    given = {each.name: each for each in measurement.parameters}
    for name, size in sizes.items():
        settings = given.get(name, ParameterConfig(name))
        if settings.bounds is None:
            given[name] = replace(settings, bounds=(SHAPE_FACTOR_BOUNDS,) * size)
    changed = replace(measurement, parameters=tuple(given.values()))
    return replace(
        workspace, measurements=tuple(changed if each is measurement else each for each in workspace.measurements)
    )
