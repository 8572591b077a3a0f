r"""Constraint terms of scalar parameters: named distributions as values of `histjax.constraints`.

| distribution | term of the parameter theta |
|---|---|
| `gaussian_dist`, theta as `x` or as `mean` | Normal: width sigma, centre the other one |
| `poisson_dist`, `mean` is theta or tau theta | Poisson of rate tau if `x` is tau, else Gamma: Pois(x \| tau theta) |
| `lognormal_dist`, theta as `mu` | Normal: ln x is Gaussian around theta |
| `uniform_dist`, theta as `x` | Uniform between the bounds |

The other variable is the global observable. A `lognormal_dist` whose `x` is theta has a factor 1/theta that no
constraint of ours has: it is left to the caller.
"""

import math
from dataclasses import dataclass, field

from histjax.hs3.histfactory.findings import Findings, shown
from histjax.hs3.histfactory.lookup import Lookup
from histjax.spec.constraints import Constraint, Gamma, Normal, Poisson, Uniform

GAUSSIANS = ("gaussian_dist", "normal_dist")
UNIT_GAUSSIANS = ("Gauss", "Gaussian", "LogNormal", "Lognormal")
"""Types of the constraint of an alpha that all mean a unit Gaussian: ROOT 6.40 takes LogNormal as such."""
NEAR = 1e-9


@dataclass
class Terms:
    """The constraint terms that were found, by parameter.

    **Fields:** `constraints`; `used`, distributions that they stand for; `remaining`, distributions of constrained
    parameters that no term of ours can say.
    """

    constraints: dict[str, Constraint] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)

    def read(
        self, entry: dict, parameter: str, lookup: Lookup, path: str, findings: Findings, implied: bool = True
    ) -> None:
        """Take over the constraint that a modifier gives to its parameter; `implied` if there is one without a word.

        `constraint_name` names a distribution, and so may `constraint` (ROOT after 6.40); `constraint_type` is a type.
        """
        named = next((entry[key] for key in ("constraint_name", "constraint") if self._names(entry, key, lookup)), None)
        if named is None and "constraint_name" in entry:
            findings.problem(f"{path}/constraint_name", f"there is no distribution {shown(entry['constraint_name'])}")
            return
        default = f"{parameter}Constraint"
        if named is None and implied and default in lookup.distributions:
            named = default  # ROOT's name for the term that it would make
        if named is not None:
            self.add(named, parameter, lookup)
            return
        kind = entry.get("constraint_type", entry.get("constraint", "Gauss" if implied else None))
        if kind is None:
            return
        if kind not in UNIT_GAUSSIANS:
            expected = f"one of {', '.join(UNIT_GAUSSIANS)}, or the name of a distribution in constraint_name"
            findings.problem(path, f"constraint of {parameter!r}: found {shown(kind)}, expected {expected}")
            return
        centre = lookup.point.get(f"nom_{parameter}", 0.0 if implied else 1.0)
        self.constraints.setdefault(parameter, Normal(1.0, centre))

    def add(self, name: str, parameter: str, lookup: Lookup) -> bool:
        """Take over a distribution as the term of a parameter; whether it could be said."""
        if name in self.used or name in self.remaining:
            return name in self.used
        term = term_of(lookup.distributions[name][1], parameter, lookup)
        if term is None or parameter in self.constraints:  # a second term of one parameter multiplies the first
            self.remaining.append(name)
            return False
        self.used.append(name)
        self.constraints[parameter] = term
        return True

    def _names(self, entry: dict, key: str, lookup: Lookup) -> bool:
        return isinstance(entry.get(key), str) and entry[key] in lookup.distributions


def term_of(entry: dict, parameter: str, lookup: Lookup) -> Constraint | None:
    """The term that a distribution is for a parameter; `None` if there is none of that form."""
    kind = entry.get("type")
    if kind in GAUSSIANS:
        return _gaussian(entry, parameter, lookup)
    if kind == "poisson_dist":
        return _poisson(entry, parameter, lookup)
    if kind == "lognormal_dist" and entry.get("mu") == parameter:
        centre, sigma = lookup.value(entry.get("x")), lookup.constant(entry.get("sigma"))
        valid = sigma is not None and sigma > 0 and centre is not None and centre > 0
        return Normal(sigma, math.log(centre)) if valid else None
    if kind == "uniform_dist" and entry.get("x") in (parameter, [parameter]) and parameter in lookup.bounds:
        return Uniform(*lookup.bounds[parameter])
    return None


def _gaussian(entry: dict, parameter: str, lookup: Lookup) -> Normal | None:
    ends = [entry.get("x"), entry.get("mean")]
    sigma = lookup.constant(entry.get("sigma"))
    if parameter not in ends or sigma is None or sigma <= 0:
        return None
    ends.remove(parameter)
    centre = lookup.value(ends[0])
    if centre is None and isinstance(ends[0], str) and ends[0] not in lookup.functions:
        centre = 0.0 if parameter.startswith("alpha_") else 1.0  # a global observable that no point mentions
    return None if centre is None else Normal(sigma, centre)


def _poisson(entry: dict, parameter: str, lookup: Lookup) -> Poisson | Gamma | None:
    mean, count = entry.get("mean"), lookup.value(entry.get("x"))
    tau = 1.0 if mean == parameter else None
    if tau is None and isinstance(mean, str) and mean in lookup.functions:
        tau = _scale(lookup.functions[mean][1], parameter, lookup)
    if tau is None or tau <= 0 or count is None or count < 0:
        return None
    return poisson_term(tau, count)


def poisson_term(tau: float, count: float) -> Poisson | Gamma:
    """The term Pois(count | tau theta)."""
    return Poisson(tau) if abs(count - tau) <= NEAR * tau else Gamma(tau**-0.5, count / tau)


def _scale(function: dict, parameter: str, lookup: Lookup) -> float | None:
    """The constant by which a product multiplies the parameter."""
    factors = list(function.get("factors", ()))
    if function.get("type") != "product" or factors.count(parameter) != 1:
        return None
    factors.remove(parameter)
    values = [lookup.constant(each) for each in factors]
    return None if any(each is None for each in values) else math.prod(values)
