"""Which parameter is of interest."""

from histjax.errors import MissingPOI
from histjax.model.likelihood import Likelihood


def poi_name(likelihood: Likelihood, poi: str | None) -> str:
    """`poi`, or the likelihood's own; raises `MissingPOI` where there is none and `InvalidModel` for a bin-wise one."""
    parameters = likelihood.parameters
    name = likelihood.poi if poi is None else poi
    known = ", ".join(each.name for each in parameters.sets if each.is_scalar and each.constraint == "none")
    if name is None:
        raise MissingPOI(
            "the model has no parameter of interest: the measurement names none, or one that no sample carries "
            "(a background-only workspace needs its signal patch); name one with poi=... (--poi on the command line); "
            f"free scalar parameters: {known or 'none'}"
        )
    if name not in parameters.names and name not in parameters.component_names:
        raise MissingPOI(
            f"the model has no parameter {name!r} to be of interest; free scalar parameters: {known or 'none'}"
        )
    parameters.place(name)  # raises where it has several components
    return name
