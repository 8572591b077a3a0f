"""Interpolation codes as HS3 documents spell them, and which of ours each parameter needs.

Numbers are ROOT's, whose meaning depends on the modifier: 4 is polynomial and exponential for a normsys (our `code4`),
polynomial and linear for a histosys (`code4p`). The standard's words lin, log, parabolic and poly6 are code0, code1,
code2 and code4p; PyHS3's `code2` is ROOT's here, not pyhf's, which jumps. Newer ROOT versions write a record of a type
and two functions, e.g. `{"type": "mult", "in": "poly6", "out": "exp"}`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from histjax.hs3.histfactory.findings import Findings, shown
from histjax.interpolation import code0, code1, code2, code4, code4p

DEFAULT = {"normsys": code4, "histosys": code4p}
_NUMBERS = {
    "normsys": {0: code0, 1: code1, 2: code2, 3: code2, 4: code4, 5: code4},
    "histosys": {0: code0, 1: code1, 2: code2, 3: code2, 4: code4p, 5: code4},
}
_WORDS = {
    "code0": code0,
    "code1": code1,
    "code2": code2,
    "code4": code4,
    "code4p": code4p,
    "lin": code0,
    "log": code1,
    "parabolic": code2,
    "poly6": code4p,
}
_RECORDS = {
    ("add", "poly1", None): code0,
    ("mult", "exp", None): code1,
    ("add", "poly2", "poly1"): code2,
    ("add", "poly6", "poly1"): code4p,
    ("mult", "poly6", "exp"): code4,
}


def code_of(entry: dict, channel: dict, kind: str, path: str, findings: Findings) -> Callable:
    """The code that a normsys or histosys asks for: at the modifier, in its data, or for the channel.

    Without a word it is HistFactory's default, code4 and code4p. ROOT 6.40 interpolates every histosys with `code4p`
    whatever is written; here the document is followed.
    """
    data = entry.get("data")
    for value, place in (
        (entry.get("interpolation"), f"{path}/interpolation"),
        (data.get("interpolation") if isinstance(data, dict) else None, f"{path}/data/interpolation"),
        (channel.get("default_interpolation"), f"{path.split('/samples')[0]}/default_interpolation"),
    ):
        if value is not None:
            return _checked(_known(value, kind), value, kind, place, findings)
    return DEFAULT[kind]


def _known(value: Any, kind: str) -> Callable | None:
    if isinstance(value, dict):
        key = tuple(value.get(name) for name in ("type", "in", "out"))
        return _RECORDS.get(key) if all(each is None or isinstance(each, str) for each in key) else None
    if isinstance(value, str):
        return _WORDS.get(value)
    return _NUMBERS[kind].get(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _checked(code: Callable | None, value: Any, kind: str, place: str, findings: Findings) -> Callable:
    if code is None:
        known = [*map(str, _NUMBERS[kind]), *_WORDS]
        findings.problem(place, f"unknown interpolation {shown(value)}; expected one of {', '.join(known)}")
    elif kind == "histosys" and code in (code1, code4):
        findings.problem(place, f"a histosys cannot be interpolated by factors ({shown(value)}); use 0, 2 or 4")
    elif kind == "histosys" and code is not code4p:
        findings.doubt(f"{place}: ROOT 6.40 ignores the interpolation of a histosys and takes code 4")
    return code or DEFAULT[kind]


def choose(wanted: dict[str, dict[str, dict[Callable, str]]], findings: Findings):
    """Codes for `histjax.compile`: the most frequent one of each kind, and others by parameter.

    `wanted` has for every parameter and kind of modifier the codes with a place where each is asked for. One parameter
    can have one code other than the most frequent one.

    **Returns:** the codes of normsys and histosys, and the mapping by parameter.
    """
    usual = {kind: _most_frequent(wanted, kind) for kind in DEFAULT}
    by_name: dict[str, Callable] = {}
    for parameter, kinds in wanted.items():
        codes = {code: place for places in kinds.values() for code, place in places.items()}
        if all(len(places) == 1 and usual[kind] in places for kind, places in kinds.items()):
            continue
        if len(codes) > 1:
            names = " and ".join(sorted(code.__name__ for code in codes))
            message = f"parameter {parameter!r} is interpolated with {names}; one parameter can have one code only"
            findings.problem(list(codes.values())[-1], message)
        else:
            by_name[parameter] = next(iter(codes))
    return usual["normsys"], usual["histosys"], by_name


def _most_frequent(wanted: dict, kind: str) -> Callable:
    counts = Counter(code for kinds in wanted.values() for code in kinds.get(kind, {}))
    return counts.most_common(1)[0][0] if counts else DEFAULT[kind]
