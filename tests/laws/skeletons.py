"""Generated workspaces: six fixed structures, whose numbers are drawn freely, so that each is compiled once."""

from hypothesis import strategies as st

from tests.workspaces import LUMI, histosys, mu, normsys, sample, shapefactor, shapesys, staterror, workspace

LUMI_SETTINGS = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.03], "bounds": [[0.5, 1.5]], "inits": [1.0]}


def _yields(bins: int, low: float = 5.0, high: float = 200.0):
    return st.lists(st.floats(low, high), min_size=bins, max_size=bins)


def _scaled(values: list[float], factors: list[float]) -> list[float]:
    return [value * factor for value, factor in zip(values, factors, strict=True)]


@st.composite
def background(draw, bins: int, modifiers: tuple[str, ...], channel: str):
    """A background with named modifiers; relative variations up to 20 %."""
    values = draw(_yields(bins))

    def relative(low, high):
        return _scaled(values, draw(_yields(bins, low, high)))

    made = {
        "histosys": lambda: histosys("shape", relative(0.8, 1.1), relative(0.9, 1.25)),
        "normsys": lambda: normsys("norm", draw(st.floats(0.7, 1.05)), draw(st.floats(0.95, 1.4))),
        "same": lambda: normsys("shape", draw(st.floats(0.8, 1.0)), draw(st.floats(1.0, 1.2))),
        "shapesys": lambda: shapesys(f"gamma_{channel}", relative(0.02, 0.3)),
        "staterror": lambda: staterror(f"stat_{channel}", relative(0.01, 0.2)),
        "shapefactor": lambda: shapefactor("free"),
        "lumi": lambda: LUMI,
        "normfactor": lambda: mu("scale"),
    }
    return sample("background", values, *(made[name]() for name in modifiers))


SKELETONS = {
    "counting": {"SR": (2, ("shapesys",))},
    "shapes": {"SR": (3, ("histosys", "normsys", "staterror"))},
    "shared": {"SR": (2, ("histosys", "same", "lumi")), "CR": (1, ("same", "normfactor", "lumi"))},
    "data-driven": {"SR": (2, ("shapefactor",)), "CR": (2, ("shapefactor", "normsys"))},
    "three-channels": {"b": (1, ("normsys", "staterror")), "a": (2, ("shapesys", "lumi")), "c": (1, ("normfactor",))},
    "all": {"SR": (2, ("histosys", "normsys", "lumi", "shapesys", "staterror")), "CR": (2, ("shapefactor", "same"))},
}
SIGNAL_CHANNEL = {
    "counting": "SR",
    "shapes": "SR",
    "shared": "SR",
    "data-driven": "SR",
    "three-channels": "a",
    "all": "SR",
}


@st.composite
def documents(draw, skeleton: str):
    """A workspace of a skeleton: signal in one channel, a background in each, counts near the expectation."""
    channels, data = {}, {}
    for channel, (bins, modifiers) in SKELETONS[skeleton].items():
        samples = [draw(background(bins, modifiers, channel))]
        if channel == SIGNAL_CHANNEL[skeleton]:
            samples.append(
                sample("signal", draw(_yields(bins, 3.0, 60.0)), mu(), normsys("norm", 0.9, draw(st.floats(1.0, 1.2))))
            )
        total = [sum(values) for values in zip(*(each["data"] for each in samples), strict=True)]
        channels[channel] = samples
        data[channel] = [round(value, 2) for value in _scaled(total, draw(_yields(bins, 0.9, 1.1)))]
    has_lumi = any("lumi" in modifiers for _, modifiers in SKELETONS[skeleton].values())
    return workspace(channels, data, *([LUMI_SETTINGS] if has_lumi else []))


@st.composite
def displacements(draw, size: int):
    """How far each parameter is from its initial value, in units of a tenth of its size or of one sigma."""
    return draw(st.lists(st.floats(-1.0, 1.0), min_size=size, max_size=size))
