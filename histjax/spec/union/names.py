"""What to call in the union what the workspaces call differently.

The signal of a grid has another name in each patch, and so have the parameters that belong to it. Names that never
occur together can share one place; it is called by a pattern, such as `signal_*`.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

Occurrences = Mapping[str, Collection[int]]
"""For each name the indices of the workspaces in which it occurs."""

_DIGITS = "0123456789"


def shared_places(occurrences: Occurrences, candidates: Collection[str], alike: bool = False) -> dict[str, str]:
    """A label for each name: the name itself, or for some of the candidates, which never occur together, a pattern.

    With `alike` only names that agree at one end share a place. The most frequent candidates are placed first, in the
    order of the alphabet, each in the first place that is free wherever it occurs. The order of the workspaces does not
    matter.

    >>> shared_places({"bkg": {0, 1, 2}, "sig_100": {0}, "sig_200": {1, 2}, "other": {0, 1}}, ["sig_100", "sig_200"])
    {'bkg': 'bkg', 'other': 'other', 'sig_200': 'sig_*', 'sig_100': 'sig_*'}
    """
    places: list[tuple[list[str], set[int]]] = []
    for name in sorted(candidates, key=lambda each: (-len(occurrences[each]), each)):
        free = next((place for place in places if _has_room(place, name, occurrences[name], alike)), None)
        if free is None:
            places.append(([name], set(occurrences[name])))
        else:
            free[0].append(name)
            free[1].update(occurrences[name])
    labels = {name: name for name in occurrences if name not in candidates}
    for names, _ in places:
        label = _numbered(pattern(names), labels.values(), occurrences.keys() - set(names))
        labels |= {name: label for name in names}
    return labels


def _has_room(place: tuple[list[str], set[int]], name: str, where: Collection[int], alike: bool) -> bool:
    return place[1].isdisjoint(where) and not (alike and pattern([*place[0], name]) == "*")


def _numbered(label: str, *taken: Collection[str]) -> str:
    """The label, with a number where it is taken."""
    used = set().union(*taken)
    number, chosen = 1, label
    while chosen in used:
        number += 1
        chosen = f"{label} ({number})"
    return chosen


def pattern(names: Iterable[str]) -> str:
    """The names where they agree at both ends, but for digits, and a star between; a single name is itself.

    >>> pattern(["sig_100_CR", "sig_150_CR"]), pattern(["mu"])
    ('sig_*_CR', 'mu')
    """
    names = sorted(set(names))
    if len(names) == 1:
        return names[0]
    start = _agreement(names)
    end = _agreement([name[len(start) :][::-1] for name in names])[::-1]
    return f"{start.rstrip(_DIGITS)}*{end.lstrip(_DIGITS)}"


def _agreement(names: Sequence[str]) -> str:
    """How all of them start."""
    first, last = min(names), max(names)  # in the order of the alphabet, they differ most
    same = next((index for index, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) == 2), None)
    return first[:same]


def distinct(labels: Mapping[Hashable, str]) -> dict:
    """The same labels, numbered where several keys have the same; keys are sorted first.

    >>> distinct({("x", "free"): "x", ("x", "alpha"): "x", ("y", "free"): "y"})
    {('x', 'alpha'): 'x', ('x', 'free'): 'x (2)', ('y', 'free'): 'y'}
    """
    result: dict = {}
    for key in sorted(labels):
        others = {label for other, label in labels.items() if label != labels[key]}
        result[key] = _numbered(labels[key], result.values(), others)
    return result
