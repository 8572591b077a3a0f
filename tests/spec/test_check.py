"""What `check` warns of, what it lets pass, and that it takes any records without falling over."""

from dataclasses import replace

import pytest

from histjax.spec import (
    Channel,
    HistoSys,
    Lumi,
    Measurement,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    ShapeFactor,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.check import check

MU = NormFactor("mu")


def workspace(*samples: Sample, data=(10, 10), poi=None, settings=()) -> Workspace:
    """One channel of two bins with these samples."""
    return Workspace(
        (Channel("SR", samples or (Sample("signal", (5, 5), (MU,)),)),),
        (Observation("SR", data),),
        (Measurement("M", poi, settings),),
    )


def signal(*modifiers, yields=(5, 5)) -> Sample:
    """A sample of two bins with a free factor and these modifiers."""
    return Sample("signal", yields, (MU, *modifiers))


LUMI_SETTINGS = ParameterConfig("lumi", auxdata=(1.0,), sigmas=(0.02,))

GOOD = {
    "plain": workspace(),
    "poi": workspace(poi="mu"),
    "histosys and normsys share": workspace(signal(HistoSys("a", (4, 4), (6, 6)), NormSys("a", 0.9, 1.1))),
    "negative yield in one sample": workspace(signal(yields=(-1, 5)), Sample("b", (10, 10))),
    "empty bin without data": workspace(signal(yields=(0, 5)), data=(0, 3)),
    "empty bin that a histosys fills": workspace(signal(HistoSys("a", (0, 4), (1, 6)), yields=(0, 5)), data=(2, 3)),
    "shapesys without yield": workspace(signal(ShapeSys("a", (1, 1)), yields=(0, 5)), data=(0, 5)),
    "staterror over two samples": workspace(
        signal(StatError("s", (1, 1)), yields=(0, 5)), Sample("b", (9, 9), (StatError("s", (1, 1)),))
    ),
    "settings of a fixed parameter": workspace(settings=(ParameterConfig("mu", inits=(50,), fixed=True),)),
    "bounds of no width": workspace(settings=(ParameterConfig("mu", inits=(1,), bounds=((1, 1),)),)),
    "width of an alpha": workspace(signal(NormSys("a", 0.9, 1.1)), settings=(ParameterConfig("a", sigmas=(2,)),)),
    "lumi": workspace(signal(Lumi("lumi")), settings=(LUMI_SETTINGS,)),
    "lumi that starts at its centre": workspace(
        signal(Lumi("lumi")), settings=(replace(LUMI_SETTINGS, bounds=((0.9, 1.1),)),)
    ),
    "yields that overflow": workspace(signal(yields=(1.7e308, int(1.7e308))), Sample("b", (1.7e308, int(1.7e308)))),
}

DOUBTFUL = {
    "poi not in the model": (workspace(poi="mu_SIG"), "/measurements/0/config/poi", "'mu_SIG' is not in the model"),
    "poi of two components": (
        workspace(signal(ShapeFactor("f")), poi="f"),
        "/measurements/0/config/poi",
        "2 components",
    ),
    "settings of nobody": (
        workspace(settings=(ParameterConfig("nobody"),)),
        "/measurements/0/config/parameters/0",
        "'nobody' are ignored",
    ),
    "observation of nobody": (
        replace(workspace(), observations=(Observation("CR", (1,)), Observation("SR", (1, 2)))),
        "/observations/0",
        "'CR' is ignored",
    ),
    "normsys of zero": (
        workspace(signal(NormSys("a", 0, 2))),
        "/channels/0/samples/0/modifiers/1/data",
        "lo = 0 and hi = 2",
    ),
    "normsys of a thousand": (
        workspace(signal(NormSys("a", 0.5, 1e4))),
        "/channels/0/samples/0/modifiers/1/data",
        "hi = 10000.0, expected positive factors between 1/1000 and 1000",
    ),
    "negative total": (workspace(signal(yields=(-1, 5))), "/channels/0", "total nominal yield is negative in bin 0"),
    "staterror of nothing": (
        workspace(signal(StatError("s", (1, 1)), yields=(0, 5)), Sample("b", (9, 9))),
        "/channels/0",
        "staterror 's'",
    ),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_good(good):
    assert check(good) == []


@pytest.mark.parametrize("doubtful, path, words", DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful(doubtful, path, words):
    (problem,) = check(doubtful)
    assert problem.is_warning
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize("part", ["channels", "observations", "measurements"])
def test_empty_part(part):
    (problem,) = check(replace(workspace(), **{part: ()}))
    assert (problem.path, problem.message) == (f"/{part}", f"the workspace has no {part}")


@pytest.mark.parametrize("channel", [Channel("SR", ()), Channel("SR", (Sample("s", ()),))])
def test_empty_channel(channel):
    (problem,) = check(replace(workspace(), channels=(channel,)))
    assert "SR" in problem.message


def test_staterror_over_two_channels_has_the_bins_of_both():
    stat = StatError("s", (1, 1))
    channels = tuple(Channel(name, (Sample("b", (5, 5), (stat, MU)),)) for name in ("SR", "CR"))
    observations = (Observation("SR", (5, 5)), Observation("CR", (5, 5)))

    def problems(count):
        measurement = Measurement("M", None, (ParameterConfig("s", inits=(1.0,) * count),))
        return check(Workspace(channels, observations, (measurement,)))

    assert problems(4) == []
    (problem,) = problems(2)
    assert "inits has 2, the parameter has 4 components" in problem.message


def test_settings_of_a_clashing_parameter_are_not_judged():
    clash = workspace(signal(NormSys("mu", 0.9, 1.1)), settings=(ParameterConfig("mu", sigmas=(1, 2, 3)),))
    (problem,) = check(clash)
    assert "shares its name with a normfactor" in problem.message


def test_many_bins_are_cut_short():
    (problem,) = [each for each in check(workspace(data=(-1,) * 20)) if "negative" in each.message]
    assert "bins 0, 1, 2, 3, 4, 5, 6, 7, ... (20 in all)" in problem.message
