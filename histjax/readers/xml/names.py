"""The names that ROOT gives to the parameters of a workspace."""

from histjax.spec import HistoSys, Lumi, NormFactor, NormSys, ShapeFactor, ShapeSys, StatError, Workspace

Component = tuple[str, int | None]
"""A parameter of ours, and which of its components; `None` for one that is a single number."""


def root_names(workspace: Workspace) -> dict[str, Component]:
    """The parameters of a workspace by ROOT's names, in the order in which their modifiers occur.

    A NormFactor keeps its name; `alpha_NAME` are normsys and histosys, `Lumi` is the luminosity,
    `gamma_NAME_bin_I` are the components of a shapesys or shapefactor and `gamma_stat_CHANNEL_bin_I` those of the
    staterror of a channel.
    """
    names: dict[str, Component] = {}
    offsets = staterror_offsets(workspace)
    for channel in workspace.channels:
        for sample in channel.samples:
            for modifier in sample.modifiers:
                match modifier:
                    case NormSys(name=name) | HistoSys(name=name):
                        names[f"alpha_{name}"] = name, None
                    case Lumi(name=name):
                        names["Lumi"] = name, None
                    case ShapeSys(name=name) | ShapeFactor(name=name):
                        names |= {f"gamma_{name}_bin_{b}": (name, b) for b in range(channel.n_bins)}
                    case StatError(name=name):
                        start = offsets[name, channel.name]
                        names |= {
                            f"gamma_stat_{channel.name}_bin_{b}": (name, start + b) for b in range(channel.n_bins)
                        }
                    case NormFactor(name=name):
                        names[name] = name, None
    return names


def staterror_offsets(workspace: Workspace) -> dict[tuple[str, str], int]:
    """Index of the first component of a channel in a staterror set: channels follow each other, sorted by name."""
    offsets: dict[tuple[str, str], int] = {}
    sizes: dict[str, int] = {}
    for channel in sorted(workspace.channels, key=lambda each: each.name):
        found = (each.name for sample in channel.samples for each in sample.modifiers if isinstance(each, StatError))
        for name in dict.fromkeys(found):
            offsets[name, channel.name] = sizes.get(name, 0)
            sizes[name] = sizes.get(name, 0) + channel.n_bins
    return offsets
