"""The parameters of a workspace as single numbers with names of their own, as HS3 and ROOT have them.

A scalar keeps its name, but for `alpha_<name>` of one that interpolates; component i of a bin-wise set is
`gamma_<name>_bin_<i>`. Global observables are `nom_<parameter>`, constraint terms `<parameter>Constraint`.
"""

import re
from dataclasses import dataclass, field

import numpy as np

from histjax.lower.layout import ParameterSet
from histjax.lower.parameters import Settings, parameter_sets, settings
from histjax.spec import Channel, Measurement, ShapeSys, StatError, Workspace


@dataclass
class Names:
    """Gives every name once, in letters, digits and underscores: ROOT refuses others."""

    taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> str:
        """The name, with underscores for what ROOT refuses, and with a number if it is taken.

        >>> Names().take("b-tag NP 2")
        'b_tag_NP_2'
        """
        name = re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)
        candidate, number = name, 2
        while candidate in self.taken:
            candidate, number = f"{name}_{number}", number + 1
        self.taken.add(candidate)
        return candidate


@dataclass(frozen=True)
class Components:
    """The parameters of a workspace.

    **Fields:** `sets` in pyhf's order; `names` and `nominals` are the parameters and global observables of each set,
    `(components,)`; `constraints` the names of the Gaussian terms of scalar sets; `relative` the relative widths of the
    gammas of each set, 0 where it holds them; `offsets` where the gammas of a channel begin within a staterror set.
    """

    sets: tuple[ParameterSet, ...]
    names: dict[str, tuple[str, ...]]
    nominals: dict[str, tuple[str, ...]]
    constraints: dict[str, str]
    relative: dict[str, np.ndarray]
    offsets: dict[tuple[str, str], int]

    def settings(self, measurement: Measurement) -> Settings:
        """Flat settings of a measurement."""
        return settings(self.sets, measurement)

    def gammas(self, name: str, channel: Channel) -> list[str]:
        """The gammas of a set in one channel."""
        start = self.offsets.get((name, channel.name), 0)
        return list(self.names[name][start : start + channel.n_bins])

    def widths(self, name: str, channel: Channel, chosen: Settings) -> list[float]:
        """The relative widths in one channel, with what a measurement says; 0 where a gamma is held."""
        start = self.offsets.get((name, channel.name), 0)
        place = next(each.slice for each in self.sets if each.name == name)
        derived, given = self.relative[name], np.fmax(chosen.sigmas[place], chosen.factors[place] ** -0.5)
        widths = np.where(np.isnan(given) | (derived == 0), derived, given)
        return widths[start : start + channel.n_bins].tolist()


def components(workspace: Workspace, names: Names) -> Components:
    """Name the parameters; scalar factors come first, since ROOT takes the name of the modifier for them."""
    sets = parameter_sets(workspace)
    named: dict[str, tuple[str, ...]] = {}
    for each in sorted(sets, key=lambda each: not set(each.modifiers) & {"normfactor", "lumi"}):
        named[each.name] = tuple(names.take(base) for base in _bases(each))
    constrained = [each for each in sets if each.constraint != "none"]
    relative, offsets = _relative(workspace, sets)
    return Components(
        sets=sets,
        names=named,
        nominals={each.name: tuple(names.take(f"nom_{name}") for name in named[each.name]) for each in constrained},
        constraints={
            each.name: names.take(f"{named[each.name][0]}Constraint") for each in constrained if each.is_scalar
        },
        relative=relative,
        offsets=offsets,
    )


def _bases(each: ParameterSet) -> list[str]:
    if not each.is_scalar:
        return [f"gamma_{each.name}_bin_{i}" for i in range(each.size)]
    return [each.name if set(each.modifiers) & {"normfactor", "lumi"} else f"alpha_{each.name}"]


def _relative(workspace: Workspace, sets: tuple[ParameterSet, ...]):
    """Relative widths of shapesys and staterror sets, and the offsets of the latter."""
    relative = {each.name: np.zeros(each.size) for each in sets if not each.is_scalar}
    offsets: dict[tuple[str, str], int] = {}
    used: dict[str, int] = {}
    for channel in sorted(workspace.channels, key=lambda each: each.name):
        carriers: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for sample in channel.samples:
            for modifier in sample.modifiers:
                if isinstance(modifier, ShapeSys | StatError):
                    pair = np.asarray(sample.nominal_yields, float), np.asarray(modifier.uncertainty, float)
                    carriers.setdefault(modifier.name, []).append(pair)
        for name, pairs in carriers.items():
            start = offsets[name, channel.name] = used.get(name, 0)
            used[name] = start + channel.n_bins
            relative[name][start : start + channel.n_bins] = _width(pairs)
    return relative, offsets


def _width(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """sqrt(sum u^2) / sum b, 0 where the gamma is held: no yield, or no uncertainty."""
    total = sum(nominal for nominal, _ in pairs)
    spread = np.sqrt(sum(uncertainty**2 for _, uncertainty in pairs)) if len(pairs) > 1 else np.abs(pairs[0][1])
    return np.where(total > 0, spread, 0.0) / np.where(total > 0, total, 1.0)
