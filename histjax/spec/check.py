"""Everything that can be wrong with a workspace and that a schema cannot see, all reported at once.

The rules are generators of problems, in `histjax.spec.rules`, one file for each subject.
"""

from histjax.errors import Problem
from histjax.spec.rules import parameters, settings, structure, yields
from histjax.spec.workspace import Workspace

_STRUCTURE_RULES = (
    structure.names,
    structure.lengths,
    structure.observations,
    parameters.existence,
    parameters.sharing,
    parameters.poi,
    settings.lumi,
    settings.attributes,
    settings.components,
)
_NUMBER_RULES = (
    yields.observed_counts,
    yields.uncertainties,
    yields.normsys_factors,
    yields.channel_totals,
    yields.staterror_totals,
    settings.ranges,
)


def check(workspace: Workspace) -> list[Problem]:
    """All that is wrong or doubtful in a workspace.

    Lengths agree; names are unique; every channel has an observation; numbers are finite, uncertainties and observed
    counts not negative; no observed count is impossible; parameters are shared legally; and the settings of a
    measurement fit the parameters that they are for. The types of the fields are not checked, and where a channel is
    empty or a number is not finite, the rules that need it wait until it is put right.

    **Arguments:**

    - `workspace`: records made by hand or by a reader.

    **Returns:** the problems; those with `is_warning` leave the workspace usable.

    >>> from histjax.spec import Channel, Measurement, NormFactor, Observation, Sample
    >>> signal = Sample("signal", (5.0, 3.0), (NormFactor("mu"),))
    >>> measurement = Measurement("M", "mu")
    >>> for problem in check(Workspace((Channel("SR", (signal,)),), (Observation("SR", (6,)),), (measurement,))):
    ...     print(problem)
    /observations/0/data: observation 'SR' has 1 bin, its channel has 2
    """
    problems = list(structure.emptiness(workspace))
    if problems:
        return problems
    problems = list(structure.finite_numbers(workspace))
    rules = _STRUCTURE_RULES if problems else (*_STRUCTURE_RULES, *_NUMBER_RULES)
    return problems + [problem for rule in rules for problem in rule(workspace)]
