"""Names that XML, ROOT or a file system cannot hold, and all else that cannot be written."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from histjax.errors import InvalidDocument
from histjax.readers.xml import ConstraintTerm, XMLConfiguration, read_xml, write_xml
from histjax.spec import (
    Channel,
    Measurement,
    NormFactor,
    NormSys,
    Observation,
    ParameterConfig,
    Sample,
    ShapeSys,
    StatError,
    Workspace,
)
from histjax.spec.constraints import Gamma, Normal, Poisson
from tests.readers.xml import cases
from tests.readers.xml.test_writing import assert_same, there_and_back

NASTY = (
    "a b",
    "a/b",
    "../../etc/passwd",
    "..",
    "<Sample Name='x'/>",
    "\"'&amp;]]>",
    "a:1 (b) [c]",
    "tt\u0304 \u2192 \u00e9\U0001f600",
    "x" * 500,
    "con",
    "a100%",
    "$(touch x) `y` \\z",
)


def named(channel: str = "SR", sample: str = "s", modifier: str = "k", measurement: str = "M") -> Workspace:
    """One bin, one sample; a staterror, a normsys and a shapesys of the names."""
    modifiers = NormFactor("mu"), NormSys(modifier, 0.9, 1.1), ShapeSys(f"{modifier}2", (2.0,))
    modifiers += (StatError(f"staterror_{channel}", (1.0,)),)
    settings = (ParameterConfig("mu", inits=(1.0,), bounds=((0.0, 10.0),)),)
    return Workspace(
        (Channel(channel, (Sample(sample, (10.0,), modifiers),)),),
        (Observation(channel, (7.0,)),),
        (Measurement(measurement, "mu", settings),),
    )


KINDS = ("channel", "sample", "modifier", "measurement")


@pytest.mark.parametrize(("kind", "name"), [(k, n) for n in NASTY for k in KINDS if k != "channel" or ";" not in n])
def test_names(kind, name, tmp_path):
    """Whatever a name is, it comes back, and files and histograms are called by plain letters."""
    workspace = named(**{kind: name})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write_xml(workspace, tmp_path / "out")
    files = [each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*") if each.is_file()]
    assert len(files) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9_./]{1,200}", each) and ".." not in each for each in files)
    assert_same(read_xml(path, root_directory=tmp_path / "out").workspace, workspace)
    channel_file = next((tmp_path / "out" / "config").glob("*.xml"))
    attributes = [value for each in ElementTree.parse(channel_file).iter() for value in each.attrib.items()]
    histograms = [value for key, value in attributes if key.startswith("HistoName")]
    assert len(histograms) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_]{1,140}", each) for each in histograms)


def test_names_that_are_alike(tmp_path):
    """Names that differ in case or in what is replaced get files and histograms of their own."""
    names = ("a b", "a/b", "A_B", "a_b", "a.b")
    samples = tuple(Sample(each, (float(i), 1.0), (NormFactor("mu"),)) for i, each in enumerate(names))
    workspace = Workspace(
        tuple(Channel(each, samples) for each in names),
        tuple(Observation(each, (float(i), 2.0)) for i, each in enumerate(names)),
        (Measurement("M", "mu"),),
    )
    found = there_and_back(workspace, tmp_path).workspace
    assert_same(found, workspace)
    assert len({each.name.lower() for each in (tmp_path / "out" / "config").glob("*.xml")}) == 5


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"channel": "a,b"}, "ROOT takes no comma and no semicolon in the name of a channel"),  # ROOT 6.40
        ({"channel": "a;b"}, "ROOT takes no comma and no semicolon in the name of a channel"),
        ({"sample": "a\nb"}, "sample 'a\\nb': XML takes no empty name, no blank at its ends, no control characters"),
        ({"modifier": "a\0"}, "no control characters"),
        ({"measurement": " M"}, "no blank at its ends"),
        ({"sample": ""}, "XML takes no empty name"),
        ({"sample": "\ud800"}, "no control characters"),
    ],
    ids=str,
)
def test_names_that_xml_cannot_hold(names, words, tmp_path):
    with pytest.raises(InvalidDocument) as caught:
        write_xml(named(**names), tmp_path / "out")
    assert any(words in each.message for each in caught.value.problems)
    assert list(tmp_path.iterdir()) == []


def changed(*settings: ParameterConfig, poi: str | None = "mu") -> Workspace:
    """The two channels with other settings."""
    plain = cases.workspace()
    first = plain.measurements[0]
    kept = [each for each in first.parameters if each.name not in {given.name for given in settings}]
    return replace(plain, measurements=(replace(first, poi=poi, parameters=(*kept, *settings)),))


def two_staterrors() -> Workspace:
    """One channel with two staterrors."""
    plain = named()
    other = Sample("t", (1.0,), (StatError("other", (1.0,)),))
    return replace(plain, channels=(replace(plain.channels[0], samples=(*plain.channels[0].samples, other)),))


def with_constraint(constraint, name: str = "s1", measurement: str = "M", workspace: Workspace | None = None):
    """A constraint term in place of the one that is implied."""
    return XMLConfiguration(workspace or cases.workspace(), {measurement: {name: constraint}}, {})


def with_term(kind: str, value: float, name: str = "s1", workspace: Workspace | None = None):
    """A ConstraintTerm."""
    return XMLConfiguration(workspace or cases.workspace(), {}, {"M": {name: ConstraintTerm(kind, value)}})


CANNOT = {
    "factors": (changed(ParameterConfig("sh", factors=(100.0, 12.0))), "'sh' (shapesys): XML has no factors"),
    "auxdata": (changed(ParameterConfig("s1", auxdata=(0.5,))), "'s1' (normsys): XML has no auxdata other than 0.0"),
    "sigmas": (changed(ParameterConfig("s1", sigmas=(2.0,))), "'s1' (normsys): XML has no sigmas of its own"),
    "no poi": (changed(poi=None), "has no parameter of interest: XML wants one"),
    "no range": (changed(ParameterConfig("mu", (1.0,), ((1.0, 1.0),))), "between its bounds, found 1.0 in [1.0, 1.0]"),
    "staterrors": (two_staterrors(), "has the staterrors staterror_SR, other: XML has one for each channel"),
    "name that is listed": (
        replace(named(modifier="a b"), measurements=(Measurement("M", "mu", (ParameterConfig("a b", fixed=True),)),)),
        "names 'a b': blanks and commas separate names in XML",
    ),
    "name of a term": (
        with_term("Gamma", 0.5, "a b", named(modifier="a b")),
        "names 'a b': blanks and commas separate names in XML",
    ),
    "another term": (with_constraint(Gamma(0.1)), "parameter 's1' (normsys): XML cannot say"),
    "another width": (with_constraint(Normal(7.0)), "parameter 's1' (normsys): XML cannot say"),
    "no such parameter": (with_constraint(Poisson(), "x"), "parameter 'x' (none): XML cannot say"),
    "no such measurement": (with_constraint(Poisson(), "staterror_SR", "N"), "for a measurement 'N'; there is M"),
    "terms that differ": (
        with_constraint(Normal(centre=1.0), "sh", workspace=cases.TWO_MEASUREMENTS),
        "the constraint terms of staterrors and shapesys differ between measurements",
    ),
    "term of a normfactor": (with_term("Gamma", 0.5, "mu"), "Gamma of 'mu': no normsys has that name"),
    "term without width": (with_term("LogNormal", 0.0), "the relative uncertainty is 0.0, expected above 0"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_what_xml_cannot_say(what, tmp_path):
    """An error that tells where, and nothing is written."""
    given, words = CANNOT[what]
    with pytest.raises(InvalidDocument) as caught:
        write_xml(given, tmp_path / "out")
    assert any(words in each.message for each in caught.value.problems), caught.value
    assert list(tmp_path.iterdir()) == []
