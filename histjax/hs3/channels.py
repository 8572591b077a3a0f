"""The HistFactory channels of a likelihood: translated to a workspace of ours and compiled to a HistFactory model."""

import math
import warnings
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from histjax.compiling import compile_workspace
from histjax.errors import DocumentWarning
from histjax.hs3.choices import Choice
from histjax.hs3.graph import Evaluation, Graph
from histjax.hs3.histfactory import Options, Translation, translate
from histjax.hs3.records import LikelihoodRecord
from histjax.hs3.workspace import Workspace
from histjax.model.histfactory import Model
from histjax.spec.functions import Factor, NewParameter


@dataclass(frozen=True)
class Channels:
    """The model, and what of the document is in it.

    **Fields:** `names`: component of the model by name in the document; `places`: its place in the flat vector;
    `pairs`: channel and name of its data; `main`: the counts by name of the data; `used` and `remaining`: distributions
    of the document that are constraint terms of the model, and that have to be added to it.
    """

    model: Model
    names: dict[str, str]
    places: dict[str, int]
    pairs: tuple[tuple[str, str], ...]
    main: dict[str, Array]
    used: tuple[str, ...]
    remaining: tuple[str, ...]

    def is_whole(self, likelihood: LikelihoodRecord) -> bool:
        """Whether no constraint term is left over."""
        return not self.remaining and set(likelihood.aux_distributions) <= set(self.used)


@dataclass(frozen=True)
class NodeFunction:
    """A function of the document as a function of the values of its parameters."""

    graph: Graph
    name: str

    def __call__(self, *values: Array) -> Array:
        """The value, for the parameters in the order of `Graph.leaves`."""
        named = dict(zip(self.graph.leaves(self.name), values, strict=True))
        return jnp.asarray(Evaluation(self.graph, named, {})(self.name))


def translate_channels(workspace: Workspace, choice: Choice, options: Options | None) -> Channels:
    """Translate and compile the `histfactory_dist`s of a likelihood; doubts are `DocumentWarning`s."""
    found = translate(
        workspace.document,
        **choice.settings,
        options=options,
        source=workspace.source,
    )
    for doubt in found.doubts:
        warnings.warn(f"{workspace.source}: {doubt}", DocumentWarning, stacklevel=4)
    factors = [
        Factor(
            NodeFunction(workspace.graph, each.function),
            workspace.graph.leaves(each.function),
            each.samples,
            each.channels,
        )
        for each in found.factors
    ]
    new = {
        leaf: _new_parameter(leaf, choice) for each in factors for leaf in each.parameters if leaf not in found.names
    }
    model = compile_workspace(found.workspace, **found.arguments, factors=factors, parameters=new)
    names = {**found.names, **{name: name for name in new}}
    return Channels(
        model,
        names,
        {name: model.parameters.place(ours) for name, ours in names.items()},
        *_data(workspace, choice, found, model),
        found.used,
        found.remaining,
    )


def _new_parameter(name: str, choice: Choice) -> NewParameter:
    ends = choice.settings["bounds"].get(name, (-math.inf, math.inf))
    return NewParameter(choice.values.get(name, 0.0), ends, name in choice.constant)


def _data(workspace: Workspace, choice: Choice, found: Translation, model: Model):
    pairs = zip(choice.likelihood.distributions, choice.likelihood.data, strict=True)
    named = [(found.channels[name], data) for name, data in pairs if name in found.channels]
    return tuple(named), {data: model.data.main[channel] for channel, data in named}
