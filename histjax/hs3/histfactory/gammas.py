r"""Bin-wise parameters: lists of gammas become parameter sets of ours.

A set is natural where one of our modifiers says all of it: a set on the samples of one channel is a staterror, a
Poisson set of one sample a shapesys. One that is shared otherwise, or whose sample is empty in a bin where it has an
uncertainty, is a free shapefactor with the constraint term put on top. In ROOT 6.40, an uncertainty of 0 leaves a gamma
without constraint: it floats if the document lists it as a parameter that is not constant, and is held otherwise. A
set in which some gammas float freely and others are constrained becomes two, the second called `<name>_free`. Where the
modifiers of a set disagree on its constraint, the first one counts, as in ROOT.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from histjax.hs3.histfactory.findings import Findings
from histjax.hs3.histfactory.lookup import Lookup
from histjax.hs3.histfactory.terms import NEAR
from histjax.hs3.histfactory.uses import ChannelUses, Gammas, SampleUses
from histjax.spec import ShapeFactor, ShapeSys, StatError
from histjax.spec.constraints import Constraint, Gamma, Normal, Poisson

LARGEST_WIDTH = 1e70
"""Of a relative uncertainty, and its inverse the smallest: their squares are numbers too."""
SMALLEST = 1e-10
"""Lower bound of the parameter of a Poisson term."""


@dataclass(frozen=True)
class Member:
    """One modifier of a set and where it is."""

    channel: ChannelUses
    sample: SampleUses
    use: Gammas


@dataclass(frozen=True)
class GammaSet:
    """One list of gammas, `(bins,)`, with all modifiers that use it.

    **Fields:** `name` of our set; `constraint` is Gauss, Poisson or none; `relative` `(bins,)` are the widths, 0 where
    there is no term; `held` and `free` mark the components without a term; `is_natural` says whether our modifier
    brings the term.
    """

    name: str
    gammas: tuple[str, ...]
    members: tuple[Member, ...]
    constraint: str
    relative: tuple[float, ...]
    held: tuple[bool, ...]
    free: tuple[bool, ...]
    is_natural: bool

    @property
    def has_companion(self) -> bool:
        """Whether free components stand beside constrained ones."""
        return self.constraint != "none" and any(self.free)

    @property
    def companion(self) -> str:
        """The name of the set of the free components."""
        return f"{self.name}_free"

    @property
    def names(self) -> dict[str, str]:
        """Our component of each gamma."""
        split = self.has_companion
        places = enumerate(zip(self.gammas, self.free, strict=True))
        return {gamma: f"{self.companion if split and free else self.name}[{i}]" for i, (gamma, free) in places}

    def modifiers(self, member: Member) -> list[ShapeFactor | ShapeSys | StatError]:
        """Our modifiers for one of the members."""
        companion = [ShapeFactor(self.companion)] if self.has_companion else []
        if not self.is_natural:
            return [ShapeFactor(self.name), *companion]
        kind = ShapeSys if self._is_shapesys else StatError
        return [kind(self.name, self._unless_held(self._uncertainties(member))), *companion]

    @property
    def _is_shapesys(self) -> bool:
        return self.constraint == "Poisson" and len(self.members) == 1 and self.members[0].use.kind == "shapesys"

    def _uncertainties(self, member: Member) -> tuple[float, ...]:
        """Absolute ones: those of a staterror, else for the first sample all that the set of samples has together."""
        if all(each.use.kind == "staterror" for each in self.members):
            return member.use.uncertainties
        if member is not self.members[0]:
            return (0.0,) * len(self.gammas)
        return tuple(width * total for width, total in zip(self.relative, _totals(self.members), strict=True))

    def _unless_held(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """An uncertainty of 0 holds a component; a set that is held as a whole keeps its own."""
        dropped = [(held and not all(self.held)) or free for held, free in zip(self.held, self.free, strict=True)]
        return tuple(0.0 if drop else value for drop, value in zip(dropped, values, strict=True))

    def term(self, lookup: Lookup) -> Constraint | None:
        """The term to be put on top of the modifiers."""
        if self.constraint == "none":
            return None
        if self.is_natural and (self.constraint == "Gauss" or self._is_shapesys):
            return None
        widths = None if self.is_natural else [width or 1.0 for width in self.relative]
        centres = self.centres(lookup)
        if self.constraint == "Gauss":
            return Normal(widths, [1.0] * len(self.gammas) if centres is None else centres)
        if centres is None:
            return Poisson(None if widths is None else [width**-2 for width in widths])
        return Gamma(widths, centres)

    def centres(self, lookup: Lookup) -> list[float] | None:
        """Auxiliary data in units of the gammas, if they are not 1; ROOT calls a datum `nom_<gamma>`."""
        found = []
        for gamma, width in zip(self.gammas, self.relative, strict=True):
            datum = lookup.point.get(f"nom_{gamma}")
            scale = width**2 if self.constraint == "Poisson" else 1.0
            found.append(1.0 if datum is None or not width else datum * scale)
        return found if any(abs(each - 1) > NEAR for each in found) else None


def gamma_sets(channels: tuple[ChannelUses, ...], taken: set[str], lookup: Lookup, findings: Findings):
    """All sets, by their gammas; `taken` are the names of scalar parameters."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for channel in channels:
        for sample in channel.samples:
            for use in sample.uses:
                if isinstance(use, Gammas):
                    groups.setdefault(use.gammas, []).append(Member(channel, sample, use))
    _check(groups, taken, findings)
    names, sets = set(taken), {}
    for gammas, members in groups.items():
        name = _unique(_stem(gammas, members[0].use.name), names)
        names |= {name, f"{name}_free"}
        sets[gammas] = _gamma_set(name, gammas, tuple(members), lookup, findings)
    return sets


def _check(groups: dict[tuple[str, ...], list[Member]], taken: set[str], findings: Findings) -> None:
    """Every gamma is in one place of one list, and is nothing else."""
    owner: dict[str, tuple[str, ...]] = {}
    for gammas, members in groups.items():
        path = members[0].use.path
        for gamma in gammas:
            if gamma in taken:
                findings.problem(path, f"{gamma!r} is a bin-wise factor here, and drives other modifiers elsewhere")
            if owner.setdefault(gamma, gammas) is not gammas:
                findings.problem(path, f"{gamma!r} is in two lists of bin-wise factors that are not the same")
        if len(set(gammas)) < len(gammas):
            findings.problem(path, "one parameter is the factor of two bins; a normfactor would say that")


def _stem(gammas: tuple[str, ...], fallback: str) -> str:
    """The name of a set: that of `gamma_<name>_bin_<i>`, or what the names have in common.

    >>> _stem(("gamma_stat_SR_bin_0", "gamma_stat_SR_bin_1"), ""), _stem(("unc_0", "unc_1"), "")
    ('stat_SR', 'unc')
    """
    matches = [re.fullmatch(r"gamma_(.+)_bin_(\d+)", each) for each in gammas]
    stems = {match[1] for match in matches if match}
    if all(matches) and len(stems) == 1:
        return stems.pop()
    common = re.sub(r"(_bin)?[_\d\[]*$", "", _common(gammas))
    return common or fallback


def _common(names: tuple[str, ...]) -> str:
    """The beginning that all names share."""
    first, last = min(names), max(names)
    differing = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(differing, len(first))]


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _gamma_set(
    name: str, gammas: tuple[str, ...], members: tuple[Member, ...], lookup: Lookup, findings: Findings
) -> GammaSet:
    size, terms = len(gammas), []
    for member in members:
        relative = _staterror(member, members) if member.use.kind == "staterror" else member.use.uncertainties
        if member.use.constraint != "none" and any(relative):
            terms.append((member.use.constraint, relative, member.use.path))
    nothing = (members[0].use.constraint if _all_void(members, gammas, lookup) else "none", (0.0,) * size, "")
    constraint, relative, _ = terms[0] if terms else nothing
    for other, widths, path in terms[1:]:
        agree = all(math.isclose(a, b, rel_tol=NEAR) for a, b in zip(relative, widths, strict=True))
        if other != constraint or not agree:
            findings.doubt(f"{path}: the gammas of {name!r} are constrained in another way before; that one counts")
    if any(width and not 1 / LARGEST_WIDTH <= width <= LARGEST_WIDTH for width in relative):
        message = f"the relative uncertainties of {name!r} are {relative}, expected 0 or numbers of ordinary size"
        findings.problem(members[0].use.path, message)
    threshold = max((each.channel.threshold for each in members if each.use.kind == "staterror"), default=0.0)
    constant = [gamma in lookup.fixed or gamma not in lookup.point for gamma in gammas]
    is_shape = all(member.use.kind == "shapefactor" for member in members)
    held = [
        gamma in lookup.fixed or (const and not is_shape and (not width or width < threshold))
        for gamma, const, width in zip(gammas, constant, relative, strict=True)
    ]
    free = [not hold and not width for hold, width in zip(held, relative, strict=True)]
    natural = constraint != "none" and _is_natural(members, relative)
    return GammaSet(name, gammas, members, constraint, relative, tuple(held), tuple(free), natural)


def _all_void(members: tuple[Member, ...], gammas: tuple[str, ...], lookup: Lookup) -> bool:
    """Whether all gammas are held for want of an uncertainty."""
    return all(gamma in lookup.fixed or gamma not in lookup.point for gamma in gammas) and all(
        member.use.kind != "shapefactor" for member in members
    )


def _staterror(member: Member, members: tuple[Member, ...]) -> tuple[float, ...]:
    """delta = sqrt(sum u^2) / sum b over the samples of one channel that share the gammas; 0 where there is none."""
    sharing = [each for each in members if each.channel is member.channel and each.use.kind == "staterror"]
    spreads = [math.hypot(*each) for each in zip(*(each.use.uncertainties for each in sharing), strict=True)]
    return tuple(u / b if b > 0 else 0.0 for u, b in zip(spreads, _totals(sharing), strict=True))


def _totals(members: Sequence[Member]) -> list[float]:
    """The yields of some samples together."""
    return [sum(map(float, each)) for each in zip(*(each.sample.nominal_yields for each in members), strict=True)]


def _is_natural(members: tuple[Member, ...], relative: tuple[float, ...]) -> bool:
    """Whether the samples are those of one channel, with a yield wherever there is an uncertainty."""
    filled = all(total > 0 or not width for total, width in zip(_totals(members), relative, strict=True))
    return len({member.channel.name for member in members}) == 1 and filled
