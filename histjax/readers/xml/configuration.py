"""What HistFactory XML says: a workspace, and the constraint terms that pyhf's format cannot hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from histjax.errors import Problem
from histjax.spec import Workspace
from histjax.spec.constraints import Constraint


@dataclass(frozen=True)
class ConstraintTerm:
    """A `ConstraintTerm` that changes how an OverallSys acts, as ROOT 6.40 builds it (measured).

    - `"LogNormal"` of relative uncertainty r: alpha keeps its unit Gaussian and the factor is interpolated at
      ((1 + r)^alpha - 1) / r.
    - `"Gamma"`: the parameter is beta, 1 at the nominal point, with a gamma density of relative width r, and the factor
      is interpolated at (beta - 1) / r.
    - `"NoConstraint"`: the OverallSys is left out.
    """

    kind: Literal["LogNormal", "Gamma", "NoConstraint"]
    relative_uncertainty: float = 0.0


@dataclass(frozen=True)
class XMLConfiguration:
    """A Combination with its channels.

    **Fields:**

    - `workspace`: all that pyhf's format can say.
    - `constraints`: by measurement and parameter, terms in place of those that the workspace implies: `Poisson` for a
      staterror, `Normal` for a shapesys and, a hundred wide, for a `Uniform` term (that is what ROOT makes of it).
    - `terms`: by measurement and parameter, those that change how an OverallSys acts.
    - `doubts`: what is doubtful, and what the workspace by itself leaves out.

    `histjax.compile_xml` makes the model of all of them.
    """

    workspace: Workspace
    constraints: Mapping[str, Mapping[str, Constraint]]
    terms: Mapping[str, Mapping[str, ConstraintTerm]]
    doubts: tuple[Problem, ...] = ()
